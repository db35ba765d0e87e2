package codegen

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// typescriptClient returns the files of the TypeScript client of a document.
func typescriptClient(t *testing.T, text string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	o := Options{Spec: writeDocument(t, text), Out: filepath.Join(dir, "server", "api"), Package: "api", TypeScript: filepath.Join(dir, "npm")}
	if _, err := Generate(o); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, name := range []string{".npmrc", "package.json", "tsconfig.json", "src/body.gen.ts", "src/client.gen.ts", "src/credentials.gen.ts", "src/operations.gen.ts"} {
		data, err := os.ReadFile(filepath.Join(o.TypeScript, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(data)
	}
	return files
}

// TestTypeScriptOperations: the client knows of an operation what its types do not tell.
func TestTypeScriptOperations(t *testing.T) {
	const (
		schemes   = "components:\n  securitySchemes:\n"
		body      = "application/json:\n            schema: { $ref: '#/components/schemas/Thing' }\n"
		responses = "'204': { description: Done. }"
	)
	for _, row := range []struct {
		name     string
		old, new string
		want     string
		not      string
	}{
		{"one scheme and a JSON body", "", "", `"PUT /things/{id}": { security: [["token"]], body: "application/json" },`, ""},
		{"two schemes together", "- token: [write]", "- { token: [write], key: [] }", `security: [["token", "key"]]`, ""},
		{"alternatives, one of them anonymous", "- token: [write]", "- {}\n        - key: []\n        - token: []", `security: [[], ["key"], ["token"]]`, ""},
		{"nobody needs a credential", "security:\n        - token: [write]", "security: []\n      x-public-reason: All may.", `security: []`, ""},
		{"a scheme whose name is no identifier", schemes, schemes + "    api-key: { type: apiKey, in: header, name: X-Key }\n", `"api-key": headerKey("X-Key"),`, ""},
		{"a member with such a name", schemes, schemes + "    api-key: { type: apiKey, in: header, name: X-Key }\n", `"api-key"?: Credential<string>;`, ""},
		{"an API key in the query", "in: cookie, name: key", "in: query, name: 'the \"key\"'", `key: queryKey("the \"key\""),`, "cookieKey"},
		{"an API key in a cookie", "", "", `key: cookieKey("key"),`, "queryKey"},
		{"a name that would end the comment", schemes, schemes + "    'a*/b': { type: http, scheme: basic }\n", `scheme a* /b`, "a*/b (RFC"},
		{"HTTP Basic", schemes, schemes + "    user: { type: http, scheme: Basic }\n", `user?: Credential<UserPassword>;`, ""},
		{"a client certificate", schemes, schemes + "    client: { type: mutualTLS }\n", `client?: Credential<true>;`, ""},
		{"JSON before other media types", body, "application/x-www-form-urlencoded:\n            schema: { $ref: '#/components/schemas/Thing' }\n          application/merge-patch+json:\n            schema: { $ref: '#/components/schemas/Thing' }\n", `body: "application/merge-patch+json"`, ""},
		{"every JSON", body, "'*/*':\n            schema: { $ref: '#/components/schemas/Thing' }\n", `body: "application/json"`, ""},
		{"a form", body, "application/x-www-form-urlencoded:\n            schema: { $ref: '#/components/schemas/Thing' }\n", `body: "application/x-www-form-urlencoded"`, ""},
		{"any image, of which the caller knows the kind", body, "image/*: {}\n", `"PUT /things/{id}": { security: [["token"]] },`, ""},
		{"a response that is text", responses, "'200': { description: A page., content: { text/html: { schema: { type: string } } } }", `parseAs: "text"`, ""},
		{"a response that is text or an image", responses, "'200': { description: A page., content: { text/html: { schema: { type: string } }, image/png: {} } }", "", "parseAs"},
		{"a response that is text or JSON", responses, "'200': { description: A page., content: { text/html: { schema: { type: string } }, application/json: { schema: { type: string } } } }", "", "parseAs"},
		{"text that stands for an object", responses, "'200': { description: A page., content: { text/yaml: { schema: { type: object } } } }", "", "parseAs"},
		{"a failure that is text", responses, responses + "\n        '500': { description: Ouch., content: { text/plain: { schema: { type: string } } } }", "", "parseAs"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if !strings.Contains(minimal, row.old) {
				t.Fatalf("the document does not hold %q", row.old)
			}
			got := typescriptClient(t, strings.Replace(minimal, row.old, row.new, 1))["src/operations.gen.ts"]
			if !strings.Contains(got, row.want) {
				t.Errorf("%q is missing:\n%s", row.want, got)
			}
			if row.not != "" && strings.Contains(got, row.not) {
				t.Errorf("%q is there:\n%s", row.not, got)
			}
		})
	}
}

func TestTypeScriptPackage(t *testing.T) {
	files := typescriptClient(t, strings.Replace(minimal, "{ title: Things, version: '1' }", "{ title: 'The <Things> & more', version: '1', license: { name: MIT, identifier: MIT } }", 1))
	for name, text := range files {
		if !strings.Contains(text, "Code generated by gatehouse-gen from openapi.yaml. DO NOT EDIT.") {
			t.Errorf("%s does not say that it is generated:\n%s", name, text)
		}
	}
	var got npmPackage
	if err := json.Unmarshal([]byte(files["package.json"]), &got); err != nil {
		t.Fatal(err)
	}
	if got.Name != "the-things-more-client" || got.Version != "1.0.0" || got.License != "MIT" || got.Description != "Client of The <Things> & more" {
		t.Errorf("got %+v", got)
	}
	if !strings.Contains(got.Scripts["schema"], " ../server/api/openapi.json ") {
		t.Errorf("the types are made of another document: %s", got.Scripts["schema"])
	}
	for _, list := range []map[string]string{got.Dependencies, got.Development} {
		for name, version := range list {
			if !semantic.MatchString(version) {
				t.Errorf("%s may be of any version that is %s", name, version)
			}
		}
	}
}

func TestSemanticVersion(t *testing.T) {
	for version, want := range map[string]string{
		"0.1.0": "0.1.0", "2.0.0-rc.1": "2.0.0-rc.1", "1": "1.0.0", "v1.2": "1.2.0", "1.02.3": "1.2.3", "2024-01-15": "2024.1.15",
		"1.2.3.4": "1.2.3", "": "0.0.0", "draft": "0.0.0", "1.0.0-01": "1.0.0", "0.0": "0.0.0",
	} {
		if got := semanticVersion(version); got != want || !semantic.MatchString(got) {
			t.Errorf("%q: %q, want %q", version, got, want)
		}
	}
}

func TestNpmName(t *testing.T) {
	for title, want := range map[string]string{"Gatehouse": "gatehouse-client", "  My API (v2) ": "my-api-v2-client", "Überall": "berall-client", "日本": "api-client", "": "api-client"} {
		if got := npmName(title); got != want {
			t.Errorf("%q: %q, want %q", title, got, want)
		}
	}
}
