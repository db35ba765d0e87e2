package guard_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/problem"
	"github.com/labstack/echo/v4"
)

// soon is a timeout that the handlers below wait for.
const soon = 50 * time.Millisecond

func within(timeout time.Duration, op guard.Operation) guard.Operation {
	op.Timeout = timeout
	return op
}

func TestTimeouts(t *testing.T) {
	wait := func(answer func(ctx context.Context) error) echo.HandlerFunc {
		return func(c echo.Context) error {
			ctx := c.Request().Context()
			<-ctx.Done()
			return answer(ctx)
		}
	}
	for _, tt := range []struct {
		name    string
		token   string
		handler echo.HandlerFunc
		status  int
		detail  string
	}{
		{"the error of the context", "oauth2-alice-read", wait(func(ctx context.Context) error { return fmt.Errorf("query: %w", ctx.Err()) }), 503, "the operation took too long: repeat later"},
		{"the error of a store that does not say why", "oauth2-alice-read", wait(func(context.Context) error { return errors.New("interrupted (9)") }), 503, "the operation took too long: repeat later"},
		{"an error that would be a 500", "oauth2-alice-read", wait(func(context.Context) error { return problem.Internal.New("rows are missing") }), 503, "the operation took too long: repeat later"},
		{"what the client did wrong stays", "oauth2-alice-read", wait(func(context.Context) error { return problem.NotFound.New("no such item") }), 404, "no such item"},
		{"a derived context ends too", "oauth2-alice-read", func(c echo.Context) error {
			ctx, cancel := context.WithCancel(auth.WithAddress(c.Request().Context(), auth.Address(c.Request().Context())))
			defer cancel()
			<-ctx.Done()
			return ctx.Err()
		}, 503, "the operation took too long: repeat later"},
		{"an answer that is late is an answer", "oauth2-alice-read", wait(func(ctx context.Context) error { return nil }), 200, ""},
		{"an authenticator that waits", "slow", nil, 503, "repeat later"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			handler := tt.handler
			if tt.status == 200 {
				handler = func(c echo.Context) error {
					_ = tt.handler(c)
					return c.String(200, "late")
				}
			}
			s := serve(t, settings{handler: handler}, within(soon, get(needs(bearer))))
			got := s.send(t, "GET", "/x", "", header("Authorization", "Bearer "+tt.token))
			expect(t, got, tt.status, nil)
			retry := ""
			if tt.status == 503 {
				retry = "5"
			}
			if detail, _ := got.problem["detail"].(string); detail != tt.detail || got.header.Get("Retry-After") != retry || strings.Contains(got.body, "interrupted") {
				t.Errorf("Retry-After %q, %s", got.header.Get("Retry-After"), got.body)
			}
			if got.handled != (tt.token != "slow") {
				t.Errorf("handled %v", got.handled)
			}
		})
	}
}

// TestTimeoutIsThatOfTheOperation: an operation without one has the context that the server gave it.
func TestTimeoutIsThatOfTheOperation(t *testing.T) {
	var deadline bool
	var remaining time.Duration
	handler := func(c echo.Context) error {
		var at time.Time
		at, deadline = c.Request().Context().Deadline()
		remaining = time.Until(at)
		if p := auth.FromContext(c.Request().Context()); p == nil || p.Subject != "alice" {
			return errors.New("the context lost the caller")
		}
		return c.NoContent(204)
	}
	limited := within(time.Hour, get(needs(bearer)))
	limited.ID, limited.Path = "limited", "/limited"
	s := serve(t, settings{handler: handler}, get(needs(bearer)), limited)
	expect(t, s.send(t, "GET", "/x", "", header("Authorization", token)), 204, nil)
	if deadline {
		t.Error("an operation without a timeout has a deadline")
	}
	expect(t, s.send(t, "GET", "/limited", "", header("Authorization", token)), 204, nil)
	if !deadline || remaining > time.Hour || remaining < time.Minute {
		t.Errorf("deadline %v, in %v", deadline, remaining)
	}
}

