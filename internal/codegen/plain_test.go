package codegen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type plainRow struct {
	name, schema   string
	valid, invalid []string
	held           bool // no Go type can be read into: the value itself is checked in memory
}

func (r plainRow) instances() []string { return slices.Concat(r.valid, r.invalid) }

const manyValues = `["v0","v1","v2","v3","v4","v5","v6","v7","v8","v9","v10","v11","v12","v13","v14","v15","v16","v17","v18","v19",
	"v20","v21","v22","v23","v24","v25","v26","v27","v28","v29","v30","v31","v32","v33","v34","v35","v36","v37","v38","v39"]`

// plainRows are schemas whose values are read and checked in one pass. The same schemas are checked in memory too where
// something around them asks for it: both ways must give the same answer and the same model.
var plainRows = []plainRow{
	{"an array of arrays", `{"type":"array","items":{"type":"array","items":{"type":"string","maxLength":2},"minItems":1,"maxItems":2},"maxItems":2}`,
		[]string{`[]`, `[["a"],["b","c"]]`}, []string{`[[]]`, `["a"]`, `[["abc"]]`, `[["a","b","c"]]`, `[["a"],["b"],["c"]]`, `[null]`, `{}`}, false},
	{"an array that holds itself", `{"$ref":"#/components/schemas/Tree"}`,
		[]string{`[]`, `[[],[[]]]`}, []string{`1`, `[1]`, `[[[1]]]`}, true},
	{"a map of texts", `{"type":"object","additionalProperties":{"type":"string","minLength":1},"minProperties":1,"maxProperties":2}`,
		[]string{`{"a":"b"}`, `{"":"x","a/b~c":"y"}`}, []string{`{}`, `{"a":""}`, `{"a":1}`, `{"a":"b","c":"d","e":"f"}`, `[]`, `null`, `{"a/b~c":""}`, `{"` + strings.Repeat("a", 65) + `":1}`}, false},
	{"a map of maps of arrays", `{"type":"object","additionalProperties":{"type":"object","additionalProperties":{"type":"array","items":{"type":"integer"}}}}`,
		[]string{`{}`, `{"a":{}}`, `{"a":{"b":[1,2]},"c":{"d":[]}}`}, []string{`{"a":[]}`, `{"a":{"b":{}}}`, `{"a":{"b":[9223372036854775808]}}`}, false},
	{"a map of objects", `{"type":"object","additionalProperties":{"$ref":"#/components/schemas/Point"}}`,
		[]string{`{}`, `{"a":{"x":1},"b":{"x":2,"y":3}}`}, []string{`{"a":{}}`, `{"a":{"x":1,"z":1}}`, `{"a":{"x":"1"}}`}, false},
	{"an object with defaults", `{"$ref":"#/components/schemas/Settings"}`,
		[]string{`{}`, `{"text":"z","choice":"a","count":2,"share":0.25,"on":false,"maybe":null}`, `{"maybe":"m"}`},
		[]string{`{"text":1}`, `{"choice":"c"}`, `{"count":3000000000}`, `{"share":"1"}`, `{"on":0}`, `{"other":1}`}, false},
	{"texts of an enum that are too long", `{"type":"string","enum":["a","bc"],"maxLength":1}`,
		[]string{`"a"`}, []string{`"b"`, `"bc"`, `1`}, true},
	{"a UUID", `{"type":"string","format":"uuid"}`,
		[]string{`"01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f"`, `"01935840-1C2B-7D3E-9F40-5A6B7C8D9E0F"`},
		[]string{`""`, `"01935840-1c2b-7d3e-9f40-5a6b7c8d9e0"`, `"01935840-1c2b-7d3e-9f40-5a6b7c8d9e0g"`, `"019358401c2b7d3e9f405a6b7c8d9e0f0000"`, `"{01935840-1c2b-7d3e-9f40-5a6b7c8d9e0}"`, `1`}, false},
	{"UUIDs that differ in case alone are not the same element", `{"type":"array","uniqueItems":true,"items":{"type":"string","format":"uuid"}}`,
		[]string{`["01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f","01935840-1C2B-7D3E-9F40-5A6B7C8D9E0F"]`},
		[]string{`["01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f","01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f"]`}, true},
	{"dates may not be the same element", `{"type":"array","uniqueItems":true,"items":{"type":"string","format":"date"}}`,
		[]string{`[]`, `["2026-11-28","2026-11-29"]`}, []string{`["2026-11-28","2026-11-28"]`, `["2026-11-28","x"]`}, false},
	{"elements beyond the enum are not the same element", `{"type":"array","uniqueItems":true,"maxItems":3,"items":{"type":"string","enum":["a","b","c"]}}`,
		[]string{`[]`, `["a","c"]`}, []string{`["x","y"]`, `["a","b","a"]`}, false},
	{"elements of the wrong type are not the same element", `{"type":"array","uniqueItems":true,"items":{"type":"string","maxLength":1}}`,
		[]string{`[]`, `["a","c"]`}, []string{`[1,2]`, `[{},[]]`, `["aa","bb"]`}, false},
	{"an enum of many values", `{"type":"string","enum":` + manyValues + `}`,
		[]string{`"v0"`, `"v39"`}, []string{`"v40"`, `""`, `"v"`}, false},
	{"what is of the wrong type breaks no other keyword", `{"type":"array","items":{"type":"object","additionalProperties":false,"properties":{"n":{"type":"integer","minimum":5,"maximum":9},"f":{"type":"number","exclusiveMinimum":5},"s":{"type":"string","minLength":5,"pattern":"^a"},"l":{"type":"array","minItems":1,"items":{"type":"string"}},"m":{"type":"object","minProperties":1,"additionalProperties":{"type":"string"}}}}}`,
		[]string{`[{"n":5,"f":5.1,"s":"aaaaa","l":["b"],"m":{"c":"d"}},{}]`},
		[]string{`[{"n":"1"},{"n":1}]`, `[{"n":5},{"f":1e999}]`, `[{"s":"aaaaa"},{"s":1}]`, `[{"s":"b"},{"l":{},"m":[]}]`, `[{"l":[],"m":{}}]`, `[{"l":[1],"m":{"a":1}}]`}, false},
	{"a date-time", `{"type":"string","format":"date-time"}`,
		[]string{`"2026-01-31T12:00:00Z"`, `"2026-01-31t12:00:00.123456789z"`, `"2026-01-31T12:00:00-05:30"`, `"2016-12-31T23:59:60Z"`},
		[]string{`"2026-01-31"`, `"2026-02-30T12:00:00Z"`, `"2026-01-31T12:00:00"`, `"2026-01-31T12:00:60Z"`, `"9999-12-31T23:59:60Z"`, `1`}, false},
	{"formats that are texts in Go", `{"type":"object","additionalProperties":false,"properties":{"uri":{"type":"string","format":"uri"},"ipv4":{"type":"string","format":"ipv4"},"ipv6":{"type":"string","format":"ipv6"},"hostname":{"type":"string","format":"hostname"},"time":{"type":"string","format":"time"},"duration":{"type":"string","format":"duration"},"pointer":{"type":"string","format":"json-pointer"},"regex":{"type":"string","format":"regex"},"email":{"type":"string","format":"email"}}}`,
		[]string{`{"uri":"https://example.com/","ipv4":"192.0.2.1","ipv6":"::1","hostname":"example.com","time":"12:00:00Z","duration":"P1D","pointer":"/a","regex":"^a$","email":"a@example.com"}`},
		[]string{`{"uri":"/a"}`, `{"ipv4":"192.0.2.256"}`, `{"ipv6":"::g"}`, `{"hostname":"-a"}`, `{"time":"12:00"}`, `{"duration":"1D"}`, `{"pointer":"a"}`, `{"regex":"("}`, `{"email":"a"}`}, false},
}

