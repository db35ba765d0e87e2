package server_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// TestACodeFromTheFirstPageToTheTokens goes the whole way, a step at a time.
func TestACodeFromTheFirstPageToTheTokens(t *testing.T) {
	s := start(t)
	a := s.newApp(t)
	first := a.visit(t, "/authorize?"+a.query(url.Values{"login_hint": {`"><script>`}}))
	carried := isPage(t, first, 200, "Log in")
	if !strings.Contains(string(first.body), "<strong>Shop</strong>") || strings.Contains(string(first.body), "<script") || !strings.Contains(string(first.body), "&#34;&gt;&lt;script&gt;") {
		t.Errorf("the page is\n%s", first.body)
	}
	if policy := first.header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' https://shop.example.com;") || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %s", policy)
	}
	in := a.post(t, "/login", url.Values{"username": {s.user}, "password": {s.password}, "request": {carried}})
	if in.status != 303 || len(in.header["Set-Cookie"]) != 2 {
		t.Fatalf("the login: %d, %s", in.status, in.header["Set-Cookie"])
	}
	for i, want := range [][2]string{{"__Host-login=ls_", "43200"}, {"__Host-device=dv_", "15552000"}} {
		if cookie := in.header["Set-Cookie"][i]; !strings.HasPrefix(cookie, want[0]) || !strings.HasSuffix(cookie, "; Path=/; Max-Age="+want[1]+"; HttpOnly; Secure; SameSite=Lax") {
			t.Errorf("the login sets %s", cookie)
		}
	}
	next := in.header.Get("Location")
	if !strings.HasPrefix(next, "/authorize?") {
		t.Fatalf("after the login: %s", next)
	}
	asked := a.visit(t, next)
	carried = isPage(t, asked, 200, "Allow Shop?")
	for _, text := range []string{"Know who you are.", "Read your items.", "<code>https://shop.example.com</code>", "<strong>" + s.user + "</strong>"} {
		if !strings.Contains(string(asked.body), text) {
			t.Errorf("the page does not say %q:\n%s", text, asked.body)
		}
	}
	if strings.Contains(string(asked.body), "Create, change") {
		t.Error("the page names a scope that is not asked for")
	}
	back := a.post(t, "/consent", url.Values{"decision": {"allow"}, "request": {carried}})
	same(t, []string{"st&te=1"}, a.returned(t, back)["state"])
	got := a.redeem(t, a.code(t, back))
	tokens := a.tokens(t, got)
	same(t, "items:read openid", tokens.Scope)
	if got.header.Get("Deprecation") != "" {
		t.Error("the grant is called deprecated")
	}
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(*tokens.IdToken, claims); err != nil {
		t.Fatal(err)
	}
	now := float64(s.clock.Now().Unix())
	if claims["iat"] != now || claims["exp"] != now+600 || claims["auth_time"].(float64) > now || claims["auth_time"].(float64) < now-10 || claims["at_hash"] == "" || claims["sid"] == "" {
		t.Errorf("the ID token says %v", claims)
	}
	for name, want := range map[string]string{"iss": s.base, "aud": a.id, "sub": s.userID, "nonce": "n0nce"} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %s", name, claims[name], want)
		}
	}
	t.Run("an ID token is no access token", func(t *testing.T) {
		if a.alive(t, *tokens.IdToken) || !a.alive(t, tokens.AccessToken) {
			t.Error("the ID token is taken, or the access token beside it is not")
		}
	})
	t.Run("what was allowed is not asked again", func(t *testing.T) {
		a.code(t, a.visit(t, "/authorize?"+a.query(url.Values{"scope": {"items:read"}})))
	})
	t.Run("more than was allowed is asked", func(t *testing.T) {
		isPage(t, a.visit(t, "/authorize?"+a.query(url.Values{"scope": {"items:read items:write"}})), 200, "Allow Shop?")
	})
	t.Run("without the scope openid there is no ID token", func(t *testing.T) {
		code := a.code(t, a.visit(t, "/authorize?"+a.query(url.Values{"scope": {"items:read"}})))
		if tokens := a.tokens(t, a.redeem(t, code)); tokens.IdToken != nil || tokens.Scope != "items:read" {
			t.Errorf("got %+v", tokens)
		}
	})
	t.Run("a form asks as the query does", func(t *testing.T) {
		got := a.ask(t, "POST", "/authorize", a.request(), "Content-Type", formType, "Sec-Fetch-Site", "cross-site", "Origin", "https://shop.example.com")
		if got.status != 303 || got.header.Get("Location") != "/authorize?"+a.query() {
			t.Errorf("%d to %s", got.status, got.header.Get("Location"))
		}
	})
	t.Run("who denies is sent back without a code", func(t *testing.T) {
		same(t, "access_denied", a.returned(t, a.decide(t, "deny")).Get("error"))
	})
	t.Run("who logs out is asked to log in", func(t *testing.T) {
		old := a.login
		out := a.post(t, "/logout", url.Values{"request": {a.query()}})
		if cookie := out.header.Get("Set-Cookie"); out.status != 303 || cookie != "__Host-login=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax" {
			t.Errorf("%d %s", out.status, cookie)
		}
		a.login = old
		isPage(t, a.visit(t, out.header.Get("Location")), 200, "Log in")
		if !a.alive(t, tokens.AccessToken) {
			t.Error("the login of the application has ended too")
		}
	})
}

