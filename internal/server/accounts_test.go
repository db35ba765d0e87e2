package server_test

import (
	"context"
	"encoding/json"
	"io"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/gen/client"
	"example.com/gatehouse/internal/accounts"
	"example.com/gatehouse/internal/server"
)

// mailToken is the token in the link of a mail.
var mailToken = regexp.MustCompile(`(?:#verify|#reset|\?token)=([A-Za-z0-9_-]{43})\r?\n`)

// mailed takes the n mails that were sent out of the folder and returns the token of each address, "" for a mail that has none. More
// mails than that fail the test.
func (s *service) mailed(n int) map[string]string {
	s.t.Helper()
	folder := filepath.Join(s.config.Data, "mail")
	s.Mails()
	files, err := filepath.Glob(filepath.Join(folder, "*.eml"))
	if err != nil {
		s.t.Fatal(err)
	}
	if len(files) != n {
		s.t.Fatalf("%d mails, want %d", len(files), n)
	}
	tokens := map[string]string{}
	for _, path := range files {
		file, err := os.Open(path)
		if err != nil {
			s.t.Fatal(err)
		}
		m, err := mail.ReadMessage(file)
		if err != nil {
			s.t.Fatal(err)
		}
		to, err := m.Header.AddressList("To")
		if err != nil {
			s.t.Fatal(err)
		}
		text, err := io.ReadAll(m.Body)
		if err != nil {
			s.t.Fatal(err)
		}
		file.Close()
		tokens[to[0].Address] = ""
		if found := mailToken.FindSubmatch(text); found != nil {
			tokens[to[0].Address] = string(found[1])
			s.mu.Lock()
			s.secrets[string(found[1])] = true
			s.mu.Unlock()
		}
		if err := os.Remove(path); err != nil {
			s.t.Fatal(err)
		}
	}
	return tokens
}

// bare is an answer without what differs from one response to the next.
func bare(a answer) answer {
	id := a.header.Get("X-Request-Id")
	a.body = []byte(strings.ReplaceAll(string(a.body), id, ""))
	a.header = a.header.Clone()
	a.header.Del("X-Request-Id")
	a.header.Del("Date")
	return a
}

func (s *service) json(t *testing.T, method, target, body string, fields ...string) answer {
	t.Helper()
	mediaType := "application/json"
	if method == "PATCH" {
		mediaType = "application/merge-patch+json"
	}
	return s.send(t, method, target, body, append(fields, "Content-Type", mediaType)...)
}

// login returns the field of a token that the user gets for a password, or nothing where it is refused.
func (s *service) login(t *testing.T, name, password string) []string {
	t.Helper()
	form := url.Values{"grant_type": {"password"}, "username": {name}, "password": {password}}
	got := s.send(t, "POST", "/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(got.body, &token); err != nil {
		t.Fatal(err)
	}
	if got.status != 200 {
		return nil
	}
	return []string{"Authorization", "Bearer " + token.AccessToken}
}

// TestAnswersDoNotTellWhoHasAnAccount: status, header fields, body and the number of hashes are the same for an address that has an account,
// one that waits for its proof, and one that has none.
func TestAnswersDoNotTellWhoHasAnAccount(t *testing.T) {
	s := start(t)
	if _, err := s.Users().Create(context.Background(), accounts.NewUser{Username: "eve", Email: "eve@example.com", Password: "correct horse battery", Roles: []string{"member"}}); err != nil {
		t.Fatal(err)
	}
	if got := s.json(t, "POST", "/users", `{"email":"pat@example.com","password":"correct horse battery"}`); got.status != 202 {
		t.Fatal(got.status)
	}
	s.mailed(1)
	for _, row := range []struct {
		target, body string
		hashes       int64
		mails        map[string]int
	}{
		{"/users", `,"password":"correct horse battery"}`, 1, map[string]int{"eve@example.com": 1, "pat@example.com": 1, "new@example.com": 1, "EVE@EXAMPLE.COM": 1}},
		{"/account/password-reset-mail", `}`, 0, map[string]int{"eve@example.com": 1, "pat@example.com": 0, "none@example.com": 0, "dev@example.com": 0}},
		{"/account/verification-mail", `}`, 0, map[string]int{"eve@example.com": 0, "pat@example.com": 1, "none@example.com": 0, "dev@example.com": 0}},
	} {
		t.Run(row.target, func(t *testing.T) {
			answers := map[string]answer{}
			for email, mails := range row.mails {
				s.clock.pass(time.Minute)
				before := s.Users().Hashes()
				answers[email] = bare(s.json(t, "POST", row.target, `{"email":"`+email+`"`+row.body))
				if n := s.Users().Hashes() - before; n != row.hashes || answers[email].status != 202 {
					t.Errorf("%s: %d with %d hashes, want 202 with %d", email, answers[email].status, n, row.hashes)
				}
				s.mailed(mails)
			}
			for email, a := range answers {
				if diff := cmp.Diff(answers["eve@example.com"], a, cmp.AllowUnexported(answer{})); diff != "" {
					t.Errorf("%s is told from eve@example.com:\n%s", email, diff)
				}
			}
		})
	}
}

