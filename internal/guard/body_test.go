package guard_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/validation"
	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"
)

type model struct {
	Name string `json:"name"`
}

// decode stands for a generated decoder.
func decode(data []byte, dst any, v *validation.Violations) error {
	if !json.Valid(data) {
		// What a careless decoder might return: the guard must not let io.EOF out.
		return problem.BadRequest.Wrap(fmt.Errorf("parse: %w", io.EOF), "the body is not JSON")
	}
	m, ok := dst.(*model)
	if !ok {
		return fmt.Errorf("destination %T", dst)
	}
	if err := json.Unmarshal(data, m); err != nil {
		return err
	}
	if m.Name == "" {
		v.Body("/name", "minLength", "must have at least 1 character")
	}
	return nil
}

// bind does what the generated server does with a JSON body.
func bind(c echo.Context) error {
	var m model
	switch err := c.Bind(&m); {
	case errors.Is(err, io.EOF):
		return c.String(http.StatusOK, "absent")
	case err != nil:
		return err
	}
	return c.String(http.StatusOK, m.Name+" as "+c.Request().Header.Get("Content-Type"))
}

func post(required bool, bodies ...guard.Body) guard.Operation {
	return guard.Operation{
		ID: "postX", Method: "POST", Path: "/x", Security: a(needs(bearer)), MaxBodyBytes: 64,
		Bodies: bodies, BodyRequired: required, Produces: []string{"application/json"}, QueryNames: []string{"dry_run"},
	}
}

var jsonBody = guard.Body{MediaType: "application/json", Decode: decode}

const token = "Bearer oauth2-alice-read"

