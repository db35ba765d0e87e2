package server_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/ratelimit"
	"example.com/gatehouse/internal/server"
)

// growing is a service that has two operations so far. All others answer 501.
type growing struct {
	api.Unimplemented
	answer rawAnswer
	err    error
}

// rawAnswer is a response that the compiler cannot check.
type rawAnswer func(http.ResponseWriter) error

func (a rawAnswer) VisitGetItemResponse(w http.ResponseWriter) error    { return a(w) }
func (a rawAnswer) VisitDeleteItemResponse(w http.ResponseWriter) error { return a(w) }

func (g growing) GetItem(context.Context, api.GetItemRequestObject) (api.GetItemResponseObject, error) {
	if g.answer == nil {
		return nil, g.err
	}
	return g.answer, g.err
}

func (g growing) DeleteItem(context.Context, api.DeleteItemRequestObject) (api.DeleteItemResponseObject, error) {
	return g.answer, g.err
}

// everybody takes any API key in the header.
type everybody struct{ api.Authenticators }

func (everybody) ApiKeyHeader(context.Context, api.ApiKeyHeaderCredential) (*auth.Principal, error) {
	return &auth.Principal{Subject: "somebody", Scopes: auth.NewScopes("items:read", "items:write")}, nil
}

// serveGrowing serves openapi.yaml with the handlers that there are, and returns its address and its log.
func serveGrowing(t *testing.T, g growing, check bool) (base string, log *bytes.Buffer) {
	t.Helper()
	log = &bytes.Buffer{}
	e, limiter := echo.New(), ratelimit.NewMemory(10)
	e.IPExtractor = echo.ExtractIPDirect()
	e.Pre(server.Entry{Now: time.Now, Random: rand.Reader, Logger: slog.New(slog.NewTextHandler(log, nil)), Limiter: limiter, Realm: "gatehouse"}.Middleware())
	router := guard.New(guard.Config{Echo: e, Operations: api.Operations(), Schemes: api.Schemes(everybody{}), Limiter: limiter, Realm: "gatehouse", CheckResponses: check})
	api.RegisterHandlers(router, api.NewStrictHandler(g, nil))
	if err := router.Finish(); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(e)
	t.Cleanup(s.Close)
	return s.URL, log
}

const itemID = "/items/0193583e-6f5c-7a53-8a3c-0d1f2e3a4b5c"

// goodItem is an answer of getItem that the document declares.
const goodItem = `{"id":"0193583e-6f5c-7a53-8a3c-0d1f2e3a4b5c","owner_id":"0193583e-6f5c-7a53-8a3c-0d1f2e3a4b5d","name":"Oak chair","price":129.9,"created_at":"2026-11-24T09:30:00Z","updated_at":"2026-11-24T09:30:00Z"}`

// replyItem answers with goodItem in which one text is replaced, and with other header fields.
func replyItem(status int, old, new string, fields ...string) rawAnswer {
	return func(w http.ResponseWriter) error {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", `"1"`)
		for i := 0; i < len(fields); i += 2 {
			if fields[i+1] == "" {
				w.Header().Del(fields[i])
			} else {
				w.Header().Set(fields[i], fields[i+1])
			}
		}
		w.WriteHeader(status)
		_, err := w.Write([]byte(strings.Replace(goodItem, old, new, 1)))
		return err
	}
}

