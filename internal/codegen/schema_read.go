package codegen

import (
	"maps"
	"slices"
	"strings"
)

// schemas reads each schema once, so that one that refers to itself ends.
type schemas struct {
	read map[string]*schema
}

// scope is what $dynamicRef depends on: for each $dynamicAnchor the outermost schema that has it, of the resources that
// were entered on the way. It is nil in nearly all documents.
type scope map[string]node

func (s scope) key() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s)) {
		b.WriteString(" " + name + "=" + s[name].doc.file + "#" + s[name].pointer)
	}
	return b.String()
}

// enter returns the scope within a resource.
func (s scope) enter(r *resource) scope {
	for name, n := range r.dynamic {
		if _, known := s[name]; known {
			continue
		}
		inner := maps.Clone(s)
		if inner == nil {
			inner = scope{}
		}
		inner[name] = n
		s = inner
	}
	return s
}

// schema judges the schema at n and everything below it. It returns nil where there is none.
func (c *schemas) schema(n node, in scope) *schema {
	if !n.exists() {
		return nil
	}
	in = in.enter(n.resource)
	key := n.doc.file + "#" + n.pointer + in.key()
	if s, ok := c.read[key]; ok {
		return s
	}
	s := newSchema(n)
	s.name = n.component("schemas")
	c.read[key] = s
	switch {
	case n.isBoolean():
		s.always, s.never = n.text() == "true", n.text() == "false"
		return s
	case !n.isMapping():
		n.fault("a schema must be a mapping, or true or false")
		return s
	}
	judgeKeywords(n)
	s.readReference(c, in)
	s.readType()
	s.readValues()
	s.readNumbers()
	s.readStrings()
	s.readArrays(c, in)
	s.readObjects(c, in)
	s.readCombinations(c, in)
	s.readAnnotations()
	s.readDiscriminator(c, in)
	return s
}

// each reads a list of schemas.
func (c *schemas) each(n node, in scope) []*schema {
	if n.exists() && len(n.elements()) == 0 {
		n.fault("must be a list of at least one schema")
	}
	var list []*schema
	for _, e := range n.elements() {
		list = append(list, c.schema(e, in))
	}
	return list
}

func (s *schema) readReference(c *schemas, in scope) {
	n := s.node
	if ref := n.get("$ref"); ref.exists() {
		if target := ref.find(ref.text()); target.exists() {
			s.ref = c.schema(target, in)
		}
		if n.doc.legacy {
			for _, m := range n.members() {
				if m.key != "$ref" && !isAnnotation(m.key) && m.key != "nullable" {
					m.value.fault("OpenAPI 3.0 ignores what stands beside $ref: write allOf with the $ref as its one element")
				}
			}
		}
	}
	if ref := n.get("$dynamicRef"); ref.exists() {
		target := ref.find(ref.text())
		if !target.exists() {
			return
		}
		_, fragment, _ := strings.Cut(ref.text(), "#")
		if d, dynamic := target.resource.dynamic[fragment]; dynamic && d.yaml == target.yaml {
			if outermost, found := in[fragment]; found {
				target = outermost
			}
		}
		if dynamic := c.schema(target, in); s.ref == nil {
			s.ref = dynamic
		} else {
			s.allOf = append(s.allOf, dynamic)
		}
	}
}

func (s *schema) readType() {
	t := s.node.get("type")
	add := func(e node) {
		one := parseType(e.text())
		if one == 0 || !e.isText() {
			e.fault("the type %q is not one of JSON Schema: use string, number, integer, boolean, array, object or null", e.text())
		}
		s.types |= one
	}
	if t.isSequence() {
		if s.node.doc.legacy {
			t.fault("OpenAPI 3.0 has no list of types: write one type, and nullable: true where null is allowed")
		}
		for _, e := range t.elements() {
			add(e)
		}
	} else if t.exists() {
		add(t)
	}
	if s.types == typeNull && s.node.doc.legacy {
		t.fault("OpenAPI 3.0 has no type null: write nullable: true beside the type")
	}
	if n := s.node.get("nullable"); n.boolean() {
		if !s.node.doc.legacy {
			n.warn("nullable is a keyword of OpenAPI 3.0: write null into the list of types")
		}
		s.nullable = true
		if len(s.node.members()) == 1 {
			s.types, s.nullable = typeNull, false // a branch that says only this means null, and not anything
		}
	}
}

