package codegen

import (
	"slices"

	oapi "github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
)

// object is a JSON object of the prepared document.
type object = map[string]any

// preparer writes the document that oapi-codegen is given: the same operations and the same values, said so that it makes Go
// that compiles. Each schema that becomes a Go type is a component with a name of its own; allOf, references beside other
// keywords, $defs, lists of types and other files are resolved; what has no Go type is any.
type preparer struct {
	document   *document
	names      *goNames
	named      map[*schema]string
	shared     map[string]string // component response → Go name
	components object
	headers    map[string]string // a header field that is shown under another name → its own
	server     bool              // for the server: as the guard presents a request to it, not as a client sends it
}

// reference returns the prepared reference to a schema, under a name made from hint where it has none.
func (p *preparer) reference(s *schema, hint string) object {
	name, known := p.named[s]
	if !known {
		if s.goName != "" {
			hint = s.goName
		}
		name = p.names.take(hint)
		p.named[s] = name
		p.components[name] = nil // in work: it may refer to itself
		p.components[name] = p.describe(p.define(s, name), s)
	}
	return object{"$ref": "#/components/schemas/" + name}
}

// site returns what stands where a schema is used.
func (p *preparer) site(s *schema, hint string) object {
	if s == nil || s.always || s.never {
		return object{}
	}
	m := s.model()
	var o object
	_, named := p.named[s]
	switch {
	case m.same != nil && !named:
		o = p.site(m.same, hint)
		if m.nullable && !m.same.model().nullable {
			o = p.orNull(m.same, o, hint)
		}
		return o
	case named, s.name != "", s.goName != "", m.kind == modelStruct, m.kind == modelUnion, m.kind == modelEnum:
		o = p.reference(s, hint)
	case p.endless(s):
		return object{}
	default:
		return p.inline(s, m, hint)
	}
	if m.nullable {
		o = p.orNull(s, o, hint)
	}
	return o
}

// orNull returns what stands where a schema is used, or null. An array and a map are written out: the name of one is an alias,
// and the Go compiler panics at an alias that leads to itself through Nullable.
func (p *preparer) orNull(s *schema, o object, hint string) object {
	m := s.model()
	for m.same != nil {
		s = m.same
		m = s.model()
	}
	if o["$ref"] != nil && (m.kind == modelArray || m.kind == modelMap) {
		o = p.shape(s, m, hint)
	}
	return nullable(o)
}

// nullable returns the same, or null.
func nullable(o object) object {
	if t, ok := o["type"].(string); ok {
		o["type"] = []string{t, "null"}
		return o
	}
	if o["$ref"] == nil {
		return o
	}
	return object{"anyOf": []object{o, {"type": "null"}}}
}

// inline is a schema without a name, with its nullability.
func (p *preparer) inline(s *schema, m model, hint string) object {
	o := p.shape(s, m, hint)
	if m.nullable {
		o = nullable(o)
	}
	return o
}

// define is a schema as a component, where it is never null: the places that use it say that.
func (p *preparer) define(s *schema, name string) object {
	if p.endless(s) {
		return object{}
	}
	m := s.model()
	if m.same != nil {
		o := p.site(m.same, name)
		if any, ok := o["anyOf"].([]object); ok {
			return any[0]
		}
		return o
	}
	return p.shape(s, m, name)
}

// endless reports whether the Go type would be an alias of itself, such as an array of itself.
func (p *preparer) endless(s *schema) bool {
	seen := map[*schema]bool{}
	var walk func(*schema) bool
	walk = func(t *schema) bool {
		if t == nil || seen[t] {
			return t == s
		}
		seen[t] = true
		m := t.model()
		switch {
		case m.same != nil:
			return walk(m.same)
		case m.kind == modelArray:
			return walk(m.items)
		case m.kind == modelMap:
			return walk(m.rest)
		}
		return false
	}
	return walk(s)
}

// holds reports whether a Go struct of s would hold itself by value: its size would be endless. No value has that form.
func (p *preparer) holds(s, target *schema, seen map[*schema]bool) bool {
	if s == nil || seen[s] {
		return false
	}
	m := s.model()
	if m.nullable {
		return false
	}
	if m.same != nil {
		return m.same == target || p.holds(m.same, target, seen)
	}
	if s == target {
		return true
	}
	seen[s] = true
	return slices.ContainsFunc(m.members, func(q modelMember) bool { return q.required && p.holds(q.schema, target, seen) })
}

// shape is the schema as oapi-codegen makes the right type of it.
func (p *preparer) shape(s *schema, m model, hint string) object {
	switch m.kind {
	case modelBoolean:
		return object{"type": "boolean"}
	case modelInteger:
		if m.format == "uint8" {
			m.format = "uint16" // a Go list of the other is base64 in JSON
		}
		return withFormat(object{"type": "integer"}, m.format)
	case modelNumber:
		if m.format != "float" {
			m.format = "double" // without it oapi-codegen would round to 32 bits
		}
		return withFormat(object{"type": "number"}, m.format)
	case modelString:
		return p.text(m)
	case modelEnum:
		return p.enumeration(m.values, hint)
	case modelArray:
		return object{"type": "array", "items": p.site(m.items, hint+"Item")}
	case modelMap:
		if m.rest == nil || m.rest.always {
			return object{"type": "object", "additionalProperties": true}
		}
		return object{"type": "object", "additionalProperties": p.site(m.rest, hint+"Value")}
	case modelStruct:
		return p.structure(s, m, hint)
	case modelUnion:
		return p.union(s, m, hint)
	}
	return object{}
}

