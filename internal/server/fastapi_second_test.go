package server_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/codegen"
	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/ratelimit"
	"example.com/gatehouse/internal/server"
	"example.com/gatehouse/internal/server/testdata/conformance"
)

//go:generate go run ../../cmd/gatehouse-gen generate --spec testdata/conformance/openapi.yaml --out testdata/conformance --package conformance
//go:generate go run ../../cmd/gatehouse-gen generate --spec testdata/routes/openapi.yaml --out testdata/routes --package routes

// TestTestdataIsGenerated: what is tested is what the generator writes today.
func TestTestdataIsGenerated(t *testing.T) {
	for _, name := range []string{"conformance", "routes"} {
		dir, fresh := filepath.Join("testdata", name), t.TempDir()
		if _, err := codegen.Generate(codegen.Options{Spec: filepath.Join(dir, "openapi.yaml"), Out: fresh, Package: name}); err != nil {
			t.Fatal(err)
		}
		want, got := files(t, fresh), files(t, dir)
		if len(want) < 5 {
			t.Fatalf("the generator wrote %d files: the test would test nothing", len(want))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s is not what its document gives, run go generate ./internal/server:\n%.2000s", dir, diff)
		}
	}
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		// A test does not know the versions of the modules that it was built from.
		all[filepath.Base(path)] = regexp.MustCompile(`by oapi-codegen .*, run`).ReplaceAllString(string(text), "by oapi-codegen, run")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// stub proves the credentials of FastAPI's own tests.
type stub struct{}

var _ conformance.Authenticators = stub{}

func (stub) Basic(_ context.Context, c auth.Basic) (*auth.Principal, error) {
	return known(c.Username+":"+c.Password.Reveal(), "john:secret", "john")
}

func (stub) bearer(c auth.BearerToken, scopes ...string) (*auth.Principal, error) {
	return known(c.Reveal(), "testtoken", "john", scopes...)
}

func (s stub) Bearer(_ context.Context, c auth.BearerToken) (*auth.Principal, error) {
	return s.bearer(c)
}
func (s stub) Password(_ context.Context, c auth.BearerToken) (*auth.Principal, error) {
	return s.bearer(c)
}
func (s stub) Code(_ context.Context, c auth.BearerToken) (*auth.Principal, error) {
	return s.bearer(c)
}
func (s stub) AnyFlow(_ context.Context, c auth.BearerToken) (*auth.Principal, error) {
	return s.bearer(c, "scope1", "scope3")
}
func (s stub) KeyHeader(_ context.Context, c auth.APIKey) (*auth.Principal, error) { return s.key(c) }
func (s stub) KeyQuery(_ context.Context, c auth.APIKey) (*auth.Principal, error)  { return s.key(c) }
func (s stub) KeyCookie(_ context.Context, c auth.APIKey) (*auth.Principal, error) { return s.key(c) }
func (stub) key(c auth.APIKey) (*auth.Principal, error)                            { return known(c.Reveal(), "secret", "john") }

func known(got, want, subject string, scopes ...string) (*auth.Principal, error) {
	if got != want {
		return nil, auth.ErrInvalidCredential
	}
	return &auth.Principal{Subject: subject, Scopes: auth.NewScopes(scopes...)}, nil
}

// second serves the second document, under a realm that has to be escaped.
func second(t *testing.T) string {
	t.Helper()
	e := echo.New()
	e.IPExtractor = echo.ExtractIPDirect()
	limiter := ratelimit.NewMemory(10)
	e.Pre(server.Entry{Now: time.Now, Random: rand.Reader, Logger: slog.New(slog.DiscardHandler), Limiter: limiter, Realm: "unused"}.Middleware())
	router := guard.New(guard.Config{
		Echo: e, Operations: conformance.Operations(), Schemes: conformance.Schemes(stub{}), Limiter: limiter, CheckResponses: true,
		Realm: `a "quoted" \ realm`, AllowInsecureBasic: true,
	})
	for _, op := range conformance.Operations() {
		router.GET(op.Path, func(c echo.Context) error {
			who := map[string]string{}
			if p := auth.FromContext(c.Request().Context()); p != nil {
				who["subject"] = p.Subject
			}
			return c.JSON(http.StatusOK, who)
		})
	}
	if err := router.Finish(); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(e)
	t.Cleanup(s.Close)
	return s.URL
}

func TestFastAPISecondDocument(t *testing.T) {
	base := second(t)
	const (
		realm   = `realm="a \"quoted\" \\ realm"`
		basic   = `Basic ` + realm + `, charset="UTF-8"`
		bearer  = `Bearer ` + realm
		invalid = bearer + `, error="invalid_token", error_description="the token is not valid"`
		key     = `APIKey ` + realm
		john    = `{"subject":"john"}`
		nobody  = `{}`
	)
	b64 := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, tt := range []struct {
		name, target, field, value string
		status                     int
		challenge, body            string
	}{
		{"1 john:secret", "/basic", "Authorization", b64("john:secret"), 200, "", john},
		{"3 no header under a realm", "/basic", "", "", 401, basic, noCredential},
		{"3 not base64 under a realm", "/basic", "Authorization", "Basic notabase64token", 401, basic, badCredential},
		{"8 optional Basic, no header", "/basic/optional", "", "", 200, "", nobody},
		{"8 optional Basic, a good pair", "/basic/optional", "Authorization", b64("john:secret"), 200, "", john},
		{"9 optional Basic, bad base64", "/basic/optional", "Authorization", "Basic notabase64token", 401, basic, badCredential},
		{"9 optional Basic, no colon", "/basic/optional", "Authorization", b64("johnsecret"), 401, basic, badCredential},
		{"9 optional Basic, a wrong password", "/basic/optional", "Authorization", b64("john:other"), 401, basic, badCredential},
		{"9 optional Basic, another scheme", "/basic/optional", "Authorization", "Bearer testtoken", 401, basic, badCredential},
		{"16 bearer, verified", "/bearer", "Authorization", "Bearer testtoken", 200, "", john},
		{"16 bearer, FastAPI takes any", "/bearer", "Authorization", "Bearer foobar", 401, invalid, badCredential},
		{"17 bearer, no header", "/bearer", "", "", 401, bearer, noCredential},
		{"18 bearer, another scheme", "/bearer", "Authorization", "Basic notreally", 401, bearer, badCredential},
		{"19 optional bearer, no header", "/bearer/optional", "", "", 200, "", nobody},
		{"19 optional bearer, another scheme", "/bearer/optional", "Authorization", "Basic notreally", 401, bearer, badCredential},
		{"20 bearer, the scheme alone", "/bearer", "Authorization", "Bearer", 401, invalid, badCredential},
		{"21 bearer, two words", "/bearer", "Authorization", "Bearer a b", 401, invalid, badCredential},
		{"24 optional password bearer, no header", "/password/optional", "", "", 200, "", nobody},
		{"24 optional password bearer, an unknown scheme", "/password/optional", "Authorization", "Notexistent testtoken", 401, bearer, badCredential},
		{"24 optional password bearer, a good token", "/password/optional", "Authorization", "Bearer testtoken", 200, "", john},
		{"25 optional password bearer, the scheme alone", "/password/optional", "Authorization", "Bearer", 401, invalid, badCredential},
		{"26 code bearer, no header", "/code", "", "", 401, bearer, noCredential},
		{"26 code bearer, an unknown scheme", "/code", "Authorization", "Non-existent testtoken", 401, bearer, badCredential},
		{"27 code bearer, spaces around the token", "/code", "Authorization", "Bearer  testtoken ", 200, "", john},
		{"28 OAuth2, a good token", "/oauth2", "Authorization", "Bearer testtoken", 200, "", john},
		{"28 OAuth2, another scheme", "/oauth2", "Authorization", "Other testtoken", 401, bearer, badCredential},
		{"29 OAuth2, no header", "/oauth2", "", "", 401, bearer, noCredential},
		{"29 optional OAuth2, no header", "/oauth2/optional", "", "", 200, "", nobody},
		{"29 optional OAuth2, another scheme", "/oauth2/optional", "Authorization", "Other testtoken", 401, bearer, badCredential},
		{"32 key in the header", "/key/header", "Key", "secret", 200, "", john},
		{"32 key in the query", "/key/query?key=secret", "", "", 200, "", john},
		{"32 key in a cookie", "/key/cookie", "Cookie", "key=secret", 200, "", john},
		{"33 no key in the header", "/key/header", "", "", 401, key, noCredential},
		{"33 no key in the query", "/key/query", "", "", 401, key, noCredential},
		{"33 no key in a cookie", "/key/cookie", "Cookie", "other=secret", 401, key, noCredential},
		{"34 optional key in the header, absent", "/key/header/optional", "", "", 200, "", nobody},
		{"34 optional key in the query, absent", "/key/query/optional", "", "", 200, "", nobody},
		{"34 optional key in a cookie, absent", "/key/cookie/optional", "", "", 200, "", nobody},
		{"34 optional key in the header, wrong", "/key/header/optional", "Key", "wrong", 401, key, badCredential},
		{"34 optional key in the query, wrong", "/key/query/optional?key=wrong", "", "", 401, key, badCredential},
		{"34 optional key in a cookie, wrong", "/key/cookie/optional", "Cookie", "key=wrong", 401, key, badCredential},
		{"35 optional key in the header, empty", "/key/header/optional", "Key", "", 401, key, badCredential},
		{"35 optional key in the query, empty", "/key/query/optional?key=", "", "", 401, key, badCredential},
		{"35 optional key in a cookie, empty", "/key/cookie/optional", "Cookie", "key=", 401, key, badCredential},
		{"36 optional key in the query, one space", "/key/query/optional?key=%20", "", "", 401, key, badCredential},
		{"48 scopes of one route do not reach its sibling: held", "/oauth2/one", "Authorization", "Bearer testtoken", 200, "", john},
		{"48 scopes of one route do not reach its sibling: lacking", "/oauth2/two", "Authorization", "Bearer testtoken", 403, bearer + `, error="insufficient_scope", scope="scope2 scope3"`, "insufficient-scope"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := http.NewRequest("GET", base+tt.target, nil)
			if err != nil {
				t.Fatal(err)
			}
			if tt.field != "" {
				r.Header.Set(tt.field, tt.value)
			}
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			got := read(t, response)
			if got.status != tt.status || !strings.Contains(string(got.body), tt.body) {
				t.Errorf("%d %s, want %d %s", got.status, got.body, tt.status, tt.body)
			}
			if challenges := strings.Join(got.header.Values("WWW-Authenticate"), "|"); challenges != tt.challenge {
				t.Errorf("challenges %s, want %s", challenges, tt.challenge)
			}
		})
	}
}

// TestFastAPIRefusals: schemes that nobody can verify are refused when the code is generated, so that their rows never
// come to run.
func TestFastAPIRefusals(t *testing.T) {
	text, err := os.ReadFile("testdata/conformance/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const good = "bearer: { type: http, scheme: bearer }"
	for _, tt := range []struct{ name, scheme string }{
		{"14 and 15 HTTPBase with a scheme of one's own", "bearer: { type: http, scheme: Other }"},
		{"22 HTTPDigest", "bearer: { type: http, scheme: digest }"},
		{"a scheme that has no name", "bearer: { type: http }"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			changed := strings.Replace(string(text), good, tt.scheme, 1)
			if changed == string(text) {
				t.Fatal("the document has no such scheme")
			}
			file := filepath.Join(t.TempDir(), "openapi.yaml")
			if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := codegen.Check(codegen.Options{Spec: file})
			if err == nil {
				t.Fatal("the document is taken")
			}
			for _, part := range []string{file, "#/components/securitySchemes/bearer/", "use basic or bearer"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the refusal does not say %s: %v", part, err)
				}
			}
		})
	}
}
