package codegen

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"example.com/gatehouse/internal/ceiling"
)

// Report judges the document and writes its security matrix: what holds for each operation. The format is text, page (HTML) or
// json.
func Report(w io.Writer, o Options, format string) error {
	l, warnings, err := load(o)
	if err != nil {
		return err
	}
	m := l.matrix()
	m.Warnings = len(warnings)
	switch format {
	case "text":
		return m.text(w)
	case "page":
		return m.page(w)
	case "json":
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(m)
	}
	return fmt.Errorf("a report has the format text, page or json, not %q", format)
}

// matrix is the content of a report, in the words of the document.
type matrix struct {
	File       string            `json:"file"`
	Title      string            `json:"title"`
	Version    string            `json:"version"`
	Warnings   int               `json:"warnings"`
	Public     int               `json:"public"`
	Denied     int               `json:"denied"`
	Optional   int               `json:"optional"` // a credential is checked, and none is let in too
	Secured    int               `json:"secured"`
	Unmatched  []string          `json:"unmatchedLimits,omitempty"`
	Schemes    []matrixScheme    `json:"schemes,omitempty"`
	Scopes     []matrixScope     `json:"scopes,omitempty"`
	Roles      []matrixRole      `json:"roles,omitempty"`
	Ceilings   []matrixCeiling   `json:"ceilings,omitempty"`
	Operations []matrixOperation `json:"operations,omitempty"`
}

// matrixScheme is a security scheme with the operations that take it.
type matrixScheme struct {
	Name       string   `json:"name"`
	Proof      string   `json:"proof"`
	Operations []string `json:"operations,omitempty"`
}

// matrixScope is a scope with the operations that ask for it in at least one of their alternatives.
type matrixScope struct {
	Name       string   `json:"name"`
	Operations []string `json:"operations,omitempty"`
}

// matrixRole is a role with what whoever has it may do.
type matrixRole struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Scopes      []string `json:"scopes,omitempty"`
}

// matrixCeiling is a bound that holds where the document sets none.
type matrixCeiling struct {
	Of     string `json:"of"`
	Value  int    `json:"value"`
	Raised string `json:"raisedBy"` // the keyword of a document that needs more, "" where nothing raises it
}

// matrixOperation is a row.
type matrixOperation struct {
	Method     string        `json:"method"`
	Path       string        `json:"path"`
	ID         string        `json:"operationId"`
	Access     string        `json:"access"` // public, optional, denied, secured
	Who        string        `json:"who"`
	Limits     []string      `json:"limits,omitempty"`
	Timeout    string        `json:"timeout"`
	Bodies     []string      `json:"bodies,omitempty"`
	MaxBody    string        `json:"maxBody"`
	Parameters []string      `json:"parameters,omitempty"`
	Keywords   []matrixCount `json:"keywords,omitempty"`
	Open       []string      `json:"open,omitempty"`       // what the schemas leave unbounded, with the ceiling that bounds it
	Exceptions []string      `json:"exceptions,omitempty"` // what the operation does unlike all others
}

// matrixCount is a keyword, or a format, with the number of schemas of the request that state it.
type matrixCount struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// ceilings are the bounds that hold where a document sets none.
var ceilings = []matrixCeiling{
	{"bytes of a body", ceiling.BodyBytes, "x-max-body-bytes"},
	{"bytes of a text", ceiling.StringBytes, "maxLength"},
	{"elements of an array", ceiling.Items, "maxItems"},
	{"members of an object", ceiling.Members, "maxProperties"},
	{"levels of arrays and objects", ceiling.Depth, ""},
	{"parts of a multipart body", ceiling.Parts, ""},
	{"pairs of a query or form", ceiling.Pairs, ""},
	{"trials of alternatives, beside those of each value", ceiling.Trials, ""},
	{"trials of alternatives for each value", ceiling.TrialsPerValue, ""},
	{"violations told in one answer", ceiling.Violations, ""},
}

func (l *loaded) matrix() *matrix {
	d, info := l.document, l.library.main.top().get("info")
	m := &matrix{File: printable(l.library.main.file), Title: printable(info.get("title").text()), Version: printable(info.get("version").text()), Ceilings: ceilings}
	for _, limit := range d.defaults {
		m.Unmatched = append(m.Unmatched, limit.text())
	}
	for _, o := range d.operations {
		row := l.matrixOperation(o)
		switch row.Access {
		case "public":
			m.Public++
		case "optional":
			m.Optional++
		case "denied":
			m.Denied++
		default:
			m.Secured++
		}
		m.Operations = append(m.Operations, row)
	}
	scopes := d.scopes()
	for _, o := range d.operations {
		for _, r := range slices.Concat(o.security...) {
			scopes = append(scopes, r.scopes...) // those of an issuer are declared nowhere
		}
	}
	for i, s := range d.schemes {
		row := matrixScheme{Name: printable(s.name), Proof: printable(s.proof())}
		for _, o := range d.operations {
			if o.asks(func(r requirement) bool { return r.scheme == i }) {
				row.Operations = append(row.Operations, printable(o.id))
			}
		}
		m.Schemes = append(m.Schemes, row)
	}
	slices.Sort(scopes)
	for _, scope := range slices.Compact(scopes) {
		row := matrixScope{Name: printable(scope)}
		for _, o := range d.operations {
			if o.asks(func(r requirement) bool { return slices.Contains(r.scopes, scope) }) {
				row.Operations = append(row.Operations, printable(o.id))
			}
		}
		m.Scopes = append(m.Scopes, row)
	}
	for _, r := range d.roles {
		row := matrixRole{Name: printable(r.name), Description: printable(r.description)}
		for _, scope := range r.scopes {
			row.Scopes = append(row.Scopes, printable(scope))
		}
		m.Roles = append(m.Roles, row)
	}
	return m
}

