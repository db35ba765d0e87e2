package accounts

import (
	"sync/atomic"
	"time"

	"example.com/gatehouse/internal/problem"
)

// What Config says nothing of.
const (
	// defaultWaitingHashes is about 2 s of work for one core, as long as a person waits.
	defaultWaitingHashes = 64
	defaultLogins        = 128
)

// logins bounds the requests that are about to prove a password. They wait for hashes, for another attempt with the same password and for
// the limits of their account, and each of them has one of the places that all requests of the server share.
type logins struct {
	most    int64
	inside  atomic.Int64
	refused atomic.Int64
}

// enter returns problem.Unavailable where too many are inside already. Without an error the caller calls leave.
func (l *logins) enter() error {
	if l.inside.Add(1) <= l.most {
		return nil
	}
	l.inside.Add(-1)
	l.refused.Add(1)
	busy := problem.Unavailable.New("too many logins at once: repeat later")
	busy.RetryAfter = time.Second
	return busy
}

func (l *logins) leave() { l.inside.Add(-1) }

// Load is what the service has to do now, for those who watch it.
type Load struct {
	// Logins are the requests that are about to prove a password. Running are the hashes that are computed, Waiting those that wait for them.
	Logins, Running, Waiting int64
	// Refused is how many logins and hashes were refused so far because there were too many at once.
	Refused int64
}

// Load returns what the service has to do now.
func (s *Service) Load() Load {
	running := s.hasher.running.Load()
	return Load{
		Logins: s.logins.inside.Load(), Running: running, Waiting: max(s.hasher.queued.Load()-running, 0),
		Refused: s.hasher.refused.Load() + s.logins.refused.Load(),
	}
}
