package problem_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"example.com/gatehouse/internal/problem"
	"github.com/google/go-cmp/cmp"
)

func TestWriteProblem(t *testing.T) {
	limited := problem.QuotaExceeded.New("repeat after 12 seconds")
	limited.RetryAfter = 11*time.Second + 1
	limited.Limits = []problem.Limit{{Name: "login", Quota: 10, Window: time.Minute, Remaining: 0, Reset: 11500 * time.Millisecond}}
	challenged := problem.Unauthorized.Wrap(errors.New("pq: secret"), "the credential is not valid")
	challenged.Challenges = []string{`Basic realm="x"`, `Bearer realm="x"`}
	invalid := problem.ValidationFailed.New("2 violations: see errors")
	invalid.Violations = []problem.Violation{
		{Pointer: "/a~1b", Keyword: "minimum", Detail: "must be at least 0"},
		{Parameter: "limit", Keyword: "type", Detail: "must be an integer"},
		{Keyword: "type", Detail: "must be an object"},
	}
	method := problem.MethodNotAllowed.New("see Allow")
	method.Allow = "GET, HEAD"
	for _, tt := range []struct {
		name   string
		e      *problem.Error
		header http.Header
		body   string
	}{
		{"the members of every problem", problem.NotFound.New("there is no such item"), http.Header{},
			`{"type":"urn:gatehouse:problem:not-found","title":"Not found","status":404,"detail":"there is no such item","instance":"urn:gatehouse:request:7f","request_id":"7f"}`},
		{"one field for each challenge, and no cause", challenged, http.Header{"Www-Authenticate": {`Basic realm="x"`, `Bearer realm="x"`}},
			`{"type":"urn:gatehouse:problem:unauthorized","title":"Unauthorized","status":401,"detail":"the credential is not valid","instance":"urn:gatehouse:request:7f","request_id":"7f"}`},
		{"violations by pointer and by parameter, the whole body among them", invalid, http.Header{},
			`{"type":"urn:gatehouse:problem:validation-failed","title":"Validation failed","status":422,"detail":"2 violations: see errors","instance":"urn:gatehouse:request:7f","request_id":"7f",` +
				`"errors":[{"pointer":"/a~1b","keyword":"minimum","detail":"must be at least 0"},{"parameter":"limit","keyword":"type","detail":"must be an integer"},{"pointer":"","keyword":"type","detail":"must be an object"}]}`},
		{"limits, with times rounded up", limited, http.Header{"Retry-After": {"12"}, "Ratelimit-Policy": {`"login";q=10;w=60`}, "Ratelimit": {`"login";r=0;t=12`}},
			`{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"Quota exceeded","status":429,"detail":"repeat after 12 seconds","instance":"urn:gatehouse:request:7f","request_id":"7f","violated-policies":["login"]}`},
		{"what is allowed", method, http.Header{"Allow": {"GET, HEAD"}},
			`{"type":"urn:gatehouse:problem:method-not-allowed","title":"Method not allowed","status":405,"detail":"see Allow","instance":"urn:gatehouse:request:7f","request_id":"7f"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			if err := tt.e.Write(w, "7f", problem.Details); err != nil {
				t.Fatal(err)
			}
			if w.Code != tt.e.Kind.Status || w.Body.String() != tt.body {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			tt.header.Set("Content-Type", "application/problem+json")
			tt.header["Content-Length"] = w.Header()["Content-Length"]
			if diff := cmp.Diff(tt.header, w.Header()); diff != "" {
				t.Error(diff)
			}
			var length int
			if err := json.Unmarshal([]byte(w.Header().Get("Content-Length")), &length); err != nil || length != w.Body.Len() {
				t.Errorf("Content-Length %q of %d bytes", w.Header().Get("Content-Length"), w.Body.Len())
			}
		})
	}
}

func TestWriteOAuth(t *testing.T) {
	violated := func(v problem.Violation) *problem.Error {
		e := problem.ValidationFailed.New("1 violation: see errors")
		e.Violations = []problem.Violation{v}
		return e
	}
	retry := problem.Unavailable.New("repeat later")
	retry.RetryAfter = time.Second
	for _, tt := range []struct {
		name   string
		e      *problem.Error
		status int
		body   string
	}{
		{"a kind with a code of its own", problem.Kind{Status: 400, OAuthError: "invalid_grant"}.New("the user name or the password is wrong"), 400, `{"error":"invalid_grant","error_description":"the user name or the password is wrong"}`},
		{"a malformed request", problem.BadRequest.New("the form is malformed"), 400, `{"error":"invalid_request","error_description":"the form is malformed"}`},
		{"a violation is 400", violated(problem.Violation{Pointer: "/username", Keyword: "required", Detail: "is required"}), 400, `{"error":"invalid_request","error_description":"username: is required"}`},
		{"another grant in the body", violated(problem.Violation{Pointer: "/grant_type", Keyword: "enum", Detail: "must be one of: password"}), 400, `{"error":"unsupported_grant_type","error_description":"grant_type: must be one of: password"}`},
		{"another grant as a parameter, by const", violated(problem.Violation{Parameter: "grant_type", Keyword: "const", Detail: "must be password"}), 400, `{"error":"unsupported_grant_type","error_description":"grant_type: must be password"}`},
		{"a grant that is missing is no other grant", violated(problem.Violation{Pointer: "/grant_type", Keyword: "required", Detail: "is required"}), 400, `{"error":"invalid_request","error_description":"grant_type: is required"}`},
		{"another member outside of its enum", violated(problem.Violation{Pointer: "/token_type_hint", Keyword: "enum", Detail: "must be one of: a"}), 400, `{"error":"invalid_request","error_description":"token_type_hint: must be one of: a"}`},
		{"too large keeps its status", problem.ContentTooLarge.New("too large"), 413, `{"error":"invalid_request","error_description":"too large"}`},
		{"another media type keeps its status", problem.UnsupportedMediaType.New("a form"), 415, `{"error":"invalid_request","error_description":"a form"}`},
		{"too many requests", problem.QuotaExceeded.New("repeat after 12 seconds"), 429, `{"error":"temporarily_unavailable","error_description":"repeat after 12 seconds"}`},
		{"a defect", problem.From(errors.New("pq: secret")), 500, `{"error":"server_error","error_description":"the service failed: the log has it under request_id"}`},
		{"an outage", retry, 503, `{"error":"temporarily_unavailable","error_description":"repeat later"}`},
		{"only the characters of RFC 6749 §5.2", problem.BadRequest.New("a\"b\\c\nd\x7fé"), 400, `{"error":"invalid_request","error_description":"a'b?c?d???"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			if err := tt.e.Write(w, "7f", problem.OAuth); err != nil {
				t.Fatal(err)
			}
			if w.Code != tt.status || w.Code != tt.e.Status(problem.OAuth) || w.Body.String() != tt.body {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			for name, want := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache"} {
				if w.Header().Get(name) != want {
					t.Errorf("%s: %q", name, w.Header().Get(name))
				}
			}
		})
	}
}

