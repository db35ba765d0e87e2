package guard

import (
	"slices"
	"strings"
)

// quote writes s as a quoted-string (RFC 9110 §5.6.4).
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
	return b.String()
}

// BasicChallenge is the challenge of RFC 7617 §2 and §2.1 for the realm.
func BasicChallenge(realm string) string {
	return `Basic realm=` + quote(realm) + `, charset="UTF-8"`
}

func bearerChallenge(realm, parameters string) string {
	return `Bearer realm=` + quote(realm) + parameters
}

const (
	bearerInvalidToken   = `, error="invalid_token", error_description="the token is not valid"`
	bearerInvalidRequest = `, error="invalid_request", error_description="send one token, in one place"`
)

// bearerScope is the challenge of RFC 6750 §3.1 for a token that lacks one of scopes.
func bearerScope(realm string, scopes []string) string {
	return bearerChallenge(realm, `, error="insufficient_scope", scope=`+quote(strings.Join(scopes, " ")))
}

// challenges returns one challenge for each scheme, identical ones once. bearer is what a Bearer challenge adds.
func challenges(realm string, uses []schemeUse, bearer string) []string {
	var list []string
	for i := range uses {
		var c string
		switch {
		case uses[i].Basic != nil:
			c = BasicChallenge(realm)
		case uses[i].Bearer != nil:
			c = bearerChallenge(realm, bearer)
		case uses[i].MutualTLS != nil:
			c = `ClientCertificate realm=` + quote(realm)
		default:
			c = `APIKey realm=` + quote(realm)
		}
		if !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	return slices.Clip(list)
}
