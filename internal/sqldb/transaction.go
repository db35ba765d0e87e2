package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// attempts is how often a transaction that lost against another is run; more would only hold the client.
const attempts = 3

// Write runs f in a transaction and commits it, or rolls it back where f fails. f may run more than once: a
// transaction that lost a conflict, or whose server went away before the commit, is repeated. The error has been
// through Error.
func (db *DB) Write(ctx context.Context, f func(tx *sql.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := db.write(ctx, f)
		if err == nil || attempt == attempts || !retryable(err) {
			return Error(err)
		}
		select {
		case <-time.After(time.Duration(attempt) * 10 * time.Millisecond): // the winner goes on meanwhile
		case <-ctx.Done():
			return Error(errors.Join(ctx.Err(), err))
		}
	}
}

func (db *DB) write(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // no effect after the commit
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
