package oauth

import (
	"context"
	"crypto/rand"
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

	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

func testStore(db *sqldb.DB) *KeyStore {
	return &KeyStore{DB: db, EncryptionKey: [32]byte{1, 2, 3}, Now: func() time.Time { return testNow }, Random: rand.Reader}
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
	CreatedAt                         int64
	RetiredAt                         sql.NullInt64
}

func storedKeys(t *testing.T, db *sqldb.DB) []storedKey {
	t.Helper()
	rows, err := db.Reader().QueryContext(context.Background(),
		`SELECT kid, algorithm, private_key, public_key, created_at, retired_at FROM signing_keys ORDER BY kid`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []storedKey
	for rows.Next() {
		var k storedKey
		if err := rows.Scan(&k.KeyID, &k.Algorithm, &k.Private, &k.Public, &k.CreatedAt, &k.RetiredAt); err != nil {
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
		keys := load(t, testStore(db))
		rows := storedKeys(t, db)
		if len(rows) != 1 {
			t.Fatalf("%d rows", len(rows))
		}
		row, k := rows[0], keys.signing()
		if !regexp.MustCompile(`^2026-11-24-[0-9a-f]{12}$`).MatchString(row.KeyID) || !validKeyID(row.KeyID) || k.id != row.KeyID {
			t.Errorf("kid %q in the row, %q in memory", row.KeyID, k.id)
		}
		if row.Algorithm != "EdDSA" || row.CreatedAt != testNow.UnixMicro() || row.RetiredAt.Valid || row.Public != encodePublic(k.public) {
			t.Errorf("row %+v", row)
		}
		sealed, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(row.Private, sealedPrefix))
		if err != nil {
			t.Fatal(err)
		}
		seed := k.private.Seed()
		for _, plain := range []string{string(seed), hex.EncodeToString(seed), base64.StdEncoding.EncodeToString(seed), base64.RawURLEncoding.EncodeToString(seed)} {
			if strings.Contains(row.Private, plain) || strings.Contains(string(sealed), plain) {
				t.Error("the private key stands in the database")
			}
		}
		again := load(t, testStore(db))
		if again.signing().id != k.id || !again.signing().private.Equal(k.private) {
			t.Error("the second start has another key")
		}
		if diff := cmp.Diff(rows, storedKeys(t, db)); diff != "" {
			t.Errorf("the second start changed the table:\n%s", diff)
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
		if len(keys.newestFirst) != 1 || !keys.signing().private.Equal(loaded[0].signing().private) {
			t.Errorf("one has the key %s, another %s", keys.signing().id, loaded[0].signing().id)
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
		var first []storedKey
		for i := range 2 {
			if err := db.Write(context.Background(), func(tx *sql.Tx) error { return s.create(context.Background(), tx, sealer) }); err != nil {
				t.Fatalf("attempt %d: %v", i, err)
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

func TestARetiredKeyIsOutOfForce(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		retired := load(t, testStore(db)).signing()
		execute(t, db, `UPDATE signing_keys SET retired_at = $1`, testNow.UnixMicro())
		keys := load(t, testStore(db))
		if keys.signing().id == retired.id || keys.find(retired.id) != nil || len(keys.newestFirst) != 1 {
			t.Errorf("the retired key %s is in force", retired.id)
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
			execute(t, s.DB, `UPDATE signing_keys SET private_key = 'a256gcm.AAAA'`)
		}, []string{"another secret"}},
		{"a sealed key that is not base64url", func(t *testing.T, s *KeyStore) {
			execute(t, s.DB, `UPDATE signing_keys SET private_key = 'a256gcm.+/+/'`)
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
			execute(t, s.DB, `UPDATE signing_keys SET public_key = $1`, encodePublic(testKey("other").public))
		}, []string{"public half", "restore the row"}},
		{"another algorithm", func(t *testing.T, s *KeyStore) {
			execute(t, s.DB, `UPDATE signing_keys SET algorithm = 'HS256'`)
		}, []string{"is not an EdDSA key", "retired_at"}},
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
	t.Run("without any key at all", func(t *testing.T) {
		if keys, err := newKeys(nil); err == nil || keys != nil {
			t.Errorf("keys %v, error %v", keys, err)
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
	if err != nil || !opened.Equal(private) {
		t.Errorf("opened %t, error %v", opened.Equal(private), err)
	}
	if _, err := s.open("b", first); !errors.Is(err, errCannotOpen) {
		t.Errorf("a key sealed for a opens as b: %v", err)
	}
}
