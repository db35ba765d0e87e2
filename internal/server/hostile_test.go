package server_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	jsonType = "application/json"
	validNew = `{"name":"x","price":1}`
)

// TestHostileBodies: each is a 4xx of the status that the table names, none reaches a handler or the database, and no
// answer holds a byte sequence of what was sent as a value.
func TestHostileBodies(t *testing.T) {
	s := start(t)
	deep := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	for _, row := range []struct {
		name   string
		status int
		body   string
		holds  string // in the answer
	}{
		{"a member in another case", 422, `{"name":"x","price":1,"NAME":"` + canary + `"}`, `"pointer":"/NAME","keyword":"additionalProperties"`},
		{"a role that the schema does not have, in two cases", 422, `{"role":"user","ROLE":"` + canary + `"}`, "4 violations"},
		{"a member with a Kelvin sign, which folds to k", 422, `{"name":"x","price":1,"` + "\u212a" + `":1}`, "additionalProperties"},
		{"a member twice", 400, `{"name":"x","name":"` + canary + `","price":1}`, "repeats a member"},
		{"a member twice, once escaped", 400, `{"name":"x","\u006eame":"` + canary + `","price":1}`, "repeats a member"},
		{"a member of a member twice", 400, `{"name":"x","price":1,"dimensions":{"width":1,"width":2,"height":1,"depth":1}}`, "repeats a member"},
		{"an unknown member twice", 400, `{"name":"x","price":1,"u":1,"u":2}`, "repeats a member"},
		{"a member twice within an unknown one", 400, `{"name":"x","price":1,"u":{"v":1,"v":2}}`, "repeats a member"},
		{"a second value", 400, validNew + validNew, "goes on after"},
		{"a comma after it", 400, validNew + ",", "goes on after"},
		{"a text after it", 400, validNew + canary, "goes on after"},
		{"a NUL after it", 400, validNew + "\x00", "goes on after"},
		{"UTF-8 that is none", 400, `{"name":"` + "\xff" + `","price":1}`, "UTF-8"},
		{"an overlong encoding", 400, `{"name":"` + "\xc0\xaf" + `","price":1}`, "UTF-8"},
		{"a surrogate in UTF-8", 400, `{"name":"` + "\xed\xa0\x80" + `","price":1}`, "UTF-8"},
		{"half a surrogate pair", 400, `{"name":"\ud800","price":1}`, "not valid JSON"},
		{"the other half", 400, `{"name":"\udc00","price":1}`, "not valid JSON"},
		{"null", 422, `null`, `"keyword":"type"`},
		{"nulls", 422, `{"name":null,"price":null}`, "2 violations"},
		{"true", 422, `true`, `"keyword":"type"`},
		{"a number", 422, `1`, `"keyword":"type"`},
		{"a byte order mark", 400, "\ufeff" + validNew, "byte 0"},
		{"UTF-16", 400, "\xff\xfe{\x00}\x00", "byte 0"},
		{"32 levels, one too many with its own", 422, `{"name":"x","price":1,"u":` + deep(31) + `}`, "additionalProperties"},
		{"33 levels", 400, `{"name":"x","price":1,"u":` + deep(32) + `}`, "nests deeper than 32"},
		{"33 levels where a text is due", 400, `{"name":` + deep(32) + `,"price":1}`, "nests deeper than 32"},
		{"10,000 levels of arrays", 400, strings.Repeat("[", 10_000), "nests deeper than 32"},
		{"10,000 levels of objects", 400, deep(10_000), "nests deeper than 32"},
		{"60,000 levels in an unknown member", 400, `{"u":` + strings.Repeat("[", 60_000), "nests deeper than 32"},
		{"100,000 levels", 413, strings.Repeat("[", 100_000), "at most 65536 bytes"},
		{"ten megabytes", 413, strings.Repeat(canary, 10<<20/len(canary)), "at most 65536 bytes"},
		{"a huge exponent", 422, `{"name":"x","price":1e999999999}`, `"pointer":"/price","keyword":"format"`},
		{"a huge negative exponent just below the bound", 422, `{"name":"x","price":-1e-999999999}`, `"pointer":"/price","keyword":"minimum"`},
		{"a fraction above the bound that a double rounds away", 422, `{"name":"x","price":1000000.00000000000000001}`, `"pointer":"/price","keyword":"maximum"`},
		{"NaN", 400, `{"name":"x","price":NaN}`, "not valid JSON"},
		{"a leading zero", 400, `{"name":"x","price":01}`, "not valid JSON"},
		{"a comment", 400, `{"name":"x",/* ` + canary + ` */"price":1}`, "not valid JSON"},
		{"single quotes", 400, `{'name':'x','price':1}`, "not valid JSON"},
		{"half a body", 400, `{"name":"x","price`, "ends before"},
		{"white space", 400, " \n\t", "ends before"},
		{"a prototype", 422, `{"name":"x","price":1,"__proto__":{"admin":"` + canary + `"}}`, "additionalProperties"},
		{"a form", 400, "name=x&price=1", "not valid JSON"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s.clock.pass(time.Second)
			got := s.send(t, "POST", "/items", row.body, "X-API-Key", s.apiKey, "Content-Type", jsonType)
			s.refuses(t, got, row.status, row.holds)
		})
	}
	if s.handled.Load() != 0 || s.items() != 0 {
		t.Errorf("%d requests reached a handler, %d items were made", s.handled.Load(), s.items())
	}
	// The counter counts: the same request with a valid body gets there.
	if got := s.send(t, "POST", "/items", validNew, "X-API-Key", s.apiKey, "Content-Type", jsonType); got.status != 201 || s.handled.Load() != 1 || s.items() != 1 {
		t.Errorf("a valid body: %d, %d handled", got.status, s.handled.Load())
	}
}

