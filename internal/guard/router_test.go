package guard_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/ratelimit"
	"github.com/labstack/echo/v4"
)

// generatedRouter is the EchoRouter that oapi-codegen writes.
type generatedRouter interface {
	CONNECT(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route
	DELETE(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route
	GET(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route
	HEAD(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route
	OPTIONS(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route
	PATCH(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route
	POST(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route
	PUT(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route
	TRACE(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route
}

var _ generatedRouter = (*guard.Router)(nil)

// TestRouterHasNoOtherWay: a method that came from an embedded *echo.Echo would register an open route.
func TestRouterHasNoOtherWay(t *testing.T) {
	router, generated := reflect.TypeFor[*guard.Router](), reflect.TypeFor[generatedRouter]()
	for i := range router.NumMethod() {
		name := router.Method(i).Name
		if _, ok := generated.MethodByName(name); !ok && name != "Finish" && name != "Allow" {
			t.Errorf("Router has the method %s", name)
		}
	}
}

func TestEveryMethodIsGuarded(t *testing.T) {
	methods := []string{"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
	e := echo.New()
	e.Pre(entry)
	config := guard.Config{Echo: e, Schemes: schemes(), Realm: "gatehouse"}
	for _, method := range methods {
		config.Operations = append(config.Operations, guard.Operation{
			ID: method, Method: method, Path: "/x", Security: a(needs(bearer)),
		})
	}
	r := guard.New(config)
	handled := ""
	for _, method := range methods {
		register := reflect.ValueOf(r).MethodByName(method).Interface().(func(string, echo.HandlerFunc, ...echo.MiddlewareFunc) *echo.Route)
		route := register("/x", func(c echo.Context) error {
			handled += " " + method
			return c.NoContent(http.StatusNoContent)
		})
		if route == nil || route.Method != method || route.Path != "/x" {
			t.Errorf("%s returned %+v", method, route)
		}
	}
	if err := r.Finish(); err != nil {
		t.Fatal(err)
	}
	for _, method := range methods {
		for token, status := range map[string]int{"": 401, "Bearer oauth2-alice-read": 204} {
			handled = ""
			request := httptest.NewRequest(method, "/x", nil)
			if method == "CONNECT" {
				request.URL.Path = "/x"
			}
			if token != "" {
				request.Header.Set("Authorization", token)
			}
			recorder := httptest.NewRecorder()
			e.ServeHTTP(recorder, request)
			want := ""
			if status == 204 {
				want = " " + method
			}
			if recorder.Code != status || handled != want {
				t.Errorf("%s with %q: %d, handled%s", method, token, recorder.Code, handled)
			}
		}
	}
}

func TestMiddlewaresAreInsideTheGuard(t *testing.T) {
	e := echo.New()
	e.Pre(entry)
	r := guard.New(guard.Config{Echo: e, Operations: []guard.Operation{get(needs(bearer))}, Schemes: schemes(), Realm: "gatehouse"})
	var order []string
	step := func(name string) echo.MiddlewareFunc {
		return func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				order = append(order, name)
				return next(c)
			}
		}
	}
	r.GET("/x", whoAmI, step("first"), step("second"))
	if err := r.Finish(); err != nil {
		t.Fatal(err)
	}
	e.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/x", nil))
	if len(order) != 0 {
		t.Errorf("%v ran before the caller was known", order)
	}
	request := httptest.NewRequest("GET", "/x", nil)
	request.Header.Set("Authorization", "Bearer oauth2-alice-read")
	e.ServeHTTP(httptest.NewRecorder(), request)
	if got := strings.Join(order, " "); got != "first second" {
		t.Errorf("order %q", got)
	}
}

func TestFinishFindsEveryFault(t *testing.T) {
	good := func() guard.Operation { return get(needs(bearer, "read")) }
	limit := func(name string, quota int) guard.Limit {
		return guard.Limit{Limit: ratelimit.Limit{Name: name, Quota: quota, Window: time.Minute}}
	}
	body := guard.Body{MediaType: "application/json", Decode: decode}
	for _, tt := range []struct {
		name   string
		change func(*guard.Config, *guard.Operation)
		want   string
	}{
		{"neither security nor public", func(_ *guard.Config, op *guard.Operation) { op.Security = nil }, "has neither security nor a reason to be public"},
		{"an empty list of alternatives", func(_ *guard.Config, op *guard.Operation) { op.Security = a() }, "has neither security nor a reason to be public"},
		{"denied and public", func(_ *guard.Config, op *guard.Operation) {
			op.Security, op.Public, op.Denied = nil, "it is", "it is not"
		}, "is denied to everybody, and open to somebody"},
		{"denied and secured", func(_ *guard.Config, op *guard.Operation) { op.Denied = "it is not" }, "is denied to everybody, and open to somebody"},
		{"security and public", func(_ *guard.Config, op *guard.Operation) { op.Public = "it is" }, "has security and a reason to be public"},
		{"only the empty alternative", func(_ *guard.Config, op *guard.Operation) { op.Security = a(nil) }, "admits everybody"},
		{"an undeclared scheme", func(_ *guard.Config, op *guard.Operation) { op.Security = a(needs(7)) }, "names scheme 7, which is not declared"},
		{"a negative scheme", func(_ *guard.Config, op *guard.Operation) { op.Security = a(needs(-1)) }, "names scheme -1, which is not declared"},
		{"a scheme twice in an AND", func(_ *guard.Config, op *guard.Operation) { op.Security = a(both(needs(bearer), needs(bearer))) }, `names scheme "oauth2" twice`},
		{"a scope that cannot be", func(_ *guard.Config, op *guard.Operation) { op.Security = a(needs(bearer, `a"b`)) }, "which RFC 6749 §3.3 does not allow"},
		{"no authenticator", func(c *guard.Config, _ *guard.Operation) { c.Schemes[keyHeader].APIKey = nil }, `scheme "keyHeader" needs exactly one authenticator and has 0`},
		{"two authenticators", func(c *guard.Config, _ *guard.Operation) { c.Schemes[bearer].Basic = c.Schemes[basic].Basic }, `scheme "oauth2" needs exactly one authenticator and has 2`},
		{"a key nowhere", func(c *guard.Config, _ *guard.Operation) { c.Schemes[keyHeader].In = "body" }, `scheme "keyHeader" must say where its key is`},
		{"a key without a name", func(c *guard.Config, _ *guard.Operation) { c.Schemes[keyHeader].Param = "" }, `scheme "keyHeader" must say where its key is`},
		{"a key in Cookie", func(c *guard.Config, _ *guard.Operation) { c.Schemes[keyHeader].Param = "cookie" }, "takes its key from a header that other schemes read"},
		{"a scheme without a name", func(c *guard.Config, _ *guard.Operation) { c.Schemes[basic].Name = "" }, "a scheme has no name"},
		{"an operation without a route", func(c *guard.Config, op *guard.Operation) { c.Operations = append(c.Operations, good2()) }, `operation "getY" (GET /y) has no route`},
		{"a route without an operation", func(_ *guard.Config, op *guard.Operation) { op.Path = "/z" }, "route GET /x has no operation"},
		{"another method than the route", func(_ *guard.Config, op *guard.Operation) { op.Method = "POST" }, "route GET /x has no operation"},
		{"no id", func(_ *guard.Config, op *guard.Operation) { op.ID = "" }, "needs an id of its own"},
		{"a path without a slash", func(_ *guard.Config, op *guard.Operation) { op.Path = "x" }, "cannot be served: it does not begin with /"},
		{"two parameters that touch", func(_ *guard.Config, op *guard.Operation) { op.Path = "/x/{a}{b}" }, "has no text between {a} and the next parameter"},
		{"a brace that stays open", func(_ *guard.Config, op *guard.Operation) { op.Path = "/x/{a" }, "has a brace that is not around a name"},
		{"a brace that nothing opens", func(_ *guard.Config, op *guard.Operation) { op.Path = "/x/a}" }, `has the text "a}", which cannot stand in a path`},
		{"a parameter without a name", func(_ *guard.Config, op *guard.Operation) { op.Path = "/x/{}" }, "has a brace that is not around a name"},
		{"a query in the path", func(_ *guard.Config, op *guard.Operation) { op.Path = "/x?all=true" }, `has the text "x?all=true", which cannot stand in a path`},
		{"half an escape", func(_ *guard.Config, op *guard.Operation) { op.Path = "/x/100%" }, `has the text "100%", which cannot stand in a path`},
		{"two spellings of one place", func(c *guard.Config, op *guard.Operation) {
			op.Path = "/a b/{a}.json"
			other := good()
			other.ID, other.Path = "other", "/a%20b/{b}.json"
			c.Operations = append(c.Operations, other)
		}, `has the method and path of operation "getX"`},
		{"two names for one place", func(c *guard.Config, op *guard.Operation) {
			op.Path = "/x/{a}"
			other := good()
			other.ID, other.Path = "other", "/x/{b}"
			c.Operations = append(c.Operations, other)
		}, `has the method and path of operation "getX"`},
		{"a body without a limit", func(_ *guard.Config, op *guard.Operation) { op.Bodies = []guard.Body{body} }, "declares a body and no MaxBodyBytes"},
		{"a body without a decoder", func(_ *guard.Config, op *guard.Operation) {
			op.MaxBodyBytes, op.Bodies = 9, []guard.Body{{MediaType: "text/plain"}}
		}, "needs exactly one of Decode, Form, Multipart, Stream and Refused for text/plain"},
		{"a media type with a parameter", func(_ *guard.Config, op *guard.Operation) {
			op.MaxBodyBytes, op.Bodies = 9, []guard.Body{{MediaType: "text/plain; charset=utf-8", Decode: decode}}
		}, "which is not a media type without parameters"},
		{"a media type twice", func(_ *guard.Config, op *guard.Operation) {
			op.MaxBodyBytes, op.Bodies = 9, []guard.Body{body, {MediaType: "Application/JSON", Decode: decode}}
		}, "declares Application/JSON twice"},
		{"a range that nobody decodes", func(_ *guard.Config, op *guard.Operation) {
			op.MaxBodyBytes, op.Bodies = 9, []guard.Body{{MediaType: "text/*", Decode: decode}}
		}, "declares text/*, and not as what it is decoded"},
		{"a required body of no media type", func(_ *guard.Config, op *guard.Operation) { op.BodyRequired = true }, "needs a body and declares none"},
		{"a limit without a quota", func(_ *guard.Config, op *guard.Operation) { op.Limits = []guard.Limit{limit("n", 0)} }, "quota and window must be positive"},
		{"a limit without a name", func(_ *guard.Config, op *guard.Operation) { op.Limits = []guard.Limit{limit("", 1)} }, "a name is printable ASCII"},
		{"a limit whose name breaks its header", func(_ *guard.Config, op *guard.Operation) { op.Limits = []guard.Limit{limit(`a";q=9`, 1)} }, "a name is printable ASCII"},
		{"one name for two limits", func(_ *guard.Config, op *guard.Operation) {
			op.Limits = []guard.Limit{limit("n", 1), limit("n", 2)}
		}, `has limit "n" with other numbers`},
		{"a limit by nothing", func(_ *guard.Config, op *guard.Operation) {
			op.Limits = []guard.Limit{{By: 9, Limit: ratelimit.Limit{Name: "n", Quota: 1, Window: time.Minute}}}
		}, "by nothing that is known"},
		{"a cost that is never allowed", func(_ *guard.Config, op *guard.Operation) {
			op.Limits = []guard.Limit{{Limit: ratelimit.Limit{Name: "n", Quota: 2, Window: time.Minute}, Cost: 3}}
		}, "at a cost that it never allows"},
		{"a limit that is too fast to count", func(_ *guard.Config, op *guard.Operation) {
			op.Limits = []guard.Limit{{Limit: ratelimit.Limit{Name: "n", Quota: 60_000_001, Window: time.Minute}}}
		}, "more than 1000000 requests a second"},
		{"an address in the body", func(_ *guard.Config, op *guard.Operation) {
			op.Limits = []guard.Limit{{Limit: ratelimit.Limit{Name: "n", Quota: 2, Window: time.Minute}, Member: "address"}}
		}, "which names clients and accounts alone"},
		{"limits without a limiter", func(c *guard.Config, op *guard.Operation) {
			c.Limiter, op.Limits = nil, []guard.Limit{limit("n", 1)}
		}, "has limits, and Config.Limiter is missing"},
		{"no realm", func(c *guard.Config, _ *guard.Operation) { c.Realm = "" }, "Config.Realm must be printable ASCII"},
		{"a realm of two lines", func(c *guard.Config, _ *guard.Operation) { c.Realm = "a\nb" }, "Config.Realm must be printable ASCII"},
		{"a foreign binder", func(c *guard.Config, _ *guard.Operation) { c.Echo.Binder = foreignBinder{} }, "has a Binder of its own"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := echo.New()
			e.Pre(entry)
			config := guard.Config{Echo: e, Schemes: schemes(), Limiter: ratelimit.NewMemory(1), Realm: "gatehouse"}
			op := good()
			tt.change(&config, &op)
			config.Operations = append([]guard.Operation{op}, config.Operations...)
			r := guard.New(config)
			r.GET("/x", whoAmI)
			err := r.Finish()
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			recorder := httptest.NewRecorder()
			e.ServeHTTP(recorder, httptest.NewRequest("GET", "/x", nil))
			if recorder.Code != 404 {
				t.Errorf("the route is open: %d", recorder.Code)
			}
		})
	}
}

func good2() guard.Operation {
	op := get(needs(bearer))
	op.ID, op.Path = "getY", "/y"
	return op
}

type foreignBinder struct{}

func (foreignBinder) Bind(any, echo.Context) error { return nil }

func TestFinishTellsAllFaultsAtOnce(t *testing.T) {
	open, undeclared := get(), get(needs(9))
	undeclared.ID, undeclared.Path = "getY", "/y"
	r := guard.New(guard.Config{Echo: echo.New(), Operations: []guard.Operation{open, undeclared}, Schemes: schemes(), Realm: "gatehouse"})
	r.GET("/z", whoAmI)
	err := r.Finish()
	for _, want := range []string{`"getX"`, "neither security", "names scheme 9", "route GET /z has no operation", `"getY" (GET /y) has no route`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	r = guard.New(guard.Config{Echo: echo.New(), Operations: []guard.Operation{get(needs(bearer))}, Schemes: schemes(), Realm: "gatehouse"})
	r.GET("/x", whoAmI)
	r.GET("/x", whoAmI)
	if err := r.Finish(); err == nil || !strings.Contains(err.Error(), "route GET /x is registered twice") {
		t.Error(err)
	}
}

func TestRoutes(t *testing.T) {
	item := get(needs(bearer))
	item.ID, item.Path = "getItem", "/items/{id}"
	list := get(needs(bearer))
	list.ID, list.Path = "listItems", "/items"
	create := get(needs(bearer))
	create.ID, create.Method, create.Path = "createItem", "POST", "/items"
	parts := get(needs(bearer))
	parts.ID, parts.Path = "listParts", "/things/{id}/parts"
	s := serve(t, settings{handler: func(c echo.Context) error { return c.String(200, "["+c.Param("id")+"]") }}, item, list, create, parts)
	token := header("Authorization", "Bearer oauth2-alice-read")
	for _, tt := range []struct {
		name, method, target string
		header               http.Header
		status               int
		body                 string
	}{
		{"GET", "GET", "/items/7", token, 200, "[7]"},
		{"HEAD of a GET operation", "HEAD", "/items/7", token, 200, ""},
		{"HEAD is guarded like GET", "HEAD", "/items/7", nil, 401, ""},
		{"HEAD of the collection", "HEAD", "/items", token, 200, ""},
		{"a slash in the last parameter is another path", "GET", "/items/7/8", token, 404, ""},
		{"a slash at the end is another path", "GET", "/items/7/", token, 404, ""},
		{"an empty parameter is another path", "GET", "/items/", token, 404, ""},
		{"a parameter in the middle", "GET", "/things/7/parts", token, 200, "[7]"},
		{"an empty parameter in the middle is another path", "GET", "/things//parts", token, 404, ""},
		{"a path without a route does not ask who is calling", "GET", "/items/7/8", nil, 404, ""},
		{"an encoded slash is one value", "GET", "/items/7%2F8", token, 200, "[7%2F8]"},
		{"bytes that are not UTF-8", "GET", "/items/%ff", token, 404, ""},
		{"another case is another path", "GET", "/Items/7", token, 404, ""},
		{"an encoded letter is another path", "GET", "/%69tems/7", token, 404, ""},
		{"two slashes are another path", "GET", "//items/7", token, 404, ""},
		{"a method that the path does not have", "POST", "/items/7", token, 405, ""},
		{"TRACE", "TRACE", "/items/7", token, 405, ""},
		{"a method that nobody knows", "BREW", "/items/7", token, 405, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := s.send(t, tt.method, tt.target, "", tt.header)
			if got.status != tt.status || tt.body != "" && got.body != tt.body || got.handled != (tt.status == 200) {
				t.Errorf("%d %q, handled %v", got.status, got.body, got.handled)
			}
			if allow := got.header.Get("Allow"); tt.status == 405 && allow != "OPTIONS, GET, HEAD" {
				t.Errorf("Allow %q", allow)
			}
		})
	}
}

func TestWithoutStateNothingIsServed(t *testing.T) {
	e := echo.New()
	r := guard.New(guard.Config{Echo: e, Operations: []guard.Operation{{ID: "getX", Method: "GET", Path: "/x", Public: "it is"}}, Schemes: schemes(), Realm: "gatehouse"})
	r.GET("/x", whoAmI)
	if err := r.Finish(); err != nil {
		t.Fatal(err)
	}
	recorder := httptest.NewRecorder()
	e.ServeHTTP(recorder, httptest.NewRequest("GET", "/x", nil))
	if recorder.Code != 500 {
		t.Errorf("%d %s", recorder.Code, recorder.Body)
	}
}

func TestHandlerThatAnswersNothing(t *testing.T) {
	s := serve(t, settings{handler: func(echo.Context) error { return nil }}, guard.Operation{ID: "getX", Method: "GET", Path: "/x", Public: "it is"})
	expect(t, s.send(t, "GET", "/x", "", nil), 500, nil)
}

func TestRealmIsEscaped(t *testing.T) {
	e := echo.New()
	e.Pre(entry)
	r := guard.New(guard.Config{Echo: e, Operations: []guard.Operation{get(needs(basic), needs(bearer))}, Schemes: schemes(), Realm: `a"b\c`})
	r.GET("/x", whoAmI)
	if err := r.Finish(); err != nil {
		t.Fatal(err)
	}
	recorder := httptest.NewRecorder()
	e.ServeHTTP(recorder, httptest.NewRequest("GET", "/x", nil))
	if got := fmt.Sprint(recorder.Header()["Www-Authenticate"]); got != `[Basic realm="a\"b\\c", charset="UTF-8" Bearer realm="a\"b\\c"]` {
		t.Error(got)
	}
}

func TestStateAnswersOnlyForItself(t *testing.T) {
	type key struct{}
	parent := httptest.NewRequest("GET", "/", nil).Context()
	s := guard.NewState(parent, "id", netip.MustParseAddr("2001:db8::1"), time.Unix(1, 0))
	if auth.FromContext(s) != nil {
		t.Error("a caller before authentication")
	}
	if got := auth.Address(s); got != s.Address {
		t.Errorf("address %v", got)
	}
	if s.Value(key{}) != nil || s.Operation() != nil || s.Principal() != nil {
		t.Error("an empty state knows something")
	}
	if guard.StateFrom(auth.WithAddress(s, netip.Addr{})) != s {
		t.Error("a derived context loses the state")
	}
	if guard.StateFrom(parent) != nil {
		t.Error("a state out of nothing")
	}
}