// readValues reads const and enum, whose values may be of any type.
func (s *schema) readValues() {
	n := s.node.get("enum")
	if n.exists() {
		s.enum = []string{}
		if !n.isSequence() {
			n.fault("must be a list of values")
		}
	}
	for _, e := range n.elements() {
		if value := e.json(); !slices.Contains(s.enum, value) {
			s.enum = append(s.enum, value)
		}
	}
	if n.exists() && len(s.enum) == 0 {
		n.warn("the enum has no values: nothing is accepted")
	}
	if k := s.node.get("const"); k.exists() {
		if s.enum != nil {
			k.fault("const beside enum: write the one value alone")
		}
		s.enum, s.constant = []string{k.json()}, true
	}
}

func (s *schema) readNumbers() {
	n := s.node
	s.minimum, s.maximum = n.get("minimum").number(), n.get("maximum").number()
	bound := func(keyword string, inclusive *string) string {
		e := n.get(keyword)
		if !e.isBoolean() {
			return e.number()
		}
		if !n.doc.legacy {
			e.fault("must be the bound itself: a number")
		}
		if e.text() == "false" {
			return ""
		}
		if *inclusive == "" {
			e.fault("says how to take a bound that is not there: state it, or remove this")
		}
		value := *inclusive
		*inclusive = ""
		return value
	}
	s.above, s.under = bound("exclusiveMinimum", &s.minimum), bound("exclusiveMaximum", &s.maximum)
	if s.multipleOf = n.get("multipleOf").number(); s.multipleOf != "" && (strings.HasPrefix(s.multipleOf, "-") || strings.Trim(s.multipleOf, "0.eE+-") == "") {
		n.get("multipleOf").fault("must be more than 0")
		s.multipleOf = ""
	} else if mantissa, _, _ := strings.Cut(strings.ToLower(s.multipleOf), "e"); len(strings.Trim(strings.ReplaceAll(mantissa, ".", ""), "0")) > 18 {
		n.get("multipleOf").fault("has more than 18 digits: round it")
	}
}

func (s *schema) readStrings() {
	n := s.node
	s.minLength, s.maxLength = n.get("minLength").count(), n.get("maxLength").count()
	if p := n.get("pattern"); p.exists() && !p.isText() {
		p.fault("must be a string: write it between single quotes")
	} else if p.exists() {
		s.pattern, s.re2 = p.text(), translatePattern(p)
	}
	s.format = n.get("format").text()
	if s.format != "" && !knownFormat(s.format) {
		n.get("format").warn("the format %q is not known here: no value is refused for it; use a pattern", s.format)
	}
	if s.format == "binary" && !n.doc.legacy {
		n.get("format").warn("binary is a format of OpenAPI 3.0: leave type and format out, the media type says it")
	}
}

func (s *schema) readArrays(c *schemas, in scope) {
	n := s.node
	s.minItems, s.maxItems, s.uniqueItems = n.get("minItems").count(), n.get("maxItems").count(), n.get("uniqueItems").boolean()
	if n.get("prefixItems").exists() {
		s.prefix = c.each(n.get("prefixItems"), in)
	}
	s.items = c.schema(n.get("items"), in)
	s.contains = c.schema(n.get("contains"), in)
	s.minContains, s.maxContains = n.get("minContains").count(), n.get("maxContains").count()
	s.unevaluatedItems = c.schema(n.get("unevaluatedItems"), in)
}

func (s *schema) readObjects(c *schemas, in scope) {
	n := s.node
	for _, m := range n.get("properties").members() {
		s.properties = append(s.properties, property{m.key, c.schema(m.value, in)})
	}
	for _, m := range n.get("patternProperties").members() {
		s.patterns = append(s.patterns, patternProperty{m.key, translatePatternText(m.value, m.key), c.schema(m.value, in)})
	}
	s.additional = c.schema(n.get("additionalProperties"), in)
	s.names = c.schema(n.get("propertyNames"), in)
	if r := n.get("required"); r.exists() && !r.isSequence() {
		r.fault("must be the list of the members that are required")
	} else {
		s.required = r.texts()
	}
	for _, m := range n.get("dependentRequired").members() {
		s.dependentRequired = append(s.dependentRequired, dependency{m.key, m.value.texts()})
	}
	for _, m := range n.get("dependentSchemas").members() {
		s.dependentSchemas = append(s.dependentSchemas, property{m.key, c.schema(m.value, in)})
	}
	s.minProperties, s.maxProperties = n.get("minProperties").count(), n.get("maxProperties").count()
	s.unevaluatedProperties = c.schema(n.get("unevaluatedProperties"), in)
}