// TestClientThatLeavesIsNoTimeout: what the log says of it must not be what it says of a slow service.
func TestClientThatLeavesIsNoTimeout(t *testing.T) {
	type end struct {
		err            error
		timedOut, gone bool
	}
	ends := make(chan end, 1)
	s := serve(t, settings{handler: func(c echo.Context) error {
		state := guard.StateFrom(c.Request().Context())
		<-state.Done()
		ends <- end{state.Err(), state.TimedOut(), state.Gone()}
		return state.Err()
	}}, within(time.Hour, get(needs(bearer))))
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(c, "GET /x HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\n\r\n", token); err != nil {
		t.Fatal(err)
	}
	c.Close()
	select {
	case got := <-ends:
		if got != (end{context.Canceled, false, true}) {
			t.Errorf("%+v", got)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the handler was not told")
	}
}

// TestBodyThatDoesNotArrive: a client that holds its body back does not hold the operation longer than its timeout. Its deadline
// comes from the document, not from the server, which has none here.
func TestBodyThatDoesNotArrive(t *testing.T) {
	stream := guard.Body{MediaType: "image/*", Stream: true}
	op := within(soon, post(true, jsonBody))
	streaming := within(soon, post(true, stream))
	streaming.ID, streaming.Path = "streaming", "/streaming"
	optional := within(soon, post(false, jsonBody))
	optional.ID, optional.Path = "optional", "/optional"
	s := serve(t, settings{handler: func(c echo.Context) error {
		if c.Path() == "/streaming" {
			if _, err := io.Copy(io.Discard, c.Request().Body); err != nil {
				return fmt.Errorf("upload: %w", err)
			}
			return c.NoContent(204)
		}
		return bind(c)
	}}, op, streaming, optional)
	for _, tt := range []struct{ name, target, contentType, length, sent string }{
		{"nothing of it", "/x", "application/json", "Content-Length: 16", ""},
		{"half of it", "/x", "application/json", "Content-Length: 16", `{"name":`},
		{"a chunk of it", "/x", "application/json", "Transfer-Encoding: chunked", "8\r\n{\"name\":\r\n"},
		{"half a chunk", "/x", "application/json", "Transfer-Encoding: chunked", "8\r\n{\"na"},
		{"an optional one is not absent", "/optional", "application/json", "Content-Length: 16", ""},
		{"one that the handler reads", "/streaming", "image/png", "Content-Length: 16", "PNG"},
		{"one that the client asks for leave to send", "/x", "application/json", "Expect: 100-continue\r\nContent-Length: 16", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := raw(t, s, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nContent-Type: %s\r\n%s\r\n\r\n%s", tt.target, token, tt.contentType, tt.length, tt.sent))
			got = strings.TrimPrefix(got, "HTTP/1.1 100 Continue\r\n\r\n")
			head, body, _ := strings.Cut(got, "\r\n\r\n")
			if !strings.HasPrefix(head, "HTTP/1.1 408 ") || !strings.Contains(head, "Connection: close") || !strings.Contains(body, `"detail":"the body did not arrive in time"`) {
				t.Errorf("%s", got)
			}
		})
	}
}

// TestTimeoutAfterTheBody: the deadline of the body must not end a handler that works, nor look like a client that has gone.
func TestTimeoutAfterTheBody(t *testing.T) {
	var gone bool
	s := serve(t, settings{handler: func(c echo.Context) error {
		if err := c.Bind(&model{}); err != nil {
			return err
		}
		state := guard.StateFrom(c.Request().Context())
		<-state.Done()
		gone = state.Gone()
		return state.Err()
	}}, within(soon, post(true, jsonBody)))
	for range 20 {
		got := s.send(t, "POST", "/x", `{"name":"chair"}`, header("Authorization", token, "Content-Type", "application/json"))
		if gone || got.status != 503 || got.header.Get("Retry-After") != "5" {
			t.Fatalf("taken for a client that has gone: %v, %d %s", gone, got.status, got.body)
		}
	}
}

// TestTimeoutOfTheOperationComesFirst: an operation may take longer than the server allows all others.
func TestTimeoutOfTheOperationComesFirst(t *testing.T) {
	const short = 100 * time.Millisecond
	s := serve(t, settings{
		server: func(s *http.Server) { s.ReadTimeout, s.WriteTimeout = short, short },
		handler: func(c echo.Context) error {
			time.Sleep(3 * short)
			if _, err := io.Copy(io.Discard, c.Request().Body); err != nil {
				return err
			}
			if err := c.Request().Context().Err(); err != nil {
				return err
			}
			return c.String(200, "done")
		},
	}, within(time.Hour, get(needs(bearer))), func() guard.Operation {
		op := within(time.Hour, post(true, guard.Body{MediaType: "image/png", Stream: true}))
		op.Produces = nil
		return op
	}())
	h := header("Authorization", token, "Content-Type", "image/png")
	for _, got := range []answer{s.send(t, "GET", "/x", "", h), s.send(t, "POST", "/x", "PNG", h)} {
		if got.status != 200 || got.body != "done" {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST /x HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nContent-Type: image/png\r\nConnection: close\r\nContent-Length: 3\r\n\r\n", token)
	time.Sleep(3 * short)
	fmt.Fprint(c, "PNG")
	if got, err := io.ReadAll(c); err != nil || !strings.HasSuffix(string(got), "done") {
		t.Errorf("a body that takes its time: %v %s", err, got)
	}
}
