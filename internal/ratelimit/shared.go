package ratelimit

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// probeEvery is how often a Redis that did not answer is asked again.
	probeEvery = 500 * time.Millisecond
	// failuresToLose is how many questions in a row fail before Redis is taken for lost: one that comes late on a busy machine is answered by
	// the share of this process, and the next one may be in time.
	failuresToLose = 3
	// probesToTrust is how many answers in a row it then takes: a Redis that answers every other time would be asked by
	// requests every other time, and each of them would wait.
	probesToTrust = 3
	// guessDivisor makes limits on guesses smaller while replicas count alone: with the number of replicas given too low, an attacker
	// gains nothing.
	guessDivisor = 4
)

// Shared counts in Redis, and in this process while Redis does not answer: then each of the replicas has its share of every limit. No
// limit opens, and nobody is refused for it. Over the change the two counts are apart, so that at most twice the limit is
// allowed in one window.
type Shared struct {
	config SharedConfig
	// lost says that Redis does not answer. A request finds it out, and the probe finds out the contrary, so that no
	// request waits for a Redis that is known to be away.
	lost     atomic.Bool
	failures atomic.Int32
	losses   atomic.Int64

	mu     sync.Mutex
	closed bool
	stop   context.CancelFunc
	probes sync.WaitGroup
}

// SharedConfig is what a Shared needs. All fields are required.
type SharedConfig struct {
	Redis *Redis
	Local *Memory
	// Replicas is how many processes share the limits: at least 1.
	Replicas int
	Log      *slog.Logger
}

// NewShared returns a Shared that takes Redis to be there. The caller closes it.
func NewShared(c SharedConfig) *Shared { return &Shared{config: c} }

// Take asks for cost places of the key under the limit, all or none of them.
func (s *Shared) Take(now time.Time, l Limit, key string, cost int) Decision {
	if !s.lost.Load() {
		d, err := s.config.Redis.Take(l, key, cost)
		if s.answered(err) {
			return d
		}
	}
	return s.config.Local.Take(now, l.share(s.config.Replicas, cost), key, cost)
}

// GiveBack returns places that Take allowed.
func (s *Shared) GiveBack(now time.Time, l Limit, key string, cost int) {
	if !s.lost.Load() && s.answered(s.config.Redis.GiveBack(l, key, cost)) {
		return
	}
	s.config.Local.GiveBack(now, l.share(s.config.Replicas, cost), key, cost)
}

// Reset gives back all places of the key.
func (s *Shared) Reset(now time.Time, l Limit, key string) {
	s.config.Local.Reset(now, l, key)
	if !s.lost.Load() {
		s.answered(s.config.Redis.Reset(l, key))
	}
}

// answered reports whether a question to Redis was answered. Too many in a row that were not lose it.
func (s *Shared) answered(err error) bool {
	if err == nil {
		if s.failures.Load() != 0 {
			s.failures.Store(0)
		}
		return true
	}
	if s.failures.Add(1) >= failuresToLose {
		s.lose(err)
	}
	return false
}

// Degraded reports whether Redis does not answer, so that this process counts alone.
func (s *Shared) Degraded() bool { return s.lost.Load() }

// Losses returns how often Redis was lost.
func (s *Shared) Losses() int64 { return s.losses.Load() }

// Close ends the probe and the connections.
func (s *Shared) Close() error {
	s.mu.Lock()
	s.closed = true
	if s.stop != nil {
		s.stop()
	}
	s.mu.Unlock()
	s.probes.Wait()
	return s.config.Redis.Close()
}

// lose begins to count alone, and the probe.
func (s *Shared) lose(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.lost.Load() {
		return
	}
	s.lost.Store(true)
	s.losses.Add(1)
	s.config.Log.Warn("redis does not answer: limits are counted in this process, by its share", "replicas", s.config.Replicas, "error", err.Error())
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.probes.Go(func() {
		defer cancel()
		s.probe(ctx)
	})
}

// probe asks Redis until it answers again. It asks what requests ask: a Redis that answers and takes no writes is lost too.
func (s *Shared) probe(ctx context.Context) {
	ticker := time.NewTicker(probeEvery)
	defer ticker.Stop()
	for good := 0; good < probesToTrust; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		good++
		if _, err := s.config.Redis.Take(Limit{Name: "probe", Quota: MaxRate, Window: time.Second}, "", 1); err != nil {
			good = 0
		}
	}
	s.failures.Store(0)
	s.lost.Store(false)
	s.config.Log.Info("redis answers again: limits are counted there")
}

// share is what one of the replicas may allow by itself. It admits at least one request of the cost: nobody is refused
// because Redis is away.
func (l Limit) share(replicas, cost int) Limit {
	parts := max(replicas, 1)
	if l.Guess {
		parts *= guessDivisor
	}
	if l.Quota <= 0 || l.Burst < 0 {
		return l // closed, and stays so
	}
	burst := l.Burst
	if burst == 0 {
		burst = l.Quota
	}
	// The rate is divided by a longer window, so that no rounding makes it larger or nothing.
	whole := l.Window
	l.Window = min(l.Window, maxWindow/time.Duration(parts)) * time.Duration(parts)
	if l.MaxWait > 0 {
		l.Window = max(whole, min(l.Window, l.MaxWait*time.Duration(l.Quota)))
	}
	l.Burst = max(burst/parts, cost)
	return l
}

// maxWindow is what the window of a share cannot exceed: 100 years.
const maxWindow = 100 * 365 * 24 * time.Hour
