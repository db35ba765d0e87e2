package codegen

import (
	"fmt"
	"slices"
	"strings"

	"example.com/gatehouse/internal/ceiling"
)

// decoders writes one function for each plain object schema of a JSON request body.
func (e *emitter) decoders() string {
	e.begin(quoted("regexp"), quoted("time"), "", quoted("github.com/oapi-codegen/nullable"), `openapi_types "github.com/oapi-codegen/runtime/types"`, "", quoted(module+"validation"))
	for len(e.decoding) > 0 {
		s := e.decoding[0]
		e.decoding = e.decoding[1:]
		e.decoder(s)
	}
	return e.finish()
}

// decode returns the function that decodes a plain object schema, written later.
func (e *emitter) decode(s *schema) string {
	s = s.inner()
	if !e.decoded[s] {
		e.decoded[s] = true
		e.decoding = append(e.decoding, s)
	}
	return "decode" + e.goName(s)
}

func (e *emitter) decoder(s *schema) {
	name := e.goName(s)
	fields := e.types.structs[name]
	var names []string
	var required, filled uint64
	for i, p := range s.properties {
		names = append(names, p.name)
		switch {
		case slices.Contains(s.required, p.name):
			required |= 1 << i
		case p.schema.filled != "":
			filled |= 1 << i
		}
	}
	e.p("func decode%s(r *validation.Reader, dst *%s) {", name, name)
	e.p("if !r.BeginObject() {\nreturn\n}")
	if required|filled != 0 {
		e.p("var seen uint64")
	}
	optional := e.optionalMembers(s, fields)
	if s.openObject() {
		e.p("n := 0\nfor r.NextMember() {\nn++\nswitch string(r.Name()) {")
	} else {
		e.p("for r.NextMember() {\nswitch string(r.Name()) {")
	}
	for i, p := range s.properties {
		field, found := fields[p.name]
		if !found {
			s.node.fault("oapi-codegen made no field of the member %q", p.name)
			continue
		}
		e.p("case %q:", p.name)
		if required|filled != 0 {
			e.p("seen |= 1 << %d", i)
		}
		e.decodeMember(p, field, name, optional)
	}
	if s.additional == nil {
		e.p("default:\nr.SkipMember()")
	} else {
		e.p("default:\nr.UnknownMember()")
	}
	e.p("}\n}")
	if required != 0 {
		e.p("r.Required(^seen&%#b, %s)", required, quoteAll(names))
	}
	if s.openObject() {
		e.p("r.Check(\"maxProperties\", validation.MaxProperties(n, %d))", ceiling.Members)
	}
	if filled != 0 {
		e.p("if r.FillsDefaults() {")
		for i, p := range s.properties {
			if filled&(1<<i) != 0 {
				e.p("if seen&(1<<%d) == 0 {", i)
				e.fillMember(p, fields[p.name], optional)
				e.p("}")
			}
		}
		e.p("}")
	}
	e.p("}\n")
}

func (e *emitter) decodeMember(p property, field goField, owner string, optional bool) {
	value, how := unwrap(field.typ)
	if !p.schema.plain() || !e.readable(p.schema.inner(), value) {
		check := e.checks.argument(p.schema, owner+goName(p.name))
		switch {
		case how != byPointer:
			e.p("r.Checked(&dst.%s, %s)", field.name, check)
		case optional:
			e.p("r.Checked(&optional.%[1]s, %[2]s)\ndst.%[1]s = &optional.%[1]s", field.name, check)
		default:
			e.p("dst.%[1]s = new(%[2]s)\nr.Checked(dst.%[1]s, %[3]s)", field.name, value, check)
		}
		return
	}
	if p.schema.model().nullable {
		if how != byNullable {
			p.schema.node.fault("oapi-codegen made the type %s of a member that may be null", field.typ)
		}
		e.p("if r.Null() {\ndst.%s.SetNull()\ncontinue\n}", field.name)
	}
	e.value(p.schema.inner(), value, func(v string) string { return field.assign(how, v, optional) })
}

// readable reports whether the Go type of a plain schema is what its decoder makes: a required member that would hold its
// own struct is any in Go.
func (e *emitter) readable(s *schema, typ string) bool {
	switch {
	case s.kind() != typeObject:
		return true
	case len(s.properties) == 0:
		return strings.HasPrefix(e.types.underlying(typ), "map[string]")
	}
	return typ == e.goName(s)
}

// fillMember writes the default of a member that was not sent.
func (e *emitter) fillMember(p property, field goField, optional bool) {
	value, how := unwrap(field.typ)
	switch literal := p.schema.goDefault(); value {
	case "string", "bool":
		e.p("value := %s", literal)
	default:
		e.p("value := %s(%s)", value, literal)
	}
	e.p("%s", field.assign(how, "value", optional))
}

