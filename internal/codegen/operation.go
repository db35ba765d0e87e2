package codegen

import (
	"slices"
	"strings"
)

// operation is a row of the operation table.
type operation struct {
	node          node
	id            string
	method, path  string
	public        string
	security      [][]requirement
	limits        []limit
	maxBodyBytes  int64
	bodies        []body
	bodyRequired  bool
	produces      []string
	oauthErrors   bool
	ignoreUnknown bool
	parameters    []parameter
	responses     []response // the successful ones
}

type response struct {
	status    string
	mediaType string
	headers   []string
	schema    *schema
}

type limit struct {
	name                 string
	by                   string // address, principal
	quota, window, burst int64
}

type body struct {
	mediaType string
	form      bool
	schema    *schema
}

type parameter struct {
	node     node
	name, in string
	required bool
	schema   *schema
}

// operationReader holds what the operations of a document share.
type operationReader struct {
	doc     *document
	schemas *schemas
	top     node
	limits  map[string]limit // by name: a name is a bucket, so it must mean one limit
	ids     map[string]bool
}

func (r *operationReader) read(path, method string, pathNode, n node) operation {
	n.allow("an operation", operationKeys...)
	o := operation{node: n, id: n.get("operationId").text(), method: strings.ToUpper(method), path: path}
	if o.id == "" {
		n.fault("the operation has no operationId: state one, it names the method that implements it")
	} else if r.ids[o.id] {
		n.get("operationId").fault("the operationId %q is used twice: choose another", o.id)
	}
	r.ids[o.id] = true
	r.readSecurity(&o, n)
	r.readLimits(&o, n)
	switch f := n.get("x-problem-format"); f.text() {
	case "":
	case "oauth":
		o.oauthErrors = true
	default:
		f.fault("the problem format can only be oauth; leave it out for RFC 9457")
	}
	switch u := n.get("x-unknown-parameters"); u.text() {
	case "":
	case "ignore":
		o.ignoreUnknown = true
	default:
		u.fault("unknown parameters can only be given as ignore; leave it out to refuse them")
	}
	r.readParameters(&o, pathNode, n)
	r.readBody(&o, n)
	r.readResponses(&o, n)
	return o
}

func (r *operationReader) readLimits(o *operation, n node) {
	list := n.get("x-rate-limit")
	if !list.exists() {
		list = r.top.get("x-rate-limit")
	}
	if list.exists() && !list.isSequence() {
		list.fault("must be a list of limits")
	}
	for _, e := range list.elements() {
		e.allow("a limit", "name", "by", "quota", "window", "burst")
		l := limit{name: e.get("name").text(), by: e.get("by").text(), quota: e.get("quota").integer(), window: e.get("window").integer(), burst: e.get("burst").integer()}
		l.burst = max(l.burst, 0)
		switch {
		case l.name == "":
			e.fault("the limit has no name: state one, it names the bucket and appears in the RateLimit fields")
		case l.by != "address" && l.by != "principal":
			e.fault("a limit counts by address or by principal")
		case l.quota < 1 || l.window < 1:
			e.fault("a limit needs a quota and a window in seconds, both at least 1")
		}
		if other, found := r.limits[l.name]; found && other != l {
			e.fault("the limit %q means something else elsewhere: a name is a bucket, give each limit its own", l.name)
		}
		r.limits[l.name] = l
		if l.by == "principal" && o.public != "" {
			continue // nobody to count
		}
		o.limits = append(o.limits, l)
	}
	size := n.get("x-max-body-bytes")
	if !size.exists() {
		size = r.top.get("x-max-body-bytes")
	}
	o.maxBodyBytes = size.integer()
	if o.maxBodyBytes < 0 {
		o.maxBodyBytes = defaultMaxBodyBytes
	}
}

// defaultMaxBodyBytes is the ceiling where the document sets none (ASVS 5.0 4.2.1: bounded bodies).
const defaultMaxBodyBytes = 1 << 20

func (r *operationReader) readParameters(o *operation, pathNode, n node) {
	add := func(list []node) {
		for _, e := range list {
			target := e.resolve()
			if !target.exists() {
				continue
			}
			target.allow("a parameter", "name", "in", "required", "description", "schema", "example", "examples", "deprecated")
			p := parameter{node: target, name: target.get("name").text(), in: target.get("in").text(),
				required: target.get("required").boolean(), schema: r.schemas.read(target.get("schema"))}
			r.judgeParameter(o, p)
			same := func(q parameter) bool { return q.name == p.name && q.in == p.in }
			if i := slices.IndexFunc(o.parameters, same); i >= 0 {
				o.parameters[i] = p // an operation overrides its path
				continue
			}
			o.parameters = append(o.parameters, p)
		}
	}
	add(pathNode.get("parameters").elements())
	add(n.get("parameters").elements())
	for rest := o.path; ; {
		_, after, found := strings.Cut(rest, "{")
		if !found {
			break
		}
		name, tail, _ := strings.Cut(after, "}")
		if !slices.ContainsFunc(o.parameters, func(p parameter) bool { return p.in == "path" && p.name == name }) {
			n.fault("the path has {%s}, which no parameter declares: declare it with in: path", name)
		}
		if tail != "" && tail[0] != '/' {
			n.fault("the path segment of {%s} has more than the parameter, which cannot be routed yet", name)
		}
		rest = tail
	}
}

