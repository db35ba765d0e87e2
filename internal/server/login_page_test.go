package server_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

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

// TestAKnownDeviceGetsInDuringAnAttack: the failures of the network count for everybody in it, but for a browser that was there before.
func TestAKnownDeviceGetsInDuringAnAttack(t *testing.T) {
	s := start(t)
	owner, attacker := s.newApp(t), s.newApp(t)
	owner.logIn(t)
	owner.login = ""
	forged := s.newApp(t)
	forged.device = owner.device[:len(owner.device)-1] + "_"
	guesses := 0
	// spend fails until no place comes back for two requests.
	spend := func() {
		t.Helper()
		for ; guesses < 200; guesses++ {
			got := attacker.post(t, "/login", url.Values{"username": {s.user}, "password": {canary + strconv.Itoa(guesses)}, "request": {attacker.query()}})
			if wait, _ := strconv.Atoi(got.header.Get("Retry-After")); got.status == 429 && wait >= 3 {
				return
			}
		}
		t.Fatal("200 guesses are not limited")
	}
	s.clock.pass(time.Minute) // the login is not remembered any more
	attempt := func(a *app, password string) answer {
		return a.post(t, "/login", url.Values{"username": {s.user}, "password": {password}, "request": {a.query()}})
	}
	for _, row := range []struct {
		name     string
		app      *app
		password string
		status   int
	}{
		{"who was never here", s.newApp(t), s.password, 429},
		{"who makes up a device", forged, s.password, 429},
		{"a known device with a wrong password", owner, canary, 403},
		{"a known device", owner, s.password, 303},
	} {
		spend()
		if got := attempt(row.app, row.password); got.status != row.status {
			t.Errorf("%s: %d, want %d", row.name, got.status, row.status)
		}
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
