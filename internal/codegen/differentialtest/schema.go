package differentialtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// object is a JSON object of a document.
type object = map[string]any

// schemas draws schemas. They are small, so that one disagreement shows one cause, and their names, values and bounds come from
// small sets, so that they meet.
type schemas struct {
	r *rand.Rand
	// inPlace are the references that may be asked about the same value, below those that may be asked about a part of it: a
	// schema that is its own part is refused.
	inPlace, below []string
}

const depth = 3

// components draws the schemas that others refer to, themselves among them.
func (g *schemas) components() object {
	const n = 16
	drawn := object{}
	for i := range n {
		g.below = append(g.below, fmt.Sprintf("#/components/schemas/Part%d", i))
	}
	for i := range n {
		drawn[fmt.Sprintf("Part%d", i)] = g.schema(depth-1, g.below[:i])
	}
	g.inPlace = g.below
	return drawn
}

// componentOf is the name of the component that a reference means.
func componentOf(reference string) (name string, found bool) {
	return strings.CutPrefix(reference, "#/components/schemas/")
}

// body draws the schema of an operation.
func (g *schemas) body(i int) any {
	switch n := g.r.IntN(100); {
	case n < 4:
		return object{"$ref": pick(g.r, g.inPlace)}
	case n < 16:
		return g.withDefs()
	case n < 20:
		return g.dynamic()
	}
	return g.schema(depth, g.inPlace)
}

// withDefs draws a schema that has parts of its own.
func (g *schemas) withDefs() any {
	inner := &schemas{r: g.r}
	names := []string{"one", "two", "three"}[:1+g.r.IntN(3)]
	anchors := map[string]string{}
	for _, name := range names {
		reference := "#/$defs/" + name
		if g.chance(40) {
			anchors[name] = "at-" + name
			reference = "#at-" + name
		}
		inner.below = append(inner.below, reference)
	}
	defs := object{}
	for i, name := range names {
		s := inner.schema(depth-1, inner.below[:i])
		if m, ok := s.(object); ok && anchors[name] != "" {
			m["$anchor"] = anchors[name]
		} else if anchors[name] != "" {
			s = object{"$anchor": anchors[name], "type": "integer"}
		}
		defs[name] = s
	}
	inner.inPlace = inner.below
	s, ok := inner.schema(depth, inner.inPlace).(object)
	if !ok || g.chance(30) {
		s = object{"$ref": pick(g.r, inner.inPlace)}
	}
	s["$defs"] = defs
	return s
}

// dynamic draws a recursive schema and one that extends it, in the form of JSON Schema core §8.2.3.2.
func (g *schemas) dynamic() any {
	leaf := &schemas{r: g.r}
	base := object{
		"$id": "tree", "$dynamicAnchor": "node", "type": "object",
		"properties": object{"a": leaf.schema(1, nil), "b": object{"$dynamicRef": "#node"}, "c": object{"type": "array", "items": object{"$dynamicRef": "#node"}}},
	}
	if g.chance(50) {
		base["required"] = []any{"a"}
	}
	s := object{"$ref": "tree", "$defs": object{"tree": base}}
	if g.chance(70) {
		s["$dynamicAnchor"] = "node"
	}
	switch g.r.IntN(4) {
	case 0:
		s["unevaluatedProperties"] = false
	case 1:
		s["properties"] = object{"d": leaf.schema(1, nil)}
		s["unevaluatedProperties"] = leaf.schema(1, nil)
	case 2:
		s["maxProperties"] = 1 + g.r.IntN(3)
	case 3:
		s["required"] = []any{pick(g.r, names())}
	}
	return s
}

// chance is true in so many of a hundred cases.
func (g *schemas) chance(percent int) bool { return g.r.IntN(100) < percent }

// schema draws a schema. inPlace are the references that it may make for the same value.
func (g *schemas) schema(depth int, inPlace []string) any {
	switch n := g.r.IntN(100); {
	case depth <= 0:
		m := object{}
		g.typed(m, 0, nil, pick(g.r, []string{"string", "number", "integer", "boolean", "string", "null"}))
		return m
	case n < 2:
		return true
	case n < 3:
		return false
	case n < 11 && len(inPlace) > 0:
		m := object{"$ref": pick(g.r, inPlace)}
		if g.chance(40) {
			g.sibling(m, depth, inPlace)
		}
		return m
	case n < 30:
		return g.plain(depth)
	case n < 37:
		return g.alternatives(depth, inPlace)
	}
	m := object{}
	kinds := g.kinds(depth)
	g.typed(m, depth, inPlace, kinds...)
	if g.chance(12) {
		delete(m, "type")
	}
	for range g.r.IntN(3) {
		if g.chance(60) {
			g.combine(m, depth, inPlace, kinds)
		}
	}
	return m
}

// child draws the schema of a part of the value.
func (g *schemas) child(depth int) any { return g.schema(depth-1, g.below) }

// sibling adds a keyword or two beside a reference.
func (g *schemas) sibling(m object, depth int, inPlace []string) {
	kinds := g.kinds(depth)
	g.typed(m, depth-1, inPlace, kinds...)
	if g.chance(80) {
		delete(m, "type")
	}
}