// TestAnAccountLives: from its registration to its deletion, by whoever it belongs to.
func TestAnAccountLives(t *testing.T) {
	s := start(t)
	const email, first, second, third = "ann@example.com", "correct horse battery", "staple horse battery", "third horse battery"
	expect := func(what string, status int, got answer) answer {
		t.Helper()
		if got.status != status {
			t.Fatalf("%s: %d %s, want %d", what, got.status, got.body, status)
		}
		return got
	}
	expect("register", 202, s.json(t, "POST", "/users", `{"email":"Ann@Example.com","password":"`+first+`","display_name":"Ann"}`))
	token := s.mailed(1)[email]
	if s.login(t, email, first) != nil {
		t.Error("logged in before the proof")
	}
	proof := `{"token":"` + token + `","password":"` + first + `"}`
	expect("verify", 204, s.json(t, "POST", "/account/verification", proof))
	again := expect("verify again", 400, s.json(t, "POST", "/account/verification", proof))
	unknown := expect("an unknown token", 400, s.json(t, "POST", "/account/verification", `{"token":"`+strings.Repeat("x", 43)+`","password":"`+first+`"}`))
	if diff := cmp.Diff(bare(unknown), bare(again), cmp.AllowUnexported(answer{})); diff != "" {
		t.Errorf("a used token is told from an unknown one:\n%s", diff)
	}
	me := s.login(t, email, first)
	got := expect("who", 200, s.send(t, "GET", "/users/me", "", me...))
	if !strings.Contains(string(got.body), `"roles":["member"]`) || !strings.Contains(string(got.body), `"display_name":"Ann"`) {
		t.Errorf("got %s", got.body)
	}
	got = expect("rename", 200, s.json(t, "PATCH", "/users/me", `{"display_name":null}`, me...))
	if strings.Contains(string(got.body), "display_name") {
		t.Errorf("got %s", got.body)
	}
	expect("an item", 201, s.json(t, "POST", "/items", `{"name":"Oak chair","price":1}`, me...))
	key := s.newKey(s.idOf(email), "items:read", "users:write")

	s.clock.pass(time.Second)
	expect("a wrong password", 403, s.json(t, "POST", "/users/me/password", `{"current_password":"`+second+`","new_password":"`+second+`"}`, me...))
	refused := expect("a common password", 422, s.json(t, "POST", "/users/me/password", `{"current_password":"`+first+`","new_password":"password1"}`, me...))
	if !strings.Contains(string(refused.body), `"pointer":"/new_password"`) {
		t.Errorf("got %s", refused.body)
	}
	expect("an API key", 401, s.json(t, "POST", "/users/me/password", `{"current_password":"`+first+`","new_password":"`+second+`"}`, "X-API-Key", key))
	expect("change", 204, s.json(t, "POST", "/users/me/password", `{"current_password":"`+first+`","new_password":"`+second+`"}`, me...))
	expect("the old token", 401, s.send(t, "GET", "/users/me", "", me...))
	if s.login(t, email, first) != nil || s.login(t, email, second) == nil {
		t.Error("the password did not change")
	}
	s.mailed(1)

	expect("forget", 202, s.json(t, "POST", "/account/password-reset-mail", `{"email":"`+email+`"}`))
	token = s.mailed(1)[email]
	s.clock.pass(time.Second)
	expect("reset with the token of another kind", 400, s.json(t, "POST", "/account/verification", `{"token":"`+token+`","password":"`+second+`"}`))
	expect("reset", 204, s.json(t, "POST", "/account/password-reset", `{"token":"`+token+`","new_password":"`+third+`"}`))
	expect("reset again", 400, s.json(t, "POST", "/account/password-reset", `{"token":"`+token+`","new_password":"`+third+`"}`))
	s.mailed(1)

	s.clock.pass(time.Second)
	me = s.login(t, email, third)
	expect("delete with an API key", 401, s.json(t, "DELETE", "/users/me", `{"current_password":"`+third+`"}`, "X-API-Key", key))
	expect("delete without the password", 403, s.json(t, "DELETE", "/users/me", `{"current_password":"`+first+`"}`, me...))
	expect("delete", 204, s.json(t, "DELETE", "/users/me", `{"current_password":"`+third+`"}`, me...))
	expect("the token of a deleted account", 401, s.send(t, "GET", "/users/me", "", me...))
	expect("the key of a deleted account", 401, s.send(t, "GET", "/items", "", "X-API-Key", key))
	if s.login(t, email, third) != nil || s.items() != 0 {
		t.Errorf("the account is still there, or its %d items", s.items())
	}
	var keys int
	if err := s.DB().Reader().QueryRowContext(context.Background(), `SELECT count(*) FROM api_keys WHERE owner_id NOT IN (SELECT id FROM users WHERE development)`).Scan(&keys); err != nil || keys != 0 {
		t.Errorf("%d keys are left: %v", keys, err)
	}
}