// TestWriteAPage: a person is told what a program would be, and what was submitted stays text.
func TestWriteAPage(t *testing.T) {
	e := problem.ValidationFailed.New("see <b>below</b>")
	e.Violations = []problem.Violation{{Parameter: "state", Keyword: "maxLength", Detail: "is too long"}, {Pointer: "/<script>", Keyword: "type", Detail: "must be a string"}}
	e.RetryAfter = time.Minute
	w := httptest.NewRecorder()
	if err := e.Write(w, "7f", problem.Page); err != nil {
		t.Fatal(err)
	}
	if w.Code != 422 || e.Status(problem.Page) != 422 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || w.Header().Get("Retry-After") != "60" ||
		!strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none';") || !strings.Contains(w.Header().Get("Content-Security-Policy"), "form-action 'none';") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	for _, want := range []string{"<title>Validation failed</title>", "<h1>Validation failed</h1>", "see &lt;b&gt;below&lt;/b&gt;", "<li>state: is too long</li>", "<li>/&lt;script&gt;: must be a string</li>", "<code>7f</code>"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page does not hold %s:\n%s", want, w.Body)
		}
	}
}

func TestSizesOfTheDocument(t *testing.T) {
	long := strings.Repeat("ä", 2000)
	e := problem.ValidationFailed.New(long)
	e.Violations = []problem.Violation{{Pointer: "/" + long, Keyword: long, Detail: long}, {Parameter: "x" + long, Keyword: "a", Detail: "b"}}
	w := httptest.NewRecorder()
	if err := e.Write(w, "7f", problem.Details); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Detail string
		Errors []struct{ Pointer, Parameter, Keyword, Detail string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, s := range []struct {
		name, text string
		most       int
	}{
		{"detail", got.Detail, 1000}, {"pointer", got.Errors[0].Pointer, 1000}, {"keyword", got.Errors[0].Keyword, 64},
		{"expected", got.Errors[0].Detail, 500}, {"parameter", got.Errors[1].Parameter, 200},
	} {
		if len(s.text) > s.most || len(s.text) < s.most-1 || strings.ContainsRune(s.text, utf8.RuneError) {
			t.Errorf("%s has %d bytes: %.20q", s.name, len(s.text), s.text)
		}
	}
}

func FuzzAppendJSONString(f *testing.F) {
	for _, seed := range []string{"", "a\"b\\c", "\x00\x1b[31m\r\n\x7f", "\u0085\u009b\u2028\u2029", "\xff\xc3", "<script>&", "\U0001f511é\ufffd"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := problem.AppendJSONString([]byte("x"), s)
		var back string
		if err := json.Unmarshal(b[1:], &back); err != nil {
			t.Fatalf("%q became %s: %v", s, b, err)
		}
		if want := strings.ToValidUTF8(expand(s), "\ufffd"); back != want {
			t.Fatalf("%q came back as %q", s, back)
		}
		for _, r := range string(b) {
			if r < ' ' || 0x7f <= r && r <= 0x9f || r == '\u2028' || r == '\u2029' || r == '<' {
				t.Fatalf("%q has %U in %s", s, r, b)
			}
		}
	})
}

// expand makes each byte that is not UTF-8 a character of its own: ToValidUTF8 makes one of a run of them.
func expand(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteRune(r)
	}
	return b.String()
}
