package server_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"example.com/gatehouse/gen/client"
	"example.com/gatehouse/internal/oauth"
	"example.com/gatehouse/internal/server"
)

const formType = "application/x-www-form-urlencoded"

// tokenForm is the form of a login, with changes as names and values. "-" as value takes a name out.
func (s *service) tokenForm(changes ...string) url.Values {
	form := url.Values{"grant_type": {"password"}, "username": {s.user}, "password": {s.password}}
	for i := 0; i < len(changes); i += 2 {
		if form.Set(changes[i], changes[i+1]); changes[i+1] == "-" {
			form.Del(changes[i])
		}
	}
	return form
}

func TestTokenScopes(t *testing.T) {
	s := start(t)
	for _, tt := range []struct{ name, asked, granted string }{
		{"what the user holds, where nothing is asked for", "", "email items:read items:write openid profile users:read users:write"},
		{"one", "items:read", "items:read"},
		{"sorted, and each once", "users:read items:read users:read", "items:read users:read"},
		{"a scope that the user does not hold is dropped", "items:read admin", "items:read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.clock.pass(time.Second)
			request := client.TokenRequest{GrantType: client.TokenRequestGrantTypePassword, Username: &s.user, Password: &s.password}
			if tt.asked != "" {
				request.Scope = &tt.asked
			}
			r, err := s.api.CreateTokenWithFormdataBodyWithResponse(context.Background(), request)
			if err != nil || r.StatusCode() != 200 {
				t.Fatal(err, r.StatusCode())
			}
			same(t, tt.granted, r.JSON200.Scope)
			same(t, client.CreateTokenResponse200Headers{CacheControl: "no-store", Pragma: "no-cache", Deprecation: pointer("@1735689600")}, *r.Headers200)
			claims := jwt.MapClaims{}
			token, _, err := jwt.NewParser().ParseUnverified(r.JSON200.AccessToken, claims)
			if err != nil {
				t.Fatal(err)
			}
			now := float64(s.clock.Now().Unix())
			if id, _ := claims["jti"].(string); len(id) < 16 {
				t.Errorf("jti is %v", claims["jti"])
			}
			if id, _ := claims["sid"].(string); uuid.Validate(id) != nil {
				t.Errorf("sid is %v", claims["sid"])
			}
			delete(claims, "jti")
			delete(claims, "sid")
			same(t, jwt.MapClaims{"iss": s.base, "aud": s.base, "sub": s.userID, "client_id": "first-party", "scope": tt.granted, "iat": now, "exp": now + 600}, claims)
			same(t, "at+jwt", token.Header["typ"])
			me, err := s.api.GetProtectedBearerWithResponse(context.Background(), bearerAuth(r.JSON200.AccessToken))
			if err != nil {
				t.Fatal(err)
			}
			same(t, strings.Fields(tt.granted), me.JSON200.Scopes)
			s.clock.pass(11 * time.Minute)
			if me, err = s.api.GetProtectedBearerWithResponse(context.Background(), bearerAuth(r.JSON200.AccessToken)); err != nil || me.StatusCode() != 401 {
				t.Errorf("after its end: %v, %d", err, me.StatusCode())
			}
		})
	}
}

