package oauth

import (
	"context"
	"errors"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/sqldb"
)

// RevokeToken ends a token of the client, RFC 7009. The hint is not looked at: what a token is, it says itself (§2.1).
func (h *Handlers) RevokeToken(ctx context.Context, request api.RevokeTokenRequestObject) (api.RevokeTokenResponseObject, error) {
	form := request.Body
	if form == nil {
		return nil, InvalidRequest.New("the request has no form")
	}
	client, err := h.client(ctx, clientForm{form.ClientId, form.ClientSecret, form.ClientAssertion})
	if err != nil {
		return nil, err
	}
	if err := h.revoke(ctx, client, form.Token); err != nil {
		return nil, err
	}
	return api.RevokeToken200Response{Headers: api.RevokeToken200ResponseHeaders{CacheControl: "no-store", Pragma: "no-cache"}}, nil
}

func (h *Handlers) revoke(ctx context.Context, client Client, token string) error {
	if id, _, ours := (h.refreshTokens()).read(token); ours {
		s, err := h.Sessions.Find(ctx, id)
		if errors.Is(err, sqldb.ErrNotFound) {
			return nil // it has ended
		}
		if err != nil {
			return err
		}
		if s.ClientID != client.ID {
			return UnauthorizedClient.New("the token was issued to another client")
		}
		if err := h.Sessions.End(ctx, id, s.UserID); !errors.Is(err, sqldb.ErrNotFound) {
			return err
		}
		return nil
	}
	t, err := h.Verifier.Inspect(ctx, auth.BearerToken{Secret: auth.Secret(token)})
	if errors.Is(err, auth.ErrInvalidCredential) {
		return nil // it is no token, or has ended
	}
	if err != nil {
		return err
	}
	if t.Principal.ClientID != client.ID {
		return UnauthorizedClient.New("the token was issued to another client")
	}
	return h.Sessions.RevokeToken(ctx, t.Principal.TokenID, t.ExpiresAt.Add(leeway))
}
