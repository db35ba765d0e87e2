package differentialtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
)

// Document draws an OpenAPI document of n operations, of which each takes one schema as its body, and counts in how many schemas
// each keyword stands. seen holds the schemas that were drawn before: none is drawn twice.
func Document(seed uint64, batch, n int, seen map[string]bool) (document []byte, keywords map[string]int, err error) {
	g := &schemas{r: rand.New(rand.NewPCG(seed, uint64(batch)<<32))}
	components := g.components()
	keywords = map[string]int{}
	paths := object{}
	for i := 0; i < n; {
		schema := g.body(i)
		key, err := json.Marshal(schema)
		if err != nil {
			return nil, nil, err
		}
		if m, ok := schema.(object); ok && m["$defs"] != nil {
			m["$id"] = fmt.Sprintf("https://differential.example/%d/%d/", batch, i) // its references are its own
		}
		if seen[string(key)] || !promising(components, schema, g.r) {
			continue
		}
		seen[string(key)] = true
		counted := map[string]bool{}
		count(schema, components, counted)
		for name := range counted {
			if _, reference := componentOf(name); !reference {
				keywords[name]++
			}
		}
		paths["/"+operationID(i)] = operation(i, schema)
		i++
	}
	document, err = json.Marshal(object{"openapi": "3.1.0", "info": object{"title": "Differential", "version": "0"}, "paths": paths, "components": object{"schemas": components}})
	return document, keywords, err
}

func operation(i int, schema any) object {
	return object{"post": object{
		"operationId": operationID(i), "security": []any{}, "x-public-reason": "a test",
		"requestBody": object{"required": true, "content": object{"application/json": object{"schema": schema}}},
		"responses":   object{"204": object{"description": ""}},
	}}
}

// promising reports whether some of the drawn instances are valid and some are not. One schema of twenty need not be: those that
// accept everything or nothing are schemas too.
func promising(components object, schema any, r *rand.Rand) bool {
	if r.IntN(20) == 0 {
		return true
	}
	document, err := json.Marshal(object{"paths": object{"/s0": operation(0, schema)}, "components": object{"schemas": components}})
	if err != nil {
		return false
	}
	oracle, err := NewOracle(document)
	if err != nil {
		return false
	}
	s, err := oracle.Schema(0)
	if err != nil {
		panic(fmt.Sprintf("%v\n%s", err, document)) // the generator of schemas is wrong
	}
	drawn, valid := s.instances(r), 0
	const tries = 60
	for range tries {
		if data, _ := drawn.next(); s.Judge(data) == nil {
			valid++
			drawn.accepted()
		}
	}
	return valid >= tries/5 && valid <= tries-tries/10
}

// count notes the keywords of a schema and of the components that it refers to.
func count(schema any, components object, counted map[string]bool) {
	m, ok := schema.(object)
	if !ok {
		counted["true or false"] = true
		return
	}
	for name, v := range m {
		counted[name] = true
		switch {
		case slices.Contains([]string{"properties", "patternProperties", "dependentSchemas", "$defs"}, name):
			for _, inner := range v.(object) {
				count(inner, components, counted)
			}
		case slices.Contains([]string{"allOf", "anyOf", "oneOf", "prefixItems"}, name):
			for _, inner := range v.([]any) {
				count(inner, components, counted)
			}
		case slices.Contains([]string{"items", "contains", "additionalProperties", "unevaluatedProperties", "unevaluatedItems", "not", "if", "then", "else", "propertyNames"}, name):
			count(v, components, counted)
		case name == "$ref":
			if target, found := componentOf(v.(string)); found && !counted[v.(string)] {
				counted[v.(string)] = true
				count(components[target], components, counted)
			}
		}
	}
}
