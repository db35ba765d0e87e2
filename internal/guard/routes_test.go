package guard_test

import (
	"net/url"
	"strings"
	"testing"

	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/ratelimit"
	"github.com/labstack/echo/v4"
)

// served are the operations of the table below: what may stand in a path, and several of one place.
var served = []string{
	"GET /files/{id}.json", "GET /files/{id}.xml", "GET /files/{id}", "DELETE /files/{id}", "GET /files/special", "GET /files/special.json",
	"POST /jobs/{owner}:{action}", "GET /jobs/{name}", "POST /jobs/all:cancel", "GET /jobs:search",
	"GET /flights/a-{from}-{to}", "GET /flights/{from}-{to}", "GET /users/@me", "GET /users/{id}",
	"GET /glob/*", "GET /glob/**", "GET /glob/{a}*", "GET /a b/ü/{x}", "GET /sum/100%25", "GET /sum/{n}%25",
	"GET /deep/{x}.json/parts", "GET /deep/{x}/parts", "GET /deep/{x}/{y}.json", "GET /deep/one/two", "GET /{any}/one/three",
	"GET /slash/", "GET /apis/{group}/", "GET /", "GET /repos/{base}...{head}", "GET /v1/(x='{key}')", "GET /digits/{x}0b",
	"GET /own/{id}.txt", "HEAD /own/{id}.txt", "OPTIONS /own/{id}.txt", "PUT /other/{a}.txt", "GET /other/{b}.txt",
}

