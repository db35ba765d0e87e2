package server_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/oauth"
)

// callback is an application on loopback: the browser brings it the answer.
func callback(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>App</title><link rel="icon" href="data:,"><p id="back">back`))
	})}
	done := make(chan struct{})
	go func() { _ = s.Serve(listener); close(done) }()
	t.Cleanup(func() { s.Close(); <-done })
	return "http://" + listener.Addr().String() + "/callback"
}

// press sends keys, as a person without a mouse does.
func (b *browser) press(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// focused is what the keyboard acts on.
func (b *browser) focused() string {
	b.t.Helper()
	return b.eval(`(() => { const e = document.activeElement; return e.id || e.textContent.trim() })()`)
}

// accessible runs axe-core on the page. The page's policy allows no script, so that it comes through the debugger.
func (b *browser) accessible(axe string) {
	b.t.Helper()
	b.eval(axe + `; ''`)
	var result struct {
		Violations []struct {
			ID, Help string
			Nodes    []struct{ HTML string }
		}
		Passes []struct{ ID string }
	}
	if err := json.Unmarshal([]byte(b.eval(`axe.run(document, { resultTypes: ['violations', 'passes'] }).then(JSON.stringify)`)), &result); err != nil {
		b.t.Fatal(err)
	}
	if len(result.Passes) < 10 {
		b.t.Errorf("axe-core passed %d rules: it has not seen the page", len(result.Passes))
	}
	for _, v := range result.Violations {
		b.t.Errorf("axe-core: %s: %s: %v", v.ID, v.Help, v.Nodes)
	}
}

// fits demands that nothing has to be scrolled sideways.
func (b *browser) fits() {
	b.t.Helper()
	if wide := b.eval(`String(document.documentElement.scrollWidth - document.documentElement.clientWidth)`); wide != "0" {
		b.t.Errorf("the page is %s pixels too wide", wide)
	}
}

// screen is a tab on a phone or on a desk, whose pages are looked at.
type screen struct {
	*browser
	name, scheme string
	axe          string
}

// onScreens runs a test on a phone in light and on a desk in dark.
func onScreens(t *testing.T, f func(t *testing.T, s screen)) {
	t.Helper()
	axe, err := os.ReadFile(filepath.Join(npm(t), "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name          string
		width, height int64
		scheme        string
	}{{"phone", 360, 740, "light"}, {"desk", 1280, 900, "dark"}} {
		t.Run("on a "+row.name, func(t *testing.T) {
			b := openBrowser(t)
			if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: row.scheme}},
			}); err != nil {
				t.Fatal(err)
			}
			b.do(chromedp.EmulateViewport(row.width, row.height))
			f(t, screen{b, row.name, row.scheme, string(axe)})
			b.mu.Lock()
			defer b.mu.Unlock()
			for _, complaint := range b.complaints {
				if !refused.MatchString(complaint) {
					t.Errorf("the browser complained: %s", complaint)
				}
			}
		})
	}
}

// refused is what a browser says of a page with such a status, which it shows nevertheless.
var refused = regexp.MustCompile(`the server responded with a status of (400|403|422)`)

// look demands that the page is accessible and fits, and takes a picture of it where somebody wants to see it.
func (s screen) look(name string) {
	s.t.Helper()
	s.accessible(s.axe)
	s.fits()
	if dir := os.Getenv("GATEHOUSE_SCREENSHOTS"); dir != "" {
		s.screenshot(filepath.Join(dir, s.scheme+"-"+name+".png"))
	}
}

// focus demands that the keyboard is there.
func (s screen) focus(want string) {
	s.t.Helper()
	if got := s.focused(); got != want {
		s.t.Errorf("the keyboard is at %q, want %q", got, want)
	}
}

// TestThePagesInABrowser goes from the application to the login, the consent and back, with the keyboard alone, on a phone and on a
// desk, in light and in dark.
func TestThePagesInABrowser(t *testing.T) {
	d, back := startDevelopment(t), callback(t)
	app, _, err := d.Clients().Create(context.Background(), oauth.NewClient{
		Name: "A shop with a long name, and <b>tags</b>", Method: oauth.MethodNone, GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken},
		Scopes: auth.NewScopes("openid", "profile", "email", "items:read", "items:write"), RedirectURIs: []string{back},
	})
	if err != nil {
		t.Fatal(err)
	}
	address := d.base + "/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {app.ID}, "redirect_uri": {back}, "state": {"st"}, "scope": {"openid items:read items:write"},
		"code_challenge": {challenge(strings.Repeat("v", 43))}, "code_challenge_method": {"S256"},
	}.Encode()
	onScreens(t, func(t *testing.T, b screen) {
		b.do(chromedp.Navigate(d.base+"/authorize?client_id=unknown"), chromedp.WaitVisible("//h1"))
		b.look("refused")
		b.do(chromedp.Navigate(address), chromedp.WaitVisible("#username"))
		b.look("login")
		b.focus("username")
		b.press(d.user + kb.Tab + "wrong password" + kb.Enter)
		b.do(chromedp.WaitVisible("#wrong"))
		b.look("login-wrong")
		if at, name := b.focused(), b.eval(`document.querySelector('#username').value`); at != "password" || name != d.user {
			t.Errorf("after a wrong password the page begins at %q, with the name %q", at, name)
		}
		b.press(d.password + kb.Tab)
		b.focus("Log in")
		b.press(kb.Enter)
		b.do(chromedp.WaitVisible(`//button[text()="Allow"]`))
		b.look("consent")
		var order []string
		for range 3 {
			b.press(kb.Tab)
			order = append(order, b.focused())
		}
		same(t, "Allow, Deny, Log in as somebody else", strings.Join(order, ", "))
		if cookies := b.eval(`document.cookie`); cookies != "" {
			t.Errorf("a script reads the cookie: %s", cookies)
		}
		b.do(chromedp.Navigate(address), chromedp.WaitVisible(`//button[text()="Allow"]`))
		b.press(kb.Tab)
		b.look("consent-allow")
		b.press(kb.Enter)
		b.do(chromedp.WaitVisible("#back"))
		if at := b.eval(`location.href`); !strings.HasPrefix(at, back+"?code=ac_") || !strings.HasSuffix(at, "&state=st") {
			t.Errorf("the browser is at %s", at)
		}
	})
}

