package main

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

const (
	issuer   = "https://gatehouse.example"
	audience = "https://gatehouse.example/api"
)

// claims are those of an access token of RFC 9068.
type claims struct {
	jwt.RegisteredClaims
	Scope    string `json:"scope"`
	ClientID string `json:"client_id"`
}

// Validate is called by golang-jwt after its own checks.
func (c *claims) Validate() error {
	switch {
	case c.Subject == "":
		return errors.New("sub is missing")
	case c.ID == "":
		return errors.New("jti is missing")
	case c.IssuedAt == nil:
		return errors.New("iat is missing")
	case c.ClientID == "":
		return errors.New("client_id is missing")
	}
	return nil
}

func (c *claims) scopes() []string { return strings.Fields(c.Scope) }

// verifier checks every token anew: it has no cache.
type verifier struct {
	parser *jwt.Parser
	key    []byte
}

func newVerifier(key []byte) *verifier {
	return &verifier{
		key: key,
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{"HS256"}),
			jwt.WithIssuer(issuer),
			jwt.WithAudience(audience),
			jwt.WithExpirationRequired(),
			jwt.WithIssuedAt(),
		),
	}
}

func (v *verifier) verify(token string) (*claims, error) {
	c := new(claims)
	parsed, err := v.parser.ParseWithClaims(token, c, func(*jwt.Token) (any, error) { return v.key, nil })
	if err != nil {
		return nil, err
	}
	if typ, _ := parsed.Header["typ"].(string); typ != "at+jwt" {
		return nil, errors.New("typ is not at+jwt")
	}
	return c, nil
}

// authenticate answers 401 or 403 itself where the caller may not go on.
func (a *api) authenticate(w http.ResponseWriter, r *http.Request, scope string) *claims {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		w.Header().Set("WWW-Authenticate", "Bearer")
		writeError(w, http.StatusUnauthorized, "a bearer token is needed")
		return nil
	}
	c, err := a.verifier.verify(token)
	if err != nil {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		writeError(w, http.StatusUnauthorized, "the token is not valid")
		return nil
	}
	if scope != "" && !slices.Contains(c.scopes(), scope) {
		w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="`+scope+`"`)
		writeError(w, http.StatusForbidden, "the token lacks the scope "+scope)
		return nil
	}
	return c
}

func apiKeyClaims() *claims {
	return &claims{
		RegisteredClaims: jwt.RegisteredClaims{Subject: "0193583e-6f5c-7a53-8a3c-0d1f2e3a4b5c"},
		Scope:            "items:read items:write users:read",
	}
}

type whoAmI struct {
	Authenticated bool     `json:"authenticated"`
	Subject       string   `json:"subject"`
	Schemes       []string `json:"schemes"`
	Scopes        []string `json:"scopes"`
}

func (a *api) whoAmIByToken(w http.ResponseWriter, r *http.Request) {
	if c := a.authenticate(w, r, ""); c != nil {
		writeJSON(w, http.StatusOK, whoAmI{true, c.Subject, []string{"oauth2"}, c.scopes()})
	}
}

func (a *api) whoAmIByKey(w http.ResponseWriter, r *http.Request) {
	// Looked up by its hash, so that the time of the comparison says nothing about the key.
	c, found := a.apiKeys[sha256.Sum256([]byte(r.Header.Get("X-API-Key")))]
	if !found {
		w.Header().Set("WWW-Authenticate", "ApiKey")
		writeError(w, http.StatusUnauthorized, "an API key is needed")
		return
	}
	writeJSON(w, http.StatusOK, whoAmI{true, c.Subject, []string{"apiKeyHeader"}, c.scopes()})
}
