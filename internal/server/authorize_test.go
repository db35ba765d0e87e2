package server_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/oauth"
	"example.com/gatehouse/internal/server"
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
	if cookie := in.header.Get("Set-Cookie"); in.status != 303 || !strings.HasPrefix(cookie, "__Host-login=ls_") || !strings.HasSuffix(cookie, "; Path=/; Max-Age=43200; HttpOnly; Secure; SameSite=Lax") {
		t.Fatalf("the login: %d, %s", in.status, cookie)
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

// TestWhoAsksMustBeKnown: nothing is sent to an address that is not the application's (RFC 9700 §2.1, §4.1).
func TestWhoAsksMustBeKnown(t *testing.T) {
	s := start(t)
	a := s.newApp(t, func(n *oauth.NewClient) {
		n.RedirectURIs = []string{"https://shop.example.com/callback", "https://shop.example.com/other?a=b", "com.example.shop:/callback", "http://127.0.0.1/callback", "http://localhost:8000/callback"}
	})
	a.logIn(t)
	disabled := s.newApp(t)
	if err := s.Clients().SetDisabled(t.Context(), disabled.id, true); err != nil {
		t.Fatal(err)
	}
	to := func(text string) url.Values { return url.Values{"redirect_uri": {text}} }
	for _, row := range []struct {
		name   string
		change url.Values
	}{
		{"no application", url.Values{"client_id": nil}},
		{"an application without a value", url.Values{"client_id": {""}}},
		{"an unknown application", url.Values{"client_id": {canary}}},
		{"a disabled application", url.Values{"client_id": {disabled.id}}},
		{"our own pages are no application", url.Values{"client_id": {"browser"}}},
		{"the built-in application elsewhere", url.Values{"client_id": {"first-party"}}},
		{"no redirect URI", url.Values{"redirect_uri": nil}},
		{"another host", to("https://" + canary + ".example/callback")},
		{"a host that begins alike", to("https://shop.example.com.evil.example/callback")},
		{"a host that ends alike", to("https://evilshop.example.com/callback")},
		{"a host behind a user", to("https://shop.example.com@evil.example/callback")},
		{"a user", to("https://me@shop.example.com/callback")},
		{"another scheme", to("http://shop.example.com/callback")},
		{"another port", to("https://shop.example.com:8443/callback")},
		{"the port of the scheme", to("https://shop.example.com:443/callback")},
		{"another path", to("https://shop.example.com/callback2")},
		{"a longer path", to("https://shop.example.com/callback/" + canary)},
		{"a path through a folder", to("https://shop.example.com/a/../callback")},
		{"a slash more", to("https://shop.example.com/callback/")},
		{"a query more", to("https://shop.example.com/callback?x=y")},
		{"another query", to("https://shop.example.com/other?a=c")},
		{"no query where there is one", to("https://shop.example.com/other")},
		{"a fragment", to("https://shop.example.com/callback#x")},
		{"another case", to("https://SHOP.example.com/callback")},
		{"an escape", to("https://shop.example.com/%63allback")},
		{"a space", to("https://shop.example.com/callback ")},
		{"a line end", to("https://shop.example.com/callback\r\nSet-Cookie: a=b")},
		{"a tab within", to("https://shop.example.com\t/callback")},
		{"a backslash", to(`https://shop.example.com\@evil.example/callback`)},
		{"no scheme", to("//shop.example.com/callback")},
		{"a script", to("javascript:alert(1)")},
		{"the loopback interface by its name", to("http://localhost:8001/callback")},
		{"the loopback interface with another path", to("http://127.0.0.1:8000/callback2")},
		{"the loopback interface with TLS", to("https://127.0.0.1:8000/callback")},
		{"another address of the loopback interface", to("http://127.0.0.2:8000/callback")},
		{"the loopback interface with a user", to("http://a@127.0.0.1:8000/callback")},
		{"a host that begins like the loopback interface", to("http://127.0.0.1.evil.example:8000/callback")},
		{"the scheme of another app", to("com.example.other:/callback")},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := a.visit(t, "/authorize?"+a.query(row.change))
			isPage(t, got, 400, "Invalid request")
			if form := a.decide(t, "allow", row.change); form.status != 400 || form.header.Get("Location") != "" {
				t.Errorf("the consent page: %d to %s", form.status, form.header.Get("Location"))
			}
		})
	}
	for _, uri := range []string{
		"https://shop.example.com/callback", "https://shop.example.com/other?a=b", "com.example.shop:/callback", "http://localhost:8000/callback",
		"http://127.0.0.1/callback", "http://127.0.0.1:8000/callback", "http://127.0.0.1:65535/callback",
	} {
		t.Run("the application has "+uri, func(t *testing.T) {
			got := a.visit(t, "/authorize?"+a.query(to(uri), url.Values{"prompt": {"consent"}}))
			isPage(t, got, 200, "Allow Shop?")
			separator := map[bool]string{true: "&code=", false: "?code="}[strings.Contains(uri, "?")]
			if got := a.decide(t, "allow", to(uri)); got.status != 303 || !strings.HasPrefix(got.header.Get("Location"), uri+separator) {
				t.Errorf("%d to %s", got.status, got.header.Get("Location"))
			}
		})
	}
	t.Run("what may be another app is asked about each time", func(t *testing.T) {
		for _, uri := range []string{"com.example.shop:/callback", "http://127.0.0.1:8000/callback", "http://localhost:8000/callback"} {
			a.decide(t, "allow", to(uri))
			isPage(t, a.visit(t, "/authorize?"+a.query(to(uri))), 200, "Allow Shop?")
		}
	})
}

