package codegen

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	oapi "github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
)

// newPreparer names everything that becomes a Go type: operations first, then the components, which users know by name.
func newPreparer(d *document, server bool) *preparer {
	p := &preparer{document: d, names: newGoNames(), named: map[*schema]string{}, shared: map[string]string{}, components: object{}, headers: map[string]string{}, server: server}
	for _, o := range d.operations {
		p.names.used[o.goName] = true
		p.names.operations[o.goName] = true
	}
	for _, s := range d.schemes {
		p.names.used[s.goName+"Credential"] = true
	}
	for _, s := range d.components {
		wish := s.name
		if s.goName != "" {
			wish = s.goName
		}
		p.named[s] = p.names.take(wish)
	}
	return p
}

// prepare returns the document for oapi-codegen as JSON.
func (p *preparer) prepare() ([]byte, error) {
	for _, s := range p.document.components {
		name := p.named[s]
		p.components[name] = p.describe(p.define(s, name), s)
	}
	paths, responses := object{}, object{}
	for _, o := range p.document.operations {
		path := o.path
		if !p.server {
			path = strings.ReplaceAll(path, "%", "%%") // the client formats it
		}
		item, _ := paths[path].(object)
		if item == nil {
			item = object{}
			paths[path] = item
		}
		item[strings.ToLower(o.method)] = p.operation(o, responses)
	}
	return json.MarshalIndent(object{
		"openapi": "3.1.0", "info": object{"title": "prepared", "version": "0"}, "paths": paths,
		"components": object{"schemas": p.components, "responses": responses},
	}, "", " ")
}

func (p *preparer) operation(o *operation, responses object) object {
	prepared := object{"operationId": o.goName}
	if oapi.ToCamelCase(o.id) == o.goName {
		prepared["operationId"] = o.id
	}
	for _, key := range []string{"summary", "description"} {
		if text := o.node.get(key).text(); text != "" {
			prepared[key] = text
		}
	}
	if o.node.get("deprecated").boolean() {
		prepared["deprecated"] = true
	}
	if list := p.parameters(o); len(list) > 0 {
		prepared["parameters"] = list
	}
	if content := p.bodies(o); len(content) > 0 {
		prepared["requestBody"] = object{"required": o.bodyRequired, "content": content}
	}
	answers := object{}
	for _, r := range o.responses {
		if r.shared == "" {
			answers[r.status] = p.response(o, r)
			continue
		}
		if p.shared[r.shared] == "" {
			p.shared[r.shared] = p.names.take(r.shared)
			responses[p.shared[r.shared]] = p.response(o, r)
		}
		answers[r.status] = object{"$ref": "#/components/responses/" + p.shared[r.shared]}
	}
	prepared["responses"] = answers
	return prepared
}

// natural reports whether oapi-codegen binds the parameter as it arrives. All others the guard hands over as JSON.
func (q *parameter) natural() bool {
	if q.json || q.schema == nil || q.in == "cookie" || q.style != styles[q.in][0] || q.allowEmpty {
		return false
	}
	m := q.schema.model()
	for m.same != nil && !m.nullable {
		m = m.same.model()
	}
	if m.nullable || slices.Contains([]string{"date", "date-time", "byte", "float"}, m.format) {
		return false
	}
	return slices.Contains([]modelKind{modelBoolean, modelInteger, modelNumber, modelString, modelEnum}, m.kind)
}

func (p *preparer) parameters(o *operation) []object {
	var list []object
	var fields, inPath []string
	for _, q := range o.parameters {
		if q.in == "path" {
			inPath = append(inPath, q.name)
		} else {
			fields = append(fields, q.name)
		}
	}
	names := distinctNames(fields)
	pathNames := distinctNames(inPath, "Params", "Body", "Ctx", "Err", "W", "JSONBody", "ContentType", "Runtime", "Url", "Json", "Http", "Fmt", "Echo", "Errors")
	for _, q := range o.parameters {
		prepared := object{"name": q.name, "in": q.in, "required": q.required}
		of := &names
		if q.in == "path" {
			of = &pathNames
		}
		field := (*of)[0]
		*of = (*of)[1:]
		if own := q.node.get("x-go-name").text(); own != "" {
			field = own
		}
		if field != oapi.SchemaNameToTypeName(q.name) || field != oapi.ToCamelCase(q.name) {
			prepared["x-go-name"] = field
		}
		if text := q.node.get("description").text(); text != "" {
			prepared["description"] = text
		}
		site := p.site(q.schema, o.goName+goName(q.name))
		switch {
		case p.server && !q.natural(), !p.server && q.json:
			prepared["content"] = object{"application/json": object{"schema": site}}
		default:
			prepared["schema"] = site
			if !p.server {
				prepared["style"], prepared["explode"] = q.style, q.explode
			}
		}
		list = append(list, prepared)
	}
	return list
}

