package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"example.com/gatehouse/internal/server"
)

const frontEnd = "https://app.example.com"

// corsFields are the fields of CORS of a response, in one line each.
func corsFields(h http.Header) string {
	var b strings.Builder
	for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age", "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers", "Vary"} {
		if values := h.Values(name); len(values) > 0 {
			fmt.Fprintf(&b, "%s: %s\n", strings.TrimPrefix(name, "Access-Control-"), strings.Join(values, " | "))
		}
	}
	return b.String()
}

const (
	exposedFields   = "Expose-Headers: ETag, Location, Link, Retry-After, RateLimit, RateLimit-Policy, WWW-Authenticate, X-Request-Id, Allow, Deprecation\n"
	readable        = "Allow-Origin: " + frontEnd + "\n" + exposedFields + "Vary: Origin\n"
	unreadable      = "Vary: Origin\n"
	preflightFields = "Allow-Headers: Authorization, Content-Type, If-Match, X-Api-Key\nMax-Age: 600\nVary: Origin\n"
)

func preflight(origin, method string, more ...string) []string {
	return append([]string{"Origin", origin, "Access-Control-Request-Method", method}, more...)
}

func TestCORS(t *testing.T) {
	s := start(t, func(c *server.Config) { c.CORSOrigins = []string{frontEnd, "http://localhost:3000"} })
	key := []string{"X-API-Key", s.apiKey}
	from := func(origin string, fields ...string) []string { return append([]string{"Origin", origin}, fields...) }
	form := append(from(frontEnd, "Sec-Fetch-Site", "cross-site"), "Content-Type", formType)
	for _, row := range []struct {
		name, method, target, body string
		fields                     []string
		status                     int
		want                       string
	}{
		{"a listed origin", "GET", "/items", "", from(frontEnd, key...), 200, readable},
		{"the other listed origin", "GET", "/items", "", from("http://localhost:3000", key...), 200, strings.ReplaceAll(readable, frontEnd, "http://localhost:3000")},
		{"no origin", "GET", "/items", "", key, 200, unreadable},
		{"a file of the documentation varies by encoding too", "GET", "/docs/swagger-ui.css", "", from(frontEnd, "Accept-Encoding", "gzip"), 200, strings.ReplaceAll(readable, "Vary: Origin", "Vary: Origin | Accept-Encoding")},
		{"a refusal without a credential", "GET", "/items", "", from(frontEnd), 401, readable},
		{"a path that does not exist", "GET", "/no", "", from(frontEnd), 404, readable},
		{"a method that is not taken", "PUT", "/items", "", from(frontEnd), 405, readable},
		{"what is against the schema", "POST", "/items", `{"name":1}`, append(from(frontEnd, key...), "Content-Type", "application/json"), 422, readable},
		{"an endpoint of OAuth", "POST", "/token", "grant_type=x", form, 400, readable},

		{"an origin that is not listed", "GET", "/items", "", from("https://evil.example", key...), 200, unreadable},
		{"null", "GET", "/items", "", from("null", key...), 200, unreadable},
		{"a listed origin without TLS", "GET", "/items", "", from("http://app.example.com", key...), 200, unreadable},
		{"a listed origin with a port", "GET", "/items", "", from(frontEnd+":8443", key...), 200, unreadable},
		{"a listed origin in capitals", "GET", "/items", "", from("https://APP.example.com", key...), 200, unreadable},
		{"a name that begins so", "GET", "/items", "", from(frontEnd+".evil.example", key...), 200, unreadable},
		{"a name that ends so", "GET", "/items", "", from("https://evil-app.example.com", key...), 200, unreadable},
		{"a listed origin with a path", "GET", "/items", "", from(frontEnd+"/", key...), 200, unreadable},
		{"two origins", "GET", "/items", "", from(frontEnd, append(key, "Origin", "https://evil.example")...), 200, unreadable},
		{"two origins in one line", "GET", "/items", "", from(frontEnd+", https://evil.example", key...), 200, unreadable},
		{"no text", "GET", "/items", "", from("", key...), 200, unreadable},

		{"a preflight", "OPTIONS", "/items", "", preflight(frontEnd, "POST"), 204, "Allow-Origin: " + frontEnd + "\nAllow-Methods: OPTIONS, GET, HEAD, POST\n" + preflightFields},
		{"a preflight of a path with a parameter", "OPTIONS", "/items/01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f", "", preflight(frontEnd, "PATCH"), 204, "Allow-Origin: " + frontEnd + "\nAllow-Methods: OPTIONS, DELETE, GET, HEAD, PATCH, PUT\n" + preflightFields},
		{"what is asked for is not repeated", "OPTIONS", "/items", "", preflight(frontEnd, canary, "Access-Control-Request-Headers", canary+", x-other"), 204, "Allow-Origin: " + frontEnd + "\nAllow-Methods: OPTIONS, GET, HEAD, POST\n" + preflightFields},
		{"a preflight with a credential needs none", "OPTIONS", "/items", "", preflight(frontEnd, "POST", "X-API-Key", "bad"), 204, "Allow-Origin: " + frontEnd + "\nAllow-Methods: OPTIONS, GET, HEAD, POST\n" + preflightFields},
		{"a private network is not opened", "OPTIONS", "/items", "", preflight(frontEnd, "POST", "Access-Control-Request-Private-Network", "true"), 204, "Allow-Origin: " + frontEnd + "\nAllow-Methods: OPTIONS, GET, HEAD, POST\n" + preflightFields},
		{"a preflight of a path that does not exist", "OPTIONS", "/no", "", preflight(frontEnd, "POST"), 404, readable},
		{"a preflight of a path that is spelled otherwise", "OPTIONS", "/items%2F1", "", preflight(frontEnd, "POST"), 404, readable},
		{"a preflight of an origin that is not listed", "OPTIONS", "/items", "", preflight("https://evil.example", "POST"), 204, unreadable},
		{"a preflight of null", "OPTIONS", "/items", "", preflight("null", "POST"), 204, unreadable},
		{"OPTIONS that is no preflight", "OPTIONS", "/items", "", from(frontEnd), 204, readable},
		{"a preflight that asks for two methods", "OPTIONS", "/items", "", preflight(frontEnd, "POST", "Access-Control-Request-Method", "GET"), 204, readable},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := s.send(t, row.method, row.target, row.body, row.fields...)
			if fields := corsFields(got.header); got.status != row.status || fields != row.want {
				t.Errorf("%d, want %d\n%s\nwant\n%s", got.status, row.status, fields, row.want)
			}
			if text := fmt.Sprint(got.header); strings.Contains(text, canary) || strings.Contains(text, "evil") || strings.Contains(text, "Private") {
				t.Errorf("a field repeats what was sent: %s", text)
			}
		})
	}
	t.Run("over the limit", func(t *testing.T) {
		s := start(t, func(c *server.Config) { c.CORSOrigins = []string{frontEnd} })
		key := []string{"X-API-Key", s.apiKey}
		s.spend(t, 600, 404, here, "GET", "/no")
		for name, fields := range map[string][]string{"a request": from(frontEnd, key...), "a preflight": preflight(frontEnd, "POST")} {
			method := map[string]string{"a request": "GET", "a preflight": "OPTIONS"}[name]
			if got := s.send(t, method, "/items", "", fields...); got.status != 429 || corsFields(got.header) != readable {
				t.Errorf("%s: %d\n%s", name, got.status, corsFields(got.header))
			}
		}
	})
}

