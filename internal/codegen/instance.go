package codegen

import (
	"regexp"
	"strings"

	"example.com/gatehouse/internal/ceiling"
	"example.com/gatehouse/internal/validation"
)

// instance judges the values that stand in the document, examples and defaults, by the checks of package validation that the
// generated code calls.
type instance struct {
	// neutral takes a member that is readOnly or writeOnly, and does not ask for it: what goes which way is not known.
	neutral  bool
	patterns map[string]validation.Matcher // by their RE2 spelling
}

// judge returns the value as a model is to see it, and what is wrong.
func (s *schema) judge(json string, purpose validation.Purpose, neutral bool) (written string, wrong []violation) {
	i := &instance{neutral: neutral, patterns: map[string]validation.Matcher{}}
	written, list := validation.Literal(json, purpose, i.of(s))
	for _, v := range list {
		wrong = append(wrong, violation{v.Pointer, v.Keyword, v.Detail})
	}
	return written, wrong
}

type violation struct{ pointer, keyword, detail string }

// of is the check of a schema as a function value.
func (i *instance) of(s *schema) func(*validation.Check, *validation.Value) {
	return func(c *validation.Check, v *validation.Value) { i.check(s, c, v) }
}

func (i *instance) check(s *schema, c *validation.Check, v *validation.Value) {
	switch {
	case s.never:
		c.Never(v)
		return
	case s.nullable && v.Kind() == validation.Null:
		return
	}
	scope := c.Scope()
	if s.ref != nil {
		i.check(s.ref, c, v)
	}
	i.keywords(s, c, v)
	i.elements(s, c, v)
	i.members(s, c, v)
	i.combinations(s, c, v)
	i.unevaluated(s, c, v, scope)
}

func (i *instance) keywords(s *schema, c *validation.Check, v *validation.Value) {
	if s.types != 0 {
		c.Type(v, kinds(s.types))
	}
	if s.constant {
		c.Const(v, validation.NewEnumeration(s.enum...))
	} else if s.enum != nil {
		c.Enum(v, validation.NewEnumeration(s.enum...))
	}
	for _, bound := range []struct {
		check func(*validation.Value, string)
		value string
	}{{c.Minimum, s.minimum}, {c.Maximum, s.maximum}, {c.ExclusiveMinimum, s.above}, {c.ExclusiveMaximum, s.under}, {c.MultipleOf, s.multipleOf}} {
		if bound.value != "" {
			bound.check(v, bound.value)
		}
	}
	for _, bound := range []struct {
		check func(*validation.Value, int)
		value int
	}{{c.MinLength, s.minLength}, {c.MaxLength, s.maxLength}, {c.MinItems, s.minItems}, {c.MaxItems, s.maxItems}, {c.MinProperties, s.minProperties}, {c.MaxProperties, s.maxProperties}} {
		if bound.value >= 0 {
			bound.check(v, bound.value)
		}
	}
	if s.uniqueItems {
		c.UniqueItems(v)
	}
	if s.pattern != "" {
		c.Pattern(v, i.matcher(s.re2), s.pattern)
	}
	i.format(s, c, v)
	for _, name := range s.required {
		switch readOnly, writeOnly := s.oneWay(name); {
		case i.neutral && (readOnly || writeOnly):
		case readOnly:
			c.RequiredInResponse(v, name)
		case writeOnly:
			c.RequiredInRequest(v, name)
		default:
			c.Required(v, name)
		}
	}
	for _, r := range s.dependentRequired {
		c.DependentRequired(v, r.name, r.needs...)
	}
}

func (i *instance) format(s *schema, c *validation.Check, v *validation.Value) {
	switch bits, unsigned := integerBits(s.format); {
	case bits > 0:
		c.Integer(v, bits, unsigned)
	case s.format == "float":
		c.Float(v, 32)
	case s.format == "date-time":
		c.DateTime(v)
	case textChecks[s.format] != nil:
		c.Format(v, textChecks[s.format])
	case s.types&^typeNull == typeInteger:
		c.Integer(v, 64, false)
	}
	if s.openText() {
		c.CeilingBytes(v, ceiling.StringBytes)
	}
	if s.openArray() {
		c.CeilingItems(v, ceiling.Items)
	}
	if s.openObject() {
		c.CeilingMembers(v, ceiling.Members)
	}
}

func (i *instance) elements(s *schema, c *validation.Check, v *validation.Value) {
	for at, p := range s.prefix {
		if e := v.Element(at); e != nil {
			c.Mark(e)
			i.check(p, c, e)
		}
	}
	if s.items != nil {
		for e := v.Element(len(s.prefix)); e != nil; e = e.Next() {
			c.Mark(e)
			i.check(s.items, c, e)
		}
	}
	if s.contains != nil {
		low := 1
		if s.minContains >= 0 {
			low = s.minContains
		}
		c.Contains(v, low, s.maxContains, i.of(s.contains))
	}
}

