package server

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/problem"
	"github.com/labstack/echo/v4"
)

// Entry is the outermost middleware: it gives each request its state, its security headers, one answer and one line in
// the log, whatever happens inside. Install it with echo's Pre, so that requests without a route get the same.
type Entry struct {
	Now func() time.Time
	// Random makes request ids: guessed ones would let a client point at the log lines of another.
	Random io.Reader
	// Proxies are believed about the address of a client and about TLS. Nobody else is.
	Proxies Proxies
	Logger  *slog.Logger
	// Access is nil where no access log is wanted.
	Access *AccessLog
	// Metrics is nil where nothing is counted.
	Metrics *metrics
	// Limiter and Unrouted count, by address, the requests that no operation counts.
	Limiter  guard.Limiter
	Unrouted []guard.Limit
	// StrictTransport sends HSTS over TLS, which may end at a proxy. Not with a development certificate: a browser would ask for https on every
	// port of localhost for a year.
	StrictTransport bool
	// CORS is nil where pages of no other origin may call the service.
	CORS *CORS
	// Realm is what a client that failed to authenticate at an OAuth endpoint is challenged for.
	Realm string
}

// securityHeaders are on every response. They are made once: their keys are canonical and their values are shared.
type securityHeaders struct {
	noSniff, policy, referrer, cache, transport []string
}

func newSecurityHeaders() securityHeaders {
	return securityHeaders{
		noSniff:   []string{"nosniff"},
		policy:    []string{"default-src 'none'; frame-ancestors 'none'"},
		referrer:  []string{"no-referrer"},
		cache:     []string{"no-store"},
		transport: []string{"max-age=31536000; includeSubDomains"},
	}
}

// set sets all but the one that is for TLS alone.
func (s *securityHeaders) set(h http.Header) {
	h["X-Content-Type-Options"] = s.noSniff
	h["Content-Security-Policy"] = s.policy
	h["Referrer-Policy"] = s.referrer
	h["Cache-Control"] = s.cache
}

// Middleware returns the middleware. There are at most 8 keys in most responses, these among them: the map of a
// response grows at the ninth, which costs more than all of the headers.
func (e Entry) Middleware() echo.MiddlewareFunc {
	headers := newSecurityHeaders()
	ids := &requestIDs{random: bufio.NewReaderSize(e.Random, 4096)}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			e.serve(c, next, ids, &headers)
			return nil
		}
	}
}

func (e *Entry) serve(c echo.Context, next echo.HandlerFunc, ids *requestIDs, headers *securityHeaders) {
	r := c.Request()
	id, err := ids.next()
	address, secure := e.Proxies.client(r)
	s := guard.NewState(r.Context(), id, address, e.Now())
	s.Secure = secure
	s.UserAgent = r.UserAgent()
	r = r.WithContext(s)
	c.SetRequest(r)
	h := c.Response().Header()
	headers.set(h)
	h["X-Request-Id"] = []string{id}
	if secure && e.StrictTransport {
		h["Strict-Transport-Security"] = headers.transport
	}
	if e.CORS != nil {
		s.ByCode = e.CORS.mark(r.Header, h)
	}
	if e.Metrics != nil {
		e.Metrics.begin()
	}
	if err == nil {
		err = e.run(c, next, s)
	}
	abort := err != nil && !e.answer(c, s, err)
	now := e.Now()
	if e.Access != nil {
		e.Access.record(c, s, now, abort)
	}
	if e.Metrics != nil {
		status := c.Response().Status
		if abort {
			status = 0
		}
		e.Metrics.end(s, status, now.Sub(s.Started))
	}
	if abort {
		// The beginning of a response has left. Closing the connection tells the client that it is not whole.
		panic(http.ErrAbortHandler)
	}
}

// run calls next and makes an error of a panic.
func (e *Entry) run(c echo.Context, next echo.HandlerFunc, s *guard.State) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = http.ErrAbortHandler // the one panic that is meant, to end the connection
			if v != http.ErrAbortHandler {
				err = &panicked{value: v, stack: debug.Stack()}
			}
		}
	}()
	// The router answers OPTIONS for every path that it knows, without an operation.
	options := c.Request().Method == http.MethodOptions
	if options {
		if err := guard.TakeAddress(e.Limiter, e.Unrouted, c, s); err != nil {
			return err
		}
		if e.CORS != nil && e.CORS.preflight(c.Request(), c.Response().Header()) {
			return c.NoContent(http.StatusNoContent)
		}
	}
	err = next(c)
	if err != nil && s.Operation() == nil && !options {
		if refused := guard.TakeAddress(e.Limiter, e.Unrouted, c, s); refused != nil {
			return refused
		}
	}
	return err
}

