package codegen

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/internal/needtest"
)

func readText(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// addResponses adds what is missing, and checks what holds for every document: nothing of the text is lost, no status is
// missing any more, and a second run has nothing to add.
func addResponses(t *testing.T, spec string, o Options) (added []string, text string) {
	t.Helper()
	before := readText(t, spec)
	o.Spec = spec
	added, err := AddProblemResponses(o)
	if err != nil {
		t.Fatal(err)
	}
	text = readText(t, spec)
	if lost := lostCharacters(before, text); lost != "" {
		t.Errorf("lost: %s", lost)
	}
	o.UndeclaredSecurity = ""
	told := func() (list []string) {
		warnings, err := Check(o)
		if err != nil {
			list = append(list, strings.Split(err.Error(), "\n")...)
		}
		return append(list, warnings...)
	}
	for _, line := range told() {
		if strings.Contains(line, "which its responses do not declare") {
			t.Error(line)
		}
	}
	o.UndeclaredSecurity = "deny"
	if again, err := AddProblemResponses(o); err != nil || len(again) > 0 || readText(t, spec) != text {
		t.Errorf("a second run added %v, %v", again, err)
	}
	return added, text
}

// lostCharacters returns the first of before that after does not hold in its order.
func lostCharacters(before, after string) string {
	at := 0
	for i := range len(before) {
		n := strings.IndexByte(after[at:], before[i])
		if n < 0 {
			return before[i:min(len(before), i+60)]
		}
		at += n + 1
	}
	return ""
}

// TestProblemResponsesOfOurDocument takes all responses of the engine out of the document of this service: what is written says
// the same as what was there.
func TestProblemResponsesOfOurDocument(t *testing.T) {
	whole := readText(t, "../../openapi.yaml")
	line := regexp.MustCompile(`(?m)^ {8}'(400|401|403|406|408|413|415|422|429|500|503)': \{ \$ref: .*\n`)
	text := line.ReplaceAllString(whole, "")
	if n := strings.Count(whole, "\n") - strings.Count(text, "\n"); n < 50 {
		t.Fatalf("%d responses were taken out", n)
	}
	spec := writeDocument(t, text)
	_, err := Check(Options{Spec: spec})
	faults, _ := err.(Faults)
	if len(faults) < 10 || !strings.Contains(err.Error(), "the operation can answer 400, 401, 403, 406, 422, 429, 500, 503, which its responses do not declare: declare it, or run gatehouse-gen check --add-problem-responses") {
		t.Errorf("check does not refuse it: %v", err)
	}
	_, got := addResponses(t, spec, Options{})
	if warnings, err := Check(Options{Spec: spec}); err != nil || len(warnings) > 0 {
		t.Errorf("check: %v, %v", warnings, err)
	}
	n := 0
	was, is := topOf(t, whole), topOf(t, got)
	for _, path := range is.get("paths").members() {
		for _, method := range path.value.members() {
			for _, r := range method.value.get("responses").members() {
				n++
				if own := was.get("paths").get(path.key).get(method.key).get("responses").get(r.key); own.exists() && (strings.Contains(own.json(), "/InvalidToken\"") || strings.Contains(own.json(), "/LoginRefused\"")) {
					continue // one of the handler's own, in which the engine's is contained
				}
				if before := was.get("paths").get(path.key).get(method.key).get("responses").get(r.key); !before.exists() || before.json() != r.value.json() {
					t.Errorf("%s %s %s is now %s", method.key, path.key, r.key, r.value.json())
				}
			}
		}
	}
	if was.get("components").json() != is.get("components").json() || n < 100 {
		t.Errorf("other components, or only %d responses", n)
	}
}

// topOf is the top of a document.
func topOf(t *testing.T, text string) node {
	t.Helper()
	l, err := openLibrary(writeDocument(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return l.main.top()
}

// TestEngineComponentsAreOurs: what is written into other documents is what this service declares.
func TestEngineComponentsAreOurs(t *testing.T) {
	ours, err := parseText([]byte(readText(t, "../../openapi.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := parseText(engineComponents)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for i := 0; i < len(theirs.Content); i += 2 {
		section := theirs.Content[i].Value
		for j := 0; j < len(theirs.Content[i+1].Content); j += 2 {
			name := theirs.Content[i+1].Content[j].Value
			if name == "OAuthForbidden" || name == "PageUnauthorized" {
				continue // no operation of ours answers it
			}
			n++
			if !sameJSON(theirs.Content[i+1].Content[j+1], mappingIn(mappingIn(mappingIn(ours, "components"), section), name)) {
				t.Errorf("%s %s differs from that of openapi.yaml", section, name)
			}
		}
	}
	if n != 39 {
		t.Errorf("%d components compared", n)
	}
}

// TestProblemResponsesOfPublicDocuments writes into documents of other forms: YAML of two styles, JSON on one line and on many.
func TestProblemResponsesOfPublicDocuments(t *testing.T) {
	for folder, want := range map[string]int{"museum": 63, "petstore-expanded": 36, "swagger-petstore": 137, "k8s-batch": 210, "ory-hydra": 300, "resend": 800} {
		t.Run(folder, func(t *testing.T) {
			original := specIn(t, filepath.Join(needtest.Suites(t, "../..", "openapi"), folder))
			spec := filepath.Join(t.TempDir(), filepath.Base(original))
			if err := os.WriteFile(spec, []byte(readText(t, original)), 0o600); err != nil {
				t.Fatal(err)
			}
			added, _ := addResponses(t, spec, Options{UndeclaredSecurity: "deny"})
			t.Logf("%d added", len(added))
			if len(added) < want {
				t.Errorf("%d added, want %d", len(added), want)
			}
			if folder == "museum" || folder == "petstore-expanded" {
				if _, err := Generate(Options{Spec: spec, Out: filepath.Join(t.TempDir(), "api"), Package: "api", UndeclaredSecurity: "deny"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestProblemResponsesKeepTheForm(t *testing.T) {
	const (
		head     = "openapi: 3.1.0\ninfo: { title: A, version: '1' }\n"
		schemes  = "  securitySchemes: { token: { type: http, scheme: bearer } }\n"
		declared = "  responses:\n    Refused: &refused { description: No., content: { application/problem+json: {} } }\n"
	)
	for _, row := range []struct {
		name, text string
		want       string // "" where it is refused
	}{
		{"a range that speaks of the same errors: nothing is added", head + "paths:\n  /a:\n    get:\n      operationId: a\n      security: [{ token: [] }]\n      responses:\n        # The good one.\n        \"204\":\n          description: Done.   # at last\n        # The other ones.\n        \"401\": { $ref: '#/components/responses/Refused' }\n        default: { $ref: '#/components/responses/Refused' }\n        # The end.\n\ncomponents:\n" + schemes + declared,
			head + "paths:\n  /a:\n    get:\n      operationId: a\n      security: [{ token: [] }]\n      responses:\n        # The good one.\n        \"204\":\n          description: Done.   # at last\n        # The other ones.\n        \"401\": { $ref: '#/components/responses/Refused' }\n        default: { $ref: '#/components/responses/Refused' }\n        # The end.\n\ncomponents:\n" + schemes + declared},
		{"a block that uses what others declare", head + "paths:\n  /a:\n    get:\n      operationId: a\n      security: [{ token: [] }]\n      responses:\n        '204':\n          description: |\n            Done.\n\n              # no comment\n        # Of the next one.\n        '404': { description: None. }\n  /b: { get: { operationId: b, security: [{ token: [] }], responses: { '204': { description: Done. }, " + refs() + " } } }\ncomponents:\n" + schemes + declared,
			head + "paths:\n  /a:\n    get:\n      operationId: a\n      security: [{ token: [] }]\n      responses:\n        '204':\n          description: |\n            Done.\n\n              # no comment\n        '400': {$ref: '#/components/responses/Refused'}\n        '401': {$ref: '#/components/responses/Refused'}\n        '403': {$ref: '#/components/responses/Refused'}\n        # Of the next one.\n        '404': { description: None. }\n        '422': {$ref: '#/components/responses/Refused'}\n        '500': {$ref: '#/components/responses/Refused'}\n        '503': {$ref: '#/components/responses/Refused'}\n  /b: { get: { operationId: b, security: [{ token: [] }], responses: { '204': { description: Done. }, " + refs() + " } } }\ncomponents:\n" + schemes + declared},
		{"a mapping on one line", head + "paths:\n  /a: { get: { operationId: 'it''s }', security: [{ token: [] }], responses: { '204': { description: \"{\\\"}\" } } } }\n  /b: { get: { operationId: b, security: [{ token: [] }], responses: { '204': { description: Done. }, " + refs() + " } } }\ncomponents:\n" + schemes + declared,
			head + "paths:\n  /a: { get: { operationId: 'it''s }', security: [{ token: [] }], responses: { '204': { description: \"{\\\"}\" }, \"400\": {\"$ref\":\"#/components/responses/Refused\"}, \"401\": {\"$ref\":\"#/components/responses/Refused\"}, \"403\": {\"$ref\":\"#/components/responses/Refused\"}, \"422\": {\"$ref\":\"#/components/responses/Refused\"}, \"500\": {\"$ref\":\"#/components/responses/Refused\"}, \"503\": {\"$ref\":\"#/components/responses/Refused\"} } } }\n  /b: { get: { operationId: b, security: [{ token: [] }], responses: { '204': { description: Done. }, " + refs() + " } } }\ncomponents:\n" + schemes + declared},
		{"an alias, whose mapping gets them once", head + "paths:\n  /a:\n    get: { operationId: a, security: [{ token: [] }], responses: &all { '204': { description: Done. } } }\n    put: { operationId: b, security: [{ token: [] }], responses: *all }\n    post: { operationId: c, security: [{ token: [] }], responses: { '204': { description: Done. }, " + refs() + " } }\ncomponents:\n" + schemes + declared,
			head + "paths:\n  /a:\n    get: { operationId: a, security: [{ token: [] }], responses: &all { '204': { description: Done. }, \"400\": {\"$ref\":\"#/components/responses/Refused\"}, \"401\": {\"$ref\":\"#/components/responses/Refused\"}, \"403\": {\"$ref\":\"#/components/responses/Refused\"}, \"422\": {\"$ref\":\"#/components/responses/Refused\"}, \"500\": {\"$ref\":\"#/components/responses/Refused\"}, \"503\": {\"$ref\":\"#/components/responses/Refused\"} } }\n    put: { operationId: b, security: [{ token: [] }], responses: *all }\n    post: { operationId: c, security: [{ token: [] }], responses: { '204': { description: Done. }, " + refs() + " } }\ncomponents:\n" + schemes + declared},
		{"a comment before the brace", head + "paths:\n  /a:\n    get: { operationId: a, security: [{ token: [] }], responses: { '204': { description: Done. } # so be it\n      } }\n  /b: { get: { operationId: b, security: [{ token: [] }], responses: { '204': { description: Done. }, " + refs() + " } } }\ncomponents:\n" + schemes + declared, ""},
		{"a document with a fault", head + "paths:\n  /a:\n    get: { operationId: a, security: [{ token: [] }], responses: { '204': { description: Done. } } }\n", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			spec := writeDocument(t, row.text)
			if row.want == "" {
				if added, err := AddProblemResponses(Options{Spec: spec}); err == nil || readText(t, spec) != row.text {
					t.Errorf("added %v, %v", added, err)
				}
				return
			}
			_, got := addResponses(t, spec, Options{})
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// refs are the responses of an operation that has all.
func refs() string {
	var list []string
	for _, status := range []string{"400", "401", "403", "422", "500", "503"} {
		list = append(list, "'"+status+"': { $ref: '#/components/responses/Refused' }")
	}
	return strings.Join(list, ", ")
}

// TestProblemResponsesAddComponents: what the document lacks is added under names that are free.
func TestProblemResponsesAddComponents(t *testing.T) {
	for _, row := range []struct {
		name, old, new string
		holds          []string
	}{
		{"beside other components", "", "", []string{"'401': {$ref: '#/components/responses/Unauthorized'}", "\n  responses:\n    BadRequest:\n", "\n  headers:\n    WWWAuthenticate:\n", "    Problem:\n      description: RFC 9457."}},
		{"where another schema has the name", "    Thing:\n", "    Problem: { type: string }\n    Thing:\n", []string{"    GatehouseProblem:\n      description: RFC 9457.", "schema: {$ref: '#/components/schemas/GatehouseProblem'}"}},
		{"where another response has the name", "  schemas:\n", "  responses:\n    Unauthorized: { description: No. }\n  schemas:\n", []string{"'401': {$ref: '#/components/responses/GatehouseUnauthorized'}", "    GatehouseUnauthorized:\n"}},
		{"in the form of RFC 6749", "      operationId: putThing\n", "      operationId: putThing\n      x-problem-format: oauth\n", []string{"'403': {$ref: '#/components/responses/OAuthForbidden'}", "    OAuthForbidden:\n", "    OAuthError:\n"}},
		{"with a limit", "      operationId: putThing\n", "      operationId: putThing\n      x-rate-limit: [{ name: a, by: address, quota: 1, window: 1 }]\n", []string{"'429': {$ref: '#/components/responses/TooManyRequests'}", "    RateLimitPolicy:\n"}},
		{"with a timeout", "      operationId: putThing\n", "      operationId: putThing\n      x-timeout: 5\n", []string{"'408': {$ref: '#/components/responses/RequestTimeout'}", "    RequestTimeout:\n"}},
		{"with a timeout, in the form of RFC 6749", "      operationId: putThing\n", "      operationId: putThing\n      x-timeout: 5\n      x-problem-format: oauth\n", []string{"'408': {$ref: '#/components/responses/OAuthRequestTimeout'}", "    OAuthRequestTimeout:\n"}},
		{"beside a range that speaks of other errors", "'204': { description: Done. }", "'204': { description: Done. }\n        4XX: { description: No., content: { application/json: {} } }", []string{"'401': {$ref", "'422': {$ref"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			spec := writeDocument(t, strings.Replace(minimal, row.old, row.new, 1))
			added, text := addResponses(t, spec, Options{})
			for _, want := range row.holds {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not in what %v gave:\n%s", want, added, text)
				}
			}
			if _, err := Generate(Options{Spec: spec, Out: filepath.Join(t.TempDir(), "api"), Package: "api"}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestProblemResponsesOfSeveralFiles: each operation is completed where it stands, by references to the components of the document.
func TestProblemResponsesOfSeveralFiles(t *testing.T) {
	spec := writeFiles(t, split)
	addResponses(t, spec, Options{})
	dir := filepath.Dir(spec)
	for file, want := range map[string]string{
		"paths/pets.yaml": "    '401': {$ref: '../openapi.yaml#/components/responses/Unauthorized'}\n",
		"paths/all.json":  `"401": {"$ref":"../openapi.yaml#/components/responses/Unauthorized"}`,
		"openapi.yaml":    "\n    Unauthorized:\n      description: No credential",
	} {
		if text := readText(t, filepath.Join(dir, file)); !strings.Contains(text, want) {
			t.Errorf("%s does not hold %q:\n%s", file, want, text)
		}
	}
}