const plainComponents = `{"schemas":{
	"Tree":{"type":"array","items":{"$ref":"#/components/schemas/Tree"}},
	"Point":{"type":"object","additionalProperties":false,"required":["x"],"properties":{"x":{"type":"number"},"y":{"type":"number"}}},
	"Settings":{"type":"object","additionalProperties":false,"properties":{
		"text":{"type":"string","default":"a \"b\""},"choice":{"type":"string","enum":["a","b"],"default":"b"},"count":{"type":"integer","format":"int32","default":-7},
		"share":{"type":"number","default":1.5e-1},"on":{"type":"boolean","default":true},"maybe":{"type":["string","null"],"default":"x"}}}}}`

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
	t.Run("defaults are filled in, but not into a merge patch", func(t *testing.T) {
		row := slices.IndexFunc(plainRows, func(r plainRow) bool { return strings.Contains(r.schema, "Settings") })
		filled := map[string]any{"text": `a "b"`, "choice": "b", "count": -7.0, "share": 0.15, "on": true, "maybe": "x"}
		for way, want := range map[string]map[string]any{"read": filled, "checked": filled, "patched": {}} {
			if diff := cmp.Diff(any(map[string]any{"v": want}), answers[fmt.Sprint(way, row)][0].Model); diff != "" {
				t.Errorf("%s {} (-want +got):\n%s", way, diff)
			}
		}
	})
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
	var answers map[string][]plainAnswer
	drive(t, dir, fmt.Sprintf(plainDriver, filepath.Base(dir), destinations), bodies, &answers)
	return answers
}
