package codegen

import (
	"fmt"
	"slices"
	"strings"

	oapi "github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
)

// encoders writes a strict middleware that encodes the successful JSON responses, and one function for each schema of
// them. oapi-codegen would encode them by reflection. A response that has no encoder goes its way.
func (e *emitter) encoders() string {
	e.begin(quoted("github.com/labstack/echo/v4"), "", quoted(module+"encoding"))
	e.p("// Encode is a strict middleware that sends the successful JSON responses.")
	e.p("func Encode(next StrictHandlerFunc, _ string) StrictHandlerFunc {")
	e.p("return func(ctx echo.Context, request any) (any, error) {")
	e.p("response, err := next(ctx, request)\nif err != nil {\nreturn nil, err\n}\nswitch r := response.(type) {")
	var schemas []*schema
	for _, o := range e.document.operations {
		for _, response := range o.responses {
			if e.response(&o, response) {
				schemas = e.reach(schemas, response.schema)
			}
		}
	}
	e.p("}\nreturn response, nil\n}\n}\n")
	for _, s := range schemas {
		e.encoder(s)
	}
	return strings.ReplaceAll(e.finish(), "`)\nb.Raw(`", "") // neighbours are one literal
}

// response writes the case of one response, if all of it can be encoded.
func (e *emitter) response(o *operation, r response) bool {
	if r.mediaType != "application/json" || r.schema == nil || !e.encodable(r.schema, map[*schema]bool{}) {
		return false
	}
	name := oapi.ToCamelCase(o.id) + r.status + "JSONResponse"
	body := "&r.Body"
	var headers []string
	switch made := e.server.aliasOrStruct(name); made {
	case e.goName(r.schema):
		body = fmt.Sprintf("(*%s)(&r)", e.goName(r.schema))
	case "struct":
		fields := e.server.fields[name+".Headers"]
		for _, h := range r.headers {
			field := oapi.SchemaNameToTypeName(h)
			if fields[field] != "string" {
				return false
			}
			headers = append(headers, fmt.Sprintf("h[%q] = []string{r.Headers.%s}", canonicalHeader(h), field))
		}
	default:
		return false
	}
	e.p("case %s:", name)
	if len(headers) > 0 {
		e.p("h := ctx.Response().Header()\n%s", strings.Join(headers, "\n"))
	}
	e.p("b := encoding.Begin()\nencode%s(b, %s)\nreturn nil, b.Send(ctx.Response(), %s)", e.goName(r.schema), body, r.status)
	return true
}

// encodable reports whether every member of the schema has a form that can be appended.
func (e *emitter) encodable(s *schema, seen map[*schema]bool) bool {
	if s == nil || s.nullable || s.open && s.typ == "object" {
		return false
	}
	if seen[s] {
		return true
	}
	seen[s] = true
	switch s.typ {
	case "array":
		return e.encodable(s.items, seen)
	case "object":
		return s.name != "" && !slices.ContainsFunc(s.properties, func(p property) bool { return strings.Contains(p.name, "`") || !e.encodable(p.schema, seen) })
	}
	return true
}

// reach adds the object schemas that the encoder of s calls.
func (e *emitter) reach(list []*schema, s *schema) []*schema {
	if s == nil || slices.Contains(list, s) {
		return list
	}
	if s.typ == "object" {
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
		field := e.types.structs[name][p.name]
		value, how := unwrap(field.typ)
		at := "v." + field.name
		if how == byPointer {
			e.p("if %s != nil {", at)
			if p.schema.typ != "object" {
				at = "*" + at
			}
		} else if p.schema.typ == "object" {
			at = "&" + at
		}
		e.p("b.Raw(%s)", "`"+quotedJSON(p.name)+":`")
		e.encodeValue(p.schema, value, at)
		e.p("b.Raw(`,`)")
		if how == byPointer {
			e.p("}")
		}
	}
	e.p("b.Close()\n}\n")
}

func quotedJSON(s string) string { return string(appendText(nil, s)) }

func (e *emitter) encodeValue(s *schema, typ, at string) {
	switch s.typ {
	case "object":
		e.p("encode%s(b, %s)", e.goName(s), at)
	case "array":
		element := strings.TrimPrefix(typ, "[]")
		e.p("b.Raw(`[`)")
		if s.items.typ == "object" {
			e.p("for i := range %s {\nb.Next(i)", at)
			e.encodeValue(s.items, element, "&("+at+")[i]")
		} else {
			e.p("for i, element := range %s {\nb.Next(i)", at)
			e.encodeValue(s.items, element, "element")
		}
		e.p("}\nb.Raw(`]`)")
	case "number":
		e.p("b.Float64(%s)", at)
	case "integer":
		e.p("b.Int64(int64(%s))", at)
	case "boolean":
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