// TestAuthorizationRequestsAreJudged: the errors of RFC 6749 §4.1.2.1 and OpenID Connect Core §3.1.2.6 go to the application.
func TestAuthorizationRequestsAreJudged(t *testing.T) {
	s := start(t)
	a := s.newApp(t)
	a.allow(t)
	noCodes := s.newApp(t, func(n *oauth.NewClient) { n.Scopes = auth.NewScopes("admin") })
	for _, row := range []struct {
		name   string
		change url.Values
		code   string
	}{
		{"no response type", url.Values{"response_type": nil}, "invalid_request"},
		{"the implicit grant", url.Values{"response_type": {"token"}}, "unsupported_response_type"},
		{"the hybrid flow", url.Values{"response_type": {"code id_token"}}, "unsupported_response_type"},
		{"another response mode", url.Values{"response_mode": {"fragment"}}, "invalid_request"},
		{"no challenge", url.Values{"code_challenge": nil}, "invalid_request"},
		{"no challenge and no method", url.Values{"code_challenge": nil, "code_challenge_method": nil}, "invalid_request"},
		{"no method, which is plain", url.Values{"code_challenge_method": nil}, "invalid_request"},
		{"the method plain", url.Values{"code_challenge_method": {"plain"}}, "invalid_request"},
		{"a method in another case", url.Values{"code_challenge_method": {"s256"}}, "invalid_request"},
		{"a challenge that is too short", url.Values{"code_challenge": {"abc"}}, "invalid_request"},
		{"a challenge that is no base64url", url.Values{"code_challenge": {strings.Repeat("+", 43)}}, "invalid_request"},
		{"a challenge with padding", url.Values{"code_challenge": {challenge("x") + "="}}, "invalid_request"},
		{"an unknown scope", url.Values{"scope": {"openid root"}}, "invalid_scope"},
		{"a scope that the application may not have", url.Values{"scope": {"admin"}}, "invalid_scope"},
		{"a scope with a wrong syntax", url.Values{"scope": {"openid  items:read"}}, "invalid_scope"},
		{"an unknown prompt", url.Values{"prompt": {"create"}}, "invalid_request"},
		{"a prompt that contradicts itself", url.Values{"prompt": {"none login"}}, "invalid_request"},
		{"an age that is no number", url.Values{"max_age": {"-1"}}, "invalid_request"},
		{"a request object", url.Values{"request": {"eyJ.e30."}}, "request_not_supported"},
		{"the address of a request object", url.Values{"request_uri": {"https://shop.example.com/r"}}, "request_uri_not_supported"},
		{"an application whose scopes the user does not hold", url.Values{"client_id": {noCodes.id}, "scope": nil}, "invalid_scope"},
	} {
		t.Run(row.name, func(t *testing.T) {
			back := a.returned(t, a.visit(t, "/authorize?"+a.query(row.change)))
			if back.Get("error") != row.code || back.Get("code") != "" || back.Get("error_description") == "" || back.Get("state") != "st&te=1" {
				t.Errorf("the application is told %v, want %s", back, row.code)
			}
			if back := a.returned(t, a.decide(t, "allow", row.change)); back.Get("error") != row.code {
				t.Errorf("after the page it is told %v, want %s", back, row.code)
			}
		})
	}
	t.Run("an unknown parameter is ignored", func(t *testing.T) {
		a.code(t, a.visit(t, "/authorize?"+a.query(url.Values{"resource": {canary}, "login_hint": {""}, "nonce": {""}})))
	})
	t.Run("a parameter that stands twice is refused", func(t *testing.T) {
		if got := a.visit(t, "/authorize?"+a.query(url.Values{"state": {"a", "b"}})); got.status != 422 && got.status != 400 || got.header.Get("Location") != "" {
			t.Errorf("%d to %s", got.status, got.header.Get("Location"))
		}
	})
	t.Run("state and nonce are bounded where the page carries them", func(t *testing.T) {
		for name, change := range map[string]url.Values{"state": {"state": {strings.Repeat("a", 2001)}}, "nonce": {"nonce": {strings.Repeat("a", 501)}}} {
			if back := a.returned(t, a.decide(t, "allow", change)); back.Get("error") != "invalid_request" || len(back.Get("state")) > 2000 {
				t.Errorf("%s: %v", name, back)
			}
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

func TestACodeIsGoodOnceAndForItsClient(t *testing.T) {
	s := start(t)
	a := s.newApp(t)
	a.allow(t)
	fresh := func(t *testing.T) string { return a.code(t, a.visit(t, "/authorize?"+a.query())) }
	t.Run("a second use ends what the first one began", func(t *testing.T) {
		code := fresh(t)
		first := a.tokens(t, a.redeem(t, code))
		if !a.alive(t, first.AccessToken) {
			t.Fatal("the access token is not good")
		}
		says(t, a.redeem(t, code), 400, "invalid_grant")
		if a.alive(t, first.AccessToken) {
			t.Error("the access token is still good")
		}
		says(t, s.form(t, "/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {*first.RefreshToken}, "client_id": {a.id}}), 400, "invalid_grant")
	})
	other := s.newApp(t)
	for _, row := range []struct {
		name   string
		change url.Values
		status int
		code   string
		usedUp bool
	}{
		{"another verifier", url.Values{"code_verifier": {strings.Repeat("x", 43)}}, 400, "invalid_grant", true},
		{"the challenge as the verifier", url.Values{"code_verifier": {challenge(a.verifier)}}, 400, "invalid_grant", true},
		{"another redirect URI", url.Values{"redirect_uri": {"https://shop.example.com/other"}}, 400, "invalid_grant", true},
		{"another client", url.Values{"client_id": {other.id}}, 400, "invalid_grant", false},
		{"the built-in client", url.Values{"client_id": nil}, 400, "invalid_grant", false},
		{"an unknown client", url.Values{"client_id": {canary}}, 401, "invalid_client", false},
		{"another code", url.Values{"code": {"ac_" + canary}}, 400, "invalid_grant", false},
		{"no verifier", url.Values{"code_verifier": nil}, 400, "invalid_request", false},
		{"a verifier that is too short", url.Values{"code_verifier": {a.verifier[:42]}}, 400, "invalid_request", false},
		{"no redirect URI", url.Values{"redirect_uri": nil}, 400, "invalid_request", false},
		{"no code", url.Values{"code": nil}, 400, "invalid_request", false},
		{"the code twice", url.Values{"code": {"a", "b"}}, 400, "invalid_request", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			code := fresh(t)
			says(t, a.redeem(t, code, row.change), row.status, row.code)
			if got := a.redeem(t, code); got.status == 200 == row.usedUp {
				t.Errorf("afterwards: %d %s", got.status, got.body)
			}
			delete(s.secrets, challenge(a.verifier)) // it stands in addresses, and is no secret
		})
	}
	t.Run("a code of a minute ago", func(t *testing.T) {
		code := fresh(t)
		s.clock.pass(time.Minute)
		says(t, a.redeem(t, code), 400, "invalid_grant")
	})
	t.Run("a code of somebody who has logged out", func(t *testing.T) {
		a.logIn(t)
		code := fresh(t)
		a.post(t, "/logout", url.Values{"request": {a.query()}})
		says(t, a.redeem(t, code), 400, "invalid_grant")
	})
	t.Run("a confidential client proves itself, or the code stays", func(t *testing.T) {
		web := s.newApp(t, func(n *oauth.NewClient) { n.Method = oauth.MethodSecret })
		code := web.allow(t)
		says(t, web.redeem(t, code, url.Values{"client_secret": nil}), 401, "invalid_client")
		says(t, web.redeem(t, code, url.Values{"client_secret": {canary}}), 401, "invalid_client")
		web.tokens(t, web.redeem(t, code))
	})
	t.Run("a code of somebody who has changed the password", func(t *testing.T) {
		a.logIn(t)
		code := fresh(t)
		body := `{"current_password":"` + s.password + `","new_password":"staple battery horse correct"}`
		if got := s.send(t, "POST", "/users/me/password", body, "Authorization", basic(s.user, s.password), "Content-Type", "application/json"); got.status != 204 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		says(t, a.redeem(t, code), 400, "invalid_grant")
		isPage(t, a.visit(t, "/authorize?"+a.query()), 200, "Log in")
	})
}

// TestFiftyRedeemOneCode at once: one gets tokens.
func TestFiftyRedeemOneCode(t *testing.T) {
	s := start(t)
	a := s.newApp(t)
	code := a.allow(t)
	answers := make([]answer, 50)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = a.redeem(t, code) })
	}
	all.Wait()
	counted := map[int]int{}
	for _, got := range answers {
		counted[got.status]++
		if got.status != 200 {
			says(t, got, 400, "invalid_grant")
			continue
		}
		var tokens map[string]any
		if err := json.Unmarshal(got.body, &tokens); err != nil || a.alive(t, tokens["access_token"].(string)) {
			t.Errorf("the tokens of a code that was used 50 times are good: %v", err)
		}
	}
	same(t, map[int]int{200: 1, 400: 49}, counted)
}

// TestPagesTakeTheirOwnFormsOnly: a page of another site cannot log anybody in, allow anything or log anybody out (CWE-352).
func TestPagesTakeTheirOwnFormsOnly(t *testing.T) {
	s := start(t)
	a := s.newApp(t)
	a.logIn(t)
	forms := map[string]url.Values{
		"/login":   {"username": {s.user}, "password": {s.password}, "request": {a.query()}},
		"/consent": {"decision": {"allow"}, "request": {a.query()}},
		"/logout":  {"request": {a.query()}},
	}
	for _, target := range []string{"/consent", "/login", "/logout"} {
		for _, row := range []struct {
			name   string
			fields []string
			status int
		}{
			{"another site", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403},
			{"another host of the site", []string{"Sec-Fetch-Site", "same-site", "Origin", "https://evil.example.com"}, 403},
			{"another origin, from a browser that says no more", []string{"Origin", "https://evil.example"}, 403},
			{"a frame in a sandbox", []string{"Origin", "null"}, 403},
			{"the page itself", []string{"Sec-Fetch-Site", "same-origin", "Origin", s.base}, 303},
			{"the page itself, from a browser that says less", []string{"Origin", s.base}, 303},
		} {
			t.Run(target+" from "+row.name, func(t *testing.T) {
				before := s.handled.Load()
				login := a.login
				got := a.ask(t, "POST", target, forms[target], append(row.fields, "Content-Type", formType)...)
				if got.status != row.status {
					t.Errorf("%d %s", got.status, got.body)
				}
				if row.status == 403 && (s.handled.Load() != before || a.login != login || !strings.Contains(string(got.body), "<h1>Cross-origin request</h1>")) {
					t.Errorf("something was done: %s", got.body)
				}
			})
		}
	}
}

func TestTheLoginPageRefuses(t *testing.T) {
	s := start(t)
	a := s.newApp(t)
	wrong := func(username, password string) answer {
		return a.post(t, "/login", url.Values{"username": {username}, "password": {password}, "request": {a.query()}})
	}
	known, unknown := wrong(s.user, canary+"1"), wrong("nobody", canary+"1")
	for _, got := range []answer{known, unknown} {
		isPage(t, got, 403, "Log in")
		if !strings.Contains(string(got.body), `role="alert" id="wrong">The name or the password is wrong.</p>`) || got.header.Get("Set-Cookie") != "" {
			t.Errorf("the page is\n%s", got.body)
		}
	}
	if a, b := strings.ReplaceAll(string(known.body), `value="`+s.user, "X"), strings.ReplaceAll(string(unknown.body), `value="nobody`, "X"); a != b {
		t.Errorf("the pages tell whether an account exists:\n%s\n%s", a, b)
	}
	got := wrong(s.user, canary+"2")
	for i := 0; i < 20 && got.status == 403; i++ {
		got = wrong(s.user, canary+"2")
	}
	isPage(t, got, 429, "Quota exceeded")
	if got.header.Get("Retry-After") == "" {
		t.Error("there is no Retry-After")
	}
}

// TestTheLoginCookie: nothing else passes for it.
func TestTheLoginCookie(t *testing.T) {
	s := start(t)
	a := s.newApp(t)
	code := a.allow(t)
	good := a.login
	tokens := a.tokens(t, a.redeem(t, code))
	refresh := *tokens.RefreshToken
	for _, row := range []struct{ name, value string }{
		{"a refresh token", refresh},
		{"a refresh token that is called a login", "ls_" + strings.TrimPrefix(refresh, "rt_")},
		{"another letter", good[:len(good)-2] + map[bool]string{true: "B", false: "A"}[good[len(good)-2] == 'A'] + good[len(good)-1:]},
		{"the id of the login alone", good[:25]},
		{"an access token", tokens.AccessToken[:190]},
		{"anything", canary},
	} {
		t.Run(row.name, func(t *testing.T) {
			a.login = row.value
			isPage(t, a.visit(t, "/authorize?"+a.query()), 200, "Log in")
			if got := a.decide(t, "allow"); got.status != 303 || got.header.Get("Location") != "/authorize?"+a.query() {
				t.Errorf("the consent page: %d to %s", got.status, got.header.Get("Location"))
			}
		})
	}
	a.login = good
	a.code(t, a.visit(t, "/authorize?"+a.query()))
	t.Run("a login is no refresh token", func(t *testing.T) {
		for _, text := range []string{good, "rt_" + strings.TrimPrefix(good, "ls_")} {
			says(t, s.form(t, "/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {text}, "client_id": {a.id}}), 400, "invalid_grant")
		}
	})
	t.Run("a login is listed and ended like others", func(t *testing.T) {
		mine := s.logIn()
		list := s.send(t, "GET", "/users/me/sessions", "", "Authorization", "Bearer "+mine.access)
		if !strings.Contains(string(list.body), `"client_id":"browser"`) {
			t.Errorf("the list is %s", list.body)
		}
		s.send(t, "DELETE", "/users/me/sessions", "", "Authorization", "Bearer "+mine.access)
		isPage(t, a.visit(t, "/authorize?"+a.query()), 200, "Log in")
	})
}

func TestConsentsAreListedAndWithdrawn(t *testing.T) {
	s := start(t)
	a, b := s.newApp(t), s.newApp(t, func(n *oauth.NewClient) { n.Name = "Mail" })
	tokens := a.tokens(t, a.redeem(t, a.allow(t)))
	b.login = a.login
	kept := b.tokens(t, b.redeem(t, b.code(t, b.decide(t, "allow", url.Values{"scope": {"items:write"}}))))
	mine := s.logIn().access
	list := func() []string {
		var got struct {
			Consents []struct {
				ClientID string `json:"client_id"`
				Name     string `json:"client_name"`
				Scopes   []string
			}
		}
		if err := json.Unmarshal(s.send(t, "GET", "/users/me/consents", "", "Authorization", "Bearer "+mine).body, &got); err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, c := range got.Consents {
			lines = append(lines, c.Name+": "+strings.Join(c.Scopes, " "))
		}
		return lines
	}
	same(t, []string{"Mail: items:write", "Shop: items:read openid"}, list())
	a.decide(t, "allow", url.Values{"scope": {"items:write"}})
	same(t, []string{"Shop: items:read items:write openid", "Mail: items:write"}, list())
	pending := a.code(t, a.visit(t, "/authorize?"+a.query()))
	withdraw := func(as string) int {
		return s.send(t, "DELETE", "/users/me/consents/"+a.id, "", "Authorization", "Bearer "+as).status
	}
	other := s.newPerson("other", "users:write")
	foreign := s.token(jwt.MapClaims{"sub": other.id, "scope": "users:write"})
	same(t, 404, withdraw(foreign))
	same(t, 204, withdraw(mine))
	same(t, 404, withdraw(mine))
	same(t, []string{"Mail: items:write"}, list())
	if a.alive(t, tokens.AccessToken) || !b.alive(t, kept.AccessToken) {
		t.Error("the tokens of the application are good, or those of the other one are not")
	}
	says(t, a.redeem(t, pending), 400, "invalid_grant")
	isPage(t, a.visit(t, "/authorize?"+a.query()), 200, "Allow Shop?")
}

func TestUserinfo(t *testing.T) {
	s := start(t)
	ask := func(method, scopes string) answer {
		return s.send(t, method, "/userinfo", "", "Authorization", "Bearer "+s.token(scope(scopes)))
	}
	same(t, `{"sub":"`+s.userID+`"}`, strings.TrimSpace(string(ask("GET", "openid").body)))
	same(t, `{"sub":"`+s.userID+`","preferred_username":"`+s.user+`"}`, strings.TrimSpace(string(ask("POST", "openid profile email").body)))
	if got := ask("GET", "profile email"); got.status != 403 || !strings.Contains(got.header.Get("WWW-Authenticate"), `scope="openid"`) {
		t.Errorf("without openid: %d %s", got.status, got.header.Get("WWW-Authenticate"))
	}
	s.json(t, "POST", "/users", `{"email":"ann@example.com","password":"correct horse battery","display_name":"Ann"}`)
	s.json(t, "POST", "/account/verification", `{"token":"`+s.mailed(1)["ann@example.com"]+`","password":"correct horse battery"}`)
	ann := s.idOf("ann@example.com")
	got := s.send(t, "GET", "/userinfo", "", "Authorization", "Bearer "+s.token(jwt.MapClaims{"sub": ann, "scope": "openid profile email"}))
	same(t, `{"sub":"`+ann+`","preferred_username":"ann@example.com","name":"Ann","email":"ann@example.com","email_verified":true}`, strings.TrimSpace(string(got.body)))
}

// TestMetadataListsWhatWorks asks for each address that it names (security.md 54).
func TestMetadataListsWhatWorks(t *testing.T) {
	s := start(t)
	got := s.send(t, "GET", "/.well-known/openid-configuration", "")
	same(t, string(got.body), string(s.send(t, "GET", "/.well-known/oauth-authorization-server", "").body))
	if got.status != 200 || got.header.Get("Cache-Control") != "public, max-age=300" {
		t.Fatalf("%d, %s", got.status, got.header.Get("Cache-Control"))
	}
	var m map[string]any
	if err := json.Unmarshal(got.body, &m); err != nil {
		t.Fatal(err)
	}
	same(t, s.base, m["issuer"].(string))
	probed := 0
	for name, value := range m {
		if !strings.HasSuffix(name, "_endpoint") && name != "jwks_uri" {
			continue
		}
		probed++
		target := strings.TrimPrefix(value.(string), s.base)
		method := map[bool]string{true: "POST", false: "GET"}[slices.Contains([]string{"/token", "/revoke", "/introspect"}, target)]
		if got := s.send(t, method, target, ""); got.status == 404 || got.status == 405 {
			t.Errorf("%s: %s %s answers %d", name, method, target, got.status)
		}
	}
	same(t, 6, probed)
	silent := start(t, func(c *server.Config) { c.PasswordGrant = false })
	if off := silent.send(t, "GET", "/.well-known/openid-configuration", ""); strings.Contains(string(off.body), `"password"`) || !strings.Contains(string(got.body), `"password"`) {
		t.Error("the grant is listed where it is off, or not where it is on")
	}
}
