package codegen

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"example.com/gatehouse/internal/ceiling"
	"example.com/gatehouse/internal/needtest"
)

// reported is a document of which each row of the matrix says something else.
const reported = `openapi: 3.1.0
info: { title: Things, version: '1' }
x-timeout: 30
x-roles: { reader: { description: Who reads., scopes: [read] }, chief: { description: Who does it all., scopes: [read, write, admin] }, guest: { description: Who waits., scopes: [] } }
x-rate-limit: [{ name: address, by: address, quota: 600, window: 60 }]
paths:
  /things:
    get:
      operationId: listThings
      security: []
      x-public-reason: Everybody may look.
      parameters:
        - { name: limit, in: query, schema: { type: integer, format: int32, minimum: 1, maximum: 9, default: 5 } }
      responses: { '200': { description: All. } }
    post:
      operationId: createThing
      x-rate-limit: [{ name: create, by: principal, quota: 10, window: 60, burst: 2 }]
      x-max-body-bytes: 1000
      x-timeout: 5
      security:
        - { token: [read, write], key: [] }
        - client: []
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [name]
              properties:
                name: { type: string, maxLength: 10, pattern: '^[a-z]+$' }
                note: { type: string }
                day: { type: string, format: date }
          application/octet-stream: {}
      responses: { '204': { description: Done. } }
  /things/{id}:
    get:
      operationId: getThing
      security: [{}, { token: [read] }]
      parameters: [{ name: id, in: path, required: true, schema: { type: string, format: uuid } }]
      responses: { '204': { description: Done. } }
components:
  securitySchemes:
    token: { type: oauth2, flows: { password: { tokenUrl: /token, scopes: { read: Read., write: Write., admin: All. } } } }
    key: { type: apiKey, in: header, name: X-Key }
    client: { type: mutualTLS }
    spare: { type: http, scheme: basic }
`

const reportedAsText = `Security matrix of openapi.yaml: Things 1

Operations: 3. 1 public, 1 for the anonymous too, 0 denied, 1 secured.
Warnings: 0.
Requests that no operation answers: address: 600 in 60 s by address.

Schemes, and the operations that take them
  token   oauth2, a bearer token  createThing, getThing
  key     apiKey in header X-Key  createThing
  client  mutualTLS               createThing
  spare   http basic              no operation

Scopes, and the operations that ask for them in one alternative at least
  admin  no operation
  read   createThing, getThing
  write  createThing

Roles, and the scopes that accounts have by them
  reader  read                Who reads.
  chief   read, write, admin  Who does it all.
  guest   no scope            Who waits.

Ceilings, where the document sets none
  bytes of a body                                     1048576  more with x-max-body-bytes
  bytes of a text                                     65536    more with maxLength
  elements of an array                                10000    more with maxItems
  members of an object                                1000     more with maxProperties
  levels of arrays and objects                        32       fixed
  parts of a multipart body                           1000     fixed
  pairs of a query or form                            256      fixed
  trials of alternatives, beside those of each value  10000    fixed
  trials of alternatives for each value               16       fixed
  violations told in one answer                       32       fixed

Operations, and who may call them
  GET   /things       listThings   PUBLIC: Everybody may look.
  POST  /things       createThing  (token[read, write] AND key) OR client
  GET   /things/{id}  getThing     anonymous OR token[read]

Requests, and what they are checked for
  GET /things (listThings)
    limits      address: 600 in 60 s by address
    timeout     30 s (root)
    parameters  query limit
    keywords    default 1, format int32 1, maximum 1, minimum 1, type 1
  POST /things (createThing)
    limits      create: 10 in 60 s by principal, 2 at once
    timeout     5 s (operation)
    body        at most 1000 bytes (operation): application/json, application/octet-stream (bytes for the handler: only their number is checked)
    keywords    additionalProperties 1, format date 1, maxLength 1, pattern 1, properties 1, required 1, type 4
    unbounded   1 text: at most 65536 bytes
  GET /things/{id} (getThing)
    limits      address: 600 in 60 s by address
    timeout     30 s (root)
    parameters  path id
    keywords    format uuid 1, type 1
`

