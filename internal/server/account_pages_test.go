package server_test

import (
	"context"
	"html"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/internal/accounts"
	"example.com/gatehouse/internal/server"
)

const goodPassword = "correct horse battery"

func ownPages(c *server.Config) { c.AccountPage = "" }

// link is where the one mail that was sent leads, on this service.
func (s *service) link(t *testing.T) string {
	t.Helper()
	s.Mails()
	files, err := filepath.Glob(filepath.Join(s.config.Data, "mail", "*.eml"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%d mails, %v", len(files), err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	s.mailed(1)
	found := regexp.MustCompile(`\n` + regexp.QuoteMeta(s.base) + `(/[a-z-]+\?token=[A-Za-z0-9_-]{43})\r?\n`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("the mail has no link:\n%s", text)
	}
	return string(found[1])
}

// register registers the address and returns the token of the mail.
func (s *service) register(t *testing.T, email string) string {
	t.Helper()
	if got := s.json(t, "POST", "/users", `{"email":"`+email+`","password":"`+goodPassword+`"}`); got.status != 202 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	return s.mailed(1)[email]
}

// forget asks for a new password for an account that is made for it, and returns the token of the mail.
func (s *service) forget(t *testing.T, email string) string {
	t.Helper()
	if _, err := s.Users().Create(context.Background(), accounts.NewUser{Username: email, Email: email, Password: goodPassword, Roles: []string{"member"}}); err != nil {
		t.Fatal(err)
	}
	if got := s.json(t, "POST", "/account/password-reset-mail", `{"email":"`+email+`"}`); got.status != 202 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	return s.mailed(1)[email]
}

// hidden returns the token that the form of a page carries.
func hidden(t *testing.T, got answer) string {
	t.Helper()
	found := regexp.MustCompile(`type="hidden" name="token" value="([^"]*)"`).FindSubmatch(got.body)
	if found == nil {
		t.Fatalf("the page carries no token:\n%s", got.body)
	}
	return html.UnescapeString(string(found[1]))
}

// TestFromTheMailToTheLogin goes the whole way of somebody who registers, and forgets the password.
func TestFromTheMailToTheLogin(t *testing.T) {
	s := start(t, ownPages)
	a := s.newApp(t)
	const email, next = "ann@example.com", "staple battery horse"
	if got := s.json(t, "POST", "/users", `{"email":"`+email+`","password":"`+goodPassword+`"}`); got.status != 202 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	link := s.link(t)
	for range 2 { // a mail server that follows the link, and the person
		isPage(t, s.send(t, "GET", link, ""), 200, "Confirm your address")
	}
	logIn := func(password string) answer {
		return a.post(t, "/login", url.Values{"username": {email}, "password": {password}, "request": {a.query()}})
	}
	isPage(t, logIn(goodPassword), 403, "Log in")
	token := hidden(t, s.send(t, "GET", link, ""))
	isPage(t, s.form(t, "/verify-email", url.Values{"token": {token}, "password": {goodPassword}}), 200, "Your address is confirmed")
	isPage(t, s.send(t, "GET", link, ""), 400, "This link is good no longer")
	if got := logIn(goodPassword); got.status != 303 {
		t.Fatalf("the login: %d %s", got.status, got.body)
	}

	fresh := s.newApp(t)
	login := fresh.visit(t, "/authorize?"+fresh.query())
	if !strings.Contains(string(login.body), `<a href="/forgot-password">`) {
		t.Errorf("the login page has no link for who forgot the password:\n%s", login.body)
	}
	isPage(t, s.send(t, "GET", "/forgot-password", ""), 200, "Forgotten password")
	isPage(t, s.form(t, "/forgot-password", url.Values{"email": {"Ann@Example.com"}}), 200, "Look into your mail")
	link = s.link(t)
	for range 2 {
		isPage(t, s.send(t, "GET", link, ""), 200, "Set a new password")
	}
	isPage(t, a.visit(t, "/authorize?"+a.query()), 200, "Allow Shop?") // the login goes on
	token = hidden(t, s.send(t, "GET", link, ""))
	isPage(t, s.form(t, "/reset-password", url.Values{"token": {token}, "new_password": {next}}), 200, "Your password is set")
	dead := s.send(t, "GET", link, "")
	isPage(t, dead, 400, "This link is good no longer")
	if !strings.Contains(string(dead.body), `<a href="/forgot-password">`) {
		t.Errorf("the page does not say how to get another link:\n%s", dead.body)
	}
	isPage(t, a.visit(t, "/authorize?"+a.query()), 200, "Log in") // the login has ended
	isPage(t, logIn(goodPassword), 403, "Log in")
	if got := logIn(next); got.status != 303 {
		t.Errorf("the login: %d %s", got.status, got.body)
	}
	s.mailed(1)
	s.stop()
	for _, line := range []string{`"path":"/verify-email","query":"token=***"`, `"path":"/reset-password","query":"token=***"`} {
		if !strings.Contains(s.access.String(), line) {
			t.Errorf("the access log has no line with %s", line)
		}
	}
}

// TestTheAccountPagesRefuse what the operations with JSON refuse, and change nothing.
func TestTheAccountPagesRefuse(t *testing.T) {
	s := start(t, ownPages)
	oldVerify, oldReset := s.register(t, "old@example.com"), s.forget(t, "slow@example.com")
	s.clock.pass(24 * time.Hour)
	usedVerify, usedReset := s.register(t, "ann@example.com"), s.forget(t, "bea@example.com")
	for target, body := range map[string]string{
		"/account/verification":   `{"token":"` + usedVerify + `","password":"` + goodPassword + `"}`,
		"/account/password-reset": `{"token":"` + usedReset + `","new_password":"` + goodPassword + `"}`,
	} {
		if got := s.json(t, "POST", target, body); got.status != 204 {
			t.Fatalf("%s: %d %s", target, got.status, got.body)
		}
	}
	s.mailed(1)
	replaced := s.register(t, "pat@example.com")
	s.json(t, "POST", "/account/verification-mail", `{"email":"pat@example.com"}`)
	verify, reset := s.mailed(1)["pat@example.com"], s.forget(t, "eve@example.com")
	unknown := strings.Repeat("x", 43)
	rows := func() string {
		var text string
		err := s.DB().Reader().QueryRowContext(context.Background(), `
			SELECT group_concat(username || password_hash || coalesce(email_verified_at, '')) || (SELECT group_concat(token_hash || coalesce(consumed_at, '')) FROM mail_tokens) FROM users`).Scan(&text)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	before := rows()
	const dead, unsent, again = "This link is good no longer", "Validation failed", `role="alert" id="wrong">`
	confirm, set := "Confirm your address", "Set a new password"
	one := func(name, value string) url.Values { return url.Values{name: {value}} }
	verifyWith := func(token, password string) url.Values {
		return url.Values{"token": {token}, "password": {password}}
	}
	resetWith := func(token, password string) url.Values {
		return url.Values{"token": {token}, "new_password": {password}}
	}
	for _, row := range []struct {
		name, method, target string
		form                 url.Values
		status               int
		heading, says        string
	}{
		{"a link that was used", "GET", "/verify-email", one("token", usedVerify), 400, dead, "register again"},
		{"a link of a day ago", "GET", "/verify-email", one("token", oldVerify), 400, dead, ""},
		{"a link before the newest", "GET", "/verify-email", one("token", replaced), 400, dead, ""},
		{"a link that nobody sent", "GET", "/verify-email", one("token", unknown), 400, dead, ""},
		{"a link for a new password at the other page", "GET", "/verify-email", one("token", reset), 400, dead, ""},
		{"half of a link", "GET", "/verify-email", one("token", verify[:20]), 400, dead, ""},
		{"a link with a dot behind it", "GET", "/verify-email", one("token", verify+"."), 400, dead, ""},
		{"a link without its token", "GET", "/verify-email", nil, 422, unsent, "token"},
		{"a link with an empty token", "GET", "/verify-email", one("token", ""), 422, unsent, "token"},
		{"a link with two tokens", "GET", "/verify-email", url.Values{"token": {verify, unknown}}, 422, unsent, "token"},
		{"a link with an endless token", "GET", "/verify-email", one("token", strings.Repeat("x", 257)), 422, unsent, "token"},
		{"a link with a parameter beside it", "GET", "/verify-email", url.Values{"token": {verify}, "password": {canary}}, 422, unsent, "password"},

		{"a reset link that was used", "GET", "/reset-password", one("token", usedReset), 400, dead, `href="/forgot-password"`},
		{"a reset link of ten minutes ago", "GET", "/reset-password", one("token", oldReset), 400, dead, ""},
		{"a reset link that nobody sent", "GET", "/reset-password", one("token", unknown), 400, dead, ""},
		{"a link to confirm an address at the other page", "GET", "/reset-password", one("token", verify), 400, dead, ""},
		{"a reset link without its token", "GET", "/reset-password", nil, 422, unsent, "token"},
		{"a reset link with two tokens", "GET", "/reset-password", url.Values{"token": {reset, reset}}, 422, unsent, "token"},

		{"a wrong password", "POST", "/verify-email", verifyWith(verify, "wrong password"), 403, confirm, again},
		{"a wrong password with a token that was used", "POST", "/verify-email", verifyWith(usedVerify, "wrong password"), 400, dead, ""},
		{"a token that was used", "POST", "/verify-email", verifyWith(usedVerify, goodPassword), 400, dead, "register again"},
		{"a token of a day ago", "POST", "/verify-email", verifyWith(oldVerify, goodPassword), 400, dead, ""},
		{"a token before the newest", "POST", "/verify-email", verifyWith(replaced, goodPassword), 400, dead, ""},
		{"a token that nobody sent", "POST", "/verify-email", verifyWith(unknown, goodPassword), 400, dead, ""},
		{"a token for a new password", "POST", "/verify-email", verifyWith(reset, goodPassword), 400, dead, ""},
		{"a token that is none", "POST", "/verify-email", verifyWith(canary, goodPassword), 422, unsent, "/token"},
		{"no password", "POST", "/verify-email", one("token", verify), 422, unsent, "/password"},
		{"two tokens", "POST", "/verify-email", url.Values{"token": {verify, verify}, "password": {goodPassword}}, 422, unsent, "/token"},
		{"two passwords", "POST", "/verify-email", url.Values{"token": {verify}, "password": {goodPassword, goodPassword}}, 422, unsent, "/password"},
		{"a member that the form does not have", "POST", "/verify-email", url.Values{"token": {verify}, "password": {goodPassword}, "roles": {"admin"}}, 422, unsent, "/roles"},

		{"a new password that is common", "POST", "/reset-password", resetWith(reset, "password1"), 422, set, "tried first"},
		{"a new password that is too short", "POST", "/reset-password", resetWith(reset, "short7!"), 422, set, "at least 8 characters"},
		{"an empty new password", "POST", "/reset-password", resetWith(reset, ""), 422, set, again},
		{"a new password that is made of the address", "POST", "/reset-password", resetWith(reset, "eve@example.com!"), 422, set, "choose another"},
		{"a new password of too many bytes", "POST", "/reset-password", resetWith(reset, strings.Repeat("é", 1000)), 422, set, "1024"},
		{"a new password of too many characters", "POST", "/reset-password", resetWith(reset, strings.Repeat("x", 1025)), 422, unsent, "/new_password"},
		{"a reset token that was used", "POST", "/reset-password", resetWith(usedReset, "staple battery horse"), 400, dead, `href="/forgot-password"`},
		{"a reset token of ten minutes ago", "POST", "/reset-password", resetWith(oldReset, "staple battery horse"), 400, dead, ""},
		{"a reset token that nobody sent", "POST", "/reset-password", resetWith(unknown, "staple battery horse"), 400, dead, ""},
		{"a reset token that nobody sent, with a common password", "POST", "/reset-password", resetWith(unknown, "password1"), 400, dead, ""},
		{"a token that confirms an address", "POST", "/reset-password", resetWith(verify, "staple battery horse"), 400, dead, ""},
		{"two reset tokens", "POST", "/reset-password", url.Values{"token": {reset, reset}, "new_password": {goodPassword}}, 422, unsent, "/token"},
		{"two new passwords", "POST", "/reset-password", url.Values{"token": {reset}, "new_password": {"staple battery horse", "staple battery horse"}}, 422, unsent, "/new_password"},
		{"no new password", "POST", "/reset-password", one("token", reset), 422, unsent, "/new_password"},
		{"the token in the query of a form", "POST", "/reset-password?token=" + reset, one("new_password", "staple battery horse"), 422, unsent, ""},

		{"no address", "POST", "/forgot-password", one("email", ""), 422, unsent, "/email"},
		{"an address that is none", "POST", "/forgot-password", one("email", canary), 422, unsent, "/email"},
		{"two addresses", "POST", "/forgot-password", url.Values{"email": {"eve@example.com", "pat@example.com"}}, 422, unsent, "/email"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s.clock.pass(2 * time.Second)
			var got answer
			if row.method == "GET" {
				got = s.send(t, "GET", row.target+"?"+row.form.Encode(), "")
			} else {
				got = s.form(t, row.target, row.form)
			}
			isPage(t, got, row.status, row.heading)
			if !strings.Contains(string(got.body), row.says) {
				t.Errorf("the page does not say %q:\n%s", row.says, got.body)
			}
			if row.heading == confirm || row.heading == set {
				same(t, row.form.Get("token"), hidden(t, got))
			} else if strings.Contains(string(got.body), "<form") {
				t.Errorf("the page has a form:\n%s", got.body)
			}
			if after := rows(); after != before {
				t.Errorf("something changed:\n%s\n%s", before, after)
			}
		})
	}
	s.mailed(0)
	isPage(t, s.form(t, "/verify-email", verifyWith(verify, goodPassword)), 200, "Your address is confirmed")
	isPage(t, s.form(t, "/reset-password", resetWith(reset, "staple battery horse")), 200, "Your password is set")
}

// TestTheForgottenPasswordPageTellsNothing: the answer is the same for every address.
func TestTheForgottenPasswordPageTellsNothing(t *testing.T) {
	s := start(t, ownPages)
	if _, err := s.Users().Create(context.Background(), accounts.NewUser{Username: "eve", Email: "eve@example.com", Password: goodPassword, Roles: []string{"member"}}); err != nil {
		t.Fatal(err)
	}
	s.register(t, "pat@example.com")
	ask := func(email string) answer {
		s.clock.pass(time.Minute)
		return bare(s.form(t, "/forgot-password", url.Values{"email": {email}}))
	}
	known := ask("eve@example.com")
	isPage(t, known, 200, "Look into your mail")
	s.mailed(1)
	for name, email := range map[string]string{"nobody": "none@example.com", "who has not confirmed the address": "pat@example.com", "who has no address": "dev@example.com"} {
		before := s.Users().Hashes()
		if diff := cmp.Diff(known, ask(email), cmp.AllowUnexported(answer{})); diff != "" || s.Users().Hashes() != before {
			t.Errorf("%s is told from an account:\n%s", name, diff)
		}
	}
	s.mailed(0)
}

// TestTheAccountPagesCountWithTheOperations: who is over a limit there is over it here.
func TestTheAccountPagesCountWithTheOperations(t *testing.T) {
	s := start(t, ownPages)
	unknown := strings.Repeat("x", 43)
	ask := func(target string, form url.Values) answer {
		return s.send(t, "POST", target, form.Encode(), "Content-Type", formType)
	}
	pages := map[string]url.Values{
		"/verify-email":   {"token": {unknown}, "password": {goodPassword}},
		"/reset-password": {"token": {unknown}, "new_password": {goodPassword}},
	}
	for i := 0; i < 200 && s.json(t, "POST", "/account/password-reset", `{"token":"`+unknown+`","new_password":"`+goodPassword+`"}`).status == 400; i++ {
	}
	for target, form := range pages {
		isPage(t, ask(target, form), 429, "Quota exceeded")
	}
	var got answer
	for range 6 {
		got = ask("/forgot-password", url.Values{"email": {"eve@example.com"}})
	}
	isPage(t, got, 429, "Quota exceeded")
	if got := s.json(t, "POST", "/account/password-reset-mail", `{"email":"eve@example.com"}`); got.status != 429 {
		t.Errorf("the operation with JSON: %d", got.status)
	}
}

// TestFormsOfOtherSitesNeedTheToken as every form does: there is nothing that the browser adds by itself.
func TestFormsOfOtherSitesNeedTheToken(t *testing.T) {
	s := start(t, ownPages)
	a := s.newApp(t)
	a.logIn(t) // the cookie goes along, and has no part in it
	foreign := []string{"Content-Type", formType, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}
	for target, form := range map[string]url.Values{
		"/verify-email":   {"token": {strings.Repeat("x", 43)}, "password": {goodPassword}},
		"/reset-password": {"token": {strings.Repeat("x", 43)}, "new_password": {goodPassword}},
	} {
		isPage(t, a.ask(t, "POST", target, form, foreign...), 400, "This link is good no longer")
	}
	isPage(t, a.visit(t, "/authorize?"+a.query()), 200, "Allow Shop?")
}

func TestTheAccountPagesWithoutMail(t *testing.T) {
	s := start(t, func(c *server.Config) { c.Mail = nil })
	a := s.newApp(t)
	isPage(t, s.send(t, "GET", "/forgot-password", ""), 403, "Operation denied")
	isPage(t, s.form(t, "/forgot-password", url.Values{"email": {"eve@example.com"}}), 403, "Operation denied")
	isPage(t, s.send(t, "GET", "/reset-password?token="+strings.Repeat("x", 43), ""), 400, "This link is good no longer")
	login := a.visit(t, "/authorize?"+a.query())
	isPage(t, login, 200, "Log in")
	if strings.Contains(string(login.body), "forgot") {
		t.Errorf("the login page leads to a page that refuses:\n%s", login.body)
	}
}
