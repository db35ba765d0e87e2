package server_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.com/gatehouse/gen/client"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/oauth"
)

// app is an application that asks for codes, with the browser of its user.
type app struct {
	s           *service
	id, secret  string
	redirectURI string
	verifier    string
	// login and device are the cookies of the browser.
	login, device string
}

// newApp makes a public application, or another where it is changed.
func (s *service) newApp(t *testing.T, change ...func(*oauth.NewClient)) *app {
	t.Helper()
	n := oauth.NewClient{
		Name: "Shop", Method: oauth.MethodNone, GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken},
		Scopes: auth.NewScopes("openid", "profile", "email", "items:read", "items:write"), RedirectURIs: []string{"https://shop.example.com/callback"},
	}
	for _, f := range change {
		f(&n)
	}
	made, secret, err := s.Clients().Create(context.Background(), n)
	if err != nil {
		t.Fatal(err)
	}
	return &app{s: s, id: made.ID, secret: secret.Reveal(), redirectURI: n.RedirectURIs[0], verifier: strings.Repeat("v3rifier~", 6)}
}

// challenge is that of RFC 7636 §4.2, made here by itself.
func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// request is a good authorization request, with changes. A nil list takes a parameter away.
func (a *app) request(changes ...url.Values) url.Values {
	v := url.Values{
		"response_type": {"code"}, "client_id": {a.id}, "redirect_uri": {a.redirectURI}, "scope": {"openid items:read"}, "state": {"st&te=1"},
		"code_challenge": {challenge(a.verifier)}, "code_challenge_method": {"S256"}, "nonce": {"n0nce"},
	}
	for _, c := range changes {
		maps.Copy(v, c)
	}
	maps.DeleteFunc(v, func(_ string, list []string) bool { return list == nil })
	return v
}

func (a *app) query(changes ...url.Values) string { return a.request(changes...).Encode() }

// cookie adds the cookie of the browser.
func (a *app) cookie(_ context.Context, r *http.Request) error {
	if a.login != "" {
		r.AddCookie(&http.Cookie{Name: "__Host-login", Value: a.login})
	}
	return nil
}

// visit sends the browser somewhere.
func (a *app) visit(t *testing.T, target string) answer {
	t.Helper()
	return a.ask(t, "GET", target, nil)
}

// post sends a form of a page.
func (a *app) post(t *testing.T, target string, form url.Values, fields ...string) answer {
	t.Helper()
	return a.ask(t, "POST", target, form, append([]string{"Content-Type", formType, "Sec-Fetch-Site", "same-origin"}, fields...)...)
}

func (a *app) ask(t *testing.T, method, target string, form url.Values, fields ...string) answer {
	t.Helper()
	a.s.clock.pass(time.Second)
	if a.login != "" {
		fields = append(fields, "Cookie", "__Host-login="+a.login)
	}
	if a.device != "" {
		fields = append(fields, "Cookie", "__Host-device="+a.device)
	}
	got := a.s.send(t, method, target, form.Encode(), fields...)
	for _, c := range (&http.Response{Header: got.header}).Cookies() {
		switch c.Name {
		case "__Host-login":
			a.login = c.Value
		case "__Host-device":
			a.device = c.Value
		}
		if c.Value != "" {
			a.s.secrets[c.Value] = true
		}
	}
	return got
}

// logIn logs the development user in with the page.
func (a *app) logIn(t *testing.T, changes ...url.Values) answer {
	t.Helper()
	got := a.post(t, "/login", url.Values{"username": {a.s.user}, "password": {a.s.password}, "request": {a.query(changes...)}})
	if got.status != 303 {
		t.Fatalf("the login: %d %s", got.status, got.body)
	}
	return got
}

// decide answers the consent page.
func (a *app) decide(t *testing.T, decision string, changes ...url.Values) answer {
	t.Helper()
	return a.post(t, "/consent", url.Values{"decision": {decision}, "request": {a.query(changes...)}})
}

// allow logs in, allows, and returns the code.
func (a *app) allow(t *testing.T, changes ...url.Values) string {
	t.Helper()
	a.logIn(t, changes...)
	return a.code(t, a.decide(t, "allow", changes...))
}

// code returns the code that a redirect brings to the application.
func (a *app) code(t *testing.T, got answer) string {
	t.Helper()
	back := a.returned(t, got)
	code := back.Get("code")
	if !strings.HasPrefix(code, "ac_") || len(code) != 46 || back.Get("error") != "" {
		t.Fatalf("there is no code: %v", back)
	}
	a.s.secrets[code] = true
	return code
}

// returned returns what a redirect brings to the application.
func (a *app) returned(t *testing.T, got answer) url.Values {
	t.Helper()
	location, err := url.Parse(got.header.Get("Location"))
	if err != nil || got.status != 303 || !strings.HasPrefix(location.String(), a.redirectURI+"?") || len(got.body) != 0 {
		t.Fatalf("the browser is not sent back: %d to %q: %s", got.status, got.header.Get("Location"), got.body)
	}
	back := location.Query()
	if back.Get("iss") != a.s.base {
		t.Errorf("iss is %q", back.Get("iss"))
	}
	return back
}

// redeem exchanges a code, with changes to the form.
func (a *app) redeem(t *testing.T, code string, changes ...url.Values) answer {
	t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {a.redirectURI}, "code_verifier": {a.verifier}, "client_id": {a.id}}
	if a.secret != "" {
		form["client_secret"] = []string{a.secret}
	}
	for _, c := range changes {
		maps.Copy(form, c)
	}
	maps.DeleteFunc(form, func(_ string, list []string) bool { return list == nil })
	return a.s.form(t, "/token", form)
}

// tokens returns those of a good answer.
func (a *app) tokens(t *testing.T, got answer) client.TokenResponse {
	t.Helper()
	var r client.TokenResponse
	if err := json.Unmarshal(got.body, &r); err != nil || got.status != 200 || r.RefreshToken == nil {
		t.Fatalf("the tokens: %d %s", got.status, got.body)
	}
	a.s.secrets[r.AccessToken], a.s.secrets[*r.RefreshToken] = true, true
	return r
}

// alive reports whether an access token is good.
func (a *app) alive(t *testing.T, access string) bool {
	t.Helper()
	return a.s.send(t, "GET", "/protected/bearer", "", "Authorization", "Bearer "+access).status == 200
}

// isPage demands a page with a heading, and returns the request that its forms carry.
func isPage(t *testing.T, got answer, status int, heading string) string {
	t.Helper()
	if got.status != status || !strings.Contains(string(got.body), "<h1>"+heading+"</h1>") || got.header.Get("Location") != "" {
		t.Fatalf("the page %q is not shown: %d to %q\n%s", heading, got.status, got.header.Get("Location"), got.body)
	}
	found := regexp.MustCompile(`name="request" value="([^"]*)"`).FindSubmatch(got.body)
	if found == nil {
		return ""
	}
	return html.UnescapeString(string(found[1]))
}

// says demands an error of RFC 6749 §5.2.
func says(t *testing.T, got answer, status int, code string) {
	t.Helper()
	if got.status != status || !strings.HasPrefix(string(got.body), fmt.Sprintf(`{"error":%q`, code)) {
		t.Errorf("%d %s, want %d %s", got.status, got.body, status, code)
	}
}
