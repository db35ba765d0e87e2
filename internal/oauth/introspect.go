package oauth

import (
	"context"
	"errors"
	"strings"
	"time"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/sqldb"
)

// Inspected is what an access token that is in force says.
type Inspected struct {
	Principal *auth.Principal
	ExpiresAt time.Time
}

// Inspect proves an access token as Verify does, and says more about it. It remembers nothing.
func (v *Verifier) Inspect(ctx context.Context, bearer auth.BearerToken) (Inspected, error) {
	now := auth.Time(ctx, v.config.Now)
	parsed, err := preparse(bearer.Reveal())
	if err != nil {
		return Inspected{}, err
	}
	k, err := v.key(&parsed.header, now)
	if err != nil {
		return Inspected{}, err
	}
	if err := v.check(bearer.Reveal(), k, &parsed.claims, now); err != nil {
		return Inspected{}, err
	}
	p := newPrincipal(&parsed.claims)
	if reason := v.config.Exceptions.Reason(p); reason != "" {
		return Inspected{}, refusal(reason)
	}
	return Inspected{Principal: p, ExpiresAt: time.Unix(parsed.claims.exp, 0).UTC()}, nil
}

// IntrospectToken tells a confidential client about a token, RFC 7662. What is not in force, or none of the client's business, is not
// active, and nothing else is said of it (§2.2).
func (h *Handlers) IntrospectToken(ctx context.Context, request api.IntrospectTokenRequestObject) (api.IntrospectTokenResponseObject, error) {
	form := request.Body
	if form == nil {
		return nil, InvalidRequest.New("the request has no form")
	}
	client, err := h.client(ctx, clientForm{form.ClientId, form.ClientSecret, form.ClientAssertion})
	if err != nil {
		return nil, err
	}
	if !client.Confidential() {
		return nil, InvalidClient.New("only a client that authenticates itself may ask about tokens (RFC 7662 §2.1)")
	}
	said, err := h.introspect(ctx, client, form.Token)
	if err != nil {
		return nil, err
	}
	return api.IntrospectToken200JSONResponse{Body: said, Headers: api.IntrospectToken200ResponseHeaders{CacheControl: "no-store", Pragma: "no-cache"}}, nil
}

func (h *Handlers) introspect(ctx context.Context, client Client, token string) (api.IntrospectionResponse, error) {
	if id, generation, ours := (h.refreshTokens()).read(token); ours {
		s, err := h.Sessions.Find(ctx, id)
		if errors.Is(err, sqldb.ErrNotFound) || err == nil && (s.ClientID != client.ID || s.Generation != generation) {
			return api.IntrospectionResponse{Active: false}, nil
		}
		if err != nil {
			return api.IntrospectionResponse{}, err
		}
		end := s.IdleAt
		if s.ExpiresAt.Before(end) {
			end = s.ExpiresAt
		}
		scope, exp, iat := strings.Join(s.Scopes, " "), end.Unix(), s.RotatedAt.Unix()
		return api.IntrospectionResponse{Active: true, Scope: &scope, ClientId: &s.ClientID, Exp: &exp, Iat: &iat, Sub: &s.UserID, Iss: &h.Signer.Issuer}, nil
	}
	t, err := h.Verifier.Inspect(ctx, auth.BearerToken{Secret: auth.Secret(token)})
	if errors.Is(err, auth.ErrInvalidCredential) {
		return api.IntrospectionResponse{Active: false}, nil
	}
	if err != nil {
		return api.IntrospectionResponse{}, err
	}
	p, bearer := t.Principal, api.IntrospectionResponseTokenTypeBearer
	scope, exp, iat := strings.Join(p.Scopes, " "), t.ExpiresAt.Unix(), p.IssuedAt.Unix()
	return api.IntrospectionResponse{Active: true, Scope: &scope, ClientId: &p.ClientID, TokenType: &bearer, Exp: &exp, Iat: &iat,
		Sub: &p.Subject, Aud: &h.Signer.Audience, Iss: &h.Signer.Issuer, Jti: &p.TokenID}, nil
}
