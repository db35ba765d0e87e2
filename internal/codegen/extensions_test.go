package codegen

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// places are where an extension can be put into the minimal document: what is written before it there.
var places = map[string][2]string{ // → text before the place, indentation
	"the root":                    {"info: { title: Things, version: '1' }\n", ""},
	"info":                        {"info:\n  title: Things\n  version: '1'\n", "  "},
	"the paths":                   {"paths:\n", "  "},
	"a path":                      {"  /things/{id}:\n", "    "},
	"an operation":                {"      operationId: putThing\n", "      "},
	"a public operation":          {"      operationId: putThing\n      security: []\n", "      "},
	"an operation without a body": {"  /bare:\n    get:\n      operationId: getBare\n      security: [{ token: [] }]\n      responses: { '204': { description: Done. } }\n", "      "},
	"a parameter":                 {"        - name: limit\n", "          "},
	"a request body":              {"      requestBody:\n", "        "},
	"a media type":                {"          application/json:\n", "            "},
	"the responses":               {"      responses:\n", "        "},
	"a response":                  {"        '204':\n          description: Done.\n", "          "},
	"a scheme of oauth2":          {"    token:\n      type: oauth2\n", "      "},
	"a flow":                      {"        password:\n          tokenUrl: /token\n", "          "},
	"a scheme of apiKey":          {"    key:\n      type: apiKey\n", "      "},
	"a schema":                    {"    Thing:\n", "      "},
	"a member":                    {"        name:\n          type: string\n", "          "},
	"components":                  {"components:\n", "  "},
	"a parameter of nobody":       {"  parameters:\n    unused:\n      name: unused\n", "      "},
	"a webhook":                   {"webhooks:\n  told:\n    post:\n      operationId: told\n", "      "},
	"a server":                    {"servers:\n  - url: /\n", "    "},
	"a tag":                       {"tags:\n  - name: things\n", "    "},
}

// spacious is the minimal document with room in every place.
const spacious = `openapi: 3.1.0
info:
  title: Things
  version: '1'
servers:
  - url: /
tags:
  - name: things
webhooks:
  told:
    post:
      operationId: told
      responses: { '204': { description: Done. } }
paths:
  /bare:
    get:
      operationId: getBare
      security: [{ token: [] }]
      responses: { '204': { description: Done. } }
  /things/{id}:
    put:
      operationId: putThing
      security:
        - token: [write]
      parameters:
        - { name: id, in: path, required: true, schema: { type: string, format: uuid } }
        - name: limit
          in: query
          schema: { type: integer, format: int32, minimum: 1, maximum: 9 }
      requestBody:
        required: true
        content:
          application/json:
            schema: { $ref: '#/components/schemas/Thing' }
      responses:
        '204':
          description: Done.
components:
  parameters:
    unused:
      name: unused
      in: query
      schema: { type: string, maxLength: 9 }
  securitySchemes:
    token:
      type: oauth2
      flows:
        password:
          tokenUrl: /token
          scopes: { write: Write. }
    key:
      type: apiKey
      in: cookie
      name: key
  schemas:
    Thing:
      type: object
      additionalProperties: false
      required: [name]
      properties:
        name:
          type: string
          maxLength: 10
`

// placeAmong puts a member into the spacious document.
func placeAmong(t *testing.T, where, member string) string {
	t.Helper()
	at := places[where]
	text := spacious
	switch where {
	case "the root":
		return member + "\n" + text
	case "a public operation":
		text = strings.Replace(text, "      operationId: putThing\n      security:\n        - token: [write]\n", at[0], 1)
	}
	before, after, found := strings.Cut(text, at[0])
	if !found || at[0] == "" {
		t.Fatalf("the document has no place %q", where)
	}
	return before + at[0] + at[1] + member + "\n" + after
}

func extensionsSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(ExtensionsSchema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("urn:gatehouse:extensions", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("urn:gatehouse:extensions")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestExtensionsAsTheirSchemaSays: the generator and the published JSON Schema take the same values in the same places. reason is
// what the generator says, "" where both take the value.
func TestExtensionsAsTheirSchemaSays(t *testing.T) {
	schema := extensionsSchema(t)
	const limit = "name: a, by: address, quota: 5, window: 60"
	for _, row := range []struct{ where, member, reason string }{
		{"an operation", "summary: Nothing of ours.", ""},

		{"a public operation", "x-public-reason: Everybody may.", ""},
		{"a public operation", "x-public-reason: 5", "must be a text that says why"},
		{"a public operation", "x-public-reason: ''", "must be a text that says why"},
		{"a public operation", "x-public-reason: '  '", "must be a text that says why"},
		{"a public operation", "x-public-reason: true", "must be a text that says why"},
		{"a public operation", "x-public-reason: [Everybody may.]", "must be a text that says why"},
		{"a public operation", "x-public-reason:", "must be a text that says why"},
		{"an operation", "x-public-reason: Everybody may.", "remove x-public-reason"},
		{"the root", "x-public-reason: Everybody may.", "x-public-reason says nothing here and would be ignored: it stands in an operation"},
		{"a path", "x-public-reason: Everybody may.", "it stands in an operation"},
		{"a scheme of apiKey", "x-public-reason: Everybody may.", "it stands in an operation"},
		{"a schema", "x-public-reason: Everybody may.", "it stands in an operation"},
		{"a parameter", "x-public-reason: Everybody may.", "it stands in an operation"},

		{"the root", "x-max-body-bytes: 1", ""},
		{"an operation", "x-max-body-bytes: 1", ""},
		{"an operation", "x-max-body-bytes: 9007199254740991", ""},
		{"an operation", "x-max-body-bytes: 9007199254740992", "bytes from 1 to 9007199254740991"},
		{"an operation", "x-max-body-bytes: 1MB", "must be a whole number of bytes"},
		{"an operation", "x-max-body-bytes: '65536'", "must be a whole number of bytes"},
		{"an operation", "x-max-body-bytes: 0", "must be a whole number of bytes"},
		{"an operation", "x-max-body-bytes: -1", "must be a whole number of bytes"},
		{"an operation", "x-max-body-bytes: 1.5", "must be a whole number of bytes"},
		{"an operation", "x-max-body-bytes: null", "must be a whole number of bytes"},
		{"the root", "x-max-body-bytes: 0", "must be a whole number of bytes"},
		{"an operation without a body", "x-max-body-bytes: 5", "declare requestBody"},
		{"a path", "x-max-body-bytes: 5", "it stands at the root of the document and in an operation"},
		{"a schema", "x-max-body-bytes: 5", "it stands at the root of the document and in an operation"},

		{"the root", "x-timeout: 30", ""},
		{"an operation", "x-timeout: 1", ""},
		{"an operation", "x-timeout: 3600", ""},
		{"an operation without a body", "x-timeout: 5.0", ""},
		{"an operation", "x-timeout: 3601", "seconds from 1 to 3600"},
		{"an operation", "x-timeout: 0", "seconds from 1 to 3600"},
		{"an operation", "x-timeout: 1.5", "seconds from 1 to 3600"},
		{"an operation", "x-timeout: 30s", "seconds from 1 to 3600"},
		{"an operation", "x-timeout: '30'", "seconds from 1 to 3600"},
		{"the root", "x-timeout: -5", "seconds from 1 to 3600"},
		{"a schema", "x-timeout: 5", "it stands at the root of the document and in an operation"},
		{"a member", "x-timeout: 5", "it stands at the root of the document and in an operation"},
		{"a parameter", "x-timeout: 5", "it stands at the root of the document and in an operation"},
		{"a path", "x-timeout: 5", "it stands at the root of the document and in an operation"},

		{"the root", "x-rate-limit: []", ""},
		{"the root", "x-rate-limit: [{ " + limit + " }]", ""},
		{"an operation", "x-rate-limit: [{ " + limit + ", burst: 2 }, { name: b, by: principal, quota: 5, window: 60 }]", ""},
		{"an operation", "x-rate-limit: { " + limit + " }", "must be a list"},
		{"an operation", "x-rate-limit: 5", "must be a list"},
		{"an operation", "x-rate-limit: [5]", "must be a mapping"},
		{"an operation", "x-rate-limit: [{ by: address, quota: 5, window: 60 }]", "the limit has no name"},
		{"an operation", "x-rate-limit: [{ name: a, by: address }]", "the limit has no quota and no window"},
		{"an operation", "x-rate-limit: [{ name: 5, by: address, quota: 5, window: 60 }]", "printable ASCII"},
		{"an operation", "x-rate-limit: [{ name: a b, by: address, quota: 5, window: 60 }]", "printable ASCII"},
		{"an operation", "x-rate-limit: [{ name: '', by: address, quota: 5, window: 60 }]", "printable ASCII"},
		{"an operation", "x-rate-limit: [{ name: a, by: moon, quota: 5, window: 60 }]", "by address, principal, key, client or account"},
		{"an operation", "x-rate-limit: [{ name: a, by: address, quota: 0, window: 60 }]", "requests from 1"},
		{"an operation", "x-rate-limit: [{ name: a, by: address, quota: 5, window: 1m }]", "seconds from 1"},
		{"an operation", "x-rate-limit: [{ name: a, by: address, quota: 5, window: 31536001 }]", "seconds from 1"},
		{"an operation", "x-rate-limit: [{ " + limit + ", burst: 0 }]", "requests from 1"},
		{"an operation", "x-rate-limit: [{ " + limit + ", burst: 2, cost: 2 }, { name: b, by: key, quota: 5, window: 60, cost: 5 }, { name: c, by: client, quota: 5, window: 60 }]", ""},
		{"an operation", "x-rate-limit: [{ name: a, by: account, member: name, quota: 5, window: 60 }, { name: b, by: client, member: name, quota: 5, window: 60 }]", ""},
		{"an operation", "x-rate-limit: [{ " + limit + ", cost: 0 }]", "places from 1"},
		{"an operation", "x-rate-limit: [{ " + limit + ", member: name }]", "names a client or an account"},
		{"an operation", "x-rate-limit: [{ name: a, by: account, member: 5, quota: 5, window: 60 }]", "must be the name of a member"},
		{"an operation", "x-rate-limit: [{ " + limit + ", per: day }]", `"per" has no place in a limit`},
		{"a path", "x-rate-limit: []", "it stands at the root of the document and in an operation"},

		{"an operation", "x-problem-format: oauth", ""},
		{"an operation", "x-problem-format: OAuth", "can only be given as oauth or page"},
		{"an operation", "x-problem-format: page", ""},
		{"an operation", "x-problem-format: true", "can only be given as oauth"},
		{"the root", "x-problem-format: oauth", "it stands in an operation"},
		{"an operation", "x-unknown-parameters: ignore", ""},
		{"an operation", "x-unknown-parameters: refuse", "can only be given as ignore"},
		{"an operation", "x-unknown-parameters: [ignore]", "can only be given as ignore"},
		{"a path", "x-unknown-parameters: ignore", "it stands in an operation"},

		{"a scheme of apiKey", "x-scopes: ['items:read', write]", ""},
		{"a scheme of apiKey", "x-scopes: []", ""},
		{"a scheme of apiKey", "x-scopes: 'items:read'", "must be a list of scopes"},
		{"a scheme of apiKey", "x-scopes: { 'items:read': Read. }", "must be a list of scopes"},
		{"a scheme of apiKey", "x-scopes: [5]", "a scope is printable ASCII"},
		{"a scheme of apiKey", "x-scopes: ['']", "a scope is printable ASCII"},
		{"a scheme of apiKey", "x-scopes: ['items read']", "a scope is printable ASCII"},
		{"a scheme of apiKey", "x-scopes: [read, read]", "is listed twice"},
		{"a scheme of oauth2", "x-scopes: [read]", "it stands in a security scheme of the type http, apiKey or mutualTLS"},
		{"an operation", "x-scopes: [read]", "it stands in a security scheme"},
		{"the root", "x-scopes: [read]", "it stands in a security scheme"},

		{"the root", "x-roles: {}", ""},
		{"the root", "x-roles: { writer: { description: Who writes., scopes: [write] }, guest: { description: Who looks., scopes: [] } }", ""},
		{"the root", "x-roles: [writer]", "must be a mapping of names to roles"},
		{"the root", "x-roles: writer", "must be a mapping of names to roles"},
		{"the root", "x-roles: { a b: { description: Who writes., scopes: [write] } }", "the name of a role is printable ASCII"},
		{"the root", "x-roles: { '': { description: Who writes., scopes: [write] } }", "the name of a role is printable ASCII"},
		{"the root", "x-roles: { writer: [write] }", "must be a mapping"},
		{"the root", "x-roles: { writer: { scopes: [write] } }", "the role has no description"},
		{"the root", "x-roles: { writer: { description: '', scopes: [write] } }", "must be a text that says who has the role"},
		{"the root", "x-roles: { writer: { description: Who writes. } }", "the role has no scopes"},
		{"the root", "x-roles: { writer: { description: Who writes., scopes: write } }", "must be a list of scopes"},
		{"the root", "x-roles: { writer: { description: Who writes., scopes: [5] } }", "a scope is printable ASCII"},
		{"the root", "x-roles: { writer: { description: Who writes., scopes: ['write things'] } }", "a scope is printable ASCII"},
		{"the root", "x-roles: { writer: { description: Who writes., scopes: [write, write] } }", "is listed twice"},
		{"the root", "x-roles: { writer: { description: Who writes., scopes: [write], scope: read } }", `"scope" has no place in a role`},
		{"an operation", "x-roles: {}", "it stands at the root of the document"},
		{"a path", "x-roles: {}", "it stands at the root of the document"},
		{"a scheme of oauth2", "x-roles: {}", "it stands at the root of the document"},
		{"a schema", "x-roles: {}", "it stands at the root of the document"},

		{"an operation", "x-go-name: StoreThing", ""},
		{"a parameter", "x-go-name: Most", ""},
		{"a schema", "x-go-name: Object", ""},
		{"a member", "x-go-name: Label", ""},
		{"a scheme of apiKey", "x-go-name: Session", ""},
		{"an operation", "x-go-name: storeThing", "must be an exported Go identifier"},
		{"an operation", "x-go-name: Store Thing", "must be an exported Go identifier"},
		{"an operation", "x-go-name: ''", "must be an exported Go identifier"},
		{"an operation", "x-go-name: 5", "must be an exported Go identifier"},
		{"a parameter", "x-go-name: most", "must be an exported Go identifier"},
		{"a schema", "x-go-name: [Object]", "must be an exported Go identifier"},
		{"a member", "x-go-name: La_bel", "must be an exported Go identifier"},
		{"a scheme of apiKey", "x-go-name: 7", "must be an exported Go identifier"},
		{"a path", "x-go-name: Thing", "it stands in an operation, parameter, schema or security scheme"},
	} {
		t.Run(row.member+" in "+row.where, func(t *testing.T) {
			text := placeAmong(t, row.where, row.member)
			l, err := openLibrary(writeDocument(t, text))
			if err != nil {
				t.Fatal(err)
			}
			data, err := appendJSON(nil, l.main.root)
			if err != nil {
				t.Fatal(err)
			}
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(value); (err == nil) != (row.reason == "") {
				t.Errorf("the schema says %v", err)
			}
			key, _, _ := strings.Cut(row.member, ":")
			judgedAs(t, text, key, row.reason)
		})
	}
}

// A limit must be one that can count something, which only what stands around it can tell.
func TestALimitFitsItsOperation(t *testing.T) {
	const limit = "name: a, by: address, quota: 5, window: 60"
	for _, row := range []struct{ where, member, reason string }{
		{"a public operation", "x-public-reason: All may.\n      x-rate-limit: [{ name: a, by: client, member: name, quota: 5, window: 60 }]", ""},
		{"an operation", "x-rate-limit: [{ " + limit + ", burst: 2, cost: 3 }]", "never allowed: at most 2 places"},
		{"an operation", "x-rate-limit: [{ " + limit + ", cost: 6 }]", "never allowed: at most 5 places"},
		{"an operation", "x-rate-limit: [{ name: a, by: address, quota: 60000001, window: 60 }]", "more than 1000000 requests a second"},
		{"an operation", "x-rate-limit: [{ name: a, by: account, member: size, quota: 5, window: 60 }]", `has no member "size" that is a string`},
		{"an operation", "x-rate-limit: [{ name: a, by: account, quota: 5, window: 60 }]", "the operation takes no HTTP Basic"},
		{"an operation without a body", "x-rate-limit: [{ name: a, by: account, member: name, quota: 5, window: 60 }]", "the operation takes none"},
		{"a public operation", "x-public-reason: All may.\n      x-rate-limit: [{ name: a, by: client, quota: 5, window: 60 }]", "say with member"},
		{"a public operation", "x-public-reason: All may.\n      x-rate-limit: [{ name: a, by: key, quota: 5, window: 60 }]", "open to everybody: count by address"},
		{"the root", "x-rate-limit: [{ name: a, by: account, member: name, quota: 5, window: 60 }]", "state the limit there"},
	} {
		t.Run(row.member+" in "+row.where, func(t *testing.T) {
			judgedAs(t, placeAmong(t, row.where, row.member), "x-rate-limit", row.reason)
		})
	}
}

// judgedAs demands that the generator tells a fault at the member, of its line and with the reason, or none at all.
func judgedAs(t *testing.T, text, key, reason string) {
	t.Helper()
	_, _, err := load(Options{Spec: writeDocument(t, text)})
	if reason == "" {
		if err != nil {
			t.Errorf("refused:\n%v", err)
		}
		return
	}
	faults, _ := err.(Faults)
	line := 1 + strings.Count(text[:strings.Index(text, key)], "\n")
	if !slices.ContainsFunc(faults, func(f Fault) bool {
		return strings.Contains(f.Pointer, "/"+key) && f.Line == line && strings.Contains(f.Reason, reason)
	}) {
		t.Errorf("no fault at %s in line %d that says %q:\n%v", key, line, reason, err)
	}
}

// TestRolesHoldDeclaredScopes: what no flow declares cannot be granted, and JSON Schema cannot say so.
func TestRolesHoldDeclaredScopes(t *testing.T) {
	for scope, reason := range map[string]string{
		"write":  "",
		"wirte":  `the role holds the scope "wirte", which no flow of an oauth2 scheme declares`,
		"secret": `the role holds the scope "secret", which no flow of an oauth2 scheme declares`, // an API key can hold it, a token cannot
	} {
		t.Run(scope, func(t *testing.T) {
			text := strings.Replace(spacious, "      name: key\n", "      name: key\n      x-scopes: [secret]\n", 1)
			judgedAs(t, "x-roles: { writer: { description: Who writes., scopes: ["+scope+"] } }\n"+text, "x-roles", reason)
		})
	}
}

// TestExtensionsOutOfPlace: what stands where nothing reads it would be ignored, and is refused.
func TestExtensionsOutOfPlace(t *testing.T) {
	for _, where := range []string{"info", "the paths", "a request body", "a media type", "the responses", "a response", "a flow", "components", "a parameter of nobody", "a webhook", "a server", "a tag"} {
		for key, stands := range extensions {
			t.Run(key+" in "+where, func(t *testing.T) {
				judgedAs(t, placeAmong(t, where, key+": 5"), key, key+" says nothing here and would be ignored: it stands "+stands)
			})
		}
	}
	for where, misspelled := range map[string]string{"info": "x-timeouts: 5", "a webhook": "x-time-out: 5", "a server": "x-max-body-size: 5", "a response": "x-rate-limits: []"} {
		key, _, _ := strings.Cut(misspelled, ":")
		t.Run(key+" in "+where, func(t *testing.T) {
			judgedAs(t, placeAmong(t, where, misspelled), key, "is not known here: write x-")
		})
	}
}

// TestAliasedExtensionOutOfPlace: one value of YAML that is read in one place is not thereby read in another.
func TestAliasedExtensionOutOfPlace(t *testing.T) {
	text := "x-timeout: &seconds 30\n" + strings.Replace(spacious, "    post:\n", "    post:\n      x-timeout: *seconds\n", 1)
	_, _, err := load(Options{Spec: writeDocument(t, text)})
	if faults, _ := err.(Faults); len(faults) != 1 || faults[0].Pointer != "/webhooks/told/post/x-timeout" {
		t.Errorf("got %v, want one fault in the webhook", err)
	}
}

// TestNamesAreNoExtensions: a name that the author chooses may be that of an extension, and so may a member of an example.
func TestNamesAreNoExtensions(t *testing.T) {
	for _, row := range []struct{ name, old, new string }{
		{"a member of an object", "        name:\n          type: string\n", "        x-timeout: { type: integer }\n        name:\n          type: string\n"},
		{"a header of a response", "          description: Done.\n", "          description: Done.\n          headers: { x-rate-limit: { schema: { type: string } } }\n"},
		{"a member of an example", "          type: string\n          maxLength", "          type: string\n          example: { x-timeout: soon }\n          maxLength"},
		{"a value of an enum", "          type: string\n          maxLength", "          enum: [{ x-timeout: soon }]\n          maxLength"},
		{"a scope", "{ write: Write. }", "{ write: Write., x-timeout: Wait. }"},
		{"within the extension of another", "info:\n", "info:\n  x-logo: { x-timeout: 5 }\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			text := strings.Replace(spacious, row.old, row.new, 1)
			if text == spacious {
				t.Fatalf("the document does not hold %q", row.old)
			}
			judgedAs(t, text, "", "")
		})
	}
}

// TestExtensionsOfOthersAreTold counts them wherever they stand.
func TestExtensionsOfOthersAreTold(t *testing.T) {
	text := placeAmong(t, "a webhook", "x-vendor: { x-vendor: 1 }")
	text = strings.Replace(text, "info:\n", "info:\n  x-vendor: 1\n", 1)
	text = strings.Replace(text, "  /things/{id}:\n", "  /things/{id}:\n    x-vendor: 1\n", 1)
	_, warnings, err := load(Options{Spec: writeDocument(t, text)})
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "extensions that say nothing here: x-vendor (3 times)") {
		t.Errorf("warnings %q", warnings)
	}
}

