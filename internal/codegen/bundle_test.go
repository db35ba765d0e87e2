package codegen

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// split is a document of ten files: references go up and down folders, round in circles, through another reference, to a
// whole file, into one, and back into the first.
var split = map[string]string{
	"openapi.yaml": `openapi: 3.1.0
info: { title: Pets, version: '1' }
security: [{ token: [read] }]
paths:
  /pets: { $ref: paths/pets.yaml }
  '/pets/{id}': { $ref: 'paths/all.json#/~1pets~1%7Bid%7D' }
components:
  securitySchemes:
    token: { $ref: 'security/schemes.yaml#/token' }
  schemas:
    Pet: { $ref: schemas/pet.yaml }
    Error: &error
      type: object
      required: [code]
      properties: { code: { type: integer, format: int32 } }
`,
	"paths/pets.yaml": `post:
  operationId: createPet
  parameters:
    - $ref: ../parameters.yaml#/components/parameters/Trace
  requestBody: { $ref: '../bodies.yaml#/pet' }
  responses:
    '201': { description: Made., content: { application/json: { schema: { $ref: ../schemas/pet.yaml } } } }
    '422': { $ref: ../parameters.yaml#/components/responses/Failure }
`,
	"paths/all.json": `{"/pets/{id}": {
  "parameters": [{"$ref": "../parameters.yaml#/components/parameters/ID"}],
  "get": {"operationId": "getPet", "responses": {
    "200": {"description": "One \ud83d\ude00\/.", "headers": {"X-Kind": {"$ref": "../parameters.yaml#/components/headers/Kind"}},
      "content": {"application/json": {"schema": {"$ref": "../openapi.yaml#/components/schemas/Pet"},
        "examples": {"one": {"$ref": "../bodies.yaml#/example"}}}}},
    "404": {"description": "None.", "content": {"application/json": {"schema": {"$ref": "../openapi.yaml#/components/schemas/Error"}}}}}}
}}`,
	"bodies.yaml": `pet:
  required: true
  content:
    application/json: { schema: { $ref: '#/pet/x-unused/schema' } }
  x-unused: { schema: { $ref: schemas/pet.yaml } }
example: { value: { name: Rex, kind: dog } }
`,
	"parameters.yaml": `components:
  parameters:
    ID: { name: id, in: path, required: true, schema: { $ref: '#/components/schemas/Name' } }
    Trace: { name: trace, in: query, schema: { type: string, maxLength: 9 } }
  headers:
    Kind: { schema: { $ref: schemas/common.yaml#/$defs/Kind } }
  responses:
    Failure: { description: Not so., content: { application/json: { schema: { $ref: 'schemas/common.yaml#/$defs/Error' } } } }
  schemas:
    Name: &name { type: string, maxLength: 20 }
`,
	"schemas/pet.yaml": `# The animal.
$schema: https://json-schema.org/draft/2020-12/schema
$id: pet.yaml
type: object
additionalProperties: false
required: [name, kind]
properties:
  name: { $ref: ../parameters.yaml#/components/schemas/Name }
  kind: { $ref: 'common.yaml#kind' }
  parent: { $ref: '#' }
  owner: { $ref: owner.json }
  weight: { $ref: 'units/weight.yaml' }
  short: &name { type: string, maxLength: 5 }
  long: *name
`,
	"schemas/owner.json": `{"type": "object", "properties": {"pets": {"type": "array", "maxItems": 9, "items": {"$ref": "pet.yaml"}}, "error": {"$ref": "common.yaml#/$defs/Error"}}}`,
	"schemas/common.yaml": `$defs:
  Kind: { $anchor: kind, type: string, enum: [dog, cat] }
  Error: { type: object, required: [reason], properties: { reason: { type: string, maxLength: 50 } } }
`,
	"schemas/units/weight.yaml": "type: number\nformat: double\nminimum: 0\n",
	"security/schemes.yaml":     "token: { type: oauth2, flows: { clientCredentials: { tokenUrl: /token, scopes: { read: Read. } } } }\n",
}