func (s *schema) readCombinations(c *schemas, in scope) {
	n := s.node
	if n.get("allOf").exists() {
		s.allOf = append(s.allOf, c.each(n.get("allOf"), in)...)
	}
	if n.get("anyOf").exists() {
		s.anyOf = c.each(n.get("anyOf"), in)
	}
	if n.get("oneOf").exists() {
		s.oneOf = c.each(n.get("oneOf"), in)
	}
	s.readNull()
	s.not, s.when = c.schema(n.get("not"), in), c.schema(n.get("if"), in)
	s.then, s.otherwise = c.schema(n.get("then"), in), c.schema(n.get("else"), in)
}

// readNull takes an alternative that is only null for what it means: the other ones, or null.
func (s *schema) readNull() {
	list := &s.anyOf
	if s.oneOf != nil {
		list = &s.oneOf
	}
	null := slices.IndexFunc(*list, func(b *schema) bool { return b.types == typeNull && (len(b.node.members()) == 1 || b.enum == nil) })
	for _, m := range s.node.members() {
		if m.key != "anyOf" && m.key != "oneOf" && !isAnnotation(m.key) && m.key != "default" && m.key != "nullable" {
			return // it holds for null too
		}
	}
	if null < 0 || s.anyOf != nil && s.oneOf != nil || len(*list) < 2 {
		return
	}
	rest := slices.Delete(slices.Clone(*list), null, null+1)
	if s.oneOf != nil && slices.ContainsFunc(rest, func(b *schema) bool { return b.allows().has(typeNull) }) {
		return // null fits two of them
	}
	s.nullable, *list = true, rest
	if len(rest) == 1 {
		s.ref, *list = rest[0], nil
	}
}

func (s *schema) readAnnotations() {
	n := s.node
	s.readOnly, s.writeOnly, s.deprecated = n.get("readOnly").boolean(), n.get("writeOnly").boolean(), n.get("deprecated").boolean()
	if s.readOnly && s.writeOnly {
		n.get("readOnly").fault("a member that is both readOnly and writeOnly could never be sent: remove one of them")
	}
	if d := n.get("default"); d.exists() {
		s.fill = d.json()
	}
	s.title, s.description, s.goName = n.get("title").text(), n.get("description").text(), n.goNameOf()
}

// isReference reports whether a value of a mapping is a URI reference, and not the name of a component.
func isReference(value string) bool { return strings.ContainsAny(value, "#/.") }

// readDiscriminator finds the schema that each value of the discriminator names: what mapping says, and else the branch
// whose component has that name.
func (s *schema) readDiscriminator(c *schemas, in scope) {
	n := s.node.get("discriminator")
	if !n.exists() {
		return
	}
	n.allow("a discriminator", "propertyName", "mapping")
	d := &discriminator{node: n, property: n.get("propertyName").text()}
	if d.property == "" {
		n.fault("the discriminator does not say which member it is: state propertyName")
		return
	}
	mapped := map[*schema]bool{}
	for _, m := range n.get("mapping").members() {
		reference := m.value.text()
		if !isReference(reference) {
			reference = "#/components/schemas/" + reference
		}
		if target := m.value.find(reference); target.exists() {
			branch := c.schema(target, in)
			mapped[branch] = true
			d.cases = append(d.cases, discriminated{value: m.key, schema: branch})
		}
	}
	for _, b := range slices.Concat(s.oneOf, s.anyOf) {
		target := b
		if b.ref != nil {
			target = b.ref
		}
		if own := target.node.pointer[strings.LastIndexByte(target.node.pointer, '/')+1:]; !mapped[target] && target.name != "" && target.node.doc != s.node.doc.library.main && own != "" && own != escapePointer.Replace(target.name) {
			n.fault("the alternative %s of %s is called %s in the whole document, where another one has its name: state mapping", own, target.node.doc.file, target.name)
		}
		if !mapped[target] && target.name != "" {
			d.cases = append(d.cases, discriminated{value: target.name, schema: target, implied: true})
		}
	}
	s.discriminator = d
}
