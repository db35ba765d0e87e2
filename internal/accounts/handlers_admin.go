package accounts

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb"
)

// defaultLimit is the default of the parameter limit in openapi.yaml.
const defaultLimit = 20

// missing is err, or a 404 where the account was not found: one that is deleted is answered like one that never was.
func missing(err error) error {
	if errors.Is(err, sqldb.ErrNotFound) {
		return problem.NotFound.Wrap(err, "there is no such account")
	}
	return err
}

// managedView returns an account as an administrator sees it.
func (u User) managedView() (api.ManagedUser, error) {
	id, err := uuid.Parse(u.ID)
	return api.ManagedUser{
		Id: id, Username: u.Username, Email: present(u.Email), EmailVerified: u.Verified, DisplayName: present(u.DisplayName),
		Roles: apiRoles(u.Roles), Scopes: u.Scopes, Disabled: u.Disabled, CreatedAt: u.CreatedAt,
	}, err
}

// ListUsers answers a page of accounts.
func (h *Handlers) ListUsers(ctx context.Context, request api.ListUsersRequestObject) (api.ListUsersResponseObject, error) {
	q := Query{Disabled: request.Params.Disabled, Cursor: request.Params.Cursor, Limit: defaultLimit}
	if request.Params.Search != nil {
		q.Search = *request.Params.Search
	}
	if request.Params.Limit != nil {
		q.Limit = int(*request.Params.Limit)
	}
	users, next, err := h.Accounts.List(ctx, q)
	if err != nil {
		return nil, err
	}
	page := api.ListUsers200JSONResponse{Users: make([]api.ManagedUser, 0, len(users)), NextCursor: next}
	for _, u := range users {
		view, err := u.managedView()
		if err != nil {
			return nil, err
		}
		page.Users = append(page.Users, view)
	}
	return page, nil
}

// GetUser answers an account.
func (h *Handlers) GetUser(ctx context.Context, request api.GetUserRequestObject) (api.GetUserResponseObject, error) {
	u, err := h.Accounts.Find(ctx, request.UserId.String())
	if err != nil {
		return nil, missing(err)
	}
	view, err := u.managedView()
	return api.GetUser200JSONResponse(view), err
}

// PatchUser changes the roles of an account, and disables or enables it.
func (h *Handlers) PatchUser(ctx context.Context, request api.PatchUserRequestObject) (api.PatchUserResponseObject, error) {
	id := request.UserId.String()
	p := Patch{Disabled: request.Body.Disabled}
	if request.Body.Roles != nil {
		roles := make([]string, 0, len(*request.Body.Roles))
		for _, role := range *request.Body.Roles {
			roles = append(roles, string(role))
		}
		p.Roles = &roles
	}
	if err := h.Accounts.Patch(ctx, id, p); err != nil {
		return nil, missing(err)
	}
	u, err := h.Accounts.Find(ctx, id)
	if err != nil {
		return nil, missing(err)
	}
	view, err := u.managedView()
	return api.PatchUser200JSONResponse(view), err
}

// DeleteUser deletes an account.
func (h *Handlers) DeleteUser(ctx context.Context, request api.DeleteUserRequestObject) (api.DeleteUserResponseObject, error) {
	if err := h.Accounts.Delete(ctx, request.UserId.String()); err != nil {
		return nil, missing(err)
	}
	return api.DeleteUser204Response{}, nil
}
