package codegen

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/gatehouse/internal/needtest"
)

// publicFaults are the faults of the public documents that are refused, of which each must be among those that are told.
var publicFaults = map[string][]string{
	"openai": {
		`properties/range/items/min_items: "min_items" is not a keyword of a schema: write minItems`, // a limit that nobody enforces
		`learning_rate_multiplier/oneOf/1/exclusiveMinimum: must be the bound itself: a number`,      // of OpenAPI 3.0, in a document of 3.1
		`CompoundFilter/$recursiveAnchor: $recursiveAnchor is of an older draft of JSON Schema`,
	},
}

// TestPublicDocuments generates from each public document, compiles what was written, and calls each operation. What those documents leave undeclared
// is theirs: operations without security are made public here.
func TestPublicDocuments(t *testing.T) {
	folders, err := os.ReadDir(needtest.Suites(t, "../..", "openapi"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range folders {
		if !f.IsDir() {
			continue
		}
		n++
		t.Run(f.Name(), func(t *testing.T) {
			spec := specIn(t, filepath.Join(needtest.Suites(t, "../..", "openapi"), f.Name()))
			dir := moduleFolder(t)
			_, err := Generate(Options{Spec: spec, Out: dir, Package: "api", UndeclaredSecurity: "public"})
			if wanted := publicFaults[f.Name()]; wanted != nil {
				for _, fault := range wanted {
					if err == nil || !strings.Contains(err.Error(), fault) {
						t.Errorf("the fault %q is not told, of %d bytes of faults", fault, len(fmt.Sprint(err)))
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := operationsIn(t, spec)
			mounted(t, dir, want)
			if got := rowsIn(t, dir); got != want {
				t.Errorf("%d operations, the document has %d", got, want)
			}
			t.Logf("%d operations, all generated and compiled", want)
		})
	}
	if n != 11 {
		t.Errorf("got %d documents, want 11", n)
	}
}

// moduleFolder returns a folder within the module, so that what is generated into it can be compiled, and within testdata, so that
// ./... passes over it.
func moduleFolder(t *testing.T) string {
	t.Helper()
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("testdata", "tmp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// build compiles the package in a folder.
func build(t *testing.T, dir string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "go", "build", "./"+filepath.Base(dir))
	c.Dir = filepath.Dir(dir)
	if output, err := c.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%.4000s", err, output)
	}
}

// specIn is the document in a folder of the public test data.
func specIn(t *testing.T, folder string) string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); ext == ".json" || ext == ".yaml" || ext == ".yml" {
			return filepath.Join(folder, e.Name())
		}
	}
	t.Fatalf("%s holds no document", folder)
	return ""
}

// operationsIn counts the operations of a document.
func operationsIn(t *testing.T, spec string) int {
	t.Helper()
	l, err := openLibrary(spec)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, path := range l.main.top().get("paths").members() {
		for _, method := range methods {
			if path.value.resolve().get(method).exists() {
				n++
			}
		}
	}
	return n
}

// rowsIn counts the rows of a generated operation table.
func rowsIn(t *testing.T, dir string) int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "operations.gen.go"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(data), ") guard.Operation {\n")
}

// TestLargeDocument generates from a document of 1,000 operations and 2,000 schemas, and compiles it. Its times are told and not
// asserted: they depend on the machine.
func TestLargeDocument(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	spec := filepath.Join(t.TempDir(), "openapi.json")
	if err := os.WriteFile(spec, largeDocument(1000, 2000), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := moduleFolder(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	if _, err := Generate(Options{Spec: spec, Out: dir, Package: "api"}); err != nil {
		t.Fatal(err)
	}
	generated := time.Since(start)
	runtime.ReadMemStats(&after)
	start = time.Now()
	build(t, dir)
	t.Logf("1,000 operations and 2,000 schemas: generated in %.1f s (%d MiB of memory from the system), go build in %.1f s on %d cores",
		generated.Seconds(), (after.Sys-before.Sys)>>20, time.Since(start).Seconds(), runtime.NumCPU())
	if got := rowsIn(t, dir); got != 1000 {
		t.Errorf("%d operations, want 1000", got)
	}
}

// largeDocument is a document of operations that each take and answer two of the schemas.
func largeDocument(operations, schemas int) []byte {
	defined, paths := object{}, object{}
	for i := range schemas {
		properties := object{
			"id":       object{"type": "string", "format": "uuid"},
			"name":     object{"type": "string", "minLength": 1, "maxLength": 100},
			"state":    object{"type": "string", "enum": []string{"draft", "open", "closed"}},
			"amount":   object{"type": "number", "minimum": 0},
			"count":    object{"type": "integer", "format": "int32", "minimum": 0, "maximum": 1000},
			"when":     object{"type": "string", "format": "date-time"},
			"tags":     object{"type": "array", "maxItems": 20, "items": object{"type": "string", "maxLength": 40, "pattern": "^[a-z0-9-]+$"}},
			"note":     object{"type": []string{"string", "null"}, "maxLength": 2000},
			"settings": object{"type": "object", "additionalProperties": object{"type": "string", "maxLength": 100}},
		}
		if i > 0 {
			properties["parent"] = object{"$ref": fmt.Sprintf("#/components/schemas/Thing%d", i-1)}
		}
		if i%10 == 9 {
			properties["either"] = object{"oneOf": []object{{"type": "string", "maxLength": 10}, {"$ref": fmt.Sprintf("#/components/schemas/Thing%d", i-2)}}}
		}
		defined[fmt.Sprintf("Thing%d", i)] = object{"type": "object", "additionalProperties": false, "required": []string{"id", "name"}, "properties": properties}
	}
	for i := range operations {
		ref := func(n int) object { return object{"$ref": fmt.Sprintf("#/components/schemas/Thing%d", n%schemas)} }
		paths[fmt.Sprintf("/things%d/{id}", i)] = object{"put": object{
			"operationId": fmt.Sprintf("putThing%d", i), "security": []object{{"token": []string{}}},
			"parameters": []object{
				{"name": "id", "in": "path", "required": true, "schema": object{"type": "string", "format": "uuid"}},
				{"name": "limit", "in": "query", "schema": object{"type": "integer", "minimum": 1, "maximum": 100}},
			},
			"requestBody": object{"required": true, "content": object{"application/json": object{"schema": ref(2 * i)}}},
			"responses":   object{"200": object{"description": "", "content": object{"application/json": object{"schema": ref(2*i + 1)}}}},
		}}
	}
	data, _ := json.Marshal(object{
		"openapi": "3.1.0", "info": object{"title": "Large", "version": "0"}, "paths": paths,
		"components": object{"schemas": defined, "securitySchemes": object{"token": object{"type": "http", "scheme": "bearer"}}},
	})
	return data
}
