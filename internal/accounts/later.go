package accounts

import (
	"sync"
	"time"

	"example.com/gatehouse/internal/problem"
)

// maxLater is how much may be put off at once. Each piece is a short transaction.
const maxLater = 256

// answerFirst is how long a piece waits for the answer to be written. Begun at once, it would take a core from the request that
// put it off, and the answer about an account that exists would come later than that about one that does not.
const answerFirst = 20 * time.Millisecond

// later does one thing after another, after the request that asked for it was answered: what a request takes must not tell whether
// an account exists, and to look and to write take different times. It is memory: a crash loses what it holds, which a 202
// allows. Whoever gets no mail asks again.
type later struct {
	mu     sync.Mutex
	closed bool
	work   chan piece
	done   chan struct{}
}

type piece struct {
	do    func()
	ready <-chan time.Time
}

func newLater() *later {
	l := &later{work: make(chan piece, maxLater), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		for p := range l.work {
			<-p.ready
			p.do()
		}
	}()
	return l
}

// do takes f and returns at once, with problem.Unavailable where too much is waiting.
func (l *later) do(f func()) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		select {
		case l.work <- piece{f, time.After(answerFirst)}:
			return nil
		default:
		}
	}
	full := problem.Unavailable.New("too many requests like this one are waiting: repeat later")
	full.RetryAfter = 10 * time.Second
	return full
}

// close does what is left.
func (l *later) close() {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.work)
	}
	l.mu.Unlock()
	<-l.done
}

// settle waits until everything is done that was put off before.
func (l *later) settle() {
	done := make(chan struct{})
	if l.do(func() { close(done) }) == nil {
		<-done
	}
}
