package codegen

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// node is a value of the document that knows where it stands, so that a fault can name the file, the line and the pointer.
type node struct {
	doc      *source
	yaml     *yaml.Node
	pointer  string
	place              // of its key, or of what it would be a member of where it does not exist
	resource *resource // that references in it are resolved against
}

// place is where something stands in its file.
type place struct{ line, column int }

func placeOf(y *yaml.Node) place { return place{y.Line, y.Column} }

func (s *source) top() node { return s.base.root }

func (n node) exists() bool { return n.yaml != nil }

func (n node) child(y *yaml.Node, token string) node {
	c := node{doc: n.doc, yaml: y, pointer: n.pointer + "/" + escapePointer.Replace(token), place: n.place, resource: n.resource}
	if y == nil {
		return c
	}
	c.place = placeOf(y)
	if y.Kind == yaml.AliasNode {
		y = y.Alias
		c.yaml = y
	}
	if elsewhere, hoisted := n.doc.library.origins[y]; hoisted {
		return elsewhere
	}
	if r := n.doc.library.of[y]; r != nil {
		c.resource = r
	}
	return c
}

// at is the member that a key of the mapping has.
func (n node) at(key, value *yaml.Node) node {
	c := n.child(value, key.Value)
	if c.doc == n.doc && key.Line > 0 {
		c.place = placeOf(key)
	}
	return c
}

// escapePointer escapes a reference token (RFC 6901 §3).
var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

var unescapePointer = strings.NewReplacer("~1", "/", "~0", "~")

// step returns the member of the name or the element of the number.
func (n node) step(token string) node {
	if n.isSequence() {
		if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(n.yaml.Content) {
			return n.child(n.yaml.Content[i], token)
		}
		return n.child(nil, token)
	}
	return n.get(token)
}

// get returns the member of a mapping, or a node that does not exist.
func (n node) get(key string) node {
	if n.yaml != nil && n.yaml.Kind == yaml.MappingNode {
		for i := 0; i < len(n.yaml.Content); i += 2 {
			if n.yaml.Content[i].Value == key {
				return n.at(n.yaml.Content[i], n.yaml.Content[i+1])
			}
		}
	}
	return n.child(nil, key)
}

// member is a key of a mapping with its value.
type member struct {
	key   string
	value node
}

// members returns the members of a mapping in document order.
func (n node) members() []member {
	if n.yaml == nil || n.yaml.Kind != yaml.MappingNode {
		return nil
	}
	var list []member
	for i := 0; i < len(n.yaml.Content); i += 2 {
		key := n.yaml.Content[i]
		list = append(list, member{key.Value, n.at(key, n.yaml.Content[i+1])})
	}
	return list
}

// elements returns the elements of a sequence.
func (n node) elements() []node {
	if n.yaml == nil || n.yaml.Kind != yaml.SequenceNode {
		return nil
	}
	var list []node
	for i, y := range n.yaml.Content {
		list = append(list, n.child(y, strconv.Itoa(i)))
	}
	return list
}

func (n node) isMapping() bool  { return n.yaml != nil && n.yaml.Kind == yaml.MappingNode }
func (n node) isSequence() bool { return n.yaml != nil && n.yaml.Kind == yaml.SequenceNode }
func (n node) isNull() bool     { return n.yaml != nil && n.yaml.Tag == "!!null" }
func (n node) isBoolean() bool  { return n.yaml != nil && n.yaml.Tag == "!!bool" }

// isText reports whether the node is a string.
func (n node) isText() bool {
	return n.yaml != nil && n.yaml.Kind == yaml.ScalarNode && (n.yaml.Tag == "!!str" || n.yaml.Tag == "!!timestamp")
}

// text returns the scalar as it is written, "" where there is none.
func (n node) text() string {
	if n.yaml == nil || n.yaml.Kind != yaml.ScalarNode {
		return ""
	}
	return n.yaml.Value
}

// boolean returns the value of a true or false, false where it is absent.
func (n node) boolean() bool {
	if !n.exists() {
		return false
	}
	if n.yaml.Tag != "!!bool" {
		n.fault("must be true or false")
	}
	return n.text() == "true"
}

// count returns a whole number that is not negative, or -1 where it is absent. JSON Schema takes 2.0 for 2.
func (n node) count() int {
	if !n.exists() {
		return -1
	}
	v := n.whole()
	if v < 0 {
		n.fault("must be a whole number that is not negative")
	}
	return v
}

// whole returns a whole number that is not negative, or -1 where it is anything else.
func (n node) whole() int {
	v, err := strconv.Atoi(strings.TrimSuffix(n.text(), ".0"))
	if err != nil || v < 0 || n.isText() {
		return -1
	}
	return v
}

// number returns a number as it is written, or "" where it is absent.
func (n node) number() string {
	if !n.exists() {
		return ""
	}
	if text := n.text(); !n.isText() && !n.isBoolean() && json.Valid([]byte(text)) {
		return text
	}
	n.fault("must be a number, as JSON writes it")
	return ""
}

// texts returns the elements of a list of strings.
func (n node) texts() []string {
	var list []string
	if n.exists() && !n.isSequence() {
		n.fault("must be a list of strings")
	}
	for _, e := range n.elements() {
		if !e.isText() {
			e.fault("must be a string")
		}
		list = append(list, e.text())
	}
	return list
}

// json returns the value as compact JSON.
func (n node) json() string {
	b, err := appendJSON(nil, n.yaml)
	if err != nil {
		n.fault("has no form in JSON: %v", err)
		return "null"
	}
	return string(b)
}

// allow notes a fault for every member of a mapping that is not among keys. kind says what the mapping is.
func (n node) allow(kind string, keys ...string) {
	if !n.exists() {
		return
	}
	if !n.isMapping() {
		n.fault("must be a mapping: it is %s", kind)
		return
	}
	for _, m := range n.members() {
		switch {
		case slices.Contains(keys, m.key), m.key == "<<":
			if strings.HasPrefix(m.key, "x-") {
				m.value.markJudged()
			}
		case strings.HasPrefix(m.key, "x-"):
			judgeExtension(m.value, m.key)
		default:
			m.value.fault("%q has no place in %s%s", m.key, kind, suggestion(m.key, keys))
		}
	}
}

// expect warns of what is missing and OpenAPI demands, though nothing here depends on it.
func (n node) expect(kind string, keys ...string) {
	for _, key := range keys {
		if n.isMapping() && !n.get(key).exists() {
			n.warn("%s has no %s, which OpenAPI demands", kind, key)
		}
	}
}

// resolve follows a $ref, also of a $ref, to what it names; a node without one is its own target.
func (n node) resolve() (target node) {
	for range 10 {
		ref := n.get("$ref")
		if !ref.exists() {
			return n
		}
		for _, m := range n.members() {
			if m.key != "$ref" && m.key != "summary" && m.key != "description" && !strings.HasPrefix(m.key, "x-") {
				m.value.fault("OpenAPI ignores what stands beside this $ref: move it to where the $ref points, or write that out here")
			}
		}
		if n = ref.find(ref.text()); !n.exists() {
			return n
		}
	}
	n.fault("is a $ref to a $ref to a $ref without end")
	return n.child(nil, "$ref")
}

// component returns the name of a component of the section, "" for what is none.
func (n node) component(section string) string {
	if n.doc != n.doc.library.main {
		if c := n.doc.library.hoisted[n.yaml]; c.section == section {
			return c.name
		}
		return ""
	}
	name, ok := strings.CutPrefix(n.pointer, "/components/"+section+"/")
	if !ok || strings.Contains(name, "/") {
		return ""
	}
	return unescapePointer.Replace(name)
}
