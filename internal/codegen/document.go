package codegen

import (
	"slices"
	"strings"
)

// document is what is generated from: everything in it has been judged enforceable.
type document struct {
	schemes    []scheme
	operations []operation
	requests   []*schema // component schemas of JSON request bodies, with those they refer to
}

// The members of the OpenAPI objects that are enforced or say nothing that could be.
var (
	rootKeys      = []string{"openapi", "info", "servers", "tags", "paths", "components", "externalDocs", "x-rate-limit", "x-max-body-bytes"}
	componentKeys = []string{"securitySchemes", "parameters", "headers", "schemas", "responses"}
	pathKeys      = []string{"summary", "description", "parameters", "get", "put", "post", "patch", "delete"}
	methods       = []string{"get", "put", "post", "patch", "delete"}
	operationKeys = []string{"operationId", "summary", "description", "tags", "deprecated", "externalDocs", "security", "parameters", "requestBody", "responses",
		"x-public-reason", "x-problem-format", "x-unknown-parameters", "x-rate-limit", "x-max-body-bytes"}
	mediaTypeKeys = []string{"schema", "example", "examples"}
)

// readDocument judges the whole document and notes every fault in it.
func readDocument(s *source) *document {
	top := s.top()
	top.allow("an OpenAPI document", rootKeys...)
	if v := top.get("openapi").text(); !strings.HasPrefix(v, "3.1.") {
		top.get("openapi").fault("the version is %q: write 3.1.0 or 3.1.1", v)
	}
	if security := top.get("security"); security.exists() {
		security.fault("a root security requirement is inherited silently: state security on each operation")
	}
	components := top.get("components")
	components.allow("components", componentKeys...)

	c := &schemas{byPointer: map[string]*schema{}}
	for _, m := range components.get("schemas").members() {
		c.read(m.value)
	}
	d := &document{schemes: readSchemes(components.get("securitySchemes"))}
	r := &operationReader{doc: d, schemas: c, top: top, limits: map[string]limit{}, ids: map[string]bool{}}
	for _, path := range top.get("paths").members() {
		path.value.allow("a path", pathKeys...)
		for _, method := range methods {
			if n := path.value.get(method); n.exists() {
				d.operations = append(d.operations, r.read(path.key, method, path.value, n))
			}
		}
	}
	for i := range d.operations {
		for _, b := range d.operations[i].bodies {
			if !b.form {
				d.collect(b.schema)
			}
		}
	}
	return d
}

// collect adds the object schemas that the decoder of s needs.
func (d *document) collect(s *schema) {
	if s == nil {
		return
	}
	d.collect(s.items)
	if s.typ != "object" || slices.ContainsFunc(d.requests, func(o *schema) bool { return o.node.pointer == s.node.pointer }) {
		return
	}
	d.requests = append(d.requests, s)
	for _, p := range s.properties {
		if p.schema != nil && p.schema.node.get("readOnly").boolean() {
			p.schema.node.get("readOnly").fault("readOnly cannot be enforced in a request body yet: leave the member out of this schema, which refuses it")
		}
		if p.schema != nil && p.schema.hasDefault {
			p.schema.node.get("default").fault("a default in a request body cannot be filled in yet: leave it out")
		}
		if p.schema != nil && p.schema.typ == "object" && p.schema.name == "" {
			p.schema.node.fault("an object in place needs a name: move it to components.schemas and refer to it")
		}
		d.collect(p.schema)
	}
}
