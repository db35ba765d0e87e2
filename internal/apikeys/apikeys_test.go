package apikeys_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/internal/apikeys"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

const owner = "0193583e-6f5c-7a53-8a3c-0d1f2e3a4b5c"

var ctx = context.Background()

// store is a service of keys on a real database, whose one user is the owner of all keys.
type store struct {
	*apikeys.Service
	db         *sqldb.DB
	exceptions *auth.Exceptions
	now        time.Time
	config     apikeys.Config
}

func open(t *testing.T, db *sqldb.DB) *store {
	t.Helper()
	s := &store{db: db, exceptions: &auth.Exceptions{}, now: time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)}
	s.config = apikeys.Config{
		DB: db, Exceptions: s.exceptions, Pepper: []byte(strings.Repeat("p", 32)), Environment: "dev",
		Roles: auth.Roles{"first": {"a"}, "second": {"b"}},
		Now:   func() time.Time { return s.now }, Random: rand.Reader,
	}
	s.execute(t, `INSERT INTO users (id, username, password_hash, roles, development, created_at, updated_at) VALUES ($1, 'ann', '', 'first second gone', $2, 0, 0)`, owner, false)
	s.restart(t)
	return s
}

// restart forgets everything that is not in the database.
func (s *store) restart(t *testing.T) {
	t.Helper()
	*s.exceptions = auth.Exceptions{}
	service, err := apikeys.New(ctx, s.config)
	if err != nil {
		t.Fatal(err)
	}
	s.Service = service
}

func (s *store) execute(t *testing.T, query string, args ...any) {
	t.Helper()
	if err := s.db.Write(ctx, func(tx *sql.Tx) error { _, err := tx.ExecContext(ctx, query, args...); return err }); err != nil {
		t.Fatal(err)
	}
}

func (s *store) create(t *testing.T, n apikeys.NewKey) (auth.APIKey, apikeys.Key) {
	t.Helper()
	n.OwnerID, n.Name = owner, "test"
	key, row, err := s.Create(ctx, n)
	if err != nil {
		t.Fatal(err)
	}
	return key, row
}

func TestAKeyProvesItsOwner(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		key, row := s.create(t, apikeys.NewKey{Scopes: auth.NewScopes("a", "c")})
		want := &auth.Principal{Subject: owner, KeyID: row.ID, Scopes: auth.Scopes{"a"}, IssuedAt: s.now}
		for range 3 {
			p, err := s.Authenticate(ctx, key)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, p); diff != "" {
				t.Errorf("a scope that the owner does not hold is not the key's (-want +got):\n%s", diff)
			}
		}
		if s.Reads() != 1 {
			t.Errorf("%d reads of the database for three calls, want 1", s.Reads())
		}
		var stored string
		if err := db.Reader().QueryRowContext(ctx, `SELECT id || name || secret_hmac || scopes FROM api_keys`).Scan(&stored); err != nil {
			t.Fatal(err)
		}
		if secret := strings.Split(key.Reveal(), "_")[3]; strings.Contains(stored, secret) {
			t.Error("the row holds the secret")
		}
	})
}