func reportOf(t *testing.T, text, format string, o Options) string {
	t.Helper()
	o.Spec = writeDocument(t, text)
	var b strings.Builder
	if err := Report(&b, o, format); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(b.String(), o.Spec, "openapi.yaml")
}

func TestReport(t *testing.T) {
	if diff := cmp.Diff(reportedAsText, reportOf(t, reported, "text", Options{})); diff != "" {
		t.Error(diff)
	}
}

// TestReportShowsWhatIsLoosened: each edit lets more in, and is a line of the report that a review cannot miss.
func TestReportShowsWhatIsLoosened(t *testing.T) {
	for _, row := range []struct {
		name     string
		old, new string
		options  Options
		gone     string
		there    string
	}{
		{"a scheme fewer", "{ token: [read, write], key: [] }", "{ token: [read, write] }", Options{}, "(token[read, write] AND key) OR client", "createThing  token[read, write] OR client"},
		{"AND becomes OR", "{ token: [read, write], key: [] }", "token: [read, write]\n        - key: []", Options{}, "(token[read, write] AND key) OR client", "createThing  token[read, write] OR key OR client"},
		{"a scope fewer", "{ token: [read, write], key: [] }", "{ token: [read], key: [] }", Options{}, "  write  createThing", "  write  no operation"},
		{"a role that may do more", "scopes: [read] }, chief", "scopes: [read, write] }, chief", Options{}, "reader  read   ", "reader  read, write  "},
		{"no scope", "security: [{}, { token: [read] }]", "security: [{}, { token: [] }]", Options{}, "anonymous OR token[read]", "getThing     anonymous OR token\n"},
		{"the anonymous too", "        - client: []", "        - client: []\n        - {}", Options{}, "1 for the anonymous too, 0 denied, 1 secured", "2 for the anonymous too, 0 denied, 0 secured"},
		{"public", "security: [{}, { token: [read] }]", "security: []\n      x-public-reason: It is small.", Options{}, "anonymous OR token[read]", "getThing     PUBLIC: It is small."},
		{"made public from outside", "      security: [{}, { token: [read] }]\n", "", Options{UndeclaredSecurity: "public"}, "anonymous OR token[read]", "getThing     PUBLIC: undeclared: opened by --undeclared-security public"},
		{"denied from outside", "      security: [{}, { token: [read] }]\n", "", Options{UndeclaredSecurity: "deny"}, "0 denied", "getThing     DENIED: undeclared: denied by --undeclared-security deny"},
		{"no limit", "x-rate-limit: [{ name: create, by: principal, quota: 10, window: 60, burst: 2 }]", "x-rate-limit: []", Options{}, "create: 10 in 60 s", "limits      none"},
		{"a higher limit", "quota: 10,", "quota: 10000,", Options{}, "create: 10 in 60 s", "limits      create: 10000 in 60 s by principal, 2 at once"},
		{"no timeout", "x-timeout: 30\n", "", Options{}, "30 s (root)", "timeout     none"},
		{"a longer timeout", "x-timeout: 5\n", "x-timeout: 3600\n", Options{}, "5 s (operation)", "timeout     3600 s (operation)"},
		{"a larger body", "x-max-body-bytes: 1000\n", "x-max-body-bytes: 5000000\n", Options{}, "1000 bytes", "at most 5000000 bytes (operation)"},
		{"a body without a bound", "      x-max-body-bytes: 1000\n", "", Options{}, "1000 bytes", "at most 1048576 bytes (ceiling)"},
		{"a body that may be absent", "        required: true\n", "", Options{}, "(operation): application/json", "at most 1000 bytes (operation), optional: application/json"},
		{"a body of any bytes", "application/octet-stream: {}", "image/png: {}", Options{}, "octet-stream", "image/png (bytes for the handler: only their number is checked)"},
		{"a body that nothing decodes", "application/octet-stream: {}", "application/xml: { schema: { type: object } }", Options{}, "octet-stream", "application/xml (answered 415: nothing here decodes it)"},
		{"a pattern fewer", ", pattern: '^[a-z]+$'", "", Options{}, "pattern 1", "maxLength 1, properties 1"},
		{"a length fewer", "maxLength: 10, ", "", Options{}, "1 text: at most", "unbounded   2 texts: at most 65536 bytes"},
		{"unknown members", "additionalProperties: false", "additionalProperties: true", Options{}, "additionalProperties 1", "1 object: at most 1000 members; 1 value of any type: at most the bytes of the body and 32 levels"},
		{"a schema that says nothing", "day: { type: string, format: date }", "day: {}", Options{}, "format date 1", "1 value of any type"},
		{"a format that is not known", "format: date }", "format: day }", Options{}, "Warnings: 0", "2 texts: at most 65536 bytes"},
		{"an optional member", "              required: [name]\n", "", Options{}, "required 1", "properties 1, type 4"},
		{"unknown parameters", "operationId: listThings", "operationId: listThings\n      x-unknown-parameters: ignore", Options{}, "30 s (root)\n    parameters  query limit\n    keywords    default 1, format int32 1, maximum 1, minimum 1, type 1\n  POST", "exceptions  unknown parameters pass"},
	} {
		t.Run(row.name, func(t *testing.T) {
			text := strings.Replace(reported, row.old, row.new, 1)
			if text == reported {
				t.Fatalf("the document does not hold %q", row.old)
			}
			if !strings.Contains(reportedAsText, row.gone) || strings.Contains(reportedAsText, row.there) {
				t.Fatal("the row does not say what changes")
			}
			got := reportOf(t, text, "text", row.options)
			if !strings.Contains(got, row.there) || strings.Count(got, row.gone) == strings.Count(reportedAsText, row.gone) {
				t.Errorf("want %q in place of %q:\n%s", row.there, row.gone, got)
			}
		})
	}
}

