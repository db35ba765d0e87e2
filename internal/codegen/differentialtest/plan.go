package differentialtest

import (
	"encoding/json"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// plan is a schema as instances are drawn for it: what its keywords say, as far as it helps to meet them. Nothing depends on its
// being right.
type plan struct {
	never, always bool
	types         []string
	values        []any // const and enum
	bounds        []json.Number
	multipleOf    json.Number
	expression    *syntax.Regexp
	format        string

	minLength, maxLength, minItems, maxItems, minProperties, maxProperties, minContains int // -1: not stated

	unique                                bool
	prefix                                []*plan
	items, contains, unevaluatedItems     *plan
	properties, dependentSchemas          []member
	patterns                              []patternMember
	additional, names, unevaluatedMembers *plan
	required                              []string
	ref, not, when, then, otherwise       *plan
	allOf, anyOf, oneOf                   []*plan
}

type member struct {
	name string
	plan *plan
}

type patternMember struct {
	source *syntax.Regexp
	re     *regexp.Regexp
	plan   *plan
}

// plans makes each plan once, so that a schema that refers to itself ends.
type plans struct {
	document map[string]any
	resource any // the schema that $defs and anchors are looked for in
	made     map[string]*plan
	integers bool // a schema among them asks for an integer, which is bounded to 64 bits
}

func newPlans(document map[string]any, resource any) *plans {
	return &plans{document: document, resource: resource, made: map[string]*plan{}}
}

// find returns what a reference means.
func (p *plans) find(reference string) any {
	from := p.resource
	if strings.HasPrefix(reference, "#/components/") {
		from = p.document
	}
	if reference == "tree" {
		return from.(map[string]any)["$defs"].(map[string]any)["tree"]
	}
	fragment := strings.TrimPrefix(reference, "#")
	if !strings.HasPrefix(fragment, "/") {
		return anchored(from, fragment)
	}
	for name := range strings.SplitSeq(fragment[1:], "/") {
		from = from.(map[string]any)[name]
	}
	return from
}

// anchored finds the schema of an anchor, the outermost first.
func anchored(v any, name string) any {
	m, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	if m["$anchor"] == name || m["$dynamicAnchor"] == name {
		return m
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if found := anchored(m[key], name); found != nil {
			return found
		}
	}
	return nil
}

func (p *plans) reference(v any) *plan {
	reference, ok := v.(string)
	if !ok {
		return nil
	}
	if p.made[reference] == nil {
		s := &plan{}
		p.made[reference] = s
		*s = *p.plan(p.find(reference))
	}
	return p.made[reference]
}

// plan makes the plan of a schema, nil where there is none.
func (p *plans) plan(v any) *plan {
	if v == nil {
		return nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return &plan{always: v == true, never: v == false}
	}
	s := &plan{
		unique: m["uniqueItems"] == true,
		items:  p.plan(m["items"]), contains: p.plan(m["contains"]), unevaluatedItems: p.plan(m["unevaluatedItems"]),
		additional: p.plan(m["additionalProperties"]), names: p.plan(m["propertyNames"]), unevaluatedMembers: p.plan(m["unevaluatedProperties"]),
		ref: p.reference(m["$ref"]), not: p.plan(m["not"]), when: p.plan(m["if"]), then: p.plan(m["then"]), otherwise: p.plan(m["else"]),
		prefix: p.list(m["prefixItems"]), allOf: p.list(m["allOf"]), anyOf: p.list(m["anyOf"]), oneOf: p.list(m["oneOf"]),
		properties: p.members(m["properties"]), dependentSchemas: p.members(m["dependentSchemas"]), required: stringsIn(m["required"]),
		minLength: number(m["minLength"]), maxLength: number(m["maxLength"]), minItems: number(m["minItems"]), maxItems: number(m["maxItems"]),
		minProperties: number(m["minProperties"]), maxProperties: number(m["maxProperties"]), minContains: number(m["minContains"]),
	}
	if dynamic := p.reference(m["$dynamicRef"]); dynamic != nil {
		s.ref = dynamic
	}
	switch t := m["type"].(type) {
	case string:
		s.types = []string{t}
	case []any:
		s.types = stringsIn(t)
	}
	p.integers = p.integers || slices.Contains(s.types, "integer")
	if list, ok := m["enum"].([]any); ok {
		s.values = list
	}
	if one, ok := m["const"]; ok {
		s.values = []any{one}
	}
	for _, keyword := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"} {
		if n, ok := m[keyword].(json.Number); ok {
			s.bounds = append(s.bounds, n)
		}
	}
	s.multipleOf, _ = m["multipleOf"].(json.Number)
	s.format, _ = m["format"].(string)
	if source, ok := m["pattern"].(string); ok {
		s.expression = expression(source)
	}
	if patterns, ok := m["patternProperties"].(map[string]any); ok {
		for _, source := range slices.Sorted(maps.Keys(patterns)) {
			s.patterns = append(s.patterns, patternMember{expression(source), regexp.MustCompile(source), p.plan(patterns[source])})
		}
	}
	return s
}

func expression(source string) *syntax.Regexp {
	re, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		panic(err) // the generator of schemas is wrong
	}
	return re
}

func (p *plans) list(v any) []*plan {
	var drawn []*plan
	list, _ := v.([]any)
	for _, e := range list {
		drawn = append(drawn, p.plan(e))
	}
	return drawn
}

func (p *plans) members(v any) []member {
	var list []member
	m, _ := v.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(m)) {
		list = append(list, member{name, p.plan(m[name])})
	}
	return list
}

func stringsIn(v any) []string {
	var list []string
	all, _ := v.([]any)
	for _, e := range all {
		if s, ok := e.(string); ok {
			list = append(list, s)
		}
	}
	return list
}

func number(v any) int {
	n, ok := v.(json.Number)
	if !ok {
		return -1
	}
	i, err := n.Int64()
	if err != nil {
		return -1
	}
	return int(i)
}
