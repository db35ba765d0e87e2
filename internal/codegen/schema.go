package codegen

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// schema is a JSON Schema as far as it is enforced.
type schema struct {
	node     node
	name     string // of the component, "" for one that is written in place
	typ      string // string, number, integer, boolean, array, object
	nullable bool
	format   string
	enum     []string // without null

	minLength, maxLength int64 // -1: not stated
	pattern              string

	// Bounds as the document spells them, "" where there is none.
	minimum, maximum, exclusiveMinimum, exclusiveMaximum string

	items              *schema
	minItems, maxItems int64
	uniqueItems        bool

	properties []property
	open       bool // members that are not declared are allowed

	hasDefault   bool
	defaultValue string
}

type property struct {
	name     string
	required bool
	schema   *schema
}

// formats lists, for each type, the formats that are enforced or that only choose a Go type. A format that is not
// listed is refused.
var formats = map[string][]string{
	"string":  {"", "date", "date-time", "email", "uuid", "password", "uri-reference"},
	"number":  {"double"},
	"integer": {"int32", "int64"},
	"boolean": {""},
	"array":   {""},
	"object":  {""},
}

var annotations = []string{"title", "description", "example", "examples", "deprecated", "readOnly", "writeOnly"}

var keywords = map[string][]string{
	"string":  {"type", "format", "enum", "minLength", "maxLength", "pattern", "default"},
	"number":  {"type", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
	"integer": {"type", "format", "minimum", "maximum", "default"},
	"boolean": {"type", "default"},
	"array":   {"type", "items", "minItems", "maxItems", "uniqueItems"},
	"object":  {"type", "properties", "required", "additionalProperties"},
}

// schemas reads each schema once, so that one that refers to itself ends.
type schemas struct {
	byPointer map[string]*schema
}

// read judges the schema at n and everything below it.
func (c *schemas) read(n node) *schema {
	if n.get("anyOf").exists() {
		return c.readNullable(n)
	}
	target := n.resolve()
	if n.get("$ref").exists() {
		n.allow("a $ref", "$ref", "description")
	}
	if !target.exists() {
		return nil
	}
	if s, ok := c.byPointer[target.pointer]; ok {
		return s
	}
	s := &schema{node: target}
	if name, ok := strings.CutPrefix(target.pointer, "/components/schemas/"); ok && !strings.Contains(name, "/") {
		s.name = name
	}
	c.byPointer[target.pointer] = s
	if !target.isMapping() {
		target.fault("a boolean schema cannot be enforced yet: write a type")
		return s
	}
	s.readType()
	if s.typ == "" {
		return s
	}
	target.allow("a schema of type "+s.typ, append(slices.Clone(keywords[s.typ]), annotations...)...)
	s.format = target.get("format").text()
	if !slices.Contains(formats[s.typ], s.format) {
		s.refuseFormat()
	}
	s.readEnum()
	switch s.typ {
	case "string":
		s.minLength, s.maxLength = target.get("minLength").integer(), target.get("maxLength").integer()
		if p := target.get("pattern"); p.exists() {
			judgePattern(p)
			s.pattern = p.text()
		}
		if s.maxLength < 0 && s.enum == nil && !slices.Contains([]string{"date", "date-time", "uuid"}, s.format) {
			target.fault("the string has no maxLength: state the longest that makes sense")
		}
	case "number", "integer":
		s.readBounds()
	case "array":
		s.readArray(c)
	case "object":
		s.readObject(c)
	}
	s.readDefault()
	return s
}

// readNullable reads anyOf of a $ref and null, the form in which OpenAPI 3.1 writes a reference that may be null.
func (c *schemas) readNullable(n node) *schema {
	n.allow("a schema with anyOf", append([]string{"anyOf"}, annotations...)...)
	branches := n.get("anyOf").elements()
	if len(branches) != 2 || !branches[0].get("$ref").exists() || branches[1].get("type").text() != "null" {
		n.get("anyOf").fault("anyOf can be enforced only as a $ref followed by {type: 'null'}: write the schema without")
		return nil
	}
	target := c.read(branches[0])
	if target == nil {
		return nil
	}
	nullable := *target
	nullable.nullable = true
	return &nullable
}

func (s *schema) readType() {
	t := s.node.get("type")
	switch {
	case t.isSequence():
		for _, e := range t.elements() {
			if e.text() == "null" {
				s.nullable = true
			} else if s.typ == "" {
				s.typ = e.text()
			} else {
				t.fault("more than one type beside null cannot be enforced yet: choose one")
			}
		}
	case t.exists():
		s.typ = t.text()
	default:
		s.node.fault("the schema has no type: state one of string, number, integer, boolean, array, object")
		return
	}
	if _, known := keywords[s.typ]; !known {
		t.fault("the type %q cannot be enforced: use one of string, number, integer, boolean, array, object", s.typ)
		s.typ = ""
	}
}

func (s *schema) refuseFormat() {
	switch n := s.node.get("format"); {
	case s.typ == "number":
		s.node.fault("a number without format: double would be rounded to 32 bits: write format: double")
	case s.typ == "integer":
		s.node.fault("the size of the integer is not stated: write format: int32 or format: int64")
	default:
		n.fault("the format %q cannot be enforced yet: use one of%s, or a pattern", s.format, strings.Join(formats[s.typ], " "))
	}
}

func (s *schema) readEnum() {
	n := s.node.get("enum")
	if !n.exists() {
		return
	}
	for _, e := range n.elements() {
		switch {
		case e.isNull() && s.nullable:
		case e.yaml.Tag == "!!str":
			s.enum = append(s.enum, e.text())
		default:
			e.fault("an enum can be enforced for strings only (and null where the type allows it): quote the value or use bounds")
		}
	}
	if len(s.enum) == 0 {
		n.fault("the enum has no values: nothing would be accepted")
	}
}

func (s *schema) readBounds() {
	read := func(keyword string) string {
		n := s.node.get(keyword)
		if !n.exists() {
			return ""
		}
		f, err := strconv.ParseFloat(n.text(), 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			n.fault("must be a number")
			return ""
		}
		if s.typ == "integer" && n.yaml.Tag != "!!int" {
			n.fault("the bound of an integer must be an integer")
			return ""
		}
		return n.text()
	}
	s.minimum, s.maximum = read("minimum"), read("maximum")
	s.exclusiveMinimum, s.exclusiveMaximum = read("exclusiveMinimum"), read("exclusiveMaximum")
	if s.minimum == "" && s.exclusiveMinimum == "" || s.maximum == "" && s.exclusiveMaximum == "" {
		s.node.fault("the %s is not bounded on both sides: state minimum and maximum", s.typ)
	}
}

func (s *schema) readArray(c *schemas) {
	s.minItems, s.maxItems = s.node.get("minItems").integer(), s.node.get("maxItems").integer()
	s.uniqueItems = s.node.get("uniqueItems").boolean()
	if s.maxItems < 0 {
		s.node.fault("the array has no maxItems: state the most that makes sense")
	}
	items := s.node.get("items")
	if !items.exists() {
		s.node.fault("the array does not say what it holds: state items")
		return
	}
	s.items = c.read(items)
	if s.items != nil && s.uniqueItems && s.items.typ != "string" {
		s.node.get("uniqueItems").fault("uniqueItems can be enforced for strings only so far")
	}
}

func (s *schema) readObject(c *schemas) {
	n := s.node
	if extra := n.get("additionalProperties"); extra.exists() {
		if extra.isMapping() {
			extra.fault("a schema for additional members cannot be enforced yet: declare the members")
		} else {
			s.open = extra.boolean()
		}
	} else {
		s.open = true
	}
	var required []string
	for _, r := range n.get("required").elements() {
		required = append(required, r.text())
		if !n.get("properties").get(r.text()).exists() {
			r.fault("requires the member %q, which properties does not declare", r.text())
		}
	}
	for _, m := range n.get("properties").members() {
		s.properties = append(s.properties, property{m.key, slices.Contains(required, m.key), c.read(m.value)})
	}
	if len(s.properties) > 64 {
		n.fault("the object has more than 64 members, which cannot be enforced yet: split it")
	}
}

func (s *schema) readDefault() {
	n := s.node.get("default")
	if s.hasDefault = n.exists(); s.hasDefault {
		s.defaultValue = n.text()
		if s.typ == "string" && s.enum != nil && !slices.Contains(s.enum, s.defaultValue) {
			n.fault("the default is not one of the enum")
		}
	}
}
