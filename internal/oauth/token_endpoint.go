package oauth

import (
	"context"
	"errors"
	"strings"
	"time"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
)

// FirstParty is the built-in public client: what the service itself ships, with no secret to keep.
const FirstParty = "first-party"

// PasswordAuthenticator says whose password it is. It returns auth.ErrInvalidCredential where it is nobody's, the
// same for a wrong password and an unknown name; any other error means that it could not tell.
type PasswordAuthenticator interface {
	Authenticate(context.Context, auth.Basic) (*auth.Principal, error)
}

// TokenHandlers answers the OAuth operations. All fields are required.
type TokenHandlers struct {
	Passwords PasswordAuthenticator
	Signer    *Signer
	Keys      *Keys
	// DeclaredScopes are all scopes of the document.
	DeclaredScopes auth.Scopes
}

// CreateToken is the password grant, RFC 6749 §4.3, for first-party clients only. A client that authenticates with an
// Authorization header is not known yet: the header is not looked at, as there are no confidential clients.
func (h *TokenHandlers) CreateToken(ctx context.Context, request api.CreateTokenRequestObject) (api.CreateTokenResponseObject, error) {
	form := request.Body
	if form == nil {
		return nil, InvalidRequest.New("the request has no form")
	}
	client, err := identifyClient(form)
	if err != nil {
		return nil, err
	}
	if form.GrantType != api.TokenRequestGrantTypePassword {
		return nil, UnsupportedGrantType.New("grant_type must be password")
	}
	requested, err := h.requestedScopes(form)
	if err != nil {
		return nil, err
	}
	user, err := h.authenticate(ctx, form)
	if err != nil {
		return nil, err
	}
	granted := requested.Intersect(user.Scopes)
	if form.Scope != nil && len(granted) == 0 {
		return nil, InvalidScope.New("the user holds none of the requested scopes")
	}
	token, err := h.Signer.Sign(Grant{Subject: user.Subject, ClientID: client, Scopes: granted})
	if err != nil {
		return nil, err
	}
	return api.CreateToken200JSONResponse{
		Body: api.TokenResponse{
			AccessToken: token,
			TokenType:   api.TokenResponseTokenTypeBearer,
			ExpiresIn:   int32(Lifetime / time.Second),
			Scope:       strings.Join(granted, " "),
		},
		Headers: api.CreateToken200ResponseHeaders{CacheControl: "no-store", Pragma: "no-cache"},
	}, nil
}

// identifyClient returns the client that the request acts as. A secret is refused whatever it is: the public client has
// none, and to ignore it would tell a misconfigured confidential client that its secret is good.
func identifyClient(form *api.TokenRequest) (string, error) {
	if form.ClientId != nil && *form.ClientId != FirstParty {
		return "", InvalidClient.New("the client is unknown: leave client_id out to act as the first-party client")
	}
	if form.ClientSecret != nil {
		return "", InvalidClient.New("the first-party client has no secret: leave client_secret out")
	}
	return FirstParty, nil
}

// requestedScopes returns what the client asks for: all declared scopes where it asks for nothing. It is checked before
// the password, because it costs nothing and does not depend on the user.
func (h *TokenHandlers) requestedScopes(form *api.TokenRequest) (auth.Scopes, error) {
	if form.Scope == nil {
		return h.DeclaredScopes, nil
	}
	requested := auth.NewScopes(strings.Split(*form.Scope, " ")...)
	if !h.DeclaredScopes.Has(requested...) {
		return nil, InvalidScope.New("a requested scope is unknown: the document at /openapi.yaml lists all of them")
	}
	return requested, nil
}

func (h *TokenHandlers) authenticate(ctx context.Context, form *api.TokenRequest) (*auth.Principal, error) {
	user, err := h.Passwords.Authenticate(ctx, auth.Basic{Username: form.Username, Password: auth.Secret(form.Password)})
	if err == nil {
		return user, nil
	}
	if errors.Is(err, auth.ErrInvalidCredential) {
		return nil, InvalidGrant.Wrap(err, "the username or the password is wrong")
	}
	if known := (*problem.Error)(nil); errors.As(err, &known) {
		return nil, known
	}
	// Never invalid_grant: a client that hears it throws away a good password.
	unavailable := problem.Unavailable.Wrap(err, "the password could not be checked: try again later")
	unavailable.RetryAfter = retryAfter
	return nil, unavailable
}

// retryAfter is what a client should wait when the store is down: long enough to let it come back, short enough for a person.
const retryAfter = 5 * time.Second
