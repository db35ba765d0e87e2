package oauth

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

func (p *process) revoke(t *testing.T, kid string) {
	t.Helper()
	k, err := p.Revoke(context.Background(), kid)
	if err != nil || k.KeyID != kid || k.State != KeyRevoked {
		t.Fatalf("%+v, %v", k, err)
	}
}

// TestARevokedKeyIsRefusedByTheOtherProcess has a token in the memory of verified tokens of both processes.
func TestARevokedKeyIsRefusedByTheOtherProcess(t *testing.T) {
	eachTwice(t, func(t *testing.T, one, other *sqldb.DB) {
		here, there := newProcess(t, one), newProcess(t, other)
		first := here.signs(t)
		token := here.sign(t)
		for _, p := range []*process{here, there} {
			if _, err := verify(p.verifier, token); err != nil || !remembers(p.verifier, token) {
				t.Fatalf("the token is not good and remembered: %v", err)
			}
		}
		here.revoke(t, first)
		if _, err := verify(there.verifier, token); err != nil {
			t.Fatalf("the other process has not read the table yet: %v", err)
		}
		for _, p := range []*process{here, there} {
			p.refresh(t)
			for range 2 {
				if principal, err := verify(p.verifier, token); principal != nil || !errors.Is(err, auth.ErrInvalidCredential) {
					t.Errorf("principal %v, error %v", principal, err)
				}
			}
			if remembers(p.verifier, token) {
				t.Error("the token is remembered")
			}
			if published := publishedKeys(t, p.keys); len(published) != 1 || published[0]["kid"] == first {
				t.Errorf("published: %v", published)
			}
		}
		for _, p := range []*process{here, there} {
			fresh := p.sign(t)
			for _, q := range []*process{here, there} {
				if _, err := verify(q.verifier, fresh); err != nil {
					t.Errorf("a token of the key that follows: %v", err)
				}
			}
		}
		if rows := storedKeys(t, one); rows[0].KeyID != first || rows[0].Private != "" || rows[1].Private == "" {
			t.Error("the private half of the revoked key is kept, or that of its successor is not")
		}
	})
}

func TestRevoke(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		for _, row := range []struct {
			name   string
			revoke string // which of the keys
			states map[string]KeyState
			signs  string // "new" is a key that was not there
		}{
			{"the key that signs, with the next on its way", "signing", map[string]KeyState{"retired": KeyRetired, "signing": KeyRevoked, "published": KeySigning}, "published"},
			{"the next key", "published", map[string]KeyState{"retired": KeyRetired, "signing": KeySigning, "published": KeyRevoked}, "signing"},
			{"a key that signs no more", "retired", map[string]KeyState{"retired": KeyRevoked, "signing": KeySigning, "published": KeyPublished}, "signing"},
		} {
			t.Run(row.name, func(t *testing.T) {
				execute(t, db, `DELETE FROM signing_keys`)
				p := newProcess(t, db)
				kids := map[string]string{"retired": p.signs(t)}
				kids["signing"] = p.rotate(t, Rotation{Algorithm: ES256}).KeyID
				p.now = p.now.Add(publishFor)
				kids["published"] = p.rotate(t, Rotation{}).KeyID
				p.now = p.now.Add(time.Minute)
				p.refresh(t)
				tokens := map[string]string{}
				for name, kid := range kids {
					d := newDraftBy(p.keys.find(kid, p.now))
					swap(&d.claims, "1795479000", "1795480000")
					tokens[name] = d.token()
					if _, err := verify(p.verifier, tokens[name]); err != nil {
						t.Fatal(err)
					}
				}
				p.revoke(t, kids[row.revoke])
				p.refresh(t)
				got := map[string]KeyState{}
				for name, kid := range kids {
					got[name] = p.states(t)[kid]
					if _, err := verify(p.verifier, tokens[name]); (err == nil) != (name != row.revoke) {
						t.Errorf("a token of the %s key: %v", name, err)
					}
				}
				if diff := cmp.Diff(row.states, got); diff != "" {
					t.Errorf("states (-want +got):\n%s", diff)
				}
				if p.signs(t) != kids[row.signs] || len(storedKeys(t, db)) != 3 {
					t.Errorf("%s signs, want %s of %v", p.signs(t), kids[row.signs], kids)
				}
				before := storedKeys(t, db)
				p.now = p.now.Add(time.Minute)
				p.revoke(t, kids[row.revoke])
				if diff := cmp.Diff(before, storedKeys(t, db)); diff != "" {
					t.Errorf("to revoke twice changes the table:\n%s", diff)
				}
			})
		}
	})
}

func TestRevokeRefuses(t *testing.T) {
	for _, row := range []struct {
		name  string
		kid   string // "" for that of the key that signs
		spoil func(p *process)
		says  string
		is    error
	}{
		{"a kid of no key", "2026-11-24-000000000000", func(*process) {}, "no signing key has this kid", sqldb.ErrNotFound},
		{"SQL", "' OR 1=1 --", func(*process) {}, "no signing key has this kid", sqldb.ErrNotFound},
		{"the only key, under another secret", "", func(p *process) { p.EncryptionKey[0] ^= 1 }, "another secret", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			db := sqldbtest.Open(t)
			p := newProcess(t, db)
			kid := row.kid
			if kid == "" {
				kid = p.signs(t)
			}
			row.spoil(p)
			before := storedKeys(t, db)
			_, err := p.Revoke(context.Background(), kid)
			if err == nil || !strings.Contains(err.Error(), row.says) || row.is != nil && !errors.Is(err, row.is) {
				t.Errorf("error %v, want %q", err, row.says)
			}
			if diff := cmp.Diff(before, storedKeys(t, db)); diff != "" {
				t.Errorf("the table was changed:\n%s", diff)
			}
		})
	}
}

