package codegen

import (
	"regexp"
	"slices"
	"strings"
)

// parameter is a path, query, header or cookie parameter as it is enforced.
type parameter struct {
	node       node
	name, in   string
	required   bool
	schema     *schema
	json       bool // content: the value is JSON
	style      string
	explode    bool
	allowEmpty bool
	fill       string // default, as JSON
}

// styles are those that OpenAPI has for each place, the default first.
var styles = map[string][]string{
	"path":   {"simple", "label", "matrix"},
	"query":  {"form", "spaceDelimited", "pipeDelimited", "deepObject"},
	"header": {"simple"},
	"cookie": {"form"},
}

// ignoredHeaders are the header parameters that OpenAPI says to ignore: other parts of the document speak of them.
var ignoredHeaders = []string{"Accept", "Content-Type", "Authorization"}

func (r *operationReader) readParameters(o *operation, pathNode, n node) {
	for _, e := range slices.Concat(pathNode.get("parameters").elements(), n.get("parameters").elements()) {
		target := e.resolve()
		if !target.exists() {
			continue
		}
		p := r.readParameter(o, target)
		if p.in == "header" && slices.ContainsFunc(ignoredHeaders, func(h string) bool { return strings.EqualFold(h, p.name) }) {
			target.warn("OpenAPI ignores a header parameter %s: security schemes and content types say it", p.name)
			continue
		}
		same := func(q parameter) bool {
			return q.in == p.in && (q.name == p.name || q.in == "header" && strings.EqualFold(q.name, p.name))
		}
		if i := slices.IndexFunc(o.parameters, same); i >= 0 {
			if strings.HasPrefix(o.parameters[i].node.pointer, n.pointer) && strings.HasPrefix(p.node.pointer, n.pointer) {
				target.fault("the parameter %s is declared twice: remove one of them", p.name)
			}
			o.parameters[i] = p // an operation overrides its path
			continue
		}
		o.parameters = append(o.parameters, p)
	}
	r.judgePath(o, n)
}

func (r *operationReader) readParameter(o *operation, n node) parameter {
	n.allow("a parameter", "name", "in", "required", "description", "schema", "content", "style", "explode", "allowReserved", "allowEmptyValue",
		"example", "examples", "deprecated", "x-go-name")
	n.goNameOf()
	p := parameter{node: n, name: n.get("name").text(), in: n.get("in").text(), required: n.get("required").boolean(), style: n.get("style").text(), allowEmpty: n.get("allowEmptyValue").boolean()}
	known := styles[p.in]
	if !n.isMapping() {
		return p
	}
	if known == nil {
		n.get("in").fault("a parameter can be in path, query, header or cookie")
		return p
	}
	if p.name == "" {
		n.fault("the parameter has no name")
	}
	if p.style == "" {
		p.style = known[0]
	} else if !slices.Contains(known, p.style) {
		n.get("style").fault("a parameter in %s cannot have the style %q: use %s", p.in, p.style, strings.Join(known, " or "))
	}
	if p.explode = p.style == "form" || p.style == "deepObject"; n.get("explode").exists() {
		p.explode = n.get("explode").boolean()
	}
	if n.get("allowReserved").boolean() && p.in != "query" {
		n.get("allowReserved").fault("only a query parameter can allow reserved characters")
	}
	p.schema = r.schemas.schema(n.get("schema"), nil)
	r.readParameterContent(&p, n)
	r.judgeParameter(o, &p)
	return p
}

func (r *operationReader) readParameterContent(p *parameter, n node) {
	content := n.get("content")
	switch {
	case p.schema != nil && content.exists():
		content.fault("a parameter has schema or content, not both")
	case p.schema == nil && !content.exists():
		n.fault("the parameter does not say what it holds: state schema")
	case content.exists() && len(content.members()) != 1:
		content.fault("the content of a parameter has exactly one media type")
	}
	for _, m := range content.members() {
		m.value.allow("a media type", mediaTypeKeys...)
		if p.json = isJSON(m.key); !p.json {
			m.value.fault("the content %s of a parameter cannot be decoded: use application/json, or a schema", m.key)
		}
		p.schema = r.schemas.schema(m.value.get("schema"), nil)
	}
}