func TestTokenRefuses(t *testing.T) {
	s := start(t)
	disabled := s.newPerson("disabled", "items:read")
	if err := s.Users().SetDisabled(context.Background(), disabled.id, true); err != nil {
		t.Fatal(err)
	}
	code := func(code string) string { return `{"error":"` + code + `",` }
	ask := func(form url.Values, status int, holds ...string) expectation {
		return expectation{method: "POST", target: "/token", body: form.Encode(), fields: []string{"Content-Type", formType}, status: status, holds: holds}
	}
	twice := func(name string) url.Values {
		form := s.tokenForm()
		form[name] = append(form[name], form.Get(name)+"x")
		if name == "scope" || name == "unknown" {
			form[name] = []string{"items:read", "items:read"}
		}
		return form
	}
	raw := func(e expectation, body, mediaType string) expectation {
		e.body, e.fields = body, []string{"Content-Type", mediaType}
		return e
	}
	challenged := func(e expectation) expectation {
		e.challenges = []string{basicChallenge}
		return e
	}
	target := func(e expectation, method, target string) expectation {
		e.method, e.target = method, target
		return e
	}
	for _, e := range []expectation{
		ask(s.tokenForm("password", canary+canary), 400, code("invalid_grant")).named("a wrong password"),
		ask(s.tokenForm("username", canary), 400, code("invalid_grant")).named("an unknown user"),
		ask(s.tokenForm("username", strings.ToUpper(s.user)), 400, code("invalid_grant")).named("a name in capitals is another name"),
		ask(s.tokenForm("username", disabled.name, "password", disabled.password), 400, code("invalid_grant")).named("a disabled user"),
		ask(s.tokenForm("password", s.password+" "), 400, code("invalid_grant")).named("a password is not trimmed"),
		ask(s.tokenForm("username", "-"), 400, code("invalid_request"), "username: is required").named("no name"),
		ask(s.tokenForm("password", ""), 400, code("invalid_request"), "password: is required").named("an empty password counts as none"),
		ask(s.tokenForm("username", "a\x00"+canary), 400, code("invalid_request")).named("a control character in the name"),
		ask(s.tokenForm("username", strings.Repeat("x", 257)), 400, code("invalid_request")).named("a name that is too long"),
		ask(s.tokenForm("password", strings.Repeat(canary, 200)), 400, code("invalid_request")).named("a password that is too long is not hashed"),
		ask(s.tokenForm("scope", canary), 400, code("invalid_scope")).named("an unknown scope"),
		ask(s.tokenForm("scope", "admin"), 400, code("invalid_scope")).named("a scope that the user does not hold, alone"),
		ask(s.tokenForm("scope", "items:read  users:read"), 400, code("invalid_request")).named("two spaces between scopes"),
		ask(s.tokenForm("scope", `items"read`), 400, code("invalid_request")).named("a scope with a character that scopes do not have"),
		challenged(ask(s.tokenForm("client_id", canary), 401, code("invalid_client"))).named("an unknown client"),
		challenged(ask(s.tokenForm("client_id", "first-party", "client_secret", canary), 401, code("invalid_client"))).named("a secret for the client that has none"),
		challenged(ask(s.tokenForm("client_secret", canary), 401, code("invalid_client"))).named("a secret without a client"),
		ask(s.tokenForm("grant_type", "client_credentials"), 400, code("unauthorized_client")).named("a grant that the built-in client may not use"),
		ask(s.tokenForm("grant_type", "refresh_token"), 400, code("invalid_request"), "refresh_token: is required").named("a refresh without its token"),
		ask(s.tokenForm("grant_type", "refresh_token", "refresh_token", canary), 400, code("invalid_grant")).named("a refresh token that is none"),
		ask(s.tokenForm("grant_type", canary), 400, code("unsupported_grant_type")).named("a grant that nobody knows"),
		ask(twice("grant_type"), 400, code("invalid_request")).named("grant_type twice"),
		ask(twice("username"), 400, code("invalid_request")).named("username twice"),
		ask(twice("password"), 400, code("invalid_request")).named("password twice"),
		ask(twice("scope"), 400, code("invalid_request")).named("scope twice"),
		ask(twice("unknown"), 400, code("invalid_request")).named("an unknown name twice"),
		target(ask(s.tokenForm(), 400, code("invalid_request")), "POST", "/token?grant_type=password").named("a member in the query, too"),
		raw(target(ask(nil, 400, code("invalid_request")), "POST", "/token?"+s.tokenForm("password", canary+canary).Encode()), "", formType).named("everything in the query"),
		raw(ask(nil, 400, code("invalid_request")), "grant_type=password&username=%zz", formType).named("a form that is none"),
		raw(ask(nil, 400, code("invalid_request")), "grant_type=password&username=%ff&password="+canary, formType).named("a form that is not UTF-8"),
		raw(ask(nil, 400, code("invalid_request")), "grant_type=password;username=a;password="+canary, formType).named("a form with semicolons"),
		raw(ask(nil, 400, code("invalid_request")), strings.Repeat("a=1&", 300), formType).named("a form of very many members"),
		raw(ask(nil, 415, code("invalid_request")), `{"grant_type":"password"}`, "application/json").named("JSON instead of a form"),
		raw(ask(nil, 415, code("invalid_request")), "x", "multipart/form-data; boundary=x").named("the other kind of form"),
		raw(ask(nil, 413, code("invalid_request")), strings.Repeat("a", 70_000), formType).named("a form that is too large"),
		target(ask(nil, 405), "GET", "/token").named("GET"),
		target(ask(nil, 405), "PUT", "/token").named("PUT"),
	} {
		t.Run(e.name, func(t *testing.T) {
			s.clock.pass(time.Minute)
			e.run(t, s)
		})
	}
	t.Run("a client that tries the Authorization field is told its scheme", func(t *testing.T) {
		s.clock.pass(time.Minute)
		e := ask(s.tokenForm("client_id", canary), 401, code("invalid_client"))
		e.fields, e.challenges = append(e.fields, "Authorization", basic(canary, canary)), []string{basicChallenge}
		e.run(t, s)
	})
	for _, more := range []string{"charset=UTF-8", `charset="utf-8"`} {
		t.Run("a good form with "+more, func(t *testing.T) {
			s.clock.pass(time.Minute)
			raw(ask(nil, 200, "access_token"), s.tokenForm("unknown", "ignored").Encode(), "Application/X-WWW-Form-Urlencoded; "+more).run(t, s)
		})
	}
}

