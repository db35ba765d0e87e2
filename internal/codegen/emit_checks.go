package codegen

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checker writes the check functions that are asked for, each once, and those that they call.
type checker struct {
	*emitter
	*shared
	functions map[*schema]string // → name
	combined  map[*schema]bool
	queue     []func()
	variables map[string]string // patterns and enumerations → name
	values    []string          // in the order in which they were asked for
}

// function returns the name of the check of a schema, written later. hint names a schema without a name of its own.
func (k *checker) function(s *schema, hint string) string {
	if name, known := k.functions[s]; known {
		return name
	}
	if s.name != "" {
		name := k.reserve("check" + k.prepared.named[s])
		k.functions[s] = name
		k.queue = append(k.queue, func() { k.check(name, k.aside(func() { k.body(s, strings.TrimPrefix(name, "check")) })) })
		return name
	}
	name := k.reserve("check" + hint)
	k.functions[s] = name
	body := k.aside(func() { k.body(s, strings.TrimPrefix(name, "check")) })
	name, same := k.share(name, body)
	if !same {
		k.queue = append(k.queue, func() { k.check(name, body) })
	}
	k.functions[s] = name
	return name
}

func (k *checker) check(name, body string) {
	k.p("func %s(c *validation.Check, v *validation.Value) {\n%s}\n", name, body)
}

// below are all the schemas that a schema refers to.
func (s *schema) below() []*schema {
	list := slices.Concat(s.inPlace(), []*schema{s.items, s.contains, s.unevaluatedItems, s.additional, s.names, s.unevaluatedProperties}, s.prefix)
	for _, p := range s.properties {
		list = append(list, p.schema)
	}
	for _, p := range s.patterns {
		list = append(list, p.schema)
	}
	return list
}

// inPlace are the schemas that are asked about the same value.
func (s *schema) inPlace() []*schema {
	list := slices.Concat([]*schema{s.ref, s.not, s.when, s.then, s.otherwise}, s.allOf, s.anyOf, s.oneOf)
	for _, d := range s.dependentSchemas {
		list = append(list, d.schema)
	}
	return slices.DeleteFunc(list, func(b *schema) bool { return b == nil })
}

// simple reports whether the check of a schema is a few lines without a loop, which need no function of their own.
func (s *schema) simple() bool {
	return len(slices.DeleteFunc(s.below(), func(b *schema) bool { return b == nil })) == 0 && s.discriminator == nil
}

// apply writes the check of s for the value that a variable holds.
func (k *checker) apply(s *schema, variable, hint string) {
	switch {
	case s.always:
	case s.never:
		k.p("c.Never(%s)", variable)
	case s.alias() != nil:
		k.apply(s.ref, variable, hint)
	case s.name == "" && s.simple():
		if s.nullable {
			k.p("if %s.Kind() != validation.Null {", variable)
			defer k.p("}")
		}
		k.keywords(s, variable, hint)
	default:
		k.p("%s(c, %s)", k.function(s, hint), variable)
	}
}

// alias returns what a schema refers to where it says nothing else.
func (s *schema) alias() *schema {
	if s.ref == nil || s.nullable || s.types != 0 || s.enum != nil || s.pattern != "" || s.format != "" || s.fill != "" || s.readOnly || s.writeOnly || len(s.inPlace()) != 1 || len(s.below()) != len((&schema{ref: s.ref}).below()) {
		return nil
	}
	for _, m := range s.node.members() {
		if m.key != "$ref" && !isAnnotation(m.key) && m.key != "$dynamicRef" && !strings.HasPrefix(m.key, "$") {
			return nil
		}
	}
	return s.ref
}

// body writes a whole check function, whose value is v.
func (k *checker) body(s *schema, hint string) {
	if s.never {
		k.p("c.Never(v)")
		return
	}
	if s.nullable {
		k.p("if v.Kind() == validation.Null {\nreturn\n}")
	}
	scoped := s.unevaluatedProperties != nil || s.unevaluatedItems != nil
	if scoped {
		k.p("scope := c.Scope()")
	}
	if s.ref != nil {
		k.apply(s.ref, "v", hint+"Ref")
	}
	k.keywords(s, "v", hint)
	k.elements(s, hint)
	k.members(s, hint)
	k.combinations(s, hint)
	if s.unevaluatedItems != nil {
		k.unevaluated(s.unevaluatedItems, hint, eachElement(0), "e", "c.UnevaluatedElement(e)")
	}
	if s.unevaluatedProperties != nil {
		k.unevaluated(s.unevaluatedProperties, hint, eachMember, "m", "c.UnevaluatedMember(m)")
	}
}

// eachMember and eachElement are the heads of loops over the children of v.
const eachMember = "for m := v.FirstMember(); m != nil; m = m.Next()"

func eachElement(from int) string {
	return fmt.Sprintf("for e := v.Element(%d); e != nil; e = e.Next()", from)
}

func (k *checker) unevaluated(s *schema, hint, head, variable, refuse string) {
	k.p("%s {\nif c.Unevaluated(%s, scope) {", head, variable)
	if s.never {
		k.p("%s", refuse)
	} else {
		k.p("c.Mark(%s)", variable)
		k.apply(s, variable, hint+"Unevaluated")
	}
	k.p("}\n}")
}

