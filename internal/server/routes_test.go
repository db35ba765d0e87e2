package server_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/ratelimit"
	"example.com/gatehouse/internal/server"
	"example.com/gatehouse/internal/server/testdata/routes"
)

// routeTokens proves the one token of the document.
type routeTokens struct{}

func (routeTokens) Token(_ context.Context, credential routes.TokenCredential) (*auth.Principal, error) {
	return known(credential.Reveal(), "good", "john")
}

// tell answers what the generated server hands to the handler of an operation.
func tell(_ routes.StrictHandlerFunc, operation string) routes.StrictHandlerFunc {
	return func(c echo.Context, request any) (any, error) {
		var stream io.Reader
		switch r := request.(type) {
		case routes.TakeSeveralRequestObject:
			stream, r.Body = r.Body, nil
			request = r
		case routes.TakeBytesRequestObject:
			stream, r.Body = r.Body, nil
			request = r
		}
		told, err := json.Marshal(request)
		if err != nil {
			return nil, err
		}
		text := operation + " " + string(told)
		if stream != nil {
			bytes, err := io.ReadAll(stream)
			if err != nil {
				return nil, err
			}
			text = fmt.Sprintf("%s %s of %s", operation, bytes, guard.StateFrom(c.Request().Context()).ContentType())
		}
		return nil, c.String(http.StatusOK, text)
	}
}

func routesServer(t *testing.T) *httptest.Server {
	t.Helper()
	e := echo.New()
	e.IPExtractor = echo.ExtractIPDirect()
	limiter := ratelimit.NewMemory(10)
	e.Pre(server.Entry{Now: time.Now, Random: rand.Reader, Logger: slog.New(slog.DiscardHandler), Limiter: limiter, Realm: "unused"}.Middleware())
	router := guard.New(guard.Config{Echo: e, Operations: routes.Operations(), Schemes: routes.Schemes(routeTokens{}), Limiter: limiter, Realm: "routes"})
	routes.RegisterHandlers(router, routes.NewStrictHandler(routes.Unimplemented{}, []routes.StrictMiddlewareFunc{tell}))
	if err := router.Finish(); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(e)
	t.Cleanup(s.Close)
	return s
}