// TestExtensionsSchemaIsComplete: every extension is described, and the schema has no other.
func TestExtensionsSchemaIsComplete(t *testing.T) {
	var schema struct {
		Defs map[string]struct{ Title, Description string } `json:"$defs"`
	}
	if err := json.Unmarshal(ExtensionsSchema, &schema); err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for name, s := range schema.Defs {
		if strings.HasPrefix(name, "x-") {
			described[name] = s.Title != "" && s.Description != ""
		}
	}
	want := map[string]bool{}
	for name := range extensions {
		want[name] = true
	}
	if diff := cmp.Diff(want, described); diff != "" {
		t.Error(diff)
	}
}

// TestRolesAreGenerated as the document names them, in its order.
func TestRolesAreGenerated(t *testing.T) {
	for member, want := range map[string]string{
		"x-roles: { writer: { description: Who writes., scopes: [write] }, 'the:guest': { description: Who looks., scopes: [] } }\n": "func Roles() map[string][]string {\n\treturn map[string][]string{\n\t\t\"writer\":    {\"write\"},\n\t\t\"the:guest\": {},\n\t}\n}",
		"": "func Roles() map[string][]string {\n\treturn map[string][]string{}\n}",
	} {
		dir, err := generateInto(t, writeDocument(t, member+minimal))
		if err != nil {
			t.Fatal(err)
		}
		code, err := os.ReadFile(filepath.Join(dir, "things", "operations.gen.go"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(code), want) {
			t.Errorf("%s is not in the code", want)
		}
	}
}
