// Package sqldbtest gives tests a fresh database of each engine.
package sqldbtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/gatehouse/internal/needtest"
	"example.com/gatehouse/internal/sqldb"
)

// Open returns a fresh SQLite database in a file.
func Open(t testing.TB) *sqldb.DB {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "test.db"))
}

func open(t testing.TB, address string) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(context.Background(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Each runs f on a fresh database of every engine: SQLite, and PostgreSQL where GATEHOUSE_TEST_POSTGRES_URL names a
// server or its binaries are installed.
func Each(t *testing.T, f func(t *testing.T, db *sqldb.DB)) {
	t.Run("sqlite", func(t *testing.T) { f(t, Open(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, open(t, Postgres(t))) })
}

// Postgres returns the address of a fresh database on a PostgreSQL server. Where there is no server the test is
// skipped, or fails if GATEHOUSE_TEST_REQUIRE lists postgres.
func Postgres(t testing.TB) string {
	t.Helper()
	server := os.Getenv("GATEHOUSE_TEST_POSTGRES_URL")
	if server == "" {
		bin := postgresBinaries()
		if bin == "" {
			needtest.Missing(t, "postgres", "no PostgreSQL: set GATEHOUSE_TEST_POSTGRES_URL or install the server")
		}
		server = startPostgres(t, bin)
	}
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	name := "gatehouse_" + strings.ToLower(rand.Text())
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		admin, err := sql.Open("pgx", server)
		if err == nil {
			_, err = admin.Exec("DROP DATABASE " + name + " WITH (FORCE)")
			admin.Close()
		}
		if err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return fmt.Sprint(u)
}
