package oauth

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

func testStore(db *sqldb.DB) *KeyStore {
	return &KeyStore{DB: db, EncryptionKey: [32]byte{1, 2, 3}, Now: func() time.Time { return testNow }, Random: rand.Reader}
}

func signingKeyOf(t testing.TB, keys *Keys, now time.Time) *key {
	t.Helper()
	k, err := keys.signing(now)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func load(t *testing.T, s *KeyStore) *Keys {
	t.Helper()
	keys, err := s.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// storedKey is a row of signing_keys, whole.
type storedKey struct {
	KeyID, Algorithm, Private, Public string
	Generation, CreatedAt, SignsFrom  int64
	RevokedAt                         sql.NullInt64
}

func storedKeys(t *testing.T, db *sqldb.DB) []storedKey {
	t.Helper()
	rows, err := db.Reader().QueryContext(context.Background(),
		`SELECT kid, algorithm, private_key, public_key, generation, created_at, signs_from, revoked_at FROM signing_keys ORDER BY generation`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []storedKey
	for rows.Next() {
		var k storedKey
		if err := rows.Scan(&k.KeyID, &k.Algorithm, &k.Private, &k.Public, &k.Generation, &k.CreatedAt, &k.SignsFrom, &k.RevokedAt); err != nil {
			t.Fatal(err)
		}
		list = append(list, k)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func execute(t *testing.T, db *sqldb.DB, query string, args ...any) {
	t.Helper()
	if err := db.Write(context.Background(), func(tx *sql.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestTheFirstStartMakesAKey(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		eachAlgorithm(t, func(t *testing.T, a Algorithm) {
			execute(t, db, `DELETE FROM signing_keys`)
			firstStart(t, db, a)
		})
	})
}

func firstStart(t *testing.T, db *sqldb.DB, a Algorithm) {
	store := func() *KeyStore {
		s := testStore(db)
		s.Algorithm = a
		return s
	}
	keys := load(t, store())
	rows := storedKeys(t, db)
	if len(rows) != 1 {
		t.Fatalf("%d rows", len(rows))
	}
	row, k := rows[0], signingKeyOf(t, keys, testNow)
	if !regexp.MustCompile(`^2026-11-24-[0-9a-f]{12}$`).MatchString(row.KeyID) || !validKeyID(row.KeyID) || k.id != row.KeyID {
		t.Errorf("kid %q in the row, %q in memory", row.KeyID, k.id)
	}
	public, err := encodePublic(k.public)
	if err != nil {
		t.Fatal(err)
	}
	if row.Algorithm != string(a) || row.CreatedAt != testNow.UnixMicro() || row.SignsFrom != row.CreatedAt || row.RevokedAt.Valid || row.Public != public {
		t.Errorf("row %+v", row)
	}
	if k, ok := k.private.(*rsa.PrivateKey); ok && k.N.BitLen() != 3072 {
		t.Errorf("an RSA key of %d bits, want 3072", k.N.BitLen())
	}
	sealed, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(row.Private, sealedPrefix))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range privateParts(k.private) {
		for _, plain := range []string{string(secret), hex.EncodeToString(secret), base64.StdEncoding.EncodeToString(secret), base64.RawURLEncoding.EncodeToString(secret)} {
			if strings.Contains(row.Private, plain) || strings.Contains(string(sealed), plain) {
				t.Error("the private key stands in the database")
			}
		}
	}
	again := signingKeyOf(t, load(t, store()), testNow)
	if again.id != k.id || !samePrivate(again, k) {
		t.Error("the second start has another key")
	}
	if diff := cmp.Diff(rows, storedKeys(t, db)); diff != "" {
		t.Errorf("the second start changed the table:\n%s", diff)
	}
}

func samePrivate(a, b *key) bool {
	return a.private.(interface{ Equal(crypto.PrivateKey) bool }).Equal(b.private)
}

// TestAKeyThatWasSealedAsASeedIsRead holds a database of before there were other algorithms than EdDSA.
func TestAKeyThatWasSealedAsASeedIsRead(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := testStore(db)
		old := testKey("2026-11-24-0123456789ab")
		sealer, err := newSealer(s.EncryptionKey)
		if err != nil {
			t.Fatal(err)
		}
		nonce := make([]byte, sealer.aead.NonceSize())
		sealed := sealedSeedPrefix + base64.RawURLEncoding.EncodeToString(sealer.aead.Seal(nonce, nonce, old.private.(ed25519.PrivateKey).Seed(), []byte(old.id)))
		execute(t, db, `INSERT INTO signing_keys (kid, generation, algorithm, private_key, public_key, created_at, signs_from) VALUES ($1, 0, 'EdDSA', $2, $3, $4, $4)`,
			old.id, sealed, base64.RawURLEncoding.EncodeToString(old.public.(ed25519.PublicKey)), testNow.UnixMicro())
		before := storedKeys(t, db)
		if k := signingKeyOf(t, load(t, s), testNow); k.id != old.id || !samePrivate(k, old) {
			t.Errorf("the key %s signs, want %s", k.id, old.id)
		}
		if diff := cmp.Diff(before, storedKeys(t, db)); diff != "" {
			t.Errorf("the start changed the table:\n%s", diff)
		}
	})
}

// TestTwoProcessesEndWithOneKey lets several find the table empty at once.
func TestTwoProcessesEndWithOneKey(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) { startAtOnce(t, db, db, db, db) })
	t.Run("sqlite, two handles of a file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "test.db")
		var handles []*sqldb.DB
		for range 2 {
			db, err := sqldb.Open(context.Background(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			handles = append(handles, db)
		}
		startAtOnce(t, handles...)
	})
}

func startAtOnce(t *testing.T, handles ...*sqldb.DB) {
	t.Helper()
	loaded := make([]*Keys, len(handles))
	errs := make([]error, len(handles))
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i, db := range handles {
		wg.Go(func() {
			<-start
			loaded[i], errs[i] = testStore(db).Load(context.Background())
		})
	}
	close(start)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for _, keys := range loaded {
		if k, first := signingKeyOf(t, keys, testNow), signingKeyOf(t, loaded[0], testNow); len(keys.load().newestFirst) != 1 || !samePrivate(k, first) {
			t.Errorf("one has the key %s, another %s", k.id, first.id)
		}
	}
	if n := len(storedKeys(t, handles[0])); n != 1 {
		t.Errorf("%d rows", n)
	}
}

// TestWhoComesSecondMakesNoKey is the race of two processes, step by step: both have found the table empty.
func TestWhoComesSecondMakesNoKey(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := testStore(db)
		sealer, err := newSealer(s.EncryptionKey)
		if err != nil {
			t.Fatal(err)
		}
		empty, err := s.read(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		var first []storedKey
		for i := range 2 {
			_, done, err := s.add(context.Background(), sealer, empty, EdDSA, testNow)
			if err != nil || done != (i == 0) {
				t.Fatalf("attempt %d: done %t, %v", i, done, err)
			}
			if i == 0 {
				first = storedKeys(t, db)
			}
		}
		if diff := cmp.Diff(first, storedKeys(t, db)); diff != "" || len(first) != 1 {
			t.Errorf("%d rows at first, then:\n%s", len(first), diff)
		}
	})
}

func TestARevokedKeyIsOutOfForce(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		revoked := signingKeyOf(t, load(t, testStore(db)), testNow)
		execute(t, db, `UPDATE signing_keys SET revoked_at = $1`, testNow.UnixMicro())
		keys := load(t, testStore(db))
		if signingKeyOf(t, keys, testNow).id == revoked.id || keys.find(revoked.id, testNow) != nil || len(keys.load().newestFirst) != 1 {
			t.Errorf("the revoked key %s is in force", revoked.id)
		}
		if n := len(storedKeys(t, db)); n != 2 {
			t.Errorf("%d rows", n)
		}
	})
}

