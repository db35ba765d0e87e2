package codegen

import (
	"fmt"
	"slices"
	"strings"

	"example.com/gatehouse/internal/ceiling"
)

// decoders writes one function for each plain object schema of a JSON request body, and one for each array and map in it: the
// compiler takes far longer over loops within the loop over the members.
func (e *emitter) decoders() string {
	e.begin(quoted("regexp"), quoted("time"), "", `openapi_types "github.com/oapi-codegen/runtime/types"`, "", quoted(module+"validation"))
	for name := range e.types.structs {
		e.lists.used["decode"+name] = true
	}
	for len(e.decoding) > 0 {
		s := e.decoding[0]
		e.decoding = e.decoding[1:]
		e.decoder(s)
		e.WriteString(strings.Join(e.listed, "\n"))
		e.listed = nil
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
	var required, filled []string
	for _, p := range s.properties {
		switch {
		case slices.Contains(s.required, p.name):
			required = append(required, p.name)
		case p.schema.filled != "":
			filled = append(filled, p.name)
		}
	}
	seen := slices.Concat(required, filled)
	e.p("func decode%s(r *validation.Reader, dst *%s) {", name, name)
	e.p("if !r.BeginObject() {\nreturn\n}")
	if len(seen) > 0 {
		e.p("var seen uint64")
	}
	optional := e.optionalMembers(s, fields)
	e.p("for r.NextMember() {\nswitch string(r.Name()) {")
	for _, p := range s.properties {
		field, found := fields[p.name]
		if !found {
			s.node.fault("oapi-codegen made no field of the member %q", p.name)
			continue
		}
		e.p("case %q:", p.name)
		if i := slices.Index(seen, p.name); i >= 0 {
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
	if s.openObject() {
		e.p("r.MaxProperties(%d)", ceiling.Members)
	}
	if len(required) > 0 {
		e.p("r.Required(seen, %s)", quoteAll(required))
	}
	if len(filled) > 0 {
		e.p("if r.FillsDefaults() {")
		for _, p := range s.properties {
			if slices.Contains(filled, p.name) {
				e.p("if seen&(1<<%d) == 0 {", slices.Index(seen, p.name))
				e.p("%s\n}", fields[p.name].destination(optional).set(e.literal(p, fields[p.name])))
			}
		}
		e.p("}")
	}
	e.p("}\n")
}

func (e *emitter) decodeMember(p property, field goField, owner string, optional bool) {
	value, how := unwrap(field.typ)
	at := field.destination(optional)
	if !p.schema.plain() || !e.readable(p.schema.inner(), value) {
		check := e.checks.argument(p.schema, owner+goName(p.name))
		switch {
		case how != byPointer:
			e.p("r.Checked(&dst.%s, %s)", field.name, check)
		case optional:
			e.p("r.Checked(&%s, %s)\n%s", at.variable, check, at.then)
		default:
			e.p("dst.%[1]s = new(%[2]s)\nr.Checked(dst.%[1]s, %[3]s)", field.name, value, check)
		}
		return
	}
	if p.schema.model().nullable {
		if how != byNullable {
			p.schema.node.fault("oapi-codegen made the type %s of a member that may be null", field.typ)
		}
		e.p("if validation.ReadNull(r, &dst.%s) {\ncontinue\n}", field.name)
	}
	e.value(p.schema.inner(), value, owner+goName(p.name), at)
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

// literal is the default of a member as Go writes it.
func (e *emitter) literal(p property, field goField) string {
	switch value, _ := unwrap(field.typ); value {
	case "string", "bool":
		return p.schema.goDefault()
	default:
		return fmt.Sprintf("%s(%s)", value, p.schema.goDefault())
	}
}

// destination is where a value that was read goes.
type destination struct {
	variable string // "": there is none to assign to
	assign   string // with %s for the value: what keeps it where there is no variable
	then     string // what is to be done after it was assigned
}

func (d destination) set(value string) string {
	if d.variable == "" {
		return fmt.Sprintf(d.assign, value)
	}
	return strings.TrimSuffix(d.variable+" = "+value+"\n"+d.then, "\n")
}

// destination is the field of dst, or where the optional members are.
func (f goField) destination(optional bool) destination {
	switch _, how := unwrap(f.typ); {
	case how == byPointer && optional:
		return destination{variable: "optional." + f.name, then: fmt.Sprintf("dst.%[1]s = &optional.%[1]s", f.name)}
	case how == byPointer:
		return destination{assign: "dst." + f.name + " = new(%s)"}
	case how == byNullable:
		return destination{assign: "dst." + f.name + ".Set(%s)"}
	}
	return destination{variable: "dst." + f.name}
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

// value writes the reading of one value. typ is its Go type; hint names the function that reads it, if it needs one.
func (e *emitter) value(s *schema, typ, hint string, at destination) {
	if s.name != "" {
		hint = e.prepared.named[s]
	}
	switch s.kind() {
	case typeString:
		e.stringValue(s, typ, at)
	case typeNumber:
		e.p("%s", at.set("r.Float64()"))
		e.bounds(s)
	case typeInteger:
		e.p("%s", at.set(converted("int64", typ, fmt.Sprintf("r.Int64(%d)", s.integerSize()))))
		e.bounds(s)
	case typeBoolean:
		e.p("%s", at.set("r.Bool()"))
	case typeArray:
		e.p("%s", at.set(e.list(typ, hint, func() { e.array(s, typ, hint) })+"(r)"))
	case typeObject:
		switch {
		case len(s.properties) == 0:
			e.p("%s", at.set(e.list(typ, hint, func() { e.mapping(s, typ, hint) })+"(r)"))
		case at.variable != "":
			e.p("%s(r, &%s)\n%s", e.decode(s), at.variable, at.then)
		default:
			e.p("var object %s\n%s(r, &object)\n%s", typ, e.decode(s), at.set("object"))
		}
	}
}

// list returns the function that reads an array or map.
func (e *emitter) list(typ, hint string, write func()) string {
	name := e.lists.reserve("decode" + hint)
	text := fmt.Sprintf("(r *validation.Reader) %s {\n%s}\n", typ, e.aside(write))
	name, same := e.lists.share(name, text)
	if !same {
		e.listed = append(e.listed, "func "+name+text)
	}
	return name
}

func (e *emitter) bounds(s *schema) {
	for _, b := range [][2]string{{"Minimum", s.minimum}, {"Maximum", s.maximum}, {"ExclusiveMinimum", s.above}, {"ExclusiveMaximum", s.under}} {
		if b[1] != "" {
			e.p("r.%s(%s, %q)", b[0], b[1], b[1])
		}
	}
}

func (e *emitter) array(s *schema, typ, hint string) {
	element, items := strings.TrimPrefix(e.types.underlying(typ), "[]"), s.items.inner()
	most := s.maxItems
	if s.openArray() {
		most = ceiling.Items
	}
	e.p("if !r.BeginArray() {\nreturn nil\n}\nlist := make(%s, 0, %d)\nfor r.NextElement(%d) {", typ, min(most, 8), most)
	switch {
	case items.kind() == typeObject && len(items.properties) > 0:
		e.p("list = append(list, %s{})\n%s(r, &list[len(list)-1])", element, e.decode(items))
	case s.uniqueItems: // what is not valid is no element that another could be equal to
		e.value(items, element, hint+"Item", destination{assign: "element := %s\nif r.Valid() {\nlist = append(list, element)\n}"})
	default:
		e.value(items, element, hint+"Item", destination{assign: "list = append(list, %s)"})
	}
	e.p("}")
	if s.minItems > 0 {
		e.p("r.MinItems(%d)", s.minItems)
	}
	if s.uniqueItems {
		e.p("r.Check(\"uniqueItems\", validation.Unique(list))")
	}
	e.p("return list")
}

func (e *emitter) mapping(s *schema, typ, hint string) {
	element, isMap := strings.CutPrefix(e.types.underlying(typ), "map[string]")
	if !isMap {
		s.node.fault("oapi-codegen made the type %s of a map", typ)
	}
	most := s.maxProperties
	if s.openObject() {
		most = ceiling.Members
	}
	e.p("if !r.BeginObject() {\nreturn nil\n}\nmembers := make(%s)\nfor r.NextMember() {\nname := string(r.Name())", typ)
	e.value(s.additional.inner(), element, hint+"Value", destination{assign: "members[name] = %s"})
	e.p("}")
	if s.minProperties > 0 {
		e.p("r.MinProperties(%d)", s.minProperties)
	}
	e.p("r.MaxProperties(%d)\nreturn members", most)
}

// fewValues is how many values of an enum stand where they are compared. More are a variable: the compiler would copy them
// each time.
const fewValues = 32

func (e *emitter) stringValue(s *schema, typ string, at destination) {
	if s.enum != nil {
		e.p("%s", at.set(converted("string", typ, "r.Enum("+e.enumeration(s)+")")))
		return
	}
	switch s.format {
	case "date":
		e.p("%s", at.set("openapi_types.Date{Time: r.Date()}"))
	case "date-time":
		e.p("%s", at.set(converted("time.Time", typ, "r.DateTime()")))
	case "uuid":
		e.p("%s", at.set(converted("openapi_types.UUID", typ, "r.UUID()")))
	default:
		e.p("%s", at.set(converted("string", typ, "r.Text()")))
		if check := textFormats[s.format]; check != "" {
			e.p("r.Format(validation.%s)", check)
		}
	}
	if s.minLength > 0 {
		e.p("r.MinLength(%d)", s.minLength)
	}
	switch {
	case s.maxLength >= 0:
		e.p("r.MaxLength(%d)", s.maxLength)
	case s.openText():
		e.p("r.MaxBytes(%d)", ceiling.StringBytes)
	}
	if s.pattern != "" {
		e.p("r.Pattern(%s, %q)", e.checks.matcher(s.re2), s.pattern)
	}
}

// converted is an expression of one type as another.
func converted(from, to, expression string) string {
	if from == to {
		return expression
	}
	return to + "(" + expression + ")"
}

// enumeration is the values of an enum as arguments.
func (e *emitter) enumeration(s *schema) string {
	var values []string
	for _, v := range s.enum {
		if v != "null" {
			values = append(values, unquoteJSON(v))
		}
	}
	if len(values) <= fewValues {
		return quoteAll(values)
	}
	return e.checks.variable("values", "[]string{%s}", quoteAll(values)) + "..."
}
