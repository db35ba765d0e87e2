package server_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"example.com/gatehouse/internal/needtest"
	"example.com/gatehouse/internal/server"
)

// browser is a tab of a headless Chromium, with what it asked for and what it complained about.
type browser struct {
	t    *testing.T
	ctx  context.Context
	base string

	mu         sync.Mutex
	requests   []string
	complaints []string
}

func openBrowser(t *testing.T) *browser {
	t.Helper()
	path := needtest.Programs(t, "chromium", "chromium")[0]
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 1400),
		chromedp.NoSandbox, // Chromium refuses to run as root with a sandbox
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{t: t}
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	// For the whole of the test: a page that never shows what is waited for must not hang the run.
	b.ctx, cancel = context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(cancel)
	if _, err := chromedp.Call(b.ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	messages := chromedp.Console(b.ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			// What the page's policy stops is a message of this kind, too.
			if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleException {
				b.mu.Lock()
				b.complaints = append(b.complaints, m.Text)
				b.mu.Unlock()
			}
		}
	}()
	return b
}

func (b *browser) listen(event any) {
	if e, ok := event.(*network.EventRequestWillBeSent); ok {
		b.mu.Lock()
		b.requests = append(b.requests, e.Request.URL)
		b.mu.Unlock()
	}
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) text(selector string) string {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Text(selector))
	if err != nil {
		b.t.Fatalf("%s: %v", selector, err)
	}
	return text
}

func (b *browser) eval(expression string) string {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return text
}

func (b *browser) screenshot(path string) {
	b.t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// form is the part of the Authorize dialog that belongs to the scheme. oauth2 has one for each flow: this is that of the password.
func form(scheme, part string) string {
	if scheme == "oauth2" {
		scheme = "oauth2 (OAuth2, password)"
	}
	// The name is followed by a space that does not break, or by one that does.
	return fmt.Sprintf(`//div[contains(@class,"auth-container")][.//h4[starts-with(translate(.,"%s"," "),"%s ")]]%s`, "\u00a0", scheme, part)
}

const authorized = `//h6[text()="Authorized"]`

func (b *browser) openDialog() {
	b.t.Helper()
	b.do(chromedp.Click(".auth-wrapper .btn.authorize"), chromedp.WaitVisible(".modal-ux"))
}

func (b *browser) closeDialog() {
	b.t.Helper()
	b.do(chromedp.Click(".modal-ux .close-modal"), chromedp.WaitNotPresent(".modal-ux"))
}

// authorize fills the form of the scheme as a user does: typed is pairs of an input, as a condition of XPath, and a text.
func (b *browser) authorize(scheme string, typed ...string) {
	b.t.Helper()
	b.openDialog()
	for i := 0; i < len(typed); i += 2 {
		b.do(chromedp.SendKeys(form(scheme, "//input["+typed[i]+"]"), typed[i+1]))
	}
	b.do(
		chromedp.Click(form(scheme, `//button[contains(@class,"authorize")]`)),
		chromedp.WaitVisible(form(scheme, authorized)),
	)
	b.closeDialog()
}

func (b *browser) logout(scheme string) {
	b.t.Helper()
	b.openDialog()
	b.do(chromedp.Click(form(scheme, `//button[text()="Logout"]`)), chromedp.WaitNotPresent(form(scheme, authorized)))
	b.closeDialog()
}

// operationBlock is the part of the page that belongs to the operation.
func operationBlock(operation string) string { return fmt.Sprintf(`.opblock[id$="-%s"]`, operation) }

// try executes an operation that is open on the page and returns the status and the body that the page shows.
func (b *browser) try(operation string) (status, body string) {
	b.t.Helper()
	block := operationBlock(operation)
	response := block + " .live-responses-table .response "
	b.do(chromedp.Click(block+" .btn.execute"), chromedp.WaitVisible(response+".response-col_status"))
	return strings.Fields(b.text(response + ".response-col_status"))[0], b.text(response + ".highlight-code")
}

func (b *browser) clear(operation string) {
	b.t.Helper()
	block := operationBlock(operation)
	b.do(chromedp.Click(block+" .btn-clear"), chromedp.WaitNotPresent(block+" .live-responses-table"))
}

// open opens the page, without the fragment that Swagger UI leaves in the address, and some operations of it.
func (b *browser) open(page string, operations ...string) {
	b.t.Helper()
	b.do(chromedp.Navigate("about:blank"), chromedp.Navigate(page), chromedp.WaitVisible(".auth-wrapper .btn.authorize"))
	for _, operation := range operations {
		block := operationBlock(operation)
		b.do(chromedp.Click(block+" .opblock-summary-control"), chromedp.WaitVisible(block+" .btn.execute"))
	}
}

// kept is everything that stays in the browser for this origin.
func (b *browser) kept() string {
	b.t.Helper()
	jar, err := chromedp.Call(b.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{b.base + "/protected/api-key"}})
	if err != nil {
		b.t.Fatal(err)
	}
	var cookies []string
	for _, c := range jar.Cookies {
		cookies = append(cookies, c.Name+"="+c.Value+" "+c.Path+" "+string(c.SameSite))
	}
	return b.eval(`JSON.stringify([localStorage, sessionStorage, location.search])`) + strings.Join(cookies, ";")
}

