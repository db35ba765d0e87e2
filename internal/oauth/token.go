package oauth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"example.com/gatehouse/internal/auth"
)

// Lifetime is how long an access token lasts. It is short because it is checked without a database: what the memory of exceptions
// does not reach ends by itself (security.md 30).
const Lifetime = 10 * time.Minute

// MaxAge is how long an access token can be good after it was signed, on a machine whose clock is behind.
const MaxAge = Lifetime + leeway

// accessTokenType is the typ of RFC 9068 §2.1. No other token of ours has it, so that none can pass for an access token.
const accessTokenType = "at+jwt"

// Signer makes access tokens. All fields are required.
type Signer struct {
	Keys *Keys
	// Issuer and Audience are what the tokens say, byte for byte what the Verifier expects.
	Issuer   string
	Audience string
	// Exceptions are those that the Verifier asks.
	Exceptions *auth.Exceptions
	Now        func() time.Time
	// Random is the source of the token ids.
	Random io.Reader
}

// Grant is what an access token says about its holder.
type Grant struct {
	Subject  string
	ClientID string
	// SessionID is the session that the token belongs to, "" where a client acts for itself.
	SessionID string
	Scopes    auth.Scopes
}

// Sign returns an access token for g, which lasts for Lifetime.
func (s *Signer) Sign(g Grant) (string, error) {
	id := make([]byte, 16) // 128 bits: unique without asking anyone.
	if _, err := io.ReadFull(s.Random, id); err != nil {
		return "", fmt.Errorf("read randomness for a token id: %w", err)
	}
	issuedAt := s.issuedAt(g.Subject)
	claims := jwt.MapClaims{
		"iss":       s.Issuer,
		"aud":       s.Audience,
		"sub":       g.Subject,
		"client_id": g.ClientID,
		"iat":       issuedAt.Unix(),
		"exp":       issuedAt.Add(Lifetime).Unix(),
		"jti":       base64.RawURLEncoding.EncodeToString(id),
	}
	if g.SessionID != "" {
		claims["sid"] = g.SessionID
	}
	if len(g.Scopes) > 0 { // An empty scope is none: its syntax has at least one (RFC 6749 §3.3).
		claims["scope"] = strings.Join(g.Scopes, " ")
	}
	k, err := s.Keys.signing(s.Now())
	if err != nil {
		return "", err
	}
	return s.sign(k, accessTokenType, claims)
}

func (s *Signer) sign(k *key, typ string, claims jwt.MapClaims) (string, error) {
	token := jwt.NewWithClaims(Algorithm(k.algorithm).method(), claims)
	token.Header["typ"] = typ
	token.Header["kid"] = k.id
	signed, err := token.SignedString(k.private)
	if err != nil {
		return "", fmt.Errorf("sign a token of type %s: %w", typ, err)
	}
	if len(signed) > maxTokenBytes {
		return "", errors.New("the token would be longer than the verifier accepts: the account holds too many scopes")
	}
	return signed, nil
}

// issuedAt returns the iat of a token that is made now, which has no fractions of a second: cut off, except where that
// would put it before a not-before mark of the same second. Without the exception, who changes the password and logs in
// again at once would hold a token that is refused for all of its life.
func (s *Signer) issuedAt(subject string) time.Time {
	now := s.Now()
	cut := now.Truncate(time.Second)
	allowed := func(t time.Time) bool { return s.Exceptions.Allow(&auth.Principal{Subject: subject, IssuedAt: t}) }
	if !allowed(cut) && allowed(now) {
		return cut.Add(time.Second)
	}
	return cut
}
