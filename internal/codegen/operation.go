package codegen

import (
	"regexp"
	"slices"
	"strings"

	oapi "github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
)

// operation is a row of the operation table.
type operation struct {
	node          node
	id            string // as the document spells it
	goName        string
	method, path  string
	public        string
	denied        string
	security      [][]requirement
	limits        []limit
	maxBodyBytes  int64
	timeout       int // seconds, 0: none of its own
	bodies        []body
	bodyRequired  bool
	problemFormat string // "" is that of RFC 9457
	ignoreUnknown bool
	parameters    []parameter
	responses     []response
}

// operationReader holds what the operations of a document share.
type operationReader struct {
	doc        *document
	schemas    *schemas
	top        node
	limits     map[string]limit // by name: a name is a bucket, so it must mean one limit
	ids        map[string]bool
	places     map[string]string // method and path, without parameter names and as it is registered → operationId
	names      *goNames
	undeclared string // Options.UndeclaredSecurity
}

func (r *operationReader) read(path, method string, pathNode, n node) *operation {
	n.allow("an operation", operationKeys...)
	o := &operation{node: n, id: n.get("operationId").text(), method: strings.ToUpper(method), path: path}
	if o.id == "" {
		o.id = method + oapi.ToCamelCase(strings.NewReplacer("{", "-", "}", "-", "/", "-").Replace(path))
	}
	if r.ids[o.id] {
		n.get("operationId").fault("the operationId %q is used twice: choose another", o.id)
	}
	r.ids[o.id] = true
	if goName := n.goNameOf(); goName != "" {
		if r.names.used[goName] {
			n.get("x-go-name").fault("the Go name %s is taken: choose another", goName)
		}
		o.goName = r.names.operation(goName)
	} else {
		o.goName = r.names.operation(o.id)
	}
	place := o.method + " " + anonymous(path)
	if other, taken := r.places[place]; taken {
		n.fault("has the method and path of the operation %q: {a} and {b} are the same place", other)
	}
	r.places[place] = o.id
	// oapi-codegen writes {id}.json as it would {id.json}.
	registered := o.method + " " + oapi.SwaggerUriToEchoUri(path)
	if other, taken := r.places[registered]; taken && other != o.id {
		n.fault("would be registered as the operation %q is: rename the parameter of one of them", other)
	}
	r.places[registered] = o.id
	r.readSecurity(o, n)
	r.readLimits(o, n)
	o.problemFormat = n.get("x-problem-format").oneOf("the problem format", formatOAuth, formatPage)
	o.ignoreUnknown = n.get("x-unknown-parameters").oneOf("what to do with unknown parameters", "ignore") != ""
	r.readParameters(o, pathNode, n)
	r.readBody(o, n)
	o.checkMembers()
	r.readResponses(o, n)
	return o
}

// The values of x-problem-format.
const (
	formatOAuth = "oauth"
	formatPage  = "page"
)

// oneOf returns the value of an extension that has few, "" where it is not there.
func (n node) oneOf(what string, values ...string) string {
	if !n.exists() {
		return ""
	}
	if !slices.Contains(values, n.text()) {
		n.fault("%s can only be given as %s; leave it out otherwise", what, strings.Join(values, " or "))
	}
	return n.text()
}

// ownOrigin reports whether only pages of the own origin can ask for the operation: it changes something, and reads a cookie, which
// browsers send whoever makes the request (CWE-352).
func (o *operation) ownOrigin() bool {
	return !slices.Contains([]string{"GET", "HEAD", "OPTIONS"}, o.method) && slices.ContainsFunc(o.parameters, func(p parameter) bool { return p.in == "cookie" })
}

// anonymous is a path without the names of its parameters. %2f and %2F are one character (RFC 3986 §6.2.2.1).
func anonymous(path string) string {
	var b strings.Builder
	for rest := escaped.ReplaceAllStringFunc(path, strings.ToUpper); ; {
		before, after, found := strings.Cut(rest, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		_, rest, _ = strings.Cut(after, "}")
		b.WriteString("{}")
	}
}

var escaped = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// inherited is what an operation says, or the root of the document for all that say nothing.
func (r *operationReader) inherited(n node, key string) node {
	if own := n.get(key); own.exists() {
		return own
	}
	return r.top.get(key)
}

// produces are the media types of the successful responses.
func (o *operation) produces() []string {
	var list []string
	for _, r := range o.responses {
		for _, c := range r.contents {
			if r.successful() && !slices.Contains(list, c.mediaType) {
				list = append(list, c.mediaType)
			}
		}
	}
	return list
}
