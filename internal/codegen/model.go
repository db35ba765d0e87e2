package codegen

import (
	"slices"
	"strings"
	"unicode"
)

// modelKind is what a schema is in Go.
type modelKind int

const (
	modelAny modelKind = iota
	modelBoolean
	modelInteger
	modelNumber
	modelString
	modelEnum // of strings
	modelArray
	modelMap
	modelStruct
	modelUnion
)

// model is the shape of the values that a schema accepts, as far as a Go type can tell: what the checks enforce beyond it is
// not in it. It is flat: references and allOf are resolved, so that oapi-codegen has nothing to merge.
type model struct {
	kind     modelKind
	same     *schema // the schema whose type it shares: a reference, or allOf of one
	nullable bool
	format   string
	values   []string // of an enum
	items    *schema
	members  []modelMember
	rest     *schema // schema of the other members
	open     bool    // it keeps other members
	branches []*schema
	by       *discriminator
}

type modelMember struct {
	name     string
	schema   *schema
	required bool
}

// parts returns the schemas that all hold for a value: s, what it refers to, and allOf.
func (s *schema) parts() []*schema {
	var list []*schema
	var add func(*schema)
	add = func(p *schema) {
		if slices.Contains(list, p) {
			return
		}
		list = append(list, p)
		if p.ref != nil {
			add(p.ref)
		}
		for _, b := range p.allOf {
			add(b)
		}
	}
	add(s)
	return list
}

// shapes reports whether the schema's own keywords say what Go type it is. Without them it only narrows another one.
func (s *schema) shapes() bool {
	return s.types != 0 || s.enum != nil || len(s.properties) > 0 || len(s.patterns) > 0 || s.additional != nil && !s.additional.never ||
		s.items != nil || s.prefix != nil || s.format != "" || s.alternatives() != nil
}

// alternatives returns the branches of anyOf or oneOf that have a shape, without null.
func (s *schema) alternatives() []*schema {
	var list []*schema
	for _, b := range slices.Concat(s.anyOf, s.oneOf) {
		if b.types == typeNull || b.never {
			continue
		}
		if !b.shaped() {
			return nil // it only narrows: required, not, bounds
		}
		list = append(list, b)
	}
	return list
}

// shaped reports whether the schema or one of its parts has a shape of its own.
func (s *schema) shaped() bool { return slices.ContainsFunc(s.parts(), (*schema).shapes) || s.always }

// model works out what the schema is in Go.
func (s *schema) model() model {
	m := model{nullable: s.allows().has(typeNull)}
	parts := slices.DeleteFunc(s.parts(), func(p *schema) bool { return !p.shapes() })
	if len(parts) == 0 {
		return m
	}
	if len(parts) == 1 && parts[0] != s {
		m.same = parts[0]
		return m
	}
	if first := s.only(); first != nil {
		m.same = first
		return m
	}
	types := s.allows() &^ typeNull
	if types.has(typeNumber) {
		types &^= typeInteger
	}
	switch {
	case types == typeObject:
		m.object(parts)
	case types == typeArray:
		m.array(parts)
	case types == typeString:
		m.text(parts)
	case types == typeBoolean:
		m.kind = modelBoolean
	case types == typeInteger, types == typeNumber:
		m.kind = map[bool]modelKind{true: modelInteger, false: modelNumber}[types == typeInteger && s.whole()]
		for _, p := range parts {
			if numericFormats[p.format] {
				m.format = p.format
			}
		}
	default:
		m.union(parts)
	}
	return m
}

// whole reports whether the checks of the schema give the model a number as Go reads an integer. That the schema accepts no
// other is not enough: 1e2 is an integer, and an alternative of several types leaves it so.
func (s *schema) whole() bool {
	return slices.ContainsFunc(s.parts(), func(p *schema) bool {
		list := p.alternatives()
		return p.types&^typeNull == typeInteger || strings.Contains(p.format, "int") && numericFormats[p.format] ||
			list != nil && !slices.ContainsFunc(list, func(b *schema) bool { return !b.whole() })
	})
}

