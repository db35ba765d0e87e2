package server_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"example.com/gatehouse/gen/client"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/oauth"
	"example.com/gatehouse/internal/server"
)

// TestARealOAuthClient uses the tokens as users of golang.org/x/oauth2 do: by its own transport, which refreshes.
func TestARealOAuthClient(t *testing.T) {
	s := start(t)
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, s.client)
	who := func(c *http.Client) client.WhoAmI {
		t.Helper()
		r, err := c.Get(s.base + "/protected/bearer")
		if err != nil {
			t.Fatal(err)
		}
		got := read(t, r)
		var w client.WhoAmI
		if err := json.Unmarshal(got.body, &w); err != nil || got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		return w
	}
	t.Run("password, then a refresh when the access token has expired", func(t *testing.T) {
		config := oauth2.Config{ClientID: "first-party", Scopes: []string{"items:read"}, Endpoint: oauth2.Endpoint{TokenURL: s.base + "/token"}}
		token, err := config.PasswordCredentialsToken(ctx, s.user, s.password)
		if err != nil {
			t.Fatal(err)
		}
		s.secrets[token.AccessToken], s.secrets[token.RefreshToken] = true, true
		same(t, []string{"items:read"}, who(config.Client(ctx, token)).Scopes)
		s.clock.pass(time.Hour)
		old := *token
		token.Expiry = time.Now().Add(-time.Minute) // its clock is that of the machine
		source := config.TokenSource(ctx, token)
		next, err := source.Token()
		if err != nil {
			t.Fatal(err)
		}
		s.secrets[next.AccessToken], s.secrets[next.RefreshToken] = true, true
		if next.AccessToken == old.AccessToken || next.RefreshToken == old.RefreshToken {
			t.Error("a token is the same after the refresh")
		}
		same(t, []string{"items:read"}, who(oauth2.NewClient(ctx, source)).Scopes)
	})
	t.Run("a code with PKCE", func(t *testing.T) {
		for name, method := range map[string]string{"a public client": oauth.MethodNone, "a confidential client": oauth.MethodSecret} {
			a := s.newApp(t, func(n *oauth.NewClient) { n.Method = method })
			config := oauth2.Config{
				ClientID: a.id, ClientSecret: a.secret, RedirectURL: a.redirectURI, Scopes: []string{"openid", "items:read"},
				Endpoint: oauth2.Endpoint{AuthURL: s.base + "/authorize", TokenURL: s.base + "/token"},
			}
			verifier := oauth2.GenerateVerifier()
			address := config.AuthCodeURL("a state", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("nonce", "n"))
			carried := isPage(t, a.visit(t, strings.TrimPrefix(address, s.base)), 200, "Log in")
			a.post(t, "/login", url.Values{"username": {s.user}, "password": {s.password}, "request": {carried}})
			back := a.post(t, "/consent", url.Values{"decision": {"allow"}, "request": {carried}})
			token, err := config.Exchange(ctx, a.code(t, back), oauth2.VerifierOption(verifier))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			s.secrets[token.AccessToken], s.secrets[token.RefreshToken] = true, true
			if _, told := token.Extra("id_token").(string); !told {
				t.Errorf("%s: there is no ID token", name)
			}
			same(t, []string{"items:read", "openid"}, who(config.Client(ctx, token)).Scopes)
			_, err = config.Exchange(ctx, a.code(t, a.visit(t, strings.TrimPrefix(address, s.base))), oauth2.VerifierOption(oauth2.GenerateVerifier()))
			if refused, ok := err.(*oauth2.RetrieveError); !ok || refused.ErrorCode != "invalid_grant" {
				t.Errorf("%s, with another verifier: %v", name, err)
			}
		}
	})
	for name, style := range map[string]oauth2.AuthStyle{"in the header": oauth2.AuthStyleInHeader, "in the form": oauth2.AuthStyleInParams} {
		t.Run("client credentials, the secret "+name, func(t *testing.T) {
			s.clock.pass(time.Minute)
			config := clientcredentials.Config{ClientID: s.clientID, ClientSecret: s.clientSecret, TokenURL: s.base + "/token", AuthStyle: style}
			me := who(config.Client(ctx))
			same(t, s.clientID, me.Subject.String())
			same(t, []string{"items:read"}, me.Scopes)
		})
	}
	t.Run("a client with a wrong secret is told so", func(t *testing.T) {
		s.clock.pass(time.Minute)
		config := clientcredentials.Config{ClientID: s.clientID, ClientSecret: canary, TokenURL: s.base + "/token", AuthStyle: oauth2.AuthStyleInHeader}
		_, err := config.Token(ctx)
		refused, ok := err.(*oauth2.RetrieveError)
		if !ok || refused.Response.StatusCode != 401 || refused.ErrorCode != "invalid_client" {
			t.Errorf("got %v", err)
		}
	})
}

