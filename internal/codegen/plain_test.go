package codegen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type plainRow struct {
	name, schema   string
	valid, invalid []string
	held           bool // no Go type can be read into: the value itself is checked in memory
}

func (r plainRow) instances() []string { return slices.Concat(r.valid, r.invalid) }

// plainRows are schemas whose values are read and checked in one pass. The same schemas are checked in memory too where
// something around them asks for it: both ways must give the same answer and the same model.
var plainRows = []plainRow{
	{"an array of arrays", `{"type":"array","items":{"type":"array","items":{"type":"string","maxLength":2},"minItems":1,"maxItems":2},"maxItems":2}`,
		[]string{`[]`, `[["a"],["b","c"]]`}, []string{`[[]]`, `["a"]`, `[["abc"]]`, `[["a","b","c"]]`, `[["a"],["b"],["c"]]`, `[null]`, `{}`}, false},
	{"an array that holds itself", `{"$ref":"#/components/schemas/Tree"}`,
		[]string{`[]`, `[[],[[]]]`}, []string{`1`, `[1]`, `[[[1]]]`}, true},
}

const plainComponents = `{"schemas":{
	"Tree":{"type":"array","items":{"$ref":"#/components/schemas/Tree"}}}}`

// plainDriver answers each body with what both operations of its row say: the first reads it, the second checks it in memory.
const plainDriver = `package main

import (
	"encoding/json"
	"fmt"
	"os"

	api "example.com/gatehouse/internal/codegen/testdata/%[1]s"
	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/validation"
)

type answer struct {
	Model      any
	Kind       string
	Violations []problem.Violation
}

func main() {
	var rows [][]json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&rows); err != nil {
		panic(err)
	}
	operations := map[string]guard.Operation{}
	for _, op := range api.Operations() {
		operations[op.ID] = op
	}
	destinations := map[string]func() any{%[2]s}
	answers := map[string][]answer{}
	for i, bodies := range rows {
		for _, way := range []string{"read", "checked", "patched"} {
			id := fmt.Sprint(way, i)
			for _, body := range bodies {
				var v validation.Violations
				model := destinations[id]()
				err := operations[id].Bodies[0].Decode(body, model, &v)
				if err == nil {
					err = v.Err()
				}
				a := answer{Model: model}
				if err != nil {
					p := problem.From(err)
					a = answer{nil, p.Kind.Title, p.Violations}
				}
				answers[id] = append(answers[id], a)
			}
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}
`

type plainAnswer struct {
	Model      any
	Kind       string
	Violations []struct{ Pointer, Keyword, Detail string }
}

func TestReadingAndCheckingAgree(t *testing.T) {
	answers := runPlain(t)
	for i, row := range plainRows {
		t.Run(row.name, func(t *testing.T) {
			read, checked := answers[fmt.Sprint("read", i)], answers[fmt.Sprint("checked", i)]
			for j, instance := range row.instances() {
				want := ""
				if j >= len(row.valid) {
					want = "Validation failed"
				}
				if a := read[j]; a.Kind != want {
					t.Errorf("%s: got %q %v, want %q", instance, a.Kind, a.Violations, want)
				}
			}
			if diff := cmp.Diff(checked, read); diff != "" {
				t.Errorf("reading differs from checking (-checked +read):\n%s", diff)
			}
		})
	}
}

func runPlain(t *testing.T) map[string][]plainAnswer {
	t.Helper()
	dir := moduleFolder(t)
	paths, destinations, bodies := object{}, "", make([][]json.RawMessage, len(plainRows))
	for i, row := range plainRows {
		for way, around := range map[string]object{"read": {}, "checked": {"maxProperties": 9}, "patched": {}} {
			mediaType := "application/json"
			if way == "patched" {
				mediaType = "application/merge-patch+json"
			}
			schema := object{"type": "object", "additionalProperties": false, "properties": object{"v": json.RawMessage(row.schema)}}
			for keyword, value := range around {
				schema[keyword] = value
			}
			id := fmt.Sprint(way, i)
			paths["/"+id] = object{"post": object{
				"operationId": id, "security": []any{}, "x-public-reason": "a test",
				"requestBody": object{"required": true, "content": object{mediaType: object{"schema": schema}}},
				"responses":   object{"204": object{"description": ""}},
			}}
			model := map[string]string{"read": "Read%dJSONRequestBody", "checked": "Checked%dJSONRequestBody", "patched": "Patched%dApplicationMergePatchPlusJSONRequestBody"}[way]
			destinations += fmt.Sprintf("\n\t\t%q: func() any { return new(api."+model+") },", id, i)
		}
		for _, instance := range row.instances() {
			bodies[i] = append(bodies[i], json.RawMessage(`{"v":`+instance+`}`))
		}
	}
	document, err := json.Marshal(object{"openapi": "3.1.0", "info": object{"title": "Plain", "version": "0"}, "paths": paths, "components": json.RawMessage(plainComponents)})
	if err != nil {
		t.Fatal(err)
	}
	spec := filepath.Join(t.TempDir(), "openapi.json")
	driver := filepath.Join(dir, "driver")
	if err := os.WriteFile(spec, document, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Generate(Options{Spec: spec, Out: dir, Package: "api"}); err != nil {
		t.Fatal(err)
	}
	decoders, err := os.ReadFile(filepath.Join(dir, "decoders.gen.go"))
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, row := range plainRows {
		if row.held {
			held += 2 // in the body that is read, and in the patch
		}
	}
	if n := bytes.Count(decoders, []byte("r.Checked(")); n != held {
		t.Errorf("%d members are checked in memory, want %d", n, held)
	}
	if err := os.Mkdir(driver, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(driver, "main.go"), fmt.Appendf(nil, plainDriver, filepath.Base(dir), destinations), 0o600); err != nil {
		t.Fatal(err)
	}
	input, err := json.Marshal(bodies)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	run := exec.CommandContext(t.Context(), "go", "run", "./"+filepath.Base(dir)+"/driver")
	run.Dir, run.Stdin, run.Stderr = "testdata", bytes.NewReader(input), &stderr
	output, err := run.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var answers map[string][]plainAnswer
	if err := json.Unmarshal(output, &answers); err != nil {
		t.Fatal(err)
	}
	return answers
}
