package oauth

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb"
)

// The errors that an authorization request is answered with, RFC 6749 §4.1.2.1 and OpenID Connect Core §3.1.2.6.
var (
	UnsupportedResponseType = problem.Kind{Type: urn + "unsupported-response-type", Status: 400, Title: "Unsupported response type", OAuthError: "unsupported_response_type"}
	AccessDenied            = problem.Kind{Type: urn + "access-denied", Status: 403, Title: "Access denied", OAuthError: "access_denied"}
	LoginRequired           = problem.Kind{Type: urn + "login-required", Status: 403, Title: "Login required", OAuthError: "login_required"}
	ConsentRequired         = problem.Kind{Type: urn + "consent-required", Status: 403, Title: "Consent required", OAuthError: "consent_required"}
	RequestNotSupported     = problem.Kind{Type: urn + "request-not-supported", Status: 400, Title: "Request not supported", OAuthError: "request_not_supported"}
	RequestURINotSupported  = problem.Kind{Type: urn + "request-uri-not-supported", Status: 400, Title: "Request URI not supported", OAuthError: "request_uri_not_supported"}
)

// The bounds of what is kept of a request until its token is issued. The document states them too; the pages send the request back as
// one text, which it does not look into.
const (
	maxState = 2000
	maxNonce = 500
)

// authorization is an authorization request whose client and redirect URI are good: from there on, errors go to the client.
type authorization struct {
	api.AuthorizationRequest
	client      Client
	redirectURI string
	// The rest is there where the request is good.
	scopes  auth.Scopes
	prompts []string
	maxAge  time.Duration // negative: any login will do
}

// authorization judges a request. Where only the error is returned, the person is told, and never sent away: the address may be an
// attacker's (RFC 6749 §4.1.2.1). Where both are returned, the client is told.
func (h *Handlers) authorization(ctx context.Context, r api.AuthorizationRequest) (*authorization, *problem.Error, error) {
	for _, m := range members(&r) {
		if *m.value != nil && **m.value == "" {
			*m.value = nil // RFC 6749 §3.1: one without a value counts as left out
		}
	}
	if r.ClientId == nil {
		return nil, nil, InvalidRequest.New("client_id is missing: it says which application asks")
	}
	client, err := h.Clients.Find(ctx, *r.ClientId)
	if errors.Is(err, sqldb.ErrNotFound) || err == nil && client.Disabled {
		return nil, nil, InvalidRequest.New("there is no such application: client_id is wrong")
	}
	if err != nil {
		return nil, nil, err
	}
	if r.RedirectUri == nil || !client.redirects(*r.RedirectUri) {
		return nil, nil, InvalidRequest.New("redirect_uri is not one of the application")
	}
	a := &authorization{AuthorizationRequest: r, client: client, redirectURI: *r.RedirectUri, maxAge: -1}
	return a, h.judge(a), nil
}

// judge returns what the client is told, nil where the request is good.
func (h *Handlers) judge(a *authorization) *problem.Error {
	switch {
	case len(text(a.State)) > maxState:
		a.State = nil
		return InvalidRequest.New("state is too long")
	case a.Request != nil:
		return RequestNotSupported.New("request is not supported: send the parameters themselves")
	case a.RequestUri != nil:
		return RequestURINotSupported.New("request_uri is not supported: send the parameters themselves")
	case a.ResponseType == nil:
		return InvalidRequest.New("response_type is missing: it is code")
	case *a.ResponseType != "code":
		return UnsupportedResponseType.New("response_type can only be code")
	case a.ResponseMode != nil && *a.ResponseMode != "query":
		return InvalidRequest.New("response_mode can only be query")
	case !a.client.may(GrantAuthorizationCode):
		return UnauthorizedClient.New("the client may not use this grant")
	case text(a.CodeChallengeMethod) != "S256":
		return InvalidRequest.New("code_challenge_method must be S256 (RFC 7636)")
	case !isChallenge(text(a.CodeChallenge)):
		return InvalidRequest.New("code_challenge must be a SHA-256 in base64url, which has 43 characters (RFC 7636)")
	case len(text(a.Nonce)) > maxNonce:
		return InvalidRequest.New("nonce is too long")
	}
	if a.MaxAge != nil {
		seconds, err := strconv.ParseUint(*a.MaxAge, 10, 31)
		if err != nil {
			return InvalidRequest.New("max_age must be a number of seconds")
		}
		a.maxAge = time.Duration(seconds) * time.Second
	}
	a.prompts = strings.Fields(text(a.Prompt))
	for _, p := range a.prompts {
		if !slices.Contains(prompts, p) || p == promptNone && len(a.prompts) > 1 {
			return InvalidRequest.New("prompt can be none alone, or login, consent and select_account")
		}
	}
	a.scopes = a.client.Scopes
	if a.Scope != nil {
		requested, err := h.requestedScopes(a.Scope)
		if err != nil {
			return problem.From(err)
		}
		a.scopes = requested.Intersect(a.client.Scopes)
	}
	if len(a.scopes) == 0 {
		return InvalidScope.New("the client may have none of the requested scopes")
	}
	return nil
}