func TestPaths(t *testing.T) {
	var operations []guard.Operation
	for _, line := range served {
		method, path, _ := strings.Cut(line, " ")
		operations = append(operations, guard.Operation{ID: line, Method: method, Path: path, Public: "it is"})
	}
	s := serve(t, settings{handler: func(c echo.Context) error {
		var values []string
		for _, name := range c.ParamNames() {
			values = append(values, name+"="+c.Param(name))
		}
		return c.String(200, c.Path()+" "+strings.Join(values, " "))
	}}, operations...)
	for _, tt := range []struct {
		name, method, target string
		status               int
		want                 string // the path and its values, or Allow
	}{
		{"a parameter before text", "GET", "/files/7.json", 200, "/files/{id}.json id=7"},
		{"another text behind it is another operation", "GET", "/files/7.xml", 200, "/files/{id}.xml id=7"},
		{"no text behind it is another operation", "GET", "/files/7", 200, "/files/{id} id=7"},
		{"a text that no path has belongs to the value", "GET", "/files/7.txt", 200, "/files/{id} id=7.txt"},
		{"the text without a value is a value", "GET", "/files/.json", 200, "/files/{id} id=.json"},
		{"the text twice is once in the value", "GET", "/files/7.json.json", 200, "/files/{id}.json id=7.json"},
		{"the text in another case is a value", "GET", "/files/7.JSON", 200, "/files/{id} id=7.JSON"},
		{"the text percent-encoded is a value", "GET", "/files/7%2Ejson", 200, "/files/{id} id=7%2Ejson"},
		{"a concrete path comes first", "GET", "/files/special", 200, "/files/special "},
		{"a concrete path comes before one with text", "GET", "/files/special.json", 200, "/files/special.json "},
		{"a concrete path does not take the methods of a templated one", "DELETE", "/files/special", 405, "OPTIONS, GET, HEAD"},
		{"a path with text does not take the methods of one without", "DELETE", "/files/7.json", 405, "OPTIONS, GET, HEAD"},
		{"both methods of a path", "DELETE", "/files/7", 200, "/files/{id} id=7"},
		{"both methods of a path are allowed", "PUT", "/files/7", 405, "OPTIONS, DELETE, GET, HEAD"},
		{"OPTIONS tells the methods of the path with text", "OPTIONS", "/files/7.json", 204, "OPTIONS, GET, HEAD"},
		{"HEAD of a path with text", "HEAD", "/files/7.json", 200, ""},
		{"an encoded slash is one value", "GET", "/files/a%2Fb.json", 200, "/files/{id}.json id=a%2Fb"},
		{"an encoded slash in lower case is the same", "GET", "/files/a%2fb.json", 200, "/files/{id}.json id=a%2Fb"},
		{"an encoded space is a space", "GET", "/files/a%20b.json", 200, "/files/{id}.json id=a b"},
		{"an encoded percent is a percent", "GET", "/files/100%25.json", 200, "/files/{id}.json id=100%"},
		{"bytes that are not UTF-8", "GET", "/files/%ff.json", 404, ""},
		{"a slash is in no value", "GET", "/files/a/b.json", 404, ""},
		{"a slash at the end is another path", "GET", "/files/7.json/", 404, ""},
		{"two slashes are another path", "GET", "/files//7.json", 404, ""},
		{"another case is another path", "GET", "/Files/7.json", 404, ""},
		{"an encoded letter is another path", "GET", "/%66iles/7.json", 404, ""},
		{"a dot segment is a value, and walks nowhere", "GET", "/files/..", 200, "/files/{id} id=.."},
		{"two parameters around a colon", "POST", "/jobs/me:stop", 200, "/jobs/{owner}:{action} owner=me action=stop"},
		{"a colon too many can be read in two ways", "POST", "/jobs/me:too:stop", 405, "OPTIONS, GET, HEAD"},
		{"a colon that is encoded belongs to the value", "POST", "/jobs/me%3Atoo:stop", 200, "/jobs/{owner}:{action} owner=me%3Atoo action=stop"},
		{"no value before the colon", "POST", "/jobs/:stop", 405, "OPTIONS, GET, HEAD"},
		{"no value behind the colon", "POST", "/jobs/me:", 405, "OPTIONS, GET, HEAD"},
		{"a concrete path with a colon", "POST", "/jobs/all:cancel", 200, "/jobs/all:cancel "},
		{"a colon behind a concrete segment", "GET", "/jobs:search", 200, "/jobs:search "},
		{"another text behind the colon", "GET", "/jobs:searches", 404, ""},
		{"two parameters and a prefix", "GET", "/flights/a-b-c", 200, "/flights/a-{from}-{to} from=b to=c"},
		{"two parameters and another prefix", "GET", "/flights/b-c", 200, "/flights/{from}-{to} from=b to=c"},
		{"a prefix with one value only is the other path", "GET", "/flights/a-b", 200, "/flights/{from}-{to} from=a to=b"},
		{"values that hold the text can be read in two ways", "GET", "/flights/b-c-d", 404, ""},
		{"an at sign", "GET", "/users/@me", 200, "/users/@me "},
		{"an at sign that begins a value", "GET", "/users/@you", 200, "/users/{id} id=@you"},
		{"a star is a star", "GET", "/glob/*", 200, "/glob/* "},
		{"two stars are two stars", "GET", "/glob/**", 200, "/glob/** "},
		{"a star matches nothing else", "GET", "/glob/x", 404, ""},
		{"a star behind a value", "GET", "/glob/x*", 200, "/glob/{a}* a=x"},
		{"a star in front of a path", "GET", "/glob/*/x", 404, ""},
		{"what a document leaves unencoded", "GET", "/a%20b/%C3%BC/1", 200, "/a b/ü/{x} x=1"},
		{"the digits of an escape in lower case", "GET", "/a%20b/%c3%bc/1", 200, "/a b/ü/{x} x=1"},
		{"an encoded percent in the path", "GET", "/sum/100%25", 200, "/sum/100%25 "},
		{"an encoded percent behind a value", "GET", "/sum/7%25", 200, "/sum/{n}%25 n=7"},
		{"text begins with no half of an escape", "GET", "/digits/%20b", 404, ""},
		{"text behind an escape", "GET", "/digits/%200b", 200, "/digits/{x}0b x= "},
		{"text in the middle of a path", "GET", "/deep/a.json/parts", 200, "/deep/{x}.json/parts x=a"},
		{"no text in the middle of a path", "GET", "/deep/a/parts", 200, "/deep/{x}/parts x=a"},
		{"text in the middle and another at the end", "GET", "/deep/a.json/b.json", 200, "/deep/{x}/{y}.json x=a.json y=b"},
		{"a concrete beginning that leads nowhere is left again", "GET", "/deep/one/parts", 200, "/deep/{x}/parts x=one"},
		{"a concrete beginning that leads nowhere at all is left again", "GET", "/deep/one/three", 200, "/{any}/one/three any=deep"},
		{"nothing matches in any way", "GET", "/deep/one/four", 404, ""},
		{"a slash at the end of the document's path", "GET", "/slash/", 200, "/slash/ "},
		{"without the slash at the end", "GET", "/slash", 404, ""},
		{"a slash behind a parameter", "GET", "/apis/batch/", 200, "/apis/{group}/ group=batch"},
		{"an empty parameter before the slash", "GET", "/apis//", 404, ""},
		{"the root", "GET", "/", 200, "/ "},
		{"three dots between values", "GET", "/repos/v1...v2", 200, "/repos/{base}...{head} base=v1 head=v2"},
		{"a dot in both values", "GET", "/repos/v1.0...v2.0", 200, "/repos/{base}...{head} base=v1.0 head=v2.0"},
		{"four dots can be read in two ways", "GET", "/repos/v1....v2", 404, ""},
		{"quotes and parentheses around a value", "GET", "/v1/(x='7')", 200, "/v1/(x='{key}') key=7"},
		{"HEAD of its own", "HEAD", "/own/7.txt", 200, ""},
		{"OPTIONS of its own", "OPTIONS", "/own/7.txt", 200, "/own/{id}.txt id=7"},
		{"a path with methods of its own", "PUT", "/own/7.txt", 405, "OPTIONS, GET, HEAD"},
		{"one place under two names: the first", "PUT", "/other/7.txt", 200, "/other/{a}.txt a=7"},
		{"one place under two names: the second", "GET", "/other/7.txt", 200, "/other/{b}.txt b=7"},
		{"one place under two names allows both", "DELETE", "/other/7.txt", 405, "OPTIONS, GET, HEAD, PUT"},
		{"a method that nobody knows", "BREW", "/files/7.json", 405, "OPTIONS, GET, HEAD"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := s.send(t, tt.method, tt.target, "", nil)
			if got.status != tt.status || got.handled != (tt.status == 200) {
				t.Errorf("%d %s, handled %v", got.status, got.body, got.handled)
			}
			told := got.body
			if tt.status == 405 || tt.status == 204 {
				told = got.header.Get("Allow")
			}
			if tt.want != "" && told != tt.want {
				t.Errorf("%q, want %q", told, tt.want)
			}
		})
	}
}