// refuses demands a problem of the status that holds the text and nothing of what was submitted.
func (s *service) refuses(t *testing.T, got answer, status int, holds string) {
	t.Helper()
	if got.status != status || !strings.Contains(string(got.body), holds) {
		t.Errorf("%d %s, want %d with %q", got.status, got.body, status, holds)
	}
	if got.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("an error of type %q", got.header.Get("Content-Type"))
	}
	if bytes.Contains(got.body, []byte(canary)) {
		t.Errorf("the answer holds what was sent: %s", got.body)
	}
}

func TestHostileMediaTypes(t *testing.T) {
	s := start(t)
	for _, row := range []struct {
		name   string
		status int
		fields []string
	}{
		{"none", 415, nil},
		{"in capitals, which is the same", 200, []string{"Content-Type", "APPLICATION/JSON"}},
		{"with a charset", 200, []string{"Content-Type", "application/json; charset=UTF-8"}},
		{"another charset", 415, []string{"Content-Type", "application/json; charset=utf-7"}},
		{"one that begins alike", 415, []string{"Content-Type", "application/jsonp"}},
		{"a list", 415, []string{"Content-Type", "application/json, text/plain"}},
		{"two", 415, []string{"Content-Type", jsonType, "Content-Type", "text/plain"}},
		{"text that a browser may send to another site", 415, []string{"Content-Type", "text/plain"}},
		{"a form", 415, []string{"Content-Type", formType}},
		{"a merge patch on a creation", 415, []string{"Content-Type", "application/merge-patch+json"}},
		{"compressed", 415, []string{"Content-Type", jsonType, "Content-Encoding", "gzip"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s.clock.pass(time.Second)
			before := s.handled.Load()
			got := s.send(t, "POST", "/items?dry_run=true", validNew, append(row.fields, "X-API-Key", s.apiKey)...)
			if got.status != row.status || (s.handled.Load() != before) != (row.status == 200) {
				t.Errorf("%d %s, handled %v", got.status, got.body, s.handled.Load() != before)
			}
		})
	}
}

func TestHostilePaths(t *testing.T) {
	s := start(t)
	item := "/items/01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f"
	for _, row := range []struct {
		name, target string
		status       int
	}{
		{"a trailing slash", "/items/", 404},
		{"a doubled slash", "//items", 404},
		{"another case", "/Items", 404},
		{"dot segments", "/docs/../items", 404},
		{"encoded dot segments", "/docs/%2e%2e/items", 404},
		{"an encoded slash", "/items%2f01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f", 404},
		{"an encoded slash within a parameter", "/items/a%2fb", 422},
		{"an encoded NUL", "/items/%00", 422},
		{"an encoded line end", item + "%0d%0aSet-Cookie:%20a=b", 422},
		{"no UTF-8", "/items/%ff", 404},
		{"a semicolon", item + ";admin=true", 422},
		{"an id in braces", "/items/%7B01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f%7D", 422},
		{"an id without hyphens", "/items/019358401c2b7d3e9f405a6b7c8d9e0f", 422},
		{"an id as a URN", "/items/urn:uuid:01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f", 422},
		{"a route's pattern", "/items/:item_id", 422},
		{"SQL", "/items/'%20OR%20'1'='1", 422},
		{"a file outside of the documentation", "/docs/..%2f..%2fgo.mod", 422},
		{"a method in a header", item, 404},
	} {
		t.Run(row.name, func(t *testing.T) {
			s.clock.pass(time.Second)
			got := s.send(t, "GET", row.target, "", "X-API-Key", s.apiKey, "X-HTTP-Method-Override", "DELETE")
			if got.status != row.status || got.header.Get("Set-Cookie") != "" {
				t.Errorf("%d %s, want %d", got.status, got.body, row.status)
			}
		})
	}
}

