package server

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/problem"
)

// docsHandler serves the documentation as the service does, without the guard, which has nothing to say about it.
func docsHandler(d *Docs) http.Handler {
	e := echo.New()
	api.RegisterHandlers(e, api.NewStrictHandler(handlers{Docs: d}, []api.StrictMiddlewareFunc{d.Negotiate}))
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		_ = clientProblem(nil, err).Write(c.Response(), "id", problem.Details)
	}
	return e
}

func ask(h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestDocumentsAreServedByteForByte(t *testing.T) {
	h := docsHandler(&Docs{Enabled: true, YAML: []byte("openapi: 3.1.0 # ü\r\n"), JSON: []byte(`{ "openapi":"3.1.0" }`)})
	for path, want := range map[string][2]string{
		"/openapi.yaml": {"application/yaml", "openapi: 3.1.0 # ü\r\n"},
		"/openapi.json": {"application/json", `{ "openapi":"3.1.0" }`},
	} {
		w := ask(h, path)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != want[0] || w.Body.String() != want[1] {
			t.Errorf("%s: %d %s %q", path, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
		if w.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: Cache-Control %s", path, w.Header().Get("Cache-Control"))
		}
	}
}

func TestDocsThatAreOffAnswerLikeAnUnknownPath(t *testing.T) {
	h := docsHandler(&Docs{YAML: []byte("y"), JSON: []byte("{}"), Title: "t"})
	unknown := ask(h, "/no/such/path")
	if unknown.Code != http.StatusNotFound {
		t.Fatal(unknown.Code)
	}
	for _, path := range []string{"/docs", "/openapi.yaml", "/openapi.json", "/docs/docs.js", "/docs/swagger-ui.css", "/docs/unknown"} {
		w := ask(h, path)
		if w.Code != unknown.Code || w.Body.String() != unknown.Body.String() || !equalHeaders(w.Header(), unknown.Header()) {
			t.Errorf("%s: %d %v %s", path, w.Code, w.Header(), w.Body)
		}
	}
}

func equalHeaders(a, b http.Header) bool {
	if len(a) != len(b) {
		return false
	}
	for name := range a {
		if strings.Join(a[name], ",") != strings.Join(b[name], ",") {
			return false
		}
	}
	return true
}

func TestUnknownFilesAreNotFound(t *testing.T) {
	h := docsHandler(&Docs{Enabled: true})
	for name, path := range map[string]string{
		"a name that nothing has":                "/docs/unknown",
		"the template of the page":               "/docs/index.html",
		"a part of Swagger UI that is not used":  "/docs/swagger-ui-standalone-preset.js",
		"the compressed form by its name":        "/docs/swagger-ui.css.gz",
		"a folder above":                         "/docs/..%2fdocs.go",
		"a folder above, twice encoded":          "/docs/%252e%252e%252fdocs.go",
		"the folder itself":                      "/docs/.",
		"a hash of nothing":                      "/docs/docs.000000000000.js",
		"a hash that goes with another file":     "/docs/docs." + hashOf("docs.css") + ".js",
		"Swagger UI's own page behind a sign-in": "/docs/oauth2-redirect.html.gz",
	} {
		if w := ask(h, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

func hashOf(name string) string {
	var a assets
	a.once.Do(a.load)
	return strings.Split(a.hashed[name], ".")[1]
}

var (
	loaded = regexp.MustCompile(`(?:src|href)="([^"]+)"`)
	inline = regexp.MustCompile(`(?i)<script(?:[^>]*[^s]rc=|>)[^<]|<style| on[a-z]+=| style=|javascript:`)
)

func TestThePageLoadsOnlyWhatThisServerHas(t *testing.T) {
	h := docsHandler(&Docs{Enabled: true, Title: `A </title><script>alert(1)</script> & B`})
	page := ask(h, "/docs")
	if page.Code != http.StatusOK || page.Header().Get("Content-Type") != "text/html; charset=utf-8" || page.Header().Get("Cache-Control") != "no-cache" {
		t.Fatalf("%d %v", page.Code, page.Header())
	}
	body := page.Body.String()
	if !strings.Contains(body, "<title>A &lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; B</title>") {
		t.Errorf("the title is not escaped: %s", body)
	}
	if strings.Contains(body, "{{") {
		t.Errorf("a place of the template is left: %s", body)
	}
	redirect := ask(h, "/docs/oauth2-redirect.html")
	for name, html := range map[string]string{"the page": body, "the page behind a sign-in": redirect.Body.String()} {
		if found := inline.FindString(html); found != "" {
			t.Errorf("%s has something inline, which its policy stops: %s", name, found)
		}
	}
	policy := page.Header().Get("Content-Security-Policy")
	if policy != redirect.Header().Get("Content-Security-Policy") || strings.Contains(policy, "unsafe") || !strings.HasPrefix(policy, "default-src 'none'; ") {
		t.Errorf("policy: %s", policy)
	}
	found := loaded.FindAllStringSubmatch(body, -1)
	if len(found) != 7 {
		t.Fatalf("the page loads %v", found)
	}
	for _, f := range found {
		w := ask(h, "/"+f[1])
		if f[1] == "openapi.yaml" {
			continue
		}
		if w.Code != http.StatusOK || w.Body.Len() == 0 {
			t.Errorf("%s: %d", f[1], w.Code)
		}
		if cache := w.Header().Get("Cache-Control"); cache != "public, max-age=31536000, immutable" {
			t.Errorf("%s, which has the hash of its content in its name: Cache-Control %s", f[1], cache)
		}
	}
}

func TestFiles(t *testing.T) {
	h := docsHandler(&Docs{Enabled: true})
	for name, want := range map[string]struct{ mediaType, begins string }{
		"swagger-ui.css":       {"text/css; charset=utf-8", ".swagger-ui{"},
		"swagger-ui-bundle.js": {"text/javascript; charset=utf-8", "/*! For license information"},
		"docs.css":             {"text/css; charset=utf-8", "html {"},
		"docs.js":              {"text/javascript; charset=utf-8", "// Starts Swagger UI"},
		"oauth2-redirect.html": {"text/html; charset=utf-8", "<!doctype html>"},
		"oauth2-redirect.js":   {"text/javascript; charset=utf-8", "// What an authorization"},
		"favicon-16x16.png":    {"image/png", "\x89PNG"},
		"favicon-32x32.png":    {"image/png", "\x89PNG"},
	} {
		w := ask(h, "/docs/"+name)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != want.mediaType || !strings.HasPrefix(w.Body.String(), want.begins) {
			t.Errorf("%s: %d %s %.40q", name, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
		if w.Header().Get("Content-Security-Policy") == "" || w.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %v", name, w.Header())
		}
	}
}

func TestFilesAreCompressedForWhoTakesIt(t *testing.T) {
	h := docsHandler(&Docs{Enabled: true})
	plain := ask(h, "/docs/swagger-ui.css")
	for _, row := range []struct {
		name   string
		accept []string
		gzip   bool
	}{
		{"no field", nil, false},
		{"gzip", []string{"gzip"}, true},
		{"gzip in capitals", []string{"GZIP"}, true},
		{"what browsers send", []string{"gzip, deflate, br, zstd"}, true},
		{"in a second field line", []string{"br", "gzip"}, true},
		{"with a weight", []string{"br;q=1.0, gzip;q=0.8"}, true},
		{"with spaces around the weight", []string{"gzip ; q=0.001"}, true},
		{"with weight zero", []string{"gzip;q=0"}, false},
		{"with weight zero and decimals", []string{"gzip;q=0.000, *"}, false},
		{"with a weight that is no number", []string{"gzip;q=x"}, false},
		{"with a negative weight", []string{"gzip;q=-1"}, false},
		{"identity alone", []string{"identity"}, false},
		{"an empty field", []string{""}, false},
		{"another coding that ends the same", []string{"x-gzip-not"}, false},
		{"a wildcard", []string{"*"}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			var header []string
			for _, a := range row.accept {
				header = append(header, "Accept-Encoding", a)
			}
			w := ask(h, "/docs/swagger-ui.css", header...)
			body := io.Reader(w.Body)
			if length := w.Header().Get("Content-Length"); length != strconv.Itoa(w.Body.Len()) {
				t.Errorf("Content-Length %s of %d bytes", length, w.Body.Len())
			}
			if row.gzip {
				r, err := gzip.NewReader(w.Body)
				if err != nil {
					t.Fatal(err)
				}
				body = r
			}
			data, err := io.ReadAll(body)
			if err != nil || !bytes.Equal(data, plain.Body.Bytes()) || len(data) < 100_000 {
				t.Errorf("%d bytes, %v: not the file", len(data), err)
			}
			if got := w.Header().Get("Content-Encoding"); (got == "gzip") != row.gzip || got != "" && got != "gzip" {
				t.Errorf("Content-Encoding %q", got)
			}
			if w.Header().Get("Vary") != "Accept-Encoding" {
				t.Errorf("Vary %q: a cache would hand out the wrong one", w.Header().Get("Vary"))
			}
		})
	}
	if w := ask(h, "/docs/favicon-16x16.png", "Accept-Encoding", "gzip"); w.Header().Get("Content-Encoding") != "" {
		t.Error("an image is said to be compressed")
	}
}
