package codegen

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readmeRow is a row of the README's table of what is enforced: the words of its columns that stand between backticks.
type readmeRow struct{ enforced, silent, refused []string }

var ticked = regexp.MustCompile("`([^`]+)`")

func readmeTable(t *testing.T) map[string]readmeRow {
	t.Helper()
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(data), "\n## What is enforced\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := map[string]readmeRow{}
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || strings.TrimSpace(cells[1]) == "" || strings.HasPrefix(cells[1], "-") {
			continue
		}
		words := func(cell string) []string {
			var list []string
			for _, m := range ticked.FindAllStringSubmatch(cell, -1) {
				list = append(list, m[1])
			}
			return list
		}
		rows[strings.TrimSpace(cells[1])] = readmeRow{words(cells[2]), words(cells[3]), words(cells[4])}
	}
	return rows
}

func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))); diff != "" {
		t.Errorf("%s (-the generator +the README):\n%s", what, diff)
	}
}

// keywordExamples are schemas that state each keyword that is enforced. The JSON-Schema-Test-Suite proves that they are.
var keywordExamples = map[string]string{
	"type": "type: string", "enum": "enum: [1]", "const": "const: 1",
	"minimum": "minimum: 1", "maximum": "maximum: 1", "exclusiveMinimum": "exclusiveMinimum: 1", "exclusiveMaximum": "exclusiveMaximum: 1", "multipleOf": "multipleOf: 2",
	"minLength": "minLength: 1", "maxLength": "maxLength: 1", "pattern": "pattern: a", "format": "format: uuid",
	"items": "items: { type: string }", "prefixItems": "prefixItems: [{ type: string }]", "minItems": "minItems: 1", "maxItems": "maxItems: 1", "uniqueItems": "uniqueItems: true",
	"contains": "contains: { type: string }", "minContains": "contains: { type: string }, minContains: 2", "maxContains": "contains: { type: string }, maxContains: 2", "unevaluatedItems": "unevaluatedItems: false",
	"properties": "properties: { a: { type: string } }", "patternProperties": "patternProperties: { a: { type: string } }", "additionalProperties": "additionalProperties: false",
	"propertyNames": "propertyNames: { maxLength: 1 }", "unevaluatedProperties": "unevaluatedProperties: false", "required": "required: [a]",
	"dependentRequired": "dependentRequired: { a: [b] }", "dependentSchemas": "dependentSchemas: { a: { required: [b] } }", "minProperties": "minProperties: 1", "maxProperties": "maxProperties: 1",
	"allOf": "allOf: [{ type: string }]", "anyOf": "anyOf: [{ type: string }]", "oneOf": "oneOf: [{ type: string }]", "not": "not: { type: string }",
	"if": "if: { type: string }, then: false", "then": "if: { type: string }, then: { maxLength: 1 }", "else": "if: { type: string }, else: false",
	"discriminator": "oneOf: [{ $ref: '#/components/schemas/Thing' }], discriminator: { propertyName: name }",
	"readOnly":      "type: object, properties: { a: { type: string, readOnly: true } }", "default": "type: object, properties: { a: { type: string, default: b } }",
}

// followed are the keywords that say where a schema is, or which: what they lead to is enforced.
var followed = []string{"$ref", "$defs", "$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$schema"}

// elsewhere are enforced, and not in a request of OpenAPI 3.1: writeOnly in responses, nullable in OpenAPI 3.0.
var elsewhere = []string{"writeOnly", "nullable"}

// silentKeywords are those of JSON Schema that it says to be annotations, besides those of every document.
var silentKeywords = map[string]string{"contentEncoding": "base64", "contentMediaType": "text/plain", "contentSchema": "{ type: string }", "$comment": "Nothing.", "$vocabulary": "{}"}

// keywordsOf are the names of the keywords that a schema, written in one line, is counted with.
func keywordsOf(t *testing.T, schema string) ([]string, error) {
	t.Helper()
	text := strings.Replace(minimal, "schema: { $ref: '#/components/schemas/Thing' }", "schema: { "+schema+" }", 1)
	text = strings.Replace(text, "        - { name: limit, in: query, schema: { type: integer, format: int32, minimum: 1, maximum: 9 } }\n", "", 1)
	text = strings.Replace(text, "schema: { type: string, format: uuid }", "schema: {}", 1)
	l, _, err := load(Options{Spec: writeDocument(t, text)})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, k := range l.matrix().Operations[0].Keywords {
		name, _, _ := strings.Cut(k.Name, " ")
		names = append(names, name)
	}
	return names, nil
}

