package server_test

import (
	"net/url"
	"strings"
	"testing"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/oauth"
)

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
