package codegen

import (
	"mime"
	"strings"
)

// bodyKind is how a request body is read.
type bodyKind int

const (
	bodyJSON      bodyKind = iota
	bodyForm               // application/x-www-form-urlencoded
	bodyMultipart          // multipart/form-data
	bodyText               // the characters are the value
	bodyStream             // bytes for the handler, bounded and no more
	bodyRefused            // of a media type that nothing here decodes: 415
)

// body is one media type of a request body.
type body struct {
	node      node
	mediaType string
	kind      bodyKind
	schema    *schema
	parts     []part // of a form or multipart, that the encoding object speaks of
}

// part is an entry of the encoding object.
type part struct {
	name         string
	contentTypes []string
	style        string
	explode      bool
}

func (r *operationReader) readBody(o *operation, n node) {
	content := n.get("requestBody").resolve()
	if !content.exists() {
		return
	}
	content.allow("a request body", "description", "required", "content")
	if !content.isMapping() {
		return
	}
	o.bodyRequired = content.get("required").boolean()
	if o.method == "TRACE" || o.method == "HEAD" {
		content.fault("HTTP gives a body on %s no meaning: remove it", o.method)
	}
	if len(content.get("content").members()) == 0 {
		content.fault("the request body has no media type: state its content")
	}
	seen := map[string]bool{}
	for _, m := range content.get("content").members() {
		m.value.allow("a media type", mediaTypeKeys...)
		b := body{node: m.value, schema: r.schemas.schema(m.value.get("schema"), nil)}
		mediaType, _, err := mime.ParseMediaType(m.key)
		if err != nil || !strings.Contains(mediaType, "/") {
			m.value.fault("%q is not a media type", m.key)
			continue
		}
		if b.mediaType = mediaType; seen[mediaType] {
			m.value.fault("the media type %s is declared twice", mediaType)
			continue
		}
		seen[mediaType] = true
		r.classify(&b)
		r.readEncoding(&b)
		o.bodies = append(o.bodies, b)
	}
	for i := range o.bodies {
		o.judgeNames(&o.bodies[i], o.bodies[:i])
	}
}

// judgeNames refuses two bodies that share a Go type, and are not the same.
func (o *operation) judgeNames(b *body, before []body) {
	for _, other := range before {
		if b.kind == bodyStream || b.kind == bodyRefused || b.kind != other.kind || b.tag() != other.tag() {
			continue
		}
		if o.known(*b) != o.known(other) {
			b.node.fault("%s has the Go name of %s: remove one of them", b.mediaType, other.mediaType)
		} else if b.schema.same() != other.schema.same() {
			b.node.fault("%s is decoded as %s is, and has another schema: give both one schema of components, or remove one", b.mediaType, other.mediaType)
		}
	}
}

// same is the schema that s is another name of.
func (s *schema) same() *schema {
	if s == nil {
		return nil
	}
	return s.target()
}

// known is the media type under which oapi-codegen is told of a body. Its server has one place for all bodies that the handler
// reads, and one Go type for all texts.
func (o *operation) known(b body) string {
	switch {
	case b.kind == bodyText:
		return "text/plain"
	case b.kind == bodyJSON && (!isJSON(b.mediaType) || b.mediaType == "text/json"):
		return "application/json"
	case b.kind == bodyStream && (len(o.bodies) > 1 || strings.HasPrefix(b.mediaType, "multipart/") || b.mediaType == "text/plain"):
		return "application/octet-stream"
	}
	return b.mediaType
}

// isJSON reports whether a media type is JSON by its name (RFC 6839 §3.1).
func isJSON(mediaType string) bool {
	t, _, _ := strings.Cut(mediaType, ";")
	t = strings.ToLower(strings.TrimSpace(t))
	return t == "application/json" || t == "text/json" || strings.HasSuffix(t, "+json")
}

func (r *operationReader) classify(b *body) {
	var types types
	if b.schema != nil {
		types = b.schema.allows() &^ typeNull
	}
	switch t := b.mediaType; {
	case isJSON(t):
	case t == "application/x-www-form-urlencoded":
		b.kind = bodyForm
	case t == "multipart/form-data":
		b.kind = bodyMultipart
	case b.schema == nil, types == typeString && b.schema.binary(), types.has(typeString) && !b.schema.shaped():
		b.kind = bodyStream
	case t == "*/*", t == "application/*":
		b.node.warn("%s is taken as every JSON media type: nothing else can be decoded", t)
	case types == typeString:
		b.kind = bodyText
	default:
		b.kind = bodyRefused
		b.node.warn("a body of %s cannot be decoded: requests with it are answered 415; declare JSON, a form or text", t)
	}
	if (b.kind == bodyForm || b.kind == bodyMultipart) && (b.schema == nil || types.has(anyType&^typeObject&^typeNull)) {
		b.node.fault("a form is an object: state a schema with type: object")
	}
	if b.kind == bodyJSON && b.schema == nil {
		b.node.warn("the body has no schema: any JSON is accepted")
	}
}

// binary reports whether the schema says that the value is bytes.
func (s *schema) binary() bool {
	for _, p := range s.parts() {
		if p.format == "binary" || p.node.get("contentMediaType").exists() && !p.node.get("contentEncoding").exists() {
			return true
		}
	}
	return false
}

func (r *operationReader) readEncoding(b *body) {
	encoding := b.node.get("encoding")
	if encoding.exists() && b.kind != bodyForm && b.kind != bodyMultipart {
		encoding.warn("OpenAPI ignores encoding outside of forms")
		return
	}
	for _, m := range encoding.members() {
		m.value.allow("an encoding", "contentType", "style", "explode", "allowReserved", "headers")
		p := part{name: m.key, style: m.value.get("style").text(), explode: m.value.get("explode").boolean()}
		if p.style == "" {
			p.style = "form"
		}
		if !m.value.get("explode").exists() {
			p.explode = p.style == "form"
		}
		for t := range strings.SplitSeq(m.value.get("contentType").text(), ",") {
			if t = strings.TrimSpace(t); t != "" {
				p.contentTypes = append(p.contentTypes, strings.ToLower(t))
			}
		}
		if h := m.value.get("headers"); h.exists() {
			h.fault("the headers of a part cannot be enforced: remove them")
		}
		b.parts = append(b.parts, p)
	}
}