// whole says the same in one file.
const whole = `openapi: 3.1.0
info: { title: Pets, version: '1' }
security: [{ token: [read] }]
paths:
  /pets:
    post:
      operationId: createPet
      parameters:
        - $ref: '#/components/parameters/Trace'
      requestBody: { $ref: '#/components/requestBodies/pet' }
      responses:
        '201': { description: Made., content: { application/json: { schema: { $ref: '#/components/schemas/Pet' } } } }
        '422': { $ref: '#/components/responses/Failure' }
  /pets/{id}:
    parameters: [{ $ref: '#/components/parameters/ID' }]
    get:
      operationId: getPet
      responses:
        '200':
          description: One 😀/.
          headers: { X-Kind: { $ref: '#/components/headers/Kind' } }
          content:
            application/json:
              schema: { $ref: '#/components/schemas/Pet' }
              examples: { one: { $ref: '#/components/examples/example' } }
        '404': { description: None., content: { application/json: { schema: { $ref: '#/components/schemas/Error' } } } }
components:
  securitySchemes:
    token: { type: oauth2, flows: { clientCredentials: { tokenUrl: /token, scopes: { read: Read. } } } }
  parameters:
    Trace: { name: trace, in: query, schema: { type: string, maxLength: 9 } }
    ID: { name: id, in: path, required: true, schema: { $ref: '#/components/schemas/Name' } }
  headers:
    Kind: { schema: { $ref: '#/components/schemas/Kind' } }
  requestBodies:
    pet:
      required: true
      content: { application/json: { schema: { $ref: '#/components/schemas/schema' } } }
      x-unused: { schema: { $ref: '#/components/schemas/Pet' } }
  examples:
    example: { value: { name: Rex, kind: dog } }
  responses:
    Failure: { description: Not so., content: { application/json: { schema: { $ref: '#/components/schemas/common_Error' } } } }
  schemas:
    Pet:
      $schema: https://json-schema.org/draft/2020-12/schema
      type: object
      additionalProperties: false
      required: [name, kind]
      properties:
        name: { $ref: '#/components/schemas/Name' }
        kind: { $ref: '#/components/schemas/Kind' }
        parent: { $ref: '#/components/schemas/Pet' }
        owner: { $ref: '#/components/schemas/owner' }
        weight: { $ref: '#/components/schemas/weight' }
        short: { type: string, maxLength: 5 }
        long: { type: string, maxLength: 5 }
    Error:
      type: object
      required: [code]
      properties: { code: { type: integer, format: int32 } }
    Name: { type: string, maxLength: 20 }
    Kind: { type: string, enum: [dog, cat] }
    owner:
      type: object
      properties:
        pets: { type: array, maxItems: 9, items: { $ref: '#/components/schemas/Pet' } }
        error: { $ref: '#/components/schemas/common_Error' }
    common_Error: { type: object, required: [reason], properties: { reason: { type: string, maxLength: 50 } } }
    weight: { type: number, format: double, minimum: 0 }
    schema: { $ref: '#/components/schemas/Pet' }
`

// writeFiles writes files into a folder and returns that of the document.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "openapi.yaml")
}

