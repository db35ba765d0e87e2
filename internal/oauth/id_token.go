package oauth

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// The scope that asks for an ID token (OpenID Connect Core §3.1.2.1).
const scopeOpenID = "openid"

// idTokenType is the typ of ID tokens. No access token has it, and checkType takes no other than that of an access token.
const idTokenType = "JWT"

// Login is what an ID token says: that a person has logged in, to whom it is told.
type Login struct {
	Subject   string
	ClientID  string
	SessionID string
	// Nonce is that of the authorization request, "" where it had none.
	Nonce      string
	LoggedInAt time.Time
	// AccessToken is the one that is issued beside it.
	AccessToken string
}

// SignID returns an ID token (OpenID Connect Core §2). It lasts as long as an access token: keys are given no longer to
// verify what they have signed.
func (s *Signer) SignID(l Login) (string, error) {
	now := s.Now()
	k, err := s.Keys.signing(now)
	if err != nil {
		return "", err
	}
	claims := jwt.MapClaims{
		"iss":       s.Issuer,
		"aud":       l.ClientID,
		"sub":       l.Subject,
		"iat":       now.Unix(),
		"exp":       now.Add(Lifetime).Unix(),
		"auth_time": l.LoggedInAt.Unix(),
		"sid":       l.SessionID,
		"at_hash":   accessTokenHash(Algorithm(k.algorithm), l.AccessToken),
	}
	if l.Nonce != "" {
		claims["nonce"] = l.Nonce
	}
	return s.sign(k, idTokenType, claims)
}

// accessTokenHash is the left half of the hash of the algorithm (OpenID Connect Core §3.1.3.6). That of Ed25519 is SHA-512.
func accessTokenHash(a Algorithm, token string) string {
	if a == EdDSA {
		sum := sha512.Sum512([]byte(token))
		return base64.RawURLEncoding.EncodeToString(sum[:sha512.Size/2])
	}
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:sha256.Size/2])
}
