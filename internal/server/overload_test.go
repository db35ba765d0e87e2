package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/gatehouse/internal/server"
)

// overloaded runs the service with a few places, all of which have a request whose handler works until release is called.
func overloaded(t *testing.T, places, waiting int, change ...func(*server.Config)) (s *service, release func()) {
	t.Helper()
	s = start(t, append(change, func(c *server.Config) {
		c.Limits = server.DefaultLimits().WithConcurrent(places)
		c.Limits.Waiting, c.Limits.Wait = waiting, time.Hour
	})...)
	held, working := make(chan struct{}), make(chan struct{}, places)
	wait := func(operationID string) {
		if operationID == "ListItems" {
			working <- struct{}{}
			<-held
		}
	}
	s.slow.Store(&wait)
	var all sync.WaitGroup
	for range places {
		all.Go(func() {
			if got := s.send(t, "GET", "/items", "", "X-API-Key", s.apiKey); got.status != 200 {
				t.Errorf("a request that was let in: %d %s", got.status, got.body)
			}
		})
	}
	for range places {
		<-working
	}
	release = sync.OnceFunc(func() {
		s.slow.Store(nil)
		close(held)
		all.Wait()
		if taken, waiting := s.Places(); taken != 0 || waiting != 0 {
			t.Errorf("in the end %d places are taken and %d wait", taken, waiting)
		}
	})
	t.Cleanup(release)
	return s, release
}