// development is the service as --dev runs it, with the clock of the machine, and its first credentials.
type development struct {
	*server.Server
	base, user, password, key string
}

func startDevelopment(t *testing.T, change ...func(*server.Config)) development {
	t.Helper()
	dir := t.TempDir()
	file, err := server.MakeDevelopmentSecret(dir, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := server.ReadSecret(file, true)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	config := server.Config{
		Development: true, Docs: true, PasswordGrant: true, Data: dir, Database: filepath.Join(dir, "gatehouse.db"), Secret: secret, Issuer: base,
		Log: slog.New(slog.DiscardHandler), AccessLog: io.Discard, Now: time.Now, Random: rand.Reader,
	}
	for _, f := range change {
		f(&config)
	}
	s, err := server.New(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-done, s.Close()); err != nil {
			t.Error(err)
		}
	})
	env, err := os.ReadFile(filepath.Join(dir, "dev.env"))
	if err != nil {
		t.Fatal(err)
	}
	value := func(name string) string {
		_, rest, _ := strings.Cut(string(env), "export "+name+"='")
		value, _, found := strings.Cut(rest, "'")
		if !found || value == "" {
			t.Fatalf("dev.env does not export %s", name)
		}
		return value
	}
	return development{s, base, value("GATEHOUSE_USER"), value("GATEHOUSE_PASSWORD"), value("GATEHOUSE_API_KEY")}
}

// TestTheLimitsAreShown: what the page says of an operation is what the operation table counts.
func TestTheLimitsAreShown(t *testing.T) {
	b := openBrowser(t)
	b.base = startDevelopment(t).base
	b.open(b.base+"/docs", "createItem", "createToken", "getJwks", "registerUser", "getLivez")
	for operation, want := range map[string]string{
		"createItem":   "Limits: address: 600 in 60 s by address; principal: 600 in 60 s by principal; key: 300 in 60 s by key.",
		"createToken":  "Limits: token: 60 in 60 s by address; client: 600 in 60 s by client in client_id.",
		"getJwks":      "Limits: address: 600 in 60 s by address.",
		"registerUser": "Limits: ",
		"getLivez":     "Limits: none.",
	} {
		if text := b.text(operationBlock(operation) + " .opblock-description-wrapper"); !strings.Contains(text, want) {
			t.Errorf("%s does not say %q: %s", operation, want, text)
		}
	}
}