func TestBodies(t *testing.T) {
	patch := guard.Body{MediaType: "application/merge-patch+json", Decode: decode}
	small := `{"name":"chair"}`
	for _, tt := range []struct {
		name     string
		op       guard.Operation
		body     string
		header   http.Header
		chunked  bool
		status   int
		want     string // a 200's body, or the detail
		violated string
	}{
		{"a good body", post(true, jsonBody), small, header("Content-Type", "application/json"), false, 200, "chair as application/json", ""},
		{"a good body in chunks", post(true, jsonBody), small, header("Content-Type", "application/json"), true, 200, "chair as application/json", ""},
		{"the media type without case, with UTF-8, is written as declared", post(true, jsonBody), small, header("Content-Type", "Application/JSON; Charset=\"UTF-8\""), false, 200, "chair as application/json", ""},
		{"the second of two media types", post(true, jsonBody, patch), small, header("Content-Type", "application/MERGE-patch+json"), false, 200, "chair as application/merge-patch+json", ""},
		{"no coding is a coding", post(true, jsonBody), small, header("Content-Type", "application/json", "Content-Encoding", "Identity"), false, 200, "chair as application/json", ""},
		{"an absent optional body", post(false, jsonBody), "", nil, false, 200, "absent", ""},
		{"an empty optional body in chunks", post(false, jsonBody), "", header("Content-Type", "application/json"), true, 200, "absent", ""},
		{"a part of the range", post(true, guard.Body{MediaType: "*/*", As: "application/json", Decode: decode}), small, header("Content-Type", "application/LD+json"), false, 200, "chair as application/json", ""},
		{"what the range holds and nobody decodes", post(true, guard.Body{MediaType: "*/*", As: "application/json", Decode: decode}), small, header("Content-Type", "application/yaml"), false, 415, "this operation takes */*", ""},
		{"the media type comes before its range", post(true, guard.Body{MediaType: "application/*", As: "application/json", Decode: decode}, patch), small, header("Content-Type", "application/merge-patch+json"), false, 200, "chair as application/merge-patch+json", ""},
		{"the nearer range comes first", post(true, guard.Body{MediaType: "*/*", As: "text/far", Decode: decode}, guard.Body{MediaType: "application/*", As: "text/near", Decode: decode}), small, header("Content-Type", "application/json"), false, 200, "chair as text/near", ""},
		{"a refused media type is not the range's", post(true, guard.Body{MediaType: "*/*", As: "text/far", Decode: decode}, guard.Body{MediaType: "text/xml", Refused: true}), small, header("Content-Type", "text/xml"), false, 415, "this operation takes */*", ""},
		{"a media type that begins like the declared one, which is declared too", post(true, jsonBody, guard.Body{MediaType: "application/json-patch+json", Decode: decode}), small, header("Content-Type", "application/json-patch+json"), false, 200, "chair as application/json-patch+json", ""},
		{"an absent required body", post(true, jsonBody), "", nil, false, 400, "this operation needs a body of application/json", ""},
		{"an absent required body of a media type that nobody declares", post(true, jsonBody), "", header("Content-Type", "text/plain"), false, 400, "this operation needs a body of application/json", ""},
		{"an empty required body in chunks", post(true, jsonBody), "", header("Content-Type", "application/json"), true, 400, "this operation needs a body of application/json", ""},
		{"what is not JSON is not an absent body", post(false, jsonBody), "{", header("Content-Type", "application/json"), false, 400, "the body is not JSON", ""},
		{"against the schema", post(true, jsonBody), `{"name":""}`, header("Content-Type", "application/json"), false, 422, "1 violation: see errors", "/name minLength"},
		{"one byte too many", post(true, jsonBody), `{"name":"` + strings.Repeat("a", 54) + `"}`, header("Content-Type", "application/json"), false, 413, "the body may have at most 64 bytes", ""},
		{"just enough bytes", post(true, jsonBody), `{"name":"` + strings.Repeat("a", 53) + `"}`, header("Content-Type", "application/json"), false, 200, strings.Repeat("a", 53) + " as application/json", ""},
		{"one byte too many in chunks", post(true, jsonBody), `{"name":"` + strings.Repeat("a", 54) + `"}`, header("Content-Type", "application/json"), true, 413, "the body may have at most 64 bytes", ""},
		{"a megabyte in chunks", post(true, jsonBody), `{"name":"` + strings.Repeat("a", 1<<20) + `"}`, header("Content-Type", "application/json"), true, 413, "the body may have at most 64 bytes", ""},
		{"too large is told before the media type", post(true, jsonBody), strings.Repeat("a", 65), header("Content-Type", "text/plain"), false, 413, "the body may have at most 64 bytes", ""},
		{"no media type", post(true, jsonBody), small, header("Content-Type", ""), false, 415, "this operation takes application/json", ""},
		{"another media type", post(true, jsonBody, patch), small, header("Content-Type", "text/plain"), false, 415, "this operation takes application/json or application/merge-patch+json", ""},
		{"a media type that begins alike", post(true, jsonBody), small, header("Content-Type", "application/json-seq"), false, 415, "this operation takes application/json", ""},
		{"a media type with junk", post(true, jsonBody), small, header("Content-Type", "application/json; charset"), false, 415, "this operation takes application/json", ""},
		{"two media types in one field", post(true, jsonBody), small, header("Content-Type", "application/json, text/plain"), false, 415, "this operation takes application/json", ""},
		{"two fields", post(true, jsonBody), small, header("Content-Type", "application/json", "Content-Type", "application/json"), false, 415, "this operation takes application/json", ""},
		{"another charset", post(true, jsonBody), small, header("Content-Type", "application/json; charset=utf-16"), false, 415, "send the body in UTF-8", ""},
		{"two charsets", post(true, jsonBody), small, header("Content-Type", "application/json; charset=utf-8; charset=utf-16"), false, 415, "this operation takes application/json", ""},
		{"compressed", post(true, jsonBody), small, header("Content-Type", "application/json", "Content-Encoding", "gzip"), false, 415, "send the body without a content coding", ""},
		{"compressed twice", post(true, jsonBody), small, header("Content-Type", "application/json", "Content-Encoding", "identity", "Content-Encoding", "br"), false, 415, "send the body without a content coding", ""},
		{"the media type is told before what is acceptable", post(true, jsonBody), small, header("Content-Type", "text/plain", "Accept", "text/html"), false, 415, "this operation takes application/json", ""},
		{"what is not acceptable is told before the body is read", post(true, jsonBody), "{", header("Content-Type", "application/json", "Accept", "text/html"), false, 406, "this operation answers application/json", ""},
		{"acceptable in the second field", post(true, jsonBody), small, header("Content-Type", "application/json", "Accept", "text/html", "Accept", "application/*"), false, 200, "chair as application/json", ""},
		{"an empty Accept is none", post(true, jsonBody), small, header("Content-Type", "application/json", "Accept", ""), false, 200, "chair as application/json", ""},
		{"a body where none is declared", post(false), small, header("Content-Type", "application/json"), false, 400, "this operation takes no body", ""},
		{"a body in chunks where none is declared", post(false), small, header("Content-Type", "application/json"), true, 400, "this operation takes no body", ""},
		{"a destination that the decoder does not know is a defect, told without its text", post(true, guard.Body{MediaType: "application/json", Decode: func([]byte, any, *validation.Violations) error { return errors.New("secret text") }}),
			small, header("Content-Type", "application/json"), false, 500, "the service failed: the log has it under request_id", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, settings{handler: bind}, tt.op)
			var reader io.Reader = strings.NewReader(tt.body)
			if tt.chunked {
				reader = struct{ io.Reader }{reader}
			}
			r, err := http.NewRequest("POST", s.URL+"/x", reader)
			if err != nil {
				t.Fatal(err)
			}
			for name, values := range tt.header {
				r.Header[name] = values
			}
			r.Header.Set("Authorization", token)
			got := s.do(t, r)
			expect(t, got, tt.status, nil)
			if tt.status == 200 {
				if got.body != tt.want {
					t.Errorf("body %q, want %q", got.body, tt.want)
				}
				return
			}
			if got.problem["detail"] != tt.want {
				t.Errorf("detail %q, want %q", got.problem["detail"], tt.want)
			}
			if violated := violations(got); violated != tt.violated {
				t.Errorf("violated %q, want %q", violated, tt.violated)
			}
		})
	}
}

