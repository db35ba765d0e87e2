package sqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

const insertUser = "INSERT INTO users (id, username, password_hash, roles, development, created_at, updated_at) VALUES ($1, $2, '', '', $3, 0, 0)"

func TestWrite(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		insert := func(id, name string) error {
			return db.Write(ctx, func(tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, insertUser, id, name, false)
				return err
			})
		}
		count := func() (n int) {
			if err := db.Reader().QueryRowContext(ctx, "SELECT COUNT(*) FROM users").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if err := insert("1", "ann"); err != nil || count() != 1 {
			t.Fatalf("a row is not there after the commit: %v", err)
		}
		if err := insert("2", "ann"); !errors.Is(err, sqldb.ErrConflict) {
			t.Errorf("a second row under a unique name: got %v, want ErrConflict", err)
		}
		if err := insert("1", "bob"); !errors.Is(err, sqldb.ErrConflict) {
			t.Errorf("a second row under one id: got %v, want ErrConflict", err)
		}
		boom := problem.NotFound.New("no")
		err := db.Write(ctx, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, insertUser, "3", "eve", true); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) || count() != 1 {
			t.Errorf("a failed transaction: got %v and %d rows, want its error and 1", err, count())
		}
		var id string
		err = sqldb.Error(db.Reader().QueryRowContext(ctx, "SELECT id FROM users WHERE username = $1", "nobody").Scan(&id))
		if !errors.Is(err, sqldb.ErrNotFound) {
			t.Errorf("a query without a row: got %v, want ErrNotFound", err)
		}
		err = sqldb.Error(db.Reader().QueryRowContext(ctx, "SELECT id FROM no_such_table").Scan(&id))
		if !problem.Unavailable.Is(err) {
			t.Errorf("a query that cannot run: got %v, want unavailable", err)
		}
	})
}

func TestConcurrentWritesLoseNothing(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		if err := db.Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, insertUser, "1", "counter", false)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if err := db.Write(ctx, func(tx *sql.Tx) error {
					_, err := tx.ExecContext(ctx, "UPDATE users SET updated_at = updated_at + 1 WHERE id = $1", "1")
					return err
				}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		var n int
		if err := db.Reader().QueryRowContext(ctx, "SELECT updated_at FROM users").Scan(&n); err != nil || n != 50 {
			t.Errorf("got %d, %v; want 50", n, err)
		}
	})
}

func TestOpenTwiceMigratesOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dir", "a?b.db")
	for range 2 {
		db, err := sqldb.Open(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Ping(context.Background()); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v: others could read it", info.Mode())
	}
}

func TestSQLitePragmas(t *testing.T) {
	db := sqldbtest.Open(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
		var got string
		if err := db.Reader().QueryRowContext(context.Background(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("reader: %s is %s (%v), want %s", pragma, got, err, want)
		}
		if err := db.Write(context.Background(), func(tx *sql.Tx) error { return tx.QueryRow("PRAGMA " + pragma).Scan(&got) }); err != nil || got != want {
			t.Errorf("writer: %s is %s (%v), want %s", pragma, got, err, want)
		}
	}
	if _, err := db.Reader().ExecContext(context.Background(), insertUser, "1", "ann", false); err == nil {
		t.Error("the reader wrote")
	}
}

func TestReadAfterCloseIsUnavailable(t *testing.T) {
	db, err := sqldb.Open(context.Background(), filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(context.Background()); !problem.Unavailable.Is(err) {
		t.Errorf("got %v, want unavailable", err)
	}
}