func TestHostileTokens(t *testing.T) {
	s := start(t)
	good := s.token()
	parts := strings.Split(good, ".")
	// As a verifier would take it whose key function returns bytes: the public key as a shared secret.
	confused := jwt.NewWithClaims(jwt.SigningMethodHS256, s.claims())
	confused.Header["typ"], confused.Header["kid"] = "at+jwt", "x"
	hs256, err := confused.SignedString([]byte(s.send(t, "GET", "/.well-known/jwks.json", "").body))
	if err != nil {
		t.Fatal(err)
	}
	none := jwt.NewWithClaims(jwt.SigningMethodNone, s.claims())
	none.Header["typ"] = "at+jwt"
	unsigned, err := none.SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		token  string
		status int
	}{
		{"the good one", good, 200},
		{"alg none", unsigned, 401},
		{"alg none with a signature", unsigned + parts[2], 401},
		{"HS256 with what is public", hs256, 401},
		{"another header under the signature", strings.Split(hs256, ".")[0] + "." + parts[1] + "." + parts[2], 401},
		{"without its signature", parts[0] + "." + parts[1] + ".", 401},
		{"twice", good + "." + good, 401},
		{"of nine kilobytes", strings.Repeat("a", 9<<10), 401},
		{"of ten kilobytes of dots", strings.Repeat(".", 10<<10), 401},
	} {
		t.Run(row.name, func(t *testing.T) {
			s.clock.pass(time.Second)
			before := s.handled.Load()
			got := s.send(t, "GET", "/protected/bearer", "", "Authorization", "Bearer "+row.token)
			if got.status != row.status || (s.handled.Load() != before) != (row.status == 200) {
				t.Errorf("%d %s", got.status, got.body)
			}
			if row.status == 401 && got.header.Get("WWW-Authenticate") != invalidTokenChallenge {
				t.Errorf("challenge %q", got.header.Get("WWW-Authenticate"))
			}
		})
	}
	t.Run("of ten megabytes", func(t *testing.T) {
		status, _ := s.raw(t, "GET /protected/bearer HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+strings.Repeat("a", 10<<20)+"\r\n\r\n")
		if status != 431 {
			t.Errorf("%d, want 431", status)
		}
	})
}

