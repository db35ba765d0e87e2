package codegen

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// minimal is a document that everything can be enforced of. Each refusal below changes one thing in it.
const minimal = `openapi: 3.1.0
info: { title: Things, version: '1' }
paths:
  /things/{id}:
    put:
      operationId: putThing
      security:
        - token: [write]
      parameters:
        - { name: id, in: path, required: true, schema: { type: string, format: uuid } }
        - { name: limit, in: query, schema: { type: integer, format: int32, minimum: 1, maximum: 9 } }
      requestBody:
        required: true
        content:
          application/json:
            schema: { $ref: '#/components/schemas/Thing' }
      responses:
        '204': { description: Done. }
components:
  securitySchemes:
    token: { type: oauth2, flows: { password: { tokenUrl: /token, scopes: { write: Write. } } } }
    key: { type: apiKey, in: cookie, name: key }
  schemas:
    Thing:
      type: object
      additionalProperties: false
      required: [name]
      properties:
        name: { type: string, maxLength: 10 }
        size: { type: number, format: double, minimum: 0, maximum: 1 }
`

func writeDocument(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "openapi.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func generateInto(t *testing.T, spec string) (dir string, err error) {
	t.Helper()
	dir = t.TempDir()
	_, err = Generate(Options{Spec: spec, Out: filepath.Join(dir, "things"), Package: "things"})
	return dir, err
}

