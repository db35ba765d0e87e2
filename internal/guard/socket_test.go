package guard_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/gatehouse/internal/guard"
)

// TestRefusalsLeaveBeforeTheBody: a client that sends its header and holds the body back gets its answer at once. The
// deadline is only there to end a test that fails: net/http would wait for the body for ever.
func TestRefusalsLeaveBeforeTheBody(t *testing.T) {
	op := post(true, jsonBody)
	op.MaxBodyBytes = 1 << 20
	scoped := op
	scoped.ID, scoped.Path, scoped.Security = "scoped", "/scoped", a(needs(bearer, "admin"))
	limited := op
	limited.ID, limited.Path, limited.Limits = "limited", "/limited", []guard.Limit{limit("own", guard.ByAddress, 1)}
	bodiless := post(false)
	bodiless.ID, bodiless.Path = "bodiless", "/bodiless"
	s := serve(t, settings{handler: bind}, op, scoped, limited, bodiless)
	s.send(t, "POST", "/limited", "", nil) // spends the limit

	const good = "Authorization: " + token + "\r\nContent-Type: application/json\r\n"
	for _, tt := range []struct {
		name, target, fields, length string
		status                       int
	}{
		{"no credential", "/x", "", "Content-Length: 1000", 401},
		{"no credential, chunked", "/x", "", "Transfer-Encoding: chunked", 401},
		{"no credential, and the client waits for 100", "/x", "Expect: 100-continue\r\n", "Content-Length: 1000", 401},
		{"a missing scope", "/scoped", good, "Content-Length: 1000", 403},
		{"too large", "/x", good, "Content-Length: 10000000", 413},
		{"far too large", "/x", good, "Content-Length: 9223372036854775807", 413},
		{"another media type", "/x", "Authorization: " + token + "\r\nContent-Type: text/plain\r\n", "Content-Length: 1000", 415},
		{"a body where none is taken", "/bodiless", good, "Content-Length: 1000", 400},
		{"a chunked body where none is taken", "/bodiless", good, "Transfer-Encoding: chunked", 400},
		{"not acceptable", "/x", good + "Accept: text/html\r\n", "Content-Length: 1000", 406},
		{"an unknown parameter", "/x?role=admin", good, "Content-Length: 1000", 422},
		{"over the limit", "/limited", good, "Content-Length: 1000", 429},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := net.Dial("tcp", s.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			before := s.handled.Load()
			if _, err := fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\n%s%s\r\n\r\n", tt.target, tt.fields, tt.length); err != nil {
				t.Fatal(err)
			}
			response, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != tt.status || !response.Close || !strings.Contains(string(body), `"status":`) {
				t.Errorf("%d, close %v: %s", response.StatusCode, response.Close, body)
			}
			if s.handled.Load() != before {
				t.Error("the handler was reached")
			}
		})
	}
}

// TestBodyThatEndsEarly: a client that announces more than it sends has sent no request.
func TestBodyThatEndsEarly(t *testing.T) {
	s := serve(t, settings{handler: bind}, post(true, jsonBody), func() guard.Operation {
		op := post(false, jsonBody)
		op.ID, op.Path = "optional", "/optional"
		return op
	}())
	for _, tt := range []struct{ name, target, length, sent string }{
		{"a length", "/x", "Content-Length: 20", `{"name":`},
		{"a length, and nothing sent, where the body is optional", "/optional", "Content-Length: 20", ""},
		{"chunks", "/x", "Transfer-Encoding: chunked", "5\r\n{\"nam"},
		{"a chunk that is none", "/optional", "Transfer-Encoding: chunked", "zz\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := net.Dial("tcp", s.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nContent-Type: application/json\r\n%s\r\n\r\n%s", tt.target, token, tt.length, tt.sent)
			if err := c.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			response, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(response.Body)
			if response.StatusCode != 400 || strings.Contains(string(body), "absent") {
				t.Errorf("%d: %s", response.StatusCode, body)
			}
		})
	}
}

// raw sends the bytes of a request and returns those of the answer, up to the end of the connection.
func raw(t *testing.T, s *service, request string) string {
	t.Helper()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}