func withFormat(o object, name string) object {
	if name != "" {
		o["format"] = name
	}
	return o
}

// text is a string. Only the formats that become a Go type of their own matter.
func (p *preparer) text(m model) object {
	switch m.format {
	case "date", "date-time", "uuid", "byte":
		return object{"type": "string", "format": m.format}
	case "binary":
		if p.server {
			return object{"x-go-type": "validation.File", "x-go-type-import": object{"path": module + "validation"}}
		}
		return object{"type": "string", "format": "binary"}
	}
	return object{"type": "string"}
}

// enumeration is an enum of strings with constants whose names are those of nothing else.
func (p *preparer) enumeration(values []string, typeName string) object {
	values = slices.Compact(slices.Sorted(slices.Values(values)))
	names := make([]string, len(values))
	for i, v := range values {
		name := oapi.SanitizeGoIdentity(oapi.SchemaNameToTypeName(v))
		for !p.names.free(typeName + oapi.UppercaseFirstCharacter(name)) {
			name += "Value"
		}
		p.names.used[typeName+oapi.UppercaseFirstCharacter(name)], names[i] = true, name
	}
	return object{"type": "string", "enum": values, "x-enum-varnames": names}
}

func (p *preparer) structure(s *schema, m model, hint string) object {
	properties, required := object{}, []string{}
	reserved := []string(nil)
	if m.open {
		reserved = []string{"AdditionalProperties", "Get", "Set"}
	}
	var names []string
	for _, q := range m.members {
		names = append(names, q.name)
	}
	fields := fieldNames(names, append(reserved, "MarshalJSON", "UnmarshalJSON")...)
	for _, q := range m.members {
		var site object
		if q.required && p.holds(q.schema, s, map[*schema]bool{}) {
			site = object{}
		} else {
			site = p.site(q.schema, hint+goName(q.name))
		}
		site = p.describe(site, q.schema)
		if name := fields[q.name]; name != "" {
			site["x-go-name"] = name
		}
		properties[q.name] = site
		if q.required {
			required = append(required, q.name)
		}
	}
	o := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		o["required"] = required
	}
	switch {
	case !m.open:
	case m.rest == nil || m.rest.always, m.rest.model().nullable:
		o["additionalProperties"] = true // beside members, oapi-codegen has no type of those that may be null
	default:
		o["additionalProperties"] = p.site(m.rest, hint+"Value")
	}
	return o
}

// union is what oapi-codegen makes a type with As… and From… methods of: each alternative has a name.
func (p *preparer) union(s *schema, m model, hint string) object {
	o := object{}
	if len(m.members) > 0 {
		o = p.structure(s, m, hint)
	}
	var branches []object
	at := map[*schema]string{}
	for i, b := range m.branches {
		site := p.site(b, hint+p.variant(b, i))
		if inner, ok := site["anyOf"].([]object); ok {
			site = inner[0]
		}
		if site["$ref"] == nil {
			site = p.reference(b, hint+p.variant(b, i))
		}
		ref := site["$ref"].(string)
		at[b] = ref
		if b.ref != nil {
			at[b.ref] = ref
		}
		if !slices.ContainsFunc(branches, func(o object) bool { return o["$ref"] == ref }) {
			branches = append(branches, site)
		}
	}
	if len(branches) == 1 && len(m.members) == 0 {
		return branches[0]
	}
	o["oneOf"] = branches
	if m.by != nil && isTag(m.by.property) {
		mapping := object{}
		for _, c := range m.by.cases {
			if ref := at[c.schema]; ref != "" && isTag(c.value) {
				mapping[c.value] = ref
			}
		}
		if len(mapping) > 0 && len(mapping) == len(m.by.cases) {
			o["discriminator"] = object{"propertyName": m.by.property, "mapping": mapping}
		}
	}
	return o
}

// variant names an alternative that has no name.
func (p *preparer) variant(s *schema, i int) string {
	if s.title != "" && len(s.title) <= 40 {
		return goName(s.title)
	}
	switch m := s.model(); m.kind {
	case modelString, modelEnum:
		return "String"
	case modelInteger:
		return "Integer"
	case modelNumber:
		return "Number"
	case modelBoolean:
		return "Boolean"
	case modelArray:
		return "Array"
	case modelMap:
		return "Map"
	}
	return string(rune('A' + i%26))
}

// describe adds what becomes the comment.
func (p *preparer) describe(o object, s *schema) object {
	if s == nil || o == nil {
		return o
	}
	copied := object{}
	for k, v := range o {
		copied[k] = v
	}
	if copied["$ref"] != nil {
		return copied
	}
	if s.description != "" {
		copied["description"] = s.description
	}
	if s.deprecated {
		copied["deprecated"] = true
	}
	return copied
}
