package accounts

import (
	"context"
	"database/sql"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/sqldb"
)

// SetDisabled disables or enables an account. A disabled one has no good credential, from the next request on: the
// exception stands before the row changes, and is taken back where the row does not.
func (s *Service) SetDisabled(ctx context.Context, id string, disabled bool) error {
	if !disabled {
		err := s.update(ctx, `UPDATE users SET disabled_at = NULL, updated_at = $2 WHERE id = $1 AND deleted_at IS NULL RETURNING id`, id, s.now().UnixMicro())
		if err == nil {
			s.config.Exceptions.ResumeSubject(id)
		}
		return err
	}
	return s.end(ctx, id, `UPDATE users SET disabled_at = COALESCE(disabled_at, $2), updated_at = $2 WHERE id = $1 AND deleted_at IS NULL RETURNING id`)
}

// Delete deletes an account. The row stays, so that its id is never given again; the name and the hash go.
func (s *Service) Delete(ctx context.Context, id string) error {
	return s.end(ctx, id, `UPDATE users SET deleted_at = $2, updated_at = $2, username = 'deleted:' || id, password_hash = '' WHERE id = $1 AND deleted_at IS NULL RETURNING id`)
}

func (s *Service) end(ctx context.Context, id, query string) error {
	was := s.config.Exceptions.EndSubject(id)
	err := s.update(ctx, query, id, s.now().UnixMicro())
	if err != nil && !was {
		s.config.Exceptions.ResumeSubject(id)
	}
	return err
}

// SetPassword changes the password and ends every credential that was made before.
func (s *Service) SetPassword(ctx context.Context, id string, password auth.Secret) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	mark := s.now()
	before := s.config.Exceptions.SetNotBefore(id, mark)
	err = s.update(ctx, `UPDATE users SET password_hash = $3, not_before = $2, updated_at = $2 WHERE id = $1 AND deleted_at IS NULL RETURNING id`, id, mark.UnixMicro(), hash)
	if err != nil {
		s.config.Exceptions.SetNotBefore(id, before)
	}
	return err
}

func (s *Service) update(ctx context.Context, query string, args ...any) error {
	return s.config.DB.Write(ctx, func(tx *sql.Tx) error {
		var id string
		return tx.QueryRowContext(ctx, query, args...).Scan(&id)
	})
}

func (s *Service) loadExceptions(ctx context.Context) error {
	rows, err := s.config.DB.Reader().QueryContext(ctx, `
		SELECT id, disabled_at, deleted_at, not_before FROM users
		WHERE disabled_at IS NOT NULL OR deleted_at IS NOT NULL OR not_before IS NOT NULL`)
	if err != nil {
		return sqldb.Error(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var disabled, deleted, notBefore sql.NullInt64
		if err := rows.Scan(&id, &disabled, &deleted, &notBefore); err != nil {
			return sqldb.Error(err)
		}
		if disabled.Valid || deleted.Valid {
			s.config.Exceptions.EndSubject(id)
		}
		if notBefore.Valid {
			s.config.Exceptions.SetNotBefore(id, time.UnixMicro(notBefore.Int64))
		}
	}
	return sqldb.Error(rows.Err())
}
