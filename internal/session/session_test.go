package session

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

var begin = time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)

const (
	alice  = "01935840-1c2b-4d3e-9f40-000000000001"
	bob    = "01935840-1c2b-4d3e-9f40-000000000002"
	client = "app"
)

// clock is moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// stores returns the stores of two processes on one database, with two users.
func stores(t *testing.T, db *sqldb.DB) (*Store, *Store, *clock) {
	t.Helper()
	for _, id := range []string{alice, bob} {
		write(t, db, `INSERT INTO users (id, username, password_hash, roles, development, created_at, updated_at) VALUES ($1, $1, '', '', FALSE, 0, 0)`, id)
	}
	c := &clock{now: begin}
	made := func() *Store {
		return &Store{DB: db, Exceptions: new(auth.Exceptions), AccessTokenLifetime: 10 * time.Minute, Now: c.Now, Random: rand.Reader}
	}
	return made(), made(), c
}

func write(t *testing.T, db *sqldb.DB, query string, args ...any) {
	t.Helper()
	if err := db.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.ExecContext(t.Context(), query, args...); return err }); err != nil {
		t.Fatal(err)
	}
}

func start(t *testing.T, s *Store, user string) Session {
	t.Helper()
	var v Session
	err := s.DB.Write(t.Context(), func(tx *sql.Tx) (err error) {
		ctx := auth.WithAddress(t.Context(), netip.MustParseAddr("::ffff:192.0.2.1"))
		v, err = s.Start(ctx, tx, New{UserID: user, ClientID: client, Scopes: auth.NewScopes("b", "a"), IssuedAt: time.UnixMicro(0)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func allowed(s *Store, v Session) bool {
	return s.Exceptions.Allow(&auth.Principal{Subject: v.UserID, SessionID: v.ID, IssuedAt: begin})
}

func TestASessionIsKeptAsItBegan(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, other, _ := stores(t, db)
		began := start(t, s, alice)
		found, err := other.Find(t.Context(), began.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(began, found); diff != "" {
			t.Errorf("-began +found:\n%s", diff)
		}
		want := Session{ID: began.ID, UserID: alice, ClientID: client, Scopes: auth.Scopes{"a", "b"}, Generation: 1, Address: "192.0.2.1",
			CreatedAt: begin, RotatedAt: begin, IdleAt: begin.Add(14 * 24 * time.Hour), ExpiresAt: begin.Add(90 * 24 * time.Hour)}
		if diff := cmp.Diff(want, found); diff != "" {
			t.Errorf("-want +found:\n%s", diff)
		}
	})
}

// TestASessionBeginsOnlyWhileTheAccountIsAsItWasProven.
func TestASessionBeginsOnlyWhileTheAccountIsAsItWasProven(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, _, _ := stores(t, db)
		for _, row := range []struct {
			name, change string
			issued       time.Time
			begins       bool
		}{
			{"as it was made", ``, time.UnixMicro(0), true},
			{"proven at no time", ``, time.Time{}, false},
			{"proven later than it was made, by a clock", ``, begin, false},
			{"changed since", `UPDATE users SET not_before = 2000000`, time.UnixMicro(0), false},
			{"proven after the change", ``, time.UnixMicro(2000000), true},
			{"changed again, by a clock that is behind", `UPDATE users SET not_before = 1000000`, time.UnixMicro(2000000), false},
			{"disabled", `UPDATE users SET disabled_at = 1`, time.UnixMicro(1000000), false},
			{"enabled again", `UPDATE users SET disabled_at = NULL`, time.UnixMicro(1000000), true},
			{"deleted", `UPDATE users SET deleted_at = 1`, time.UnixMicro(1000000), false},
		} {
			if row.change != "" {
				write(t, db, row.change)
			}
			err := db.Write(t.Context(), func(tx *sql.Tx) error {
				_, err := s.Start(t.Context(), tx, New{UserID: alice, ClientID: client, IssuedAt: row.issued})
				return err
			})
			if row.begins && err != nil || !row.begins && !errors.Is(err, ErrChanged) {
				t.Errorf("%s: %v", row.name, err)
			}
		}
		err := db.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := s.Start(t.Context(), tx, New{UserID: "nobody", ClientID: client, IssuedAt: time.UnixMicro(0)})
			return err
		})
		if !errors.Is(err, ErrChanged) {
			t.Errorf("of nobody: %v", err)
		}
	})
}