// Bodies that oapi-codegen would bind by itself are shown to it as JSON under these names, so that it asks the guard's
// Binder for them; real gives the media types and Go names back.
var bodyAlias = map[bodyKind]string{bodyForm: "application/formdata+json", bodyMultipart: "application/multipart+json", bodyText: "application/text+json"}

var real = strings.NewReplacer(
	"application/formdata+json", "application/x-www-form-urlencoded", "ApplicationFormdataPlusJSON", "Formdata",
	"application/multipart+json", "multipart/form-data", "ApplicationMultipartPlusJSON", "Multipart",
	"application/text+json", "text/plain", "ApplicationTextPlusJSON", "Text",
	// application/json-patch+json begins like application/json: the body would be bound twice. The guard hands over whole names.
	`strings.HasPrefix(ctx.Request().Header.Get("Content-Type"), `, `strings.EqualFold(ctx.Request().Header.Get("Content-Type"), `)

// headerField is where oapi-codegen writes the name of a header field of a response.
var headerField = regexp.MustCompile(`(Header\(\)\.Set\(|Header\.Values\(|"simple", )"([^"]+)"`)

// restore gives the header fields of responses the names back that oapi-codegen was not shown.
func (p *preparer) restore(source string) string {
	if len(p.headers) == 0 {
		return source
	}
	return headerField.ReplaceAllStringFunc(source, func(match string) string {
		m := headerField.FindStringSubmatch(match)
		if name := p.headers[m[2]]; name != "" {
			return m[1] + `"` + name + `"`
		}
		return match
	})
}

func (p *preparer) bodies(o *operation) object {
	content := object{}
	for _, b := range o.bodies {
		if b.kind == bodyRefused {
			continue
		}
		mediaType := o.known(b)
		switch {
		case p.server && bodyAlias[b.kind] != "":
			mediaType = bodyAlias[b.kind]
		case !p.server && (b.kind == bodyText || b.mediaType == "text/json"):
			mediaType = b.mediaType // the client sends the declared one
		}
		if b.kind == bodyStream {
			content[mediaType] = object{}
			continue
		}
		site := p.site(b.schema, o.goName+"Input")
		if b.schema != nil && b.schema.model().nullable {
			site = object{}
		}
		content[mediaType] = object{"schema": site}
	}
	return content
}

func (p *preparer) response(o *operation, r response) object {
	prepared := object{"description": ""}
	if len(r.headers) > 0 {
		headers := object{}
		fields := r.headerFields()
		for _, h := range r.headers {
			schema := p.site(h.schema, "")
			if h.schema == nil || !slices.Contains([]modelKind{modelString, modelInteger, modelBoolean}, h.schema.model().kind) {
				schema = object{"type": "string"}
			}
			name := h.name
			if own := fields[name]; own != oapi.SchemaNameToTypeName(name) {
				p.headers[own] = name // shown under its Go name, for which oapi-codegen has no extension here
				name = own
			}
			headers[name] = object{"schema": schema, "required": h.required}
		}
		prepared["headers"] = headers
	}
	content := object{}
	hint := o.goName + "Result"
	if r.shared != "" {
		hint = goName(r.shared) + "Content"
	} else if !strings.HasPrefix(r.status, "2") {
		hint = o.goName + "Failure"
	}
	for _, c := range r.contents {
		switch {
		case c.schema == nil, p.server && !isJSON(c.mediaType) && c.mediaType != "text/plain":
			content[c.mediaType] = object{}
		case c.mediaType == "text/plain":
			content[c.mediaType] = object{"schema": object{"type": "string"}}
		case c.schema.model().nullable:
			content[c.mediaType] = object{"schema": object{}}
		default:
			content[c.mediaType] = object{"schema": p.site(c.schema, hint)}
		}
	}
	if len(content) > 0 {
		prepared["content"] = content
	}
	return prepared
}