type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// answer renders err. It reports false where the response has begun and cannot be taken back.
func (e *Entry) answer(c echo.Context, s *guard.State, err error) bool {
	r, w := c.Request(), c.Response()
	if errors.Is(err, http.ErrAbortHandler) {
		return false
	}
	p := clientProblem(s, err)
	full := p.Kind == problem.Unavailable && p.Cause == nil // nothing has failed, there is no room
	if p.Kind.Status >= http.StatusInternalServerError && !full || w.Committed {
		e.logFailure(c, s, p, err)
	}
	if w.Committed {
		return false
	}
	if len(p.Limits) > 0 && e.Metrics != nil {
		e.Metrics.limited(p.Limits)
	}
	format := problem.Details
	if op := s.Operation(); op != nil {
		format = op.Errors
		if format == problem.OAuth && p.Kind.Status == http.StatusUnauthorized && len(p.Challenges) == 0 && r.Header["Authorization"] != nil {
			// RFC 6749 §5.2: a client that tried the Authorization field is told the scheme.
			challenged := *p
			challenged.Challenges = []string{guard.BasicChallenge(e.Realm)}
			p = &challenged
		}
	}
	if !s.BodyRead() && r.ContentLength != 0 && r.ProtoMajor == 1 && !(full && 0 < r.ContentLength && r.ContentLength <= drained) {
		// net/http would wait for up to 256 KiB of a body that nobody wants before it sends the refusal.
		w.Header()["Connection"] = []string{"close"}
	}
	// The client may have gone: there is nobody to tell.
	_ = p.Write(w, s.RequestID, format)
	return true
}

// drained is the largest body that is read to keep the connection of a client that there was no room for. Most of it has come with the
// head, and another TLS handshake would cost more than the request: closing connections would feed an overload.
const drained = 16 << 10

// clientProblem returns what the client is told about err. It never takes the text of an error of echo: the
// generated binding of parameters quotes in it what was sent.
func clientProblem(s *guard.State, err error) *problem.Error {
	var p *problem.Error
	var he *echo.HTTPError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &he):
		switch {
		case he.Code == http.StatusNotFound:
			return problem.NotFound.New("there is nothing at this path")
		case he.Code == http.StatusMethodNotAllowed:
			return problem.MethodNotAllowed.New("this path does not take the method: see Allow")
		case he.Code >= 400 && he.Code < 500:
			return problem.BadRequest.New("the request is malformed")
		}
	case errors.Is(err, context.Canceled) && s.Gone():
		return problem.Unavailable.Wrap(err, "the request was canceled")
	case errors.Is(err, context.DeadlineExceeded):
		p = problem.Unavailable.Wrap(err, "repeat later")
		p.RetryAfter = retryAfterTimeout
		return p
	}
	return problem.From(err)
}

// retryAfterTimeout gives whatever was too slow some time to recover.
const retryAfterTimeout = 5 * time.Second

// logFailure writes the one line that says why a request failed. Nothing of it is in the response.
func (e *Entry) logFailure(c echo.Context, s *guard.State, p *problem.Error, err error) {
	var crash *panicked
	crashed := errors.As(err, &crash)
	level := slog.LevelError
	if s.Gone() && !crashed {
		level = slog.LevelInfo // the client has gone, which is no failure of the service
	}
	operation := ""
	if op := s.Operation(); op != nil {
		operation = op.ID
	}
	attributes := []slog.Attr{
		slog.String("request_id", s.RequestID), slog.String("operation", operation),
		slog.Int("status", p.Kind.Status), slog.String("error", err.Error()),
	}
	if s.TimedOut() {
		attributes = append(attributes, slog.Bool("timeout", true))
	}
	if c.Response().Committed {
		attributes = append(attributes, slog.Bool("aborted", true))
	}
	if crashed {
		attributes = append(attributes, slog.String("stack", string(crash.stack)))
	}
	e.Logger.LogAttrs(s, level, "request failed", attributes...)
}

// requestIDs reads random bytes in large pieces: a system call for every request would be felt.
type requestIDs struct {
	mu     sync.Mutex
	random *bufio.Reader
}

// next returns 128 random bits in hex. Two requests never share an id.
func (g *requestIDs) next() (string, error) {
	var raw [16]byte
	g.mu.Lock()
	_, err := io.ReadFull(g.random, raw[:])
	g.mu.Unlock()
	var text [32]byte
	hex.Encode(text[:], raw[:])
	if err != nil {
		return string(text[:]), fmt.Errorf("make a request id: %v", err)
	}
	return string(text[:]), nil
}
