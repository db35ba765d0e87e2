package accounts

import (
	"context"
	"database/sql"
	"time"

	"example.com/gatehouse/internal/sqldb"
)

// mirrored are the columns that mirrorRows reads.
const mirrored = `SELECT id, disabled_at, deleted_at, not_before FROM users `

func (s *Service) loadExceptions(ctx context.Context) error {
	return s.mirrorRows(ctx, mirrored+`WHERE disabled_at IS NOT NULL OR deleted_at IS NOT NULL OR not_before IS NOT NULL`)
}

// Refresh mirrors the accounts that changed since then, so that what another process did to them holds in this one. since should
// overlap the refresh before: rows are written some time before they are seen, by clocks that differ.
func (s *Service) Refresh(ctx context.Context, since time.Time) error {
	return s.mirrorRows(ctx, mirrored+`WHERE updated_at >= $1`, since.UnixMicro())
}

// mirrorRows brings the exceptions in step with the rows that the query returns. It waits for changes that this process is writing,
// whose exceptions stand before their rows do, and holds back others: else an account could be resumed by its older row, in the very
// moment in which it is disabled.
func (s *Service) mirrorRows(ctx context.Context, query string, args ...any) error {
	s.mirror.Lock()
	defer s.mirror.Unlock()
	rows, err := s.config.DB.Reader().QueryContext(ctx, query, args...)
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
		} else {
			s.config.Exceptions.ResumeSubject(id)
		}
		if notBefore.Valid {
			s.config.Exceptions.SetNotBefore(id, time.UnixMicro(notBefore.Int64))
		}
	}
	return sqldb.Error(rows.Err())
}
