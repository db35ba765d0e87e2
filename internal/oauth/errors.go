package oauth

import (
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
)

const urn = "urn:gatehouse:problem:oauth-"

// The errors of the OAuth operations, RFC 6749 §5.2.
var (
	InvalidRequest       = problem.Kind{Type: urn + "invalid-request", Status: 400, Title: "Invalid request", OAuthError: "invalid_request"}
	InvalidClient        = problem.Kind{Type: urn + "invalid-client", Status: 401, Title: "Invalid client", OAuthError: "invalid_client"}
	InvalidGrant         = problem.Kind{Type: urn + "invalid-grant", Status: 400, Title: "Invalid grant", OAuthError: "invalid_grant"}
	UnauthorizedClient   = problem.Kind{Type: urn + "unauthorized-client", Status: 400, Title: "Unauthorized client", OAuthError: "unauthorized_client"}
	UnsupportedGrantType = problem.Kind{Type: urn + "unsupported-grant-type", Status: 400, Title: "Unsupported grant type", OAuthError: "unsupported_grant_type"}
	InvalidScope         = problem.Kind{Type: urn + "invalid-scope", Status: 400, Title: "Invalid scope", OAuthError: "invalid_scope"}
)

// refusal is why a token is not good, for the operator. It is always a constant, of this package or of auth, so that nothing
// of the token can be in it.
type refusal string

func (r refusal) Error() string { return "invalid credential: " + string(r) }

func (r refusal) Unwrap() error { return auth.ErrInvalidCredential }
