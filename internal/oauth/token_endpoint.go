package oauth

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"time"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/session"
	"example.com/gatehouse/internal/sqldb"
)

// Users says who a user is.
type Users interface {
	// AuthenticateOn returns auth.ErrInvalidCredential where the password is nobody's, the same for a wrong one and an unknown
	// name; any other error means that it could not tell.
	AuthenticateOn(ctx context.Context, c auth.Basic, device auth.Secret) (*auth.Principal, error)
	// NewDevice returns what a device that has just logged in is known by later, and for how long.
	NewDevice(username string) (auth.Secret, time.Duration, error)
	// Principal returns what a user may do now, or auth.ErrInvalidCredential where the account has ended.
	Principal(ctx context.Context, id string) (*auth.Principal, error)
	// Username returns what a user logs in with.
	Username(ctx context.Context, id string) (string, error)
}

// Handlers answers the OAuth operations. All fields but PasswordGrant are required.
type Handlers struct {
	DB       *sqldb.DB
	Users    Users
	Clients  *Clients
	Sessions *session.Store
	Signer   *Signer
	Verifier *Verifier
	Keys     *Keys
	// RefreshKey makes refresh tokens. It is derived from the secret of the server and used for nothing else.
	RefreshKey [32]byte
	// LoginKey makes the cookies of the pages, in the same way.
	LoginKey [32]byte
	// PasswordGrant offers the password grant, which RFC 9700 §2.4 advises against.
	PasswordGrant bool
	// SendsMail says that who has forgotten the password can ask for a mail.
	SendsMail bool
	// DeclaredScopes are all scopes of the document.
	DeclaredScopes auth.Scopes
	// ScopeDescriptions say on the consent page what a scope allows.
	ScopeDescriptions map[string]string
	Log               *slog.Logger
}

// CreateToken is the token endpoint, RFC 6749 §3.2.
func (h *Handlers) CreateToken(ctx context.Context, request api.CreateTokenRequestObject) (api.CreateTokenResponseObject, error) {
	form := request.Body
	if form == nil {
		return nil, InvalidRequest.New("the request has no form")
	}
	client, err := h.client(ctx, clientForm{form.ClientId, form.ClientSecret, form.ClientAssertion})
	if err != nil {
		return nil, err
	}
	if form.GrantType == api.TokenRequestGrantTypePassword && !h.PasswordGrant {
		return nil, UnsupportedGrantType.New("the password grant is switched off")
	}
	if !client.may(string(form.GrantType)) {
		return nil, UnauthorizedClient.New("the client may not use this grant")
	}
	requested, err := h.requestedScopes(form.Scope)
	if err != nil {
		return nil, err
	}
	switch form.GrantType {
	case api.TokenRequestGrantTypeAuthorizationCode:
		return h.code(ctx, client, form)
	case api.TokenRequestGrantTypePassword:
		return h.password(ctx, client, form, requested)
	case api.TokenRequestGrantTypeRefreshToken:
		return h.refresh(ctx, client, *form.RefreshToken, form.Scope, requested)
	default:
		return h.clientCredentials(client, form.Scope, requested)
	}
}

// requestedScopes returns what the client asks for: all declared scopes where it asks for nothing. It is checked before
// the password, because it costs nothing and does not depend on the user.
func (h *Handlers) requestedScopes(scope *string) (auth.Scopes, error) {
	if scope == nil {
		return h.DeclaredScopes, nil
	}
	requested := auth.NewScopes(strings.Split(*scope, " ")...)
	if !h.DeclaredScopes.Has(requested...) {
		return nil, InvalidScope.New("a requested scope is unknown: the document at /openapi.yaml lists all of them")
	}
	return requested, nil
}

// passwordDeprecated is when RFC 9700 was published, which advises against the password grant (RFC 9745 §2.1).
const passwordDeprecated = "@1735689600"

// password is the password grant, RFC 6749 §4.3. Only the built-in client has it: what belongs to somebody else must never see a
// password.
func (h *Handlers) password(ctx context.Context, client Client, form *api.TokenRequest, requested auth.Scopes) (api.CreateTokenResponseObject, error) {
	user, err := h.authenticate(ctx, auth.Basic{Username: *form.Username, Password: auth.Secret(*form.Password)}, "")
	if err != nil {
		return nil, err
	}
	granted := requested.Intersect(client.Scopes).Intersect(user.Scopes)
	if form.Scope != nil && len(granted) == 0 {
		return nil, InvalidScope.New("the user holds none of the requested scopes")
	}
	begun, err := h.begin(ctx, session.New{UserID: user.Subject, ClientID: client.ID, Scopes: granted, IssuedAt: user.IssuedAt}, nil)
	if err != nil {
		return nil, err
	}
	answer, err := h.issue(client, begun, granted)
	if err != nil {
		return nil, err
	}
	deprecated := passwordDeprecated
	answer.Headers.Deprecation = &deprecated
	return answer, nil
}

