package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/ratelimit"
	"example.com/gatehouse/internal/server"
	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"
)

// buffer is what the logs are written to.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// front is an Entry before a few operations, on a real server.
type front struct {
	waiting chan bool // a handler does
	*httptest.Server
	log, access buffer
	accessLog   *server.AccessLog
}

const submitted = "s3cr3t-that-was-sent"

func newFront(t *testing.T, tls bool, change func(*server.Entry)) *front {
	t.Helper()
	f := &front{waiting: make(chan bool, 1)}
	f.accessLog = server.NewAccessLog(&f.access)
	now := time.Date(2026, 11, 24, 9, 30, 0, 123456000, time.UTC)
	entry := server.Entry{
		StrictTransport: true,
		Now:             func() time.Time { now = now.Add(time.Millisecond); return now },
		Random:          rand.Reader, Logger: slog.New(slog.NewJSONHandler(&f.log, nil)), Access: f.accessLog,
		Limiter: ratelimit.NewMemory(100), Realm: "gatehouse",
	}
	if change != nil {
		change(&entry)
	}
	var mu sync.Mutex
	clock := entry.Now
	entry.Now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return clock()
	}
	e := echo.New()
	e.Pre(entry.Middleware())
	public := func(id, method, path string) guard.Operation {
		return guard.Operation{ID: id, Method: method, Path: path, Public: "it is", QueryNames: []string{"q"}}
	}
	closed := func(id, method, path string) guard.Operation {
		op := public(id, method, path)
		op.Public, op.Security = "", []guard.Alternative{{{Scheme: 0}}, {{Scheme: 1}}}
		op.QueryNames = append(op.QueryNames, "api_key")
		return op
	}
	token := public("createToken", "POST", "/token")
	token.Errors, token.IgnoreUnknown = problem.OAuth, true
	upload := closed("upload", "POST", "/upload")
	upload.MaxBodyBytes, upload.BodyRequired = 1<<20, true
	upload.Bodies = []guard.Body{{MediaType: "application/json"}}
	handlers := map[string]echo.HandlerFunc{
		"ok":      func(c echo.Context) error { return c.JSON(200, map[string]int{"n": 1}) },
		"item":    func(c echo.Context) error { return c.String(200, c.Param("id")) },
		"own":     func(echo.Context) error { return problem.NotFound.New("there is no such item") },
		"wrapped": func(echo.Context) error { return fmt.Errorf("load: %w", problem.NotFound.New("there is no such item")) },
		"foreign": func(echo.Context) error { return errors.New("pq: relation " + submitted + " does not exist") },
		"binding": func(echo.Context) error { return echo.NewHTTPError(400, "Invalid format for parameter: "+submitted) },
		"teapot":  func(echo.Context) error { return echo.NewHTTPError(503, submitted) },
		"panic":   func(echo.Context) error { panic("index out of " + submitted) },
		"late": func(c echo.Context) error {
			if err := c.String(200, strings.Repeat("x", 8<<10)); err != nil {
				return err
			}
			return errors.New("after the response: " + submitted)
		},
		"latepanic": func(c echo.Context) error {
			c.Response().Header().Set("Content-Length", "10")
			c.Response().WriteHeader(200)
			c.Response().Flush()
			panic(submitted)
		},
		"abort":    func(echo.Context) error { panic(http.ErrAbortHandler) },
		"deadline": func(echo.Context) error { return fmt.Errorf("query: %w", context.DeadlineExceeded) },
		"nothing":  func(echo.Context) error { return nil },
		"slow":     f.interrupted,
		"patient":  f.interrupted,
	}
	var operations []guard.Operation
	for id := range handlers {
		path := "/" + id
		if id == "item" {
			path = "/items/{id}"
		}
		op := public(id, "GET", path)
		op.Timeout = map[string]time.Duration{"slow": 20 * time.Millisecond, "patient": time.Hour}[id]
		operations = append(operations, op)
	}
	operations = append(operations, closed("who", "GET", "/who"), upload, token)
	upload.Bodies[0].Decode = decodeNothing
	r := guard.New(guard.Config{
		Echo: e, Operations: operations, Limiter: entry.Limiter, Realm: "gatehouse",
		Schemes: []guard.Scheme{
			{Name: "oauth2", Bearer: func(_ context.Context, t auth.BearerToken) (*auth.Principal, error) { return prove(t.Reveal()) }},
			{Name: "key", APIKey: func(_ context.Context, k auth.APIKey) (*auth.Principal, error) { return prove(k.Reveal()) }, In: "query", Param: "api_key"},
		},
	})
	for id, h := range handlers {
		path := "/" + id
		if id == "item" {
			path = "/items/:id"
		}
		r.GET(path, h)
	}
	r.GET("/who", func(c echo.Context) error {
		return c.String(200, fmt.Sprint(auth.FromContext(c.Request().Context()).Subject, " from ", auth.Address(c.Request().Context())))
	})
	r.POST("/upload", func(c echo.Context) error { return c.NoContent(204) })
	r.POST("/token", func(echo.Context) error {
		return problem.Kind{Status: 401, OAuthError: "invalid_client"}.New("the client is unknown")
	})
	if err := r.Finish(); err != nil {
		t.Fatal(err)
	}
	f.Server = httptest.NewUnstartedServer(e)
	f.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	if tls {
		f.StartTLS()
	} else {
		f.Start()
	}
	t.Cleanup(f.Close)
	return f
}