// TestCredentialsEnd: what ends a credential holds from the next request on, for a token that was verified before.
func TestCredentialsEnd(t *testing.T) {
	s := start(t)
	ctx := context.Background()
	who := func(t *testing.T, want int, fields ...string) {
		t.Helper()
		if got := s.send(t, "GET", "/protected", "", fields...); got.status != want {
			t.Errorf("%d, want %d: %s", got.status, want, got.body)
		}
	}
	for _, tt := range []struct {
		name              string
		end               func(person) error
		token, key, login int // the status afterwards
	}{
		{"the user is disabled", func(p person) error { return s.Users().SetDisabled(ctx, p.id, true) }, 401, 401, 401},
		{"the user is deleted", func(p person) error { return s.Users().Delete(ctx, p.id) }, 401, 401, 401},
		{"the password is changed", func(p person) error { return s.Users().SetPassword(ctx, p.id, "another one") }, 401, 200, 401},
		{"nothing ends it", func(person) error { return nil }, 200, 200, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.clock.pass(time.Minute)
			p := s.newPerson("user "+strings.ReplaceAll(tt.name, " ", "-"), "items:read")
			token := []string{"Authorization", "Bearer " + s.token(jwt.MapClaims{"sub": p.id})}
			key, login := []string{"X-API-Key", p.apiKey}, []string{"Authorization", basic(p.name, p.password)}
			for _, fields := range [][]string{token, key, login} {
				who(t, 200, fields...)
			}
			s.clock.pass(time.Second)
			if err := tt.end(p); err != nil {
				t.Fatal(err)
			}
			who(t, tt.token, token...)
			who(t, tt.key, key...)
			who(t, tt.login, login...)
		})
	}
	t.Run("the key is revoked", func(t *testing.T) {
		key := s.newKey(s.userID, "items:read")
		who(t, 200, "X-API-Key", key)
		if err := s.Keys().Revoke(ctx, strings.Split(key, "_")[2]); err != nil {
			t.Fatal(err)
		}
		who(t, 401, "X-API-Key", key)
		who(t, 200, "X-API-Key", s.apiKey)
	})
}