// TestOverload: with every place taken by a handler that works, others are told at once, with everything that every answer has.
func TestOverload(t *testing.T) {
	s, release := overloaded(t, 4, 0)
	key := []string{"X-API-Key", s.apiKey}
	for _, row := range []struct {
		name, method, target, body string
		fields                     []string
		holds                      string
	}{
		{"with a credential", "GET", "/protected", "", key, `"type":"urn:gatehouse:problem:unavailable"`},
		{"without one", "GET", "/protected", "", nil, `"status":503`},
		{"with a body", "POST", "/items", validNew, append(key, "Content-Type", jsonType), `"detail":"the service is overloaded: repeat later"`},
		{"an operation that is open to everybody", "GET", "/.well-known/jwks.json", "", nil, `"status":503`},
		{"an OAuth operation", "POST", "/token", s.tokenForm().Encode(), []string{"Content-Type", formType}, `{"error":"temporarily_unavailable"`},
		{"a page", "GET", "/forgot-password", "", nil, "<h1>"},
	} {
		t.Run(row.name, func(t *testing.T) {
			hashes, handled := s.Users().Hashes(), s.handled.Load()
			got := s.send(t, row.method, row.target, row.body, row.fields...)
			if got.status != 503 || !strings.Contains(string(got.body), row.holds) {
				t.Errorf("%d %s", got.status, got.body)
			}
			for name, want := range map[string]string{
				"Retry-After": "1", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "Connection": "",
			} {
				if value := got.header.Get(name); value != want {
					t.Errorf("%s: %q, want %q", name, value, want)
				}
			}
			if got.header.Get("Content-Security-Policy") == "" || len(got.header.Get("X-Request-Id")) != 32 {
				t.Errorf("a header is missing: %v", got.header)
			}
			if s.Users().Hashes() != hashes || s.handled.Load() != handled {
				t.Error("work was done")
			}
		})
	}
	for _, probe := range []string{"/livez", "/readyz"} {
		t.Run(probe+" answers", func(t *testing.T) {
			if got := s.send(t, "GET", probe, ""); got.status != 200 {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
	t.Run("what no operation answers is what it was", func(t *testing.T) {
		if got := s.send(t, "GET", "/no/such/path", ""); got.status != 404 {
			t.Errorf("%d", got.status)
		}
	})
	t.Run("no line in the log for each", func(t *testing.T) {
		if strings.Contains(s.log.String(), "overloaded") {
			t.Errorf("%s", s.log)
		}
	})
	release()
	t.Run("and then there is room", func(t *testing.T) {
		if got := s.send(t, "GET", "/protected", "", key...); got.status != 200 {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
}

// TestOverloadAnswersBeforeTheBody: a large body is not waited for, and its connection ends; that of a small one goes on.
func TestOverloadAnswersBeforeTheBody(t *testing.T) {
	s, _ := overloaded(t, 4, 0)
	for _, row := range []struct {
		name, head, body string
		closes           bool
	}{
		{"a large body", "Content-Length: 60000\r\n", "", true},
		{"a body whose length nobody knows", "Transfer-Encoding: chunked\r\n", "", true},
		{"a body that waits for 100", "Content-Length: 22\r\nExpect: 100-continue\r\n", "", true},
		{"a small body", "Content-Length: 22\r\n", validNew, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := net.Dial("tcp", s.address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // to end a test that fails
			fmt.Fprintf(c, "POST /items HTTP/1.1\r\nHost: x\r\nX-API-Key: %s\r\nContent-Type: application/json\r\n%s\r\n%s", s.apiKey, row.head, row.body)
			r, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := read(t, r); got.status != 503 || r.Close != row.closes {
				t.Errorf("%d, close %t", got.status, r.Close)
			}
		})
	}
}

// TestWaitingForAPlace: who waits is served when one leaves, and one too many is refused at once.
func TestWaitingForAPlace(t *testing.T) {
	s, release := overloaded(t, 4, 1)
	waited := make(chan answer, 1)
	go func() { waited <- s.send(t, "GET", "/protected", "", "X-API-Key", s.apiKey) }()
	for { // until it waits
		if _, waiting := s.Places(); waiting == 1 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if got := s.send(t, "GET", "/protected", "", "X-API-Key", s.apiKey); got.status != 503 || got.header.Get("Retry-After") != "1" {
		t.Errorf("one too many: %d %s", got.status, got.body)
	}
	release()
	if got := <-waited; got.status != 200 {
		t.Errorf("the one that waited: %d %s", got.status, got.body)
	}
}

// TestSlowClientsHaveNoPlace: bodies that do not arrive, and answers that nobody reads, keep nobody else from being served.
func TestSlowClientsHaveNoPlace(t *testing.T) {
	s := start(t, func(c *server.Config) {
		c.Limits = server.DefaultLimits().WithConcurrent(4)
		c.Limits.Waiting = 0
		c.CheckResponses = false // which would write the answer elsewhere
	})
	for range 20 {
		c, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "POST /items HTTP/1.1\r\nHost: x\r\nX-API-Key: %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n", s.apiKey)
		r, err := http.ReadResponse(bufio.NewReader(c), nil) // the service asks for the body: it has got as far as to wait for that
		if err != nil || r.StatusCode != http.StatusContinue {
			t.Fatal(err, r)
		}
	}
	stuck := &stuckWriter{ResponseRecorder: httptest.NewRecorder(), writing: make(chan struct{}, 20), read: make(chan struct{})}
	var readers sync.WaitGroup
	for range 20 {
		w := &stuckWriter{ResponseRecorder: httptest.NewRecorder(), writing: stuck.writing, read: stuck.read}
		readers.Go(func() {
			r := httptest.NewRequest("GET", "/items", nil)
			r.Header.Set("X-API-Key", s.apiKey)
			s.Handler().ServeHTTP(w, r)
		})
	}
	for range 20 {
		<-stuck.writing
	}
	if taken, waiting := s.Places(); taken != 0 || waiting != 0 {
		t.Errorf("%d places are taken, %d wait", taken, waiting)
	}
	if got := s.send(t, "POST", "/items", validNew, "X-API-Key", s.apiKey, "Content-Type", jsonType); got.status != 201 {
		t.Errorf("%d %s", got.status, got.body)
	}
	close(stuck.read)
	readers.Wait()
}

// stuckWriter is a client that does not read until it is told to.
type stuckWriter struct {
	*httptest.ResponseRecorder
	writing, read chan struct{}
}

func (w *stuckWriter) Write(b []byte) (int, error) {
	w.writing <- struct{}{}
	<-w.read
	return io.Discard.Write(b)
}
