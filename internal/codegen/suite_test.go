package codegen

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/gatehouse/internal/needtest"
)

// suiteGroup is one schema of JSON-Schema-Test-Suite with its instances.
type suiteGroup struct {
	file        string
	Description string          `json:"description"`
	Schema      json.RawMessage `json:"schema"`
	Tests       []suiteCase     `json:"tests"`
}

type suiteCase struct {
	Description string          `json:"description"`
	Data        json.RawMessage `json:"data"`
	Valid       bool            `json:"valid"`
}

func (g *suiteGroup) name() string { return g.file + ": " + g.Description }

// notCounted are the files that say nothing about what is enforced here: in format.json a format is an annotation (ours is
// asserted, see optional/format), refRemote.json and vocabulary.json need documents from elsewhere.
var notCounted = map[string]bool{"format.json": true, "refRemote.json": true, "vocabulary.json": true}

// refusedSchemas are the schemas of the suite that the generator refuses, with what it says.
var refusedSchemas = map[string]string{}

func readSuite(t *testing.T, pattern string) []*suiteGroup {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	var list []*suiteGroup
	for _, file := range files {
		if notCounted[filepath.Base(file)] {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var groups []*suiteGroup
		if err := json.Unmarshal(data, &groups); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, g := range groups {
			g.file = filepath.Base(file)
		}
		list = append(list, groups...)
	}
	return list
}

// suiteDocument is an OpenAPI document of which each operation takes one schema as its body.
func suiteDocument(groups []*suiteGroup) []byte {
	paths := object{}
	for i, g := range groups {
		var schema any = g.Schema
		var o map[string]json.RawMessage
		if json.Unmarshal(g.Schema, &o) == nil && o != nil && o["$id"] == nil {
			// The references of the suite are relative to the schema: it is a resource of its own.
			o["$id"] = json.RawMessage(fmt.Sprintf(`"https://suite.example/%s/%d"`, g.file, i))
			schema = o
		}
		paths[fmt.Sprintf("/s%d", i)] = object{"post": object{
			"operationId": fmt.Sprintf("s%d", i), "security": []any{}, "x-public-reason": "a test",
			"requestBody": object{"required": true, "content": object{"application/json": object{"schema": schema}}},
			"responses":   object{"204": object{"description": ""}},
		}}
	}
	data, _ := json.Marshal(object{"openapi": "3.1.0", "info": object{"title": "Suite", "version": "0"}, "paths": paths})
	return data
}

// judge returns why a schema is refused, "" where it is not.
func (g *suiteGroup) judge(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "openapi.json")
	if err := os.WriteFile(file, suiteDocument([]*suiteGroup{g}), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := load(Options{Spec: file})
	if err == nil {
		return ""
	}
	faults, ok := err.(Faults)
	if !ok {
		t.Fatalf("%s: %v", g.name(), err)
	}
	return faults[0].Reason
}

func TestJSONSchemaTestSuite(t *testing.T) {
	folder := needtest.Suites(t, "../..", "json-schema/draft2020-12")
	groups := readSuite(t, filepath.Join(folder, "*.json"))
	counted, accepted, elsewhere := 0, 0, []string{}
	var batches [][]*suiteGroup // a URI names one schema in each
	ids := []map[string]bool{}
	for _, g := range groups {
		reason := g.judge(t)
		if strings.Contains(reason, "outside of the document") {
			elsewhere = append(elsewhere, g.name())
			continue
		}
		counted += len(g.Tests)
		if want, listed := refusedSchemas[g.name()]; reason != "" || listed {
			if !listed || !strings.Contains(reason, want) || reason == "" {
				t.Errorf("%s: refused with %q, listed with %q", g.name(), reason, want)
			}
			continue
		}
		accepted += len(g.Tests)
		at := 0
		for at < len(batches) && g.clashes(ids[at]) {
			at++
		}
		if at == len(batches) {
			batches, ids = append(batches, nil), append(ids, map[string]bool{})
		}
		batches[at] = append(batches[at], g)
		g.clashes(ids[at])
	}
	right := 0
	for _, batch := range batches {
		right += runSuite(t, batch)
	}
	t.Logf("schemas that refer to a document that is not in the folder, not counted: %d\n  %s", len(elsewhere), strings.Join(elsewhere, "\n  "))
	t.Logf("%d cases counted; %d belong to accepted schemas (%.1f %%), %d of them answer right; %d schemas refused", counted, accepted, 100*float64(accepted)/float64(counted), right, len(refusedSchemas))
	if 100*accepted < 95*counted || right != accepted {
		t.Error("fewer than 95 % belong to accepted schemas, or one of them answers wrong")
	}
}

// clashes reports whether the schema has an $id that is taken, and takes its own.
func (g *suiteGroup) clashes(ids map[string]bool) bool {
	own := map[string]bool{}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if id, ok := v["$id"].(string); ok {
				own[id] = true
			}
			for _, child := range v {
				walk(child)
			}
		case []any:
			for _, child := range v {
				walk(child)
			}
		}
	}
	var v any
	_ = json.Unmarshal(g.Schema, &v)
	walk(v)
	for id := range own {
		if ids[id] {
			return true
		}
	}
	for id := range own {
		ids[id] = true
	}
	return false
}

// suiteDriver decodes each instance with the row of its operation, and says which were accepted.
const suiteDriver = `package main

import (
	"encoding/json"
	"fmt"
	"os"

	api "example.com/gatehouse/internal/codegen/testdata/%[1]s"
	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/validation"
)

func main() {
	var cases [][]json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		panic(err)
	}
	rows := map[string]guard.Operation{}
	for _, op := range api.Operations() {
		rows[op.ID] = op
	}
	destinations := []func() any{%[2]s}
	answers := make([][]string, len(cases))
	for i, instances := range cases {
		for _, data := range instances {
			v := &validation.Violations{}
			err := rows[fmt.Sprintf("s%%d", i)].Bodies[0].Decode(data, destinations[i](), v)
			if err == nil {
				err = v.Err()
			} else {
				err = fmt.Errorf("not decoded: %%v", err)
			}
			answer := ""
			if err != nil {
				answer = fmt.Sprintf("%%v", err)
			}
			answers[i] = append(answers[i], answer)
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}
`

// runSuite generates from the schemas, compiles, and returns how many instances got the right answer.
func runSuite(t *testing.T, groups []*suiteGroup) (right int) {
	t.Helper()
	dir := moduleFolder(t)
	spec := filepath.Join(t.TempDir(), "openapi.json")
	if err := os.WriteFile(spec, suiteDocument(groups), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Generate(Options{Spec: spec, Out: dir, Package: "api"}); err != nil {
		t.Fatal(err)
	}
	var destinations strings.Builder
	cases := make([][]json.RawMessage, len(groups))
	for i, g := range groups {
		fmt.Fprintf(&destinations, "\n\t\tfunc() any { return new(api.S%dJSONRequestBody) },", i)
		for _, c := range g.Tests {
			cases[i] = append(cases[i], c.Data)
		}
	}
	var answers [][]string
	drive(t, dir, fmt.Sprintf(suiteDriver, filepath.Base(dir), destinations.String()), cases, &answers)
	for i, g := range groups {
		for j, c := range g.Tests {
			if answer := answers[i][j]; (answer == "") != c.Valid || strings.HasPrefix(answer, "not decoded") {
				t.Errorf("%s: %s: valid is %v, got %q for %s", g.name(), c.Description, c.Valid, answer, c.Data)
			} else {
				right++
			}
		}
	}
	return right
}
