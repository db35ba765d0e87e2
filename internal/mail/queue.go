package mail

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"example.com/gatehouse/internal/problem"
)

// QueueConfig is what a Queue needs. Zero fields mean what the constants below say.
type QueueConfig struct {
	Sender Sender
	Log    *slog.Logger
	// Size is how many messages are held at most.
	Size int
	// Parallel is how many are sent at once.
	Parallel int
	// Pauses are the times to wait before the second try, the third, and so on.
	Pauses []time.Duration
}

const (
	defaultSize     = 256
	defaultParallel = 4
)

// defaultPauses end before the shortest token does, which is good for ten minutes.
var defaultPauses = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute}

// Queue sends messages after the request that caused them has been answered: how long a mail server takes must not tell what the
// mail says, or whether there is one.
//
// It is memory. A crash loses the messages that it holds, and a message is lost whose last try fails: who waits for one asks for
// another, which every mail of this service allows. A table of messages would keep tokens in the clear that are otherwise kept as hashes.
type Queue struct {
	config  QueueConfig
	sending chan struct{}
	closing chan struct{}
	cancel  context.CancelFunc
	ctx     context.Context

	mu     sync.Mutex
	held   int
	closed bool
	all    sync.WaitGroup
}

// NewQueue returns an empty queue. The caller closes it.
func NewQueue(c QueueConfig) *Queue {
	if c.Size == 0 {
		c.Size = defaultSize
	}
	if c.Parallel == 0 {
		c.Parallel = defaultParallel
	}
	if c.Pauses == nil {
		c.Pauses = defaultPauses
	}
	q := &Queue{config: c, sending: make(chan struct{}, c.Parallel), closing: make(chan struct{})}
	q.ctx, q.cancel = context.WithCancel(context.Background())
	return q
}

// Post takes the message and returns at once. It returns problem.Unavailable where the queue is full or closed.
func (q *Queue) Post(m Message) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.held >= q.config.Size {
		full := problem.Unavailable.New("too many mails wait to be sent: repeat later")
		full.RetryAfter = 30 * time.Second
		return full
	}
	q.held++
	q.all.Go(func() {
		q.deliver(m)
		q.mu.Lock()
		defer q.mu.Unlock()
		q.held--
	})
	return nil
}

// Held is how many messages are neither sent nor lost.
func (q *Queue) Held() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held
}

// deliver tries until the message is sent, refused or given up.
func (q *Queue) deliver(m Message) {
	for try := 0; ; try++ {
		err := q.try(m)
		switch {
		case err == nil:
			return
		case errors.Is(err, ErrRefused), try == len(q.config.Pauses), q.ctx.Err() != nil:
			q.config.Log.Error("a mail is lost", "subject", m.Subject, "tries", try+1, "error", err.Error())
			return
		}
		q.config.Log.Warn("a mail is sent again later", "subject", m.Subject, "tries", try+1, "error", err.Error())
		pause := time.NewTimer(q.config.Pauses[try])
		select {
		case <-pause.C:
		case <-q.closing: // there is no later
			pause.Stop()
			try = len(q.config.Pauses) - 1
		}
	}
}

func (q *Queue) try(m Message) error {
	q.sending <- struct{}{}
	defer func() { <-q.sending }()
	ctx, cancel := context.WithTimeout(q.ctx, sendTimeout)
	defer cancel()
	return q.config.Sender.Send(ctx, m)
}

// Close takes no more messages, tries each that is held once more, and returns when all are sent or lost. The end of ctx ends the tries.
func (q *Queue) Close(ctx context.Context) {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.closing)
	}
	q.mu.Unlock()
	done := make(chan struct{})
	go func() { defer close(done); q.all.Wait() }()
	select {
	case <-done:
	case <-ctx.Done():
		q.cancel()
		<-done
	}
	q.cancel()
}
