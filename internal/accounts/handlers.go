package accounts

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb"
)

// Handlers are the operations on accounts.
type Handlers struct{ Accounts *Service }

// GetCurrentUser answers the caller's account.
func (h *Handlers) GetCurrentUser(ctx context.Context, _ api.GetCurrentUserRequestObject) (api.GetCurrentUserResponseObject, error) {
	caller := auth.FromContext(ctx)
	if caller == nil {
		return nil, problem.Unauthorized.New("this operation needs a credential")
	}
	u, err := h.Accounts.Find(ctx, caller.Subject)
	if errors.Is(err, sqldb.ErrNotFound) {
		return nil, problem.Unauthorized.New("the account of the credential is gone")
	}
	if err != nil {
		return nil, err
	}
	id, err := uuid.Parse(u.ID)
	if err != nil {
		return nil, err
	}
	return api.GetCurrentUser200JSONResponse{Id: id, Username: u.Username, Scopes: u.Scopes, CreatedAt: u.CreatedAt}, nil
}