// TestNothingOfAnAccountIsAssignedInPassing: members that are not for the caller to set are refused, and change nothing (CWE-915).
func TestNothingOfAnAccountIsAssignedInPassing(t *testing.T) {
	s := start(t)
	me := []string{"X-API-Key", s.apiKey}
	chief := s.newPerson("chief", "admin")
	whole := func() string {
		return string(s.send(t, "GET", "/users/"+s.userID, "", "X-API-Key", chief.apiKey).body)
	}
	before := whole()
	own := []string{`"roles":["admin"]`, `"disabled":true`, `"id":"0193583e-6f5c-7a53-8a3c-0d1f2e3a4b5c"`, `"scopes":["admin"]`, `"email_verified":true`, `"development":true`,
		`"password_hash":"x"`, `"Roles":["admin"]`, `"ROLES":["admin"]`, `"username":"root"`, `"created_at":"2020-01-01T00:00:00Z"`}
	for _, member := range own {
		for _, row := range []struct {
			method, target, body string
			fields               []string
		}{
			{"POST", "/users", `{"email":"new@example.com","password":"correct horse battery",` + member + `}`, nil},
			{"PATCH", "/users/me", `{` + member + `}`, me},
			{"PATCH", "/users/me", `{"display_name":"Dev",` + member + `}`, me},
			{"PATCH", "/users/me", `{"email":"eve@example.com",` + member + `}`, me},
		} {
			s.clock.pass(time.Minute)
			if got := s.json(t, row.method, row.target, row.body, row.fields...); got.status != 422 {
				t.Errorf("%s %s %s: %d", row.method, row.target, row.body, got.status)
			}
		}
		if strings.Contains(member, `"roles"`) || strings.Contains(member, `"disabled"`) {
			continue // these are an administrator's
		}
		if got := s.json(t, "PATCH", "/users/"+s.userID, `{`+member+`}`, "X-API-Key", chief.apiKey); got.status != 422 {
			t.Errorf("an administrator with %s: %d", member, got.status)
		}
	}
	for _, body := range []string{`{"roles":["boss"]}`, `{"roles":"admin"}`, `{"roles":["member","member"]}`, `{"disabled":"yes"}`, `{"roles":null}`, `{"disabled":null}`, `[]`} {
		if got := s.json(t, "PATCH", "/users/"+s.userID, body, "X-API-Key", chief.apiKey); got.status != 422 {
			t.Errorf("an administrator with %s: %d", body, got.status)
		}
	}
	if after := whole(); after != before {
		t.Errorf("the account was\n%s and is\n%s", before, after)
	}
	s.mailed(0)
}

