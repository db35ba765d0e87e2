package differentialtest

import (
	"encoding/json"
	"fmt"
)

// values adds const or enum.
func (g *schemas) values(m object, kinds []string) {
	v := &values{r: g.r}
	one := func() any { return v.any(pick(g.r, kinds), 2) }
	if g.chance(40) {
		m["const"] = one()
		return
	}
	list := []any{}
	for range 1 + g.r.IntN(4) {
		list = append(list, one())
	}
	if g.chance(20) {
		list = append(list, v.any("", 1))
	}
	m["enum"] = list
}

func (g *schemas) numeric(m object, kind string) {
	low := g.r.IntN(24) - 12
	high := low + g.r.IntN(24)
	bound := func(keyword string, n int) {
		switch g.r.IntN(6) {
		case 0:
			m[keyword] = json.Number(fmt.Sprintf("%d.5", n))
		case 1:
			m[keyword] = json.Number(fmt.Sprintf("%d.0", n))
		case 2:
			m[keyword] = json.Number(fmt.Sprintf("%de1", n))
		default:
			m[keyword] = json.Number(fmt.Sprint(n))
		}
	}
	if g.chance(35) {
		bound(pick(g.r, []string{"minimum", "minimum", "exclusiveMinimum"}), low)
	}
	if g.chance(35) {
		bound(pick(g.r, []string{"maximum", "maximum", "exclusiveMaximum"}), high)
	}
	if g.chance(20) {
		m["multipleOf"] = json.Number(pick(g.r, []string{"1", "2", "3", "5", "7", "0.1", "0.01", "0.5", "2.5", "1e1", "1e-3", "0.3", "1.0", "64", "12e-1"}))
	}
	if g.chance(8) && m["format"] == nil {
		m["format"] = pick(g.r, []string{"int32", "int64", "double"})
		if kind == "integer" {
			m["format"] = pick(g.r, []string{"int32", "int64", "uint8"})
		}
	}
}

func (g *schemas) text(m object) {
	switch n := g.r.IntN(100); {
	case n < 25:
		m["pattern"] = g.pattern()
	case n < 42 && m["format"] == nil:
		m["format"] = pick(g.r, formatNames())
		return
	}
	if g.chance(60) {
		g.counts(m, "minLength", "maxLength", 50)
	}
}

// counts adds bounds of a length.
func (g *schemas) counts(m object, low, high string, percent int) {
	least := g.r.IntN(3)
	if g.chance(percent) {
		m[low] = least
	}
	if g.chance(percent) {
		m[high] = least + g.r.IntN(4)
	}
}

func (g *schemas) array(m object, depth int) {
	if g.chance(55) {
		m["items"] = g.child(depth)
	}
	if g.chance(20) {
		list := []any{}
		for range 1 + g.r.IntN(3) {
			list = append(list, g.child(depth))
		}
		m["prefixItems"] = list
	}
	if g.chance(24) {
		m["contains"] = g.child(depth)
		if g.chance(45) {
			m["minContains"] = g.r.IntN(3)
		}
		if g.chance(45) {
			m["maxContains"] = 1 + g.r.IntN(2)
		}
	}
	g.counts(m, "minItems", "maxItems", 25)
	if g.chance(25) {
		m["uniqueItems"] = g.chance(90)
	}
	if g.chance(20) {
		m["unevaluatedItems"] = g.mostlyFalse(depth)
	}
}

func (g *schemas) mostlyFalse(depth int) any {
	if g.chance(60) {
		return false
	}
	return g.child(depth)
}

func (g *schemas) object(m object, depth int, inPlace []string) {
	if g.chance(75) {
		properties := object{}
		for _, name := range some(g.r, names(), 1+g.r.IntN(3)) {
			properties[name] = g.child(depth)
			if p, ok := properties[name].(object); ok && g.chance(25) && p["$ref"] == nil {
				g.fill(p)
			}
		}
		m["properties"] = properties
	}
	if g.chance(35) {
		m["required"] = texts(some(g.r, names(), 1+g.r.IntN(2)))
	}
	if g.chance(14) {
		m["patternProperties"] = object{pick(g.r, namePatterns()): g.child(depth)}
		if g.chance(30) {
			m["patternProperties"].(object)[pick(g.r, namePatterns())] = g.child(depth)
		}
	}
	if g.chance(35) {
		m["additionalProperties"] = g.mostlyFalse(depth)
	}
	if g.chance(14) {
		m["propertyNames"] = g.nameSchema()
	}
	if g.chance(9) {
		list := some(g.r, names(), 3)
		m["dependentRequired"] = object{list[0]: texts(list[1 : 1+g.r.IntN(3)])}
	}
	if g.chance(22) && depth > 1 {
		inner := object{}
		g.typed(inner, depth-1, inPlace, "object")
		m["dependentSchemas"] = object{pick(g.r, names()): inner}
	}
	g.counts(m, "minProperties", "maxProperties", 14)
	if g.chance(14) {
		m["unevaluatedProperties"] = g.mostlyFalse(depth)
	}
}

// fill adds a default. It is one of the values that an enum allows, or of a type without other limits.
func (g *schemas) fill(p object) {
	kind, one := p["type"].(string)
	switch {
	case p["const"] != nil || p["enum"] != nil || !one || len(p) > 1:
		return
	case kind == "string":
		p["default"] = "x"
	case kind == "boolean":
		p["default"] = true
	case kind == "number" || kind == "integer":
		p["default"] = 3
	}
}

// nameSchema draws a schema for the names of members.
func (g *schemas) nameSchema() any {
	switch g.r.IntN(4) {
	case 0:
		return object{"pattern": pick(g.r, namePatterns())}
	case 1:
		return object{"enum": texts(some(g.r, names(), 4))}
	case 2:
		return object{"maxLength": 1 + g.r.IntN(4)}
	}
	return object{"not": object{"const": pick(g.r, names())}}
}
