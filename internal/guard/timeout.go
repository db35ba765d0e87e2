package guard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"example.com/gatehouse/internal/problem"
	"github.com/labstack/echo/v4"
)

// A timeout (x-timeout) runs from the moment that the guard takes the request. What then waits for the context, as every store
// does, ends with it, and whatever error comes of that is answered 503 with Retry-After. A body that has not arrived by then is
// answered 408 (RFC 9110 §15.5.9).
//
// A handler that does not look at its context is not ended: Go has no way to. http.TimeoutHandler would answer in its place and
// leave it running, with its effects still to come and its memory still held, after the client was told that it failed; so
// that the limit would be one of the clients' patience and not of the service's work. Here its answer, when it comes, is the answer,
// unless the connection has ended before: WriteTimeout of the server bounds that.

// answerWithin is how long the answer of a request that ran into its timeout may take to leave.
const answerWithin = 5 * time.Second

// limitTime gives the request its deadline. The caller cancels it when the request is answered.
func (s *State) limitTime(c echo.Context, timeout time.Duration) context.CancelFunc {
	timed, cancel := context.WithTimeout(s.Context, timeout)
	s.timed = timed
	deadline, _ := timed.Deadline()
	// What the document says of one operation comes before what the server says of all. Not every connection takes a deadline:
	// those of tests do not. net/http takes that of the body away at its end.
	connection := http.NewResponseController(c.Response())
	if c.Request().ContentLength != 0 {
		_ = connection.SetReadDeadline(deadline)
	}
	server, _ := s.Context.Value(http.ServerContextKey).(*http.Server)
	if server != nil && server.WriteTimeout > 0 && server.WriteTimeout < timeout+answerWithin {
		_ = connection.SetWriteDeadline(deadline.Add(answerWithin))
	}
	return cancel
}

// TimedOut reports whether the timeout of the operation has passed. A client that has gone is no timeout.
func (s *State) TimedOut() bool {
	return s.timed != nil && s.timed.Err() == context.DeadlineExceeded
}

// Gone reports whether the client has left, or the server is stopping.
func (s *State) Gone() bool { return s.Context.Err() != nil && !s.TimedOut() }

// timeoutOf makes the answer of a failure that the timeout has caused: what a store returns then has many names. What the
// client did wrong, it did before.
func (rt *route) timeoutOf(s *State, err error) error {
	if !s.TimedOut() {
		return err
	}
	var p *problem.Error
	if errors.As(err, &p) && p.Kind.Status < http.StatusInternalServerError {
		return err
	}
	e := problem.Unavailable.Wrap(fmt.Errorf("after %v: %w", rt.op.Timeout, err), "the operation took too long: repeat later")
	e.RetryAfter = unavailableFor
	return e
}

// bodyFailed is the answer of a body that could not be read to its end.
func bodyFailed(err error) error {
	// The text of the error is for the log; that it may wrap io.EOF must not reach the generated server.
	cause := fmt.Errorf("read body: %v", err)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return problem.RequestTimeout.Wrap(cause, "the body did not arrive in time")
	}
	return problem.BadRequest.Wrap(cause, "the body ends before its end was announced")
}
