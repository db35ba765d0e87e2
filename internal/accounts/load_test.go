package accounts

import (
	"errors"
	"testing"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

// TestLoginsAtOnce: with as many logins as there may be, another is refused before a hash and without a count against its account, but for
// one that is remembered, which needs no hash.
func TestLoginsAtOnce(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		s.logins.most = 2
		known := auth.Basic{Username: "ann", Password: password}
		if _, err := s.Authenticate(ctx, known); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.logins.enter(); err != nil {
				t.Fatal(err)
			}
		}
		hashes := s.Hashes()
		for range 30 { // more than there are places for failures
			_, err := s.Authenticate(ctx, auth.Basic{Username: "ann", Password: "wrong"})
			if e := problem.From(err); e.Kind != problem.Unavailable || e.RetryAfter != time.Second {
				t.Fatalf("%v", err)
			}
		}
		if _, err := s.Authenticate(ctx, known); err != nil {
			t.Errorf("one that is remembered: %v", err)
		}
		if load := s.Load(); s.Hashes() != hashes || load != (Load{Logins: 2, Refused: 30}) {
			t.Errorf("%d hashes, %+v", s.Hashes()-hashes, load)
		}
		s.logins.leave()
		if _, err := s.Authenticate(ctx, auth.Basic{Username: "ann", Password: "wrong"}); !errors.Is(err, auth.ErrInvalidCredential) {
			t.Errorf("with room: %v", err)
		}
		if load := s.Load(); load.Logins != 1 {
			t.Errorf("%+v", load)
		}
	})
}

// TestLoadOfHashes: those that run and those that wait are told apart, and each says how long it has waited.
func TestLoadOfHashes(t *testing.T) {
	var waits []time.Duration
	now := time.Unix(0, 0)
	h := newHasher(Config{Now: func() time.Time { return now }, WaitingHashes: 2, HashWaited: func(d time.Duration) { waits = append(waits, d) }}, 1)
	s := &Service{hasher: h}
	err := h.do(ctx, 64, func() {
		now = now.Add(3 * time.Second)
		h.queued.Add(1) // another waits
		defer h.queued.Add(-1)
		if load := s.Load(); load != (Load{Running: 1, Waiting: 1}) {
			t.Errorf("%+v", load)
		}
		if err := h.do(ctx, 64, func() { t.Error("a hash beyond the queue ran") }); !problem.Unavailable.Is(err) {
			t.Errorf("beyond the queue: %v", err)
		}
	})
	if load := s.Load(); err != nil || load != (Load{Refused: 1}) || len(waits) != 1 || waits[0] != 0 {
		t.Errorf("%v, %+v, waited %v", err, load, waits)
	}
}