// raw writes bytes to a connection and reads one response, with the time that it took at the most.
func (s *service) raw(t *testing.T, request string) (status int, body string) {
	t.Helper()
	c, err := net.DialTimeout("tcp", s.address, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	go io.WriteString(c, request) // the server may answer and close before it has read everything
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// TestRefusalsDoNotWaitForTheBody: the client sends its header, announces a body and holds it back. What is decided
// before the body answers at once, and not when the read times out after 15 s.
func TestRefusalsDoNotWaitForTheBody(t *testing.T) {
	s := start(t)
	poor := s.newPerson("poor", "items:read")
	key, small := "X-API-Key: "+s.apiKey, "Content-Length: 1000"
	ask := func(lines ...string) string {
		return "POST /items HTTP/1.1\r\nHost: x\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n"
	}
	for _, row := range []struct {
		name    string
		status  int
		request string
	}{
		{"no credential", 401, ask("Content-Type: "+jsonType, small)},
		{"a bad credential", 401, ask("Authorization: Bearer "+canary, "Content-Type: "+jsonType, small)},
		{"two credentials", 400, ask("Authorization: Bearer a", "Authorization: Bearer b", "Content-Type: "+jsonType, small)},
		{"a scope that is missing", 403, ask("X-API-Key: "+poor.apiKey, "Content-Type: "+jsonType, small)},
		{"a body that is too large", 413, ask(key, "Content-Type: "+jsonType, "Content-Length: 10000000")},
		{"another media type", 415, ask(key, "Content-Type: text/plain", small)},
		{"nothing that is acceptable", 406, ask(key, "Content-Type: "+jsonType, "Accept: text/html", small)},
		{"a bad parameter", 422, strings.Replace(ask(key, "Content-Type: "+jsonType, small), "/items", "/items?dry_run=maybe", 1)},
		{"no such path", 404, strings.Replace(ask(key, small), "/items", "/nothing", 1)},
		{"no such method", 405, strings.Replace(ask(key, small), "POST", "PUT", 1)},
		{"in chunks, without a credential", 401, ask("Content-Type: "+jsonType, "Transfer-Encoding: chunked")},
	} {
		t.Run(row.name, func(t *testing.T) {
			begin := time.Now()
			status, body := s.raw(t, row.request)
			if status != row.status || strings.Contains(body, canary) {
				t.Errorf("%d %s, want %d", status, body, row.status)
			}
			// Not a measurement: the server would wait three times as long for a body.
			if waited := time.Since(begin); waited > 5*time.Second {
				t.Errorf("the refusal came after %v: it waited for the body", waited)
			}
		})
	}
	t.Run("over the limit", func(t *testing.T) {
		for i := 0; ; i++ {
			if status, _ := s.raw(t, "GET /items HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); status == 429 {
				break
			}
			if i > 700 {
				t.Fatal("the limit was not reached")
			}
		}
		if status, body := s.raw(t, ask(key, "Content-Type: "+jsonType, small)); status != 429 {
			t.Errorf("%d %s", status, body)
		}
	})
	if n := s.handled.Load(); n != 0 {
		t.Errorf("%d requests reached a handler", n)
	}
}

func TestHostileForms(t *testing.T) {
	s := start(t)
	login := func(more string) string {
		return "grant_type=password&username=" + s.user + "&password=" + s.password + more
	}
	for _, row := range []struct {
		name, target, body string
		status             int
		holds              string
	}{
		{"the good one", "/token", login(""), 200, "access_token"},
		{"an unknown parameter", "/token", login("&x=1"), 200, "access_token"},
		{"a parameter without a value", "/token", login("&scope="), 200, "access_token"},
		{"a name twice", "/token", login("&username=admin"), 400, "invalid_request"},
		{"an unknown name twice", "/token", login("&x=1&x=2"), 400, "invalid_request"},
		{"the password in the query", "/token?password=" + canary, login(""), 400, "invalid_request"},
		{"everything in the query", "/token?grant_type=password&username=dev&password=" + canary, "a=b", 400, "invalid_request"},
		{"a broken escape", "/token", login("&x=%zz"), 400, "invalid_request"},
		{"a semicolon", "/token", login(";x=1"), 400, "invalid_request"},
		{"no UTF-8", "/token", "grant_type=password&username=%ff&password=x", 400, "invalid_request"},
		{"a NUL", "/token", "grant_type=password&username=a%00b&password=x", 400, "invalid_request"},
		{"a thousand parameters", "/token", login(strings.Repeat("&x", 1000)), 400, "invalid_request"},
		{"a long password", "/token", "grant_type=password&username=dev&password=" + strings.Repeat("x", 1025), 400, "invalid_request"},
		{"an empty password", "/token", "grant_type=password&username=dev&password=", 400, "invalid_request"},
		{"JSON", "/token", `{"grant_type":"password"}`, 400, "invalid_request"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s.clock.pass(2 * time.Second)
			got := s.send(t, "POST", row.target, row.body, "Content-Type", formType)
			if got.status != row.status || !strings.Contains(string(got.body), row.holds) || strings.Contains(string(got.body), canary) {
				t.Errorf("%d %s, want %d with %s", got.status, got.body, row.status, row.holds)
			}
			if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Pragma") != "no-cache" {
				t.Errorf("the answer may be kept: %v", got.header)
			}
		})
	}
}

// TestChunkedBodiesAreBounded: without an announced length the limit holds while the body is read.
func TestChunkedBodiesAreBounded(t *testing.T) {
	s := start(t)
	r, err := http.NewRequest("POST", s.base+"/items", io.MultiReader(strings.NewReader(`{"name":"`), strings.NewReader(strings.Repeat("x", 1<<20))))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-API-Key", s.apiKey)
	r.Header.Set("Content-Type", jsonType)
	got := s.do(t, r)
	s.refuses(t, got, 413, "at most 65536 bytes")
	if s.handled.Load() != 0 {
		t.Error("the handler was reached")
	}
	if got := s.send(t, "POST", "/items", fmt.Sprintf(`{"name":"x","price":1,"description":%q}`, strings.Repeat("y", 1000)), "X-API-Key", s.apiKey, "Content-Type", jsonType); got.status != 201 {
		t.Errorf("the service does not go on: %d", got.status)
	}
}
