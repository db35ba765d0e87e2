package accounts

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
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/ratelimit"
	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

const password = "correct horse battery staple"

// service is a Service on a real database, with one user and a clock that stands until it is moved.
type service struct {
	*Service
	mu  sync.Mutex
	now time.Time
	ann User

	outbox outbox
}

func (s *service) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func open(t *testing.T, db *sqldb.DB) *service {
	t.Helper()
	s := &service{now: time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)}
	clock := func() time.Time {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.now
	}
	var err error
	s.Service, err = New(ctx, Config{DB: db, Exceptions: &auth.Exceptions{}, Limiter: ratelimit.NewMemory(1000), Limits: testLimits(), Roles: auth.Roles{"member": {"b", "a"}, "chief": {"a", "c"}},
		Registration: true, Mailer: &s.outbox, Page: "https://app.example.com/account", Now: clock, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if s.ann, err = s.Create(ctx, NewUser{Username: "ann", Password: password, Roles: []string{"member"}}); err != nil {
		t.Fatal(err)
	}
	return s
}

// restart is the same database in a new process.
func (s *service) restart(t *testing.T) {
	t.Helper()
	c := s.config
	c.Exceptions, c.Limiter, c.Limits = &auth.Exceptions{}, ratelimit.NewMemory(1000), testLimits()
	var err error
	if s.Service, err = New(ctx, c); err != nil {
		t.Fatal(err)
	}
}

func from(address string) context.Context {
	return auth.WithAddress(ctx, netip.MustParseAddr(address))
}

func (s *service) login(name, pass string) (*auth.Principal, error) {
	return s.Authenticate(from("192.0.2.1"), auth.Basic{Username: name, Password: auth.Secret(pass)})
}

// refused fails unless the credential is refused, with as many hashes as are expected.
func (s *service) refused(t *testing.T, what, name, pass string, hashes int64) {
	t.Helper()
	before := s.Hashes()
	if _, err := s.login(name, pass); !errors.Is(err, auth.ErrInvalidCredential) {
		t.Errorf("%s: %v", what, err)
	}
	if n := s.Hashes() - before; n != hashes {
		t.Errorf("%s: %d hashes, want %d", what, n, hashes)
	}
}

func TestAUserLogsIn(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		p, err := s.login("ann", password)
		if err != nil {
			t.Fatal(err)
		}
		want := &auth.Principal{Subject: s.ann.ID, Scopes: auth.Scopes{"a", "b"}, IssuedAt: s.ann.CreatedAt}
		if diff := cmp.Diff(want, p); diff != "" {
			t.Error(diff)
		}
		found, err := s.Find(ctx, s.ann.ID)
		if diff := cmp.Diff(s.ann, found); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
		// All of these do the work of one hash, so that none can be told from another.
		s.refused(t, "a wrong password", "ann", "wrong", 1)
		s.refused(t, "an unknown user", "nobody", password, 1)
		s.refused(t, "another case of the name", "Ann", password, 1)
		s.refused(t, "a name with SQL", "ann' OR '1'='1", password, 1)
		s.refused(t, "no name", "", password, 1)
		s.refused(t, "no password", "ann", "", 1)
		// And these none, whoever is asked for.
		s.refused(t, "a megabyte of password", "ann", strings.Repeat("x", 1<<20), 0)
		s.refused(t, "a megabyte of name", strings.Repeat("x", 1<<20), password, 0)
	})
}

func TestCreateRefuses(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	for _, row := range []struct{ name, username, password string }{
		{"no name", "", password},
		{"a long name", strings.Repeat("x", 257), password},
		{"a colon, which HTTP Basic cannot send", "a:b", password},
		{"a line end", "a\nb", password},
		{"a NUL", "a\x00b", password},
		{"no UTF-8", "a\xff", password},
		{"a short password", "bob", "1234567"},
		{"a long password", "bob", strings.Repeat("x", 1025)},
	} {
		before := s.Hashes()
		if _, err := s.Create(ctx, NewUser{Username: row.username, Password: auth.Secret(row.password)}); !problem.ValidationFailed.Is(err) || s.Hashes() != before {
			t.Errorf("%s: %v, %d hashes", row.name, err, s.Hashes()-before)
		}
	}
	if _, err := s.Create(ctx, NewUser{Username: "ann", Password: password}); !errors.Is(err, sqldb.ErrConflict) {
		t.Errorf("a name that is taken: %v", err)
	}
	if _, err := s.Find(ctx, "no-such-id"); !errors.Is(err, sqldb.ErrNotFound) {
		t.Errorf("an id that is not there: %v", err)
	}
}