// TestGeneratedPathsAndBodies calls generated code: paths that mix text and parameters, and bodies of several media types.
func TestGeneratedPathsAndBodies(t *testing.T) {
	s := routesServer(t)
	const name, good = `{"name":"chair"}`, "Authorization: Bearer good"
	for _, tt := range []struct {
		name, request, field, body string
		status                     int
		want                       string // what the handler was told, or the detail or first violation
	}{
		{"a number before a text", "GET /files/7.json", "", "", 200, `GetFileAsJson {"id":7}`},
		{"no number before the text", "GET /files/x.json", "", "", 422, "id type"},
		{"a number that is too large", "GET /files/100.json", "", "", 422, "id maximum"},
		{"the other path of the place", "GET /files/7.xml", "", "", 200, `GetFile {"id":"7.xml"}`},
		{"an encoded slash arrives as a slash", "GET /files/a%2Fb", "", "", 200, `GetFile {"id":"a/b"}`},
		{"an encoded percent arrives as a percent", "GET /files/100%25", "", "", 200, `GetFile {"id":"100%"}`},
		{"a concrete path", "GET /files/special", "", "", 200, `GetSpecialFile {}`},
		{"security is that of the path: none presented", "DELETE /files/7", "", "", 401, "this operation needs a credential"},
		{"security is that of the path: a good one", "DELETE /files/7", good, "", 200, `DeleteFile {"id":"7"}`},
		{"a method of the other path of the place", "DELETE /files/7.json", good, "", 405, "this path does not take the method: see Allow"},
		{"two parameters around a colon", "POST /jobs/me:start", good, "", 200, `ControlJob {"owner":"me","action":"start"}`},
		{"an encoded colon is in the value", "POST /jobs/me%3Atoo:stop", good, "", 200, `ControlJob {"owner":"me:too","action":"stop"}`},
		{"a colon too many", "POST /jobs/me:too:stop", good, "", 404, "there is nothing at this path"},
		{"the parameter behind the colon is checked", "POST /jobs/me:kill", good, "", 422, "action enum"},
		{"the parameters are not checked before the caller is known", "POST /jobs/me:kill", "", "", 401, "this operation needs a credential"},
		{"text with a colon, a star and a percent", "GET /jobs:search/*/100%25", "", "", 200, `SearchJobs {}`},
		{"text with another colon", "GET /jobs:find/*/100%25", "", "", 404, "there is nothing at this path"},
		{"parameters that are not plain text", "GET /between/2026-01-31..1,2,3", "", "", 200, `GetBetween {"from":"2026-01-31","to":[1,2,3]}`},
		{"parameters that are not plain text are checked", "GET /between/2026-02-30..1,2,3,4", "", "", 422, "from format, to maxItems"},

		{"JSON", "POST /several", "Content-Type: application/json", name, 200, `"JSONBody":{"name":"chair"}`},
		{"a media type that begins like JSON", "POST /several", "Content-Type: application/json-patch+json", `[{}]`, 200, `"ApplicationJSONPatchPlusJSONBody":[{}]`},
		{"its schema is its own", "POST /several", "Content-Type: application/json-patch+json", name, 422, " type"},
		{"a media type declared with a parameter, sent without", "POST /several", "Content-Type: application/vnd.thing+json", name, 200, `"ApplicationVndThingPlusJSONBody":{"name":"chair"}`},
		{"a media type declared with a parameter, sent with it", "POST /several", "Content-Type: Application/Vnd.Thing+JSON;charset=UTF-8", name, 200, `"ApplicationVndThingPlusJSONBody":{"name":"chair"}`},
		{"a form", "POST /several", "Content-Type: application/x-www-form-urlencoded", "name=chair", 200, `"FormdataBody":{"name":"chair"}`},
		{"multipart", "POST /several", "Content-Type: multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nchair\r\n--b--\r\n", 200, `"MultipartBody":{"name":"chair"}`},
		{"multipart without a boundary", "POST /several", "Content-Type: multipart/form-data", "--b--", 400, "the Content-Type of a multipart body needs a boundary"},
		{"text", "POST /several", "Content-Type: text/plain; charset=utf-8", "abc", 200, `"TextBody":"abc"`},
		{"text of a range", "POST /several", "Content-Type: text/csv", "a,b", 200, `"TextBody":"a,b"`},
		{"text of a range is checked", "POST /several", "Content-Type: text/csv", "abcdef", 422, " maxLength"},
		{"text in another charset", "POST /several", "Content-Type: text/csv; charset=latin1", "abc", 415, "send the body in UTF-8"},
		{"bytes", "POST /several", "Content-Type: image/png", "PNG", 200, "TakeSeveral PNG of image/png"},
		{"bytes of a range", "POST /several", "Content-Type: image/gif;a=b", "GIF", 200, "TakeSeveral GIF of image/gif;a=b"},
		{"more bytes than the operation takes", "POST /several", "Content-Type: image/png", strings.Repeat("P", 201), 413, "the body may have at most 200 bytes"},
		{"what cannot be decoded", "POST /several", "Content-Type: application/xml", "<name/>", 415, "this operation takes application/json or application/json-patch+json or application/vnd.thing+json or application/x-www-form-urlencoded or multipart/form-data or text/plain or text/* or image/png or image/*"},
		{"a media type of no range", "POST /several", "Content-Type: video/mp4", "MP4", 415, "this operation takes"},
		{"no body", "POST /several", "", "", 200, `"JSONBody":null`},
		{"JSON of a range", "POST /anything", "Content-Type: application/json", name, 200, `TakeAnyJson {"Body":{"name":"chair"}}`},
		{"+json of a range", "POST /anything", "Content-Type: application/ld+json", name, 200, `TakeAnyJson {"Body":{"name":"chair"}}`},
		{"text of a range that is decoded as JSON", "POST /anything", "Content-Type: text/plain", name, 415, "this operation takes */*"},
		{"a range is checked", "POST /anything", "Content-Type: application/ld+json", `{}`, 422, "/name required"},
		{"bytes of any media type", "POST /bytes", "Content-Type: video/mp4", "MP4", 200, "TakeBytes MP4 of video/mp4"},
		{"bytes in any charset", "POST /bytes", "Content-Type: text/plain; charset=latin1", "\xe4", 200, "TakeBytes \xe4 of text/plain; charset=latin1"},
		{"bytes without a media type", "POST /bytes", "Content-Type:", "MP4", 415, "this operation takes */*"},
		{"GET with a body", "GET /body", "Content-Type: application/json", name, 200, `GetWithBody {"Body":{"name":"chair"}}`},
		{"GET without its optional body", "GET /body", "", "", 200, `GetWithBody {"Body":null}`},
		{"the body of a GET is checked", "GET /body", "Content-Type: application/json", `{"name":7}`, 422, "/name type"},
		{"HEAD takes the body of its GET", "HEAD /body", "Content-Type: application/json", name, 200, ""},
		{"DELETE with a body", "DELETE /body", "Content-Type: application/json", name, 200, `DeleteWithBody {"Body":{"name":"chair"}}`},
		{"DELETE without its body", "DELETE /body", "", "", 400, "this operation needs a body of application/json"},
		{"DELETE with spaces for a body", "DELETE /body", "Content-Type: application/json", "  ", 400, "the body ends before the JSON value does"},
		{"spaces are no absent body", "GET /body", "Content-Type: application/json", "  ", 400, "the body ends before the JSON value does"},
		{"GET with a body where none is declared", "GET /files/7", "Content-Type: application/json", name, 400, "this operation takes no body"},
		{"HEAD with a body where none is declared", "HEAD /files/7", "Content-Type: application/json", name, 400, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			method, target, _ := strings.Cut(tt.request, " ")
			r, err := http.NewRequest(method, s.URL+target, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if field, value, found := strings.Cut(tt.field, ":"); found {
				r.Header[field] = []string{strings.TrimSpace(value)}
			}
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			got := read(t, response)
			told := string(got.body)
			if got.status >= 400 && told != "" {
				told = refusal(t, got.body)
			}
			if got.status != tt.status || !strings.Contains(told, tt.want) {
				t.Errorf("%d %s, want %d %s", got.status, told, tt.status, tt.want)
			}
		})
	}
}

// refusal is the detail of a problem, or where its violations are.
func refusal(t *testing.T, body []byte) string {
	t.Helper()
	var p struct {
		Detail string
		Errors []struct{ Pointer, Parameter, Keyword string }
	}
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	var list []string
	for _, v := range p.Errors {
		list = append(list, v.Pointer+v.Parameter+" "+v.Keyword)
	}
	if list != nil {
		return strings.Join(list, ", ")
	}
	return p.Detail
}
