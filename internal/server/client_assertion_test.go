package server_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/oauth"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// signer is an OAuth client that has a key pair, of which the service has the public half.
type signer struct {
	s       *service
	id      string
	private ed25519.PrivateKey
}

func (s *service) newSigner() signer {
	s.t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	keys, err := oauth.ReadPublicKeys(strings.NewReader(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"mine","x":"` + base64.RawURLEncoding.EncodeToString(public) + `"}]}`))
	if err != nil {
		s.t.Fatal(err)
	}
	made, _, err := s.Clients().Create(context.Background(), oauth.NewClient{
		Name: "a signer", Method: oauth.MethodPrivateKeyJWT, PublicKeys: keys, GrantTypes: []string{oauth.GrantClientCredentials}, Scopes: auth.NewScopes("items:read"),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return signer{s, made.ID, private}
}

// assertion returns an assertion that is good once, with changes.
func (c signer) assertion(changes ...jwt.MapClaims) string {
	claims := jwt.MapClaims{"iss": c.id, "sub": c.id, "aud": c.s.config.Issuer, "exp": c.s.clock.Now().Add(time.Minute).Unix(), "jti": rand.Text()}
	for _, change := range changes {
		maps.Copy(claims, change)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
	token.Header["kid"] = "mine"
	signed, err := token.SignedString(c.private)
	if err != nil {
		c.s.t.Fatal(err)
	}
	return signed
}

// form returns a form with an assertion, and with more names and values.
func (c signer) form(assertion string, more ...string) url.Values {
	form := url.Values{"client_assertion_type": {assertionType}, "client_assertion": {assertion}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

func TestAClientProvesItselfByAnAssertion(t *testing.T) {
	s := start(t)
	c := s.newSigner()
	for name, form := range map[string]url.Values{
		"for the issuer":                        c.form(c.assertion(), "grant_type", "client_credentials"),
		"for the token endpoint":                c.form(c.assertion(jwt.MapClaims{"aud": s.base + "/token"}), "grant_type", "client_credentials"),
		"with its client_id":                    c.form(c.assertion(), "grant_type", "client_credentials", "client_id", c.id),
		"with empty parameters, which are none": c.form(c.assertion(), "grant_type", "client_credentials", "client_secret", ""),
	} {
		t.Run(name, func(t *testing.T) {
			got := s.form(t, "/token", form)
			if got.status != 200 || !strings.Contains(string(got.body), `"scope":"items:read"`) || strings.Contains(string(got.body), "refresh_token") {
				t.Fatalf("%d %s", got.status, got.body)
			}
			if got := s.form(t, "/token", form); got.status != 401 || !strings.HasPrefix(string(got.body), `{"error":"invalid_client"`) {
				t.Errorf("once more: %d %s", got.status, got.body)
			}
		})
	}
	t.Run("it asks about a token and revokes it", func(t *testing.T) {
		claims := jwt.MapClaims{"sub": c.id, "client_id": c.id, "scope": "items:read"}
		access := s.token(claims)
		ask := func() string {
			got := s.form(t, "/introspect", c.form(c.assertion(), "token", access))
			if got.status != 200 {
				t.Fatalf("%d %s", got.status, got.body)
			}
			return string(got.body)
		}
		if said := ask(); !strings.Contains(said, `"active":true`) || !strings.Contains(said, c.id) {
			t.Errorf("introspection: %s", said)
		}
		if got := s.form(t, "/revoke", c.form(c.assertion(), "token", access)); got.status != 200 {
			t.Errorf("revocation: %d %s", got.status, got.body)
		}
		if said := strings.TrimSpace(ask()); said != `{"active":false}` {
			t.Errorf("introspection after it: %s", said)
		}
	})
	t.Run("a secret in the form asks about a token, too", func(t *testing.T) {
		got := s.form(t, "/introspect", url.Values{"token": {s.token()}, "client_id": {s.clientID}, "client_secret": {s.clientSecret}})
		if got.status != 200 || !strings.Contains(string(got.body), `"active":true`) {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
}

// TestTheMetadataListsAssertions with the algorithms that RFC 8414 §2 demands beside them.
func TestTheMetadataListsAssertions(t *testing.T) {
	s := start(t)
	var m map[string]any
	if err := json.Unmarshal(s.send(t, "GET", "/.well-known/oauth-authorization-server", "").body, &m); err != nil {
		t.Fatal(err)
	}
	for endpoint, public := range map[string][]any{"token": {"none"}, "revocation": {"none"}, "introspection": nil} {
		same(t, any(append(public, "client_secret_basic", "client_secret_post", "private_key_jwt")), m[endpoint+"_endpoint_auth_methods_supported"])
		same(t, any([]any{"EdDSA", "ES256", "RS256"}), m[endpoint+"_endpoint_auth_signing_alg_values_supported"])
	}
}

func TestAssertionsAreRefusedAtEveryEndpoint(t *testing.T) {
	s := start(t)
	c, other := s.newSigner(), s.newSigner()
	stolen := c.assertion()
	if got := s.form(t, "/token", c.form(stolen, "grant_type", "client_credentials")); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	without := func(form url.Values, name string) url.Values { form.Del(name); return form }
	with := func(form url.Values, name, value string) url.Values { form.Set(name, value); return form }
	secret := []string{"Authorization", basic(s.clientID, s.clientSecret)}
	for endpoint, own := range map[string][]string{
		"/token": {"grant_type", "client_credentials"}, "/revoke": {"token", canary}, "/introspect": {"token", canary},
	} {
		form := func(changes ...jwt.MapClaims) url.Values { return c.form(c.assertion(changes...), own...) }
		for _, row := range []struct {
			name   string
			form   url.Values
			fields []string
			status int
			code   string
		}{
			{"one that was used elsewhere", c.form(stolen, own...), nil, 401, "invalid_client"},
			{"one for another server", form(jwt.MapClaims{"aud": "https://other.example"}), nil, 401, "invalid_client"},
			{"one for the address of this endpoint, or one like it", form(jwt.MapClaims{"aud": s.base + endpoint + "/"}), nil, 401, "invalid_client"},
			{"one that has expired", form(jwt.MapClaims{"exp": s.clock.Now().Add(-time.Minute).Unix()}), nil, 401, "invalid_client"},
			{"one that is good for long", form(jwt.MapClaims{"exp": s.clock.Now().Add(time.Hour).Unix()}), nil, 401, "invalid_client"},
			{"one without an id", form(jwt.MapClaims{"jti": ""}), nil, 401, "invalid_client"},
			{"one of another client, with its id", form(jwt.MapClaims{"iss": other.id, "sub": other.id}), nil, 401, "invalid_client"},
			{"one beside the id of another client", with(form(), "client_id", other.id), nil, 401, "invalid_client"},
			{"an access token", with(form(), "client_assertion", s.token()), nil, 401, "invalid_client"},
			{"text", with(form(), "client_assertion", canary), nil, 401, "invalid_client"},
			{"a NUL", with(form(), "client_assertion", canary+"\x00"), nil, 401, "invalid_client"},
			{"one beside a secret in the header", form(), secret, 400, "invalid_request"},
			{"one beside a secret in the form", with(with(form(), "client_id", s.clientID), "client_secret", s.clientSecret), nil, 400, "invalid_request"},
			{"one without its type", without(form(), "client_assertion_type"), nil, 400, "invalid_request"},
			{"a type without an assertion", without(form(), "client_assertion"), nil, 400, "invalid_request"},
			{"one of another type", with(form(), "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"), nil, 400, "invalid_request"},
			{"one that is too long", with(form(), "client_assertion", strings.Repeat(canary, 2000)), nil, 400, "invalid_request"},
			{"one twice", url.Values{"client_assertion": {c.assertion(), c.assertion()}, "client_assertion_type": {assertionType}, own[0]: {own[1]}}, nil, 400, "invalid_request"},
			{"its client without it", url.Values{"client_id": {c.id}, own[0]: {own[1]}}, nil, 401, "invalid_client"},
			{"its client with a secret", url.Values{"client_id": {c.id}, "client_secret": {s.clientSecret}, own[0]: {own[1]}}, nil, 401, "invalid_client"},
			{"its client in the header", url.Values{own[0]: {own[1]}}, []string{"Authorization", basic(c.id, "")}, 401, "invalid_client"},
		} {
			t.Run(endpoint+" "+row.name, func(t *testing.T) {
				s.clock.pass(time.Second)
				got := s.form(t, endpoint, row.form, row.fields...)
				if got.status != row.status || !strings.HasPrefix(string(got.body), `{"error":"`+row.code+`"`) || strings.Contains(string(got.body), canary) {
					t.Errorf("%d %s", got.status, got.body)
				}
				if got.header.Get("Cache-Control") != "no-store" {
					t.Errorf("the answer may be kept: %v", got.header)
				}
			})
		}
		if got := s.form(t, endpoint, form()); got.status != 200 {
			t.Errorf("%s refuses the good one: %d %s", endpoint, got.status, got.body)
		}
	}
	t.Run("an assertion is no access token", func(t *testing.T) {
		if got := s.send(t, "GET", "/protected/bearer", "", "Authorization", "Bearer "+c.assertion()); got.status != 401 {
			t.Errorf("%d", got.status)
		}
	})
}

// TestAnAssertionPassesOnceOverHTTP sends one from fifty connections at once.
func TestAnAssertionPassesOnceOverHTTP(t *testing.T) {
	s := start(t)
	c := s.newSigner()
	form := c.form(c.assertion(), "grant_type", "client_credentials")
	statuses := make(chan int, 50)
	var group sync.WaitGroup
	for range cap(statuses) {
		group.Go(func() { statuses <- s.send(t, "POST", "/token", form.Encode(), "Content-Type", formType).status })
	}
	group.Wait()
	close(statuses)
	count := map[int]int{}
	for status := range statuses {
		count[status]++
	}
	if count[200] != 1 || count[401] != 49 {
		t.Errorf("statuses: %v", count)
	}
}

// TestAnAssertionWithoutADatabase is answered 503: a client that hears invalid_client gives up.
func TestAnAssertionWithoutADatabase(t *testing.T) {
	s := start(t)
	c := s.newSigner()
	if err := s.DB().Close(); err != nil {
		t.Fatal(err)
	}
	for endpoint, own := range map[string]string{"/token": "grant_type", "/revoke": "token", "/introspect": "token"} {
		got := s.form(t, endpoint, c.form(c.assertion(), own, "client_credentials"))
		if got.status != 503 || got.header.Get("Retry-After") == "" || !strings.HasPrefix(string(got.body), `{"error":"temporarily_unavailable"`) {
			t.Errorf("%s: %d %s", endpoint, got.status, got.body)
		}
	}
}