// begin begins the session of who has just given a password, with what else the transaction does.
func (h *Handlers) begin(ctx context.Context, n session.New, also func(*sql.Tx) error) (begun session.Session, err error) {
	err = h.DB.Write(ctx, func(tx *sql.Tx) error {
		begun, err = h.Sessions.Start(ctx, tx, n)
		if err != nil || also == nil {
			return err
		}
		return also(tx)
	})
	if errors.Is(err, session.ErrChanged) {
		// Whether the password is still good, the next attempt says.
		err = unavailable(err, "the account has changed during the login: try again")
	}
	return begun, err
}

func (h *Handlers) authenticate(ctx context.Context, credential auth.Basic, device auth.Secret) (*auth.Principal, error) {
	user, err := h.Users.AuthenticateOn(ctx, credential, device)
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
	return nil, unavailable(err, "the password could not be checked: try again later")
}

// refresh is the grant of RFC 6749 §6. The scopes of a session never grow, and shrink with what the user and the client may
// do now.
func (h *Handlers) refresh(ctx context.Context, client Client, token string, scope *string, requested auth.Scopes) (api.CreateTokenResponseObject, error) {
	const wrong = "the refresh token is not good: log in again"
	id, generation, ours := h.refreshTokens().read(token)
	if !ours {
		return nil, InvalidGrant.New(wrong)
	}
	// The session is asked before it is used: a refusal for another reason must not use the token up.
	found, err := h.Sessions.Find(ctx, id)
	if err != nil {
		return nil, h.refused(err, wrong)
	}
	user, err := h.Users.Principal(ctx, found.UserID)
	if err != nil {
		return nil, h.refused(err, wrong)
	}
	if scope != nil && !found.Scopes.Has(requested...) {
		return nil, InvalidScope.New("a requested scope was not granted when the session began")
	}
	rotated, err := h.Sessions.Rotate(ctx, id, client.ID, generation)
	if errors.Is(err, session.ErrReused) {
		h.Log.Warn("a refresh token was used twice: its session has ended", "event", "authn_token_reuse", "session", id, "client", client.ID)
	}
	if err != nil {
		return nil, h.refused(err, wrong)
	}
	return h.issue(client, rotated, requested.Intersect(rotated.Scopes).Intersect(client.Scopes).Intersect(user.Scopes))
}

// refused sorts what makes a refresh token no good from what could not tell: a client that hears invalid_grant throws its token away.
func (h *Handlers) refused(err error, detail string) error {
	for _, no := range []error{sqldb.ErrNotFound, auth.ErrInvalidCredential, session.ErrReused, session.ErrChanged} {
		if errors.Is(err, no) {
			return InvalidGrant.Wrap(err, detail)
		}
	}
	return err
}

// clientCredentials is the grant of RFC 6749 §4.4: the client acts for itself. It has no session and no refresh token (§4.4.3).
func (h *Handlers) clientCredentials(client Client, scope *string, requested auth.Scopes) (api.CreateTokenResponseObject, error) {
	granted := requested.Intersect(client.Scopes)
	if scope != nil && len(granted) == 0 {
		return nil, InvalidScope.New("the client holds none of the requested scopes")
	}
	return h.issue(client, session.Session{UserID: client.ID}, granted)
}

// issue makes the answer of RFC 6749 §5.1: an access token, and the refresh token of a session where there is one.
func (h *Handlers) issue(client Client, s session.Session, granted auth.Scopes) (api.CreateToken200JSONResponse, error) {
	token, err := h.Signer.Sign(Grant{Subject: s.UserID, ClientID: client.ID, SessionID: s.ID, Scopes: granted})
	if err != nil {
		return api.CreateToken200JSONResponse{}, err
	}
	answer := api.CreateToken200JSONResponse{
		Body: api.TokenResponse{
			AccessToken: token,
			TokenType:   api.TokenResponseTokenTypeBearer,
			ExpiresIn:   int32(Lifetime / time.Second),
			Scope:       strings.Join(granted, " "),
		},
		Headers: api.CreateToken200ResponseHeaders{CacheControl: "no-store", Pragma: "no-cache"},
	}
	if s.ID == "" || !client.may(GrantRefreshToken) {
		return answer, nil
	}
	next, err := h.refreshTokens().of(s)
	if err != nil {
		return answer, err
	}
	text := next.Reveal()
	answer.Body.RefreshToken = &text
	return answer, nil
}

// unavailable is the answer where a store could not tell.
func unavailable(err error, detail string) error {
	e := problem.Unavailable.Wrap(err, detail)
	e.RetryAfter = retryAfter
	return e
}

// retryAfter is what a client should wait when the store is down: long enough to let it come back, short enough for a person.
const retryAfter = 5 * time.Second