// kinds draws the types of a schema: mostly one.
func (g *schemas) kinds(depth int) []string {
	all := []string{"object", "object", "array", "array", "string", "number", "integer", "string", "number", "boolean", "null"}
	if depth <= 1 {
		all = all[4:]
	}
	kinds := []string{pick(g.r, all)}
	for g.chance(15) {
		if other := pick(g.r, all); !slices.Contains(kinds, other) {
			kinds = append(kinds, other)
		}
	}
	return kinds
}

// plain draws what most documents hold: an object of declared members, which is decoded while it is read.
func (g *schemas) plain(depth int) object {
	properties, required := object{}, []any{}
	for _, name := range some(g.r, names(), 1+g.r.IntN(4)) {
		m := object{}
		switch n := g.r.IntN(10); {
		case n < 7 || depth <= 1:
			g.typed(m, 0, nil, pick(g.r, []string{"string", "string", "number", "integer", "boolean"}))
			if g.chance(20) {
				m["type"] = []any{m["type"], "null"}
			}
		case n < 8:
			m = g.plain(depth - 1)
		case n < 9:
			item := object{}
			g.typed(item, 0, nil, pick(g.r, []string{"string", "number", "integer", "boolean"}))
			m = object{"type": "array", "items": item, "uniqueItems": g.chance(40)}
			g.counts(m, "minItems", "maxItems", 40)
		default:
			if len(g.below) > 0 {
				m = object{"$ref": pick(g.r, g.below)}
			}
		}
		properties[name] = m
		if g.chance(50) {
			required = append(required, name)
		}
	}
	s := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	if g.chance(50) {
		s["additionalProperties"] = false
	}
	return s
}

// alternatives draws anyOf or oneOf of schemas that differ in type, in a constant or in a required name, as documents have them.
func (g *schemas) alternatives(depth int, inPlace []string) object {
	var list []any
	switch g.r.IntN(4) {
	case 0:
		for i := range 2 + g.r.IntN(2) {
			m := g.plain(depth - 1)
			m["properties"].(object)["id"] = object{"const": fmt.Sprint("k", i)}
			m["required"] = []any{"id"}
			list = append(list, m)
		}
	case 1:
		for range 2 {
			list = append(list, object{"required": []any{pick(g.r, names())}})
		}
	case 2:
		list = []any{g.schema(depth-1, inPlace), object{"type": "null"}}
	default:
		for _, kind := range some(g.r, []string{"object", "array", "string", "number", "integer", "boolean", "null"}, 2+g.r.IntN(2)) {
			m := object{}
			g.typed(m, depth-1, inPlace, kind)
			list = append(list, m)
		}
	}
	s := object{pick(g.r, []string{"anyOf", "oneOf"}): list}
	if g.chance(15) {
		g.typed(s, depth-1, inPlace, g.kinds(depth)...)
		delete(s, "type")
	}
	return s
}

// combine adds a keyword that asks other schemas about the same value.
func (g *schemas) combine(m object, depth int, inPlace, kinds []string) {
	// alike draws a schema for values of the same type, so that both can hold.
	alike := func() any {
		if g.chance(15) {
			return g.schema(depth-1, inPlace)
		}
		s := object{}
		g.typed(s, depth-1, inPlace, pick(g.r, kinds))
		if g.chance(50) {
			delete(s, "type")
		}
		return s
	}
	switch g.r.IntN(7) {
	case 0:
		m["allOf"] = []any{alike()}
		if g.chance(50) {
			m["allOf"] = append(m["allOf"].([]any), alike())
		}
	case 1:
		m["anyOf"] = []any{alike(), alike()}
	case 2:
		m["oneOf"] = []any{alike(), alike()}
	case 3:
		m["not"] = alike()
	default:
		m["if"] = alike()
		if g.chance(75) {
			m["then"] = alike()
		}
		if g.chance(60) {
			m["else"] = alike()
		}
	}
}

// typed adds the type and keywords for values of it.
func (g *schemas) typed(m object, depth int, inPlace []string, kinds ...string) {
	var list []any
	for _, kind := range kinds {
		list = append(list, kind)
	}
	m["type"] = any(list)
	if len(list) == 1 {
		m["type"] = list[0]
	}
	if g.chance(9) {
		g.values(m, kinds)
	}
	for _, kind := range kinds {
		switch kind {
		case "number", "integer":
			g.numeric(m, kind)
		case "string":
			g.text(m)
		case "array":
			g.array(m, depth)
		case "object":
			g.object(m, depth, inPlace)
		}
	}
}

func texts(list []string) []any {
	converted := []any{}
	for _, s := range list {
		converted = append(converted, s)
	}
	return converted
}

// pick draws one of a list.
func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// some draws n different ones of a list.
func some[T any](r *rand.Rand, list []T, n int) []T {
	drawn := slices.Clone(list)
	r.Shuffle(len(drawn), func(i, j int) { drawn[i], drawn[j] = drawn[j], drawn[i] })
	return drawn[:min(n, len(drawn))]
}
