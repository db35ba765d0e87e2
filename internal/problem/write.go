package problem

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"example.com/gatehouse/internal/page"
)

// The sizes that openapi.yaml promises for the members of a problem. What would be longer is cut: the pointer of an
// unknown member holds a name that the client chose.
const (
	maxDetail    = 1000
	maxPointer   = 1000
	maxParameter = 200
	maxKeyword   = 64
	maxExpected  = 500
)

const instancePrefix = "urn:gatehouse:request:"

// Format is the form in which an operation answers errors (x-problem-format).
type Format uint8

const (
	// Details are problem details, RFC 9457.
	Details Format = iota
	// OAuth is the form of RFC 6749 §5.2.
	OAuth
	// Page is a page for a person with a browser.
	Page
)

// Write answers with e in the format. The header fields that belong to e are set, other ones are left alone. The caller has
// checked that nothing has been written yet.
func (e *Error) Write(w http.ResponseWriter, requestID string, format Format) error {
	h := w.Header()
	status := e.Status(format)
	// The response may be long, so that the buffer is allocated here and not on the stack.
	body := make([]byte, 0, 512)
	switch format {
	case OAuth:
		body = e.appendOAuth(body)
		h["Content-Type"] = []string{"application/json"}
		h["Cache-Control"] = []string{"no-store"}
		h["Pragma"] = []string{"no-cache"}
	case Page:
		var err error
		if body, err = e.page(requestID); err != nil {
			return err
		}
		h["Content-Type"] = []string{page.MediaType}
		h["Content-Security-Policy"] = []string{page.Policy()}
	default:
		body = e.appendProblem(body, requestID)
		h["Content-Type"] = []string{"application/problem+json"}
	}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	if len(e.Challenges) > 0 {
		h["Www-Authenticate"] = e.Challenges // one field line for each: clients parse a joined line badly
	}
	if e.RetryAfter > 0 {
		h["Retry-After"] = []string{strconv.FormatInt(ceilSeconds(e.RetryAfter), 10)}
	}
	if len(e.Limits) > 0 {
		policy, state := RateLimitFields(e.Limits)
		h["Ratelimit-Policy"] = []string{policy}
		h["Ratelimit"] = []string{state}
	}
	if e.Allow != "" {
		h["Allow"] = []string{e.Allow}
	}
	w.WriteHeader(status)
	_, err := w.Write(body)
	return err
}

// Status is the status that Write answers with. RFC 6749 §5.2 knows only 400 for a request that it refuses.
func (e *Error) Status(format Format) int {
	if format == OAuth && e.Kind.Status == http.StatusUnprocessableEntity {
		return http.StatusBadRequest
	}
	return e.Kind.Status
}

var errorPage = page.New(`{{.Kind.Title}}`, `<h1>{{.Kind.Title}}</h1>
<p>{{.Detail}}</p>{{with .Violations}}
<ul>{{range .}}
<li>{{or .Parameter .Pointer}}: {{.Detail}}</li>{{end}}
</ul>{{end}}
<p class="soft">The request was <code>{{.RequestID}}</code>.</p>`)

// page is what a person sees. It says what the problem details would say.
func (e *Error) page(requestID string) ([]byte, error) {
	return errorPage.Render(struct {
		*Error
		RequestID string
	}{e, requestID})
}

