package codegen

import (
	"slices"
	"strings"
)

// keywords of a Schema Object: those of JSON Schema 2020-12 and OpenAPI 3.1, and whether OpenAPI 3.0 has them.
var (
	bothVersions = []string{"type", "enum", "format", "pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
		"items", "minItems", "maxItems", "uniqueItems", "properties", "additionalProperties", "required", "minProperties", "maxProperties",
		"allOf", "anyOf", "oneOf", "not", "discriminator", "readOnly", "writeOnly", "default", "nullable", "$ref"}
	only31 = []string{"const", "prefixItems", "contains", "minContains", "maxContains", "unevaluatedItems", "patternProperties", "propertyNames", "dependentRequired",
		"dependentSchemas", "unevaluatedProperties", "if", "then", "else", "$defs", "$id", "$schema", "$anchor", "$dynamicRef", "$dynamicAnchor", "$comment", "$vocabulary",
		"contentEncoding", "contentMediaType", "contentSchema"}
	annotations = []string{"title", "description", "example", "examples", "deprecated", "externalDocs", "xml"}
)

func isAnnotation(keyword string) bool {
	return slices.Contains(annotations, keyword) || strings.HasPrefix(keyword, "x-")
}

// judgeKeywords refuses what is no keyword: it is one that is misspelled, and its limit would be lost.
func judgeKeywords(n node) {
	for _, m := range n.members() {
		switch {
		case m.key == "$schema" && !slices.Contains(dialects, strings.TrimSuffix(m.value.text(), "#")):
			m.value.fault("the dialect %q is not known: leave it out for the one of OpenAPI 3.1, which is JSON Schema 2020-12", m.value.text())
		case slices.Contains(bothVersions, m.key), slices.Contains(annotations, m.key), m.key == "<<":
		case slices.Contains(only31, m.key):
			if n.doc.legacy {
				m.value.fault("%s is not a keyword of OpenAPI 3.0: write openapi: 3.1.0, or say it otherwise", m.key)
			}
		case m.key == "x-go-name":
			m.value.markJudged()
		case strings.HasPrefix(m.key, "x-"):
			judgeExtension(m.value, m.key)
		case m.key == "$recursiveRef", m.key == "$recursiveAnchor":
			m.value.fault("%s is of an older draft of JSON Schema: write $dynamic%s", m.key, strings.TrimPrefix(m.key, "$recursive"))
		default:
			m.value.fault("%q is not a keyword of a schema%s", m.key, suggestion(m.key, slices.Concat(bothVersions, only31, annotations)))
		}
	}
}

func suggestion(key string, known []string) string {
	if like := nearest(key, known); like != "" {
		return ": write " + like
	}
	return ": correct its name or remove it"
}

// nearest returns the name that key differs from in case, punctuation or at most two characters.
func nearest(key string, names []string) string {
	plain := func(s string) string {
		return strings.NewReplacer("_", "", "-", "", "$", "").Replace(strings.ToLower(s))
	}
	best, distance := "", 5
	for _, name := range names {
		if d := editDistance(plain(key), plain(name)); d < distance && d <= len(name)/4 {
			best, distance = name, d
		}
	}
	return best
}

// editDistance counts the insertions, deletions and replacements between two names (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
