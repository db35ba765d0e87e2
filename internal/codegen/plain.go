package codegen

import (
	"slices"
	"strconv"
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

// plainWithin is plain for the elements of arrays and maps: one that holds itself has no Go type to read into.
func (s *schema) plainWithin(outer []*schema) bool {
	s = s.inner()
	if s.kind() == 0 || len(s.inPlace()) > 0 || s.readOnly || s.multipleOf != "" || s.constant || slices.Contains(outer, s) ||
		s.uniqueItems && (s.items == nil || s.items.inner().kind() != typeString || s.items.model().nullable || slices.Contains(canonicalFormats, s.items.inner().format)) {
		return false
	}
	outer = append(outer, s)
	switch s.kind() {
	case typeString:
		for _, v := range s.enum {
			if v[0] != '"' && (v != "null" || !s.allows().has(typeNull)) {
				return false
			}
		}
		return s.enum == nil && (s.format == "" || s.format == "password" || textFormats[s.format] != "" && s.format != "byte") || s.enum != nil && s.bareEnum()
	case typeNumber:
		return s.enum == nil && (s.format == "" || s.format == "double")
	case typeInteger:
		return s.enum == nil && (s.format == "" || s.format == "int32" || s.format == "int64")
	case typeBoolean:
		return s.enum == nil
	case typeArray:
		return s.enum == nil && s.prefix == nil && s.contains == nil && s.unevaluatedItems == nil && s.items != nil && !s.items.model().nullable && s.items.plainWithin(outer)
	}
	return s.plainObject() || s.plainMap(outer)
}

// bareEnum reports whether a string must be one of the enum and nothing else.
func (s *schema) bareEnum() bool {
	return s.format == "" && s.pattern == "" && s.minLength <= 0 && s.maxLength < 0
}

// canonicalFormats are those of strings whose Go type has one value for several spellings: elements that differ may be equal.
var canonicalFormats = []string{"date-time", "uuid"}

// bare reports whether an object schema says nothing but properties, required and additionalProperties.
func (s *schema) bare() bool {
	return s.enum == nil && s.patterns == nil && s.names == nil && s.dependentRequired == nil && s.unevaluatedProperties == nil
}

func (s *schema) plainObject() bool {
	if !s.bare() || s.minProperties > 0 || s.maxProperties >= 0 ||
		s.additional != nil && !s.additional.never || len(s.properties) == 0 || len(s.properties) > 64 {
		return false
	}
	for _, name := range s.required {
		if !slices.ContainsFunc(s.properties, func(p property) bool { return p.name == name }) {
			return false
		}
	}
	return !slices.ContainsFunc(s.properties, func(p property) bool {
		return p.schema.filled != "" && p.schema.goDefault() == "" || p.schema.isReadOnly()
	}) && s.model().kind == modelStruct && !slices.ContainsFunc(s.properties, func(p property) bool { return !isTag(p.name) })
}

// plainMap is plain for an object whose members all have one schema and no declared names.
func (s *schema) plainMap(outer []*schema) bool {
	return s.bare() && len(s.properties) == 0 && len(s.required) == 0 && s.additional != nil && !s.additional.never &&
		s.model().kind == modelMap && !s.additional.model().nullable && s.additional.plainWithin(outer)
}

// goDefault is the default of a plain schema as a Go literal, "" where it has none.
func (s *schema) goDefault() string {
	fill, in := s.filled, s.inner()
	var err error
	switch in.kind() {
	case typeString:
		if in.format != "" || fill == "" || fill[0] != '"' {
			return ""
		}
		fill = strconv.Quote(unquoteJSON(fill))
	case typeNumber:
		_, err = strconv.ParseFloat(fill, 64)
	case typeInteger:
		_, err = strconv.ParseInt(fill, 10, in.integerSize())
	case typeBoolean:
		if fill != "true" && fill != "false" {
			return ""
		}
	default:
		return ""
	}
	if err != nil || !s.plain() {
		return ""
	}
	return fill
}

// integerSize is the number of bits of a plain integer.
func (s *schema) integerSize() int {
	if s.format == "int32" {
		return 32
	}
	return 64
}