// TestADamagedKeyStopsTheStart holds that every error says what to do, and that nothing is repaired by guessing.
func TestADamagedKeyStopsTheStart(t *testing.T) {
	for _, row := range []struct {
		name   string
		damage func(*testing.T, *KeyStore)
		says   []string
	}{
		{"another secret", func(t *testing.T, s *KeyStore) { s.EncryptionKey[31] ^= 1 }, []string{"another secret", "start with the secret", "delete the row"}},
		{"the sealed key under another kid", func(t *testing.T, s *KeyStore) {
			execute(t, s.DB, `UPDATE signing_keys SET kid = 'other'`)
		}, []string{"another secret", "other"}},
		{"a sealed key that was cut", func(t *testing.T, s *KeyStore) {
			execute(t, s.DB, `UPDATE signing_keys SET private_key = 'a256gcm-pkcs8.AAAA'`)
		}, []string{"another secret"}},
		{"a sealed key that is not base64url", func(t *testing.T, s *KeyStore) {
			execute(t, s.DB, `UPDATE signing_keys SET private_key = 'a256gcm-pkcs8.+/+/'`)
		}, []string{"another secret"}},
		{"a private key that is not sealed", func(t *testing.T, s *KeyStore) {
			execute(t, s.DB, `UPDATE signing_keys SET private_key = $1`, base64.RawURLEncoding.EncodeToString(make([]byte, 32)))
		}, []string{"another secret"}},
		{"one bit of the sealed key", func(t *testing.T, s *KeyStore) {
			text := storedKeys(t, s.DB)[0].Private
			sealed, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(text, sealedPrefix))
			if err != nil {
				t.Fatal(err)
			}
			sealed[20] ^= 1
			execute(t, s.DB, `UPDATE signing_keys SET private_key = $1`, sealedPrefix+base64.RawURLEncoding.EncodeToString(sealed))
		}, []string{"another secret"}},
		{"a public key of someone else", func(t *testing.T, s *KeyStore) {
			public, err := encodePublic(testKey("other").public)
			if err != nil {
				t.Fatal(err)
			}
			execute(t, s.DB, `UPDATE signing_keys SET public_key = $1`, public)
		}, []string{"public half", "restore the row"}},
		{"another algorithm", func(t *testing.T, s *KeyStore) {
			execute(t, s.DB, `UPDATE signing_keys SET algorithm = 'HS256'`)
		}, []string{"none of EdDSA, ES256, RS256", "revoke it"}},
		{"the algorithm of another kind of key", func(t *testing.T, s *KeyStore) {
			execute(t, s.DB, `UPDATE signing_keys SET algorithm = 'ES256'`)
		}, []string{"type, curve or size of an ES256 key", "revoke it"}},
		{"a kid with a path", func(t *testing.T, s *KeyStore) {
			execute(t, s.DB, `UPDATE signing_keys SET kid = '../../dev/null'`)
		}, []string{"kid outside", "delete its row"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			db := sqldbtest.Open(t)
			s := testStore(db)
			load(t, s)
			row.damage(t, s)
			before := storedKeys(t, db)
			keys, err := s.Load(context.Background())
			if err == nil || keys != nil {
				t.Fatalf("keys %v, error %v", keys, err)
			}
			for _, words := range row.says {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("error %q does not say %q", err, words)
				}
			}
			if strings.Contains(err.Error(), before[0].Private) {
				t.Errorf("error %q holds the sealed key", err)
			}
			if diff := cmp.Diff(before, storedKeys(t, db)); diff != "" {
				t.Errorf("the table was changed:\n%s", diff)
			}
		})
	}
}