// TestHandlersAnswerWhatTheDocumentDeclares: where responses are checked, what is not declared does not leave the service.
func TestHandlersAnswerWhatTheDocumentDeclares(t *testing.T) {
	conflict := problem.Kind{Type: "urn:gatehouse:problem:out-of-stock", Status: 409, Title: "Out of stock"}
	for _, row := range []struct {
		name   string
		method string
		growing
		status int
		log    string // what the log says where the answer is not declared
	}{
		{"the declared answer", "GET", growing{answer: replyItem(200, "", "")}, 200, ""},
		{"with a parameter of the media type", "GET", growing{answer: replyItem(200, "", "", "Content-Type", "application/json; charset=utf-8")}, 200, ""},
		{"a required member is left out", "GET", growing{answer: replyItem(200, `"name":"Oak chair",`, "")}, 500, `/name\" (required)`},
		{"a member is null", "GET", growing{answer: replyItem(200, "129.9", "null")}, 500, `/price\" (type)`},
		{"a number is out of range", "GET", growing{answer: replyItem(200, "129.9", "-1")}, 500, `/price\" (minimum)`},
		{"a text is too long", "GET", growing{answer: replyItem(200, "Oak chair", strings.Repeat("a", 300))}, 500, `/name\" (maxLength)`},
		{"a time is none", "GET", growing{answer: replyItem(200, "2026-11-24T09:30:00Z", "yesterday")}, 500, `/created_at\" (format)`},
		{"a member is not declared", "GET", growing{answer: replyItem(200, `"price"`, `"password":"x","price"`)}, 500, `/password\" (additionalProperties)`},
		{"a member occurs twice", "GET", growing{answer: replyItem(200, `"price"`, `"name":"x","price"`)}, 500, "repeats a member"},
		{"half a body", "GET", growing{answer: replyItem(200, `"}`, "")}, 500, "ends before"},
		{"an undeclared status", "GET", growing{answer: replyItem(202, "", "")}, 500, "the status 202 is not declared"},
		{"an undeclared header field", "GET", growing{answer: replyItem(200, "", "", "X-Internal-Host", "db1")}, 500, "X-Internal-Host is not declared"},
		{"a cookie", "GET", growing{answer: replyItem(200, "", "", "Set-Cookie", "a=b")}, 500, "Set-Cookie is not declared"},
		{"a required header field is left out", "GET", growing{answer: replyItem(200, "", "", "ETag", "")}, 500, "Etag is required"},
		{"a header field against its schema", "GET", growing{answer: replyItem(200, "", "", "ETag", "1")}, 500, "the header field Etag"},
		{"another media type", "GET", growing{answer: replyItem(200, "", "", "Content-Type", "text/html")}, 500, "the media type text/html is not declared"},
		{"no media type", "GET", growing{answer: replyItem(200, "", "", "Content-Type", "")}, 500, "has no media type"},
		{"nothing", "GET", growing{}, 500, "without an answer"},
		{"a declared problem", "GET", growing{err: problem.NotFound.New("there is no such item")}, 404, ""},
		{"a problem of a status that is not declared", "GET", growing{err: conflict.New("there are fewer than that")}, 500, "the status 409 is not declared"},
		{"what is not there yet", "PUT", growing{}, 501, ""},
		{"nothing, which is declared", "DELETE", growing{answer: func(w http.ResponseWriter) error { w.WriteHeader(204); return nil }}, 204, ""},
		{"content where none is declared", "DELETE", growing{answer: replyItem(204, "", "", "ETag", "")}, 500, "content is sent with 204"},
	} {
		t.Run(row.name, func(t *testing.T) {
			base, log := serveGrowing(t, row.growing, true)
			body := `{"name":"Oak chair","price":1}`
			if row.method != "PUT" {
				body = ""
			}
			r, err := http.NewRequest(row.method, base+itemID, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header = http.Header{"X-Api-Key": {"k"}, "Content-Type": {"application/json"}, "If-Match": {"*"}}
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			got := read(t, response)
			if got.status != row.status {
				t.Errorf("%d %s, want %d; the log: %s", got.status, got.body, row.status, log)
			}
			if row.log != "" && !strings.Contains(log.String(), row.log) {
				t.Errorf("the log does not say %s: %s", row.log, log)
			}
			if row.status >= 500 {
				var p struct{ Type, Detail string }
				if err := json.Unmarshal(got.body, &p); err != nil || got.header.Get("Content-Type") != "application/problem+json" {
					t.Errorf("%s %s is no problem", got.header.Get("Content-Type"), got.body)
				}
				for _, name := range []string{"X-Internal-Host", "Set-Cookie", "ETag"} {
					if got.header[http.CanonicalHeaderKey(name)] != nil {
						t.Errorf("the 500 has the field %s of the answer that it replaces", name)
					}
				}
			}
		})
	}
}

// TestResponsesAreCheckedWhereItIsSwitchedOn: the same answer leaves a service that does not check.
func TestResponsesAreCheckedWhereItIsSwitchedOn(t *testing.T) {
	for check, status := range map[bool]int{true: 500, false: 200} {
		base, _ := serveGrowing(t, growing{answer: replyItem(200, `"name":"Oak chair",`, "")}, check)
		r, err := http.NewRequest("GET", base+itemID, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-API-Key", "k")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, response); got.status != status {
			t.Errorf("checked %v: %d %s, want %d", check, got.status, got.body, status)
		}
	}
}
