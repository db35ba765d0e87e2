package guard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
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

// timeLimit is the deadline of a request. Its context is made when somebody waits for it: most operations do not, and it costs six
// allocations and a timer.
type timeLimit struct {
	deadline time.Time // zero: none
	clock    func() time.Time

	mu    sync.Mutex
	made  atomic.Pointer[madeContext]
	ended bool
}

type madeContext struct {
	context.Context
	cancel context.CancelFunc
}

// context returns the context with the deadline.
func (l *timeLimit) context(parent context.Context) context.Context {
	if made := l.made.Load(); made != nil {
		return made.Context
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if made := l.made.Load(); made != nil {
		return made.Context
	}
	ctx, cancel := context.WithDeadline(parent, l.deadline)
	if l.ended { // somebody waits for a request that is answered
		cancel()
	}
	l.made.Store(&madeContext{ctx, cancel})
	return ctx
}

// end says that the request is answered: nobody goes on for it.
func (l *timeLimit) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	if made := l.made.Load(); made != nil {
		made.cancel()
	}
}

// limitTime gives the request its deadline. The caller calls endTime when the request is answered.
func (s *State) limitTime(c echo.Context, timeout time.Duration, clock func() time.Time) {
	s.timeLimit.deadline, s.timeLimit.clock = clock().Add(timeout), clock
	// What the document says of one operation comes before what the server says of all. Not every connection takes a deadline:
	// those of tests do not. net/http takes that of the body away at its end.
	r := c.Request()
	server, _ := s.Context.Value(http.ServerContextKey).(*http.Server)
	short := server != nil && server.WriteTimeout > 0 && server.WriteTimeout < timeout+answerWithin
	if r.ContentLength == 0 && !short {
		return
	}
	connection := http.NewResponseController(c.Response())
	if r.ContentLength != 0 {
		_ = connection.SetReadDeadline(s.timeLimit.deadline)
	}
	if short {
		_ = connection.SetWriteDeadline(s.timeLimit.deadline.Add(answerWithin))
	}
}

// endTime ends what waits for the request.
func (s *State) endTime() { s.timeLimit.end() }

// TimedOut reports whether the timeout of the operation has passed. A client that has gone is no timeout.
func (s *State) TimedOut() bool {
	if s.timeLimit.deadline.IsZero() {
		return false
	}
	if made := s.timeLimit.made.Load(); made != nil {
		return made.Err() == context.DeadlineExceeded
	}
	return s.Context.Err() == nil && !s.timeLimit.clock().Before(s.timeLimit.deadline)
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