// only returns the one alternative of a schema that says nothing else, such as anyOf of a reference and null.
func (s *schema) only() *schema {
	if list := s.alternatives(); len(list) == 1 && s.types == 0 && s.ref == nil && s.allOf == nil && s.properties == nil && s.enum == nil && s.items == nil {
		return list[0]
	}
	return nil
}

func (m *model) text(parts []*schema) {
	m.kind = modelString
	for _, p := range parts {
		if p.format != "" {
			m.format = p.format
		}
		if p.enum == nil {
			continue
		}
		m.kind, m.values = modelEnum, nil
		for _, v := range p.enum {
			if v[0] == '"' {
				m.values = append(m.values, unquoteJSON(v))
			}
		}
	}
	if len(m.values) == 0 || slices.ContainsFunc(m.values, func(v string) bool { return strings.ContainsFunc(v, unicode.IsControl) }) {
		m.kind = modelString // there are no constants to make
	}
	for _, p := range parts {
		if p.alternatives() != nil {
			m.kind, m.format = modelString, "" // strings of several kinds are strings
		}
	}
}

func (m *model) array(parts []*schema) {
	m.kind = modelArray
	for _, p := range parts {
		switch {
		case p.prefix != nil, p.alternatives() != nil:
			m.items = nil
			return
		case p.items != nil && m.items == nil:
			m.items = p.items
		case p.items != nil:
			m.items = together(m.items, p.items)
		}
	}
}

// together is a schema that both hold for.
func together(a, b *schema) *schema {
	if a == b || !b.shaped() {
		return a
	}
	if !a.shaped() {
		return b
	}
	both := newSchema(a.node)
	both.allOf = []*schema{a, b}
	return both
}

func (m *model) object(parts []*schema) {
	required := map[string]bool{}
	at := map[string]int{}
	var open, closed bool
	for _, p := range parts {
		for _, name := range p.required {
			required[name] = true
		}
		for _, q := range p.properties {
			if i, known := at[q.name]; known {
				m.members[i].schema = together(m.members[i].schema, q.schema)
				continue
			}
			at[q.name] = len(m.members)
			m.members = append(m.members, modelMember{name: q.name, schema: q.schema})
		}
		switch {
		case len(p.patterns) > 0, p.unevaluatedProperties != nil && !p.unevaluatedProperties.never, p.dependentSchemas != nil:
			open = true
		case p.additional == nil:
		case p.additional.never:
			closed = true
		default:
			open, m.rest = true, p.additional
		}
		if list := p.alternatives(); list != nil {
			m.branches, m.by = append(m.branches, list...), p.discriminator
		}
	}
	m.open = open && (!closed || m.rest == nil)
	for i := range m.members {
		m.members[i].required = required[m.members[i].name]
	}
	slices.SortFunc(m.members, func(a, b modelMember) int { return strings.Compare(a.name, b.name) })
	switch {
	case slices.ContainsFunc(m.members, func(q modelMember) bool { return !isTag(q.name) }):
		m.kind, m.members, m.branches, m.rest = modelMap, nil, nil, nil
	case len(m.branches) > 1:
		m.kind = modelUnion
	case len(m.branches) == 1 && len(m.members) == 0:
		m.kind, m.same, m.branches = modelAny, m.branches[0], nil
	case len(m.members) > 0:
		m.kind, m.branches = modelStruct, nil
	default:
		m.kind, m.branches = modelMap, nil
	}
	if len(parts) > 1 && m.kind == modelUnion && slices.ContainsFunc(parts[1:], func(p *schema) bool { return p.alternatives() != nil }) && parts[0].alternatives() != nil {
		*m = model{nullable: m.nullable} // two lists of alternatives have no form in Go
	}
}

// isTag reports whether a name can stand in a struct tag.
func isTag(name string) bool {
	return name != "" && name != "-" && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune("\"'`,\\\ufffd", r) })
}

// union is what has several types: alternatives, or any.
func (m *model) union(parts []*schema) {
	if len(parts) != 1 || parts[0].types != 0 && !parts[0].types.has(anyType) {
		return
	}
	p := parts[0]
	list := p.alternatives()
	if len(list) < 2 || len(p.properties) > 0 || p.items != nil || p.anyOf != nil && p.oneOf != nil {
		return
	}
	m.kind, m.branches, m.by = modelUnion, list, p.discriminator
}