func TestAKeyIsRefused(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		for _, row := range []struct {
			name string
			end  func(*testing.T, *store, apikeys.Key)
			// reads is how often the database is asked after the end, by a service that knows the key and by a new one.
			known, fresh int64
		}{
			{"revoked", func(t *testing.T, s *store, k apikeys.Key) {
				if err := s.Revoke(ctx, k.ID); err != nil {
					t.Fatal(err)
				}
			}, 0, 1},
			{"revoked twice", func(t *testing.T, s *store, k apikeys.Key) {
				if err := errors.Join(s.Revoke(ctx, k.ID), s.Revoke(ctx, k.ID)); err != nil {
					t.Fatal(err)
				}
			}, 0, 1},
			{"expired", func(_ *testing.T, s *store, _ apikeys.Key) { s.now = s.now.Add(time.Hour) }, 1, 1},
			{"of a disabled owner, after the cache", func(t *testing.T, s *store, _ apikeys.Key) {
				s.execute(t, `UPDATE users SET disabled_at = 1`)
				s.now = s.now.Add(31 * time.Second)
			}, 1, 1},
			{"of a deleted owner, after the cache", func(t *testing.T, s *store, _ apikeys.Key) {
				s.execute(t, `UPDATE users SET deleted_at = 1`)
				s.now = s.now.Add(31 * time.Second)
			}, 1, 1},
			{"of an owner that has ended", func(_ *testing.T, s *store, _ apikeys.Key) { s.exceptions.EndSubject(owner) }, 0, 0},
			{"kept under another pepper", func(_ *testing.T, s *store, _ apikeys.Key) {
				s.execute(t, `UPDATE api_keys SET secret_hmac = 'x'`)
				s.now = s.now.Add(31 * time.Second)
			}, 1, 1},
			{"gone", func(_ *testing.T, s *store, _ apikeys.Key) {
				s.execute(t, `DELETE FROM api_keys`)
				s.now = s.now.Add(31 * time.Second)
			}, 1, 1},
		} {
			t.Run(row.name, func(t *testing.T) {
				reset(t, db)
				s := open(t, db)
				key, k := s.create(t, apikeys.NewKey{Scopes: auth.NewScopes("a"), ExpiresIn: time.Hour})
				if _, err := s.Authenticate(ctx, key); err != nil {
					t.Fatalf("the good key: %v", err)
				}
				row.end(t, s, k)
				before := s.Reads()
				if _, err := s.Authenticate(ctx, key); !errors.Is(err, auth.ErrInvalidCredential) {
					t.Errorf("on the next request: %v", err)
				}
				if n := s.Reads() - before; n != row.known {
					t.Errorf("%d reads, want %d", n, row.known)
				}
				if row.fresh == 0 {
					return // an exception that is only in memory ends with the process
				}
				s.restart(t)
				if _, err := s.Authenticate(ctx, key); !errors.Is(err, auth.ErrInvalidCredential) {
					t.Errorf("after a restart: %v", err)
				}
				if s.Reads() != row.fresh {
					t.Errorf("%d reads after a restart, want %d", s.Reads(), row.fresh)
				}
			})
		}
	})
}

