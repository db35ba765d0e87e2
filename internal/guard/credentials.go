package guard

import (
	"encoding/base64"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"example.com/gatehouse/internal/auth"
)

// maxCredential bounds what an authenticator is given: a compact token of ours has at most 8 KiB, and a larger value
// is bad without any work on it.
const maxCredential = 8 << 10

type authKind int

const (
	authAbsent authKind = iota
	authBasic
	authBearer
	// authOther is a scheme that this service does not know, or no scheme at all.
	authOther
)

// authorization is the value of one Authorization field, taken apart but not yet judged.
type authorization struct {
	kind  authKind
	value string
}

// parseAuthorization splits a field value as RFC 9110 §11.4 says: a scheme without case, spaces, and what the scheme
// defines. A tab is no space. Spaces around the value are taken away, as FastAPI and most servers do.
func parseAuthorization(field string) authorization {
	scheme, value, _ := strings.Cut(strings.Trim(field, " "), " ")
	value = strings.TrimLeft(value, " ")
	switch {
	case strings.EqualFold(scheme, "basic"):
		return authorization{authBasic, value}
	case strings.EqualFold(scheme, "bearer"):
		return authorization{authBearer, value}
	}
	return authorization{kind: authOther}
}

// strictBase64 refuses what the standard decoder lets pass in the last quantum; line ends it lets pass even so.
var strictBase64 = base64.StdEncoding.Strict()

// parseBasic decodes the user-id and password of RFC 7617 §2. Either may be empty, as the secret of a public OAuth client is (RFC 6749
// §2.3.1): the authenticators say whether theirs may. A control character in either is refused by the RFC.
func parseBasic(value string) (credential auth.Basic, ok bool) {
	if value == "" || len(value) > maxCredential || strings.ContainsAny(value, "\r\n") {
		return auth.Basic{}, false
	}
	decoded, err := strictBase64.DecodeString(value)
	if err != nil || !utf8.Valid(decoded) {
		return auth.Basic{}, false
	}
	pair := string(decoded)
	if strings.ContainsFunc(pair, unicode.IsControl) {
		return auth.Basic{}, false
	}
	username, password, found := strings.Cut(pair, ":")
	if !found {
		return auth.Basic{}, false
	}
	return auth.Basic{Username: username, Password: auth.Secret(password)}, true
}

// validBearer reports whether value is a b64token (RFC 6750 §2.1).
func validBearer(value string) bool {
	if value == "" || len(value) > maxCredential {
		return false
	}
	end := len(value)
	for end > 0 && value[end-1] == '=' {
		end--
	}
	var strange byte
	for _, c := range []byte(value[:end]) {
		strange |= notTokenByte[c]
	}
	return strange == 0 && end > 0
}

// notTokenByte is 1 for every byte that is no character of a b64token. A table without a branch, because a token has
// half a thousand characters and every request has one.
var notTokenByte = func() (table [256]byte) {
	for i := range table {
		table[i] = 1
	}
	for _, c := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/" {
		table[c] = 0
	}
	return table
}()

// validKey reports whether value can be an API key at all.
func validKey(value string) bool {
	return len(value) <= maxCredential && strings.TrimSpace(value) != "" &&
		utf8.ValidString(value) && !strings.ContainsFunc(value, unicode.IsControl)
}

// cookieNamed returns the first cookie of the name and how many there are. It does not use http.Request.Cookie,
// which passes over a cookie whose value it does not like: a bad credential would look like none.
func cookieNamed(header http.Header, name string) (value string, count int) {
	for _, line := range header["Cookie"] {
		for line != "" {
			var pair string
			pair, line, _ = strings.Cut(line, ";")
			n, v, _ := strings.Cut(strings.Trim(pair, " \t\r\n"), "=")
			if strings.TrimRight(n, " \t\r\n") != name {
				continue
			}
			if count == 0 {
				value = v
			}
			count++
		}
	}
	return value, count
}
