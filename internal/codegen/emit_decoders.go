package codegen

import (
	"fmt"
	"slices"
	"strings"

	"example.com/gatehouse/internal/ceiling"
)

// target returns the schema that says something: what an alias refers to.
func (s *schema) target() *schema {
	for s.alias() != nil {
		s = s.ref
	}
	return s
}

// inner is the same without its null, which the model says.
func (s *schema) inner() *schema {
	for s = s.target(); s.nullable && s.ref != nil && len(s.inPlace()) == 1 && s.types == 0; {
		s = s.ref.target()
	}
	return s
}

// kind is the one type of the schema beside null, 0 where it has several.
func (s *schema) kind() types {
	if t := s.types &^ typeNull; t.single() {
		return t
	}
	return 0
}

// plain reports whether values of the schema can be decoded and checked while they are read, into the Go type that its model is.
// All others are held in memory, checked, and unmarshalled.
func (s *schema) plain() bool { return s.plainWithin(nil) }

// plainWithin is plain for what stands in the arrays: an array of itself has no end.
func (s *schema) plainWithin(arrays []*schema) bool {
	s = s.inner()
	if slices.Contains(arrays, s) || s.kind() == 0 || len(s.inPlace()) > 0 || s.readOnly || s.multipleOf != "" || s.constant || s.uniqueItems && (s.items == nil || s.items.inner().kind() != typeString || s.items.model().nullable) {
		return false
	}
	switch s.kind() {
	case typeString:
		for _, v := range s.enum {
			if v[0] != '"' && (v != "null" || !s.allows().has(typeNull)) {
				return false
			}
		}
		return s.enum == nil && slices.Contains([]string{"", "date", "email", "password"}, s.format) || s.enum != nil && s.bareEnum()
	case typeNumber:
		return s.enum == nil && (s.format == "" || s.format == "double")
	case typeInteger:
		return s.enum == nil && (s.format == "" || s.format == "int32" || s.format == "int64")
	case typeBoolean:
		return s.enum == nil
	case typeArray:
		return s.enum == nil && s.prefix == nil && s.contains == nil && s.unevaluatedItems == nil && s.items != nil && !s.items.model().nullable && s.items.plainWithin(append(arrays, s))
	}
	return s.plainObject()
}

// bareEnum reports whether a string must be one of the enum and nothing else.
func (s *schema) bareEnum() bool {
	return s.format == "" && s.pattern == "" && s.minLength <= 0 && s.maxLength < 0
}

func (s *schema) plainObject() bool {
	if s.enum != nil || s.patterns != nil || s.names != nil || s.dependentRequired != nil || s.unevaluatedProperties != nil || s.minProperties > 0 || s.maxProperties >= 0 ||
		s.additional != nil && !s.additional.never || len(s.properties) == 0 || len(s.properties) > 64 {
		return false
	}
	for _, name := range s.required {
		if !slices.ContainsFunc(s.properties, func(p property) bool { return p.name == name }) {
			return false
		}
	}
	return !slices.ContainsFunc(s.properties, func(p property) bool {
		return p.schema.filled != "" || p.schema.isReadOnly()
	}) && s.model().kind == modelStruct && !slices.ContainsFunc(s.properties, func(p property) bool { return !isTag(p.name) })
}

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
	var required uint64
	for i, p := range s.properties {
		names = append(names, p.name)
		if slices.Contains(s.required, p.name) {
			required |= 1 << i
		}
	}
	e.p("func decode%s(r *validation.Reader, dst *%s) {", name, name)
	e.p("if !r.BeginObject() {\nreturn\n}")
	if required != 0 {
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
		if required != 0 {
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
	e.p("}\n")
}

func (e *emitter) decodeMember(p property, field goField, owner string, optional bool) {
	value, how := unwrap(field.typ)
	// A required member that would hold its own struct is any in Go.
	if !p.schema.plain() || p.schema.inner().kind() == typeObject && value != e.goName(p.schema.inner()) {
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
	e.value(p.schema.inner(), value, func(v string) string {
		if optional && how == byPointer {
			return fmt.Sprintf("optional.%[1]s = %[2]s\ndst.%[1]s = &optional.%[1]s", field.name, v)
		}
		return how.assign("dst."+field.name, v)
	})
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
		size := strings.TrimPrefix(s.format, "int")
		if size == "" {
			size = "64"
		}
		e.p("if i, ok := r.Int64(%s); ok {", size)
		e.bounds(s)
		e.p("n := %s(i)\n%s\n}", typ, set("n"))
	case typeBoolean:
		e.p("if b, ok := r.Bool(); ok {\n%s\n}", set("b"))
	case typeArray:
		e.array(s, typ, set)
	case typeObject:
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

// element writes the reading of one element. Where it is an array itself, its variables would hide those of the outer.
func (e *emitter) element(s *schema, typ string, set func(string) string) {
	if s.kind() != typeArray {
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
	case "email":
		e.p("r.Check(\"format\", validation.Email(s))")
	}
	if typ != "string" {
		e.p("value := %s(s)\n%s", typ, set("value"))
	} else {
		e.p("%s", set("s"))
	}
}