// form sends a form to an OAuth operation. fields are header fields.
func (s *service) form(t *testing.T, target string, form url.Values, fields ...string) answer {
	t.Helper()
	s.clock.pass(time.Second)
	return s.send(t, "POST", target, form.Encode(), append(fields, "Content-Type", formType)...)
}

func token(text string) url.Values { return url.Values{"token": {text}} }

func TestRevocation(t *testing.T) {
	s := start(t)
	foreign, secret, err := s.Clients().Create(context.Background(), oauth.NewClient{Name: "another", Method: oauth.MethodSecret, GrantTypes: []string{oauth.GrantRefreshToken}, Scopes: auth.NewScopes("items:read")})
	if err != nil {
		t.Fatal(err)
	}
	other := basic(foreign.ID, secret.Reveal())
	good := func(access string) bool {
		return s.send(t, "GET", "/protected/bearer", "", "Authorization", "Bearer "+access).status == 200
	}
	refreshed := func(refresh string) int {
		return s.form(t, "/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}).status
	}
	t.Run("a refresh token ends its session and no other", func(t *testing.T) {
		one, two := s.logIn(), s.logIn()
		if got := s.form(t, "/revoke", token(one.refresh)); got.status != 200 || len(got.body) != 0 || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d %s", got.status, got.body)
		}
		if good(one.access) || refreshed(one.refresh) != 400 || !good(two.access) || refreshed(two.refresh) != 200 {
			t.Error("the session goes on, or the other one has ended")
		}
	})
	t.Run("an access token ends alone", func(t *testing.T) {
		one := s.logIn()
		if got := s.form(t, "/revoke", url.Values{"token": {one.access}, "token_type_hint": {"refresh_token"}, "unknown": {"x"}}); got.status != 200 {
			t.Errorf("%d %s", got.status, got.body)
		}
		if good(one.access) || refreshed(one.refresh) != 200 {
			t.Error("the access token is good, or its session has ended")
		}
	})
	for _, row := range []struct {
		name, token string
		fields      []string
		status      int
		code        string
	}{
		{"what is no token is answered like a revoked one", canary, nil, 200, ""},
		{"a token that expired is answered like a revoked one", s.token(map[string]any{"iat": s.clock.Now().Unix() - 7200, "exp": s.clock.Now().Unix() - 3600}), nil, 200, ""},
		{"a refresh token of another client", s.logIn().refresh, []string{"Authorization", other}, 400, "unauthorized_client"},
		{"an access token of another client", s.logIn().access, []string{"Authorization", other}, 400, "unauthorized_client"},
		{"a client with a wrong secret", s.logIn().refresh, []string{"Authorization", basic(foreign.ID, canary)}, 401, "invalid_client"},
		{"a confidential client without its secret", s.logIn().refresh, []string{"Authorization", basic(foreign.ID, "")}, 401, "invalid_client"},
		{"a bearer token is no client", s.logIn().refresh, []string{"Authorization", "Bearer " + s.token()}, 401, "invalid_client"},
		{"no token", "", nil, 400, "invalid_request"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := s.form(t, "/revoke", token(row.token), row.fields...)
			if got.status != row.status || row.code != "" && !strings.HasPrefix(string(got.body), `{"error":"`+row.code+`"`) {
				t.Errorf("%d %s", got.status, got.body)
			}
			if row.status == 401 && got.header.Get("WWW-Authenticate") != basicChallenge {
				t.Errorf("challenge %q", got.header.Get("WWW-Authenticate"))
			}
			if strings.Contains(string(got.body), canary) {
				t.Error("the answer holds what was sent")
			}
			if row.status != 200 && row.token != "" && refreshed(row.token) == 200 != strings.HasPrefix(row.token, "rt_") {
				t.Error("the token has ended")
			}
		})
	}
}