// TestReadmeKeywords: each keyword that the generator knows stands in one column of the README, and in the right one.
func TestReadmeKeywords(t *testing.T) {
	table := readmeTable(t)
	var enforced, silent, refused []string
	for _, name := range []string{"values", "numbers", "strings", "arrays", "objects", "combinations"} {
		row, found := table[name]
		if !found {
			t.Fatalf("the README has no row %q", name)
		}
		enforced, silent, refused = append(enforced, row.enforced...), append(silent, row.silent...), append(refused, row.refused...)
	}
	known := slices.Concat(bothVersions, only31, annotations)
	same(t, "all keywords", known, slices.Concat(enforced, silent))
	same(t, "keywords that are enforced", slices.Concat(slices.Collect(maps.Keys(keywordExamples)), followed, elsewhere), enforced)
	same(t, "keywords that say nothing", slices.Concat(annotations, slices.Collect(maps.Keys(silentKeywords))), silent)

	for keyword, example := range keywordExamples {
		if names, err := keywordsOf(t, example); err != nil || !slices.Contains(names, keyword) {
			t.Errorf("%s: the report counts %v for { %s }: %v", keyword, names, example, err)
		}
	}
	for keyword, value := range silentKeywords {
		if names, err := keywordsOf(t, keyword+": "+value); err != nil || len(names) > 0 {
			t.Errorf("%s: the report counts %v: %v", keyword, names, err)
		}
	}
	for _, keyword := range annotations {
		if names, err := keywordsOf(t, keyword+": true"); err != nil || len(names) > 0 {
			t.Errorf("%s: the report counts %v: %v", keyword, names, err)
		}
	}
	if len(refused) < 5 {
		t.Errorf("the README names %v as refused", refused)
	}
	for _, keyword := range refused {
		if names, err := keywordsOf(t, keyword+": {}"); err == nil || !strings.Contains(err.Error(), "/schema/"+keyword+": ") {
			t.Errorf("%s is not refused: %v, the report counts %v", keyword, err, names)
		}
	}
	for what, schema := range map[string]string{"a pattern that looks ahead": "pattern: '(?=a)'", "a schema without end": "allOf: [{ $ref: '#/paths/~1things~1{id}/put/requestBody/content/application~1json/schema' }]"} {
		if _, err := keywordsOf(t, schema); err == nil {
			t.Errorf("%s is not refused", what)
		}
	}
	// What a keyword says and what says nothing are told apart by its value too.
	for _, nothing := range []string{"minLength: 0", "minItems: 0", "minProperties: 0", "uniqueItems: false", "additionalProperties: true", "items: {}", "format: password", "required: []", "if: { type: string }", "then: false", "minContains: 2"} {
		if names, err := keywordsOf(t, nothing); err != nil || len(names) > 0 && !cmp.Equal(names, []string{"type"}) {
			t.Errorf("{ %s } is counted as %v: %v", nothing, names, err)
		}
	}
}

// TestReadmeFormatsStylesAndExtensions: these lists of the README are those of the generator.
func TestReadmeFormatsStylesAndExtensions(t *testing.T) {
	table := readmeTable(t)
	same(t, "formats", slices.Concat(slices.Collect(maps.Keys(numericFormats)), slices.Collect(maps.Keys(textFormats))), table["formats"].enforced)
	same(t, "formats that say nothing", silentFormats, table["formats"].silent)
	same(t, "extensions", slices.Collect(maps.Keys(extensions)), table["extensions"].enforced)
	same(t, "headers that OpenAPI ignores", ignoredHeaders, table["parameters"].silent)
	words := []string{"application/json"}
	for place, list := range styles {
		words = append(words, place)
		if len(list) > 1 {
			words = append(words, list...) // header and cookie have one, which is named before
		}
	}
	same(t, "parameters", words, table["parameters"].enforced)
	same(t, "security schemes", []string{"basic", "bearer", "apiKey", "oauth2", "openIdConnect", "mutualTLS"}, table["security"].enforced)
}

// TestReadmeBodiesAndSecurity makes a document of each word of these rows.
func TestReadmeBodiesAndSecurity(t *testing.T) {
	table := readmeTable(t)
	body := func(mediaType string) bodyKind {
		t.Helper()
		schema := "type: object"
		if strings.HasPrefix(mediaType, "text/") {
			schema = "type: string"
		}
		text := strings.Replace(minimal, "application/json:\n            schema: { $ref: '#/components/schemas/Thing' }", mediaType+": { schema: { "+schema+" } }", 1)
		l, _, err := load(Options{Spec: writeDocument(t, text)})
		if err != nil {
			t.Fatalf("%s: %v", mediaType, err)
		}
		return l.document.operations[0].bodies[0].kind
	}
	for _, word := range table["bodies"].enforced {
		if word == "+json" {
			word = "application/vnd.thing+json"
		}
		if kind := body(word); kind == bodyRefused || kind == bodyStream {
			t.Errorf("%s is not checked: it is read as %d", word, kind)
		}
	}
	for _, word := range table["bodies"].refused {
		if kind := body(word); kind != bodyRefused {
			t.Errorf("%s is not answered 415: it is read as %d", word, kind)
		}
	}
	scheme := func(word string) error {
		t.Helper()
		declared, known := map[string]string{
			"apiKey": "type: apiKey, in: header, name: X-Key", "oauth2": "type: oauth2, flows: { clientCredentials: { tokenUrl: /token, scopes: {} } }",
			"openIdConnect": "type: openIdConnect, openIdConnectUrl: 'https://id.example/.well-known/openid-configuration'", "mutualTLS": "type: mutualTLS",
		}[word]
		if !known {
			declared = fmt.Sprintf("type: http, scheme: %s", word)
		}
		_, _, err := load(Options{Spec: writeDocument(t, strings.Replace(minimal, "key: { type: apiKey, in: cookie, name: key }", "key: { "+declared+" }", 1))})
		return err
	}
	for _, word := range table["security"].enforced {
		if err := scheme(word); err != nil {
			t.Errorf("%s is refused: %v", word, err)
		}
	}
	for _, word := range table["security"].refused {
		if err := scheme(word); err == nil {
			t.Errorf("%s is not refused", word)
		}
	}
	if len(table["bodies"].enforced) < 4 || len(table["bodies"].refused) == 0 || len(table["security"].refused) == 0 {
		t.Errorf("the README names no bodies or schemes: %v", table)
	}
}
