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
		{"nobody among the alternatives", "security:\n        - token: [write]", "security: [{}]", "/paths/~1things~1{id}/put/security", "state why in x-public-reason"},
		{"a member twice", "      operationId: putThing\n", "      operationId: putThing\n      security: [{ token: [write] }]\n", "/paths/~1things~1{id}/put/security", "occurs twice"},
		{"a merge key", "      operationId: putThing\n", "      operationId: putThing\n      <<: { x-public-reason: Yes. }\n", "/paths/~1things~1{id}/put/<<", "write the members out"},
		{"an http scheme that nobody verifies", "components:\n  securitySchemes:\n", "components:\n  securitySchemes:\n    digest: { type: http, scheme: digest }\n", "/components/securitySchemes/digest/scheme", "use basic or bearer"},
		{"a type of scheme that does not exist", "type: oauth2", "type: saml", "/components/securitySchemes/token/type", "use http, apiKey, oauth2, openIdConnect or mutualTLS"},
		{"an issuer without an address", "components:\n  securitySchemes:\n", "components:\n  securitySchemes:\n    issuer: { type: openIdConnect }\n", "/components/securitySchemes/issuer", "needs the openIdConnectUrl"},
		{"a scheme whose Go name is none", "components:\n  securitySchemes:\n", "components:\n  securitySchemes:\n    client: { type: mutualTLS, x-go-name: no }\n", "/components/securitySchemes/client/x-go-name", "an exported Go identifier"},
		{"an undeclared scheme", "- token: [write]", "- tocken: [write]", "/paths/~1things~1{id}/put/security/0/tocken", "declare it under components.securitySchemes"},
		{"a scheme twice in one alternative", "- token: [write]", "- { token: [write], token: [] }", "/paths/~1things~1{id}/put/security/0/token", "occurs twice"},
		{"a timeout of a part of a second", "operationId: putThing", "operationId: putThing\n      x-timeout: 0.5", "/paths/~1things~1{id}/put/x-timeout", "1"},
		{"no timeout at all", "operationId: putThing", "operationId: putThing\n      x-timeout: 0", "/paths/~1things~1{id}/put/x-timeout", "from 1 to 3600"},
		{"an undeclared scope", "- token: [write]", "- token: [wright]", "/paths/~1things~1{id}/put/security/0/token/0", "which no flow of token declares"},
		{"a role that nobody declares", "- token: [write]", "- key: [boss]", "/paths/~1things~1{id}/put/security/0/key/0", "x-scopes of key"},
		{"http digest", "key: { type: apiKey, in: cookie, name: key }", "key: { type: http, scheme: digest }", "/components/securitySchemes/key/scheme", "use basic or bearer"},
		{"an http scheme of one's own", "key: { type: apiKey, in: cookie, name: key }", "key: { type: http, scheme: Other }", "/components/securitySchemes/key/scheme", "use basic or bearer"},
		{"an extension that is not known", "operationId: putThing", "operationId: putThing\n      x-rate-limits: []", "/paths/~1things~1{id}/put/x-rate-limits", "is not known here"},
		{"a pattern that RE2 cannot take", name, "name: { type: string, maxLength: 10, pattern: '^(?=a)b$' }", "/components/schemas/Thing/properties/name/pattern", "RE2"},
		{"a dangling reference", "schema: { $ref: '#/components/schemas/Thing' }", "schema: { $ref: '#/components/schemas/Thingy' }", "/paths/~1things~1{id}/put/requestBody/content/application~1json/schema/$ref", "which is not declared"},
		{"a path parameter that is not declared", "  /things/{id}:", "  /things/{id}/{part}:", "/paths/~1things~1{id}~1{part}/put", "which no parameter declares"},
		{"a limit by something that is not counted", "operationId: putThing", "operationId: putThing\n      x-rate-limit: [{ name: a, by: moon, quota: 1, window: 1 }]", "/paths/~1things~1{id}/put/x-rate-limit/0/by", "by address, principal, key, client or account"},
		{"a misspelled keyword", name, "name: { type: string, max_length: 10 }", "/components/schemas/Thing/properties/name/max_length", "write maxLength"},
		{"a keyword of nobody", name, "name: { type: string, optional: true }", "/components/schemas/Thing/properties/name/optional", "not a keyword"},
		{"a keyword of an older draft", name, "name: { $recursiveRef: '#' }", "/components/schemas/Thing/properties/name/$recursiveRef", "write $dynamicRef"},
		{"a schema of an older draft", name, "name: { $schema: 'http://json-schema.org/draft-07/schema#', type: string }", "/components/schemas/Thing/properties/name/$schema", "the dialect"},
		{"a type of nobody", name, "name: { type: text }", "/components/schemas/Thing/properties/name/type", "use string, number"},
		{"a type of nobody in a list", name, "name: { type: [string, text] }", "/components/schemas/Thing/properties/name/type/1", "use string, number"},
		{"a schema that is a text", name, "name: string", "/components/schemas/Thing/properties/name", "must be a mapping"},
		{"an exclusive bound as OpenAPI 3.0 wrote it", size, "size: { type: number, minimum: 0, exclusiveMinimum: true }", "/components/schemas/Thing/properties/size/exclusiveMinimum", "must be the bound itself"},
		{"a bound that is a text", size, "size: { type: number, minimum: '0' }", "/components/schemas/Thing/properties/size/minimum", "must be a number"},
		{"a bound in another notation", size, "size: { type: number, minimum: 0x10 }", "/components/schemas/Thing/properties/size/minimum", "as JSON writes it"},
		{"a length that is negative", name, "name: { type: string, maxLength: -1 }", "/components/schemas/Thing/properties/name/maxLength", "not negative"},
		{"a length that is a fraction", name, "name: { type: string, maxLength: 1.5 }", "/components/schemas/Thing/properties/name/maxLength", "whole number"},
		{"a multiple of nothing", size, "size: { type: number, multipleOf: 0 }", "/components/schemas/Thing/properties/size/multipleOf", "more than 0"},
		{"a multiple of something negative", size, "size: { type: number, multipleOf: -2 }", "/components/schemas/Thing/properties/size/multipleOf", "more than 0"},
		{"a multiple with more digits than are compared", size, "size: { type: number, multipleOf: 1234567890123456789.5 }", "/components/schemas/Thing/properties/size/multipleOf", "18 digits"},
		{"an enum that is no list", name, "name: { enum: a }", "/components/schemas/Thing/properties/name/enum", "must be a list"},
		{"const beside enum", name, "name: { enum: [a, b], const: a }", "/components/schemas/Thing/properties/name/const", "alone"},
		{"a boolean that is a text", size, "size: { type: array, uniqueItems: 'yes' }", "/components/schemas/Thing/properties/size/uniqueItems", "true or false"},
		{"required as in a property of OpenAPI 2", name, "name: { type: string, required: true }", "/components/schemas/Thing/properties/name/required", "list of the members"},
		{"an empty list of alternatives", name, "name: { oneOf: [] }", "/components/schemas/Thing/properties/name/oneOf", "at least one schema"},
		{"a member that goes neither way", name, "name: { type: string, readOnly: true, writeOnly: true }", "/components/schemas/Thing/properties/name/readOnly", "remove one"},
		{"a schema that is its own part", name, "name: { $ref: '#/components/schemas/Thing/properties/name' }", "/components/schemas/Thing/properties/name", "without end"},
		{"a discriminator without a member", size, "size: { discriminator: { mapping: {} } }", "/components/schemas/Thing/properties/size/discriminator", "state propertyName"},
		{"a reference to a file that is not there", "schema: { $ref: '#/components/schemas/Thing' }", "schema: { $ref: 'other.yaml#/Thing' }", "/paths/~1things~1{id}/put/requestBody/content/application~1json/schema/$ref", "cannot be read"},
		{"a reference to another machine", "schema: { $ref: '#/components/schemas/Thing' }", "schema: { $ref: 'https://example.com/thing.yaml' }", "/paths/~1things~1{id}/put/requestBody/content/application~1json/schema/$ref", "outside of the document and of local files"},
		{"a reference that is no URI", "schema: { $ref: '#/components/schemas/Thing' }", "schema: { $ref: '%zz' }", "/paths/~1things~1{id}/put/requestBody/content/application~1json/schema/$ref", "not a URI reference"},
		{"a member beside the reference of a parameter", "{ name: limit, in: query, schema: { type: integer, format: int32, minimum: 1, maximum: 9 } }", "{ $ref: '#/components/parameters/limit', required: true }", "/paths/~1things~1{id}/put/parameters/1/required", "beside this $ref"},
		{"an operation beside the reference of its path", "  /things/{id}:\n    put:", "  /things/{id}:\n    $ref: '#/components/pathItems/thing'\n    put:", "/paths/~1things~1{id}/put", "beside this $ref"},
		{"a parameter in a place of nobody", "{ name: limit, in: query,", "{ name: limit, in: body,", "/paths/~1things~1{id}/put/parameters/1/in", "path, query, header or cookie"},
		{"a style that its place does not have", "{ name: limit, in: query,", "{ name: limit, in: query, style: matrix,", "/paths/~1things~1{id}/put/parameters/1/style", "use form"},
		{"deepObject of a number", "{ name: limit, in: query,", "{ name: limit, in: query, style: deepObject,", "/paths/~1things~1{id}/put/parameters/1", "the style of objects"},
		{"a parameter with schema and content", "{ name: limit, in: query,", "{ name: limit, in: query, content: { application/json: {} },", "/paths/~1things~1{id}/put/parameters/1/content", "not both"},
		{"a parameter of XML", "{ name: limit, in: query, schema: { type: integer, format: int32, minimum: 1, maximum: 9 } }", "{ name: limit, in: query, content: { application/xml: {} } }", "/paths/~1things~1{id}/put/parameters/1/content/application~1xml", "cannot be decoded"},
		{"a parameter that holds nothing", "{ name: limit, in: query, schema: { type: integer, format: int32, minimum: 1, maximum: 9 } }", "{ name: limit, in: query }", "/paths/~1things~1{id}/put/parameters/1", "state schema"},
		{"a parameter twice", "        - { name: limit,", "        - { name: limit, in: query, schema: { type: boolean } }\n        - { name: limit,", "/paths/~1things~1{id}/put/parameters/2", "declared twice"},
		{"an optional path parameter", "in: path, required: true", "in: path", "/paths/~1things~1{id}/put/parameters/0", "must say required: true"},
		{"a path parameter that the path does not have", "{ name: limit, in: query,", "{ name: limit, in: path, required: true,", "/paths/~1things~1{id}/put/parameters/1", "the path has no {limit}"},
		{"a query in a path", "  /things/{id}:", "  /things/{id}?all=true:", "/paths/~1things~1{id}?all=true/put", "query parameters are declared"},
		{"a brace that stays open", "  /things/{id}:", "  '/things/{id}/{':", "/paths/~1things~1{id}~1{/put", "does not close"},
		{"a brace that nothing opens", "  /things/{id}:", "  '/things/{id}}':", "/paths/~1things~1{id}}/put", "does not open"},
		{"two parameters that touch", "  /things/{id}:", "  '/things/{id}{part}':", "/paths/~1things~1{id}{part}/put", "put a text between them"},
		{"a parameter without a name", "  /things/{id}:", "  '/things/{id}/{}':", "/paths/~1things~1{id}~1{}/put", "not the name of a parameter"},
		{"an operator of RFC 6570", "  /things/{id}:", "  '/things/{id}/{+rest}':", "/paths/~1things~1{id}~1{+rest}/put", "none of the operators"},
		{"an exploded path parameter", "  /things/{id}:", "  '/things/{id}/{rest*}':", "/paths/~1things~1{id}~1{rest*}/put", "none of the operators"},
		{"a parameter twice in a path", "  /things/{id}:", "  '/things/{id}/{id}':", "/paths/~1things~1{id}~1{id}/put", "give each its own name"},
		{"a fragment in a path", "  /things/{id}:", "  '/things/{id}#part':", "/paths/~1things~1{id}#part/put", "neither ? nor #"},
		{"a path without a slash", "  /things/{id}:", "  'things/{id}':", "/paths/things~1{id}/put", "must begin with /"},
		{"a dot segment in a path", "  /things/{id}:", "  '/things/../{id}':", "/paths/~1things~1..~1{id}/put", "leave them out"},
		{"a backslash in a path", "  /things/{id}:", "  '/things\\{id}':", "/paths/~1things\\{id}/put", "percent-encode it"},
		{"half an escape in a path", "  /things/{id}:", "  '/things/{id}%2':", "/paths/~1things~1{id}%2/put", "a percent sign as %25"},
		{"a space in a path", "  /things/{id}:", "  '/the things/{id}':", "/paths/~1the things~1{id}/put", "percent-encode it"},
		{"one place in two spellings", "components:\n", "  '/a%2fb/{x}':\n    get: { operationId: other, security: [{ token: [] }], parameters: [{ name: x, in: path, required: true, schema: { type: string } }], responses: { '204': { description: Done. } } }\n  '/a%2Fb/{x}':\n    get: { operationId: another, security: [{ token: [] }], parameters: [{ name: x, in: path, required: true, schema: { type: string } }], responses: { '204': { description: Done. } } }\ncomponents:\n", "/paths/~1a%2Fb~1{x}/get", "the same place"},
		{"a parameter that looks like one with a text", "components:\n", "  /things/{id}.x:\n    get: { operationId: other, security: [{ token: [] }], parameters: [{ name: id, in: path, required: true, schema: { type: string } }], responses: { '204': { description: Done. } } }\n  /things/{id.x}:\n    get: { operationId: another, security: [{ token: [] }], parameters: [{ name: id.x, in: path, required: true, schema: { type: string } }], responses: { '204': { description: Done. } } }\ncomponents:\n", "/paths/~1things~1{id.x}/get", "rename the parameter"},
		{"one place under two names", "components:\n", "  /things/{other}:\n    put: { operationId: other, security: [{ token: [] }], parameters: [{ name: other, in: path, required: true, schema: { type: string } }], responses: { '204': { description: Done. } } }\ncomponents:\n", "/paths/~1things~1{other}/put", "the same place"},
		{"a body that says nothing", "content:\n          application/json:\n            schema: { $ref: '#/components/schemas/Thing' }", "content: {}", "/paths/~1things~1{id}/put/requestBody", "state its content"},
		{"a range beside what it is taken as", "          application/json:\n", "          '*/*': { schema: { type: object } }\n          application/json:\n", "/paths/~1things~1{id}/put/requestBody/content/application~1json", "is decoded as */* is, and has another schema"},
		{"two texts of two schemas", "          application/json:\n", "          text/plain: { schema: { type: string } }\n          text/csv: { schema: { type: string, maxLength: 5 } }\n          application/json:\n", "/paths/~1things~1{id}/put/requestBody/content/text~1csv", "give both one schema"},
		{"a media type with two parameters", "          application/json:\n", "          application/json;v=1: { schema: { type: object } }\n          application/json:\n", "/paths/~1things~1{id}/put/requestBody/content/application~1json", "declared twice"},
		{"a media type that is none", "application/json:", "json:", "/paths/~1things~1{id}/put/requestBody/content/json", "not a media type"},
		{"a form that is no object", "application/json:\n            schema: { $ref: '#/components/schemas/Thing' }", "application/x-www-form-urlencoded: { schema: { type: string } }", "/paths/~1things~1{id}/put/requestBody/content/application~1x-www-form-urlencoded", "a form is an object"},
		{"headers of a part", "application/json:\n            schema: { $ref: '#/components/schemas/Thing' }", "multipart/form-data: { schema: { type: object }, encoding: { a: { headers: { X-A: {} } } } }", "/paths/~1things~1{id}/put/requestBody/content/multipart~1form-data/encoding/a/headers", "cannot be enforced"},
		{"a body where HTTP has none", "    put:\n      operationId: putThing", "    head:\n      operationId: putThing", "/paths/~1things~1{id}/head/requestBody", "remove it"},
		{"a status that is none", "'204':", "'2004':", "/paths/~1things~1{id}/put/responses/2004", "not a status"},
		{"no responses", "responses:\n        '204': { description: Done. }", "responses: {}", "/paths/~1things~1{id}/put", "declares no responses"},
		{"a timeout of a day", "operationId: putThing", "operationId: putThing\n      x-timeout: 86400", "/paths/~1things~1{id}/put/x-timeout", "from 1 to 3600"},
		{"a limit that is misspelled", "operationId: putThing", "operationId: putThing\n      x-max-body-size: 5", "/paths/~1things~1{id}/put/x-max-body-size", "write x-max-body-bytes"},
		{"a member of an operation that is misspelled", "operationId: putThing", "operationId: putThing\n      request_body: {}", "/paths/~1things~1{id}/put/request_body", "write requestBody"},
		{"an OpenAPI 2 document", "openapi: 3.1.0", "openapi: 2.0.0", "/openapi", "OpenAPI 3.0 and 3.1"},
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
	text := strings.NewReplacer("- token: [write]", "- tocken: [write]", "maxLength: 10", "maxLength: ten", "minimum: 0", "minumum: 0").Replace(minimal)
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
