package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheck: what fails check, and how its answer ends.
func TestCheck(t *testing.T) {
	const document = `openapi: 3.1.0
info: { title: A, version: '1' }
paths:
  /a:
    get:
      operationId: getA
      summary: Get it
      description: It is got.
      tags: [a]
      security: [{ token: [] }]
      responses:
        '204': { description: Done. }
components:
  securitySchemes:
    token: { type: http, scheme: bearer }
`
	for _, row := range []struct {
		name     string
		old, new string
		check    check
		want     []string // in the error; none where there is none
	}{
		{"a secured operation without 401 and 403", "", "", check{Undeclared: "refuse"}, []string{
			"openapi.yaml:5: #/paths/~1a/get: the operation can answer 400, 401, 403, 422, 500, 503, which its responses do not declare: declare it, or run gatehouse-gen check --add-problem-responses\n",
			"openapi.yaml: 1 fault, 0 warnings"}},
		{"the same of somebody else", "", "", check{Undeclared: "deny"}, nil},
		{"the same, completed", "", "", check{Undeclared: "refuse", Add: true}, nil},
		{"two faults", "type: http, scheme: bearer", "type: htp, schema: bearer", check{Undeclared: "deny"}, []string{`"htp" is no type of a security scheme`, `requires the scheme "token", which is not declared`, "openapi.yaml: 2 faults, 0 warnings"}},
		{"two faults, before anything is added", "type: http, scheme: bearer", "type: htp, schema: bearer", check{Undeclared: "deny", Add: true}, []string{`"htp" is no type of a security scheme`, `requires the scheme "token", which is not declared`, "nothing was added"}},
		{"a warning", "      summary: Get it\n", "", check{Undeclared: "refuse", Add: true}, []string{"openapi.yaml: no faults, 1 warning"}},
		{"a text that is not YAML", "paths:\n", "paths: {\n", check{Undeclared: "refuse"}, []string{"is not YAML or JSON"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.check.Spec = filepath.Join(t.TempDir(), "openapi.yaml")
			if err := os.WriteFile(row.check.Spec, []byte(strings.Replace(document, row.old, row.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			err := row.check.Run()
			if (err == nil) != (row.want == nil) {
				t.Fatalf("got %v, want %q", err, row.want)
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in:\n%v", want, err)
				}
			}
		})
	}
}
