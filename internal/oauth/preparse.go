package oauth

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxTokenBytes bounds what an unknown caller can make us decode: 1 MB costs 12 ms.
	maxTokenBytes = 8 << 10
	// maxDepth bounds nesting; our own tokens have a depth of 1.
	maxDepth = 16
	// maxAudiences bounds the entries of aud.
	maxAudiences = 16
)

// parsedToken is what a token says, before anyone knows whether it is true.
type parsedToken struct {
	header header
	claims claims
}

type header struct {
	alg, kid, typ string
}

// claims are those that we read. The zero value of each means that the token does not have it; an empty
// string means the same to every check.
type claims struct {
	iss, sub, clientID, jti, sid string
	aud                          []string
	// scope is a pointer because "" is wrong and absent is not.
	scope *string
	// exp, nbf and iat are seconds since 1970. A token that says 0 is refused earlier.
	exp, nbf, iat int64
	// bound is true where the token is bound to a key of its holder (cnf).
	bound bool
}

// preparse reads a token with a strict grammar and nothing else: it proves nothing. It stands before
// golang-jwt, which keeps the last of duplicate members, matches names without case, takes times in quotes,
// ignores crit, b64 and typ, skips newlines in base64 and replaces invalid UTF-8: each a way for two readers of one token
// to read two different things.
func preparse(token string) (*parsedToken, error) {
	if len(token) > maxTokenBytes {
		return nil, refusal("longer than 8 KiB")
	}
	if strings.Count(token, ".") != 2 {
		return nil, refusal("not three parts")
	}
	first, rest, _ := strings.Cut(token, ".")
	second, third, _ := strings.Cut(rest, ".")
	headerJSON, err := decodePart(first)
	if err != nil {
		return nil, err
	}
	claimsJSON, err := decodePart(second)
	if err != nil {
		return nil, err
	}
	if _, err := decodePart(third); err != nil {
		return nil, err
	}
	p := new(parsedToken)
	if err := readObject(headerJSON, p.header.read); err != nil {
		return nil, err
	}
	if err := readObject(claimsJSON, p.claims.read); err != nil {
		return nil, err
	}
	return p, nil
}

// decodePart decodes base64url, of which it takes the one canonical spelling: encoding/base64 skips newlines and, unless
// it is strict, ignores trailing bits, so that one signature would have many tokens.
func decodePart(part string) ([]byte, error) {
	if part == "" {
		return nil, refusal("an empty part")
	}
	if strings.ContainsAny(part, "\r\n") {
		return nil, refusal("not canonical base64url")
	}
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, refusal("not canonical base64url")
	}
	return decoded, nil
}

// errJSON stands for every error of jsontext, whose text quotes the token.
const errJSON = refusal("not a JSON object of the strict grammar")

// readObject reads data as one JSON object and calls member for each of its names, to read the value.
// jsontext refuses duplicate names at every depth, however they are spelled, invalid UTF-8 and lone surrogates.
func readObject(data []byte, member func(name string, r *jsontext.Decoder) error) error {
	r := jsontext.NewDecoder(bytes.NewBuffer(data))
	if r.PeekKind() != '{' {
		return errJSON
	}
	if _, err := r.ReadToken(); err != nil {
		return errJSON
	}
	for r.PeekKind() == '"' {
		name, err := r.ReadToken()
		if err != nil {
			return errJSON
		}
		if err := member(name.String(), r); err != nil {
			return err
		}
	}
	if _, err := r.ReadToken(); err != nil { // The closing brace: anything else was an error of the loop.
		return errJSON
	}
	if _, err := r.ReadToken(); !errors.Is(err, io.EOF) {
		return refusal("trailing data")
	}
	return nil
}

