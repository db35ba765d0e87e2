package codegen

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// table returns the generated operation table of a document.
func table(t *testing.T, text string, o Options) (table string, warnings []string) {
	t.Helper()
	o.Spec, o.Out, o.Package = writeDocument(t, text), t.TempDir(), "things"
	warnings, err := Generate(o)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(o.Out, "operations.gen.go"))
	if err != nil {
		t.Fatal(err)
	}
	return aligned.ReplaceAllString(string(data), "$1 "), warnings
}

// aligned is what gofmt aligns.
var aligned = regexp.MustCompile(`([:\w]) +`)

// TestSecurity: what the document says of security is what the table says.
func TestSecurity(t *testing.T) {
	const schemes = "components:\n  securitySchemes:\n"
	for _, row := range []struct {
		name     string
		old, new string
		options  Options
		want     []string
		not      []string
	}{
		{"a scheme with a scope", "", "", Options{}, []string{"Security: []guard.Alternative{\n\t\t\t{{Scheme: schemeToken, Scopes: []string{\"write\"}}},"}, []string{"Public:", "Denied:"}},
		{"two together", "- token: [write]", "- { token: [write], key: [] }", Options{}, []string{"{{Scheme: schemeToken, Scopes: []string{\"write\"}}, {Scheme: schemeKey}},"}, nil},
		{"two alternatives", "- token: [write]", "- token: [write]\n        - key: []", Options{}, []string{"{{Scheme: schemeToken, Scopes: []string{\"write\"}}},\n\t\t\t{{Scheme: schemeKey}},"}, nil},
		{"one scheme with other scopes", "- token: [write]", "- { token: [write], key: [] }\n        - token: []", Options{}, []string{"{{Scheme: schemeToken, Scopes: []string{\"write\"}}, {Scheme: schemeKey}},\n\t\t\t{{Scheme: schemeToken}},"}, nil},
		{"one scheme twice, with other scopes", "- token: [write]", "- token: [write]\n        - token: []", Options{}, []string{"{{Scheme: schemeToken, Scopes: []string{\"write\"}}},\n\t\t\t{{Scheme: schemeToken}},"}, nil},
		{"either of two together", "- token: [write]", "- { token: [write], key: [] }\n        - { key: [], token: [] }", Options{}, []string{"{{Scheme: schemeToken, Scopes: []string{\"write\"}}, {Scheme: schemeKey}},\n\t\t\t{{Scheme: schemeKey}, {Scheme: schemeToken}},"}, nil},
		{"optional at last", "- token: [write]", "- token: []\n        - {}", Options{}, []string{"{{Scheme: schemeToken}},\n\t\t\t{},"}, []string{"Public:"}},
		{"optional", "- token: [write]", "- {}\n        - token: []", Options{}, []string{"{},\n\t\t\t{{Scheme: schemeToken}},"}, []string{"Public:"}},
		{"inherited from the root", "      security:\n        - token: [write]\n", "", Options{}, nil, []string{"Public:"}},
		{"public with a reason", "security:\n        - token: [write]", "security: []\n      x-public-reason: Everybody may.", Options{}, []string{`Public: "Everybody may."`}, []string{"Security:"}},
		{"nobody among the alternatives, with a reason", "security:\n        - token: [write]", "security: [{}]\n      x-public-reason: Everybody may.", Options{}, []string{`Public: "Everybody may."`}, []string{"Security:"}},
		{"undeclared and denied", "      security:\n        - token: [write]\n", "", Options{UndeclaredSecurity: "deny"}, []string{`Denied: "undeclared: denied by --undeclared-security deny"`}, []string{"Public:", "Security:"}},
		{"undeclared and public", "      security:\n        - token: [write]\n", "", Options{UndeclaredSecurity: "public"}, []string{`Public: "undeclared: opened by --undeclared-security public"`}, []string{"Denied:", "Security:"}},
		{"declared, where undeclared ones are public", "", "", Options{UndeclaredSecurity: "public"}, []string{"Security:"}, []string{"Denied:", "Public:"}},
		{"an issuer, of any scope", schemes, schemes + "    issuer: { type: openIdConnect, openIdConnectUrl: 'https://id.example/.well-known/openid-configuration' }\n", Options{}, []string{`{Name: "issuer", Bearer: a.Issuer}`, "IssuerCredential = auth.BearerToken"}, nil},
		{"a client certificate", schemes, schemes + "    client: { type: mutualTLS }\n", Options{}, []string{`{Name: "client", MutualTLS: a.Client}`, "ClientCredential = auth.ClientCertificate"}, nil},
		{"every flow of oauth2", "flows: { password: { tokenUrl: /token, scopes: { write: Write. } } }", "flows: { implicit: { authorizationUrl: /a, scopes: { write: Write. } }, clientCredentials: { tokenUrl: /token, scopes: { read: Read. } }, authorizationCode: { authorizationUrl: /a, tokenUrl: /t, refreshUrl: /r, scopes: { admin: All. } } }", Options{}, []string{`return []string{"admin", "read", "write"}`}, nil},
		{"names that differ in punctuation", schemes, schemes + "    api-key: { type: apiKey, in: header, name: X-A }\n    api_key: { type: apiKey, in: header, name: X-B }\n", Options{}, []string{`{Name: "api-key", APIKey: a.ApiKey, In: "header", Param: "X-A"}`, `{Name: "api_key", APIKey: a.ApiKeyField, In: "header", Param: "X-B"}`}, nil},
		{"a name of one's own", schemes, schemes + "    api-key: { type: apiKey, in: header, name: X-A, x-go-name: Partner }\n", Options{}, []string{`{Name: "api-key", APIKey: a.Partner, In: "header", Param: "X-A"}`}, nil},
		{"a scheme by reference", "    key: { type: apiKey, in: cookie, name: key }\n", "    key: { $ref: '#/components/securitySchemes/session' }\n    session: { type: apiKey, in: cookie, name: sid }\n", Options{}, []string{`{Name: "key", APIKey: a.Key, In: "cookie", Param: "sid"}`}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			text := minimal
			if row.name == "inherited from the root" {
				text = "security: [{ token: [write] }]\n" + text
				row.want = []string{"{{Scheme: schemeToken, Scopes: []string{\"write\"}}},"}
			}
			if !strings.Contains(text, row.old) {
				t.Fatalf("the document does not hold %q", row.old)
			}
			got, _ := table(t, strings.Replace(text, row.old, row.new, 1), row.options)
			for _, want := range row.want {
				if !strings.Contains(got, want) {
					t.Errorf("the table does not hold %q:\n%s", want, got)
				}
			}
			for _, not := range row.not {
				if strings.Contains(got, not) {
					t.Errorf("the table holds %q:\n%s", not, got)
				}
			}
		})
	}
}

