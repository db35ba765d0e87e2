package codegen

import (
	"fmt"
	"slices"
	"strings"
)

// encoders writes a strict middleware that encodes the successful JSON responses, and one function for each schema of
// them. oapi-codegen would encode them by reflection. A response that has no encoder goes its way.
func (e *emitter) encoders() string {
	e.begin(quoted("github.com/labstack/echo/v4"), "", quoted(module+"encoding"))
	e.p("// Encode is a strict middleware that sends the successful JSON responses.")
	e.p("func Encode(next StrictHandlerFunc, _ string) StrictHandlerFunc {")
	before := e.Len()
	e.p("return func(ctx echo.Context, request any) (any, error) {")
	e.p("response, err := next(ctx, request)\nif err != nil {\nreturn nil, err\n}\nswitch r := response.(type) {")
	var schemas []*schema
	for _, o := range e.document.operations {
		for _, r := range o.responses {
			for _, c := range r.contents {
				if len(r.status) == 3 && r.status[0] == '2' && e.response(o, r, c) {
					schemas = e.reach(schemas, c.schema.target())
				}
			}
		}
	}
	if e.p("}\nreturn response, nil\n}\n}\n"); schemas == nil {
		e.Truncate(before)
		e.p("return next // no response has an encoder\n}")
	}
	for _, s := range schemas {
		e.encoder(s)
	}
	return strings.ReplaceAll(e.finish(), "`)\nb.Raw(`", "") // neighbours are one literal
}

// response writes the case of one response, if all of it can be encoded.
func (e *emitter) response(o *operation, r response, c content) bool {
	if c.mediaType != "application/json" || c.schema == nil || !e.encodable(c.schema, map[*schema]bool{}) {
		return false
	}
	s := c.schema.target()
	if s.kind() != typeObject {
		return false
	}
	name := o.goName + r.status + "JSONResponse"
	body := "&r.Body"
	var headers []string
	switch made := e.server.aliasOrStruct(name); made {
	case e.goName(s):
		body = fmt.Sprintf("(*%s)(&r)", e.goName(s))
	case "struct":
		fields := e.server.fields[name+".Headers"]
		for _, h := range r.headers {
			field := r.headerFields()[h.name]
			if fields[field] != "string" {
				return false
			}
			headers = append(headers, fmt.Sprintf("h[%q] = []string{r.Headers.%s}", canonicalHeader(h.name), field))
		}
	default:
		return false
	}
	e.p("case %s:", name)
	if len(headers) > 0 {
		e.p("h := ctx.Response().Header()\n%s", strings.Join(headers, "\n"))
	}
	e.p("b := encoding.Begin()\nencode%s(b, %s)\nreturn nil, b.Send(ctx.Response(), %s)", e.goName(s), body, r.status)
	return true
}

// encodable reports whether every member of the schema has a form that can be appended.
func (e *emitter) encodable(s *schema, seen map[*schema]bool) bool {
	s = s.target()
	if s.kind() == 0 || s.types.has(typeNull) || s.nullable || len(s.inPlace()) > 0 {
		return false
	}
	if seen[s] {
		return true
	}
	seen[s] = true
	switch m := s.model(); m.kind {
	case modelArray:
		return m.items != nil && e.encodable(m.items, seen)
	case modelStruct:
		return e.prepared.named[s] != "" && s.additional != nil && s.additional.never && s.patterns == nil &&
			!slices.ContainsFunc(s.properties, func(p property) bool {
				return strings.Contains(p.name, "`") || p.schema.writeOnly || !e.encodable(p.schema, seen)
			})
	case modelString, modelEnum:
		return m.format != "byte" && m.format != "binary"
	case modelNumber:
		return m.format != "float"
	case modelBoolean, modelInteger:
		return !strings.HasPrefix(m.format, "uint")
	}
	return false
}

// reach adds the object schemas that the encoder of s calls.
func (e *emitter) reach(list []*schema, s *schema) []*schema {
	if s == nil || slices.Contains(list, s.target()) {
		return list
	}
	if s = s.target(); s.kind() == typeObject {
		list = append(list, s)
	}
	list = e.reach(list, s.items)
	for _, p := range s.properties {
		list = e.reach(list, p.schema)
	}
	return list
}

func (e *emitter) encoder(s *schema) {
	name := e.goName(s)
	e.p("func encode%s(b *encoding.Buffer, v *%s) {\nb.Raw(`{`)", name, name)
	for _, p := range s.properties {
		member := p.schema.target()
		field := e.types.structs[name][p.name]
		value, how := unwrap(field.typ)
		at := "v." + field.name
		if how == byPointer {
			e.p("if %s != nil {", at)
			if member.kind() != typeObject {
				at = "*" + at
			}
		} else if member.kind() == typeObject {
			at = "&" + at
		}
		e.p("b.Raw(%s)", "`"+quotedJSON(p.name)+":`")
		e.encodeValue(member, value, at)
		e.p("b.Raw(`,`)")
		if how == byPointer {
			e.p("}")
		}
	}
	e.p("b.Close()\n}\n")
}

func quotedJSON(s string) string { return string(appendText(nil, s)) }

func (e *emitter) encodeValue(s *schema, typ, at string) {
	switch s.kind() {
	case typeObject:
		e.p("encode%s(b, %s)", e.goName(s), at)
	case typeArray:
		items := s.items.target()
		element := strings.TrimPrefix(typ, "[]")
		e.p("b.Raw(`[`)")
		if items.kind() == typeObject {
			e.p("for i := range %s {\nb.Next(i)", at)
			e.encodeValue(items, element, "&("+at+")[i]")
		} else {
			e.p("for i, element := range %s {\nb.Next(i)", at)
			e.encodeValue(items, element, "element")
		}
		e.p("}\nb.Raw(`]`)")
	case typeNumber:
		e.p("b.Float64(%s)", at)
	case typeInteger:
		e.p("b.Int64(int64(%s))", at)
	case typeBoolean:
		e.p("b.Bool(%s)", at)
	default:
		switch typ {
		case "openapi_types.UUID":
			e.p("b.UUID(%s)", at)
		case "openapi_types.Date":
			e.p("b.Date((%s).Time)", at)
		case "time.Time":
			e.p("b.Time(%s)", at)
		case "string":
			e.p("b.String(%s)", at)
		default:
			e.p("b.String(string(%s))", at)
		}
	}
}