// TestPrompts: OpenID Connect Core §3.1.2.1.
func TestPrompts(t *testing.T) {
	s := start(t)
	a, stranger := s.newApp(t), s.newApp(t)
	a.allow(t)
	s.clock.pass(time.Minute)
	with := func(name, value string) url.Values { return url.Values{name: {value}} }
	t.Run("none, for who is not logged in", func(t *testing.T) {
		same(t, "login_required", stranger.returned(t, stranger.visit(t, "/authorize?"+stranger.query(with("prompt", "none")))).Get("error"))
	})
	t.Run("none, for who was not asked", func(t *testing.T) {
		stranger.login = a.login
		same(t, "consent_required", stranger.returned(t, stranger.visit(t, "/authorize?"+stranger.query(with("prompt", "none")))).Get("error"))
	})
	t.Run("none, for who has allowed it", func(t *testing.T) {
		a.code(t, a.visit(t, "/authorize?"+a.query(with("prompt", "none"))))
	})
	t.Run("none, for a login that is too old", func(t *testing.T) {
		same(t, "login_required", a.returned(t, a.visit(t, "/authorize?"+a.query(with("prompt", "none"), with("max_age", "10")))).Get("error"))
	})
	t.Run("consent asks again", func(t *testing.T) {
		isPage(t, a.visit(t, "/authorize?"+a.query(with("prompt", "consent"))), 200, "Allow Shop?")
	})
	for name, change := range map[string]url.Values{"login": with("prompt", "login"), "select_account": with("prompt", "select_account"), "a login that is too old": with("max_age", "10")} {
		t.Run(name+" asks for the password, once", func(t *testing.T) {
			s.clock.pass(time.Minute)
			before := a.login
			carried := isPage(t, a.visit(t, "/authorize?"+a.query(change)), 200, "Log in")
			in := a.post(t, "/login", url.Values{"username": {s.user}, "password": {s.password}, "request": {carried}})
			a.code(t, a.visit(t, in.header.Get("Location")))
			if a.login == before {
				t.Error("the login has the id of the one before")
			}
			now := a.login
			a.login = before
			isPage(t, a.visit(t, "/authorize?"+a.query()), 200, "Log in")
			a.login = now
		})
	}
	t.Run("consent beside login asks for both", func(t *testing.T) {
		carried := isPage(t, a.visit(t, "/authorize?"+a.query(with("prompt", "login consent"))), 200, "Log in")
		in := a.post(t, "/login", url.Values{"username": {s.user}, "password": {s.password}, "request": {carried}})
		isPage(t, a.visit(t, in.header.Get("Location")), 200, "Allow Shop?")
	})
	t.Run("a login ends after 12 hours", func(t *testing.T) {
		a.logIn(t)
		s.clock.pass(12*time.Hour - 5*time.Second)
		a.code(t, a.visit(t, "/authorize?"+a.query()))
		s.clock.pass(5 * time.Second)
		isPage(t, a.visit(t, "/authorize?"+a.query()), 200, "Log in")
	})
}