// hostile is a text that a document of somebody else may hold as the name of anything.
const hostile = "</td><script>alert(1)</script>&amp; \"x\" 'y' onload=z\n  GET  /fake  fake  basic\u202e\u001b[2J"

// TestReportOfHostileNames: a text of the document stays a text, in a page and in a terminal.
func TestReportOfHostileNames(t *testing.T) {
	quoted, err := json.Marshal(hostile)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.ReplaceAll(string(quoted), "\n", " ")
	text := strings.NewReplacer(
		"title: Things", "title: "+name,
		"operationId: listThings", "operationId: "+name,
		"x-public-reason: Everybody may look.", "x-public-reason: "+name,
		"client: []", name+": []",
		"    client: { type: mutualTLS }", "    "+name+": { type: mutualTLS }",
		"{ name: limit,", "{ name: "+name+",",
		"write: Write.", name+": Write.", "[read, write]", "[read, "+name+"]",
		"scopes: [read, write, admin]", "scopes: [read, admin]", "Who does it all.", name, // a scope that is no token is in no role
	).Replace(reported)
	const shown = `</td><script>alert(1)</script>&amp; "x" 'y' onload=z GET /fake fake basic\u202e\u001b[2J`

	got := reportOf(t, text, "text", Options{})
	if n := strings.Count(got, shown); n < 9 {
		t.Errorf("the name is shown %d times:\n%s", n, got)
	}
	if strings.ContainsAny(got, "\u202e\u001b") || strings.Contains(got, "\n  GET  /fake") {
		t.Errorf("a name is not held in its line:\n%q", got)
	}

	page := reportOf(t, text, "page", Options{})
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	elements, texts := map[string]int{}, ""
	for n := range root.Descendants() {
		switch n.Type {
		case html.TextNode:
			texts += n.Data
		case html.ElementNode:
			elements[n.Data]++
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src" || a.Key == "href" && !strings.HasPrefix(a.Val, "#operation-") {
					t.Errorf("<%s> has the attribute %s=%q", n.Data, a.Key, a.Val)
				}
			}
		}
	}
	if n := strings.Count(texts, shown); n < 9 {
		t.Errorf("the name is shown %d times in the page", n)
	}
	for _, name := range []string{"script", "link", "img", "iframe", "form", "object", "base"} {
		if elements[name] > 0 {
			t.Errorf("the page has <%s>", name)
		}
	}
}