func TestThePageInABrowser(t *testing.T) {
	b := openBrowser(t)
	d := startDevelopment(t)
	base, user, password, key := d.base, d.user, d.password, d.key
	b.base = base
	page := base + "/docs"
	const (
		secret  = "a-typed-client-secret"
		nothing = `[{"gatehouse.docs.authorized":"{}"},{},""]`
	)
	encoded := func(name, secret string) string {
		return base64.StdEncoding.EncodeToString([]byte(name + ":" + secret))
	}
	credentials := map[string][]string{
		"basic": {`@name="username"`, user, `@name="password"`, password},
		"oauth2": {
			`@id="oauth_username"`, user, `@id="oauth_password"`, password,
			`@id="client_secret_password"`, secret,
		},
		"apiKeyHeader": {`@type="text"`, key},
		"apiKeyBearer": {`@type="text"`, key},
		"apiKeyQuery":  {`@type="text"`, key},
		"apiKeyCookie": {`@type="text"`, key},
	}

	b.open(page, "getProtected", "getProtectedBasic", "getProtectedBearer", "getProtectedApiKey", "createItem")
	// The built-in client has no secret: what is typed as one is taken out on its way, so that a sign-in for which
	// one was typed succeeds.
	b.eval(`window.fetch = ((real) => (url, options) => {
		if (String(url).endsWith('/token')) {
			window.sentToToken = options.headers.Authorization;
			delete options.headers.Authorization;
		}
		return real(url, options);
	})(window.fetch), ''`)
	for _, row := range []struct{ scheme, operation string }{
		{"basic", "getProtectedBasic"},
		{"basic", "getProtected"},
		{"oauth2", "getProtectedBearer"},
		{"oauth2", "getProtected"},
		{"apiKeyHeader", "getProtectedApiKey"},
		{"apiKeyHeader", "getProtected"},
		{"apiKeyBearer", "getProtected"},
		{"apiKeyQuery", "getProtectedApiKey"},
		{"apiKeyCookie", "getProtectedApiKey"},
	} {
		t.Run(row.scheme+" is authorized for "+row.operation+" and leaves nothing after the logout", func(t *testing.T) {
			b.t = t
			b.authorize(row.scheme, credentials[row.scheme]...)
			if status, body := b.try(row.operation); status != "200" || !strings.Contains(body, `"`+row.scheme+`"`) {
				t.Errorf("%s %s", status, body)
			}
			b.clear(row.operation)
			if cookie := "api_key=" + key + " /protected/api-key Strict"; row.scheme == "apiKeyCookie" && !strings.HasSuffix(b.kept(), cookie) {
				t.Errorf("the cookie is not for its path and this site alone: %s", b.kept())
			}
			b.logout(row.scheme)
			if kept := b.kept(); kept != nothing {
				t.Errorf("the browser holds %s", kept)
			}
		})
	}

	t.Run("the example of a body works as it stands", func(t *testing.T) {
		b.t = t
		b.authorize("apiKeyHeader", credentials["apiKeyHeader"]...)
		if status, body := b.try("createItem"); status != "200" || !strings.Contains(body, `"Oak chair"`) {
			t.Errorf("%s %s", status, body)
		}
		b.logout("apiKeyHeader")
	})

	t.Run("what was typed is not kept, what was obtained is", func(t *testing.T) {
		b.t = t
		for _, scheme := range []string{"basic", "oauth2", "apiKeyHeader"} {
			b.authorize(scheme, credentials[scheme]...)
		}
		if sent := b.eval(`window.sentToToken || ''`); sent != "Basic "+encoded("first-party", secret) {
			t.Errorf("the client secret was not sent, so this test says nothing about it: %q", sent)
		}
		kept := b.kept()
		for what, value := range map[string]string{
			"the password":               password,
			"the password, encoded":      encoded(user, password),
			"the client secret":          secret,
			"the client secret, encoded": encoded("first-party", secret),
		} {
			if strings.Contains(kept, value) {
				t.Errorf("the browser keeps %s", what)
			}
		}
		for _, value := range []string{key, "access_token"} {
			if !strings.Contains(kept, value) {
				t.Errorf("the browser does not keep %s: %s", value, kept)
			}
		}
	})

	t.Run("the token and the key survive a reload, the password does not", func(t *testing.T) {
		b.t = t
		b.open(page, "getProtectedApiKey", "getProtectedBearer")
		b.openDialog()
		if n := b.eval(`String(document.querySelectorAll('.auth-container h6').length)`); n != "4" { // the key, and oauth2 once for each flow
			t.Errorf("%s schemes are authorized", n)
		}
		b.closeDialog()
		for _, row := range []struct{ operation, scheme string }{{"getProtectedApiKey", "apiKeyHeader"}, {"getProtectedBearer", "oauth2"}} {
			if status, body := b.try(row.operation); status != "200" || !strings.Contains(body, `"`+row.scheme+`"`) {
				t.Errorf("%s: %s %s", row.operation, status, body)
			}
		}
		if path := os.Getenv("GATEHOUSE_SCREENSHOT"); path != "" {
			b.screenshot(path)
		}
	})

	t.Run("a token that has ended and what is not ours are not restored", func(t *testing.T) {
		b.t = t
		for name, kept := range map[string]string{
			"an ended token":   `{"oauth2":{"access_token":"t","token_type":"Bearer","expires":1000}}`,
			"no JSON":          `{"oauth2":`,
			"another type":     `[null]`,
			"null":             `null`,
			"an unknown name":  `{"gone":"value"}`,
			"a password":       `{"basic":{"username":"u","password":"p"}}`,
			"a key of no text": `{"apiKeyHeader":{"value":"k"}}`,
		} {
			b.eval(`localStorage.setItem('gatehouse.docs.authorized', ` + "`" + kept + "`" + `), ''`)
			b.open(page)
			if got := b.eval(`localStorage.getItem('gatehouse.docs.authorized')`); got != "{}" {
				t.Errorf("%s: the browser holds %s", name, got)
			}
			if b.eval(`String(document.querySelectorAll('.auth-wrapper .btn.authorize.locked').length)`) != "0" {
				t.Errorf("%s: the page shows an authorization", name)
			}
		}
	})

	t.Run("a name and a password outside of ASCII are sent in UTF-8", func(t *testing.T) {
		b.t = t
		b.open(page, "getProtectedBasic")
		b.eval(`window.fetch = ((real) => (url, options) => {
			window.sent = options.headers.Authorization;
			return Promise.resolve(new Response('{}', { headers: { 'Content-Type': 'application/json' } }));
		})(window.fetch), ''`)
		b.authorize("basic", `@name="username"`, "jürgen", `@name="password"`, "pässwörd €")
		b.try("getProtectedBasic")
		if sent := b.eval("window.sent || ''"); sent != "Basic "+encoded("jürgen", "pässwörd €") {
			t.Errorf("sent %q", sent)
		}
	})

	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.requests) < 20 {
		t.Errorf("%d requests were seen: this test would see no other origin either", len(b.requests))
	}
	for _, address := range b.requests {
		if address != "about:blank" && !strings.HasPrefix(address, base+"/") && !strings.HasPrefix(address, "data:") {
			t.Errorf("the page asked for %s", address)
		}
	}
	for _, complaint := range b.complaints {
		t.Errorf("the browser complained: %s", complaint)
	}
}