func TestARotationUnderAnotherSecretMakesNothing(t *testing.T) {
	db := sqldbtest.Open(t)
	p := newProcess(t, db)
	p.EncryptionKey[0] ^= 1
	before := storedKeys(t, db)
	if _, made, err := p.Rotate(context.Background(), Rotation{}); err == nil || made || !strings.Contains(err.Error(), "another secret") {
		t.Errorf("made %t, error %v", made, err)
	}
	if diff := cmp.Diff(before, storedKeys(t, db)); diff != "" {
		t.Errorf("the table was changed:\n%s", diff)
	}
}

// TestRevocationsAndRotationsAtOnceLeaveOneKeyThatSigns has two processes revoke every key that they see sign, and rotate.
func TestRevocationsAndRotationsAtOnceLeaveOneKeyThatSigns(t *testing.T) {
	eachTwice(t, func(t *testing.T, one, other *sqldb.DB) {
		processes := []*process{newProcess(t, one), newProcess(t, other)}
		var wg sync.WaitGroup
		for i := range 20 {
			p := processes[i%2]
			wg.Go(func() {
				list, err := p.List(context.Background())
				if err != nil {
					t.Error(err)
					return
				}
				if i%4 < 2 {
					_, _, err = p.Rotate(context.Background(), Rotation{Soon: true})
				} else {
					_, err = p.Revoke(context.Background(), list[0].KeyID)
				}
				if err != nil && !problem.Unavailable.Is(err) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		count := map[KeyState]int{}
		for _, state := range processes[0].states(t) {
			count[state]++
		}
		if count[KeySigning] != 1 || count[KeyPublished] > 1 {
			t.Errorf("states %v", count)
		}
		for _, p := range processes {
			p.refresh(t)
		}
		for _, p := range processes {
			token := p.sign(t)
			for _, q := range processes {
				if _, err := verify(q.verifier, token); err != nil {
					t.Errorf("%v: a token is refused: %v", count, err)
				}
			}
		}
	})
}

// openToClose opens a database that the test may close.
func openToClose(t *testing.T) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(context.Background(), filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// TestAFailingRefreshKeepsTheLastGoodSet beside a row that says that a key is revoked.
func TestAFailingRefreshKeepsTheLastGoodSet(t *testing.T) {
	for _, row := range []struct {
		name    string
		fail    func(t *testing.T, p *process)
		revoked bool
	}{
		{"the database is closed", func(t *testing.T, p *process) {
			if err := p.DB.Close(); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"the table is empty", func(t *testing.T, p *process) { execute(t, p.DB, `DELETE FROM signing_keys`) }, false},
		{"a key of another secret has come", func(t *testing.T, p *process) {
			execute(t, p.DB, `INSERT INTO signing_keys (kid, generation, algorithm, private_key, public_key, created_at, signs_from)
				VALUES ('x', 99, 'EdDSA', 'a256gcm-pkcs8.AAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'AAAA', $1, $1)`, testNow.UnixMicro())
		}, false},
		{"a key of another secret has come, and the first is revoked", func(t *testing.T, p *process) {
			execute(t, p.DB, `INSERT INTO signing_keys (kid, generation, algorithm, private_key, public_key, created_at, signs_from)
				VALUES ('x', 99, 'EdDSA', 'a256gcm-pkcs8.AAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'AAAA', $1, $1)`, testNow.UnixMicro())
			execute(t, p.DB, `UPDATE signing_keys SET revoked_at = $1 WHERE generation < 99`, testNow.UnixMicro())
		}, true},
		{"every key is revoked by hand", func(t *testing.T, p *process) {
			execute(t, p.DB, `UPDATE signing_keys SET revoked_at = $1`, testNow.UnixMicro())
		}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newProcess(t, openToClose(t))
			token := p.sign(t)
			row.fail(t, p)
			for range 2 {
				if err := p.Refresh(context.Background(), time.Time{}); err == nil {
					t.Error("the refresh says that all is well")
				}
			}
			if _, err := verify(p.verifier, token); (err == nil) == row.revoked {
				t.Errorf("a token of the first key: %v, revoked %t", err, row.revoked)
			}
			if _, err := p.keys.signing(p.now); (err == nil) == row.revoked {
				t.Errorf("the key that signs: %v, revoked %t", err, row.revoked)
			}
		})
	}
}

// TestARefreshThatFindsNothingNewChangesNothing holds that keys are not decrypted every two seconds.
func TestARefreshThatFindsNothingNewChangesNothing(t *testing.T) {
	p := newProcess(t, sqldbtest.Open(t))
	before := p.keys.load()
	p.refresh(t)
	if p.keys.load() != before {
		t.Error("the set was made anew")
	}
	p.rotate(t, Rotation{})
	p.refresh(t)
	first := before.newestFirst[0]
	if after := p.keys.load(); after == before || len(after.newestFirst) != 2 || !samePrivate(after.byID[first.id], first) || !after.byID[first.id].signsUntil.Equal(testNow.Add(publishFor)) {
		t.Error("the set does not hold the next key, or the first has not learned of it")
	}
}
