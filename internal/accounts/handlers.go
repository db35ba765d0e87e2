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

// caller returns the id of the account that the request acts for.
func caller(ctx context.Context) (string, error) {
	p := auth.FromContext(ctx)
	if p == nil {
		return "", problem.Unauthorized.New("this operation needs a credential")
	}
	return p.Subject, nil
}

// gone is err, or a 401 where the caller's own account was not found.
func gone(err error) error {
	if errors.Is(err, sqldb.ErrNotFound) {
		return problem.Unauthorized.Wrap(err, "the account of the credential is gone")
	}
	return err
}

// view returns an account as its owner sees it.
func (u User) view() (api.User, error) {
	id, err := uuid.Parse(u.ID)
	return api.User{
		Id: id, Username: u.Username, Email: present(u.Email), DisplayName: present(u.DisplayName), Roles: apiRoles(u.Roles),
		Scopes: u.Scopes, CreatedAt: u.CreatedAt,
	}, err
}

func present(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func apiRoles(names []string) []api.Role {
	roles := make([]api.Role, 0, len(names))
	for _, name := range names {
		if role := api.Role(name); role.Valid() { // one that the document no longer has holds nothing
			roles = append(roles, role)
		}
	}
	return roles
}

// GetCurrentUser answers the caller's account.
func (h *Handlers) GetCurrentUser(ctx context.Context, _ api.GetCurrentUserRequestObject) (api.GetCurrentUserResponseObject, error) {
	id, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	u, err := h.Accounts.Find(ctx, id)
	if err != nil {
		return nil, gone(err)
	}
	view, err := u.view()
	return api.GetCurrentUser200JSONResponse(view), err
}

// PatchCurrentUser changes the caller's profile.
func (h *Handlers) PatchCurrentUser(ctx context.Context, request api.PatchCurrentUserRequestObject) (api.PatchCurrentUserResponseObject, error) {
	id, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	name := request.Body.DisplayName
	if name.IsSpecified() {
		text, _ := name.Get() // null is no text, and removes the name
		if err := h.Accounts.SetDisplayName(ctx, id, text); err != nil {
			return nil, gone(err)
		}
	}
	u, err := h.Accounts.Find(ctx, id)
	if err != nil {
		return nil, gone(err)
	}
	view, err := u.view()
	return api.PatchCurrentUser200JSONResponse(view), err
}

// DeleteCurrentUser deletes the caller's account.
func (h *Handlers) DeleteCurrentUser(ctx context.Context, request api.DeleteCurrentUserRequestObject) (api.DeleteCurrentUserResponseObject, error) {
	id, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	if err := h.Accounts.DeleteOwn(ctx, id, auth.Secret(request.Body.CurrentPassword)); err != nil {
		return nil, gone(err)
	}
	return api.DeleteCurrentUser204Response{}, nil
}

// ChangePassword changes the caller's password.
func (h *Handlers) ChangePassword(ctx context.Context, request api.ChangePasswordRequestObject) (api.ChangePasswordResponseObject, error) {
	p := auth.FromContext(ctx)
	if p == nil {
		return nil, problem.Unauthorized.New("this operation needs a credential")
	}
	err := h.Accounts.ChangePassword(ctx, p.Subject, auth.Secret(request.Body.CurrentPassword), auth.Secret(request.Body.NewPassword), p.SessionID)
	if err != nil {
		return nil, gone(err)
	}
	return api.ChangePassword204Response{}, nil
}
