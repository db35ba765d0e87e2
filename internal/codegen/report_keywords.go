package codegen

import (
	"fmt"
	"slices"
	"strings"

	"example.com/gatehouse/internal/ceiling"
)

// enforced counts the keywords that a request of the operation is checked by, and says what they leave unbounded.
func (o *operation) enforced() (keywords []matrixCount, open []string) {
	counts := map[string]int{}
	var texts, arrays, objects, values int
	add := func(n *int, is bool) {
		if is {
			*n++
		}
	}
	for _, s := range o.requestSchemas() {
		for _, name := range s.enforced() {
			counts[name]++
		}
		add(&texts, s.openText())
		add(&arrays, s.openArray())
		add(&objects, s.openObject())
		add(&values, s.openAny())
	}
	for _, b := range o.bodies {
		add(&values, b.kind == bodyJSON && b.schema == nil)
	}
	for _, q := range o.parameters {
		if q.fill != "" {
			counts["default"]++
		}
	}
	for name, n := range counts {
		keywords = append(keywords, matrixCount{name, n})
	}
	slices.SortFunc(keywords, func(a, b matrixCount) int { return strings.Compare(a.Name, b.Name) })
	for _, kind := range []struct {
		n    int
		what string
		most int
		unit string
	}{{texts, "text", ceiling.StringBytes, "bytes"}, {arrays, "array", ceiling.Items, "elements"}, {objects, "object", ceiling.Members, "members"}} {
		if kind.n > 0 {
			open = append(open, fmt.Sprintf("%s: at most %d %s", plural(kind.n, kind.what), kind.most, kind.unit))
		}
	}
	if values > 0 {
		open = append(open, fmt.Sprintf("%s of any type: at most the bytes of the body and %d levels", plural(values, "value"), ceiling.Depth))
	}
	return keywords, open
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// requestSchemas are the schemas that a request is checked against, each once.
func (o *operation) requestSchemas() []*schema {
	var list []*schema
	seen := map[*schema]bool{nil: true}
	var walk func(s *schema)
	walk = func(s *schema) {
		if seen[s] {
			return
		}
		seen[s] = true
		list = append(list, s)
		for _, b := range s.below() {
			walk(b)
		}
		if s.discriminates() {
			for _, c := range s.discriminator.cases {
				walk(c.schema)
			}
		}
	}
	for _, q := range o.parameters {
		walk(q.schema)
	}
	for _, b := range o.bodies {
		if b.kind != bodyStream && b.kind != bodyRefused {
			walk(b.schema)
		}
	}
	return list
}

// openAny reports whether the schema takes every value: of such values nothing but size and depth is bounded.
func (s *schema) openAny() bool {
	return s.always || s.ref == nil && !s.never && len(s.enforced()) == 0
}

// enforced returns the keywords of the schema that refuse values or, as default, fill them in. What says nothing, such as minLength: 0
// or additionalProperties: true, is not among them.
func (s *schema) enforced() []string {
	checks := func(b *schema) bool { return b != nil && !b.openAny() }
	fills := slices.ContainsFunc(s.properties, func(p property) bool {
		return p.schema.filled != "" && !slices.Contains(s.required, p.name) && !p.schema.isReadOnly()
	})
	var list []string
	for _, k := range []struct {
		name string
		on   bool
	}{
		{"type", s.types != 0}, {"nullable", s.nullable && s.node.get("nullable").boolean()},
		{"enum", s.enum != nil && !s.constant}, {"const", s.constant},
		{"minimum", s.minimum != ""}, {"maximum", s.maximum != ""}, {"exclusiveMinimum", s.above != ""}, {"exclusiveMaximum", s.under != ""}, {"multipleOf", s.multipleOf != ""},
		{"minLength", s.minLength > 0}, {"maxLength", s.maxLength >= 0}, {"pattern", s.pattern != ""},
		{"format " + s.format, numericFormats[s.format] || textFormats[s.format] != ""},
		{"items", checks(s.items)}, {"prefixItems", s.prefix != nil}, {"minItems", s.minItems > 0}, {"maxItems", s.maxItems >= 0}, {"uniqueItems", s.uniqueItems},
		{"contains", s.contains != nil}, {"minContains", s.contains != nil && s.minContains >= 0}, {"maxContains", s.contains != nil && s.maxContains >= 0},
		{"unevaluatedItems", checks(s.unevaluatedItems)},
		{"properties", len(s.properties) > 0}, {"patternProperties", len(s.patterns) > 0}, {"additionalProperties", checks(s.additional)},
		{"propertyNames", checks(s.names)}, {"unevaluatedProperties", checks(s.unevaluatedProperties)},
		{"required", len(s.required) > 0}, {"dependentRequired", len(s.dependentRequired) > 0}, {"dependentSchemas", len(s.dependentSchemas) > 0},
		{"minProperties", s.minProperties > 0}, {"maxProperties", s.maxProperties >= 0},
		{"allOf", s.node.get("allOf").exists()}, {"anyOf", s.node.get("anyOf").exists()}, {"oneOf", s.node.get("oneOf").exists()},
		{"not", s.not != nil}, {"discriminator", s.discriminates()},
		{"if", s.when != nil && (s.then != nil || s.otherwise != nil)}, {"then", s.when != nil && s.then != nil}, {"else", s.when != nil && s.otherwise != nil},
		{"readOnly", s.readOnly}, {"default", fills},
	} {
		if k.on {
			list = append(list, k.name)
		}
	}
	return list
}
