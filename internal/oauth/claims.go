package oauth

import (
	"slices"
	"strings"
	"time"
)

const (
	// leeway is how far the clocks of two machines may be apart.
	leeway = 30 * time.Second
	// maxLifetime bounds what exp minus iat may be, whoever signed it: a token that lives for years is a password.
	maxLifetime = time.Hour
	// maxIdentifier bounds sub, client_id and jti, which are kept in memory and written to the log.
	maxIdentifier = 256
)

// Each claim is checked by a function of its own, which says what it demands. All of them run on what preparse read.

// checkType demands the type of an access token (RFC 9068 §4), so that an ID token or a logout token of the same key
// never passes for one. Media types have no case, and "application/" may be left out (RFC 7515 §4.1.9).
func checkType(typ string) error {
	if !strings.EqualFold(typ, accessTokenType) && !strings.EqualFold(typ, "application/"+accessTokenType) {
		return refusal("typ is not that of an access token")
	}
	return nil
}

// checkAlgorithm demands the algorithm of the key. The key decides, never the token (RFC 8725 §3.1).
func checkAlgorithm(alg string, k *key) error {
	if alg != k.algorithm {
		return refusal("alg is not that of the key")
	}
	return nil
}

// checkIssuer demands our issuer, byte for byte: two spellings of one URL are two issuers (RFC 9207 §2.4).
func checkIssuer(c *claims, issuer string) error {
	if c.iss == "" || c.iss != issuer {
		return refusal("iss is not ours")
	}
	return nil
}

// checkAudience demands that the token was made for us.
func checkAudience(c *claims, audience string) error {
	if audience == "" || !slices.Contains(c.aud, audience) {
		return refusal("aud does not name us")
	}
	return nil
}

// checkExpiry demands exp, not passed.
func checkExpiry(c *claims, now time.Time) error {
	if c.exp == 0 {
		return refusal("exp is missing")
	}
	if !now.Before(time.Unix(c.exp, 0).Add(leeway)) {
		return refusal("exp has passed")
	}
	return nil
}

// checkNotBefore demands that nbf, where there is one, has come.
func checkNotBefore(c *claims, now time.Time) error {
	if c.nbf != 0 && now.Before(time.Unix(c.nbf, 0).Add(-leeway)) {
		return refusal("nbf has not come")
	}
	return nil
}

// checkIssuedAt demands iat, not in the future. Without it a not-before mark could not end the token.
func checkIssuedAt(c *claims, now time.Time) error {
	if c.iat == 0 {
		return refusal("iat is missing")
	}
	if now.Before(time.Unix(c.iat, 0).Add(-leeway)) {
		return refusal("iat is in the future")
	}
	return nil
}

// checkLifetime demands that the token ends after it starts, and soon.
func checkLifetime(c *claims) error {
	if c.exp <= c.iat || c.exp-c.iat > int64(maxLifetime/time.Second) {
		return refusal("exp minus iat is out of range")
	}
	return nil
}

// checkSubject demands sub.
func checkSubject(c *claims) error {
	return checkIdentifier(c.sub, refusal("sub is missing or too long"))
}

// checkClient demands client_id (RFC 9068 §2.2).
func checkClient(c *claims) error {
	return checkIdentifier(c.clientID, refusal("client_id is missing or too long"))
}

// checkTokenID demands jti.
func checkTokenID(c *claims) error {
	return checkIdentifier(c.jti, refusal("jti is missing or too long"))
}

func checkIdentifier(value string, wrong refusal) error {
	if len(value) == 0 || len(value) > maxIdentifier {
		return wrong
	}
	return nil
}

// checkSession bounds sid, where there is one: the token of a client that acts for itself has none.
func checkSession(c *claims) error {
	if len(c.sid) > maxIdentifier {
		return refusal("sid is too long")
	}
	return nil
}

// checkScope demands the syntax of RFC 6749 §3.3, where there is a scope: names of visible ASCII but " and \, one space
// between two. A token without scope allows what needs none.
func checkScope(c *claims) error {
	if c.scope == nil {
		return nil
	}
	const wrong = refusal("scope has a wrong syntax")
	previous := byte(' ')
	for i := range len(*c.scope) {
		b := (*c.scope)[i]
		switch {
		case b == ' ' && previous == ' ', b < ' ', b > '~', b == '"', b == '\\':
			return wrong
		}
		previous = b
	}
	if previous == ' ' { // Empty, or a space at the end.
		return wrong
	}
	return nil
}

// checkUnbound refuses a token that is bound to a key of its holder (cnf of RFC 7800), because nothing here asks the holder
// to prove it: taken as a plain bearer token it would lose the protection that it was made for.
func checkUnbound(c *claims) error {
	if c.bound {
		return refusal("cnf binds the token to a key")
	}
	return nil
}
