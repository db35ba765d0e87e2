package codegen

import (
	"fmt"
	"slices"
	"strings"
)

// block writes a statement with a body, or nothing where the body is empty.
func (k *checker) block(head string, body func()) {
	before := k.Len()
	k.p("%s {", head)
	inner := k.Len()
	if body(); k.Len() == inner {
		k.Truncate(before)
		return
	}
	k.p("}")
}

// condition writes an if, or the call alone where the body is empty.
func (k *checker) condition(call string, body func()) {
	before := k.Len()
	if k.block("if "+call, body); k.Len() == before {
		k.p("%s", call)
	}
}

// elements writes the checks of the elements of an array.
func (k *checker) elements(s *schema, hint string) {
	for i, p := range s.prefix {
		k.block(fmt.Sprintf("if e := v.Element(%d); e != nil", i), func() {
			k.mark(s, "e")
			k.apply(p, "e", fmt.Sprintf("%s%d", hint, i))
		})
	}
	if s.items != nil {
		k.block(eachElement(len(s.prefix)), func() {
			k.mark(s, "e")
			k.apply(s.items, "e", hint+"Item")
		})
	}
	if s.contains != nil {
		low, high := 1, s.maxContains
		if s.minContains >= 0 {
			low = s.minContains
		}
		k.p("c.Contains(v, %d, %d, %s)", low, high, k.argument(s.contains, hint+"Contains"))
	}
}

// mark writes that a member or element was looked at, where another schema of the same value may ask.
func (k *checker) mark(s *schema, variable string) {
	if k.combined[s] {
		k.p("c.Mark(%s)", variable)
	}
}

// argument returns the check of a schema as a function value.
func (k *checker) argument(s *schema, hint string) string {
	for s.alias() != nil {
		s = s.ref
	}
	return k.function(s, hint)
}

// members writes the checks of the members of an object.
func (k *checker) members(s *schema, hint string) {
	if s.names != nil {
		k.p("c.PropertyNames(v, %s)", k.argument(s.names, hint+"Name"))
	}
	if len(s.properties)+len(s.patterns) > 0 || s.additional != nil {
		k.block(eachMember, func() { k.eachMember(s, hint) })
	}
	for _, p := range s.properties {
		if fill := p.schema.filled; fill != "" && !slices.Contains(s.required, p.name) && !p.schema.isReadOnly() {
			k.p("c.Default(v, %q, %q)", p.name, fill)
		}
	}
}

func (k *checker) eachMember(s *schema, hint string) {
	patterned := len(s.patterns) > 0
	if patterned {
		k.p("known := false")
	}
	if len(s.properties) > 0 {
		k.p("switch m.Name() {")
		for _, p := range s.properties {
			k.p("case %q:", p.name)
			if patterned {
				k.p("known = true")
			}
			k.mark(s, "m")
			switch {
			case p.schema.isReadOnly():
				k.condition("c.ReadOnly(m)", func() { k.apply(p.schema, "m", hint+goName(p.name)) })
			case p.schema.isWriteOnly():
				k.condition("c.WriteOnly(m)", func() { k.apply(p.schema, "m", hint+goName(p.name)) })
			default:
				k.apply(p.schema, "m", hint+goName(p.name))
			}
		}
		if !patterned {
			k.p("default:")
			k.rest(s, hint)
		}
		k.p("}")
	}
	for i, p := range s.patterns {
		k.p("if %s.MatchString(m.Name()) {\nknown = true", k.matcher(p.re2))
		k.mark(s, "m")
		k.apply(p.schema, "m", fmt.Sprintf("%sPattern%d", hint, i+1))
		k.p("}")
	}
	switch {
	case patterned:
		k.p("if !known {")
		k.rest(s, hint)
		k.p("}")
	case len(s.properties) == 0:
		k.rest(s, hint)
	}
}

// rest writes what happens to a member m that neither properties nor patternProperties name.
func (k *checker) rest(s *schema, hint string) {
	switch {
	case s.additional == nil:
		if len(s.properties) > 0 {
			var names []string
			for _, p := range s.properties {
				names = append(names, p.name)
			}
			k.p("c.Undeclared(m, %s)", quoteAll(names))
		}
	case s.additional.never:
		k.p("c.UnknownMember(m)")
	default:
		if k.combined[s] || len(s.properties) > 0 {
			k.p("c.Mark(m)")
		}
		k.apply(s.additional, "m", hint+"Value")
	}
}