// TestSecurityOfTheRoot: what the operation says replaces what the root says, and is never added to it.
func TestSecurityOfTheRoot(t *testing.T) {
	const own = "      security:\n        - token: [write]\n"
	for _, row := range []struct {
		name, root, operation string
		want                  string
		not                   []string
	}{
		{"the root's alone", "security: [{ key: [] }]\n", "", "{{Scheme: schemeKey}},", []string{"schemeToken,", "Public:"}},
		{"the root's alternatives", "security: [{ key: [] }, { token: [write] }]\n", "", "{{Scheme: schemeKey}},\n\t\t\t{{Scheme: schemeToken, Scopes: []string{\"write\"}}},", []string{"Public:"}},
		{"the operation's replaces the root's", "security: [{ key: [] }]\n", own, "{{Scheme: schemeToken, Scopes: []string{\"write\"}}},", []string{"{Scheme: schemeKey}"}},
		{"the operation's replaces an optional root", "security: [{}, { key: [] }]\n", own, "{{Scheme: schemeToken, Scopes: []string{\"write\"}}},", []string{"\t{},", "{Scheme: schemeKey}"}},
		{"none of the operation replaces the root's", "security: [{ key: [] }]\n", "      security: []\n      x-public-reason: Everybody may.\n", `Public: "Everybody may."`, []string{"Security:"}},
		{"nobody of the operation replaces the root's", "security: [{ key: [] }]\n", "      security: [{}]\n      x-public-reason: Everybody may.\n", `Public: "Everybody may."`, []string{"Security:"}},
		{"an open root, and a reason at the operation", "security: []\n", "      x-public-reason: Everybody may.\n", `Public: "Everybody may."`, []string{"Security:"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, _ := table(t, row.root+strings.Replace(minimal, own, row.operation, 1), Options{})
			if !strings.Contains(got, row.want) {
				t.Errorf("the table does not hold %q:\n%s", row.want, got)
			}
			for _, not := range row.not {
				if strings.Contains(got, not) {
					t.Errorf("the table holds %q:\n%s", not, got)
				}
			}
		})
	}
}