func TestARecentLoginNeedsNoHash(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	expect := func(after time.Duration, hashes int64) {
		t.Helper()
		s.pass(after)
		before := s.Hashes()
		if _, err := s.login("ann", password); err != nil || s.Hashes()-before != hashes {
			t.Errorf("%v, %d hashes, want %d", err, s.Hashes()-before, hashes)
		}
	}
	expect(0, 1)
	expect(0, 0)
	expect(29*time.Second, 0)
	expect(time.Second, 1)
	s.refused(t, "a wrong password beside it", "ann", password+"x", 1)
	s.refused(t, "its text split elsewhere", "an", "n"+password, 1)
	expect(0, 0)
}

func TestWhatEndsALogin(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		for i, row := range []struct {
			name   string
			change func(s *service, id string) error
			// hashes of the next attempt with the old password
			hashes int64
		}{
			{"disabling", func(s *service, id string) error { return s.SetDisabled(ctx, id, true) }, 1},
			{"deletion", func(s *service, id string) error { return s.Delete(ctx, id) }, 1},
			{"a new password", func(s *service, id string) error {
				s.pass(time.Microsecond)
				return s.SetPassword(ctx, id, "another password")
			}, 1},
		} {
			t.Run(row.name, func(t *testing.T) {
				if i > 0 {
					if err := db.Write(ctx, func(tx *sql.Tx) error { _, err := tx.ExecContext(ctx, `DELETE FROM users`); return err }); err != nil {
						t.Fatal(err)
					}
				}
				s := open(t, db)
				p, err := s.login("ann", password)
				if err != nil {
					t.Fatal(err)
				}
				if err := row.change(s, s.ann.ID); err != nil {
					t.Fatal(err)
				}
				if s.config.Exceptions.Allow(p) {
					t.Error("what was proven before is still good")
				}
				s.refused(t, "at once", "ann", password, row.hashes)
				s.restart(t)
				if s.config.Exceptions.Allow(p) {
					t.Error("what was proven before is good again after a restart")
				}
				s.refused(t, "after a restart", "ann", password, 1)
			})
		}
	})
}

func TestAnAccountComesBack(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	if err := errors.Join(s.SetDisabled(ctx, s.ann.ID, true), s.SetDisabled(ctx, s.ann.ID, true), s.SetDisabled(ctx, s.ann.ID, false)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.login("ann", password); err != nil {
		t.Errorf("after it was enabled: %v", err)
	}
	s.pass(time.Second)
	if err := s.SetPassword(ctx, s.ann.ID, password); err != nil {
		t.Fatal(err)
	}
	if _, err := s.login("ann", password); err != nil {
		t.Errorf("with the same password, set again: %v", err)
	}
	if err := s.Delete(ctx, s.ann.ID); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"find": func() error { _, err := s.Find(ctx, s.ann.ID); return err }(), "enable": s.SetDisabled(ctx, s.ann.ID, false),
		"delete": s.Delete(ctx, s.ann.ID), "set a password": s.SetPassword(ctx, s.ann.ID, password),
	} {
		if !errors.Is(err, sqldb.ErrNotFound) {
			t.Errorf("%s a deleted account: %v", name, err)
		}
	}
	again, err := s.Create(ctx, NewUser{Username: "ann", Password: password})
	if err != nil || again.ID == s.ann.ID {
		t.Errorf("the name is not free, or the id is the same: %v", err)
	}
	if _, err := s.login("ann", password); err != nil {
		t.Errorf("the new account: %v", err)
	}
}

func TestAChangeThatIsNotWrittenIsTakenBack(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	p, err := s.login("ann", password)
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	for name, err := range map[string]error{
		"disable": s.SetDisabled(ended, s.ann.ID, true), "delete": s.Delete(ended, s.ann.ID),
	} {
		if err == nil {
			t.Errorf("%s: written with a cancelled context", name)
		}
	}
	if !s.config.Exceptions.Allow(p) {
		t.Error("the exception stays although the row did not change")
	}
	if err := s.SetDisabled(ctx, s.ann.ID, true); err != nil {
		t.Fatal(err)
	}
	if s.Delete(ended, s.ann.ID) == nil || s.config.Exceptions.Allow(p) {
		t.Error("a failed deletion enabled a disabled account")
	}
}

func TestAHashOfALowerCostIsReplaced(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		old := s.store(t, storedHash(password, cheap))
		s.refused(t, "a wrong password", "ann", "wrong", 1)
		if s.store(t, "") != old {
			t.Error("a wrong password changed the hash")
		}
		if _, err := s.login("ann", password); err != nil {
			t.Fatal(err)
		}
		if hash := s.store(t, ""); !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
			t.Errorf("the hash is still %s", hash)
		}
		s.restart(t)
		if _, err := s.login("ann", password); err != nil {
			t.Errorf("with the new hash: %v", err)
		}
		s.config.Passwords.Cost = Costs()[1]
		s.restart(t)
		if _, err := s.login("ann", password); err != nil {
			t.Fatal(err)
		}
		if hash := s.store(t, ""); !strings.HasPrefix(hash, "$argon2id$v=19$m=47104,t=1,p=1$") {
			t.Errorf("after another cost was chosen the hash is still %s", hash)
		}
		s.store(t, "$argon2id$v=19$m=4194304,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg")
		s.restart(t)
		s.refused(t, "a row that asks for 4 GiB", "ann", password, 1)
	})
}

