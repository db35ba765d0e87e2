package codegen

import (
	"fmt"
	"strings"

	oapi "github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
)

// decoders writes one function for each object schema of a JSON request body.
func (e *emitter) decoders() string {
	e.begin(quoted("regexp"), "", `openapi_types "github.com/oapi-codegen/runtime/types"`, "", quoted(module+"validation"))
	for _, s := range e.document.requests {
		e.decoder(s)
	}
	return e.finish()
}

func (e *emitter) decoder(s *schema) {
	name := e.goName(s)
	fields := e.types.structs[name]
	var names []string
	var required uint64
	for i, p := range s.properties {
		names = append(names, p.name)
		if p.required {
			required |= 1 << i
		}
	}
	for _, p := range s.properties {
		e.pattern(name, p.name, p.schema)
	}
	if required != 0 {
		e.p("var members%s = []string{%s}\n", name, quoteAll(names))
	}
	e.p("func decode%s(r *validation.Reader, dst *%s) {", name, name)
	e.p("if !r.BeginObject() {\nreturn\n}")
	if required != 0 {
		e.p("var seen uint64")
	}
	optional := e.optionalMembers(s, fields)
	e.p("for r.NextMember() {\nswitch string(r.Name()) {")
	for i, p := range s.properties {
		field, found := fields[p.name]
		if !found {
			s.node.fault("oapi-codegen made no field of the member %q", p.name)
			continue
		}
		e.p("case %q:", p.name)
		if required != 0 {
			e.p("seen |= 1 << %d", i)
		}
		value, how := unwrap(field.typ)
		if p.schema.nullable {
			if how != byNullable {
				p.schema.node.fault("oapi-codegen made the type %s of a member that may be null", field.typ)
			}
			e.p("if r.Null() {\ndst.%s.SetNull()\ncontinue\n}", field.name)
		}
		e.value(p.schema, value, name+oapi.ToCamelCase(p.name), func(v string) string {
			if optional && how == byPointer {
				return fmt.Sprintf("optional.%[1]s = %[2]s\ndst.%[1]s = &optional.%[1]s", field.name, v)
			}
			return how.assign("dst."+field.name, v)
		})
	}
	if s.open {
		e.p("default:\nr.SkipMember()")
	} else {
		e.p("default:\nr.UnknownMember()")
	}
	e.p("}\n}")
	if required != 0 {
		e.p("r.Required(^seen&%#b, members%s)", required, name)
	}
	e.p("}\n")
}

// optionalMembers writes the place of the members that dst points to, where there are several: one allocation instead
// of one each.
func (e *emitter) optionalMembers(s *schema, fields map[string]goField) bool {
	var list []string
	for _, p := range s.properties {
		if value, how := unwrap(fields[p.name].typ); how == byPointer {
			list = append(list, fields[p.name].name+" "+value)
		}
	}
	if len(list) < 2 {
		return false
	}
	e.p("optional := new(struct {\n%s\n})", strings.Join(list, "\n"))
	return true
}

// pattern writes the compiled patterns of a member.
func (e *emitter) pattern(owner, member string, s *schema) {
	if s.items != nil {
		e.pattern(owner, member, s.items)
	}
	if s.pattern == "" {
		return
	}
	variable := "pattern" + owner + oapi.ToCamelCase(member)
	if c, ok := characterClass(s.pattern); ok {
		e.p("var %s = validation.NewCharacterClass(%q, %t, %t)\n", variable, c.set, c.beyond, c.empty)
	} else {
		e.p("var %s = regexp.MustCompile(%q)\n", variable, s.pattern)
	}
}

// value writes the reading of one value. typ is its Go type; set returns the statement that keeps it.
func (e *emitter) value(s *schema, typ, owner string, set func(variable string) string) {
	switch s.typ {
	case "string":
		e.stringValue(s, typ, owner, set)
	case "number":
		e.p("if n, ok := r.Float64(); ok {")
		e.bounds(s)
		e.p("%s\n}", set("n"))
	case "integer":
		e.p("if i, ok := r.Int64(%s); ok {", strings.TrimPrefix(s.format, "int"))
		e.bounds(s)
		e.p("n := %s(i)\n%s\n}", typ, set("n"))
	case "boolean":
		e.p("if b, ok := r.Bool(); ok {\n%s\n}", set("b"))
	case "array":
		e.array(s, typ, owner, set)
	case "object":
		e.p("var object %s\ndecode%s(r, &object)\n%s", typ, e.goName(s), set("object"))
	}
}

func (e *emitter) bounds(s *schema) {
	for _, b := range [][2]string{{"Minimum", s.minimum}, {"Maximum", s.maximum}, {"ExclusiveMinimum", s.exclusiveMinimum}, {"ExclusiveMaximum", s.exclusiveMaximum}} {
		if b[1] != "" {
			e.p("r.%s(%s, %q)", b[0], b[1], b[1])
		}
	}
}

func (e *emitter) array(s *schema, typ, owner string, set func(string) string) {
	element := strings.TrimPrefix(typ, "[]")
	e.p("if r.BeginArray() {\nlist, n := make(%s, 0, %d), 0", typ, min(s.maxItems, 8))
	e.p("for r.NextElement() {\nn++")
	e.value(s.items, element, owner, func(v string) string { return fmt.Sprintf("list = append(list, %s)", v) })
	e.p("}")
	if s.minItems > 0 {
		e.p("r.Check(\"minItems\", validation.MinItems(n, %d))", s.minItems)
	}
	e.p("r.Check(\"maxItems\", validation.MaxItems(n, %d))", s.maxItems)
	if s.uniqueItems {
		e.p("r.Check(\"uniqueItems\", validation.Unique(list))")
	}
	e.p("%s\n}", set("list"))
}

func (e *emitter) stringValue(s *schema, typ, owner string, set func(string) string) {
	e.p("if text, ok := r.Text(); ok {")
	defer e.p("}")
	if s.enum != nil {
		e.p("var value %s\nswitch string(text) {", typ)
		for _, v := range s.enum {
			constant := e.types.constants[typ][v]
			if constant == "" {
				constant = fmt.Sprintf("%q", v)
			}
			e.p("case %q:\nvalue = %s", v, constant)
		}
		e.p("default:\nr.Violation(\"enum\", validation.Enum(%q))\n}", strings.Join(s.enum, ", "))
		e.p("%s", set("value"))
		return
	}
	e.p("s := string(text)")
	if s.minLength > 0 {
		e.p("r.Check(\"minLength\", validation.MinLength(s, %d))", s.minLength)
	}
	if s.maxLength >= 0 {
		e.p("r.Check(\"maxLength\", validation.MaxLength(s, %d))", s.maxLength)
	}
	if s.pattern != "" {
		e.p("r.Check(\"pattern\", validation.Pattern(s, pattern%s, %q))", owner, s.pattern)
	}
	switch s.format {
	case "date":
		e.p("day, wrong := validation.Date(s)\nr.Check(\"format\", wrong)")
		e.p("date := openapi_types.Date{Time: day}\n%s", set("date"))
	case "email":
		e.p("r.Check(\"format\", validation.Email(s))\nemail := openapi_types.Email(s)\n%s", set("email"))
	case "", "password":
		if typ != "string" {
			e.p("value := %s(s)\n%s", typ, set("value"))
		} else {
			e.p("%s", set("s"))
		}
	default:
		s.node.fault("the format %q cannot be enforced in a request body yet: use a pattern", s.format)
	}
}
