package codegen

import (
	"slices"
	"strings"

	oapi "github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
)

// response is what an operation may answer with one status.
type response struct {
	node     node
	shared   string // the component that it is, "" for one that is written in place
	status   string // 200, 4XX, default
	headers  []header
	contents []content
}

type header struct {
	name     string
	required bool
	explode  bool
	schema   *schema
}

type content struct {
	mediaType string
	schema    *schema
}

// headerFields gives each header field its name in Go.
func (r *response) headerFields() map[string]string {
	var names []string
	for _, h := range r.headers {
		names = append(names, h.name)
	}
	fields := fieldNames(names)
	for _, name := range names {
		if fields[name] == "" {
			fields[name] = oapi.SchemaNameToTypeName(name)
		}
	}
	return fields
}

func (r *response) successful() bool {
	return strings.HasPrefix(r.status, "2") || r.status == "default"
}

func (r *operationReader) readResponses(o *operation, n node) {
	for _, m := range n.get("responses").members() {
		if strings.HasPrefix(m.key, "x-") {
			judgeExtension(m.value, m.key)
			continue
		}
		target := m.value.resolve()
		if !target.exists() {
			continue
		}
		a := response{node: target, status: m.key, shared: target.component("responses")}
		if status := strings.ToUpper(m.key); m.key != "default" && (len(status) != 3 || status[0] < '1' || status[0] > '5' || strings.Trim(status[1:], "0123456789") != "" && status[1:] != "XX") {
			m.value.fault("%q is not a status: write three digits, such as '4XX', or default", m.key)
			continue
		}
		target.allow("a response", "description", "headers", "content", "links")
		target.expect("a response", "description")
		for _, h := range target.get("headers").members() {
			if strings.EqualFold(h.key, "Content-Type") {
				continue // OpenAPI says to ignore it
			}
			declared := h.value.resolve()
			if !isToken(h.key) {
				h.value.fault("%q cannot be the name of a header field", h.key)
			}
			if slices.ContainsFunc(a.headers, func(other header) bool { return strings.EqualFold(other.name, h.key) }) {
				h.value.fault("the header field %s is declared twice: its name has no case", h.key)
				continue
			}
			declared.allow("a header", "description", "required", "schema", "content", "example", "examples", "deprecated", "style", "explode", "allowEmptyValue", "allowReserved")
			s := r.schemas.schema(declared.get("schema"), nil)
			a.headers = append(a.headers, header{h.key, declared.get("required").boolean(), declared.get("explode").boolean(), s})
		}
		for _, t := range target.get("content").members() {
			t.value.allow("a media type", mediaTypeKeys...)
			mediaType := strings.ToLower(strings.TrimSpace(t.key))
			if slices.ContainsFunc(a.contents, func(c content) bool { return c.mediaType == mediaType }) {
				t.value.fault("the media type %s is declared twice", t.key)
				continue
			}
			a.contents = append(a.contents, content{mediaType, r.schemas.schema(t.value.get("schema"), nil)})
		}
		o.responses = append(o.responses, a)
	}
	if len(n.get("responses").members()) == 0 {
		n.fault("the operation declares no responses: state at least the successful one")
	}
}
