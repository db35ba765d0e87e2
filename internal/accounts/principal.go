package accounts

import (
	"context"
	"database/sql"
	"errors"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/sqldb"
)

// Principal returns what a user may do now, for who has proven to be that user before. It returns auth.ErrInvalidCredential where
// the account is disabled or gone.
func (s *Service) Principal(ctx context.Context, id string) (*auth.Principal, error) {
	var disabled sql.NullInt64
	err := sqldb.Error(s.config.DB.Reader().QueryRowContext(ctx, `SELECT disabled_at FROM users WHERE id = $1 AND deleted_at IS NULL`, id).Scan(&disabled))
	if errors.Is(err, sqldb.ErrNotFound) || err == nil && disabled.Valid {
		return nil, auth.ErrInvalidCredential
	}
	if err != nil {
		return nil, err
	}
	u, err := s.Find(ctx, id)
	if errors.Is(err, sqldb.ErrNotFound) {
		return nil, auth.ErrInvalidCredential
	}
	return &auth.Principal{Subject: id, Scopes: u.Scopes, IssuedAt: s.now()}, err
}