func (r *operationReader) judgeParameter(o *operation, p *parameter) {
	switch {
	case p.in == "path" && !p.required:
		p.node.fault("a path parameter must say required: true")
	case p.in == "path" && !strings.Contains(o.path, "{"+p.name+"}"):
		p.node.fault("the path has no {%s}", p.name)
	case p.in == "header" && !isToken(p.name):
		p.node.get("name").fault("%q cannot be the name of a header", p.name)
	case p.in == "cookie" && !isToken(p.name):
		p.node.get("name").fault("%q cannot be the name of a cookie", p.name)
	}
	for _, alternative := range o.security {
		for _, requirement := range alternative {
			if s := r.doc.schemes[requirement.scheme]; s.kind == schemeAPIKey && s.in == p.in && strings.EqualFold(s.param, p.name) {
				p.node.fault("the parameter is the API key of the scheme %s: remove it, or give it another name", s.name)
			}
		}
	}
	if p.schema == nil {
		return
	}
	if p.json {
		return
	}
	types := p.schema.allows() &^ typeNull
	switch {
	case types.has(typeObject) && !types.has(anyType&^typeObject&^typeNull) && p.style == "deepObject":
	case p.style == "deepObject":
		p.node.fault("deepObject is the style of objects: state type: object, or another style")
	case (p.style == "spaceDelimited" || p.style == "pipeDelimited") && !types.has(typeArray|typeObject):
		p.node.fault("%s is the style of arrays and objects: leave style out", p.style)
	}
	if p.explode && (p.style == "spaceDelimited" || p.style == "pipeDelimited") {
		p.node.get("explode").fault("OpenAPI does not define %s with explode: true: leave explode out, or use form", p.style)
	}
	if p.style == "deepObject" && !p.explode {
		p.node.get("explode").fault("OpenAPI does not define deepObject with explode: false: leave explode out")
	}
}

// isToken reports whether s is a token of RFC 9110 §5.6.2.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// judgePath compares the path with the parameters that are in it, and refuses what no router could tell apart.
func (r *operationReader) judgePath(o *operation, n node) {
	if !strings.HasPrefix(o.path, "/") || strings.ContainsAny(o.path, "?#") {
		n.fault("the path must begin with / and hold neither ? nor #: query parameters are declared as parameters")
	}
	for segment := range strings.SplitSeq(o.path, "/") {
		if segment == "." || segment == ".." {
			n.fault("clients take the segments . and .. out of a path: leave them out")
		}
	}
	seen := map[string]bool{}
	before := ""
	for rest := o.path; ; {
		literal, after, found := strings.Cut(rest, "{")
		if strings.Contains(literal, "}") {
			n.fault("the path closes a { that it does not open")
		} else if !pathText.MatchString(literal) {
			n.fault("the path holds a character that cannot stand in a URL: percent-encode it, and a percent sign as %%25")
		}
		if !found {
			return
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			n.fault("the path opens a { that it does not close")
			return
		}
		if before != "" && literal == "" {
			n.fault("nothing stands between {%s} and {%s}, so that nobody can tell where the one ends: put a text between them", before, name)
		}
		if name == "" || strings.ContainsAny(name, "/{*") || strings.ContainsAny(name[:1], ".;?+#&") {
			n.fault("the path has {%s}, which is not the name of a parameter: OpenAPI has none of the operators of RFC 6570", name)
		}
		if seen[name] {
			n.fault("the path has {%s} twice: give each its own name", name)
		}
		seen[name] = true
		if !slices.ContainsFunc(o.parameters, func(p parameter) bool { return p.in == "path" && p.name == name }) {
			n.fault("the path has {%s}, which no parameter declares: declare it with in: path", name)
		}
		before, rest = name, tail
	}
}

// pathText is what RFC 3986 §3.3 lets stand in a path. ? and # end it, and are told apart.
var pathText = regexp.MustCompile(`^(%[0-9A-Fa-f]{2}|[A-Za-z0-9._~!$&'()*+,;=:@/?#-])*$`)
