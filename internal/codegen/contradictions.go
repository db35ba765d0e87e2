package codegen

import (
	"slices"
	"strconv"
	"strings"

	"example.com/gatehouse/internal/validation"
)

// judgeContradictions warns of what a schema says and cannot mean: it is enforced as JSON Schema has it, and that is rarely what
// its author had in mind.
func (s *schema) judgeContradictions() {
	s.judgeBounds()
	s.judgeTypes()
	s.judgeValues()
	s.judgeRequired()
}

func (s *schema) judgeBounds() {
	n := s.node
	for _, pair := range []struct {
		low, high string
		min, max  int
	}{{"minLength", "maxLength", s.minLength, s.maxLength}, {"minItems", "maxItems", s.minItems, s.maxItems},
		{"minProperties", "maxProperties", s.minProperties, s.maxProperties}, {"minContains", "maxContains", s.minContains, s.maxContains}} {
		if pair.max >= 0 && pair.min > pair.max {
			n.get(pair.low).warn("%s is more than %s: no value is accepted", pair.low, pair.high)
		}
	}
	// The bounds are compared as the checks do it: by the lower one as a value.
	for _, low := range []struct{ keyword, value string }{{"minimum", s.minimum}, {"exclusiveMinimum", s.above}} {
		if low.value == "" {
			continue
		}
		bounds := newSchema(n)
		bounds.maximum, bounds.under = s.maximum, s.under
		if s.above != "" && low.keyword == "exclusiveMinimum" && s.maximum != "" {
			bounds.maximum, bounds.under = "", s.maximum
		}
		if _, wrong := bounds.judge(low.value, validation.Response, true); wrong != nil {
			n.get(low.keyword).warn("%s is not below the upper bound: no value is accepted", low.keyword)
		}
	}
}

// about are the types that the keywords look at: values of all others pass.
var about = map[types][]string{
	typeString:               {"minLength", "maxLength", "pattern"},
	typeNumber | typeInteger: {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
	typeArray:                {"items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"},
	typeObject:               {"properties", "patternProperties", "additionalProperties", "required", "minProperties", "maxProperties", "propertyNames", "dependentRequired"},
}

func (s *schema) judgeTypes() {
	if s.types == 0 {
		return
	}
	for _, m := range s.node.members() {
		for of, keywords := range about {
			if slices.Contains(keywords, m.key) && !s.types.has(of) {
				m.value.warn("%s says nothing of a value of type %s: it limits nothing", m.key, strings.ReplaceAll(s.types.String(), "|", " or "))
			}
		}
	}
}

func (s *schema) judgeValues() {
	typed := newSchema(s.node)
	typed.types, typed.nullable = s.types, s.nullable
	seen := map[string]bool{}
	for _, e := range s.node.get("enum").elements() {
		value := e.json()
		if seen[value] {
			e.warn("the value stands twice in the enum")
		}
		seen[value] = true
		if _, wrong := typed.judge(value, validation.Response, true); wrong != nil {
			e.warn("the value is not of the type %s: it is never accepted", strings.ReplaceAll(s.types.String(), "|", " or "))
		}
	}
}

// judgeRequired looks for required members that a closed object does not have.
func (s *schema) judgeRequired() {
	if s.additional == nil || !s.additional.never || len(s.patterns) > 0 {
		return
	}
	for i, name := range s.required {
		if !slices.ContainsFunc(s.properties, func(p property) bool { return p.name == name }) {
			s.node.get("required").step(strconv.Itoa(i)).warn("%q is required, and no property of this closed object: no value is accepted", name)
		}
	}
}
