package session

import (
	"context"
	"database/sql"
	"time"

	"example.com/gatehouse/internal/sqldb"
)

// Why a session ended before its time, for those who look at the table.
const (
	reasonLogout    = "logout"
	reasonReuse     = "reuse"
	reasonAccount   = "account"
	reasonReplaced  = "replaced"
	reasonWithdrawn = "withdrawn"
)

// End ends a session of a user. It returns sqldb.ErrNotFound where the user has no such session in force.
func (s *Store) End(ctx context.Context, id, userID string) error {
	now := s.now()
	err := s.DB.Write(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `
			UPDATE sessions SET ended_at = $3, ended_by = $4 WHERE id = $1 AND user_id = $2 AND ended_at IS NULL RETURNING id`,
			id, userID, now.UnixMicro(), reasonLogout).Scan(&id)
	})
	if err == nil {
		s.except(id, now)
	}
	return err
}

// EndAll ends the sessions of a user but one, within the transaction of what makes it necessary: a new password, a disabled
// account. The access tokens of the ended are refused by this process from then on, also where the transaction fails in the end: then the
// clients refresh.
func (s *Store) EndAll(ctx context.Context, tx *sql.Tx, userID, exceptSessionID string) error {
	return s.end(ctx, tx, reasonAccount, `user_id = $3 AND id <> $4`, userID, exceptSessionID)
}

// EndOfClient ends the sessions of a user with a client, in the same way.
func (s *Store) EndOfClient(ctx context.Context, tx *sql.Tx, userID, clientID string) error {
	return s.end(ctx, tx, reasonWithdrawn, `user_id = $3 AND client_id = $4`, userID, clientID)
}

// EndReused ends a session whose secret was used twice, in the same way.
func (s *Store) EndReused(ctx context.Context, tx *sql.Tx, id string) error {
	return s.end(ctx, tx, reasonReuse, `id = $3`, id)
}

// EndReplaced ends a session that another one follows, in the same way.
func (s *Store) EndReplaced(ctx context.Context, tx *sql.Tx, id string) error {
	return s.end(ctx, tx, reasonReplaced, `id = $3`, id)
}

// end ends the sessions that a condition finds, whose arguments begin at $3.
func (s *Store) end(ctx context.Context, tx *sql.Tx, reason, where string, args ...any) error {
	now := s.now()
	rows, err := tx.QueryContext(ctx, `UPDATE sessions SET ended_at = $1, ended_by = $2 WHERE ended_at IS NULL AND `+where+` RETURNING id`,
		append([]any{now.UnixMicro(), reason}, args...)...)
	if err != nil {
		return sqldb.Error(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return sqldb.Error(err)
		}
		s.except(id, now)
	}
	return sqldb.Error(rows.Err())
}

// RemoveAllOf removes what is kept of the sessions of an account that is deleted, within that transaction: they name addresses and devices.
// The exception of the account refuses their access tokens.
func RemoveAllOf(ctx context.Context, tx *sql.Tx, userID string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE user_id = $1`, userID)
	return sqldb.Error(err)
}

// except refuses the access tokens of a session that ended at the time, for as long as one of them can last.
func (s *Store) except(id string, ended time.Time) {
	s.Exceptions.EndSession(id, ended.Add(s.AccessTokenLifetime))
}

// RevokeToken refuses one access token, which no clock takes any more from a time on. Those that have come to theirs are forgotten.
func (s *Store) RevokeToken(ctx context.Context, tokenID string, until time.Time) error {
	err := s.DB.Write(ctx, func(tx *sql.Tx) error {
		now := s.now().UnixMicro()
		if _, err := tx.ExecContext(ctx, `DELETE FROM revoked_tokens WHERE expires_at < $1`, now); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO revoked_tokens (id, revoked_at, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			tokenID, now, until.UnixMicro())
		return err
	})
	if err == nil {
		s.Exceptions.RevokeToken(tokenID, until)
	}
	return err
}

// Refresh reads what has ended since then, in whatever process, and forgets what has expired.
func (s *Store) Refresh(ctx context.Context, since time.Time) error {
	err := s.each(ctx, `SELECT id, ended_at FROM sessions WHERE ended_at >= $1`, since, s.except)
	if err != nil {
		return err
	}
	err = s.each(ctx, `SELECT id, expires_at FROM revoked_tokens WHERE revoked_at >= $1`, since, s.Exceptions.RevokeToken)
	if err != nil {
		return err
	}
	s.Exceptions.Forget(s.now())
	return nil
}

func (s *Store) each(ctx context.Context, query string, since time.Time, f func(id string, at time.Time)) error {
	rows, err := s.DB.Reader().QueryContext(ctx, query, since.UnixMicro())
	if err != nil {
		return sqldb.Error(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var at int64
		if err := rows.Scan(&id, &at); err != nil {
			return sqldb.Error(err)
		}
		f(id, time.UnixMicro(at).UTC())
	}
	return sqldb.Error(rows.Err())
}