func (e *Error) appendProblem(b []byte, requestID string) []byte {
	b = append(b, `{"type":`...)
	b = appendString(b, e.Kind.Type, 0)
	b = append(b, `,"title":`...)
	b = appendString(b, e.Kind.Title, 0)
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(e.Kind.Status), 10)
	b = append(b, `,"detail":`...)
	b = appendString(b, e.Detail, maxDetail)
	b = append(b, `,"instance":`...)
	b = appendString(b, instancePrefix+requestID, 0)
	b = append(b, `,"request_id":`...)
	b = appendString(b, requestID, 0)
	if len(e.Violations) > 0 {
		b = append(b, `,"errors":[`...)
		for i := range e.Violations {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.Violations[i].append(b)
		}
		b = append(b, ']')
	}
	if len(e.Limits) > 0 {
		b = append(b, `,"violated-policies":[`...)
		for i := range e.Limits {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, e.Limits[i].Name, 0)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

func (v *Violation) append(b []byte) []byte {
	if v.Parameter != "" {
		b = append(b, `{"parameter":`...)
		b = appendString(b, v.Parameter, maxParameter)
	} else {
		b = append(b, `{"pointer":`...)
		b = appendString(b, v.Pointer, maxPointer)
	}
	b = append(b, `,"keyword":`...)
	b = appendString(b, v.Keyword, maxKeyword)
	b = append(b, `,"detail":`...)
	b = appendString(b, v.Detail, maxExpected)
	return append(b, '}')
}

func (e *Error) appendOAuth(b []byte) []byte {
	b = append(b, `{"error":`...)
	b = appendString(b, e.oauthCode(), 0)
	b = append(b, `,"error_description":"`...)
	b = appendDescription(b, e.oauthDescription())
	return append(b, '"', '}')
}

// oauthCode is the code of RFC 6749 §5.2. The RFC has codes for what is wrong with a request and for nothing else;
// those for a service that fails are the ones of §4.1.2.1.
func (e *Error) oauthCode() string {
	if e.Kind.OAuthError != "" {
		return e.Kind.OAuthError
	}
	switch status := e.Kind.Status; {
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return "temporarily_unavailable"
	case status >= http.StatusInternalServerError:
		return "server_error"
	case status == http.StatusUnauthorized:
		return "invalid_client"
	}
	for i := range e.Violations {
		v := &e.Violations[i]
		if (v.Pointer == "/grant_type" || v.Parameter == "grant_type") && (v.Keyword == "enum" || v.Keyword == "const") {
			return "unsupported_grant_type"
		}
	}
	return "invalid_request"
}

func (e *Error) oauthDescription() string {
	if len(e.Violations) == 0 {
		return e.Detail
	}
	v := &e.Violations[0]
	name := v.Parameter
	if name == "" {
		name = strings.TrimPrefix(v.Pointer, "/")
	}
	return name + ": " + v.Detail
}

// appendDescription appends s in the characters that RFC 6749 §5.2 allows: %x20-21 / %x23-5B / %x5D-7E.
func appendDescription(b []byte, s string) []byte {
	if len(s) > maxExpected {
		s = s[:maxExpected]
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"':
			b = append(b, '\'')
		case c < ' ' || c > '~' || c == '\\':
			b = append(b, '?')
		default:
			b = append(b, c)
		}
	}
	return b
}

// RateLimitFields returns RateLimit-Policy and RateLimit of draft-ietf-httpapi-ratelimit-headers. The names of limits are
// checked when the operation table starts: they hold nothing that a structured field would have to escape.
func RateLimitFields(limits []Limit) (policy, state string) {
	var p, s []byte
	for i := range limits {
		l := &limits[i]
		if i > 0 {
			p = append(p, ", "...)
			s = append(s, ", "...)
		}
		p = append(append(append(p, '"'), l.Name...), `";q=`...)
		p = strconv.AppendInt(p, int64(l.Quota), 10)
		p = strconv.AppendInt(append(p, ";w="...), ceilSeconds(l.Window), 10)
		s = append(append(append(s, '"'), l.Name...), `";r=`...)
		s = strconv.AppendInt(s, int64(l.Remaining), 10)
		s = strconv.AppendInt(append(s, ";t="...), ceilSeconds(l.Reset), 10)
	}
	return string(p), string(s)
}

// ceilSeconds rounds up: whoever waits as long as they are told is not refused again.
func ceilSeconds(d time.Duration) int64 {
	return int64((d + time.Second - 1) / time.Second)
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string, cut to limit bytes where limit is positive. Bytes that are not UTF-8
// become U+FFFD. What a browser could take for markup is escaped, for those that ignore nosniff.
func appendString(b []byte, s string, limit int) []byte {
	if limit > 0 && len(s) > limit {
		s = s[:limit]
		// The cut may fall into a character: its bytes go, bytes that never were one stay.
		for n := 1; n < utf8.UTFMax && n <= len(s); n++ {
			if c := s[len(s)-n]; utf8.RuneStart(c) {
				if !utf8.FullRuneInString(s[len(s)-n:]) {
					s = s[:len(s)-n]
				}
				break
			}
		}
	}
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			switch {
			case r == utf8.RuneError && size == 1:
				b = append(b, `\ufffd`...)
			case r == '\u2028' || r == '\u2029' || r <= '\u009f':
				b = append(b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
			default:
				b = append(b, s[i:i+size]...)
			}
			i += size
			continue
		}
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c < ' ' || c == 0x7f || c == '<' || c == '>' || c == '&':
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
		i++
	}
	return append(b, '"')
}

// AppendJSONString appends s as a JSON string that holds no control character and no line separator, so that a log line
// of it stays one line on every terminal.
func AppendJSONString(b []byte, s string) []byte { return appendString(b, s, 0) }
