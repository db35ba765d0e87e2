package accounts

import (
	"context"
	"errors"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/sqldb"
)

// Principal returns what a user may do now, for who has proven to be that user before. It returns auth.ErrInvalidCredential where
// the account is disabled or gone.
func (s *Service) Principal(ctx context.Context, id string) (*auth.Principal, error) {
	u, err := s.Find(ctx, id)
	if errors.Is(err, sqldb.ErrNotFound) || err == nil && u.Disabled {
		return nil, auth.ErrInvalidCredential
	}
	if err != nil {
		return nil, err
	}
	return &auth.Principal{Subject: id, Scopes: u.Scopes, IssuedAt: s.now()}, nil
}

// Username returns what a user logs in with.
func (s *Service) Username(ctx context.Context, id string) (string, error) {
	u, err := s.Find(ctx, id)
	return u.Username, err
}