func TestWithoutCORSThereIsNothingOfIt(t *testing.T) {
	s := start(t)
	for name, got := range map[string]answer{
		"a request":   s.send(t, "GET", "/items", "", "Origin", frontEnd, "X-API-Key", s.apiKey),
		"a preflight": s.send(t, "OPTIONS", "/items", "", preflight(frontEnd, "POST")...),
	} {
		if fields := corsFields(got.header); fields != "" {
			t.Errorf("%s: %s", name, fields)
		}
		if len(got.header) > 8 {
			t.Errorf("%s: %d fields, where the ninth costs more than the others: %v", name, len(got.header), got.header)
		}
	}
}

// TestCredentialsFromAListedOrigin: what code of the origin sets passes, what the browser adds by itself does not.
func TestCredentialsFromAListedOrigin(t *testing.T) {
	s := start(t, func(c *server.Config) { c.CORSOrigins = []string{frontEnd} })
	password := basic(s.user, s.password)
	code := []string{"Origin", frontEnd, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors"}
	page := []string{"Origin", frontEnd, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}
	other := []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors"}
	with := func(fields []string, more ...string) []string { return append(append([]string{}, fields...), more...) }
	item := `{"name":"Oak chair","price":1}`
	for _, row := range []struct {
		name           string
		target, body   string
		fields         []string
		status         int
		isCrossOrigin  bool
		withContentype string
	}{
		{"a key that code sets", "/items", item, with(code, "X-API-Key", s.apiKey), 201, false, "application/json"},
		{"a token that code sets", "/items", item, with(code, "Authorization", "Bearer "+s.token()), 201, false, "application/json"},
		{"a password that code sets", "/users/me/password", `{}`, with(code, "Authorization", password), 422, false, "application/json"},
		{"a password that a form of the page sends", "/users/me/password", `{}`, with(page, "Authorization", password), 403, true, "application/json"},
		{"a password of a browser that does not say what it does", "/users/me/password", `{}`, with([]string{"Origin", frontEnd}, "Authorization", password), 403, true, "application/json"},
		{"a password from another origin", "/users/me/password", `{}`, with(other, "Authorization", password), 403, true, "application/json"},
		{"a form that is for the pages of the service", "/login", "username=a&password=b", code, 403, true, formType},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := s.send(t, "POST", row.target, row.body, append(row.fields, "Content-Type", row.withContentype)...)
			if got.status != row.status || strings.Contains(string(got.body), "another site made this request") != row.isCrossOrigin {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
}

// TestCORSInABrowser asks from pages of two other origins: what counts is what Chromium makes of the fields.
func TestCORSInABrowser(t *testing.T) {
	pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>app</title>")
	}))
	defer pages.Close()
	s := start(t, func(c *server.Config) { c.CORSOrigins = []string{pages.URL} })
	b := openBrowser(t)
	ask := func(target, options, read string) string {
		return b.eval(fmt.Sprintf(`fetch(%q, %s).then(async r => %s, e => e.name)`, s.base+target, options, read))
	}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(pages.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	post := func(fields string) string {
		return `{method: "POST", headers: {"Content-Type": "application/json", ` + fields + `}, body: '{"name":"Oak chair","price":1}'}`
	}
	key := fmt.Sprintf(`"X-API-Key": %q`, s.apiKey)
	for _, row := range []struct {
		name, page             string
		target, options, reads string
		want                   string
	}{
		{"a listed origin makes an item and reads its validator", pages.URL, "/items", post(key), `r.status + " " + r.headers.get("ETag")`, `201 "1"`},
		{"it reads why it is refused", pages.URL, "/items", post(`"X-API-Key": "bad"`), `r.status + " " + (await r.json()).detail + " " + !!r.headers.get("WWW-Authenticate")`, "401 " + badCredential + " true"},
		{"it sends a password", pages.URL, "/users/me/password", post(fmt.Sprintf(`"Authorization": %q`, basic(s.user, s.password))), `r.status`, "422"},
		{"a field that the document does not have is not sent", pages.URL, "/items", post(key + `, "X-Other": "1"`), `r.status`, "TypeError"},
		{"cookies are not sent", pages.URL, "/items", `{credentials: "include"}`, `r.status`, "TypeError"},
		{"a path that does not exist is not asked for", pages.URL, "/no", `{method: "DELETE"}`, `r.status`, "TypeError"},
		{"another origin reads nothing", "http://localhost:" + port, "/livez", `{}`, `r.status`, "TypeError"},
		{"another origin changes nothing", "http://localhost:" + port, "/items", post(key), `r.status`, "TypeError"},
	} {
		t.Run(row.name, func(t *testing.T) {
			b.do(chromedp.Navigate(row.page))
			before := s.items()
			if got := ask(row.target, row.options, "String("+row.reads+")"); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
			if made := s.items() > before; made != strings.HasPrefix(row.want, "201") {
				t.Errorf("an item was made: %t", made)
			}
		})
	}
}

// TestOptionsOfTheServerHasTheHeadersOfAllResponses: net/http answers it by itself where it is let.
func TestOptionsOfTheServerHasTheHeadersOfAllResponses(t *testing.T) {
	s := start(t)
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, response); got.status != 404 || got.header.Get("X-Content-Type-Options") != "nosniff" || got.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %v", got.status, got.header)
	}
}