func TestGenerateRefuses(t *testing.T) {
	const name, size = "name: { type: string, maxLength: 10 }", "size: { type: number, format: double, minimum: 0, maximum: 1 }"
	rows := []struct {
		name     string
		old, new string
		pointer  string // where
		reason   string // what is wrong and what to do
	}{
		{"an operation without security", "      security:\n        - token: [write]\n", "", "/paths/~1things~1{id}/put", "state security, or security: [] with x-public-reason"},
		{"an empty security without a reason", "security:\n        - token: [write]", "security: []", "/paths/~1things~1{id}/put/security", "state why in x-public-reason"},
		{"a reason beside a requirement", "operationId: putThing", "operationId: putThing\n      x-public-reason: because", "/paths/~1things~1{id}/put/x-public-reason", "remove x-public-reason"},
		{"a root security requirement", "paths:", "security: [{token: []}]\npaths:", "/security", "state security on each operation"},
		{"an undeclared scheme", "- token: [write]", "- tocken: [write]", "/paths/~1things~1{id}/put/security/0/tocken", "declare it under components.securitySchemes"},
		{"an undeclared scope", "- token: [write]", "- token: [wright]", "/paths/~1things~1{id}/put/security/0/token/0", "which no flow of token declares"},
		{"a role that nobody declares", "- token: [write]", "- key: [boss]", "/paths/~1things~1{id}/put/security/0/key/0", "x-scopes of key"},
		{"a cookie on an unsafe method", "- token: [write]", "- key: []", "/paths/~1things~1{id}/put/security/0/key", "CSRF"},
		{"http digest", "key: { type: apiKey, in: cookie, name: key }", "key: { type: http, scheme: digest }", "/components/securitySchemes/key/scheme", "use basic or bearer"},
		{"an http scheme of one's own", "key: { type: apiKey, in: cookie, name: key }", "key: { type: http, scheme: Other }", "/components/securitySchemes/key/scheme", "use basic or bearer"},
		{"openIdConnect before it can be verified", "key: { type: apiKey, in: cookie, name: key }", "key: { type: openIdConnect, openIdConnectUrl: 'https://id.example/.well-known/openid-configuration' }", "/components/securitySchemes/key/type", "nobody can verify"},
		{"mutualTLS before it can be verified", "key: { type: apiKey, in: cookie, name: key }", "key: { type: mutualTLS }", "/components/securitySchemes/key/type", "nobody can verify"},
		{"the implicit flow", "flows: { password: {", "flows: { implicit: {", "/components/securitySchemes/token/flows/implicit", "cannot be enforced"},
		{"an API key in the Authorization header", "in: cookie, name: key", "in: header, name: authorization", "/components/securitySchemes/key/name", "type http, scheme bearer"},
		{"oneOf", name, "name: { oneOf: [{ type: string, maxLength: 1 }] }", "/components/schemas/Thing/properties/name", "has no type"},
		{"const", name, "name: { type: string, maxLength: 10, const: a }", "/components/schemas/Thing/properties/name/const", `"const" in a schema of type string cannot be enforced yet`},
		{"multipleOf", size, "size: { type: number, format: double, minimum: 0, maximum: 1, multipleOf: 0.1 }", "/components/schemas/Thing/properties/size/multipleOf", "cannot be enforced"},
		{"a misspelled keyword", name, "name: { type: string, max_length: 10, maxLength: 10 }", "/components/schemas/Thing/properties/name/max_length", "cannot be enforced"},
		{"an extension that is not known", "operationId: putThing", "operationId: putThing\n      x-rate-limits: []", "/paths/~1things~1{id}/put/x-rate-limits", "is not known here"},
		{"a format that is not enforced", name, "name: { type: string, maxLength: 10, format: ipv4 }", "/components/schemas/Thing/properties/name/format", "cannot be enforced yet"},
		{"a number that would be rounded", size, "size: { type: number, minimum: 0, maximum: 1 }", "/components/schemas/Thing/properties/size", "write format: double"},
		{"a number without bounds", size, "size: { type: number, format: double, minimum: 0 }", "/components/schemas/Thing/properties/size", "state minimum and maximum"},
		{"a string without maxLength", name, "name: { type: string }", "/components/schemas/Thing/properties/name", "state the longest"},
		{"an array without maxItems", size, "size: { type: array, items: { type: string, maxLength: 1 } }", "/components/schemas/Thing/properties/size", "state the most"},
		{"an object that takes any member", "additionalProperties: false", "description: open", "/components/schemas/Thing", "write additionalProperties: false"},
		{"an object in place", size, "size: { type: object, additionalProperties: false }", "/components/schemas/Thing/properties/size", "move it to components.schemas"},
		{"a required member that is not declared", "required: [name]", "required: [nmae]", "/components/schemas/Thing/required/0", "properties does not declare"},
		{"a readOnly member in a request", name, "name: { type: string, maxLength: 10, readOnly: true }", "/components/schemas/Thing/properties/name/readOnly", "leave the member out"},
		{"a default in a body", name, "name: { type: string, maxLength: 10, default: a }", "/components/schemas/Thing/properties/name/default", "leave it out"},
		{"a pattern that RE2 cannot take", name, "name: { type: string, maxLength: 10, pattern: '^(?=a)b$' }", "/components/schemas/Thing/properties/name/pattern", "RE2"},
		{"a pattern that means something else in RE2", name, `name: { type: string, maxLength: 10, pattern: '^\s$' }`, "/components/schemas/Thing/properties/name/pattern", "as a class"},
		{"a pattern with a dot", name, `name: { type: string, maxLength: 10, pattern: '^.$' }`, "/components/schemas/Thing/properties/name/pattern", "line ends"},
		{"a dangling reference", "schema: { $ref: '#/components/schemas/Thing' }", "schema: { $ref: '#/components/schemas/Thingy' }", "/paths/~1things~1{id}/put/requestBody/content/application~1json/schema/$ref", "which is not declared"},
		{"a reference to another file", "schema: { $ref: '#/components/schemas/Thing' }", "schema: { $ref: 'other.yaml#/Thing' }", "/paths/~1things~1{id}/put/requestBody/content/application~1json/schema/$ref", "outside the document"},
		{"a path parameter that is not declared", "  /things/{id}:", "  /things/{id}/{part}:", "/paths/~1things~1{id}~1{part}/put", "which no parameter declares"},
		{"a cookie parameter", "{ name: limit, in: query,", "{ name: limit, in: cookie,", "/paths/~1things~1{id}/put/parameters/1/in", "use query, header or path"},
		{"a path segment that is more than a parameter", "  /things/{id}:", "  /things/{id}.json:", "/paths/~1things~1{id}.json/put", "cannot be routed"},
		{"a body that is not JSON or a form", "application/json:", "application/xml:", "/paths/~1things~1{id}/put/requestBody/content/application~1xml", "use JSON or a form"},
		{"an optional body", "requestBody:\n        required: true", "requestBody:\n        required: false", "/paths/~1things~1{id}/put/requestBody", "write required: true"},
		{"a method that is not routed", "    put:\n      operationId: putThing", "    trace:\n      operationId: putThing", "/paths/~1things~1{id}/trace", "cannot be enforced"},
		{"a callback", "operationId: putThing", "operationId: putThing\n      callbacks: {}", "/paths/~1things~1{id}/put/callbacks", "cannot be enforced"},
		{"a limit by something that is not counted", "operationId: putThing", "operationId: putThing\n      x-rate-limit: [{ name: a, by: moon, quota: 1, window: 1 }]", "/paths/~1things~1{id}/put/x-rate-limit/0", "by address or by principal"},
		{"an OpenAPI 2 document", "openapi: 3.1.0", "openapi: 2.0.0", "/openapi", "write 3.1.0"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if !strings.Contains(minimal, row.old) {
				t.Fatalf("the document does not hold %q", row.old)
			}
			dir, err := generateInto(t, writeDocument(t, strings.Replace(minimal, row.old, row.new, 1)))
			faults, ok := err.(Faults)
			if !ok {
				t.Fatalf("got %v, want faults", err)
			}
			found := false
			for _, f := range faults {
				found = found || f.Pointer == row.pointer && strings.Contains(f.Reason, row.reason) && f.Line > 0
			}
			if !found {
				t.Errorf("no fault at %s that says %q with its line:\n%v", row.pointer, row.reason, err)
			}
			if entries, _ := os.ReadDir(filepath.Join(dir, "things")); len(entries) > 0 {
				t.Errorf("a refused document left %d files", len(entries))
			}
		})
	}
}

func TestGenerateTellsAllFaultsAtOnce(t *testing.T) {
	text := strings.NewReplacer("- token: [write]", "- tocken: [write]", "maxLength: 10", "maxLength: 10, const: a", "format: double", "format: half").Replace(minimal)
	_, err := generateInto(t, writeDocument(t, text))
	if faults, _ := err.(Faults); len(faults) != 3 {
		t.Errorf("got %d faults, want 3:\n%v", len(faults), err)
	}
}

func TestGenerateWritesTheSameTwice(t *testing.T) {
	read := func() map[string]string {
		dir, err := generateInto(t, writeDocument(t, minimal))
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		entries, err := os.ReadDir(filepath.Join(dir, "things"))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(dir, "things", e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			files[e.Name()] = string(data)
		}
		return files
	}
	first, second := read(), read()
	if len(first) < 8 {
		t.Fatalf("got %d files, want the models, the server, the table, the decoders and the document", len(first))
	}
	for name, text := range first {
		if second[name] != text {
			t.Errorf("%s differs", name)
		}
	}
}
