package differentialtest

import (
	"encoding/json"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
)

// instances draws instances of one schema: two of five are accepted ones with one change, most others follow the schema, and a few
// follow nothing.
type instances struct {
	values
	schema *plan
	kept   []any // accepted ones
	last   any
}

// kept at most
const maxKept = 64

func (s *Schema) instances(r *rand.Rand) *instances {
	return &instances{values: values{r: r, bounded: s.bounded}, schema: s.plan}
}

// next draws an instance and writes it. mutant says that it is one change away from one that was accepted.
func (d *instances) next() (data []byte, mutant bool) {
	switch n := d.r.IntN(100); {
	case n < 42 && len(d.kept) > 0:
		d.last, mutant = d.mutate(pick(d.r, d.kept)), true
	case n < 95:
		d.last = d.follow([]*plan{d.schema}, 6)
	default:
		d.last = d.any("", 3)
	}
	return appendValue(nil, d.last, d.r), mutant
}

// accepted keeps the instance that was drawn last.
func (d *instances) accepted() {
	if len(d.kept) < maxKept {
		d.kept = append(d.kept, d.last)
	} else {
		d.kept[d.r.IntN(maxKept)] = d.last
	}
}

// expand returns all the schemas that a value is asked about, with one way through the alternatives.
func (d *instances) expand(list []*plan) []*plan {
	var all []*plan
	var add func(s *plan)
	add = func(s *plan) {
		if s == nil || s.always {
			return
		}
		all = append(all, s)
		add(s.ref)
		for _, b := range s.allOf {
			add(b)
		}
		if s.anyOf != nil {
			add(pick(d.r, s.anyOf))
		}
		if s.oneOf != nil {
			add(pick(d.r, s.oneOf))
		}
		if s.when != nil && d.chance(50) {
			add(s.when)
			add(s.then)
		} else {
			add(s.otherwise)
		}
		for _, m := range s.dependentSchemas {
			if d.chance(60) {
				add(m.plan)
			}
		}
	}
	for _, s := range list {
		add(s)
	}
	return all
}

// follow draws a value that all the schemas accept, as far as that is easy.
func (d *instances) follow(list []*plan, depth int) any {
	if depth < -3 {
		return nil // the schema demands a part of itself
	}
	all := d.expand(list)
	types := []string{"null", "boolean", "number", "string", "array", "object"}
	stated := false
	for _, s := range all {
		if s.values != nil && d.chance(85) {
			return d.converted(pick(d.r, s.values))
		}
		if s.types != nil {
			types, stated = intersection(types, s.types, stated), true
		}
	}
	kind := "null"
	if !stated {
		types = implied(all, types)
	}
	if len(types) > 0 {
		kind = pick(d.r, types)
	}
	switch kind {
	case "number", "integer":
		var bounds []json.Number
		var step json.Number
		for _, s := range all {
			bounds = append(bounds, s.bounds...)
			if s.multipleOf != "" {
				step = s.multipleOf
			}
		}
		return d.within(bounds, step, kind == "integer")
	case "string":
		return d.text(all)
	case "array":
		return d.array(all, depth)
	case "object":
		return d.object(all, depth)
	}
	return d.any(kind, 0)
}

// intersection returns the types that both lists allow: an integer is a number.
func intersection(a, b []string, stated bool) []string {
	var both []string
	for _, kind := range b {
		if slices.Contains(a, kind) || kind == "integer" && slices.Contains(a, "number") || kind == "number" && stated && slices.Contains(a, "integer") {
			both = append(both, kind)
		}
	}
	if i := slices.Index(both, "number"); i >= 0 && stated && slices.Contains(a, "integer") && !slices.Contains(a, "number") {
		both[i] = "integer"
	}
	return both
}

// implied prefers the type that keywords speak of.
func implied(all []*plan, types []string) []string {
	for _, s := range all {
		switch {
		case s.properties != nil || s.required != nil || s.additional != nil || s.patterns != nil || s.minProperties >= 0 || s.maxProperties >= 0 || s.names != nil:
			types = append(types, "object", "object", "object")
		case s.items != nil || s.prefix != nil || s.contains != nil || s.minItems >= 0 || s.maxItems >= 0:
			types = append(types, "array", "array", "array")
		case s.expression != nil || s.format != "" || s.minLength >= 0 || s.maxLength >= 0:
			types = append(types, "string", "string")
		case s.bounds != nil || s.multipleOf != "":
			types = append(types, "number", "number")
		}
	}
	return types
}

