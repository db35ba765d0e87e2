package codegen

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// node is a value of the document that knows where it stands, so that a fault can name the file, the line and the pointer.
type node struct {
	doc     *source
	yaml    *yaml.Node
	pointer string
}

// source is the document as it was written.
type source struct {
	file   string
	root   *yaml.Node
	faults Faults
	seen   map[string]bool // faults of a shared schema are told once
}

func parseSource(file string, data []byte) (*source, error) {
	var y yaml.Node
	if err := yaml.Unmarshal(data, &y); err != nil {
		return nil, fmt.Errorf("%s is not YAML or JSON: %w", file, err)
	}
	if len(y.Content) != 1 || y.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s is not an OpenAPI document: its top level must be a mapping", file)
	}
	return &source{file: file, root: y.Content[0], seen: map[string]bool{}}, nil
}

func (s *source) top() node { return node{doc: s, yaml: s.root} }

// fault notes what is wrong at the node.
func (n node) fault(format string, args ...any) {
	f := Fault{File: n.doc.file, Pointer: n.pointer, Reason: fmt.Sprintf(format, args...)}
	if n.yaml != nil {
		f.Line = n.yaml.Line
	}
	if key := f.String(); !n.doc.seen[key] {
		n.doc.seen[key] = true
		n.doc.faults = append(n.doc.faults, f)
	}
}

func (n node) exists() bool { return n.yaml != nil }

func (n node) child(y *yaml.Node, token string) node {
	if y != nil && y.Kind == yaml.AliasNode {
		y = y.Alias
	}
	token = strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1")
	return node{doc: n.doc, yaml: y, pointer: n.pointer + "/" + token}
}

// get returns the member of a mapping, or a node that does not exist.
func (n node) get(key string) node {
	if n.yaml != nil && n.yaml.Kind == yaml.MappingNode {
		for i := 0; i < len(n.yaml.Content); i += 2 {
			if n.yaml.Content[i].Value == key {
				return n.child(n.yaml.Content[i+1], key)
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
		key := n.yaml.Content[i].Value
		list = append(list, member{key, n.child(n.yaml.Content[i+1], key)})
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

// integer returns a whole number that is not negative, or -1 where it is absent.
func (n node) integer() int64 {
	if !n.exists() {
		return -1
	}
	v, err := strconv.ParseInt(n.text(), 10, 64)
	if err != nil || v < 0 || n.yaml.Tag != "!!int" {
		n.fault("must be a whole number that is not negative")
		return -1
	}
	return v
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
		if slices.Contains(keys, m.key) {
			continue
		}
		if strings.HasPrefix(m.key, "x-") {
			m.value.fault("the extension %s is not known here, and what is not known is not enforced: correct its name or remove it", m.key)
		} else {
			m.value.fault("%q in %s cannot be enforced yet: write it without, or remove it", m.key, kind)
		}
	}
}

// resolve follows a $ref within the document; a node without one is its own target.
func (n node) resolve() (target node) {
	ref := n.get("$ref")
	if !ref.exists() {
		return n
	}
	path, local := strings.CutPrefix(ref.text(), "#/")
	if !local {
		ref.fault("refers to %q, outside the document: put the component into this file", ref.text())
		return n.child(nil, "$ref")
	}
	target = n.doc.top()
	for token := range strings.SplitSeq(path, "/") {
		target = target.get(strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~"))
	}
	if !target.exists() {
		ref.fault("refers to %q, which is not declared: declare it or correct the name", ref.text())
	} else if target.get("$ref").exists() {
		ref.fault("refers to %q, which is a $ref itself: refer to its target", ref.text())
		return n.child(nil, "$ref")
	}
	return target
}
