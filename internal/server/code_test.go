package server_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/gatehouse/internal/oauth"
)

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