func (d *instances) text(all []*plan) string {
	low, high := 0, 5
	for _, s := range all {
		if s.format != "" && d.chance(90) {
			list := formatted(s.format)
			if d.chance(65) {
				list = list[:max(1, len(list)/2)]
			}
			return pick(d.r, list)
		}
		if s.expression != nil && d.chance(90) {
			return matching(d.r, s.expression)
		}
		low = max(low, s.minLength)
		if s.maxLength >= 0 {
			high = min(high, s.maxLength)
		}
	}
	return text(d.r, low, max(low, high))
}

func (d *instances) array(all []*plan, depth int) any {
	list := []any{}
	low, high := 0, 4
	var contained []*plan
	for _, s := range all {
		if low = max(low, s.minItems); s.maxItems >= 0 {
			high = min(high, s.maxItems)
		}
		low = max(low, len(s.prefix)*d.r.IntN(2))
		if s.contains != nil && s.minContains != 0 {
			contained = append(contained, s.contains)
			low = max(low, 1, s.minContains)
		}
	}
	if depth <= 0 {
		low, high = 0, 0
	}
	for i := range low + d.r.IntN(max(1, high-low+1)) {
		var plans []*plan
		for _, s := range all {
			switch {
			case i < len(s.prefix):
				plans = append(plans, s.prefix[i])
			case s.items != nil:
				plans = append(plans, s.items)
			case s.unevaluatedItems != nil && !s.unevaluatedItems.never:
				plans = append(plans, s.unevaluatedItems)
			}
		}
		if len(contained) > 0 && d.chance(60) {
			plans = append(plans, pick(d.r, contained))
		}
		list = append(list, d.follow(plans, depth-1))
	}
	if len(list) > 1 && d.chance(4) {
		list[1] = list[0]
	}
	return list
}

func (d *instances) object(all []*plan, depth int) any {
	var wanted []string
	least, most := 0, 6
	closed := false
	for _, s := range all {
		for _, name := range s.required {
			if d.chance(96) {
				wanted = append(wanted, name)
			}
		}
		for _, m := range s.properties {
			if d.chance(50) && depth > 0 && !m.plan.never {
				wanted = append(wanted, m.name)
			}
		}
		for _, m := range s.patterns {
			if d.chance(40) && depth > 0 {
				wanted = append(wanted, matching(d.r, m.source))
			}
		}
		if least = max(least, s.minProperties); s.maxProperties >= 0 {
			most = min(most, s.maxProperties)
		}
		closed = closed || s.additional != nil && s.additional.never || s.unevaluatedMembers != nil && s.unevaluatedMembers.never
	}
	for extra := d.r.IntN(3); depth > 0 && extra > 0 && (!closed || d.chance(8)); extra-- {
		wanted = append(wanted, d.name())
	}
	for tries := 0; len(wanted) < least && tries < 5; tries++ {
		wanted = append(wanted, d.name())
	}
	m := members{}
	for _, name := range wanted {
		if m.has(name) || len(m) >= most {
			continue
		}
		m = append(m, pair{name, d.follow(d.of(all, name), depth-1)})
	}
	if d.chance(30) {
		d.r.Shuffle(len(m), func(i, j int) { m[i], m[j] = m[j], m[i] })
	}
	return m
}

// of returns the schemas that a member of the name is asked about.
func (d *instances) of(all []*plan, name string) []*plan {
	var plans []*plan
	for _, s := range all {
		known := false
		for _, p := range s.properties {
			if p.name == name {
				plans, known = append(plans, p.plan), true
			}
		}
		for _, p := range s.patterns {
			if p.re.MatchString(name) {
				plans, known = append(plans, p.plan), true
			}
		}
		if !known && s.additional != nil {
			plans = append(plans, s.additional)
		} else if !known && s.unevaluatedMembers != nil && !s.unevaluatedMembers.never {
			plans = append(plans, s.unevaluatedMembers)
		}
	}
	return plans
}

// converted turns a value of the document into one of an instance.
func (d *instances) converted(v any) any {
	switch v := v.(type) {
	case json.Number:
		if f, err := v.Float64(); d.bounded && (err != nil || math.Abs(f) >= 1<<63) {
			return d.number()
		}
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = d.converted(e)
		}
		return list
	case map[string]any:
		m := members{}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			m = append(m, pair{name, d.converted(v[name])})
		}
		return m
	}
	return v
}
