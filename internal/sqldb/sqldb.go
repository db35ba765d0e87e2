// Package sqldb is SQLite or PostgreSQL behind database/sql: open, migrate, transactions, error kinds.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"
)

// DB is an open, migrated database. It may be used by several goroutines at once.
type DB struct {
	writer *sql.DB
	reader *sql.DB
}

// Querier is what *sql.DB and *sql.Tx have in common.
type Querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Open opens the database and migrates it: a path is a SQLite file, which is made if it is not there; postgres://… is
// a PostgreSQL server.
func Open(ctx context.Context, address string) (*DB, error) {
	if strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://") {
		return openPostgres(ctx, address)
	}
	return openSQLite(ctx, strings.TrimPrefix(address, "sqlite:"))
}

// The size of the pools. SQLite readers share one file and block nobody; a PostgreSQL server has a bounded number of
// connections for all that use it.
const (
	sqliteReaders       = 8
	postgresConnections = 16
	connectionLifetime  = 30 * time.Minute
)

func openSQLite(ctx context.Context, path string) (*DB, error) {
	if err := makeFile(path); err != nil {
		return nil, fmt.Errorf("the database file cannot be made: %w", err)
	}
	writer, err := sql.Open("sqlite", sqliteDSN(path, "_txlock=immediate"))
	if err != nil {
		return nil, err
	}
	// One connection writes: SQLite allows one writer, and a queue in this process waits without polling.
	writer.SetMaxOpenConns(1)
	if err := migrate(ctx, writer, "sqlite3"); err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	reader, err := sql.Open("sqlite", sqliteDSN(path, "_pragma=query_only(1)"))
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	reader.SetMaxOpenConns(sqliteReaders)
	reader.SetMaxIdleConns(sqliteReaders)
	return &DB{writer: writer, reader: reader}, nil
}

// sqliteDSN states the pragmas of every connection.
func sqliteDSN(path, own string) string {
	pragmas := []string{
		"_pragma=busy_timeout(5000)", // first: the others wait for a lock too
		"_pragma=journal_mode(WAL)",  // readers do not block the writer
		"_pragma=foreign_keys(1)",    // off by default
		"_pragma=synchronous(FULL)",  // with NORMAL a power cut loses the last commits, and a lost one un-revokes a token
		"_pragma=trusted_schema(0)",  // a file from elsewhere runs nothing
		"_pragma=cell_size_check(1)", // damage is an error, not a wrong answer
	}
	// The path is escaped: a question mark in it would begin the parameters.
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: own + "&" + strings.Join(pragmas, "&")}
	return u.String()
}

// makeFile makes the file before SQLite does, which would let everybody read it.
func makeFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

func openPostgres(ctx context.Context, address string) (*DB, error) {
	pool, err := sql.Open("pgx", address)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(postgresConnections)
	pool.SetMaxIdleConns(postgresConnections)
	pool.SetConnMaxLifetime(connectionLifetime) // so that connections to a server that was demoted end
	if err := migrate(ctx, pool, "postgres"); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return &DB{writer: pool, reader: pool}, nil
}

// Close closes the database.
func (db *DB) Close() error {
	if db.reader == db.writer {
		return db.writer.Close()
	}
	return errors.Join(db.reader.Close(), db.writer.Close())
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	var one int
	return Error(db.reader.QueryRowContext(ctx, "SELECT 1").Scan(&one))
}

// Reader runs queries outside a transaction. It must not be used to write: SQLite refuses it.
func (db *DB) Reader() Querier { return db.reader }