func violations(got answer) string {
	var list []string
	errs, _ := got.problem["errors"].([]any)
	for _, e := range errs {
		m := e.(map[string]any)
		place := m["pointer"]
		if place == nil {
			place = "?" + m["parameter"].(string)
		}
		list = append(list, fmt.Sprint(place, " ", m["keyword"]))
	}
	return strings.Join(list, ", ")
}

// TestExpectContinue: the leave to send is given where the body is wanted, and not before the caller is known.
func TestExpectContinue(t *testing.T) {
	s := serve(t, settings{handler: bind}, post(true, jsonBody))
	for _, tt := range []struct{ name, fields, want string }{
		{"a good request", "Authorization: " + token + "\r\nContent-Type: application/json\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"},
		{"no credential", "Content-Type: application/json\r\n", "HTTP/1.1 401 Unauthorized"},
		{"another media type", "Authorization: " + token + "\r\nContent-Type: text/plain\r\n", "HTTP/1.1 415 Unsupported Media Type"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := raw(t, s, "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 16\r\n"+tt.fields+"\r\n"+`{"name":"chair"}`)
			if !strings.HasPrefix(got, tt.want) {
				t.Errorf("%s", got)
			}
		})
	}
}

func TestNothingIsReadBeforeTheCallerIsKnown(t *testing.T) {
	s := serve(t, settings{handler: bind}, post(true, jsonBody))
	for _, h := range []http.Header{nil, header("Authorization", "Bearer bad"), header("Content-Type", "text/plain", "Accept", "text/html")} {
		got := s.send(t, "POST", "/x?unknown=1&%zz", "{", h)
		if got.status != 401 || got.handled {
			t.Errorf("%v: %d, handled %v", h, got.status, got.handled)
		}
	}
}

func TestOneBodyIsBoundOnce(t *testing.T) {
	var second error
	s := serve(t, settings{handler: func(c echo.Context) error {
		if err := bind(c); err != nil {
			return err
		}
		second = c.Bind(&model{})
		return nil
	}}, post(false, jsonBody))
	got := s.send(t, "POST", "/x", `{"name":"chair"}`, header("Authorization", token, "Content-Type", "application/json"))
	if got.status != 200 || second == nil || errors.Is(second, io.EOF) {
		t.Errorf("%d, second %v", got.status, second)
	}
}

// TestBuffersDoNotLeak: a short body after a long one must not see the rest of it.
func TestBuffersDoNotLeak(t *testing.T) {
	var seen []string
	keep := guard.Body{MediaType: "application/json", Decode: func(data []byte, _ any, _ *validation.Violations) error {
		seen = append(seen, string(data))
		return nil
	}}
	s := serve(t, settings{handler: bind}, post(true, keep))
	h := header("Authorization", token, "Content-Type", "application/json")
	bodies := []string{strings.Repeat("a", 64), "b", strings.Repeat("c", 30)}
	for _, body := range bodies {
		s.send(t, "POST", "/x", body, h)
	}
	if diff := cmp.Diff(bodies, seen); diff != "" {
		t.Error(diff)
	}
}

