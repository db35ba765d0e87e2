package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"example.com/gatehouse/internal/problem"
)

var (
	// ErrNotFound is a query for one row that found none.
	ErrNotFound = errors.New("no such row")
	// ErrConflict is a write that would have made a second row where one is allowed.
	ErrConflict = errors.New("the row is there already")
)

// Error sorts an error of the database: ErrNotFound, ErrConflict, a problem as it is, the end of the context as it
// is, and everything else as a problem that asks the client to come back.
func Error(err error) error {
	var p *problem.Error
	switch {
	case err == nil, errors.Is(err, ErrNotFound), errors.Is(err, ErrConflict), errors.As(err, &p):
		return err
	case errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case unique(err):
		return ErrConflict
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	p = problem.Unavailable.Wrap(err, "the database does not answer: repeat later")
	p.RetryAfter = retryAfter
	return p
}

// retryAfter is what a client should wait while the database is away: about as long as a restart takes.
const retryAfter = 5 * time.Second

func unique(err error) bool {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505"
}

// retryable reports whether the same transaction may succeed at once: it lost a conflict, or met a server that was
// being replaced.
func retryable(err error) bool {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code()&0xff == sqlite3.SQLITE_BUSY
	}
	var pg *pgconn.PgError
	// serialization_failure, deadlock_detected, read_only_sql_transaction, admin_shutdown
	return errors.As(err, &pg) && slices.Contains([]string{"40001", "40P01", "25006", "57P01"}, pg.Code)
}
