package accounts

import (
	"context"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
)

// GetUserinfo is the UserInfo endpoint of OpenID Connect Core §5.3.
func (h *Handlers) GetUserinfo(ctx context.Context, _ api.GetUserinfoRequestObject) (api.GetUserinfoResponseObject, error) {
	claims, err := h.userinfo(ctx)
	return api.GetUserinfo200JSONResponse(claims), err
}

// PostUserinfo is the same, asked with POST.
func (h *Handlers) PostUserinfo(ctx context.Context, _ api.PostUserinfoRequestObject) (api.PostUserinfoResponseObject, error) {
	claims, err := h.userinfo(ctx)
	return api.PostUserinfo200JSONResponse(claims), err
}

// userinfo returns the claims that the scopes of the token allow (OpenID Connect Core §5.4). What the account does not have is
// left out (§5.3.2).
func (h *Handlers) userinfo(ctx context.Context) (api.Userinfo, error) {
	id, err := caller(ctx)
	if err != nil {
		return api.Userinfo{}, err
	}
	u, err := h.Accounts.Find(ctx, id)
	if err != nil {
		return api.Userinfo{}, gone(err)
	}
	scopes := auth.FromContext(ctx).Scopes
	claims := api.Userinfo{Sub: u.ID}
	if scopes.Has("profile") {
		claims.PreferredUsername, claims.Name = &u.Username, present(u.DisplayName)
	}
	if scopes.Has("email") && u.Email != "" {
		claims.Email, claims.EmailVerified = &u.Email, &u.Verified
	}
	return claims, nil
}