func reset(t *testing.T, db *sqldb.DB) {
	t.Helper()
	if err := db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM api_keys`)
		if err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM users`)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestNoiseCostsNoRead(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	key, _ := s.create(t, apikeys.NewKey{})
	for _, text := range []string{"", "x", "gth_dev_", key.Reveal() + "0", key.Reveal()[:40], strings.Replace(key.Reveal(), "gth_dev", "gth_live", 1), strings.Repeat("x", 1<<20)} {
		if _, err := s.Authenticate(ctx, auth.APIKey{Secret: auth.Secret(text)}); !errors.Is(err, auth.ErrInvalidCredential) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	if s.Reads() != 0 {
		t.Errorf("%d reads of the database", s.Reads())
	}
}

func TestAKeyOfAnotherEnvironmentIsRefusedWithoutARead(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	key, _ := s.create(t, apikeys.NewKey{})
	s.config.Environment = "live"
	s.restart(t)
	if _, err := s.Authenticate(ctx, key); !errors.Is(err, auth.ErrInvalidCredential) || s.Reads() != 0 {
		t.Errorf("%v after %d reads", err, s.Reads())
	}
}

// TestWhyAKeyIsRefused is for those who count. The answer is the same for all.
func TestWhyAKeyIsRefused(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	good, k := s.create(t, apikeys.NewKey{ExpiresIn: time.Hour})
	gone, row := s.create(t, apikeys.NewKey{})
	s.execute(t, `DELETE FROM api_keys WHERE id = $1`, row.ID)
	for _, row := range []struct {
		name   string
		key    auth.APIKey
		change func()
		reason auth.Reason
	}{
		{"it has no form", auth.APIKey{Secret: "x"}, func() {}, auth.Malformed},
		{"it is not there", gone, func() {}, auth.Unknown},
		{"it is of another environment", good, func() { s.config.Environment = "live"; s.restart(t) }, auth.Misplaced},
		{"its time is over", good, func() { s.config.Environment = "dev"; s.restart(t); s.now = s.now.Add(2 * time.Hour) }, auth.Expired},
		{"it was revoked a moment ago", good, func() {
			s.now = s.now.Add(-2 * time.Hour)
			if _, err := s.Authenticate(ctx, good); err != nil {
				t.Fatal(err)
			}
			if err := s.Revoke(ctx, k.ID); err != nil {
				t.Fatal(err)
			}
		}, auth.Ended},
	} {
		row.change()
		if _, err := s.Authenticate(ctx, row.key); !errors.Is(err, auth.ErrInvalidCredential) || auth.ReasonOf(err) != row.reason {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

func TestTheMemoryOfAGoodKeyEnds(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	key, _ := s.create(t, apikeys.NewKey{Scopes: auth.NewScopes("a", "b"), ExpiresIn: time.Hour})
	call := func(after time.Duration, reads int64, scopes ...string) {
		t.Helper()
		s.now = s.now.Add(after)
		p, err := s.Authenticate(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		if s.Reads() != reads || !cmp.Equal(p.Scopes, auth.Scopes(scopes)) {
			t.Errorf("%d reads and scopes %v, want %d and %v", s.Reads(), p.Scopes, reads, scopes)
		}
	}
	call(0, 1, "a", "b")
	s.execute(t, `UPDATE users SET roles = 'second'`)
	call(29*time.Second, 1, "a", "b")
	call(time.Second, 2, "b")
	// A key that expires within the 30 seconds is remembered until then only.
	s.now = s.now.Add(time.Hour - 40*time.Second)
	call(0, 3, "b")
	s.now = s.now.Add(10 * time.Second)
	if _, err := s.Authenticate(ctx, key); !errors.Is(err, auth.ErrInvalidCredential) {
		t.Errorf("past its expiry: %v", err)
	}
}

func TestAnOutageIsNeitherYesNorNo(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	key, k := s.create(t, apikeys.NewKey{})
	known, _ := s.create(t, apikeys.NewKey{})
	if _, err := s.Authenticate(ctx, known); err != nil {
		t.Fatal(err)
	}
	other, err := sqldb.Open(ctx, t.TempDir()+"/closed.db")
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	s.config.DB = other
	down, err := apikeys.New(ctx, s.config)
	if !problem.Unavailable.Is(err) {
		t.Errorf("a start without a database: %v", err)
	}
	if _, err := down.Authenticate(ctx, key); !problem.Unavailable.Is(err) {
		t.Errorf("a key that nobody can look up: %v", err)
	}
	if err := down.Revoke(ctx, k.ID); !problem.Unavailable.Is(err) {
		t.Errorf("a revocation that nobody wrote: %v", err)
	}
	if _, err := s.Authenticate(ctx, key); err != nil {
		t.Errorf("a revocation that was not written was not taken back: %v", err)
	}
	if err := s.Revoke(ctx, "no-such-id"); !errors.Is(err, sqldb.ErrNotFound) {
		t.Errorf("revoking a key that is not there: %v", err)
	}
}

func TestRevocationsUnderLoad(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	key, k := s.create(t, apikeys.NewKey{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 50 {
				if _, err := s.Authenticate(ctx, key); err != nil && !errors.Is(err, auth.ErrInvalidCredential) {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			if err := s.Revoke(ctx, k.ID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if _, err := s.Authenticate(ctx, key); !errors.Is(err, auth.ErrInvalidCredential) {
		t.Errorf("revoked: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	db := sqldbtest.Open(t)
	for name, c := range map[string]apikeys.Config{
		"a short pepper":         {DB: db, Pepper: make([]byte, 31), Environment: "dev"},
		"no pepper":              {DB: db, Environment: "dev"},
		"an unknown environment": {DB: db, Pepper: make([]byte, 32), Environment: "test"},
	} {
		if _, err := apikeys.New(ctx, c); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
