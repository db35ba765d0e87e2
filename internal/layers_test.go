package internal_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// components are the packages of the module, each with its layer. A package below one of these folders belongs to it.
// A component imports only layers below its own, and what `besides` names beside it. Where `only` is set, it imports
// no other component than those.
var components = []struct {
	path    string
	layer   int
	besides []string
	only    []string
}{
	{path: "cmd/gatehouse", layer: 5},
	{path: "cmd/gatehouse-gen", layer: 5, only: []string{"internal/codegen"}},
	{path: "internal/server", layer: 4},
	{path: "internal/items", layer: 3},
	{path: "internal/accounts", layer: 3},
	{path: "internal/oauth", layer: 3},
	{path: "internal/apikeys", layer: 3},
	{path: "internal/auditlog", layer: 3},
	{path: "gen/api", layer: 2, only: []string{
		"internal/auth", "internal/encoding", "internal/guard", "internal/problem", "internal/ratelimit", "internal/validation",
	}},
	{path: "gen/client", layer: 2, only: []string{}},
	{path: "internal/guard", layer: 1, besides: []string{"internal/validation"}},
	{path: "internal/validation", layer: 1},
	{path: "internal/encoding", layer: 1},
	{path: "internal/audit", layer: 1, besides: []string{"internal/sqldb"}},
	{path: "internal/session", layer: 1, besides: []string{"internal/sqldb"}},
	{path: "internal/sqldb", layer: 1},
	{path: "internal/mail", layer: 1},
	{path: "internal/keyset", layer: 1, besides: []string{"internal/validation"}},
	{path: "internal/ceiling", layer: 0, only: []string{}},
	{path: "internal/page", layer: 0, only: []string{}},
	{path: "internal/problem", layer: 0, besides: []string{"internal/page"}},
	{path: "internal/auth", layer: 0},
	{path: "internal/pattern", layer: 0},
	{path: "internal/ratelimit", layer: 0, besides: []string{"internal/problem"}},
	{path: "internal/codegen", layer: 2, only: []string{"internal/ceiling", "internal/pattern", "internal/validation"}},
}

// importedBy are imports that only the named components may have, each with its reason.
var importedBy = []struct {
	path       string
	components []string
	reason     string
}{
	{"example.com/gatehouse/internal/codegen", []string{"cmd/gatehouse-gen"}, "the generator is no part of the service"},
	{"example.com/gatehouse/gen/client", nil, "the client is for consumers and tests"},
	{"github.com/getkin/kin-openapi", []string{"internal/codegen"}, "it reads bodies before authentication: it is for generation and tests"},
	{"github.com/oapi-codegen/oapi-codegen", []string{"internal/codegen"}, "it is for generation"},
	{"github.com/google/go-cmp", nil, "it is for tests: it panics where it is in doubt"},
	{"testing", nil, "it is for tests: it registers flags"},
	{"net/http/pprof", nil, "it serves the memory of the process on the default mux"},
	{"math/rand", nil, "it can be predicted: take an io.Reader of crypto/rand"},
	{"unsafe", nil, "nothing here needs it"},
}

const module = "example.com/gatehouse/"

// component returns the component that the import path belongs to, by the longest path.
func component(importPath string) (int, bool) {
	best, found := 0, false
	for i, c := range components {
		if !within(importPath, module+c.path) || found && len(c.path) < len(components[best].path) {
			continue
		}
		best, found = i, true
	}
	return best, found
}

// within reports whether the import path is that of root or of something below it.
func within(importPath, root string) bool {
	return importPath == root || strings.HasPrefix(importPath, root+"/")
}

// forTests reports whether a package is there for tests alone: its name ends as that of httptest does, or it is
// below a folder of test data. Only tests may import it, so it may import what they may.
func forTests(importPath string) bool {
	return strings.HasSuffix(importPath, "test") || strings.Contains(importPath, "/testdata/")
}

// forbidden returns why the package may not import the other, or nothing.
func forbidden(importer, imported string) string {
	if forTests(importer) {
		return ""
	}
	from, known := component(importer)
	if !known {
		return "has no layer: add it to components, where architecture.md §3 has it"
	}
	if within(imported, module+components[from].path) {
		return ""
	}
	for _, rule := range importedBy {
		if within(imported, rule.path) && !slices.Contains(rule.components, components[from].path) {
			return "may not import " + imported + ": " + rule.reason
		}
	}
	if !strings.HasPrefix(imported, module) {
		return ""
	}
	if forTests(imported) {
		return "may not import " + imported + ": it is for tests"
	}
	to, known := component(imported)
	if !known {
		return "imports " + imported + ", which has no layer: add it to components"
	}
	if only := components[from].only; only != nil && !slices.Contains(only, components[to].path) {
		return fmt.Sprintf("may not import %s: of this module it may import %v", imported, only)
	}
	if components[to].layer < components[from].layer || slices.Contains(components[from].besides, components[to].path) {
		return ""
	}
	return fmt.Sprintf("may not import %s: it is on layer %d, that on layer %d", imported, components[from].layer, components[to].layer)
}