func TestTheStartFailsWithoutAKey(t *testing.T) {
	t.Run("without randomness", func(t *testing.T) {
		db := sqldbtest.Open(t)
		s := testStore(db)
		s.Random = iotest.ErrReader(errors.New("no entropy"))
		if keys, err := s.Load(context.Background()); err == nil || keys != nil {
			t.Errorf("keys %v, error %v", keys, err)
		}
		if n := len(storedKeys(t, db)); n != 0 {
			t.Errorf("%d rows", n)
		}
	})
	t.Run("with a context that has ended", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if keys, err := testStore(sqldbtest.Open(t)).Load(ctx); !errors.Is(err, context.Canceled) || keys != nil {
			t.Errorf("keys %v, error %v", keys, err)
		}
	})
	t.Run("with settings that are wrong", func(t *testing.T) {
		for _, row := range []struct {
			name   string
			change func(*KeyStore)
			says   string
		}{
			{"an algorithm with a shared secret", func(s *KeyStore) { s.Algorithm = "HS256" }, "none of EdDSA, ES256, RS256"},
			{"no algorithm at all", func(s *KeyStore) { s.Algorithm = "none" }, "none of EdDSA, ES256, RS256"},
			{"an age below an hour", func(s *KeyStore) { s.RotateAfter = time.Hour - 1 }, "at least 1h0m0s"},
			{"a negative age", func(s *KeyStore) { s.RotateAfter = -time.Hour }, "or 0 for never"},
		} {
			db := sqldbtest.Open(t)
			s := testStore(db)
			row.change(s)
			if keys, err := s.Load(context.Background()); keys != nil || err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%s: keys %v, error %v", row.name, keys, err)
			}
			if n := len(storedKeys(t, db)); n != 0 {
				t.Errorf("%s: %d rows", row.name, n)
			}
		}
	})
	t.Run("without any key at all", func(t *testing.T) {
		if k, err := new(Keys).signing(testNow); !problem.Unavailable.Is(err) || k != nil {
			t.Errorf("key %v, error %v", k, err)
		}
	})
}

// TestSealingTwiceDiffers holds the nonce to be random: with the same one twice, GCM gives both keys away.
func TestSealingTwiceDiffers(t *testing.T) {
	s, err := newSealer([32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	private := testKey("a").private
	first, err1 := s.seal(rand.Reader, "a", private)
	second, err2 := s.seal(rand.Reader, "a", private)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if first == second {
		t.Error("the same ciphertext twice")
	}
	opened, err := s.open("a", first)
	if same, ok := opened.(ed25519.PrivateKey); err != nil || !ok || !same.Equal(private) {
		t.Errorf("another key once it is opened, error %v", err)
	}
	if _, err := s.open("b", first); !errors.Is(err, errCannotOpen) {
		t.Errorf("a key sealed for a opens as b: %v", err)
	}
}
