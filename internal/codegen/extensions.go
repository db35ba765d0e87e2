package codegen

import (
	_ "embed"
	"maps"
	"slices"
	"strings"
)

// ExtensionsSchema is the JSON Schema of the members x-… that mean something here, for authors and their editors. The generator
// judges them itself, to say what to write instead; a test proves that both say the same.
//
//go:embed extensions.schema.json
var ExtensionsSchema []byte

// extensions are the members x-… that mean something here, each with where it stands.
var extensions = map[string]string{
	"x-public-reason":      "in an operation",
	"x-problem-format":     "in an operation",
	"x-unknown-parameters": "in an operation",
	"x-rate-limit":         "at the root of the document and in an operation of paths",
	"x-max-body-bytes":     "at the root of the document and in an operation of paths",
	"x-timeout":            "at the root of the document and in an operation of paths",
	"x-roles":              "at the root of the document",
	"x-scopes":             "in a security scheme of the type http, apiKey or mutualTLS",
	"x-go-name":            "in an operation, parameter, schema or security scheme that is used",
}

// judgeExtension refuses an extension of ours where it means nothing, and one that looks like one of ours: what it limits would be lost.
// Those of others say nothing here, and are told.
func judgeExtension(n node, key string) {
	told := n.markJudged()
	if place, ours := extensions[key]; ours {
		n.fault("%s says nothing here and would be ignored: it stands %s", key, place)
		return
	}
	if like := nearest(key, slices.Sorted(maps.Keys(extensions))); like != "" && like != "x-go-name" {
		n.fault("the extension %s is not known here: write %s, if that is meant, or remove it", key, like)
		return
	}
	if !told {
		n.doc.library.foreign[key]++
	}
}

// markJudged notes that something has read the extension, and returns whether that was known. It is noted by its place: an alias
// of YAML is one value in several.
func (n node) markJudged() (known bool) {
	place := n.doc.file + "#" + n.pointer
	known = n.doc.library.judged[place]
	n.doc.library.judged[place] = true
	return known
}

// judgeOtherExtensions judges the extensions that nothing has read so far: those of info, of servers, of webhooks, of components
// that no operation uses.
func (l *library) judgeOtherExtensions() {
	for _, path := range slices.Sorted(maps.Keys(l.files)) {
		l.files[path].top().judgeOtherExtensions(false)
	}
}

// named are the members that map names, which the author chooses, to what is named.
var named = []string{"properties", "patternProperties", "dependentSchemas", "dependentRequired", "$defs", "schemas", "parameters", "headers",
	"requestBodies", "securitySchemes", "links", "pathItems", "webhooks", "scopes", "mapping", "variables", "content", "encoding"}

// data are the members whose values are of the API, and not of the document.
var data = []string{"default", "enum", "const", "example", "examples", "value", "security"}

// judgeOtherExtensions judges n and what is below it. names says that n maps names.
func (n node) judgeOtherExtensions(names bool) {
	for _, m := range n.members() {
		switch {
		case names:
			m.value.judgeOtherExtensions(false)
		case strings.HasPrefix(m.key, "x-"):
			if !n.doc.library.judged[m.value.doc.file+"#"+m.value.pointer] {
				judgeExtension(m.value, m.key)
			}
		case !slices.Contains(data, m.key):
			m.value.judgeOtherExtensions(slices.Contains(named, m.key) && m.value.isMapping())
		}
	}
	for _, e := range n.elements() {
		e.judgeOtherExtensions(false)
	}
}

const (
	// maxTimeout is an hour: what takes longer is a job with an address of its own, and not a request.
	maxTimeout = 3600
	// maxBodyBytes is the largest whole number that every JSON reader reads exactly (RFC 8259 §6).
	maxBodyBytes = 1<<53 - 1
	// maxQuota and maxWindow, which is a year, are what the arithmetic of a limit is sure to hold.
	maxQuota  = 1_000_000_000
	maxWindow = 365 * 24 * 60 * 60
)

// within returns a whole number of something from least to most, or 0 with a fault where it is another value.
func (n node) within(what string, least, most int) int {
	if v := n.whole(); v >= least && v <= most {
		return v
	}
	n.fault("must be a whole number of %s from %d to %d", what, least, most)
	return 0
}

// sentence returns a text that says something.
func (n node) sentence(what string) string {
	if !n.isText() || strings.TrimSpace(n.text()) == "" {
		n.fault("must be a text that says %s", what)
		return ""
	}
	return n.text()
}

// goNameOf returns x-go-name, "" where there is none.
func (n node) goNameOf() string {
	name := n.get("x-go-name")
	if name.exists() && (!name.isText() || !isGoName(name.text())) {
		name.fault("x-go-name must be an exported Go identifier of letters and digits, such as Invoice")
		return ""
	}
	return name.text()
}

// scopeTokens returns x-scopes: a list of scope-token (RFC 6749 §3.3).
func (n node) scopeTokens() []string {
	if n.exists() && !n.isSequence() {
		n.fault("must be a list of scopes, such as ['items:read']")
	}
	var list []string
	for _, e := range n.elements() {
		switch scope := e.text(); {
		case !e.isText() || !isPrintable(scope):
			e.fault("a scope is printable ASCII without spaces, quotes and backslashes")
		case slices.Contains(list, scope):
			e.fault("the scope %s is listed twice: remove one of them", scope)
		default:
			list = append(list, scope)
		}
	}
	return list
}

// isPrintable reports whether s is at least one character of those that stand in a header without an escape: scope-token of
// RFC 6749 §3.3.
func isPrintable(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}