// TestAChangeEndsASessionThatBeginsBesideIt: it waits for the session to be written, and ends it.
func TestAChangeEndsASessionThatBeginsBesideIt(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, _, _ := stores(t, db)
		changed := make(chan error, 1)
		err := db.Write(t.Context(), func(tx *sql.Tx) error {
			if _, err := s.Start(t.Context(), tx, New{UserID: alice, ClientID: client, IssuedAt: time.UnixMicro(0)}); err != nil {
				return err
			}
			go func() {
				changed <- db.Write(t.Context(), func(tx *sql.Tx) error {
					if _, err := tx.ExecContext(t.Context(), `UPDATE users SET not_before = 1 WHERE id = $1`, alice); err != nil {
						return err
					}
					return s.EndAll(t.Context(), tx, alice, "")
				})
			}()
			// On PostgreSQL the change runs beside this transaction: it has to stand at a lock before this one ends. On SQLite there
			// is no such table, and one transaction at a time.
			for waiting := 0; waiting == 0 && len(changed) == 0; {
				if err := db.Reader().QueryRowContext(t.Context(), `
					SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting); err != nil {
					break
				}
			}
			return nil
		})
		if err := errors.Join(err, <-changed); err != nil {
			t.Fatal(err)
		}
		if list, err := s.List(t.Context(), alice); err != nil || len(list) != 0 {
			t.Errorf("the session goes on: %v, %v", list, err)
		}
	})
}

func TestWhatAClientCallsItselfIsCut(t *testing.T) {
	for name, row := range map[string]struct{ sent, kept string }{
		"short":                         {"curl/8", "curl/8"},
		"256 bytes":                     {strings.Repeat("a", 256), strings.Repeat("a", 256)},
		"257 bytes":                     {strings.Repeat("a", 257), strings.Repeat("a", 256)},
		"a character across the border": {strings.Repeat("a", 255) + "é", strings.Repeat("a", 255)},
		"what is not UTF-8 is replaced": {"a\xffb", "a\ufffdb"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := cut(row.sent, maxUserAgent); got != row.kept {
				t.Errorf("got %q, want %q", got, row.kept)
			}
		})
	}
}

// TestRotation: each row uses refresh tokens one after another, at times after the beginning. The answer is the generation that is in
// force then, "ended", or "reused".
func TestRotation(t *testing.T) {
	type use struct {
		after      time.Duration
		generation int64
		client     string
		want       string
	}
	day := 24 * time.Hour
	rows := []struct {
		name string
		uses []use
		live bool
	}{
		{"each use begins the next generation", []use{{0, 1, client, "2"}, {time.Minute, 2, client, "3"}}, true},
		{"a lost reply is given again within the grace", []use{{0, 1, client, "2"}, {10 * time.Second, 1, client, "2"}, {11 * time.Second, 2, client, "3"}}, true},
		{"one use after the grace is reuse and ends the session", []use{{0, 1, client, "2"}, {10*time.Second + time.Microsecond, 1, client, "reused"}, {11 * time.Second, 2, client, "ended"}}, false},
		{"the predecessor of a predecessor is dead within the grace, and ends nothing", []use{{0, 1, client, "2"}, {time.Second, 2, client, "3"}, {2 * time.Second, 1, client, "ended"}, {3 * time.Second, 3, client, "4"}}, true},
		{"an old one after the grace ends the session", []use{{0, 1, client, "2"}, {time.Second, 2, client, "3"}, {time.Minute, 1, client, "reused"}}, false},
		{"a generation that is still to come is none", []use{{0, 2, client, "ended"}, {0, 1, client, "2"}}, true},
		{"a token of another client is none, and ends nothing", []use{{0, 1, "other", "ended"}, {time.Hour, 1, client, "2"}}, true},
		{"a used token of another client ends nothing", []use{{0, 1, client, "2"}, {time.Hour, 1, "other", "ended"}, {time.Hour, 2, client, "3"}}, true},
		{"use prolongs the idle time", []use{{14*day - time.Second, 1, client, "2"}, {28*day - 2*time.Second, 2, client, "3"}}, true},
		{"a session that was idle for 14 days has ended", []use{{14 * day, 1, client, "ended"}}, false},
		{"use does not prolong the 90 days", []use{{13 * day, 1, client, "2"}, {26 * day, 2, client, "3"}, {39 * day, 3, client, "4"}, {52 * day, 4, client, "5"},
			{65 * day, 5, client, "6"}, {78 * day, 6, client, "7"}, {90*day - time.Second, 7, client, "8"}, {90 * day, 8, client, "ended"}}, false},
	}
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, other, c := stores(t, db)
		for _, row := range rows {
			t.Run(row.name, func(t *testing.T) {
				from := c.Now()
				v := start(t, s, alice)
				for i, u := range row.uses {
					c.add(from.Add(u.after).Sub(c.Now()))
					got, err := []*Store{s, other}[i%2].Rotate(t.Context(), v.ID, u.client, u.generation)
					answer := fmt.Sprint(got.Generation)
					switch {
					case errors.Is(err, ErrReused):
						answer = "reused"
					case errors.Is(err, sqldb.ErrNotFound):
						answer = "ended"
					case err != nil:
						t.Fatal(err)
					}
					if answer != u.want {
						t.Fatalf("use %d of generation %d after %v: got %s, want %s", i+1, u.generation, u.after, answer, u.want)
					}
				}
				_, err := s.Find(t.Context(), v.ID)
				if live := err == nil; live != row.live {
					t.Errorf("the session is in force: %t (%v), want %t", live, err, row.live)
				}
			})
		}
	})
}

func TestParallelUsesOfOneTokenBeginOneGeneration(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, other, _ := stores(t, db)
		v := start(t, s, alice)
		var all sync.WaitGroup
		generations, errs := make([]int64, 100), make([]error, 100)
		for i := range generations {
			all.Go(func() {
				got, err := []*Store{s, other}[i%2].Rotate(context.Background(), v.ID, client, 1)
				generations[i], errs[i] = got.Generation, err
			})
		}
		all.Wait()
		for i := range generations {
			if errs[i] != nil || generations[i] != 2 {
				t.Errorf("use %d: generation %d, %v", i, generations[i], errs[i])
			}
		}
		if found, err := s.Find(t.Context(), v.ID); err != nil || found.Generation != 2 {
			t.Errorf("in force: %+v, %v", found, err)
		}
	})
}

func TestEnding(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, other, c := stores(t, db)
		one, two, three, foreign := start(t, s, alice), start(t, s, alice), start(t, s, alice), start(t, s, bob)
		if err := s.End(t.Context(), foreign.ID, alice); !errors.Is(err, sqldb.ErrNotFound) {
			t.Errorf("a session of another user: %v", err)
		}
		if err := s.End(t.Context(), one.ID, alice); err != nil {
			t.Fatal(err)
		}
		if err := s.End(t.Context(), one.ID, alice); !errors.Is(err, sqldb.ErrNotFound) {
			t.Errorf("a session that has ended: %v", err)
		}
		if allowed(s, one) || !allowed(s, two) || !allowed(other, one) {
			t.Error("the access tokens of the one session end, in the process that ended it")
		}
		c.add(3 * time.Second)
		refresh(t, other, c)
		if allowed(other, one) || !allowed(other, two) {
			t.Error("the other process hears of it when it looks")
		}
		err := s.DB.Write(t.Context(), func(tx *sql.Tx) error { return s.EndAll(t.Context(), tx, alice, two.ID) })
		if err != nil {
			t.Fatal(err)
		}
		list, err := s.List(t.Context(), alice)
		if err != nil || len(list) != 1 || list[0].ID != two.ID {
			t.Errorf("left: %+v, %v", list, err)
		}
		refresh(t, other, c)
		for _, st := range []*Store{s, other} {
			if allowed(st, three) || !allowed(st, two) || !allowed(st, foreign) {
				t.Error("all but one of the user end, and none of another")
			}
		}
		c.add(11 * time.Minute)
		refresh(t, other, c)
		if !allowed(other, three) {
			t.Error("what no access token can name any more is forgotten")
		}
	})
}

func TestATokenIsRevokedInEveryProcess(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, other, c := stores(t, db)
		p := &auth.Principal{Subject: alice, TokenID: "jti-1", IssuedAt: begin}
		for range 2 { // to revoke twice is no error
			if err := s.RevokeToken(t.Context(), "jti-1", begin.Add(10*time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		if s.Exceptions.Allow(p) || !other.Exceptions.Allow(p) {
			t.Error("it is refused at once where it was revoked")
		}
		refresh(t, other, c)
		if other.Exceptions.Allow(p) || !other.Exceptions.Allow(&auth.Principal{Subject: alice, TokenID: "jti-2"}) {
			t.Error("it, and no other, is refused where its row was read")
		}
	})
}

func TestADatabaseThatFailsIsNoEndedSession(t *testing.T) {
	db := sqldbtest.Open(t)
	s, _, _ := stores(t, db)
	v := start(t, s, alice)
	write(t, db, `DROP TABLE sessions`)
	for name, f := range map[string]func() error{
		"Find":    func() error { _, err := s.Find(t.Context(), v.ID); return err },
		"List":    func() error { _, err := s.List(t.Context(), alice); return err },
		"Rotate":  func() error { _, err := s.Rotate(t.Context(), v.ID, client, 1); return err },
		"End":     func() error { return s.End(t.Context(), v.ID, alice) },
		"Refresh": func() error { return s.Refresh(t.Context(), begin) },
	} {
		if err := f(); err == nil || errors.Is(err, sqldb.ErrNotFound) || errors.Is(err, ErrReused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !allowed(s, v) {
		t.Error("an access token of the session is refused")
	}
}

func refresh(t *testing.T, s *Store, c *clock) {
	t.Helper()
	if err := s.Refresh(t.Context(), c.Now().Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
}