// TestReportAsPage: the page says what the text says, in tables that a screen reader can read.
func TestReportAsPage(t *testing.T) {
	root, err := html.Parse(strings.NewReader(reportOf(t, reported, "page", Options{})))
	if err != nil {
		t.Fatal(err)
	}
	text := func(n *html.Node) string {
		var b strings.Builder
		for d := range n.Descendants() {
			if d.Type == html.TextNode {
				b.WriteString(d.Data + " ")
			}
		}
		return strings.Join(strings.Fields(b.String()), " ")
	}
	var rows []string
	tables, captions, ids := 0, 0, map[string]bool{}
	for n := range root.Descendants() {
		attribute := func(key string) string {
			if i := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key }); i >= 0 {
				return n.Attr[i].Val
			}
			return ""
		}
		switch n.Data {
		case "table":
			tables++
		case "caption":
			captions++
		case "th":
			if s := attribute("scope"); s != "row" && s != "col" {
				t.Errorf("the heading %q has the scope %q", text(n), s)
			}
		case "tr":
			rows = append(rows, text(n))
			ids[attribute("id")] = true
		case "html":
			if n.Type == html.ElementNode && attribute("lang") == "" {
				t.Error("the page has no language")
			}
		}
	}
	if tables != 5 || captions != 5 {
		t.Errorf("%d tables with %d captions", tables, captions)
	}
	for _, want := range []string{
		"GET /things listThings PUBLIC: Everybody may look. address: 600 in 60 s by address 30 s (root) none query limit default 1 , format int32 1 , maximum 1 , minimum 1 , type 1 nothing",
		"GET /things/{id} getThing anonymous OR token[read] address: 600 in 60 s by address 30 s (root) none path id format uuid 1 , type 1 nothing",
		"chief read , write , admin Who does it all.", "guest no scope Who waits.", "client mutualTLS createThing", "spare http basic no operation", "read createThing , getThing", "bytes of a text 65536 maxLength", "levels of arrays and objects 32 nothing",
	} {
		plain := strings.ReplaceAll(want, " ,", ",")
		if !slices.ContainsFunc(rows, func(r string) bool { return strings.ReplaceAll(r, " ,", ",") == plain }) {
			t.Errorf("no row %q in\n%s", plain, strings.Join(rows, "\n"))
		}
	}
	if !ids["operation-getThing"] {
		t.Error("the row of getThing cannot be linked to")
	}
}

func TestReportAsJSON(t *testing.T) {
	var m matrix
	if err := json.Unmarshal([]byte(reportOf(t, reported, "json", Options{})), &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Operations) != 3 || m.Operations[1].Who != "(token[read, write] AND key) OR client" || m.Operations[1].Access != "secured" || m.Operations[2].Access != "optional" {
		t.Errorf("got %+v", m.Operations)
	}
}

func TestReportRefuses(t *testing.T) {
	var b strings.Builder
	faulty := writeDocument(t, strings.Replace(reported, "token: [read, write]", "tocken: [read, write]", 1))
	if err := Report(&b, Options{Spec: faulty}, "text"); err == nil || !strings.Contains(err.Error(), `requires the scheme "tocken"`) {
		t.Errorf("a document with a fault: %v", err)
	}
	if err := Report(&b, Options{Spec: writeDocument(t, reported)}, "xml"); err == nil || !strings.Contains(err.Error(), "text, page or json") {
		t.Errorf("a format of nobody: %v", err)
	}
	if b.Len() > 0 {
		t.Errorf("wrote %q", b.String())
	}
}