// TestAccountsOfOthers: whoever is no administrator is refused before the account is looked for, and an administrator cannot tell a deleted
// account from one that never was.
func TestAccountsOfOthers(t *testing.T) {
	s := start(t)
	other, gone, chief := s.newPerson("other", "items:read", "items:write", "users:read", "users:write"), s.newPerson("gone", "users:read"), s.newPerson("chief", "admin")
	if err := s.Users().Delete(context.Background(), gone.id); err != nil {
		t.Fatal(err)
	}
	const never = "0193583e-6f5c-7a53-8a3c-0d1f2e3a4b5c"
	theirs := "Bearer " + s.token(jwt.MapClaims{"sub": other.id})
	for _, op := range []struct{ method, target, body string }{
		{"GET", "/users", ""}, {"GET", "/users/ID", ""}, {"PATCH", "/users/ID", `{"disabled":true}`}, {"PATCH", "/users/ID", `{"roles":["admin"]}`}, {"DELETE", "/users/ID", ""},
	} {
		for by, fields := range map[string][]string{"a token": {"Authorization", theirs}, "a key": {"X-API-Key", other.apiKey}} {
			var answers []answer
			for _, id := range []string{s.userID, other.id, gone.id, never} { // one's own, too
				s.clock.pass(time.Minute)
				send := append([]string{}, fields...)
				if by == "a token" {
					send = []string{"Authorization", "Bearer " + s.token(jwt.MapClaims{"sub": other.id})}
				}
				if op.body != "" {
					send = append(send, "Content-Type", "application/merge-patch+json")
				}
				answers = append(answers, bare(s.send(t, op.method, strings.Replace(op.target, "ID", id, 1), op.body, send...)))
			}
			for i, a := range answers {
				if a.status != 403 {
					t.Errorf("%s %s by %s, id %d: %d", op.method, op.target, by, i, a.status)
				}
				if diff := cmp.Diff(answers[3], a, cmp.AllowUnexported(answer{})); diff != "" {
					t.Errorf("%s %s by %s: one account is told from another:\n%s", op.method, op.target, by, diff)
				}
			}
		}
		if op.target == "/users" {
			continue
		}
		var answers []answer
		for _, id := range []string{gone.id, never} {
			fields := []string{"X-API-Key", chief.apiKey}
			if op.body != "" {
				fields = append(fields, "Content-Type", "application/merge-patch+json")
			}
			answers = append(answers, bare(s.send(t, op.method, strings.Replace(op.target, "ID", id, 1), op.body, fields...)))
		}
		if answers[0].status != 404 {
			t.Errorf("%s %s of a deleted account: %d", op.method, op.target, answers[0].status)
		}
		if diff := cmp.Diff(answers[1], answers[0], cmp.AllowUnexported(answer{})); diff != "" {
			t.Errorf("%s %s: a deleted account is told from one that never was:\n%s", op.method, op.target, diff)
		}
	}
	for _, id := range []string{s.userID, other.id} {
		if u, err := s.Users().Find(context.Background(), id); err != nil || u.Disabled || len(u.Roles) != 1 {
			t.Errorf("%+v %v", u, err)
		}
	}
}

// TestAnAdministratorAdministers: pages, searches, disables, gives roles, deletes; each holds on the next request.
func TestAnAdministratorAdministers(t *testing.T) {
	s := start(t)
	chief := s.newPerson("chief", "admin")
	var people []person
	for _, name := range []string{"ann", "anna", "bob"} {
		s.clock.pass(time.Second)
		people = append(people, s.newPerson(name, "items:read", "users:read"))
	}
	ann := people[0]
	ask := func(method, target, body string, status int) string {
		t.Helper()
		fields := []string{"X-API-Key", chief.apiKey}
		if body != "" {
			fields = append(fields, "Content-Type", "application/merge-patch+json")
		}
		got := s.send(t, method, target, body, fields...)
		if got.status != status {
			t.Fatalf("%s %s: %d %s", method, target, got.status, got.body)
		}
		return string(got.body)
	}
	var names []string
	for cursor := ""; ; {
		var page struct {
			Users      []struct{ Username string }
			NextCursor string `json:"next_cursor"`
		}
		if err := json.Unmarshal([]byte(ask("GET", "/users?limit=2"+cursor, "", 200)), &page); err != nil {
			t.Fatal(err)
		}
		for _, u := range page.Users {
			names = append(names, u.Username)
		}
		if page.NextCursor == "" {
			break
		}
		cursor = "&cursor=" + page.NextCursor
	}
	slices.Sort(names)
	same(t, []string{"ann", "anna", "bob", "chief", "dev"}, names)
	if got := ask("GET", "/users?search=ann", "", 200); strings.Count(got, `"username"`) != 2 {
		t.Errorf("got %s", got)
	}
	ask("GET", "/users?cursor=x", "", 422)
	ask("GET", "/users?search=", "", 422)
	ask("GET", "/users/"+"ann", "", 422)

	who := func(status int) {
		t.Helper()
		for _, fields := range [][]string{{"Authorization", basic(ann.name, ann.password)}, {"X-API-Key", ann.apiKey}} {
			if got := s.send(t, "GET", "/users/me", "", fields...); got.status != status {
				t.Errorf("%d by %s, want %d", got.status, fields[0], status)
			}
		}
	}
	who(200)
	if got := ask("PATCH", "/users/"+ann.id, `{"disabled":true}`, 200); !strings.Contains(got, `"disabled":true`) {
		t.Errorf("got %s", got)
	}
	who(401)
	if got := ask("GET", "/users?disabled=true", "", 200); strings.Count(got, `"username"`) != 1 || !strings.Contains(got, ann.id) {
		t.Errorf("got %s", got)
	}
	s.clock.pass(time.Second)
	ask("PATCH", "/users/"+ann.id, `{"disabled":false}`, 200)
	who(200)
	token := s.login(t, ann.name, ann.password)
	s.clock.pass(time.Second)
	if got := ask("PATCH", "/users/"+ann.id, `{"roles":["admin"]}`, 200); !strings.Contains(got, `"scopes":["admin",`) {
		t.Errorf("got %s", got)
	}
	if got := s.send(t, "GET", "/users", "", token...); got.status != 401 {
		t.Errorf("the token of before: %d", got.status)
	}
	if got := s.send(t, "GET", "/users", "", s.login(t, ann.name, ann.password)...); got.status != 200 {
		t.Errorf("a new token: %d", got.status)
	}
	ask("DELETE", "/users/"+ann.id, "", 204)
	who(401)
	ask("GET", "/users/"+ann.id, "", 404)
}