func TestForbidden(t *testing.T) {
	tests := []struct {
		name, importer, imported string
		allowed                  bool
	}{
		{"a resource may import the generated models", "internal/items", "example.com/gatehouse/gen/api", true},
		{"a resource may import the engine", "internal/items", "example.com/gatehouse/internal/sqldb", true},
		{"the guard may use validation", "internal/guard", "example.com/gatehouse/internal/validation", true},
		{"the server may import everything below", "internal/server", "example.com/gatehouse/internal/problem", true},
		{"the generated code may use the guard", "gen/api", "example.com/gatehouse/internal/guard", true},
		{"a package may import its own parts", "internal/sqldb", "example.com/gatehouse/internal/sqldb/migrations", true},
		{"the generator may use kin-openapi", "internal/codegen", "github.com/getkin/kin-openapi/openapi3", true},
		{"a package for tests may import what tests may", "internal/codegen/seconddoctest", "example.com/gatehouse/internal/guard", true},
		{"resources never import each other", "internal/items", "example.com/gatehouse/internal/accounts", false},
		{"a resource may not reach up to the server", "internal/accounts", "example.com/gatehouse/internal/server", false},
		{"the engine may not know a resource", "internal/guard", "example.com/gatehouse/internal/items", false},
		{"the engine may not know the generated code", "internal/guard", "example.com/gatehouse/gen/api", false},
		{"validation may not use the guard", "internal/validation", "example.com/gatehouse/internal/guard", false},
		{"the generated code may not open the database", "gen/api", "example.com/gatehouse/internal/sqldb", false},
		{"the bottom layer imports nothing of ours", "internal/problem", "example.com/gatehouse/internal/auth", false},
		{"a part of a package has the layer of the whole", "internal/guard/limits", "example.com/gatehouse/internal/server", false},
		{"the service may not import the generator", "internal/server", "example.com/gatehouse/internal/codegen", false},
		{"the generator imports nothing of the service", "internal/codegen", "example.com/gatehouse/internal/guard", false},
		{"the generator's command starts no server", "cmd/gatehouse-gen", "example.com/gatehouse/internal/server", false},
		{"the service may not import its client", "internal/server", "example.com/gatehouse/gen/client", false},
		{"kin-openapi is not for the request path", "internal/guard", "github.com/getkin/kin-openapi/openapi3filter", false},
		{"kin-openapi is not for the server either", "internal/server", "github.com/getkin/kin-openapi/openapi3", false},
		{"a longer name is not a part of a shorter one", "internal/audit", "example.com/gatehouse/internal/auditlog", false},
		{"predictable randomness is not for secrets", "internal/apikeys", "math/rand/v2", false},
		{"what is for tests stays in tests", "internal/server", "example.com/gatehouse/internal/sqldb/sqldbtest", false},
		{"a package without a layer is not let through", "internal/misc", "fmt", false},
		{"a package without a layer is not imported", "internal/server", "example.com/gatehouse/internal/misc", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reason := forbidden(module+tt.importer, tt.imported)
			if (reason == "") != tt.allowed {
				t.Errorf("reason %q, want allowed = %t", reason, tt.allowed)
			}
		})
	}
}

// listed is what go list says of a package.
type listed struct {
	ImportPath, Dir, Name string
	GoFiles, Imports      []string
}

// list returns the packages of the module that have more than tests.
func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Name,GoFiles,Imports", "./...")
	cmd.Dir, cmd.Stderr = "..", os.Stderr
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []listed
	decoder := json.NewDecoder(strings.NewReader(string(stdout)))
	for {
		var p listed
		if err := decoder.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) > 0 {
			packages = append(packages, p)
		}
	}
	if len(packages) < 10 {
		t.Fatalf("go list names %d packages: the tests of this package would test nothing", len(packages))
	}
	return packages
}

func TestImports(t *testing.T) {
	var reasons []string
	for _, p := range list(t) {
		for _, imported := range p.Imports {
			if reason := forbidden(p.ImportPath, imported); reason != "" {
				reasons = append(reasons, p.ImportPath+" "+reason)
			}
		}
	}
	if diff := cmp.Diff([]string(nil), reasons); diff != "" {
		t.Error(diff)
	}
}