func (r *operationReader) judgeParameter(o *operation, p parameter) {
	switch p.in {
	case "query", "header":
	case "path":
		if !p.required {
			p.node.fault("a path parameter must say required: true")
		}
		if !strings.Contains(o.path, "{"+p.name+"}") {
			p.node.fault("the path has no {%s}", p.name)
		}
	default:
		p.node.get("in").fault("a parameter in %s cannot be enforced yet: use query, header or path", p.in)
	}
	for _, s := range r.doc.schemes {
		if s.kind == "apiKey" && s.in == p.in && strings.EqualFold(s.param, p.name) {
			p.node.fault("the parameter is the API key of the scheme %s: remove it, or give it another name", s.name)
		}
	}
	s := p.schema
	if s == nil || s.typ == "" {
		return
	}
	if !slices.Contains([]string{"string", "integer", "boolean"}, s.typ) || s.nullable {
		p.node.get("schema").fault("a parameter of this type cannot be enforced yet: use string, integer or boolean")
	} else if !slices.Contains([]string{"", "uuid", "int32", "int64"}, s.format) {
		p.node.get("schema").fault("the format %q cannot be enforced in a parameter yet: use a pattern", s.format)
	}
	if s.hasDefault && p.in != "query" {
		p.node.get("schema").fault("a default can be filled in for query parameters only")
	}
}

func (r *operationReader) readBody(o *operation, n node) {
	content := n.get("requestBody")
	if !content.exists() {
		return
	}
	content.allow("a request body", "description", "required", "content")
	o.bodyRequired = content.get("required").boolean()
	if o.method == "GET" || o.method == "DELETE" {
		content.fault("a body on %s cannot be enforced yet: use POST, PUT or PATCH", o.method)
	}
	if !o.bodyRequired {
		content.fault("an optional body cannot be enforced yet: write required: true")
	}
	types := content.get("content").members()
	if len(types) != 1 {
		content.fault("a request body of other than one media type cannot be enforced yet")
	}
	for _, m := range types {
		m.value.allow("a media type", mediaTypeKeys...)
		b := body{mediaType: m.key, schema: r.schemas.read(m.value.get("schema"))}
		switch {
		case m.key == "application/json", strings.HasPrefix(m.key, "application/") && strings.HasSuffix(m.key, "+json"):
		case m.key == "application/x-www-form-urlencoded":
			b.form = true
			judgeForm(b.schema)
		default:
			m.value.fault("a body of %s cannot be decoded yet: use JSON or a form", m.key)
		}
		if b.schema != nil && (b.schema.typ != "object" || b.schema.name == "") {
			m.value.get("schema").fault("the body must be a $ref to an object of components.schemas, so that it has a name")
		}
		if b.schema != nil && b.schema.open && !o.ignoreUnknown {
			b.schema.node.fault("members that are not declared would be ignored: write additionalProperties: false")
		}
		o.bodies = append(o.bodies, b)
	}
}

func judgeForm(s *schema) {
	if s == nil {
		return
	}
	for _, p := range s.properties {
		if p.schema != nil && (p.schema.typ != "string" || !slices.Contains([]string{"", "password", "email", "uuid"}, p.schema.format)) {
			p.schema.node.fault("a member of a form must be a string without this format so far")
		}
	}
}

func (r *operationReader) readResponses(o *operation, n node) {
	for _, m := range n.get("responses").members() {
		target := m.value.resolve()
		target.allow("a response", "description", "headers", "content")
		var headers []string
		for _, h := range target.get("headers").members() {
			headers = append(headers, h.key)
			header := h.value.resolve()
			header.allow("a header", "description", "required", "schema", "example", "deprecated")
			r.schemas.read(header.get("schema"))
		}
		for _, t := range target.get("content").members() {
			t.value.allow("a media type", mediaTypeKeys...)
			s := r.schemas.read(t.value.get("schema"))
			if !strings.HasPrefix(m.key, "2") {
				continue
			}
			o.responses = append(o.responses, response{m.key, t.key, headers, s})
			if !slices.Contains(o.produces, t.key) {
				o.produces = append(o.produces, t.key)
			}
		}
	}
	if len(n.get("responses").members()) == 0 {
		n.fault("the operation declares no responses: state at least the successful one")
	}
}