// TestReportedCeilingsAreThoseOfTheChecks: the numbers that the report shows stand in the generated checks.
func TestReportedCeilingsAreThoseOfTheChecks(t *testing.T) {
	text := strings.Replace(reported, "day: { type: string, format: date }", "day: { type: [string, 'null'] }\n                all: { type: array, items: {} }\n                any: { type: object }", 1)
	dir, err := generateInto(t, writeDocument(t, text))
	if err != nil {
		t.Fatal(err)
	}
	var code string
	for _, name := range []string{"checks.gen.go", "decoders.gen.go", "operations.gen.go"} {
		data, err := os.ReadFile(filepath.Join(dir, "things", name))
		if err != nil {
			t.Fatal(err)
		}
		code += string(data)
	}
	got := reportOf(t, text, "text", Options{})
	for said, written := range map[string]string{
		"2 texts: at most 65536 bytes":               "r.MaxBytes(65536)",
		"1 array: at most 10000 elements":            ", 10000)",
		"1 object: at most 1000 members":             ", 1000)",
		"body        at most 1000 bytes (operation)": "MaxBodyBytes: 1000,",
	} {
		if !strings.Contains(got, said) || !strings.Contains(code, written) {
			t.Errorf("the report says %q: %t; the code has %q: %t", said, strings.Contains(got, said), written, strings.Contains(code, written))
		}
	}
	want := map[string]int{"bytes of a body": ceiling.BodyBytes, "bytes of a text": ceiling.StringBytes, "elements of an array": ceiling.Items, "members of an object": ceiling.Members,
		"levels of arrays and objects": ceiling.Depth, "parts of a multipart body": ceiling.Parts, "pairs of a query or form": ceiling.Pairs, "violations told in one answer": ceiling.Violations,
		"trials of alternatives, beside those of each value": ceiling.Trials, "trials of alternatives for each value": ceiling.TrialsPerValue}
	shown := map[string]int{}
	for _, c := range ceilings {
		shown[c.Of] = c.Value
	}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Error(diff)
	}
}

// TestReportOfPublicDocuments: every operation of each has its row, or the faults of the document are told.
func TestReportOfPublicDocuments(t *testing.T) {
	folders, err := os.ReadDir(needtest.Suites(t, "../..", "openapi"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range folders {
		if !f.IsDir() {
			continue
		}
		n++
		t.Run(f.Name(), func(t *testing.T) {
			spec := specIn(t, filepath.Join(needtest.Suites(t, "../..", "openapi"), f.Name()))
			l, _, err := load(Options{Spec: spec, UndeclaredSecurity: "deny"})
			if wanted := publicFaults[f.Name()]; wanted != nil {
				if faults, _ := err.(Faults); len(faults) < len(wanted) {
					t.Errorf("got %v, want %d faults", err, len(wanted))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			m, want := l.matrix(), operationsIn(t, spec)
			if len(m.Operations) != want || m.Public+m.Optional+m.Denied+m.Secured != want {
				t.Errorf("%d rows, the document has %d operations", len(m.Operations), want)
			}
			var text, page strings.Builder
			if err := m.text(&text); err != nil || strings.Count(text.String(), "\n    limits ") != want {
				t.Errorf("the text tells the limits of %d operations: %v", strings.Count(text.String(), "\n    limits "), err)
			}
			if err := m.page(&page); err != nil || strings.Count(page.String(), `<th scope="row" role="rowheader">`) != want {
				t.Errorf("the page has %d rows: %v", strings.Count(page.String(), `<th scope="row" role="rowheader">`), err)
			}
		})
	}
	if n != 11 {
		t.Errorf("got %d documents, want 11", n)
	}
}
