package codegen

import (
	"slices"

	"example.com/gatehouse/internal/ceiling"
)

// ceilings writes the bounds of what the document leaves unbounded.
func (k *checker) ceilings(s *schema, v string) {
	if s.openText() {
		k.p("c.CeilingBytes(%s, %d)", v, ceiling.StringBytes)
	}
	if s.openArray() {
		k.p("c.CeilingItems(%s, %d)", v, ceiling.Items)
	}
	if s.openObject() {
		k.p("c.CeilingMembers(%s, %d)", v, ceiling.Members)
	}
}

// shortFormats are the formats that no long text has. A date-time is none: the fraction of its second has any number of digits.
var shortFormats = []string{"date", "uuid", "ipv4", "ipv6", "email", "hostname"}

// openText reports whether the schema takes a text of any length. What is binary is bounded by the body.
func (s *schema) openText() bool {
	return s.types.has(typeString) && s.maxLength < 0 && s.enum == nil && s.format != "binary" && !slices.Contains(shortFormats, s.format)
}

// openArray reports whether the schema takes any number of elements.
func (s *schema) openArray() bool {
	return s.types.has(typeArray) && s.maxItems < 0 && (s.items == nil || !s.items.never)
}

// openObject reports whether the schema takes any number of members.
func (s *schema) openObject() bool {
	return s.types.has(typeObject) && s.maxProperties < 0 && (s.additional == nil || !s.additional.never)
}
