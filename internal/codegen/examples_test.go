package codegen

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamplesAreJudged: each wrong example is a warning at its place, wherever the document has it.
func TestExamplesAreJudged(t *testing.T) {
	const (
		prop   = "#/components/schemas/Thing/properties"
		op     = "#/paths/~1things~1{id}/put"
		name   = "name: { type: string, maxLength: 10 }"
		schema = "            schema: { $ref: '#/components/schemas/Thing' }\n"
		limit  = "minimum: 1, maximum: 9 } }"
		done   = "'204': { description: Done. }"
		answer = "'200': { description: Done., content: { application/json: { schema: { $ref: '#/components/schemas/Thing' }"
		member = "      properties:\n"
	)
	for _, row := range []struct {
		name     string
		old, new string
		want     []string
	}{
		{"right ones", schema, schema + "            example: { name: a, size: 0.5 }\n", nil},
		{"of a schema", name, "name: { type: string, maxLength: 3, example: abcd }", []string{"29: " + prop + "/name/example: the example is refused by its schema: must have at most 3 characters (maxLength)"}},
		{"the second of a schema", name, "name: { type: string, maxLength: 3, examples: [abc, abcd] }", []string{"29: " + prop + "/name/examples/1: the example is refused by its schema: must have at most 3 characters (maxLength)"}},
		{"of a request", schema, schema + "            example: { name: a, size: 2 }\n", []string{"17: " + op + "/requestBody/content/application~1json/example/size: the example is refused by its schema: must be at most 1 (maximum)"}},
		{"one that lacks a member", schema, schema + "            example:\n              size: 1\n", []string{"17: " + op + "/requestBody/content/application~1json/example/name: the example is refused by its schema: is required (required)"}},
		{"several things at once", schema, schema + "            example:\n              nome: a\n              size: big\n", []string{
			"17: " + op + "/requestBody/content/application~1json/example/name: the example is refused by its schema: is required (required)",
			"18: " + op + "/requestBody/content/application~1json/example/nome: the example is refused by its schema: is not a member of this object (additionalProperties)",
			"19: " + op + "/requestBody/content/application~1json/example/size: the example is refused by its schema: must be a number (type)"}},
		{"by name, of a request", schema, schema + "            examples:\n              good: { value: { name: a } }\n              bad:\n                value: { name: 1 }\n", []string{"20: " + op + "/requestBody/content/application~1json/examples/bad/value/name: the example is refused by its schema: must be a string (type)"}},
		{"by reference", "components:\n", "components:\n  examples: { bad: { value: { name: 1 } } }\n", nil}, // nobody uses it
		{"a name without a value", schema, schema + "            examples: { bad: { name: a } }\n", []string{"17: " + op + "/requestBody/content/application~1json/examples/bad: the example has no value: write { value: … }"}},
		{"examples that are a list", schema, schema + "            examples: [{ name: a }]\n", []string{"17: " + op + "/requestBody/content/application~1json/examples: must be a mapping of names to examples"}},
		{"example and examples", schema, schema + "            example: { name: a }\n            examples: { b: { value: { name: a } } }\n", []string{"18: " + op + "/requestBody/content/application~1json/examples: example and examples exclude each other: leave one out"}},
		{"of a parameter", limit, "minimum: 1, maximum: 9 }, example: 10 }", []string{"11: " + op + "/parameters/1/example: the example is refused by its schema: must be at most 9 (maximum)"}},
		{"a text for a number", limit, "minimum: 1, maximum: 9 }, example: '5' }", []string{"11: " + op + "/parameters/1/example: the example is refused by its schema: must be an integer (type)"}},
		{"of a response", done, answer + ", example: { name: 5 } } } }", []string{"18: " + op + "/responses/200/content/application~1json/example/name: the example is refused by its schema: must be a string (type)"}},
		{"of a header", done, "'204': { description: Done., headers: { X-A: { schema: { type: integer }, example: a } } }", []string{"18: " + op + "/responses/204/headers/X-A/example: the example is refused by its schema: must be an integer (type)"}},
		{"a request with what only responses have", member, "      example: { name: a, id: b }\n" + member + "        id: { type: string, readOnly: true }\n", nil},
		{"a body with what only responses have", schema, "            schema: { type: object, properties: { id: { type: string, readOnly: true } } }\n            example: { id: a }\n", []string{"17: " + op + "/requestBody/content/application~1json/example/id: the example is refused by its schema: is read-only: leave it out of requests (readOnly)"}},
		{"a body without what only responses have", schema, "            schema: { type: object, required: [id], properties: { id: { type: string, readOnly: true } } }\n            example: {}\n", nil},
		{"a response with what only requests have", done, "'200': { description: Done., content: { application/json: { schema: { type: object, properties: { password: { type: string, writeOnly: true } } }, example: { password: a } } } }", []string{"18: " + op + "/responses/200/content/application~1json/example/password: the example is refused by its schema: is write-only: leave it out of responses (writeOnly)"}},
		{"a response without what it must have", done, "'200': { description: Done., content: { application/json: { schema: { type: object, required: [id], properties: { id: { type: string, readOnly: true } } }, example: {} } } }", []string{"18: " + op + "/responses/200/content/application~1json/example/id: the example is refused by its schema: is required (required)"}},
		{"a merge patch, which may leave out a member", "          application/json:\n" + schema, "          application/merge-patch+json:\n            schema: { type: object, properties: { a: { type: string, default: x } } }\n            example: {}\n", nil},
		{"of a form", "          application/json:\n" + schema, "          application/x-www-form-urlencoded:\n" + schema + "            example: { name: 5 }\n", []string{"17: " + op + "/requestBody/content/application~1x-www-form-urlencoded/example/name: the example is refused by its schema: must be a string (type)"}},
		{"XML as XML writes it", done, "'200': { description: Done., content: { application/xml: { schema: { $ref: '#/components/schemas/Thing' }, example: '<a/>' } } }", nil},
		{"JSON as a text", done, answer + ", example: '{\"name\": \"a\"}' } } }", []string{"18: " + op + "/responses/200/content/application~1json/example: the example is refused by its schema: must be an object (type)"}},
		{"a number that JSON does not have", schema, schema + "            example: { name: a, size: .inf }\n", []string{"17: " + op + "/requestBody/content/application~1json/example: the example has no form in JSON: line 17: write the number as JSON does"}},
		{"of an alternative, in the words of the one that it resembles", name, "name: { oneOf: [{ type: integer }, { type: object, required: [a] }], example: { b: 1 } }", []string{"29: " + prop + "/name/example/a: the example is refused by its schema: is required (required)"}},
		{"a date that does not exist", name, "name: { type: string, format: date, example: 2026-02-30 }", []string{"29: " + prop + "/name/example: the example is refused by its schema: must be a date such as 2026-01-31 (format)"}},
		{"a right date", name, "name: { type: string, format: date, example: 2026-02-28 }", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			if !strings.Contains(minimal, row.old) {
				t.Fatalf("the document does not hold %q", row.old)
			}
			got := told(t, strings.Replace(minimal, row.old, row.new, 1))
			var want []string
			for _, w := range row.want {
				want = append(want, "!"+w)
			}
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// TestDefaultsThatAreFilledIn: only what the schema accepts is filled in, spelled as the model can read it.
func TestDefaultsThatAreFilledIn(t *testing.T) {
	const name = "name: { type: string, maxLength: 10 }"
	for _, row := range []struct {
		name, new string
		want      string // in the decoders or the checks, "" for nothing
		warning   string
	}{
		{"a right one", "name: { type: string, maxLength: 10 }\n        state: { type: string, default: new }", "= \"new\"", ""},
		{"an integer with a fraction of nothing", "name: { type: string }\n        n: { type: integer, default: 3.0 }", "= int(3)", ""},
		{"a time in small letters", "name: { type: string }\n        t: { type: string, format: date-time, default: '2026-01-01t00:00:00z' }", `c.Default(v, "t", "\"2026-01-01T00:00:00Z\"")`, ""},
		{"a text for a number", "name: { type: string }\n        n: { type: integer, default: '3' }", "", "30: #/components/schemas/Thing/properties/n/default: the default is not filled in, because its schema refuses it: must be an integer (type)"},
		{"null", "name: { type: string }\n        n: { type: string, default: null }", "", "30: #/components/schemas/Thing/properties/n/default: the default is not filled in, because its schema refuses it: must be a string (type)"},
		{"one out of bounds", "name: { type: string }\n        n: { type: integer, maximum: 3, default: 4 }", "", "30: #/components/schemas/Thing/properties/n/default: the default is not filled in, because its schema refuses it: must be at most 3 (maximum)"},
		{"one that is taken over", "name: { type: string }\n        n: { $ref: '#/components/schemas/N' }", "= N(4)", ""},
		{"one that is taken over and refused", "name: { type: string }\n        n: { $ref: '#/components/schemas/N', maximum: 3 }", "", "30: #/components/schemas/Thing/properties/n: the default of what it refers to is not filled in, because this schema refuses it: must be at most 3 (maximum)"},
		{"an object that lacks a member", "name: { type: string }\n        n: { type: object, required: [a], properties: { a: { type: string } }, default: {} }", "", "30: #/components/schemas/Thing/properties/n/default/a: the default is not filled in, because its schema refuses it: is required (required)"},
	} {
		t.Run(row.name, func(t *testing.T) {
			text := strings.Replace(minimal, name, row.new, 1)
			if strings.Contains(row.new, "schemas/N'") {
				text += "    N: { type: integer, format: int32, default: 4 }\n"
			}
			spec := writeDocument(t, text)
			out := t.TempDir()
			warnings, err := Generate(Options{Spec: spec, Out: out, Package: "things"})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.ReplaceAll(strings.Join(warnings, "\n"), spec+":", ""); got != row.warning {
				t.Errorf("got the warning %q, want %q", got, row.warning)
			}
			var written string
			for _, file := range []string{"decoders.gen.go", "checks.gen.go"} {
				data, err := os.ReadFile(filepath.Join(out, file))
				if err != nil {
					t.Fatal(err)
				}
				written += string(data)
			}
			if row.want != "" && !strings.Contains(written, row.want) || row.want == "" && (strings.Contains(written, "c.Default(") || strings.Contains(written, "r.FillsDefaults()")) {
				t.Errorf("want %q in:\n%s", row.want, written)
			}
		})
	}
}
