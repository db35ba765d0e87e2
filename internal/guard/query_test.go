package guard_test

import (
	"net/http"
	"strings"
	"testing"

	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/validation"
	"github.com/labstack/echo/v4"
)

func TestParameters(t *testing.T) {
	op := guard.Operation{
		ID: "getItem", Method: "GET", Path: "/items/{id}", Security: a(needs(keyQuery)),
		QueryNames: []string{"api_key", "limit", "q"},
		Parameters: func(p *validation.Parameters) {
			if len(p.Path("id")) > 3 {
				p.Check("id", "maxLength", "must have at most 3 characters")
			}
			p.Query("limit")
			if len(p.QueryValues["limit"]) == 0 {
				p.QueryValues.Set("limit", "20")
			}
			if v, ok := p.HeaderValue("X-Trace", "X-Trace"); ok && v != "on" {
				p.Check("X-Trace", "enum", "must be one of: on")
			}
		},
	}
	s := serve(t, settings{handler: func(c echo.Context) error {
		return c.String(http.StatusOK, c.Param("id")+" "+c.QueryParams().Get("limit"))
	}}, op)
	const key = "api_key=keyQuery-alice-read"
	long := "x" + strings.Repeat("ä", 40)
	for _, tt := range []struct {
		name, target string
		header       http.Header
		status       int
		want         string // the body, or what is violated, or the detail of a 400
	}{
		{"declared parameters", "/items/7?limit=5&" + key, nil, 200, "7 5"},
		{"a default reaches the handler", "/items/7?" + key, nil, 200, "7 20"},
		{"a path parameter is checked unescaped", "/items/%2f%2F%2f?" + key, nil, 200, "%2F%2F%2F 20"},
		{"a path parameter against the schema", "/items/1234?" + key, nil, 422, "?id maxLength"},
		{"an unknown name", "/items/7?" + key + "&role=admin", nil, 422, "?role additionalProperties"},
		{"all violations at once, unknown names in order", "/items/1234?z=1&" + key + "&b=2&limit=1&limit=2", header("X-Trace", "off"), 422, "?b additionalProperties, ?z additionalProperties, ?id maxLength, ?limit repeated, ?X-Trace enum"},
		{"another case is another name", "/items/7?Limit=5&" + key, nil, 422, "?Limit additionalProperties"},
		{"a long unknown name is cut at a character", "/items/7?" + long + "=1&" + key, nil, 422, "?x" + strings.Repeat("ä", 31) + " additionalProperties"},
		{"a bad escape in a value", "/items/7?" + key + "&q=%zz", nil, 400, "the query is malformed: percent-encode every ';' and every '%' that is not an escape"},
		{"a bad escape in a name", "/items/7?" + key + "&%q=1", nil, 400, "the query is malformed: percent-encode every ';' and every '%' that is not an escape"},
		{"half an escape at the end", "/items/7?" + key + "&q=%4", nil, 400, "the query is malformed: percent-encode every ';' and every '%' that is not an escape"},
		{"a semicolon", "/items/7?" + key + "&limit=5;q=1", nil, 400, "the query is malformed: percent-encode every ';' and every '%' that is not an escape"},
		{"an encoded semicolon is a character", "/items/7?" + key + "&q=1%3B2", nil, 200, "7 20"},
		{"bytes that are not UTF-8", "/items/7?" + key + "&q=%ff", nil, 400, "the query is not UTF-8"},
		{"a name that is not UTF-8", "/items/7?" + key + "&%ff=1", nil, 400, "the query is not UTF-8"},
		{"too many parameters", "/items/7?" + key + strings.Repeat("&", 256), nil, 400, "the query has too many parameters"},
		{"malformed and without a credential", "/items/7?q=%zz", nil, 401, ""},
		{"a credential that cannot be read is none, and lets nobody in", "/items/7?api_key=%zz", nil, 401, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := s.send(t, "GET", tt.target, "", tt.header)
			if got.status != tt.status || got.handled != (tt.status == 200) {
				t.Errorf("%d, handled %v: %s", got.status, got.handled, got.body)
			}
			seen := got.body
			switch tt.status {
			case 422:
				seen = violations(got)
			case 400:
				seen = got.problem["detail"].(string)
			case 401:
				return
			}
			if seen != tt.want {
				t.Errorf("%q, want %q", seen, tt.want)
			}
		})
	}
}

// TestUnreadableCredentialIsNeverAnonymous: what the parser drops must not open an operation with optional authentication.
func TestUnreadableCredentialIsNeverAnonymous(t *testing.T) {
	s := serve(t, settings{}, get(nil, needs(keyQuery)))
	for _, query := range []string{"api_key=%zz", "a=1;api_key=keyQuery-alice-read", "%61pi_key=%"} {
		if got := s.send(t, "GET", "/x?"+query, "", nil); got.status != 400 || got.handled {
			t.Errorf("%s: %d, handled %v", query, got.status, got.handled)
		}
	}
}
