package codegen

import (
	"slices"
	"strings"
)

// document is what is generated from: everything in it has been judged enforceable.
type document struct {
	schemes    []scheme
	operations []*operation
	components []*schema // of components.schemas, in the order of the document
	defaults   []limit   // the root x-rate-limit
	roles      []role    // the root x-roles
	schemas    *schemas
}

// The members of the OpenAPI objects that are enforced or say nothing that could be.
var (
	rootKeys = []string{"openapi", "info", "servers", "tags", "paths", "webhooks", "components", "security", "externalDocs", "jsonSchemaDialect",
		"x-rate-limit", "x-max-body-bytes", "x-timeout", "x-roles"}
	componentKeys = []string{"securitySchemes", "parameters", "headers", "schemas", "responses", "requestBodies", "examples", "links", "callbacks", "pathItems"}
	pathKeys      = []string{"$ref", "summary", "description", "servers", "parameters", "get", "put", "post", "patch", "delete", "options", "head", "trace"}
	methods       = []string{"get", "put", "post", "patch", "delete", "options", "head", "trace"}
	operationKeys = []string{"operationId", "summary", "description", "tags", "deprecated", "externalDocs", "servers", "callbacks", "security", "parameters", "requestBody", "responses",
		"x-public-reason", "x-problem-format", "x-unknown-parameters", "x-rate-limit", "x-max-body-bytes", "x-timeout", "x-go-name"}
	mediaTypeKeys = []string{"schema", "example", "examples", "encoding"}
)

// readDocument judges the whole document and notes every fault in it.
func readDocument(l *library, names *goNames, undeclared string) *document {
	top := l.main.top()
	version := top.get("openapi")
	if !readable(top, version) {
		return &document{schemas: &schemas{}}
	}
	top.allow("an OpenAPI document", rootKeys...)
	top.expect("the document", "info")
	top.get("info").expect("info", "title", "version")
	for _, s := range l.files {
		s.legacy = strings.HasPrefix(version.text(), "3.0.")
	}
	if d := top.get("jsonSchemaDialect"); d.exists() && !slices.Contains(dialects, d.text()) {
		d.fault("the dialect %q is not known: leave it out for the one of OpenAPI 3.1", d.text())
	}
	components := top.get("components")
	components.allow("components", componentKeys...)
	c := &schemas{read: map[string]*schema{}}
	d := &document{schemes: readSchemes(components.get("securitySchemes")), schemas: c}
	d.readRoles(top.get("x-roles"))
	for _, s := range d.schemes {
		names.used[s.goName+"Credential"] = true
	}
	given := map[string]bool{}
	for _, m := range components.get("schemas").members() {
		if own := m.value.get("x-go-name"); own.exists() {
			if given[own.text()] {
				own.fault("the Go name %s is taken: choose another", own.text())
			}
			given[own.text()] = true
		}
		d.components = append(d.components, c.schema(m.value, nil))
	}
	r := &operationReader{doc: d, schemas: c, top: top, limits: map[string]limit{}, ids: map[string]bool{}, places: map[string]string{}, names: names, undeclared: undeclared}
	if top.get("webhooks").exists() && l.main.legacy {
		top.get("webhooks").warn("webhooks are of OpenAPI 3.1: write openapi: 3.1.0")
	}
	if top.get("paths").isMapping() && len(top.get("paths").members()) == 0 {
		top.get("paths").warn("the document has no operations")
	}
	if !top.get("paths").exists() && !top.get("webhooks").exists() && !components.exists() {
		top.fault("the document has no paths")
	}
	for _, path := range top.get("paths").members() {
		if strings.HasPrefix(path.key, "x-") {
			judgeExtension(path.value, path.key)
			continue
		}
		item := path.value.resolve()
		item.allow("a path", pathKeys...)
		for _, method := range methods {
			if n := item.get(method); n.exists() {
				d.operations = append(d.operations, r.read(path.key, method, item, n))
			}
		}
	}
	root := &operation{}
	r.readLimits(root, top.child(nil, ""))
	d.defaults = root.limits
	if c.judgeLoops() {
		c.settleDiscriminators()
		for _, s := range c.read {
			s.judgeContradictions()
		}
		d.fillDefaults()
		d.judgeExamples(top)
	}
	l.judgeOtherExtensions()
	return d
}

// readable refuses a document of another version: nothing else in it would mean what it means here.
func readable(top, version node) bool {
	v := version.text()
	switch {
	case strings.HasPrefix(v, "3.0."), strings.HasPrefix(v, "3.1."):
		return true
	case top.get("swagger").exists():
		top.get("swagger").fault("this is a document of Swagger %s, with other members: convert it to OpenAPI 3.0 or 3.1", top.get("swagger").text())
	case v == "":
		version.fault("the document does not say its version: write openapi: 3.1.0")
	case v == "3.0" || v == "3.1":
		version.fault("the version is %q: write %s.0, as a string of three numbers", v, v)
	default:
		version.fault("the version is %q: OpenAPI 3.0 and 3.1 can be read", v)
	}
	return false
}

var dialects = []string{"https://json-schema.org/draft/2020-12/schema", "https://spec.openapis.org/oas/3.1/dialect/base"}

// judgeLoops refuses a schema that asks about the same value again without end, and reports whether there is none.
func (c *schemas) judgeLoops() (ends bool) {
	ends = true
	done := map[*schema]bool{}
	var walk func(s *schema, path []*schema)
	walk = func(s *schema, path []*schema) {
		if s == nil || done[s] {
			return
		}
		if slices.Contains(path, s) {
			s.node.fault("the schema refers to itself for the same value, which would be checked without end: put the reference into a member or element")
			ends = false
			return
		}
		path = append(path, s)
		for _, b := range slices.Concat([]*schema{s.ref, s.not, s.when, s.then, s.otherwise}, s.allOf, s.anyOf, s.oneOf) {
			walk(b, path)
		}
		for _, d := range s.dependentSchemas {
			walk(d.schema, path)
		}
		done[s] = true
	}
	for _, s := range c.read {
		walk(s, nil)
	}
	return ends
}