// TestTheDocumentationLogsInByACode: Authorize opens a window, whose answer comes back to the page. The person has logged in before: the
// window of who has not shows the page of the test above.
func TestTheDocumentationLogsInByACode(t *testing.T) {
	b := openBrowser(t)
	d := startDevelopment(t)
	b.base = d.base
	b.do(chromedp.Navigate(d.base+"/authorize?"+url.Values{
		"response_type": {"code"}, "client_id": {"first-party"}, "redirect_uri": {d.base + "/docs/oauth2-redirect.html"},
		"code_challenge": {challenge("x")}, "code_challenge_method": {"S256"},
	}.Encode()), chromedp.WaitVisible("#username"))
	b.press(d.user + kb.Tab + d.password + kb.Enter)
	b.do(chromedp.WaitVisible(`//p[text()="You can close this window."]`))
	b.open(d.base+"/docs", "getProtectedBearer")
	b.openDialog()
	flow := func(part string) string {
		return `//div[contains(@class,"auth-container")][.//h4[contains(.,"authorizationCode with PKCE")]]` + part
	}
	b.do(chromedp.Click(flow(`//label[@for="items:read-authorizationCode-checkbox-oauth2"]`)),
		chromedp.Click(flow(`//button[contains(@class,"authorize")]`)), chromedp.WaitVisible(flow(authorized)))
	b.closeDialog()
	if status, body := b.try("getProtectedBearer"); status != "200" || !strings.Contains(body, `"items:read"`) || strings.Contains(body, "items:write") {
		t.Errorf("%s %s", status, body)
	}
	if kept := b.kept(); strings.Contains(kept, "refresh") || strings.Contains(kept, "ac_") || !strings.Contains(kept, "access_token") {
		t.Errorf("the browser keeps %s", kept)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, complaint := range b.complaints {
		t.Errorf("the browser complained: %s", complaint)
	}
}