func (i *instance) members(s *schema, c *validation.Check, v *validation.Value) {
	if s.names != nil {
		c.PropertyNames(v, i.of(s.names))
	}
	for m := v.FirstMember(); m != nil; m = m.Next() {
		i.member(s, c, m)
	}
}

func (i *instance) member(s *schema, c *validation.Check, m *validation.Value) {
	known := false
	for _, p := range s.properties {
		if p.name != m.Name() {
			continue
		}
		known = true
		c.Mark(m)
		switch {
		case !i.neutral && p.schema.isReadOnly() && !c.ReadOnly(m), !i.neutral && p.schema.isWriteOnly() && !c.WriteOnly(m):
		default:
			i.check(p.schema, c, m)
		}
	}
	for _, p := range s.patterns {
		if i.matcher(p.re2).MatchString(m.Name()) {
			known = true
			c.Mark(m)
			i.check(p.schema, c, m)
		}
	}
	switch {
	case known:
	case s.additional == nil:
		if len(s.properties) > 0 {
			c.Undeclared(m)
		}
	case s.additional.never:
		c.UnknownMember(m)
	default:
		c.Mark(m)
		i.check(s.additional, c, m)
	}
}

func (i *instance) combinations(s *schema, c *validation.Check, v *validation.Value) {
	for _, b := range s.allOf {
		i.check(b, c, v)
	}
	if s.discriminates() {
		i.discriminate(s, c, v)
	} else {
		i.alternatives(c, v, s.anyOf, c.AnyOf)
		i.alternatives(c, v, s.oneOf, c.OneOf)
	}
	if s.not != nil {
		c.Not(v, i.of(s.not))
	}
	if s.when != nil {
		if c.Accepts(v, i.of(s.when)) {
			if s.then != nil {
				i.check(s.then, c, v)
			}
		} else if s.otherwise != nil {
			i.check(s.otherwise, c, v)
		}
	}
	for _, d := range s.dependentSchemas {
		if v.Member(d.name) != nil {
			i.check(d.schema, c, v)
		}
	}
}

func (i *instance) discriminate(s *schema, c *validation.Check, v *validation.Value) {
	value := c.Discriminator(v, s.discriminator.property)
	var values []string
	for _, named := range s.discriminator.cases {
		if named.value == value && v.Kind() == validation.Object {
			i.check(named.schema, c, v)
			return
		}
		values = append(values, named.value)
	}
	c.NotDiscriminated(v, s.discriminator.property, strings.Join(values, ", "))
}

// alternatives asks those alternatives that a value of this type can meet: where one is left, its violations are told.
func (i *instance) alternatives(c *validation.Check, v *validation.Value, list []*schema, decide func(*validation.Value, ...func(*validation.Check, *validation.Value))) {
	if list == nil {
		return
	}
	var possible types
	var checks []func(*validation.Check, *validation.Value)
	for _, b := range list {
		allowed := b.allows()
		possible |= allowed
		if kinds(allowed)&v.Kind() != 0 || v.Kind() == validation.Number && allowed.has(typeInteger) {
			checks = append(checks, i.of(b))
		}
	}
	switch len(checks) {
	case 0:
		if possible.has(typeNumber) {
			possible &^= typeInteger
		}
		c.Type(v, kinds(possible))
	case 1:
		checks[0](c, v)
	default:
		decide(v, checks...)
	}
}

func (i *instance) unevaluated(s *schema, c *validation.Check, v *validation.Value, scope int) {
	if u := s.unevaluatedItems; u != nil {
		for e := v.Element(0); e != nil; e = e.Next() {
			switch {
			case !c.Unevaluated(e, scope):
			case u.never:
				c.UnevaluatedElement(e)
			default:
				c.Mark(e)
				i.check(u, c, e)
			}
		}
	}
	if u := s.unevaluatedProperties; u != nil {
		for m := v.FirstMember(); m != nil; m = m.Next() {
			switch {
			case !c.Unevaluated(m, scope):
			case u.never:
				c.UnevaluatedMember(m)
			default:
				c.Mark(m)
				i.check(u, c, m)
			}
		}
	}
}

func (i *instance) matcher(re2 string) validation.Matcher {
	m, known := i.patterns[re2]
	if !known {
		m = regexp.MustCompile(re2)
		i.patterns[re2] = m
	}
	return m
}

// kinds are the types as package validation has them.
func kinds(t types) validation.Kind {
	var k validation.Kind
	for i, kind := range []validation.Kind{validation.Null, validation.Boolean, validation.Number, validation.String, validation.Array, validation.Object, validation.Integer} {
		if t.has(1 << i) {
			k |= kind
		}
	}
	return k
}