// interrupted is a store that does not say why it stopped.
func (f *front) interrupted(c echo.Context) error {
	f.waiting <- true
	<-c.Request().Context().Done()
	return errors.New("interrupted")
}

// prove knows one caller.
func prove(credential string) (*auth.Principal, error) {
	if credential != "good" {
		return nil, auth.ErrInvalidCredential
	}
	return &auth.Principal{Subject: "alice\n\x1b[31m"}, nil
}

// lines closes the access log and returns what is in it.
func (f *front) lines(t *testing.T) []map[string]any {
	t.Helper()
	f.Close() // waits for the requests in flight
	if err := f.accessLog.Close(); err != nil {
		t.Fatal(err)
	}
	return parseLines(t, f.access.String())
}

func parseLines(t *testing.T, text string) []map[string]any {
	t.Helper()
	var list []map[string]any
	for line := range strings.Lines(text) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		list = append(list, m)
	}
	return list
}

func (f *front) send(t *testing.T, method, target string, fields ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, f.URL+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	response, err := f.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestEveryResponseHasTheSecurityHeaders(t *testing.T) {
	want := map[string]string{
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
		"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "Strict-Transport-Security": "",
	}
	for _, tls := range []bool{false, true} {
		if tls {
			want["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
		}
		f := newFront(t, tls, nil)
		for _, tt := range []struct {
			name, method, target string
			status               int
		}{
			{"a success", "GET", "/ok", 200},
			{"a HEAD", "HEAD", "/ok", 200},
			{"no credential", "GET", "/who", 401},
			{"no route", "GET", "/nowhere", 404},
			{"no such method", "POST", "/ok", 405},
			{"OPTIONS", "OPTIONS", "/ok", 204},
			{"a defect", "GET", "/foreign", 500},
			{"a panic", "GET", "/panic", 500},
			{"an OAuth error", "POST", "/token", 401},
		} {
			t.Run(fmt.Sprintf("%s, TLS %v", tt.name, tls), func(t *testing.T) {
				response, _ := f.send(t, tt.method, tt.target)
				if response.StatusCode != tt.status {
					t.Errorf("status %d", response.StatusCode)
				}
				for name, value := range want {
					if got := strings.Join(response.Header.Values(name), "|"); got != value {
						t.Errorf("%s: %q", name, got)
					}
				}
				if len(response.Header.Get("X-Request-Id")) != 32 || response.Header.Get("Server") != "" {
					t.Errorf("%v", response.Header)
				}
				// Date comes from net/http, outside of the map that must not grow.
				if n := len(response.Header) - 1; tt.status == 200 && n > 8 {
					t.Errorf("%d header keys: %v", n, response.Header)
				}
			})
		}
	}
}

func TestHSTSIsLeftOutWhereItIsNotWanted(t *testing.T) {
	f := newFront(t, true, func(e *server.Entry) { e.StrictTransport = false })
	if response, _ := f.send(t, "GET", "/ok"); response.Header["Strict-Transport-Security"] != nil {
		t.Errorf("%v", response.Header)
	}
}

func TestEveryErrorIsOneProblem(t *testing.T) {
	for _, tt := range []struct {
		name, method, target string
		status               int
		detail               string
		allow, retry         string
		logged               string // the error in the log, or nothing there
	}{
		{"a problem of the handler", "GET", "/own", 404, "there is no such item", "", "", ""},
		{"a wrapped problem", "GET", "/wrapped", 404, "there is no such item", "", "", ""},
		{"another error, whose text is for the log", "GET", "/foreign", 500, "the service failed: the log has it under request_id", "", "", "pq: relation " + submitted + " does not exist"},
		{"the generated binding, which quotes what was sent", "GET", "/binding", 400, "the request is malformed", "", "", ""},
		{"a 5xx of echo", "GET", "/teapot", 500, "the service failed: the log has it under request_id", "", "", "code=503, message=" + submitted},
		{"a panic", "GET", "/panic", 500, "the service failed: the log has it under request_id", "", "", "panic: index out of " + submitted},
		{"a handler that answers nothing", "GET", "/nothing", 500, "the service failed: the log has it under request_id", "", "", "guard: the handler returned without an answer"},
		{"too slow", "GET", "/deadline", 503, "repeat later", "", "5", "query: context deadline exceeded"},
		{"the timeout of the operation", "GET", "/slow", 503, "the operation took too long: repeat later", "", "5", "the operation took too long: repeat later: after 20ms: interrupted"},
		{"no route", "GET", "/nowhere", 404, "there is nothing at this path", "", "", ""},
		{"no such method", "DELETE", "/ok", 405, "this path does not take the method: see Allow", "OPTIONS, GET, HEAD", "", ""},
		{"TRACE", "TRACE", "/ok", 405, "this path does not take the method: see Allow", "OPTIONS, GET, HEAD", "", ""},
		{"a method that nobody knows", "BREW", "/ok", 405, "this path does not take the method: see Allow", "OPTIONS, GET, HEAD", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFront(t, false, nil)
			response, body := f.send(t, tt.method, tt.target)
			var p struct {
				Status               int
				Detail, Instance     string
				RequestID            string `json:"request_id"`
				Type, Title, Unknown string
			}
			if err := json.Unmarshal([]byte(body), &p); err != nil {
				t.Fatalf("%v: %s", err, body)
			}
			id := response.Header.Get("X-Request-Id")
			if response.StatusCode != tt.status || p.Status != tt.status || p.Detail != tt.detail || p.RequestID != id || p.Instance != "urn:gatehouse:request:"+id {
				t.Errorf("%d %s", response.StatusCode, body)
			}
			if response.Header.Get("Content-Type") != "application/problem+json" || response.Header.Get("Allow") != tt.allow || response.Header.Get("Retry-After") != tt.retry {
				t.Errorf("%v", response.Header)
			}
			if strings.Contains(body, submitted) || strings.Contains(body, "goroutine") {
				t.Errorf("the answer tells: %s", body)
			}
			var logged []string
			for _, line := range parseLines(t, f.log.String()) {
				logged = append(logged, line["error"].(string))
				if line["request_id"] != id || line["status"] != float64(tt.status) || line["operation"] != strings.TrimPrefix(tt.target, "/") {
					t.Errorf("%v", line)
				}
				if timeout := line["timeout"] == true; timeout != (tt.target == "/slow") || line["level"] != "ERROR" {
					t.Errorf("timeout: %v", line)
				}
				if _, ok := line["stack"]; ok != (tt.name == "a panic") {
					t.Errorf("stack: %v", ok)
				}
			}
			if got := strings.Join(logged, "|"); got != tt.logged {
				t.Errorf("logged %q, want once %q", got, tt.logged)
			}
			if access := f.lines(t); len(access) != 1 || access[0]["status"] != float64(tt.status) || access[0]["request_id"] != id {
				t.Errorf("access log: %v", access)
			}
		})
	}
}

// TestAClientThatLeavesIsNoFailure: the log must not blame the service, nor call it a timeout.
func TestAClientThatLeavesIsNoFailure(t *testing.T) {
	f := newFront(t, false, nil)
	c, err := net.Dial("tcp", f.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "GET /patient HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-f.waiting
	c.Close()
	access := f.lines(t) // waits for the request
	lines := parseLines(t, f.log.String())
	if len(access) != 1 || len(lines) != 1 || lines[0]["level"] != "INFO" || lines[0]["timeout"] != nil || lines[0]["error"] != "interrupted" {
		t.Errorf("%v, access log %v", lines, access)
	}
}

func TestHEADHasTheHeaderOfGET(t *testing.T) {
	f := newFront(t, false, nil)
	for _, target := range []string{"/ok", "/own", "/nowhere"} {
		get, _ := f.send(t, "GET", target)
		head, body := f.send(t, "HEAD", target)
		if body != "" || head.StatusCode != get.StatusCode || head.Header.Get("Content-Type") != get.Header.Get("Content-Type") || head.ContentLength != get.ContentLength {
			t.Errorf("%s: %v, GET %v", target, head, get)
		}
	}
}

// TestABegunResponseIsCutOff: a problem appended to half a document would look like a part of it.
func TestABegunResponseIsCutOff(t *testing.T) {
	for _, tt := range []struct{ target, logged string }{
		{"/late", "after the response: " + submitted}, {"/latepanic", "panic: " + submitted}, {"/abort", ""},
	} {
		t.Run(tt.target, func(t *testing.T) {
			f := newFront(t, false, nil)
			response, err := f.Client().Get(f.URL + tt.target)
			if err == nil {
				var body []byte
				body, err = io.ReadAll(response.Body)
				response.Body.Close()
				if bytes.Contains(body, []byte("urn:gatehouse")) {
					t.Errorf("a problem was appended: %s", body)
				}
			}
			if err == nil {
				t.Error("the client takes the response for whole")
			}
			lines := f.lines(t)
			if len(lines) != 1 || lines[0]["aborted"] != true {
				t.Errorf("access log: %v", lines)
			}
			logged := ""
			for _, line := range parseLines(t, f.log.String()) {
				logged += line["error"].(string)
			}
			if logged != tt.logged {
				t.Errorf("logged %q, want %q", logged, tt.logged)
			}
		})
	}
}

func TestUnroutedRequestsAreCounted(t *testing.T) {
	for _, tt := range []struct {
		name, method, target string
		status               int
	}{
		{"no route", "GET", "/nowhere", 404},
		{"no such method", "DELETE", "/ok", 405},
		{"a path that only the router takes for a route", "GET", "/items/1/2", 404},
		{"OPTIONS, which the router answers", "OPTIONS", "/ok", 204},
		{"OPTIONS without a route", "OPTIONS", "/nowhere", 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFront(t, false, func(e *server.Entry) {
				e.Unrouted = []guard.Limit{{Limit: ratelimit.Limit{Name: "address", Quota: 2, Window: time.Hour}}}
			})
			for i, want := range []int{tt.status, tt.status, 429} {
				response, _ := f.send(t, tt.method, tt.target)
				if response.StatusCode != want {
					t.Errorf("request %d: %d, want %d", i, response.StatusCode, want)
				}
				if want == 429 && (response.Header.Get("Retry-After") == "" || response.Header.Get("RateLimit") == "") {
					t.Errorf("%v", response.Header)
				}
			}
			if response, _ := f.send(t, "GET", "/ok"); response.StatusCode != 200 {
				t.Errorf("an operation without limits is limited: %d", response.StatusCode)
			}
		})
	}
}

func TestOAuthClientIsChallengedForTheSchemeThatItTried(t *testing.T) {
	f := newFront(t, false, nil)
	response, body := f.send(t, "POST", "/token")
	if response.StatusCode != 401 || response.Header["Www-Authenticate"] != nil || body != `{"error":"invalid_client","error_description":"the client is unknown"}` {
		t.Errorf("%d %v %s", response.StatusCode, response.Header, body)
	}
	response, _ = f.send(t, "POST", "/token", "Authorization", "Basic eDp5")
	if diff := cmp.Diff([]string{`Basic realm="gatehouse", charset="UTF-8"`}, response.Header["Www-Authenticate"]); diff != "" {
		t.Error(diff)
	}
}

func TestClientAddress(t *testing.T) {
	spoofed := []string{"Authorization", "Bearer good", "X-Forwarded-For", "203.0.113.9", "X-Real-Ip", "203.0.113.9", "Forwarded", "for=203.0.113.9"}
	f := newFront(t, false, nil)
	if _, body := f.send(t, "GET", "/who", spoofed...); !strings.HasSuffix(body, " from 127.0.0.1") {
		t.Errorf("a header moved the client: %q", body)
	}
	f = newFront(t, false, func(e *server.Entry) { e.Proxies = server.Proxies{netip.MustParsePrefix("127.0.0.1/32")} })
	if _, body := f.send(t, "GET", "/who", spoofed...); !strings.HasSuffix(body, " from 203.0.113.9") {
		t.Errorf("a trusted proxy is not believed: %q", body)
	}
}

func TestRequestIDsAreNeverShared(t *testing.T) {
	f := newFront(t, false, nil)
	seen := map[string]bool{}
	for range 600 { // more than one piece of random bytes
		response, _ := f.send(t, "GET", "/ok")
		seen[response.Header.Get("X-Request-Id")] = true
	}
	if len(seen) != 600 {
		t.Errorf("%d ids for 600 requests", len(seen))
	}
}

func TestWithoutRandomnessNothingIsServed(t *testing.T) {
	f := newFront(t, false, func(e *server.Entry) { e.Random = strings.NewReader("short") })
	response, body := f.send(t, "GET", "/ok")
	if response.StatusCode != 500 || !strings.Contains(f.log.String(), "make a request id") {
		t.Errorf("%d %s", response.StatusCode, body)
	}
}

// TestRefusalsLeaveAtOnce: see the test of the same thing in package guard; here it goes through the entry itself.
func TestRefusalsLeaveAtOnce(t *testing.T) {
	f := newFront(t, false, func(e *server.Entry) {
		e.Unrouted = []guard.Limit{{Limit: ratelimit.Limit{Name: "address", Quota: 2, Window: time.Hour}}}
	})
	for _, tt := range []struct {
		name, target, fields string
		status               int
	}{
		{"no credential", "/upload", "", 401},
		{"another media type", "/upload", "Authorization: Bearer good\r\n", 415},
		{"no route", "/nowhere", "", 404},
		{"no such method", "/ok", "", 405},
		{"over the limit", "/nowhere", "", 429},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := net.Dial("tcp", f.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: 1000\r\n\r\n", tt.target, tt.fields); err != nil {
				t.Fatal(err)
			}
			response, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != tt.status || !response.Close {
				t.Errorf("%d, close %v", response.StatusCode, response.Close)
			}
		})
	}
	// A request without a body keeps its connection.
	if response, _ := f.send(t, "GET", "/who"); response.StatusCode != 401 || response.Close {
		t.Errorf("%d, close %v", response.StatusCode, response.Close)
	}
}
