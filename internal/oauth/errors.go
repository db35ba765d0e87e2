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

// Reason sorts what is wrong with a token for those who count: most is a form that no token of ours has.
func (r refusal) Reason() auth.Reason {
	switch r {
	case "the signature is not that of the key":
		return auth.Forged
	case "kid names no key in force", "kid names no key of the client":
		return auth.Unknown
	case "exp has passed", "nbf has not come", "iat is in the future":
		return auth.Expired
	case "iss is not ours", "aud does not name us", "aud does not name us alone", "typ is not that of an access token", "typ is not that of an assertion":
		return auth.Misplaced
	}
	return auth.Malformed
}

// ended is the refusal of a token that was good, until what auth.Exceptions names ended it.
type ended struct{ refusal }

func (ended) Reason() auth.Reason { return auth.Ended }