// TestTimeout: the operation's comes before the root's, and without either there is none.
func TestTimeout(t *testing.T) {
	for _, row := range []struct{ name, root, operation, want string }{
		{"none", "", "", ""},
		{"the root's", "x-timeout: 10\n", "", "Timeout: 10 * time.Second,"},
		{"the operation's", "", "\n      x-timeout: 3600", "Timeout: 3600 * time.Second,"},
		{"the operation's before the root's", "x-timeout: 10\n", "\n      x-timeout: 1", "Timeout: 1 * time.Second,"},
	} {
		got, _ := table(t, row.root+strings.Replace(minimal, "operationId: putThing", "operationId: putThing"+row.operation, 1), Options{})
		if n := strings.Count(got, "Timeout:"); !strings.Contains(got, row.want) || n != min(1, len(row.want)) {
			t.Errorf("%s: the table does not hold %q, or %d:\n%s", row.name, row.want, n, got)
		}
	}
}

// TestSecretQuery: no log may hold the value of a parameter that says format: password.
func TestSecretQuery(t *testing.T) {
	for _, row := range []struct{ name, parameter, want string }{
		{"a text", "{name: token, in: query, schema: {type: string, maxLength: 9}}", ""},
		{"a secret in a header", "{name: token, in: header, schema: {type: string, format: password, maxLength: 9}}", ""},
		{"a secret in a cookie", "{name: token, in: cookie, schema: {type: string, format: password, maxLength: 9}}", ""},
		{"a secret", "{name: token, in: query, schema: {type: string, format: password, maxLength: 9}}", `SecretQuery: []string{"token"},`},
		{"a secret by one of its schemas", "{name: token, in: query, schema: {type: string, maxLength: 9, allOf: [{type: string, format: password}]}}", `SecretQuery: []string{"token"},`},
		{"a member of an object that is spread over the query", "{name: filter, in: query, schema: {type: object, properties: {a: {type: string, maxLength: 9}, b: {type: string, format: password, maxLength: 9}}}}", `SecretQuery: []string{"b"},`},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, _ := table(t, strings.Replace(minimal, "      requestBody:", "        - "+row.parameter+"\n      requestBody:", 1), Options{})
			if n := strings.Count(got, "SecretQuery:"); !strings.Contains(got, row.want) || n != min(1, len(row.want)) {
				t.Errorf("the table does not hold %q, or %d:\n%s", row.want, n, got)
			}
		})
	}
}

// TestOwnOrigin: what changes something and reads a cookie is closed to pages of other sites, and its document says 403.
func TestOwnOrigin(t *testing.T) {
	const cookie, header = "{name: c, in: cookie, schema: {type: string, maxLength: 9}}", "{name: c, in: header, schema: {type: string, maxLength: 9}}"
	for _, row := range []struct {
		name, parameter, method string
		own                     bool
	}{
		{"a form that reads a cookie", cookie, "put", true},
		{"a page that reads a cookie", cookie, "get", false},
		{"a form that reads a header", header, "put", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			head, rest, _ := strings.Cut(strings.Replace(minimal, "    put:", "    "+row.method+":", 1), "      requestBody:")
			_, responses, _ := strings.Cut(rest, "      responses:")
			got, _ := table(t, head+"        - "+row.parameter+"\n      responses:"+responses, Options{})
			if strings.Contains(got, "OwnOrigin: true,") != row.own {
				t.Errorf("the table is\n%s", got)
			}
		})
	}
}

// TestForeignDocumentsTellWhatIsOpen: what is opened for a document that one does not own is told.
func TestForeignDocumentsTellWhatIsOpen(t *testing.T) {
	for name, text := range map[string]string{
		"security: []":   strings.Replace(minimal, "security:\n        - token: [write]", "security: []", 1),
		"security: [{}]": strings.Replace(minimal, "security:\n        - token: [write]", "security: [{}]", 1),
	} {
		got, warnings := table(t, text, Options{UndeclaredSecurity: "deny"})
		if !strings.Contains(got, "Public:") || len(warnings) != 1 || !strings.Contains(warnings[0], "is open to everybody") {
			t.Errorf("%s: warnings %q, table:\n%s", name, warnings, got)
		}
	}
}