// asks reports whether a requirement of the operation is such.
func (o *operation) asks(such func(requirement) bool) bool {
	return slices.ContainsFunc(slices.Concat(o.security...), such)
}

// proof says what a scheme is proven by.
func (s scheme) proof() string {
	switch {
	case s.source != "":
		return s.source + ", a bearer token"
	case s.kind == schemeAPIKey:
		return fmt.Sprintf("apiKey in %s %s", s.in, s.param)
	case s.kind == schemeMutualTLS:
		return "mutualTLS"
	}
	return "http " + strings.ToLower(string(s.kind))
}

func (l *loaded) matrixOperation(o *operation) matrixOperation {
	row := matrixOperation{Method: o.method, Path: printable(o.path), ID: printable(o.id), Access: "secured", Timeout: "none"}
	switch {
	case o.public != "":
		row.Access, row.Who = "public", "PUBLIC: "+printable(o.public)
	case o.denied != "":
		row.Access, row.Who = "denied", "DENIED: "+printable(o.denied)
	default:
		row.Who = printable(l.document.who(o))
		if slices.ContainsFunc(o.security, func(a []requirement) bool { return len(a) == 0 }) {
			row.Access = "optional"
		}
	}
	for _, limit := range o.limits {
		row.Limits = append(row.Limits, limit.text())
	}
	if o.timeout > 0 {
		row.Timeout = fmt.Sprintf("%d s (%s)", o.timeout, l.saidBy(o, "x-timeout"))
	}
	for _, b := range o.bodies {
		row.Bodies = append(row.Bodies, printable(b.mediaType)+b.kind.reading())
	}
	if len(o.bodies) > 0 {
		row.MaxBody = fmt.Sprintf("%d bytes (%s)", o.maxBodyBytes, l.saidBy(o, "x-max-body-bytes"))
		if !o.bodyRequired {
			row.MaxBody += ", optional"
		}
	}
	for _, q := range o.parameters {
		text := q.in + " " + q.name
		if q.required && q.in != "path" {
			text += " (required)"
		}
		row.Parameters = append(row.Parameters, printable(text))
	}
	switch o.problemFormat {
	case formatOAuth:
		row.Exceptions = append(row.Exceptions, "errors have the form of RFC 6749 §5.2")
	case formatPage:
		row.Exceptions = append(row.Exceptions, "errors are pages")
	}
	if o.ownOrigin() {
		row.Exceptions = append(row.Exceptions, "reads a cookie: pages of other sites cannot ask for it")
	}
	if o.ignoreUnknown {
		row.Exceptions = append(row.Exceptions, "unknown parameters pass")
	}
	row.Keywords, row.Open = o.enforced()
	return row
}

// who says who may call an operation that is secured.
func (d *document) who(o *operation) string {
	var alternatives []string
	for _, alternative := range o.security {
		var all []string
		for _, r := range alternative {
			text := d.schemes[r.scheme].name
			if len(r.scopes) > 0 {
				text += "[" + strings.Join(r.scopes, ", ") + "]"
			}
			all = append(all, text)
		}
		text := strings.Join(all, " AND ")
		switch {
		case len(all) == 0:
			text = "anonymous"
		case len(all) > 1 && len(o.security) > 1:
			text = "(" + text + ")"
		}
		alternatives = append(alternatives, text)
	}
	return strings.Join(alternatives, " OR ")
}

// saidBy names who set a bound of the operation: the operation, the root of the document, or a ceiling.
func (l *loaded) saidBy(o *operation, key string) string {
	switch {
	case o.node.get(key).exists():
		return "operation"
	case l.library.main.top().get(key).exists():
		return "root"
	}
	return "ceiling"
}

// reading says how a body is read, where that is not plain from its media type.
func (k bodyKind) reading() string {
	switch k {
	case bodyStream:
		return " (bytes for the handler: only their number is checked)"
	case bodyRefused:
		return " (answered 415: nothing here decodes it)"
	}
	return ""
}

// printable is a text of the document in one line, of which nothing can pass for a line of the report or turn its direction.
func printable(s string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(s), " ") {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\u%04x", r)
		}
	}
	return b.String()
}