// TestSeveralFilesAreOneDocument: what is generated from a document of several files is what is generated from the one file that
// says the same, and from the document that is served.
func TestSeveralFilesAreOneDocument(t *testing.T) {
	files := map[string]string{}
	for name, text := range split {
		files[name] = strings.ReplaceAll(text, "  x-unused: {", "  x-unused: {")
	}
	files["bodies.yaml"] = strings.ReplaceAll(files["bodies.yaml"], "/pet/unused/", "/pet/x-unused/")
	dir := moduleFolder(t)
	generated := func(spec, name string) map[string]string {
		out := filepath.Join(dir, name)
		warnings, err := Generate(Options{Spec: spec, Out: out, Package: "pets", Client: filepath.Join(out, "client")})
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range warnings {
			if !strings.Contains(w, "x-unused") {
				t.Errorf("%s: %s", name, w)
			}
		}
		all := map[string]string{}
		for _, pattern := range []string{"*.go", "client/*.go", "openapi.*"} {
			found, _ := filepath.Glob(filepath.Join(out, pattern))
			for _, f := range found {
				data, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				all[strings.TrimPrefix(f, out)] = string(data)
			}
		}
		return all
	}
	fromSplit := generated(writeFiles(t, split), "split")
	build(t, filepath.Join(dir, "split"))
	build(t, filepath.Join(dir, "split", "client"))
	fromBundle := generated(filepath.Join(dir, "split", "openapi.yaml"), "bundle")
	fromWhole := generated(writeFiles(t, map[string]string{"openapi.yaml": whole}), "whole")
	for name := range fromSplit {
		if name == "/spec.gen.go" {
			if !strings.Contains(fromSplit[name], "// OpenapiYAML is the document, its 10 files in one.") || !strings.Contains(fromWhole[name], "byte for byte") {
				t.Errorf("%s does not say what it embeds: %s", name, fromSplit[name])
			}
			continue
		}
		if fromBundle[name] != fromSplit[name] {
			t.Errorf("%s from the served document: %s", name, cmp.Diff(fromSplit[name], fromBundle[name]))
		}
		if strings.HasSuffix(name, ".go") && fromWhole[name] != fromSplit[name] {
			t.Errorf("%s from one file: %s", name, cmp.Diff(fromWhole[name], fromSplit[name]))
		}
	}
	if fromWhole["/openapi.yaml"] != whole {
		t.Error("the document of one file is not served byte for byte")
	}
	canonical := func(text string) string {
		root, err := parseText([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		json, err := canonicalJSON(root)
		if err != nil {
			t.Fatal(err)
		}
		return json
	}
	want := canonical(whole)
	for _, name := range []string{"/openapi.yaml", "/openapi.json"} {
		if diff := cmp.Diff(want, canonical(fromSplit[name])); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestSeveralFilesRefuses: faults are told where they stand, each once.
func TestSeveralFilesRefuses(t *testing.T) {
	const owner, pets = `{"$ref": "pet.yaml"}`, "- $ref: ../parameters.yaml#/components/parameters/Trace"
	for _, row := range []struct {
		name           string
		file, old, new string
		want           string // the first of the faults, without the folder
		n              int
	}{
		{"a file that is not there", "schemas/owner.json", owner, `{"$ref": "cat.yaml"}`, `schemas/owner.json:1: #/properties/pets/items/$ref: refers to "cat.yaml", which cannot be read: schemas/cat.yaml: no such file or directory`, 1},
		{"a fragment that is not there", "paths/pets.yaml", pets, "- $ref: ../parameters.yaml#/components/parameters/Tracer", `paths/pets.yaml:4: #/post/parameters/0/$ref: refers to "../parameters.yaml#/components/parameters/Tracer", which is not declared: declare it or correct the name: Trace is declared`, 1},
		{"an anchor that is not there", "schemas/pet.yaml", "'common.yaml#kind'", "'common.yaml#sort'", `schemas/pet.yaml:9: #/properties/kind/$ref: refers to "common.yaml#sort", which is not declared`, 1},
		{"another machine", "schemas/owner.json", owner, `{"$ref": "https://example.com/pet.yaml"}`, `schemas/owner.json:1: #/properties/pets/items/$ref: refers to "https://example.com/pet.yaml", outside of the document and of local files`, 1},
		{"another machine, by the scheme of this one", "schemas/owner.json", owner, `{"$ref": "//example.com/pet.yaml"}`, `schemas/owner.json:1: #/properties/pets/items/$ref: refers to "//example.com/pet.yaml", outside of the document`, 1},
		{"an absolute path", "schemas/owner.json", owner, `{"$ref": "/etc/passwd"}`, `schemas/owner.json:1: #/properties/pets/items/$ref: refers to "/etc/passwd", outside of the document`, 1},
		{"a file URL", "schemas/owner.json", owner, `{"$ref": "file:///etc/passwd"}`, `schemas/owner.json:1: #/properties/pets/items/$ref: refers to "file:///etc/passwd", outside of the document`, 1},
		{"a folder", "schemas/owner.json", owner, `{"$ref": "units"}`, `schemas/owner.json:1: #/properties/pets/items/$ref: refers to "units", which cannot be read: schemas/units: is not a file`, 1},
		{"a file that is not YAML", "schemas/units/weight.yaml", "type: number", "type: [number", `schemas/pet.yaml:12: #/properties/weight/$ref: refers to "units/weight.yaml", which cannot be read: schemas/units/weight.yaml:2: is not YAML or JSON`, 1},
		{"a keyword in another file", "schemas/common.yaml", "maxLength: 50", "max_length: 50", `schemas/common.yaml:3: #/$defs/Error/properties/reason/max_length: "max_length" is not a keyword of a schema: write maxLength`, 1},
		{"a key twice in another file", "schemas/units/weight.yaml", "minimum: 0", "minimum: 0\nminimum: 1", `schemas/units/weight.yaml:4: #/minimum: the member "minimum" occurs twice`, 1},
		{"an operation in another file", "paths/pets.yaml", "  operationId: createPet", "  operationId: createPet\n  security: [{ key: [] }]", `paths/pets.yaml:3: #/post/security/0/key: requires the scheme "key", which is not declared`, 1},
		{"something beside the reference to a path", "openapi.yaml", "/pets: { $ref: paths/pets.yaml }", "/pets: { $ref: paths/pets.yaml, parameters: [] }", `openapi.yaml:5: #/paths/~1pets/parameters: OpenAPI ignores what stands beside this $ref`, 1},
		{"something beside the reference to a parameter", "paths/pets.yaml", pets, pets + "\n      required: true", `paths/pets.yaml:5: #/post/parameters/0/required: OpenAPI ignores what stands beside this $ref`, 1},
		{"a scope of a file", "schemas/units/weight.yaml", "type: number", "$dynamicAnchor: node", `schemas/units/weight.yaml:1: #/$dynamicAnchor: $dynamicAnchor depends on the file: state an absolute $id`, 1},
		{"a reference that leads to itself", "parameters.yaml", "Trace: { name: trace, in: query, schema: { type: string, maxLength: 9 } }", "Trace: { $ref: '#/components/parameters/Trace' }", `parameters.yaml:4: #/components/parameters/Trace: is a $ref to a $ref`, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			files := maps.Clone(split)
			if !strings.Contains(files[row.file], row.old) {
				t.Fatalf("%s does not hold %q", row.file, row.old)
			}
			files[row.file] = strings.Replace(files[row.file], row.old, row.new, 1)
			spec := writeFiles(t, files)
			_, err := Generate(Options{Spec: spec, Out: t.TempDir(), Package: "pets"})
			faults, _ := err.(Faults)
			if len(faults) != row.n {
				t.Fatalf("%d faults, want %d: %v", len(faults), row.n, err)
			}
			if got := strings.ReplaceAll(faults[0].String(), filepath.Dir(spec)+"/", ""); !strings.HasPrefix(got, row.want) {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
		})
	}
}
