package codegen

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// told judges a document as its author does, and returns what is said of it, without the name of the file. Warnings begin with
// an exclamation mark. A document of somebody else is not asked for examples and statuses.
func told(t *testing.T, text string) []string {
	t.Helper()
	spec := filepath.Join(t.TempDir(), "openapi.yaml")
	if err := os.WriteFile(spec, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	warnings, err := Check(Options{Spec: spec, UndeclaredSecurity: "deny"})
	var list []string
	for _, w := range warnings {
		list = append(list, "!"+strings.TrimPrefix(w, spec+":"))
	}
	if faults, ok := err.(Faults); ok {
		for _, f := range faults {
			list = append(list, strings.TrimPrefix(f.String(), spec+":"))
		}
	} else if err != nil {
		list = append(list, strings.TrimPrefix(err.Error(), spec+":"))
	}
	return list
}

// TestWhatTheAuthorIsTold: every fault has its line, its pointer, what is wrong and what to write.
func TestWhatTheAuthorIsTold(t *testing.T) {
	const (
		name, size = "name: { type: string, maxLength: 10 }", "size: { type: number, format: double, minimum: 0, maximum: 1 }"
		id         = "        - { name: id, in: path, required: true, schema: { type: string, format: uuid } }\n"
		key        = "key: { type: apiKey, in: cookie, name: key }"
		body       = "            schema: { $ref: '#/components/schemas/Thing' }\n"
		op         = "#/paths/~1things~1{id}/put"
		prop       = "#/components/schemas/Thing/properties"
		old        = "openapi: 3.1.0\n"
		legacy     = "openapi: 3.0.3\n"
	)
	for _, row := range []struct {
		name     string
		old, new string // what is changed in minimal; new alone is the whole document
		want     []string
	}{
		// The text.
		{"nothing", "", "", []string{"1: is empty"}},
		{"a comment", "", "# To do\n", []string{"1: is empty"}},
		{"a list", "", "- openapi\n", []string{"1: is not an OpenAPI document: its top level must be a mapping"}},
		{"another encoding", "Things", "Th\xefngs", []string{" is not UTF-8: save it in that encoding"}},
		{"a tab", "      operationId: putThing", "\toperationId: putThing", []string{"6: is not YAML: a tab cannot indent: write spaces"}},
		{"a brace that stays open", "version: '1' }", "version: '1'", []string{"2: is not YAML or JSON: did not find expected ',' or '}'"}},
		{"a colon in a text", "description: Done.", "description: Done: yes", []string{"18: is not YAML or JSON: did not find expected ',' or '}'"}},
		{"a line too far to the left", "      operationId: putThing", "     operationId: putThing", []string{"7: is not YAML or JSON: mapping values are not allowed in this context"}},
		{"an anchor that is not there", body, "            schema: *thing\n", []string{"16: is not YAML or JSON: unknown anchor 'thing' referenced"}},
		{"an anchor that holds itself", name, "name: { type: array, maxItems: 1, items: &it { not: *it } }", []string{"29: " + prop + "/name/items/not: the anchor it holds itself: write a $ref"}},
		{"aliases of aliases of aliases", "components:\n", bomb + "components:\n", []string{" has aliases that stand for more than ten times its size: write $refs"}},
		{"a second document", "components:\n", "---\ncomponents:\n", []string{"19: holds a second YAML document, which would be passed over: remove the line ---"}},
		{"a member twice", "      operationId: putThing\n", "      operationId: putThing\n      operationId: put\n", []string{"7: " + op + `/operationId: the member "operationId" occurs twice in this mapping: remove one of them`}},
		{"a merge key", name, "name: { <<: { type: string } }", []string{"29: " + prop + "/name/<<: a merge key is not of YAML 1.2, and other tools would read another document: write the members out"}},
		{"a key that is a list", "    Thing:\n", "    ? [a]\n    : {}\n    Thing:\n", []string{"24: #/components/schemas/: the name of a member must be a string"}},
		// The document.
		{"Swagger 2.0", old, "swagger: '2.0'\n", []string{"1: #/swagger: this is a document of Swagger 2.0, with other members: convert it to OpenAPI 3.0 or 3.1"}},
		{"OpenAPI 3.2", old, "openapi: 3.2.0\n", []string{`1: #/openapi: the version is "3.2.0": OpenAPI 3.0 and 3.1 can be read`}},
		{"a version of two numbers", old, "openapi: 3.1\n", []string{`1: #/openapi: the version is "3.1": write 3.1.0, as a string of three numbers`}},
		{"no version", old, "", []string{"1: #/openapi: the document does not say its version: write openapi: 3.1.0"}},
		{"no info", "info: { title: Things, version: '1' }\n", "", []string{"!1: #: the document has no info, which OpenAPI demands"}},
		{"no title", "title: Things, ", "", []string{"!2: #/info: info has no title, which OpenAPI demands"}},
		{"no paths", "", old + "info: { title: A, version: '1' }\n", []string{"1: #: the document has no paths"}},
		{"empty paths", "", old + "info: { title: A, version: '1' }\npaths: {}\n", []string{"!3: #/paths: the document has no operations"}},
		{"paths that say nothing", "", old + "info: { title: A, version: '1' }\npaths:\n", []string{"3: #/paths: is empty: it must be a mapping of names to paths"}},
		{"paths that are a list", "", old + "info: { title: A, version: '1' }\npaths: []\n", []string{"3: #/paths: must be a mapping of names to paths"}},
		{"a reference to nothing in a component that nobody uses", "components:\n", "components:\n  responses:\n    Gone: { $ref: '#/components/responses/gone' }\n", []string{"21: #/components/responses/Gone/$ref: refers to \"#/components/responses/gone\", which is not declared: declare it or correct the name: Gone is declared"}},
		{"a method that HTTP does not have", "    put:\n", "    fetch: {}\n    put:\n", []string{"5: #/paths/~1things~1{id}/fetch: \"fetch\" has no place in a path: correct its name or remove it"}},
		{"an operationId twice", "components:\n", another("putThing", "") + "components:\n", []string{"20: #/paths/~1more/get/operationId: the operationId \"putThing\" is used twice: choose another"}},
		{"a Go name twice", "components:\n", another("more", "x-go-name: PutThing, ") + "components:\n", []string{"20: #/paths/~1more/get/x-go-name: the Go name PutThing is taken: choose another"}},
		{"a Go name that is none", "      operationId: putThing\n", "      operationId: putThing\n      x-go-name: put\n", []string{"7: " + op + "/x-go-name: x-go-name must be an exported Go identifier of letters and digits, such as Invoice"}},
		{"a Go name of two schemas", "    Thing:\n", "    A: { type: string, x-go-name: B }\n    C: { type: string, x-go-name: B }\n    Thing:\n", []string{"25: #/components/schemas/C/x-go-name: the Go name B is taken: choose another"}},
		// Security.
		{"security that is a mapping", "- token: [write]", "  token: [write]", []string{"7: " + op + "/security: must be a list of alternatives: write - before the name of the scheme"}},
		{"security that is a text", "- token: [write]", "- token", []string{"8: " + op + "/security/0: must be a mapping of schemes to lists of scopes: write { token: [] }"}},
		{"a scope that is a text", "- token: [write]", "- token: write", []string{"8: " + op + "/security/0/token: must be the list of the scopes that the scheme must hold, [] for none"}},
		{"a scheme without scopes or []", "- token: [write]", "- token:", []string{"8: " + op + "/security/0/token: must be the list of the scopes that the scheme must hold, [] for none"}},
		{"roles in OpenAPI 3.0", "", strings.NewReplacer(old, legacy, "- token: [write]", "- key: [write]").Replace(minimal), []string{"8: " + op + "/security/0/key/0: OpenAPI 3.0 has no scopes of a scheme that is neither oauth2 nor openIdConnect: write openapi: 3.1.0, or []"}},
		{"mutualTLS in OpenAPI 3.0", "", strings.NewReplacer(old, legacy, key, "key: { type: mutualTLS }").Replace(minimal), []string{"22: #/components/securitySchemes/key/type: mutualTLS is a scheme of OpenAPI 3.1: write openapi: 3.1.0"}},
		{"a scheme without a place", key, "key: { type: apiKey, name: key }", []string{"22: #/components/securitySchemes/key/in: an API key can be in header, query or cookie"}},
		{"scopes of a scheme that are a text", key, "key: { type: apiKey, in: cookie, name: key, x-scopes: write }", []string{"22: #/components/securitySchemes/key/x-scopes: must be a list of scopes, such as ['items:read']"}},
		{"a flow without its URL", "tokenUrl: /token, ", "", []string{"!21: #/components/securitySchemes/token/flows/password: an OAuth 2.0 flow has no tokenUrl, which OpenAPI demands"}},
		// Requests.
		{"a parameter that says nothing", id, id + "        -\n", []string{"11: " + op + "/parameters/1: must be a mapping: it is a parameter"}},
		{"parameters that are a mapping", "      parameters:\n", "      parameters: {}\n      x-parameters:\n", []string{"! extensions that say nothing here: x-parameters (1 times)", "5: " + op + ": the path has {id}, which no parameter declares: declare it with in: path", "9: " + op + "/parameters: must be a list of parameters"}},
		{"a parameter without a place", "name: limit, in: query,", "name: limit,", []string{"11: " + op + "/parameters/1/in: a parameter can be in path, query, header or cookie"}},
		{"a header twice, in another case", id, id + "        - { name: X-A, in: header, schema: { type: boolean } }\n        - { name: x-a, in: header, schema: { type: boolean } }\n", []string{"12: " + op + "/parameters/2: the parameter x-a is declared twice: remove one of them"}},
		{"a brace that nothing opens", "/things/{id}:", "/things/{id}}:", []string{"5: #/paths/~1things~1{id}}/put: the path closes a { that it does not open"}},
		{"a parameter of the path that the path does not have", "    put:\n", "    parameters: [{ name: other, in: path, required: true, schema: { type: string } }]\n    put:\n", []string{"5: #/paths/~1things~1{id}/parameters/0: the path has no {other}"}},
		{"a body that says nothing", "        required: true\n        content:\n          application/json:\n" + body, "", []string{"12: " + op + "/requestBody: must be a mapping: it is a request body"}},
		{"a response that says nothing", "'204': { description: Done. }", "'204':", []string{"18: " + op + "/responses/204: must be a mapping: it is a response"}},
		{"a response without a description", "'204': { description: Done. }", "'204': {}", []string{"!18: " + op + "/responses/204: a response has no description, which OpenAPI demands"}},
		{"a status of two digits", "'204'", "'20'", []string{"18: " + op + `/responses/20: "20" is not a status: write three digits, such as '4XX', or default`}},
		// Schemas.
		{"a keyword on a line of its own", name, "name:\n          type: string\n          max_length:\n            10", []string{"31: " + prop + `/name/max_length: "max_length" is not a keyword of a schema: write maxLength`}},
		{"properties that are a list", name, "name: { properties: [a] }", []string{"29: " + prop + "/name/properties: must be a mapping of names to schemas"}},
		{"dependent members that are a text", name, "name: { dependentRequired: { a: b } }", []string{"29: " + prop + "/name/dependentRequired/a: must be a list of strings"}},
		{"a pattern that is a number", name, "name: { type: string, pattern: 5 }", []string{"29: " + prop + "/name/pattern: must be a string: write it between single quotes"}},
		{"a pattern with a lookahead", name, "name: { type: string, pattern: '^(?!.*--)[a-z-]+$' }", []string{"29: " + prop + "/name/pattern: the pattern has a negative lookahead (?!…), which RE2 cannot match in time that grows with the text alone: write pattern: '^[a-z-]+$', not: { pattern: '^.*--' }"}},
		{"something beside a reference in OpenAPI 3.0", "", strings.NewReplacer(old, legacy, name, "name: { $ref: '#/components/schemas/Thing', maxLength: 1 }").Replace(minimal), []string{"29: " + prop + "/name/maxLength: OpenAPI 3.0 ignores what stands beside $ref: write allOf with the $ref as its one element"}},
		{"const in OpenAPI 3.0", "", strings.NewReplacer(old, legacy, name, "name: { const: a }").Replace(minimal), []string{"29: " + prop + "/name/const: const is not a keyword of OpenAPI 3.0: write openapi: 3.1.0, or say it otherwise"}},
		// What contradicts itself is enforced as it stands, and told.
		{"bounds that exclude each other", size, "size: { type: number, minimum: 1.0, exclusiveMaximum: 1 }", []string{"!30: " + prop + "/size/minimum: minimum is not below the upper bound: no value is accepted"}},
		{"one value between two bounds", size, "size: { type: number, minimum: 1, maximum: 1 }", nil},
		{"lengths that exclude each other", name, "name: { type: string, minLength: 11, maxLength: 10 }", []string{"!29: " + prop + "/name/minLength: minLength is more than maxLength: no value is accepted"}},
		{"a length of a number", name, "name: { type: integer, maxLength: 3 }", []string{"!29: " + prop + "/name/maxLength: maxLength says nothing of a value of type integer: it limits nothing"}},
		{"a bound of a number that may be a text", name, "name: { type: [string, integer], maximum: 3 }", nil},
		{"a value of another type", name, "name: { type: string, enum: [a, 1] }", []string{"!29: " + prop + "/name/enum/1: the value is not of the type string: it is never accepted"}},
		{"a value twice", name, "name: { enum: [a, b, a] }", []string{"!29: " + prop + "/name/enum/2: the value stands twice in the enum"}},
		{"a required member that does not exist", "required: [name]", "required: [name, nome]", []string{"!27: #/components/schemas/Thing/required/1: \"nome\" is required, and no property of this closed object: no value is accepted"}},
		// All in one run, in the order of the text.
		{"four at once", "", strings.NewReplacer("- token: [write]", "- tocken: [write]", "maxLength: 10", "maxLength: ten", "minimum: 0", "minumum: 0", "in: query", "in: body").Replace(minimal), []string{
			"8: " + op + "/security/0/tocken: requires the scheme \"tocken\", which is not declared (or cannot be enforced): declare it under components.securitySchemes or correct the name",
			"11: " + op + "/parameters/1/in: a parameter can be in path, query, header or cookie",
			"29: " + prop + "/name/maxLength: must be a whole number that is not negative",
			"30: " + prop + `/size/minumum: "minumum" is not a keyword of a schema: write minimum`,
		}},
		{"one that an alias repeats", "components:\n", "  /more:\n    get: { operationId: more, security: &s [{ token: [wright] }], responses: { '204': { description: Done. } } }\n  /again:\n    get: { operationId: again, security: *s, responses: { '204': { description: Done. } } }\ncomponents:\n",
			[]string{"20: #/paths/~1more/get/security/0/token/0: requires the scope \"wright\", which no flow of token declares: declare it there or correct the name"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			text := row.new
			if row.old != "" {
				if !strings.Contains(minimal, row.old) {
					t.Fatalf("the document does not hold %q", row.old)
				}
				text = strings.Replace(minimal, row.old, row.new, 1)
			}
			got := told(t, text)
			if strings.Join(got, "\n") != strings.Join(row.want, "\n") {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(row.want, "\n"))
			}
		})
	}
}

func another(id, more string) string {
	return "  /more:\n    get: { operationId: " + id + ", " + more + "security: [{ token: [] }], responses: { '204': { description: Done. } } }\n"
}

const bomb = `x-a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
x-b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
x-c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
x-d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
x-e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]
x-f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]
x-g: &g [*f, *f, *f, *f, *f, *f, *f, *f, *f, *f]
`
