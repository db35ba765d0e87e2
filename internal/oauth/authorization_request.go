package oauth

import (
	"net/url"

	"example.com/gatehouse/gen/api"
)

// member is a parameter of an authorization request.
type member struct {
	name  string
	value **string
}

func members(r *api.AuthorizationRequest) []member {
	return []member{
		{"response_type", &r.ResponseType}, {"client_id", &r.ClientId}, {"redirect_uri", &r.RedirectUri}, {"scope", &r.Scope}, {"state", &r.State},
		{"code_challenge", &r.CodeChallenge}, {"code_challenge_method", &r.CodeChallengeMethod}, {"response_mode", &r.ResponseMode},
		{"nonce", &r.Nonce}, {"prompt", &r.Prompt}, {"max_age", &r.MaxAge}, {"login_hint", &r.LoginHint}, {"request", &r.Request}, {"request_uri", &r.RequestUri},
	}
}

// text is the value of a parameter, "" where it was not sent.
func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// query returns the request as a query: the pages carry it from step to step, so that the service keeps nothing of those who go away.
func query(r *api.AuthorizationRequest) string {
	values := url.Values{}
	for _, m := range members(r) {
		if *m.value != nil {
			values.Set(m.name, **m.value)
		}
	}
	return values.Encode()
}

// parseQuery reads what query returned. A person can have changed it, as one can change an address: it is judged again.
func parseQuery(query string) (api.AuthorizationRequest, error) {
	var r api.AuthorizationRequest
	values, err := url.ParseQuery(query)
	if err != nil {
		return r, InvalidRequest.New("request is not the query of an authorization request")
	}
	for _, m := range members(&r) {
		switch list := values[m.name]; len(list) {
		case 0:
		case 1:
			*m.value = &list[0]
		default:
			return r, InvalidRequest.New("request has a parameter twice")
		}
	}
	return r, nil
}

// authorizeAt is the address of the authorization endpoint with the request.
func authorizeAt(r *api.AuthorizationRequest) string { return "/authorize?" + query(r) }