// read takes one member of the header. Members that nobody here knows are ignored, as RFC 7515 §4 demands.
func (h *header) read(name string, r *jsontext.Decoder) (err error) {
	switch name {
	case "alg":
		h.alg, err = readString(r)
	case "kid":
		h.kid, err = readString(r)
	case "typ":
		h.typ, err = readString(r)
	case "crit", "b64", "zip":
		// crit demands understanding of an extension, and there is none; b64 and zip change what is signed.
		return refusal("an extension in the header")
	case "jku", "x5u", "jwk", "x5c":
		// Keys come from the table of keys and from nowhere else (RFC 8725 §3.5); no address of a token is ever fetched.
		return refusal("a key in the header")
	default:
		if foldsTo(name, "alg", "kid", "typ", "crit", "b64", "zip", "jku", "x5u", "jwk", "x5c", "cty", "x5t", "x5t#S256", "enc") {
			return refusal("a registered name in another case in the header")
		}
		err = skipValue(r)
	}
	return err
}

// read takes one claim. Claims that nobody here knows are ignored, as RFC 7519 §4 demands.
func (c *claims) read(name string, r *jsontext.Decoder) (err error) {
	switch name {
	case "iss":
		c.iss, err = readString(r)
	case "sub":
		c.sub, err = readString(r)
	case "client_id":
		c.clientID, err = readString(r)
	case "jti":
		c.jti, err = readString(r)
	case "sid":
		c.sid, err = readString(r)
	case "aud":
		c.aud, err = readAudience(r)
	case "scope":
		var scope string
		scope, err = readString(r)
		c.scope = &scope
	case "exp":
		c.exp, err = readTime(r)
	case "nbf":
		c.nbf, err = readTime(r)
	case "iat":
		c.iat, err = readTime(r)
	case "cnf":
		c.bound = true
		err = skipValue(r)
	default:
		if foldsTo(name, "iss", "sub", "client_id", "jti", "sid", "aud", "scope", "exp", "nbf", "iat", "cnf") {
			return refusal("a registered claim in another case")
		}
		err = skipValue(r)
	}
	return err
}

// foldsTo reports whether name is one of known for a reader that ignores case. encoding/json is one, and it counts U+017F as
// an s and U+212A as a k, as EqualFold does.
func foldsTo(name string, known ...string) bool {
	for _, k := range known {
		if strings.EqualFold(name, k) && name != k {
			return true
		}
	}
	return false
}

func readString(r *jsontext.Decoder) (string, error) {
	t, err := r.ReadToken()
	if err != nil {
		return "", errJSON
	}
	if t.Kind() != '"' {
		return "", refusal("a member that must be a string")
	}
	return t.String(), nil
}

// readAudience reads aud: one string or an array of them (RFC 7519 §4.1.3).
func readAudience(r *jsontext.Decoder) ([]string, error) {
	if r.PeekKind() != '[' {
		one, err := readString(r)
		return []string{one}, err
	}
	if _, err := r.ReadToken(); err != nil {
		return nil, errJSON
	}
	var list []string
	for r.PeekKind() != ']' {
		one, err := readString(r)
		if err != nil {
			return nil, err
		}
		if list = append(list, one); len(list) > maxAudiences {
			return nil, refusal("too many audiences")
		}
	}
	if _, err := r.ReadToken(); err != nil {
		return nil, errJSON
	}
	return list, nil
}

// The range of a time, in seconds: from 2001 to 5138. Milliseconds are beyond it, so that a token of a
// confused issuer does not live for 50,000 years.
const (
	minTime = 1_000_000_000
	maxTime = 100_000_000_000
)

// readTime reads a NumericDate (RFC 7519 §2): a JSON number. Fractions of a second are cut off.
func readTime(r *jsontext.Decoder) (int64, error) {
	t, err := r.ReadToken()
	if err != nil {
		return 0, errJSON
	}
	if t.Kind() != '0' {
		return 0, refusal("a time that is not a number")
	}
	seconds, err := strconv.ParseFloat(t.String(), 64)
	if err != nil || seconds < minTime || seconds >= maxTime {
		return 0, refusal("a time out of range")
	}
	return int64(seconds), nil
}

// skipValue reads a value of any kind. jsontext bounds depth at 10,000 only, which is why tokens are counted here.
func skipValue(r *jsontext.Decoder) error {
	depth := r.StackDepth()
	for {
		if _, err := r.ReadToken(); err != nil {
			return errJSON
		}
		switch now := r.StackDepth(); {
		case now > maxDepth:
			return refusal("nested too deep")
		case now == depth:
			return nil
		}
	}
}
