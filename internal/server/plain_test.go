package server_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/gatehouse/internal/server"
)

// checkPlainProblem fails the test where the answer is not the one of the port of plain HTTP.
func checkPlainProblem(t *testing.T, name string, got answer, issuer string, exposed bool) {
	t.Helper()
	if got.status != 403 || got.header.Get("Content-Type") != "application/problem+json" || got.header.Get("Location") != "" || got.header.Get("Strict-Transport-Security") != "" {
		t.Errorf("%s: %d %v", name, got.status, got.header)
	}
	for field, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Referrer-Policy": "no-referrer",
		"Cache-Control": "no-store",
	} {
		if got.header.Get(field) != want {
			t.Errorf("%s: %s is %q", name, field, got.header.Get(field))
		}
	}
	var p struct {
		Type, Detail string
		RequestID    string `json:"request_id"`
	}
	if err := json.Unmarshal(got.body, &p); err != nil {
		t.Fatalf("%s: %v in %q", name, err, got.body)
	}
	if p.Type != "urn:gatehouse:problem:transport-insecure" || !strings.Contains(p.Detail, issuer) || p.RequestID == "" || p.RequestID != got.header.Get("X-Request-Id") {
		t.Errorf("%s: %s", name, got.body)
	}
	if strings.Contains(p.Detail, "replace") != exposed {
		t.Errorf("%s: it says %q", name, p.Detail)
	}
}

// servePlain serves the port of plain HTTP, and returns its address.
func (s *service) servePlain(t *testing.T, listener net.Listener) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.ServePlain(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

func TestPlainHTTPIsToldWhereTheAPIIs(t *testing.T) {
	cert, key, err := server.DevelopmentCertificate(t.TempDir(), time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, func(c *server.Config) {
		c.Issuer = "https://api.example.com"
		if c.Certificates, err = server.OpenCertificateFiles(cert, key, c.Log, time.Now); err != nil {
			t.Fatal(err)
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := s.servePlain(t, listener)
	const end = "Host: api.example.com\r\n\r\n"
	for _, row := range []struct {
		name, request string
		exposed       bool
	}{
		{"an operation", "GET /items HTTP/1.1\r\n" + end, false},
		{"an operation that is open to all", "GET /livez HTTP/1.1\r\n" + end, false},
		{"a page is not redirected either", "GET /login HTTP/1.1\r\nAccept: text/html\r\n" + end, false},
		{"a path that does not exist", "GET /no HTTP/1.1\r\n" + end, false},
		{"OPTIONS for the server", "OPTIONS * HTTP/1.1\r\n" + end, false},
		{"a preflight", "OPTIONS /items HTTP/1.1\r\nOrigin: https://app.example.com\r\nAccess-Control-Request-Method: POST\r\n" + end, false},
		{"TRACE", "TRACE / HTTP/1.1\r\n" + end, false},
		{"another host", "GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", false},
		{"what a proxy would say of TLS", "GET /items HTTP/1.1\r\nX-Forwarded-Proto: https\r\n" + end, false},
		{"a password", "GET /items HTTP/1.1\r\nAuthorization: Basic a2FuYXJpZTc6eA==\r\n" + end, true},
		{"a token, in odd spelling", "GET /items HTTP/1.1\r\naUTHORIZATION: bearer x\r\n" + end, true},
		{"a cookie", "GET /login HTTP/1.1\r\nCookie: a=b\r\n" + end, true},
		{"a key in a header", "GET /items HTTP/1.1\r\nX-API-Key: x\r\n" + end, true},
		{"a key in the query", "GET /items?api_key=x HTTP/1.1\r\n" + end, true},
		{"a key in a query that is half wrong", "GET /items?%zz=1&api_key=x HTTP/1.1\r\n" + end, true},
		{"a body that never comes is not waited for", "POST /items HTTP/1.1\r\nContent-Length: 1000000\r\n" + end, false},
		{"a body is not asked for", "POST /items HTTP/1.1\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n" + end, false},
		{"a body in chunks that never comes", "POST /items HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + end, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.SetDeadline(time.Now().Add(4 * time.Second)); err != nil { // below every timeout of the server
				t.Fatal(err)
			}
			if _, err := io.WriteString(c, row.request); err != nil {
				t.Fatal(err)
			}
			reader := bufio.NewReader(c)
			response, err := http.ReadResponse(reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := read(t, response)
			checkPlainProblem(t, row.name, got, "https://api.example.com", row.exposed)
			if _, err := reader.ReadByte(); err != io.EOF || !response.Close {
				t.Errorf("the connection stays open: %v, %v", err, response.Header)
			}
			if strings.Contains(string(got.body), "evil") || strings.Contains(string(got.body), canary) {
				t.Errorf("the answer holds what was sent: %s", got.body)
			}
		})
	}

	t.Run("headers that are too large", func(t *testing.T) {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		go func() {
			_, _ = fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: a\r\nX-Large: %s\r\n\r\n", strings.Repeat("x", 1<<20))
		}() // refused before it is sent whole
		response, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || response.StatusCode != 431 {
			t.Errorf("%v, %v", response, err)
		}
	})
	if n := s.handled.Load(); n != 0 {
		t.Errorf("%d requests reached the API", n)
	}
}