// The values of prompt, OpenID Connect Core §3.1.2.1.
const (
	promptNone    = "none"
	promptLogin   = "login"
	promptConsent = "consent"
	promptAccount = "select_account"
)

var prompts = []string{promptNone, promptLogin, promptConsent, promptAccount}

func (a *authorization) prompt(values ...string) bool {
	return slices.ContainsFunc(values, func(v string) bool { return slices.Contains(a.prompts, v) })
}

// Authorize is the authorization endpoint, RFC 6749 §3.1. It asks for what is missing, a page at a time, and sends the browser
// back to the client in the end.
func (h *Handlers) Authorize(ctx context.Context, request api.AuthorizeRequestObject) (api.AuthorizeResponseObject, error) {
	var r api.AuthorizationRequest
	if request.Params.AuthorizationRequest != nil {
		r = *request.Params.AuthorizationRequest
	}
	a, refused, err := h.authorization(ctx, r)
	if err != nil {
		return nil, err
	}
	if refused != nil {
		return h.refuse(a, refused), nil
	}
	login, err := h.login(ctx, request.Params.LoginCookie)
	if err != nil {
		return nil, err
	}
	switch now := h.Sessions.Now(); {
	case login == nil, a.prompt(promptLogin, promptAccount), a.maxAge >= 0 && now.Sub(login.CreatedAt) > a.maxAge:
		if a.prompt(promptNone) {
			return h.refuse(a, LoginRequired.New("the person must log in")), nil
		}
		return h.loginPage(a, loginForm{Username: text(a.LoginHint)})
	}
	granted := a.scopes.Intersect(login.user.Scopes)
	if len(granted) == 0 {
		return h.refuse(a, InvalidScope.New("the user holds none of the requested scopes")), nil
	}
	allowed, err := h.consented(ctx, a, login, granted)
	switch {
	case err != nil:
		return nil, err
	case allowed && !a.prompt(promptConsent):
		return h.answer(ctx, a, login, granted)
	case a.prompt(promptNone):
		return h.refuse(a, ConsentRequired.New("the person must allow it")), nil
	}
	return h.consentPage(ctx, a, login, granted)
}

// AuthorizeByForm sends the browser to the query that says the same, so that there is one way in. The other site's form brings no cookie
// along, which the redirect does.
func (h *Handlers) AuthorizeByForm(_ context.Context, request api.AuthorizeByFormRequestObject) (api.AuthorizeByFormResponseObject, error) {
	if request.Body == nil {
		return nil, InvalidRequest.New("the request has no form")
	}
	return redirect{location: authorizeAt(request.Body)}, nil
}

// answer sends the browser back with a code.
func (h *Handlers) answer(ctx context.Context, a *authorization, login *login, granted auth.Scopes) (redirect, error) {
	code, err := h.issueCode(ctx, a, login, granted)
	if err != nil {
		return redirect{}, err
	}
	return h.toClient(a, url.Values{"code": {code.Reveal()}}), nil
}

// refuse sends the browser back with an error.
func (h *Handlers) refuse(a *authorization, e *problem.Error) redirect {
	return h.toClient(a, url.Values{"error": {e.Kind.OAuthError}, "error_description": {e.Detail}})
}

// toClient sends the browser back. iss says who answers, so that a client of several servers does not send the code of one to
// another (RFC 9207).
func (h *Handlers) toClient(a *authorization, answer url.Values) redirect {
	answer.Set("iss", h.Signer.Issuer)
	if a.State != nil {
		answer.Set("state", *a.State)
	}
	separator := "?"
	if strings.Contains(a.redirectURI, "?") {
		separator = "&"
	}
	return redirect{location: a.redirectURI + separator + answer.Encode()}
}
