// Package encoding is the run time of the generated response encoders: it appends JSON to a pooled buffer and sends it.
package encoding

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"example.com/gatehouse/internal/problem"
)

// Buffer is where a response is encoded before its status is sent, so that a value that cannot be encoded is a
// problem and not half a response.
type Buffer struct {
	JSON []byte
	err  error
}

// maxKept is the largest buffer that is kept: one large response must not hold its memory for ever.
const maxKept = 64 << 10

// maxExact is 2^53, below which every whole float64 is written without an exponent and reads back as it was.
const maxExact = 1 << 53

// maxImplicit is the size up to which net/http states Content-Length by itself.
const maxImplicit = 2048

var buffers = sync.Pool{New: func() any { return &Buffer{JSON: make([]byte, 0, 1024)} }}

// Begin returns an empty buffer. Send gives it back.
func Begin() *Buffer { return buffers.Get().(*Buffer) }

var jsonType = []string{"application/json"}

// Send writes the response. The other header fields are set already.
func (b *Buffer) Send(w http.ResponseWriter, status int) error {
	defer b.release()
	if b.err != nil {
		return b.err
	}
	h := w.Header()
	h["Content-Type"] = jsonType
	if len(b.JSON) > maxImplicit {
		h["Content-Length"] = []string{strconv.Itoa(len(b.JSON))}
	}
	w.WriteHeader(status)
	_, err := w.Write(b.JSON)
	return err
}

func (b *Buffer) release() {
	if cap(b.JSON) <= maxKept {
		b.JSON, b.err = b.JSON[:0], nil
		buffers.Put(b)
	}
}

// Raw appends JSON as it stands: names and punctuation, which the generator wrote.
func (b *Buffer) Raw(json string) { b.JSON = append(b.JSON, json...) }

// String appends a string. What needs no escape is copied as it is, once it is known to be UTF-8.
func (b *Buffer) String(s string) {
	beyond := false
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c == '"' || c == '\\' {
			b.quote(s)
			return
		}
		beyond = beyond || c >= utf8.RuneSelf
	}
	if beyond && !utf8.ValidString(s) {
		b.quote(s)
		return
	}
	b.JSON = append(b.JSON, '"')
	b.JSON = append(b.JSON, s...)
	b.JSON = append(b.JSON, '"')
}

func (b *Buffer) quote(s string) {
	var err error
	if b.JSON, err = jsontext.AppendQuote(b.JSON, s); err != nil {
		b.fail(err, "a string of the response is not UTF-8")
	}
}

// Float64 appends a number.
func (b *Buffer) Float64(n float64) {
	if math.IsNaN(n) || math.IsInf(n, 0) {
		b.fail(nil, "a number of the response is not a JSON number")
		return
	}
	if whole := int64(n); float64(whole) == n && whole > -maxExact && whole < maxExact && whole != 0 {
		b.JSON = strconv.AppendInt(b.JSON, whole, 10) // most numbers are whole, and much cheaper to write as such
		return
	}
	b.JSON = jsontext.AppendFloat(b.JSON, n, 64)
}

// Int64 appends a number.
func (b *Buffer) Int64(n int64) { b.JSON = strconv.AppendInt(b.JSON, n, 10) }

// Bool appends true or false.
func (b *Buffer) Bool(v bool) { b.JSON = strconv.AppendBool(b.JSON, v) }

// UUID appends a UUID.
func (b *Buffer) UUID(id uuid.UUID) {
	const digits = "0123456789abcdef"
	b.JSON = append(b.JSON, '"')
	for i, c := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b.JSON = append(b.JSON, '-')
		}
		b.JSON = append(b.JSON, digits[c>>4], digits[c&15])
	}
	b.JSON = append(b.JSON, '"')
}

// Time appends a date-time in UTC, to the microsecond, which is what the databases keep.
func (b *Buffer) Time(t time.Time) {
	b.JSON = append(b.JSON, '"')
	b.JSON = AppendTime(b.JSON, t)
	b.JSON = append(b.JSON, '"')
}

// AppendTime appends t as RFC 3339 in UTC with microseconds. time.Format reads its layout anew for every time.
func AppendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(dst, time.RFC3339Nano)
	}
	hour, minute, second := t.Clock()
	dst = appendDigits(dst, year, 4)
	dst = append(dst, '-')
	dst = appendDigits(dst, int(month), 2)
	dst = append(dst, '-')
	dst = appendDigits(dst, day, 2)
	dst = append(dst, 'T')
	dst = appendDigits(dst, hour, 2)
	dst = append(dst, ':')
	dst = appendDigits(dst, minute, 2)
	dst = append(dst, ':')
	dst = appendDigits(dst, second, 2)
	dst = append(dst, '.')
	dst = appendDigits(dst, t.Nanosecond()/1000, 6)
	return append(dst, 'Z')
}

func appendDigits(dst []byte, n, width int) []byte {
	dst = append(dst, "000000"[:width]...)
	for i := len(dst) - 1; n > 0; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
	return dst
}

// Date appends a full-date.
func (b *Buffer) Date(t time.Time) {
	b.JSON = append(b.JSON, '"')
	b.JSON = t.AppendFormat(b.JSON, time.DateOnly)
	b.JSON = append(b.JSON, '"')
}

// Next appends the comma before every element of an array but the first.
func (b *Buffer) Next(i int) {
	if i > 0 {
		b.JSON = append(b.JSON, ',')
	}
}

// Close appends the closing brace of an object whose members each end with a comma.
func (b *Buffer) Close() {
	if last := len(b.JSON) - 1; b.JSON[last] == ',' {
		b.JSON[last] = '}'
		return
	}
	b.JSON = append(b.JSON, '}')
}

func (b *Buffer) fail(cause error, detail string) {
	if b.err == nil {
		b.err = problem.Internal.Wrap(errors.Join(errors.New(detail), cause), "the service failed: the log has it under request_id")
	}
}