// combinations writes the checks that ask other schemas about the same value.
func (k *checker) combinations(s *schema, hint string) {
	for i, b := range s.allOf {
		k.apply(b, "v", fmt.Sprintf("%sAll%d", hint, i+1))
	}
	switch {
	case s.discriminates():
		k.discriminate(s)
	default:
		k.alternatives("AnyOf", s.anyOf, hint)
		k.alternatives("OneOf", s.oneOf, hint)
	}
	if s.not != nil {
		k.p("c.Not(v, %s)", k.argument(s.not, hint+"Not"))
	}
	if s.when != nil && (s.then != nil || s.otherwise != nil || k.combined[s]) {
		k.p("if c.Accepts(v, %s) {", k.argument(s.when, hint+"If"))
		if s.then != nil {
			k.apply(s.then, "v", hint+"Then")
		}
		if s.otherwise != nil {
			k.p("} else {")
			k.apply(s.otherwise, "v", hint+"Else")
		}
		k.p("}")
	}
	for _, dependent := range s.dependentSchemas {
		k.p("if v.Member(%q) != nil {", dependent.name)
		k.apply(dependent.schema, "v", hint+"With"+goName(dependent.name))
		k.p("}")
	}
}

// discriminates reports whether the discriminator names each alternative. Where one has no name, OpenAPI says that the
// discriminator does not choose.
func (s *schema) discriminates() bool {
	if s.discriminator == nil || s.oneOf == nil && s.anyOf == nil {
		return false
	}
	for _, b := range slices.Concat(s.oneOf, s.anyOf) {
		if !slices.ContainsFunc(s.discriminator.cases, func(c discriminated) bool { return c.schema == b || c.schema == b.ref }) {
			return false
		}
	}
	return true
}

func (k *checker) discriminate(s *schema) {
	var values []string
	k.p("switch c.Discriminator(v, %q) {", s.discriminator.property)
	for _, c := range s.discriminator.cases {
		if slices.Contains(values, c.value) {
			continue
		}
		values = append(values, c.value)
		k.p("case %q:", c.value)
		k.apply(c.schema, "v", "")
	}
	k.p("default:\nc.NotDiscriminated(v, %q, %q)\n}", s.discriminator.property, strings.Join(values, ", "))
}

// alternatives writes anyOf or oneOf. Alternatives that no value of one JSON type can meet are not tried for it; where one is
// left, its own violations are told.
func (k *checker) alternatives(method string, list []*schema, hint string) {
	if list == nil {
		return
	}
	arguments := make([]string, len(list))
	argument := func(i int) string {
		if arguments[i] == "" {
			arguments[i] = k.argument(list[i], fmt.Sprintf("%s%s%d", hint, method, i+1))
		}
		return arguments[i]
	}
	groups := map[string][]string{} // alternatives → kinds
	var order []string
	for _, kind := range []types{typeNull, typeBoolean, typeNumber, typeString, typeArray, typeObject} {
		var indexes []string
		for i, b := range list {
			allowed := b.allows()
			if allowed.has(kind) || kind == typeNumber && allowed.has(typeInteger) {
				indexes = append(indexes, fmt.Sprint(i))
			}
		}
		key := strings.Join(indexes, " ")
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], kindsOf(kind))
	}
	call := func(key string) {
		var names []string
		for _, f := range strings.Fields(key) {
			var i int
			fmt.Sscan(f, &i)
			names = append(names, argument(i))
		}
		if len(names) == 1 {
			k.p("%s(c, v)", names[0])
			return
		}
		k.p("c.%s(v, %s)", method, strings.Join(names, ", "))
	}
	if len(order) == 1 && order[0] != "" {
		call(order[0])
		return
	}
	var possible types
	for _, b := range list {
		possible |= b.allows()
	}
	k.p("switch v.Kind() {")
	for _, key := range order {
		if key != "" {
			k.p("case %s:", strings.Join(groups[key], ", "))
			call(key)
		}
	}
	if groups[""] != nil {
		if possible.has(typeNumber) {
			possible &^= typeInteger
		}
		if possible == 0 {
			k.p("default:\nc.Never(v)")
		} else {
			k.p("default:\nc.Type(v, %s)", kindsOf(possible))
		}
	}
	k.p("}")
}

// combine finds the schemas of whose value another schema is asked too, so that each notes what it looked at.
func (k *checker) combine(list []*schema) {
	seen := map[*schema]bool{}
	var mark func(s *schema)
	mark = func(s *schema) {
		if !k.combined[s] {
			k.combined[s] = true
			for _, b := range s.inPlace() {
				mark(b)
			}
		}
	}
	var walk func(s *schema)
	walk = func(s *schema) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		own := len(s.properties)+len(s.patterns)+len(s.prefix) > 0 || s.additional != nil || s.items != nil || s.contains != nil || s.unevaluatedItems != nil || s.unevaluatedProperties != nil
		if n := len(s.inPlace()); n > 1 || n == 1 && own || s.unevaluatedItems != nil || s.unevaluatedProperties != nil {
			mark(s)
		}
		for _, b := range s.below() {
			walk(b)
		}
	}
	for _, s := range list {
		walk(s)
	}
}