func TestTheEleventhWrongPasswordIsNotHashed(t *testing.T) {
	for _, name := range []string{"ann", "nobody"} {
		t.Run(name, func(t *testing.T) {
			s := open(t, sqldbtest.Open(t))
			for i := range 10 {
				s.refused(t, fmt.Sprint("attempt ", i), name, fmt.Sprint("wrong", i), 1)
			}
			over := func(pass string) {
				t.Helper()
				before := s.Hashes()
				_, err := s.login(name, pass)
				if !problem.QuotaExceeded.Is(err) || s.Hashes() != before {
					t.Fatalf("%v, %d hashes", err, s.Hashes()-before)
				}
				e := problem.From(err)
				if e.RetryAfter <= 0 || len(e.Limits) != 1 || e.Limits[0].Name != "login" || e.Limits[0].Quota != 10 || e.Limits[0].Window != time.Minute || e.Limits[0].Remaining != 0 {
					t.Errorf("%+v", e)
				}
			}
			over("wrong10")
			over(password) // the answer does not tell whether it was right
			if name == "ann" {
				if _, err := s.Authenticate(from("192.0.2.2"), auth.Basic{Username: name, Password: password}); err != nil {
					t.Errorf("the owner from another address: %v", err)
				}
				if _, err := s.Authenticate(from("2001:db8::1"), auth.Basic{Username: name, Password: password + "x"}); !errors.Is(err, auth.ErrInvalidCredential) {
					t.Errorf("another address: %v", err)
				}
			}
			s.pass(time.Minute)
			s.refused(t, "a minute later", name, "wrong", 1)
		})
	}
}

func TestGoodLoginsSpendNothing(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	for range 20 {
		if _, err := s.login("ann", password); err != nil {
			t.Fatal(err)
		}
		s.pass(31 * time.Second) // past the memory of recent logins
	}
	s.pass(time.Hour)
	for i := range 9 {
		s.refused(t, fmt.Sprint("attempt ", i), "ann", fmt.Sprint("wrong", i), 1)
	}
	if _, err := s.login("ann", password); err != nil {
		t.Errorf("the right password after nine wrong ones: %v", err)
	}
}

func TestParallelLogins(t *testing.T) {
	parallel := func(n int, f func(i int) error) (failed []error) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				if err := f(i); err != nil {
					mu.Lock()
					defer mu.Unlock()
					failed = append(failed, err)
				}
			})
		}
		wg.Wait()
		return failed
	}
	t.Run("a hundred wrong passwords run ten hashes at the most", func(t *testing.T) {
		s := open(t, sqldbtest.Open(t))
		before := s.Hashes()
		failed := parallel(100, func(i int) error { _, err := s.login("ann", fmt.Sprint("wrong", i)); return err })
		if len(failed) != 100 || s.Hashes()-before > 10 {
			t.Errorf("%d failed, %d hashes", len(failed), s.Hashes()-before)
		}
		if _, err := s.Authenticate(from("192.0.2.2"), auth.Basic{Username: "ann", Password: password}); err != nil {
			t.Errorf("the owner from another address: %v", err)
		}
	})
	t.Run("a hundred right ones all pass", func(t *testing.T) {
		s := open(t, sqldbtest.Open(t))
		if failed := parallel(100, func(int) error { _, err := s.login("ann", password); return err }); len(failed) > 0 {
			t.Errorf("%d of 100 failed: %v", len(failed), failed[0])
		}
	})
}

func TestAnOutageIsNeitherYesNorNo(t *testing.T) {
	db, err := sqldb.Open(ctx, t.TempDir()+"/test.db")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range 20 { // more than the failures that are allowed: an outage is none
		if _, err := s.login("ann", fmt.Sprint(password, i)); !problem.Unavailable.Is(err) {
			t.Fatalf("attempt %d: %v", i, err)
		}
	}
}

func TestTheMemoryHoldsNoPassword(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	if _, err := s.login("ann", password); err != nil {
		t.Fatal(err)
	}
	entries := 0
	for key, login := range s.recent.cache.All() {
		entries++
		if text := fmt.Sprintf("%s %+v %+v", key, login, login.principal); strings.Contains(text, password) || strings.Contains(text, "ann") {
			t.Errorf("an entry holds the credential: %s", text)
		}
	}
	if entries != 1 {
		t.Errorf("%d entries, want 1: the test would test nothing", entries)
	}
}