func TestForms(t *testing.T) {
	form := guard.Body{
		MediaType: "application/x-www-form-urlencoded", FormNames: []string{"grant_type", "username", "scope"},
		Form: func(values url.Values, dst any, v *validation.Violations) error {
			for _, name := range []string{"grant_type", "username"} {
				switch list := values[name]; {
				case len(list) == 0:
					v.Body("/"+name, "required", "is required")
				case len(list) > 1:
					v.Body("/"+name, "repeated", "must be given once")
				case name == "grant_type" && list[0] != "password":
					v.Body("/grant_type", "enum", "must be one of: password")
				}
			}
			*dst.(*url.Values) = values
			return nil
		},
	}
	op := guard.Operation{
		ID: "createToken", Method: "POST", Path: "/token", Public: "it is", MaxBodyBytes: 128, BodyRequired: true,
		Bodies: []guard.Body{form}, Errors: problem.OAuth, IgnoreUnknown: true,
	}
	strict := op
	strict.ID, strict.Path, strict.Errors, strict.IgnoreUnknown = "strict", "/strict", problem.Details, false
	strict.MaxBodyBytes = 1024
	s := serve(t, settings{handler: func(c echo.Context) error {
		var values url.Values
		if err := c.Bind(&values); err != nil { // as the generated server does
			return err
		}
		return c.String(http.StatusOK, values.Encode())
	}}, op, strict)
	const contentType = "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		name, target, body, contentType string
		status                          int
		want, description               string
	}{
		{"a good form", "/token", "grant_type=password&username=a+b", contentType, 200, "grant_type=password&username=a+b", ""},
		{"UTF-8 by name", "/token", "grant_type=password&username=%C3%A4", contentType + ";charset=UTF-8", 200, "grant_type=password&username=%C3%A4", ""},
		{"unknown members are ignored", "/token", "grant_type=password&username=a&role=admin", contentType, 200, "grant_type=password&username=a", ""},
		{"an empty member counts as omitted", "/token", "grant_type=password&username=a&scope=", contentType, 200, "grant_type=password&username=a", ""},
		{"an unknown name in the query is ignored and does not get in", "/token?role=admin", "grant_type=password&username=a", contentType, 200, "grant_type=password&username=a", ""},
		{"a member in the query is refused", "/token?username=mallory", "grant_type=password&username=a", contentType, 400, "invalid_request", "username: belongs into the body, not into the query"},
		{"a member in the query does not fill a gap", "/token?username=mallory", "grant_type=password", contentType, 400, "invalid_request", "username: belongs into the body, not into the query"},
		{"no body", "/token", "", contentType, 400, "invalid_request", "this operation needs a body of application/x-www-form-urlencoded"},
		{"no body, but a query", "/token?grant_type=password&username=a", "", "", 400, "invalid_request", "this operation needs a body of application/x-www-form-urlencoded"},
		{"a missing member", "/token", "grant_type=password", contentType, 400, "invalid_request", "username: is required"},
		{"an empty required member is missing", "/token", "grant_type=password&username=", contentType, 400, "invalid_request", "username: is required"},
		{"another grant", "/token", "grant_type=passwordblah&username=a", contentType, 400, "unsupported_grant_type", "grant_type: must be one of: password"},
		{"a repeated member", "/token", "grant_type=password&username=a&username=b", contentType, 400, "invalid_request", "username: must be given once"},
		{"a repeated member whose second is empty", "/token", "grant_type=password&username=a&username=", contentType, 400, "invalid_request", "username: must be given once"},
		{"a repeated unknown member", "/token", "grant_type=password&username=a&x=1&x=2", contentType, 400, "invalid_request", "x: must be given once"},
		{"a bad escape", "/token", "grant_type=password&username=%zz", contentType, 400, "invalid_request", "the form is malformed: percent-encode names and values, in UTF-8"},
		{"a semicolon", "/token", "grant_type=password;username=a", contentType, 400, "invalid_request", "the form is malformed: percent-encode names and values, in UTF-8"},
		{"bytes that are not UTF-8", "/token", "grant_type=password&username=%ff", contentType, 400, "invalid_request", "the form is malformed: percent-encode names and values, in UTF-8"},
		{"too many members", "/strict", strings.Repeat("&", 256), contentType, 400, "", ""},
		{"too large", "/token", strings.Repeat("a", 129), contentType, 413, "invalid_request", "the body may have at most 128 bytes"},
		{"JSON is no form", "/token", `{"grant_type":"password"}`, "application/json", 415, "invalid_request", "this operation takes application/x-www-form-urlencoded"},
		{"multipart is no form", "/token", "--b--", "multipart/form-data; boundary=b", 415, "invalid_request", "this operation takes application/x-www-form-urlencoded"},
		{"strict: an unknown name in the query", "/strict?role=admin", "grant_type=password&username=a", contentType, 422, "", ""},
		{"strict: a repeated member", "/strict", "grant_type=password&username=a&username=b", contentType, 422, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := s.send(t, "POST", tt.target, tt.body, header("Content-Type", tt.contentType))
			if got.status != tt.status {
				t.Errorf("%d: %s", got.status, got.body)
			}
			switch {
			case tt.status == 200:
				if got.body != tt.want {
					t.Errorf("body %q, want %q", got.body, tt.want)
				}
			case strings.HasPrefix(tt.target, "/token"):
				want := map[string]any{"error": tt.want, "error_description": tt.description}
				if diff := cmp.Diff(want, got.problem); diff != "" {
					t.Error(diff)
				}
				for name, value := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache"} {
					if got.header.Get(name) != value {
						t.Errorf("%s: %q", name, got.header.Get(name))
					}
				}
			}
			if bytes.Contains([]byte(got.body), []byte("mallory")) {
				t.Error("the answer holds what was sent")
			}
		})
	}
}
