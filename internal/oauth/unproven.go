package oauth

import (
	"time"

	"example.com/gatehouse/internal/auth"
)

// Unproven is what a token says. Anybody may have written it.
type Unproven struct {
	Algorithm, KeyID, Type                        string
	Issuer, Subject, ClientID, SessionID, TokenID string
	Audience                                      []string
	Scope                                         string
	IssuedAt, NotBefore, ExpiresAt                time.Time
}

// ReadUnproven reads a token in the grammar of Verify, and proves nothing: for an operator who wants to know what it is that is refused.
func ReadUnproven(token auth.BearerToken) (Unproven, error) {
	parsed, err := preparse(token.Reveal())
	if err != nil {
		return Unproven{}, err
	}
	h, c := parsed.header, parsed.claims
	u := Unproven{
		Algorithm: h.alg, KeyID: h.kid, Type: h.typ,
		Issuer: c.iss, Subject: c.sub, ClientID: c.clientID, SessionID: c.sid, TokenID: c.jti, Audience: c.aud,
		IssuedAt: unixTime(c.iat), NotBefore: unixTime(c.nbf), ExpiresAt: unixTime(c.exp),
	}
	if c.scope != nil {
		u.Scope = *c.scope
	}
	return u, nil
}

// unixTime returns the zero time where a claim is not there.
func unixTime(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