func TestTheMethodsOfAPath(t *testing.T) {
	public := func(method, path string) guard.Operation {
		return guard.Operation{ID: method + path, Method: method, Path: path, Public: "it is"}
	}
	router := guard.New(guard.Config{Echo: echo.New(), Limiter: ratelimit.NewMemory(10), Realm: "test", Operations: []guard.Operation{
		public("GET", "/files/{id}"), public("DELETE", "/files/{id}"), public("PUT", "/files/special"), public("OPTIONS", "/own"),
	}})
	router.GET("/files/:id", whoAmI)
	router.DELETE("/files/:id", whoAmI)
	router.PUT("/files/special", whoAmI)
	router.OPTIONS("/own", whoAmI)
	if got := router.Allow(&url.URL{Path: "/files/7"}); got != "" {
		t.Errorf("before anything is open: %s", got)
	}
	if err := router.Finish(); err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]string{
		"/files/7": "OPTIONS, DELETE, GET, HEAD", "/files/special": "OPTIONS, PUT", "/own": "OPTIONS", "/files/a%2Fb": "OPTIONS, DELETE, GET, HEAD",
		"/files": "", "/files/": "", "/files/a/b": "", "/": "", "*": "", "": "", "/files/%ff": "",
	} {
		u, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		if got := router.Allow(u); got != want {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
	}
}
