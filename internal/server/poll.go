package server

import (
	"context"
	"errors"
	"time"
)

// What ended in another process reaches this one through the database: each part reads the rows that changed lately, and mirrors
// them. Nothing is sent between processes, so that there is nothing to lose on the way.
const (
	// pollEvery is how long an ended session, a revoked token or a disabled account can go on in another process, at most, beside the
	// query itself: well below the 5 s that security.md 34 and 59 give.
	pollEvery = 2 * time.Second
	// pollOverlap is how far back each poll looks: a row is written with the time of its request and is seen when its transaction
	// commits, which an operation's timeout bounds. The clocks of two machines may be apart too.
	pollOverlap = time.Minute
	// pollTimeout bounds one poll: a database that hangs must not end polling.
	pollTimeout = 10 * time.Second
)

// mirror is a part of the service that keeps rows of the database in memory.
type mirror interface {
	// Refresh reads what has changed since then.
	Refresh(ctx context.Context, since time.Time) error
}

// poll refreshes the mirrors until the context ends. A database that fails leaves what is known in force, and is logged when it
// begins and when it ends.
func (s *Server) poll(ctx context.Context) {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	failing, shed := false, turnedAway{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := s.refresh(ctx)
		switch {
		case err != nil && !failing && ctx.Err() == nil:
			s.config.Log.Error("what ended in other processes cannot be read", "error", err.Error())
		case err == nil && failing:
			s.config.Log.Info("what ended in other processes is read again")
		}
		failing = err != nil
		shed = s.reportShed(shed)
	}
}

// turnedAway is how many requests and connections were turned away so far.
type turnedAway struct{ requests, connections uint64 }

// reportShed logs how many were turned away since the last time: one line for each would cost more than they do.
func (s *Server) reportShed(before turnedAway) (now turnedAway) {
	_, _, now.requests = s.gate.state()
	_, shed := s.connections.state()
	now.connections = shed.all + shed.client
	if now != before {
		s.config.Log.Warn("clients are turned away: too many at once", "requests", now.requests-before.requests, "connections", now.connections-before.connections)
	}
	return now
}

func (s *Server) refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	since := s.config.Now().Add(-pollOverlap)
	var failed error
	for _, m := range s.mirrors { // each, whatever becomes of the others
		failed = errors.Join(failed, m.Refresh(ctx, since))
	}
	if failed == nil {
		s.refreshed.Store(since.Add(pollOverlap).UnixNano())
	}
	return failed
}
