package server

import (
	"context"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
)

// authenticators prove the credentials of each security scheme of the document.
type authenticators struct {
	passwords interface {
		Authenticate(context.Context, auth.Basic) (*auth.Principal, error)
	}
	clients interface {
		Authenticate(context.Context, auth.Basic) (*auth.Principal, error)
	}
	tokens interface {
		Verify(context.Context, auth.BearerToken) (*auth.Principal, error)
	}
	keys interface {
		Authenticate(context.Context, auth.APIKey) (*auth.Principal, error)
	}
}

var _ api.Authenticators = authenticators{}

func (a authenticators) Basic(ctx context.Context, c api.BasicCredential) (*auth.Principal, error) {
	return a.passwords.Authenticate(ctx, c)
}

func (a authenticators) Client(ctx context.Context, c api.ClientCredential) (*auth.Principal, error) {
	return a.clients.Authenticate(ctx, c)
}

func (a authenticators) Oauth2(ctx context.Context, c api.Oauth2Credential) (*auth.Principal, error) {
	return a.tokens.Verify(ctx, c)
}

func (a authenticators) ApiKeyHeader(ctx context.Context, c api.ApiKeyHeaderCredential) (*auth.Principal, error) {
	return a.keys.Authenticate(ctx, c)
}

func (a authenticators) ApiKeyBearer(ctx context.Context, c api.ApiKeyBearerCredential) (*auth.Principal, error) {
	return a.keys.Authenticate(ctx, auth.APIKey(c))
}

func (a authenticators) ApiKeyQuery(ctx context.Context, c api.ApiKeyQueryCredential) (*auth.Principal, error) {
	return a.keys.Authenticate(ctx, c)
}

func (a authenticators) ApiKeyCookie(ctx context.Context, c api.ApiKeyCookieCredential) (*auth.Principal, error) {
	return a.keys.Authenticate(ctx, c)
}