// keywords writes the checks that look at one value and at nothing below it.
func (k *checker) keywords(s *schema, v, hint string) {
	if s.types != 0 {
		k.p("c.Type(%s, %s)", v, kindsOf(s.types))
	}
	if s.enum != nil {
		variable := k.variable("enum", "validation.NewEnumeration(%s)", quoteAll(s.enum))
		k.p("c.%s(%s, %s)", map[bool]string{true: "Const", false: "Enum"}[s.constant], v, variable)
	}
	for _, b := range [][2]string{{"Minimum", s.minimum}, {"Maximum", s.maximum}, {"ExclusiveMinimum", s.above}, {"ExclusiveMaximum", s.under}, {"MultipleOf", s.multipleOf}} {
		if b[1] != "" {
			k.p("c.%s(%s, %q)", b[0], v, b[1])
		}
	}
	for _, n := range []struct {
		method string
		value  int
		from   int
	}{{"MinLength", s.minLength, 1}, {"MaxLength", s.maxLength, 0}, {"MinItems", s.minItems, 1}, {"MaxItems", s.maxItems, 0}, {"MinProperties", s.minProperties, 1}, {"MaxProperties", s.maxProperties, 0}} {
		if n.value >= n.from {
			k.p("c.%s(%s, %d)", n.method, v, n.value)
		}
	}
	if s.uniqueItems {
		k.p("c.UniqueItems(%s)", v)
	}
	if s.pattern != "" {
		k.p("c.Pattern(%s, %s, %q)", v, k.matcher(s.re2), s.pattern)
	}
	k.format(s, v)
	k.ceilings(s, v)
	required := map[string][]string{}
	for _, name := range s.required {
		method := "Required"
		switch readOnly, writeOnly := s.oneWay(name); {
		case readOnly:
			method = "RequiredInResponse"
		case writeOnly:
			method = "RequiredInRequest"
		}
		required[method] = append(required[method], name)
	}
	for _, method := range slices.Sorted(maps.Keys(required)) {
		k.p("c.%s(%s, %s)", method, v, quoteAll(required[method]))
	}
	for _, r := range s.dependentRequired {
		if len(r.needs) > 0 {
			k.p("c.DependentRequired(%s, %q, %s)", v, r.name, quoteAll(r.needs))
		}
	}
}

// oneWay reports whether a member of the object goes only one way.
func (s *schema) oneWay(name string) (readOnly, writeOnly bool) {
	for _, p := range s.parts() {
		for _, q := range p.properties {
			if q.name == name {
				readOnly, writeOnly = readOnly || q.schema.isReadOnly(), writeOnly || q.schema.isWriteOnly()
			}
		}
	}
	return readOnly, writeOnly
}

func (s *schema) isReadOnly() bool {
	return slices.ContainsFunc(s.parts(), func(p *schema) bool { return p.readOnly })
}

func (s *schema) isWriteOnly() bool {
	return slices.ContainsFunc(s.parts(), func(p *schema) bool { return p.writeOnly })
}

func (k *checker) format(s *schema, v string) {
	bits := map[string]string{"int8": "8, false", "int16": "16, false", "int32": "32, false", "int64": "64, false", "uint": "64, true", "uint8": "8, true", "uint16": "16, true", "uint32": "32, true", "uint64": "64, true"}
	switch {
	case bits[s.format] != "":
		k.p("c.Integer(%s, %s)", v, bits[s.format])
	case s.format == "float":
		k.p("c.Float(%s, 32)", v)
	case s.format == "date-time":
		k.p("c.DateTime(%s)", v)
	case textFormats[s.format] != "":
		k.p("c.Format(%s, validation.%s)", v, textFormats[s.format])
	case s.types&^typeNull == typeInteger:
		k.p("c.CeilingInteger(%s)", v)
	}
}

// kindsOf writes a set of types as package validation names them.
func kindsOf(t types) string {
	var list []string
	for i, name := range []string{"Null", "Boolean", "Number", "String", "Array", "Object", "Integer"} {
		if t.has(1 << i) {
			list = append(list, "validation."+name)
		}
	}
	return strings.Join(list, "|")
}

// variable returns the package variable of a value, which all that use the same value share.
func (k *checker) variable(kind, format string, args ...any) string {
	value := fmt.Sprintf(format, args...)
	if k.variables[value] == "" {
		k.variables[value] = fmt.Sprintf("%s%d", kind, len(k.variables)+1)
		k.values = append(k.values, value)
	}
	return k.variables[value]
}

// matcher returns the variable of a pattern.
func (k *checker) matcher(re2 string) string {
	if c, ok := characterClass(re2); ok {
		return k.variable("pattern", "validation.NewCharacterClass(%q, %t, %t)", c.set, c.beyond, c.empty)
	}
	return k.variable("pattern", "regexp.MustCompile(%q)", re2)
}

func newChecker(e *emitter) *checker {
	k := &checker{emitter: e, shared: newShared(), functions: map[*schema]string{}, combined: map[*schema]bool{}, variables: map[string]string{}}
	var roots []*schema
	for _, o := range e.document.operations {
		k.used[o.checker()] = true
		for _, b := range o.bodies {
			roots = append(roots, b.schema)
		}
		for _, q := range o.parameters {
			roots = append(roots, q.schema)
		}
		for _, r := range o.responses {
			for _, c := range r.contents {
				roots = append(roots, c.schema)
			}
			for _, h := range r.headers {
				roots = append(roots, h.schema)
			}
		}
	}
	k.combine(roots)
	return k
}

// file writes the functions that were asked for, and those that they call.
func (k *checker) file() string {
	k.begin(quoted("regexp"), "", quoted(module+"validation"))
	for len(k.queue) > 0 {
		write := k.queue[0]
		k.queue = k.queue[1:]
		write()
	}
	functions := k.String()
	k.Reset()
	if len(k.values) > 0 {
		k.p("// The patterns and enumerations of the document, each once.\nvar (")
		for _, value := range k.values {
			k.p("%s = %s", k.variables[value], value)
		}
		k.p(")\n")
	}
	k.WriteString(functions)
	return k.finish()
}
