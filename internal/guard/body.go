package guard

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"example.com/gatehouse/internal/ceiling"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/validation"
	"github.com/labstack/echo/v4"
)

// maxPooledBuffer keeps one large body from holding its memory for ever.
const maxPooledBuffer = 64 << 10

// compiledBody is a Body with the field value that the generated server compares by a case-sensitive prefix.
type compiledBody struct {
	*Body
	contentType []string
}

// Binder decodes the body of a request by the row of its operation, never by the type of the destination, which
// several operations may share. Router.Finish installs it.
type Binder struct{}

var errNoRow = errors.New("guard: a body is bound outside of an operation that declares one")

// Bind decodes the body into dst. It returns io.EOF for an empty optional body and for nothing else: the generated
// server takes every error that wraps io.EOF as an absent body.
func (Binder) Bind(dst any, c echo.Context) error {
	s := StateFrom(c.Request().Context())
	if s == nil || s.route == nil {
		return errNoRow
	}
	if s.bound {
		return errors.New("guard: the body is bound twice")
	}
	s.bound = true
	if c.Request().ContentLength == 0 {
		return io.EOF // the guard has answered 400 where the body is required
	}
	if s.body == nil || s.body.Stream {
		return errNoRow
	}
	rt := s.route
	buffer := rt.buffers.Get().(*[]byte)
	defer rt.release(buffer)
	data, err := rt.read(c.Request(), s, (*buffer)[:0])
	*buffer = data
	if err != nil {
		return err
	}
	if len(data) == 0 {
		if rt.op.BodyRequired {
			return rt.bodyMissing()
		}
		return io.EOF
	}
	if err := rt.decode(c, s, data, dst); err != nil {
		return withoutEOF(err)
	}
	return s.violations.Err()
}

// decode hands the body to the decoder of its media type. Who it names is counted before, so that what is refused counts too.
func (rt *route) decode(c echo.Context, s *State, data []byte, dst any) error {
	switch b := s.body; {
	case b.Form != nil:
		values, err := rt.form(s, string(data))
		if err != nil {
			return err
		}
		if err := rt.takeMember(c, s, values.Get); err != nil {
			return err
		}
		return b.Form(values, dst, &s.violations)
	case b.Multipart != nil:
		return b.Multipart(data, s.boundary, dst, &s.violations)
	default:
		if err := rt.takeMember(c, s, func(name string) string { return validation.Member(data, name) }); err != nil {
			return err
		}
		return b.Decode(data, dst, &s.violations)
	}
}

func (rt *route) bodyMissing() error {
	return problem.BadRequest.New("this operation needs a body of " + strings.Join(rt.mediaTypes, " or "))
}

// withoutEOF keeps what is wrong and hides io.EOF from errors.Is.
func withoutEOF(err error) error {
	if !errors.Is(err, io.EOF) {
		return err
	}
	p := *problem.From(err)
	p.Cause = fmt.Errorf("%v", p.Cause)
	return &p
}

func (rt *route) release(buffer *[]byte) {
	if cap(*buffer) <= maxPooledBuffer {
		rt.buffers.Put(buffer)
	}
}

func newBuffers() *sync.Pool {
	return &sync.Pool{New: func() any {
		b := make([]byte, 0, 4096)
		return &b
	}}
}

// boundedBody is a body that a handler reads by itself, up to the limit of the operation.
type boundedBody struct {
	io.ReadCloser
	rt    *route
	state *State
	left  int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, b.rt.tooLarge()
	}
	switch {
	case err == io.EOF:
		b.state.bodyRead = true
	case err != nil:
		err = bodyFailed(err)
	}
	return n, err
}

// read appends the body to b, up to the limit of the operation. The length that the client announces is not
// trusted: a chunked body has none.
func (rt *route) read(r *http.Request, s *State, b []byte) ([]byte, error) {
	limit := rt.op.MaxBodyBytes
	if n := r.ContentLength; n > 0 && n <= limit {
		b = slices.Grow(b, int(n)+1) // one more, so that the read that finds the end needs no room
	}
	for {
		if len(b) == cap(b) {
			b = slices.Grow(b, 1)
		}
		n, err := r.Body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > limit:
			return b, rt.tooLarge()
		case err == io.EOF:
			s.bodyRead = true
			return b, nil
		case err != nil:
			return b, bodyFailed(err)
		}
	}
}

// form parses a form from the body alone, so that nothing of the query gets into it.
func (rt *route) form(s *State, raw string) (url.Values, error) {
	if strings.Count(raw, "&") >= ceiling.Pairs {
		return nil, problem.BadRequest.New("the form has too many members")
	}
	values, err := url.ParseQuery(raw)
	if err != nil || !validText(values) {
		return nil, problem.BadRequest.New("the form is malformed: percent-encode names and values, in UTF-8")
	}
	if rt.op.Errors == problem.OAuth {
		oauthForm(values, &s.violations)
	}
	if rt.op.IgnoreUnknown {
		for name := range values {
			if !slices.Contains(s.body.FormNames, name) {
				delete(values, name)
			}
		}
	}
	return values, nil
}

// oauthForm applies RFC 6749 §3.1 and §3.2: no parameter occurs twice, and one without a value counts as omitted. A
// name that is ignored must not occur twice either.
func oauthForm(values url.Values, v *validation.Violations) {
	var repeated []string
	for name, list := range values {
		if len(list) > 1 {
			repeated = append(repeated, name)
			values[name] = list[:1]
		}
		if values[name][0] == "" {
			delete(values, name)
		}
	}
	slices.Sort(repeated)
	for _, name := range repeated {
		if len(name) > maxNamed {
			name = strings.ToValidUTF8(name[:maxNamed], "")
		}
		v.Body("/"+escapePointer.Replace(name), "repeated", "must be given once")
	}
}

// escapePointer escapes a reference token (RFC 6901 §3).
var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")
