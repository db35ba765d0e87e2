package server

import (
	"bufio"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"example.com/gatehouse/internal/encoding"
	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/problem"
	"github.com/labstack/echo/v4"
)

const (
	// flushInterval bounds how long a line waits, and what a crash can lose of the access log. Audit events never
	// go through a buffer.
	flushInterval = time.Second
	logBuffer     = 64 << 10
	// maxLogged bounds what a client can make a line hold of a path or a query.
	maxLogged = 1024
)

// AccessLog writes one line of JSON for each request. It holds no header of the request, no value of a parameter
// that carries a credential or says format: password, and none of one that the document does not declare: that could be anything.
type AccessLog struct {
	lines sync.Pool
	stop  chan struct{}
	done  chan struct{}

	mu  sync.Mutex
	out *bufio.Writer
	err error
}

// NewAccessLog returns a log that writes to w until it is closed.
func NewAccessLog(w io.Writer) *AccessLog {
	l := &AccessLog{
		stop: make(chan struct{}),
		done: make(chan struct{}),
		out:  bufio.NewWriterSize(w, logBuffer),
	}
	l.lines.New = func() any {
		b := make([]byte, 0, 1024)
		return &b
	}
	go l.run()
	return l
}

func (l *AccessLog) run() {
	defer close(l.done)
	ticker := time.NewTicker(flushInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			l.flush()
		case <-l.stop:
			l.flush()
			return
		}
	}
}

func (l *AccessLog) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keep(l.out.Flush())
}

// keep remembers the first error. A log that cannot be written does not stop the service.
func (l *AccessLog) keep(err error) {
	if l.err == nil {
		l.err = err
	}
}

// Close writes what is left and returns the first error of all writing. Call it once, after the last request.
func (l *AccessLog) Close() error {
	close(l.stop)
	<-l.done
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *AccessLog) record(c echo.Context, s *guard.State, now time.Time, aborted bool) {
	line := l.lines.Get().(*[]byte)
	*line = appendAccess((*line)[:0], c, s, now, aborted)
	l.mu.Lock()
	_, err := l.out.Write(*line)
	l.keep(err)
	l.mu.Unlock()
	l.lines.Put(line)
}

func appendAccess(b []byte, c echo.Context, s *guard.State, now time.Time, aborted bool) []byte {
	r, w := c.Request(), c.Response()
	b = append(b, `{"time":"`...)
	b = encoding.AppendTime(b, s.Started)
	b = append(b, `","request_id":"`...)
	b = append(b, s.RequestID...)
	b = append(b, `","method":`...)
	b = problem.AppendJSONString(b, cut(r.Method))
	b = append(b, `,"path":`...)
	op := s.Operation()
	if op != nil {
		b = problem.AppendJSONString(b, op.Path)
	} else {
		b = problem.AppendJSONString(b, cut(r.URL.Path))
	}
	if r.URL.RawQuery != "" {
		b = append(b, `,"query":`...)
		b = problem.AppendJSONString(b, loggedQuery(r.URL.RawQuery, op, s.SecretQueryNames()))
	}
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(w.Status), 10)
	b = append(b, `,"bytes":`...)
	size := w.Size
	if r.Method == http.MethodHead {
		size = 0
	}
	b = strconv.AppendInt(b, size, 10)
	b = append(b, `,"duration_us":`...)
	b = strconv.AppendInt(b, now.Sub(s.Started).Microseconds(), 10)
	if s.Address.IsValid() {
		b = append(b, `,"remote":"`...)
		b = s.Address.AppendTo(b)
		b = append(b, '"')
	}
	if p := s.Principal(); p != nil {
		b = append(b, `,"subject":`...)
		b = problem.AppendJSONString(b, p.Subject)
		b = append(b, `,"scheme":`...)
		if len(p.Schemes) == 1 {
			b = problem.AppendJSONString(b, p.Schemes[0])
		} else {
			b = problem.AppendJSONString(b, strings.Join(p.Schemes, "+"))
		}
	}
	if aborted {
		b = append(b, `,"aborted":true`...)
	}
	return append(b, "}\n"...)
}

func cut(s string) string {
	if len(s) > maxLogged {
		return s[:maxLogged]
	}
	return s
}

// loggedQuery is a query as it may stand in a log: declared parameters as they were sent, the value of one that carries
// a secret replaced, and of everything else only that it was there. Names are compared as the server reads
// them, so that a percent-encoded spelling of a name hides nothing; a semicolon separates as it does for others.
func loggedQuery(raw string, op *guard.Operation, secret []string) string {
	raw = cut(raw)
	var usual [256]byte // most queries fit, and need no buffer of their own
	logged := usual[:0]
	for len(raw) > 0 {
		pair := raw
		if end := strings.IndexAny(raw, "&;"); end >= 0 {
			pair, raw = raw[:end], raw[end+1:]
		} else {
			raw = ""
		}
		if pair == "" {
			continue
		}
		if len(logged) > 0 {
			logged = append(logged, '&')
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		isSecret := slices.ContainsFunc(secret, func(s string) bool { return strings.EqualFold(s, name) })
		switch {
		case err == nil && isSecret:
			logged = append(append(logged, name...), "=***"...)
		case err == nil && op != nil && slices.Contains(op.QueryNames, name):
			logged = append(append(append(logged, name...), '='), value...)
		default:
			logged = append(logged, "***"...)
		}
	}
	return string(logged)
}
