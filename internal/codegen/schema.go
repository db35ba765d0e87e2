package codegen

import (
	"math/bits"
	"strings"
)

// schema is a JSON Schema as it is enforced: everything in it has a meaning, and every keyword of the document is in it or
// was refused.
type schema struct {
	node node
	name string // of the component, "" for one that is written in place

	always, never bool // the schemas true and false
	ref           *schema
	types         types // 0: any
	nullable      bool  // 3.0, and a null branch of anyOf or oneOf: null is accepted before anything else is asked
	enum          []string
	constant      bool // enum is the one value of const

	format      string
	pattern     string // as the document spells it
	re2         string // the same for RE2
	minLength   int    // -1: not stated, as with all that count
	maxLength   int
	minimum     string // as the document spells it, "" where there is none
	maximum     string
	above       string // exclusiveMinimum
	under       string // exclusiveMaximum
	multipleOf  string
	minItems    int
	maxItems    int
	uniqueItems bool

	prefix           []*schema // prefixItems
	items            *schema
	contains         *schema
	minContains      int
	maxContains      int
	unevaluatedItems *schema

	properties            []property
	patterns              []patternProperty
	additional            *schema // additionalProperties, nil where it is not stated
	names                 *schema // propertyNames
	required              []string
	dependentRequired     []dependency
	dependentSchemas      []property
	minProperties         int
	maxProperties         int
	unevaluatedProperties *schema

	allOf, anyOf, oneOf []*schema
	not, when           *schema // when is the keyword if
	then, otherwise     *schema
	discriminator       *discriminator

	readOnly, writeOnly bool
	fill                string // default, as JSON
	filled              string // the default that is filled in: its own or that of a part, where the whole schema accepts it
	title, description  string
	goName              string // x-go-name
	deprecated          bool
}

type property struct {
	name   string
	schema *schema
}

type patternProperty struct {
	pattern, re2 string
	schema       *schema
}

type dependency struct {
	name  string
	needs []string
}

type discriminator struct {
	node     node
	property string
	cases    []discriminated
}

type discriminated struct {
	value  string
	schema *schema
	// implied is the name of the component, which no mapping states.
	implied bool
}

// types is a set of JSON types.
type types int

const (
	typeNull types = 1 << iota
	typeBoolean
	typeNumber
	typeString
	typeArray
	typeObject
	typeInteger
)

var typeNames = []string{"null", "boolean", "number", "string", "array", "object", "integer"}

func parseType(name string) types {
	for i, n := range typeNames {
		if n == name {
			return 1 << i
		}
	}
	return 0
}

func (t types) has(other types) bool { return t&other != 0 }

// single reports whether it is exactly one type.
func (t types) single() bool { return bits.OnesCount(uint(t)) == 1 }

func (t types) String() string {
	var list []string
	for i, n := range typeNames {
		if t.has(1 << i) {
			list = append(list, n)
		}
	}
	return strings.Join(list, "|")
}

// allows returns the types of values that the schema can accept, as far as its own keywords, its references and the branches
// of its alternatives tell: 0 stands for none, and Integer is there wherever Number is.
func (s *schema) allows() types { return s.allowed(map[*schema]bool{}) }

const anyType = typeNull | typeBoolean | typeNumber | typeString | typeArray | typeObject | typeInteger

func (s *schema) allowed(seen map[*schema]bool) types {
	if s.never {
		return 0
	}
	if seen[s] {
		return anyType
	}
	seen[s] = true
	defer delete(seen, s)
	t := anyType
	if s.types != 0 {
		if t = s.types; t.has(typeNumber) {
			t |= typeInteger
		}
	}
	if s.enum != nil {
		var kinds types
		for _, v := range s.enum {
			kinds |= typeOfJSON(v)
		}
		t &= kinds
	}
	if s.ref != nil {
		t &= s.ref.allowed(seen)
	}
	for _, b := range s.allOf {
		t &= b.allowed(seen)
	}
	for _, list := range [][]*schema{s.anyOf, s.oneOf} {
		var union types
		for _, b := range list {
			union |= b.allowed(seen)
		}
		if list != nil {
			t &= union
		}
	}
	if s.nullable {
		t |= typeNull
	}
	return t
}

// typeOfJSON is the type of a value that is written as compact JSON.
func typeOfJSON(json string) types {
	switch json[0] {
	case 'n':
		return typeNull
	case 't', 'f':
		return typeBoolean
	case '"':
		return typeString
	case '[':
		return typeArray
	case '{':
		return typeObject
	}
	return typeNumber | typeInteger
}

// newSchema returns a schema that says nothing.
func newSchema(n node) *schema {
	return &schema{node: n, minLength: -1, maxLength: -1, minItems: -1, maxItems: -1, minContains: -1, maxContains: -1, minProperties: -1, maxProperties: -1}
}
