package codegen

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mountDriver serves a generated package with Unimplemented, sends each operation a request, and says what it was answered.
const mountDriver = `package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	api "example.com/gatehouse/internal/codegen/testdata/%[1]s"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/ratelimit"
)

// nobody finds every credential bad.
type nobody struct{}

%[2]s

func main() {
	e, limiter := echo.New(), ratelimit.NewMemory(100)
	e.Pre(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			s := guard.NewState(c.Request().Context(), "00ff", netip.MustParseAddr("192.0.2.1"), time.Now())
			c.SetRequest(c.Request().WithContext(s))
			if err := next(c); err != nil {
				return problem.From(err).Write(c.Response(), s.RequestID, problem.Details)
			}
			return nil
		}
	})
	operations := api.Operations()
	router := guard.New(guard.Config{Echo: e, Operations: operations, Schemes: api.Schemes(nobody{}), Limiter: limiter, Realm: "mount", AllowInsecureBasic: true, CheckResponses: true})
	api.RegisterHandlers(router, api.NewStrictHandler(api.Unimplemented{}, []api.StrictMiddlewareFunc{api.Encode}))
	if err := router.Finish(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	answers := map[string]int{}
	for _, op := range operations {
		path := op.Path
		for strings.Contains(path, "{") {
			before, rest, _ := strings.Cut(path, "{")
			_, after, _ := strings.Cut(rest, "}")
			path = before + "1" + after
		}
		r := httptest.NewRequest(op.Method, path, http.NoBody)
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r.WithContext(context.Background()))
		kind := "public"
		switch {
		case op.Denied != "":
			kind = "denied"
		case len(op.Security) > 0:
			kind = "secured"
			for _, a := range op.Security {
				if len(a) == 0 {
					kind = "optional"
				}
			}
		}
		answers[fmt.Sprintf("%%s %%d", kind, w.Code)]++
	}
	_ = json.NewEncoder(os.Stdout).Encode(answers)
}

var _ auth.APIKey
`

// mount serves what was generated into dir and returns how many operations of each kind were answered with each status.
func mount(t *testing.T, dir string) map[string]int {
	t.Helper()
	authenticators := ""
	for _, m := range authenticatorMethods(t, dir) {
		authenticators += fmt.Sprintf("func (nobody) %[1]s(context.Context, api.%[1]sCredential) (*auth.Principal, error) { return nil, auth.ErrInvalidCredential }\n", m)
	}
	var answers map[string]int
	drive(t, dir, fmt.Sprintf(mountDriver, filepath.Base(dir), authenticators), nil, &answers)
	return answers
}

var authenticatorMethod = regexp.MustCompile(`(?m)^\t(\w+)\(ctx context\.Context, credential`)

// authenticatorMethods are the methods of the generated interface Authenticators.
func authenticatorMethods(t *testing.T, dir string) (names []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "operations.gen.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range authenticatorMethod.FindAllStringSubmatch(string(data), -1) {
		names = append(names, m[1])
	}
	return names
}

// mounted demands that each operation of the package is reached, and closed to those who present nothing where the document
// says so. An operation that needs no credential answers that it is not implemented, or what is wrong with the empty request.
func mounted(t *testing.T, dir string, operations int) {
	t.Helper()
	allowed := map[string][]int{"secured": {401}, "denied": {403}, "public": {400, 415, 422, 501}, "optional": {400, 415, 422, 501}}
	total := 0
	answers := mount(t, dir)
	for answer, n := range answers {
		total += n
		var kind string
		var status int
		if _, err := fmt.Sscan(answer, &kind, &status); err != nil || !slices.Contains(allowed[kind], status) {
			t.Errorf("%d operations: %s", n, answer)
		}
	}
	if total != operations {
		t.Errorf("%d operations answered, the document has %d", total, operations)
	}
	t.Logf("mounted and called: %v", strings.TrimPrefix(fmt.Sprint(answers), "map"))
}