// TestJwks: what it publishes verifies our tokens, and holds nothing that could sign one.
func TestJwks(t *testing.T) {
	for _, algorithm := range oauth.Algorithms() {
		t.Run(string(algorithm), func(t *testing.T) {
			s := start(t, func(c *server.Config) { c.SigningAlgorithm = algorithm })
			r, err := s.api.GetJwksWithResponse(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			same(t, "public, max-age=300", r.Headers200.CacheControl)
			var set struct{ Keys []map[string]string }
			if err := json.Unmarshal(r.Body, &set); err != nil {
				t.Fatal(err)
			}
			if len(set.Keys) != 1 {
				t.Fatalf("%d keys", len(set.Keys))
			}
			key := set.Keys[0]
			for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
				if _, found := key[private]; found {
					t.Errorf("the key set holds the private member %s", private)
				}
			}
			same(t, string(algorithm), key["alg"])
			same(t, "sig", key["use"])
			public := publicKey(t, key)
			login, err := s.api.CreateTokenWithFormdataBodyWithResponse(context.Background(), client.TokenRequest{
				GrantType: client.TokenRequestGrantTypePassword, Username: &s.user, Password: &s.password,
			})
			if err != nil || login.StatusCode() != 200 {
				t.Fatal(err, login.StatusCode())
			}
			token, err := jwt.Parse(login.JSON200.AccessToken, func(*jwt.Token) (any, error) { return public, nil },
				jwt.WithTimeFunc(s.clock.Now), jwt.WithValidMethods([]string{key["alg"]}))
			if err != nil {
				t.Fatalf("a verifier refuses our token: %v", err)
			}
			same(t, any(key["kid"]), token.Header["kid"])
			if me, err := s.api.GetProtectedBearerWithResponse(context.Background(), bearerAuth(login.JSON200.AccessToken)); err != nil || me.StatusCode() != 200 {
				t.Errorf("our own verifier: %d, %v", me.StatusCode(), err)
			}
		})
	}
}

// publicKey reads a JSON Web Key as RFC 7518 §6 and RFC 8037 §2 say.
func publicKey(t *testing.T, jwk map[string]string) any {
	t.Helper()
	bytes := func(member string) []byte {
		raw, err := base64.RawURLEncoding.DecodeString(jwk[member])
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	switch jwk["kty"] {
	case "OKP":
		return ed25519.PublicKey(bytes("x"))
	case "EC":
		public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, bytes("x"), bytes("y")))
		if err != nil {
			t.Fatal(err)
		}
		return public
	case "RSA":
		return &rsa.PublicKey{N: new(big.Int).SetBytes(bytes("n")), E: int(new(big.Int).SetBytes(bytes("e")).Int64())}
	}
	t.Fatalf("an unknown type of key: %v", jwk)
	return nil
}

// TestARevokedSigningKeyIsRefused by the service that was told of it by its database alone, as other processes are.
func TestARevokedSigningKeyIsRefused(t *testing.T) {
	s := start(t)
	token := s.token()
	ask := func() int { return s.send(t, "GET", "/protected/bearer", "", "Authorization", "Bearer "+token).status }
	same(t, 200, ask())
	kid, _, err := s.SigningKey(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := server.NewKeyStore(s.DB(), s.config.Secret, s.clock.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := elsewhere.Revoke(context.Background(), kid); err != nil {
		t.Fatal(err)
	}
	same(t, 200, ask())
	if err := s.SigningKeys().Refresh(context.Background(), s.clock.Now()); err != nil {
		t.Fatal(err)
	}
	got := s.send(t, "GET", "/protected/bearer", "", "Authorization", "Bearer "+token)
	same(t, 401, got.status)
	same(t, []string{invalidTokenChallenge}, got.header.Values("WWW-Authenticate"))
	token = s.token()
	same(t, 200, ask())
}