func TestRegistrationThatIsSwitchedOff(t *testing.T) {
	s := start(t, func(c *server.Config) { c.Registration = false })
	got := s.json(t, "POST", "/users", `{"email":"ann@example.com","password":"correct horse battery"}`)
	if got.status != 403 || !strings.Contains(string(got.body), "operation-denied") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := s.json(t, "POST", "/account/password-reset-mail", `{"email":"ann@example.com"}`); got.status != 202 {
		t.Errorf("a reset: %d", got.status)
	}
	silent := start(t, func(c *server.Config) { c.Mail = nil })
	for _, target := range []string{"/users", "/account/password-reset-mail", "/account/verification-mail"} {
		body := `{"email":"ann@example.com"}`
		if target == "/users" {
			body = `{"email":"ann@example.com","password":"correct horse battery"}`
		}
		if got := silent.json(t, "POST", target, body); got.status != 403 {
			t.Errorf("%s without mail: %d", target, got.status)
		}
	}
}

// TestRolesOfTheDocument: what a client may write as a role is what x-roles names.
func TestRolesOfTheDocument(t *testing.T) {
	var named []string
	for name := range api.Roles() {
		named = append(named, name)
		if !api.Role(name).Valid() {
			t.Errorf("the schema Role does not have %s", name)
		}
	}
	if n := len(openapi(t).Components.Schemas["Role"].Value.Enum); n != len(named) {
		t.Errorf("the schema Role has %d names, x-roles %d", n, len(named))
	}
	if diff := cmp.Diff([]string{"openid", "profile", "email", "items:read", "items:write", "users:read", "users:write"}, api.Roles()["member"]); diff != "" {
		t.Errorf("what everybody gets who registers: %s", diff)
	}
}

// TestANewPasswordEndsOtherLogins: the one that changed it goes on, by its refresh token, since access tokens of before are good no more.
func TestANewPasswordEndsOtherLogins(t *testing.T) {
	s := start(t)
	mine, other := s.logIn(), s.logIn()
	s.clock.pass(time.Second)
	const next = "staple battery horse"
	body := `{"current_password":"` + s.password + `","new_password":"` + next + `"}`
	if got := s.json(t, "POST", "/users/me/password", body, "Authorization", "Bearer "+mine.access); got.status != 204 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	for _, row := range []struct {
		name    string
		login   tokens
		refresh int
	}{{"the caller's", mine, 200}, {"another", other, 400}} {
		if got := s.send(t, "GET", "/users/me", "", "Authorization", "Bearer "+row.login.access); got.status != 401 {
			t.Errorf("%s access token: %d", row.name, got.status)
		}
		got := s.form(t, "/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {row.login.refresh}})
		if got.status != row.refresh {
			t.Errorf("%s refresh token: %d %s", row.name, got.status, got.body)
		}
		if got.status != 200 {
			continue
		}
		var fresh client.TokenResponse
		if err := json.Unmarshal(got.body, &fresh); err != nil {
			t.Fatal(err)
		}
		if got := s.send(t, "GET", "/users/me", "", "Authorization", "Bearer "+fresh.AccessToken); got.status != 200 {
			t.Errorf("%s next access token: %d", row.name, got.status)
		}
	}
}