// assign returns the statement that sets the field of dst, or its place among the optional members.
func (f goField) assign(how assignment, variable string, optional bool) string {
	if optional && how == byPointer {
		return fmt.Sprintf("optional.%[1]s = %[2]s\ndst.%[1]s = &optional.%[1]s", f.name, variable)
	}
	return how.assign("dst."+f.name, variable)
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

// value writes the reading of one value. typ is its Go type; set returns the statement that keeps it.
func (e *emitter) value(s *schema, typ string, set func(variable string) string) {
	switch s.kind() {
	case typeString:
		e.stringValue(s, typ, set)
	case typeNumber:
		e.p("if n, ok := r.Float64(); ok {")
		e.bounds(s)
		e.p("%s\n}", set("n"))
	case typeInteger:
		e.p("if i, ok := r.Int64(%d); ok {", s.integerSize())
		e.bounds(s)
		e.p("n := %s(i)\n%s\n}", typ, set("n"))
	case typeBoolean:
		e.p("if b, ok := r.Bool(); ok {\n%s\n}", set("b"))
	case typeArray:
		e.array(s, typ, set)
	case typeObject:
		if len(s.properties) == 0 {
			e.mapping(s, typ, set)
			return
		}
		e.p("var object %s\n%s(r, &object)\n%s", typ, e.decode(s), set("object"))
	}
}

func (e *emitter) bounds(s *schema) {
	for _, b := range [][2]string{{"Minimum", s.minimum}, {"Maximum", s.maximum}, {"ExclusiveMinimum", s.above}, {"ExclusiveMaximum", s.under}} {
		if b[1] != "" {
			e.p("r.%s(%s, %q)", b[0], b[1], b[1])
		}
	}
}

func (e *emitter) array(s *schema, typ string, set func(string) string) {
	element := strings.TrimPrefix(e.types.underlying(typ), "[]")
	most := s.maxItems
	if s.openArray() {
		most = ceiling.Items
	}
	e.p("if r.BeginArray() {\nlist, n := make([]%s, 0, %d), 0", element, min(most, 8))
	e.p("for r.NextElement() {\nn++")
	e.element(s.items.inner(), element, func(v string) string { return fmt.Sprintf("list = append(list, %s)", v) })
	e.p("}")
	if s.minItems > 0 {
		e.p("r.Check(\"minItems\", validation.MinItems(n, %d))", s.minItems)
	}
	e.p("r.Check(\"maxItems\", validation.MaxItems(n, %d))", most)
	if s.uniqueItems {
		e.p("r.Check(\"uniqueItems\", validation.Unique(list))")
	}
	e.p("%s\n}", set("list"))
}

// mapping writes the reading of an object into a map.
func (e *emitter) mapping(s *schema, typ string, set func(string) string) {
	element, isMap := strings.CutPrefix(e.types.underlying(typ), "map[string]")
	if !isMap {
		s.node.fault("oapi-codegen made the type %s of a map", typ)
	}
	most := s.maxProperties
	if s.openObject() {
		most = ceiling.Members
	}
	e.p("if r.BeginObject() {\nmembers, n := make(map[string]%s), 0", element)
	e.p("for r.NextMember() {\nn++\nname := string(r.Name())")
	e.element(s.additional.inner(), element, func(v string) string { return fmt.Sprintf("members[name] = %s", v) })
	e.p("}")
	if s.minProperties > 0 {
		e.p("r.Check(\"minProperties\", validation.MinProperties(n, %d))", s.minProperties)
	}
	e.p("r.Check(\"maxProperties\", validation.MaxProperties(n, %d))", most)
	e.p("%s\n}", set("members"))
}

// element writes the reading of one element of an array or map. Where it is one of these itself, its variables would hide
// those of the outer.
func (e *emitter) element(s *schema, typ string, set func(string) string) {
	if s.kind() != typeArray && (s.kind() != typeObject || len(s.properties) > 0) {
		e.value(s, typ, set)
		return
	}
	e.p("var element %s", typ)
	e.value(s, typ, func(v string) string { return "element = " + v })
	e.p("%s", set("element"))
}

func (e *emitter) stringValue(s *schema, typ string, set func(string) string) {
	e.p("if text, ok := r.Text(); ok {")
	defer e.p("}")
	if s.enum != nil {
		var values []string
		e.p("var value %s\nswitch string(text) {", typ)
		for _, v := range s.enum {
			if v == "null" {
				continue
			}
			v = unquoteJSON(v)
			values = append(values, v)
			e.p("case %q:\nvalue = %q", v, v)
		}
		e.p("default:\nr.Violation(\"enum\", validation.Enum(%q))\n}", strings.Join(values, ", "))
		e.p("%s", set("value"))
		return
	}
	e.p("s := string(text)")
	if s.minLength > 0 {
		e.p("r.Check(\"minLength\", validation.MinLength(s, %d))", s.minLength)
	}
	switch {
	case s.maxLength >= 0:
		e.p("r.Check(\"maxLength\", validation.MaxLength(s, %d))", s.maxLength)
	case s.openText():
		e.p("r.Check(\"maxLength\", validation.MaxBytes(s, %d))", ceiling.StringBytes)
	}
	if s.pattern != "" {
		e.p("r.Check(\"pattern\", validation.Pattern(s, %s, %q))", e.checks.matcher(s.re2), s.pattern)
	}
	switch s.format {
	case "date":
		e.p("day, wrong := validation.Date(s)\nr.Check(\"format\", wrong)")
		e.p("date := openapi_types.Date{Time: day}\n%s", set("date"))
		return
	case "date-time":
		e.p("at, wrong := validation.Instant(s)\nr.Check(\"format\", wrong)\n%s", set("at"))
		return
	case "uuid":
		e.p("id, wrong := validation.UUIDBytes(s)\nr.Check(\"format\", wrong)")
		e.p("value := openapi_types.UUID(id)\n%s", set("value"))
		return
	}
	if check := textFormats[s.format]; check != "" {
		e.p("r.Check(\"format\", validation.%s(s))", check)
	}
	if typ != "string" {
		e.p("value := %s(s)\n%s", typ, set("value"))
	} else {
		e.p("%s", set("s"))
	}
}