func TestIntrospection(t *testing.T) {
	s := start(t)
	login := s.logIn()
	now := s.clock.Now()
	asks := basic(s.clientID, s.clientSecret)
	if got := s.form(t, "/introspect", token(login.access), "Authorization", asks); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	} else {
		var said map[string]any
		if err := json.Unmarshal(got.body, &said); err != nil {
			t.Fatal(err)
		}
		jti, _ := said["jti"].(string)
		same(t, map[string]any{"active": true, "scope": "email items:read items:write openid profile users:read users:write", "client_id": "first-party", "token_type": "Bearer", "iat": float64(now.Unix()),
			"exp": float64(now.Unix() + 600), "sub": s.userID, "aud": s.base, "iss": s.base, "jti": jti}, said)
		if len(jti) < 16 {
			t.Errorf("jti %q", jti)
		}
	}
	revoked := s.logIn()
	if got := s.form(t, "/revoke", token(revoked.access)); got.status != 200 {
		t.Fatal(got.status)
	}
	for _, row := range []struct{ name, token string }{
		{"what is no token", canary},
		{"a token that expired", s.token(map[string]any{"iat": now.Unix() - 7200, "exp": now.Unix() - 3600})},
		{"a token of another issuer", s.token(map[string]any{"iss": "https://evil.example"})},
		{"a token with another audience", s.token(map[string]any{"aud": "https://evil.example"})},
		{"a revoked token", revoked.access},
		{"a refresh token of another client", login.refresh},
		{"an API key", s.apiKey},
		{"a token whose signature is cut", login.access[:len(login.access)-2]},
	} {
		t.Run(row.name+" is not active, and nothing else is said", func(t *testing.T) {
			got := s.form(t, "/introspect", token(row.token), "Authorization", asks)
			if got.status != 200 || strings.TrimSpace(string(got.body)) != `{"active":false}` {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
	for name, fields := range map[string][]string{
		"nobody": nil, "a wrong secret": {"Authorization", basic(s.clientID, canary)}, "no secret": {"Authorization", basic(s.clientID, "")},
		"the built-in client": {"Authorization", basic("first-party", "")}, "a user": {"Authorization", basic(s.user, s.password)}, "a bearer token": {"Authorization", "Bearer " + login.access},
	} {
		t.Run(name+" may not ask", func(t *testing.T) {
			got := s.form(t, "/introspect", token(login.access), fields...)
			if got.status != 401 || !strings.HasPrefix(string(got.body), `{"error":"invalid_client"`) || got.header.Get("WWW-Authenticate") != basicChallenge {
				t.Errorf("%d %q %s", got.status, got.header.Get("WWW-Authenticate"), got.body)
			}
		})
	}
}

func TestSessions(t *testing.T) {
	s := start(t)
	ctx := context.Background()
	one, two := s.logIn(), s.logIn()
	list, err := s.api.ListSessionsWithResponse(ctx, bearerAuth(two.access))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(list.JSON200.Sessions); n != 2 {
		t.Errorf("%d sessions", n)
	}
	for _, x := range list.JSON200.Sessions {
		if x.Current != (x.Id == two.session) || x.ClientId != "first-party" || x.Address != "127.0.0.1" || !strings.HasPrefix(x.UserAgent, "Go-http-client") {
			t.Errorf("listed: %+v", x)
		}
	}
	person := s.newPerson("other", "users:read")
	foreign := s.form(t, "/token", url.Values{"grant_type": {"password"}, "username": {person.name}, "password": {person.password}})
	var login client.TokenResponse
	if err := json.Unmarshal(foreign.body, &login); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, method, target, access string
		status                       int
	}{
		{"another user does not end it", "DELETE", "/users/me/sessions/" + one.session.String(), login.AccessToken, 404},
		{"a session that is not there", "DELETE", "/users/me/sessions/" + s.userID, two.access, 404},
		{"what is no session id", "DELETE", "/users/me/sessions/" + canary, two.access, 422},
		{"a token without a session has none to end", "DELETE", "/users/me/sessions/current", s.token(), 404},
		{"without a credential", "DELETE", "/users/me/sessions", "", 401},
		{"the list needs a scope", "GET", "/users/me/sessions", s.token(scope("items:read")), 403},
		{"one device is logged out by another", "DELETE", "/users/me/sessions/" + one.session.String(), two.access, 204},
		{"and is out", "GET", "/users/me/sessions", one.access, 401},
		{"it cannot be ended again", "DELETE", "/users/me/sessions/" + one.session.String(), two.access, 404},
		{"the current one is logged out", "DELETE", "/users/me/sessions/current", two.access, 204},
		{"and is out too", "GET", "/users/me/sessions", two.access, 401},
		{"the other user is in", "GET", "/users/me/sessions", login.AccessToken, 200},
		{"everywhere", "DELETE", "/users/me/sessions", login.AccessToken, 204},
		{"means here", "GET", "/users/me/sessions", login.AccessToken, 401},
	} {
		t.Run(row.name, func(t *testing.T) {
			var fields []string
			if row.access != "" {
				fields = []string{"Authorization", "Bearer " + row.access}
			}
			if got := s.send(t, row.method, row.target, "", fields...); got.status != row.status {
				t.Errorf("%d, want %d: %s", got.status, row.status, got.body)
			}
		})
	}
}

// TestWhatEndsInOneProcessEndsInAnother: two services on one database, as two processes are.
func TestWhatEndsInOneProcessEndsInAnother(t *testing.T) {
	s := start(t)
	config := s.config
	config.Log, config.AccessLog = slog.New(slog.DiscardHandler), &journal{}
	other, err := server.New(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	good := func(access string) bool {
		r, w := httptest.NewRequest("GET", "/protected/bearer", nil), httptest.NewRecorder()
		r.Header.Set("Authorization", "Bearer "+access)
		other.Handler().ServeHTTP(w, r)
		return w.Code == 200
	}
	for name, end := range map[string]func(login tokens){
		"a session that was logged out": func(l tokens) {
			if got := s.send(t, "DELETE", "/users/me/sessions/current", "", "Authorization", "Bearer "+l.access); got.status != 204 {
				t.Fatal(got.status)
			}
		},
		"a token that was revoked": func(l tokens) {
			if got := s.form(t, "/revoke", token(l.access)); got.status != 200 {
				t.Fatal(got.status)
			}
		},
		"a refresh token that was used twice": func(l tokens) {
			again := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {l.refresh}}
			if got := s.form(t, "/token", again); got.status != 200 {
				t.Fatal(got.status)
			}
			s.clock.pass(time.Minute)
			if got := s.form(t, "/token", again); got.status != 400 {
				t.Fatal(got.status)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			login := s.logIn()
			if !good(login.access) {
				t.Fatal("the other process does not take the token")
			}
			end(login)
			if err := other.Refresh(context.Background()); err != nil {
				t.Fatal(err)
			}
			if good(login.access) {
				t.Error("the other process takes it after it has looked")
			}
		})
	}
}
