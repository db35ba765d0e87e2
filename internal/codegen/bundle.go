package codegen

import (
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// holds says for each object of OpenAPI which objects its members are: { stands for a map of them and [ for a list.
var holds = map[string]map[string]string{
	"document": {"paths": "{pathItem", "webhooks": "{pathItem", "components": "components"},
	"components": {"schemas": "{schema", "responses": "{response", "parameters": "{parameter", "examples": "{example", "requestBodies": "{requestBody",
		"headers": "{header", "securitySchemes": "{securityScheme", "links": "{link", "callbacks": "{callback", "pathItems": "{pathItem"},
	"pathItem": {"parameters": "[parameter", "get": "operation", "put": "operation", "post": "operation", "patch": "operation", "delete": "operation",
		"options": "operation", "head": "operation", "trace": "operation"},
	"operation":   {"parameters": "[parameter", "requestBody": "requestBody", "responses": "{response", "callbacks": "{callback"},
	"parameter":   {"schema": "schema", "content": "{mediaType", "examples": "{example"},
	"header":      {"schema": "schema", "content": "{mediaType", "examples": "{example"},
	"requestBody": {"content": "{mediaType"},
	"mediaType":   {"schema": "schema", "examples": "{example", "encoding": "{encoding"},
	"encoding":    {"headers": "{header"},
	"response":    {"headers": "{header", "content": "{mediaType", "links": "{link"},
	"schema": {"properties": "{schema", "patternProperties": "{schema", "dependentSchemas": "{schema", "$defs": "{schema", "allOf": "[schema", "anyOf": "[schema",
		"oneOf": "[schema", "prefixItems": "[schema", "not": "schema", "if": "schema", "then": "schema", "else": "schema", "items": "schema", "contains": "schema",
		"unevaluatedItems": "schema", "additionalProperties": "schema", "propertyNames": "schema", "unevaluatedProperties": "schema", "contentSchema": "schema"},
}

// sections are the maps of components by what they hold.
var sections = map[string]string{"schema": "schemas", "response": "responses", "parameter": "parameters", "example": "examples", "requestBody": "requestBodies",
	"header": "headers", "securityScheme": "securitySchemes", "link": "links", "callback": "callbacks", "pathItem": "pathItems"}

// component is a member of components.
type component struct{ section, name string }

// reference is how a $ref names a place of the document.
func reference(pointer string) string { return (&url.URL{Fragment: pointer}).String() }

func (c component) reference() string {
	return reference("/components/" + c.section + "/" + escapePointer.Replace(c.name))
}

// bundler follows every reference of the document, and makes components of what stands in other files.
type bundler struct {
	*library
	visited map[*yaml.Node]bool
	taken   map[component]bool
	queue   []func()
}

func newBundler(l *library) *bundler {
	return &bundler{library: l, visited: map[*yaml.Node]bool{}, taken: map[component]bool{}}
}

func (b *bundler) run() {
	top := b.main.top()
	for _, section := range top.get("components").members() {
		for _, m := range section.value.members() {
			b.taken[component{section.key, m.key}] = true
		}
	}
	b.stand(top)
	each("document", top, b.visit)
	for len(b.queue) > 0 {
		next := b.queue[0]
		b.queue = b.queue[1:]
		next()
	}
}

// stand puts the content of other files in the place of components and path items that are nothing but a reference to it: it
// gets their name.
func (b *bundler) stand(top node) {
	for _, section := range top.get("components").members() {
		b.standIn(section.value, func(target node, name string) {
			c := component{section.key, name}
			if _, known := b.hoisted[target.yaml]; !known {
				b.hoisted[target.yaml] = c
			}
		})
	}
	b.standIn(top.get("paths"), func(node, string) {})
	b.standIn(top.get("webhooks"), func(node, string) {})
}

func (b *bundler) standIn(section node, then func(target node, name string)) {
	for i, m := range section.members() {
		ref := m.value.get("$ref")
		if !ref.exists() || len(m.value.members()) != 1 {
			continue
		}
		target := b.find(ref)
		if !target.exists() || target.doc == b.main || b.hoisted[target.yaml].name != "" {
			continue
		}
		section.yaml.Content[2*i+1] = target.yaml
		b.origins[target.yaml] = target
		then(target, m.key)
	}
}

// find returns what a reference names, and remembers where it names nothing, so that it is told once.
func (b *bundler) find(ref node) node {
	target := ref.find(ref.text())
	if !target.exists() {
		b.broken[ref.yaml] = true
	}
	return target
}

// visit follows what an object refers to, once.
func (b *bundler) visit(kind string, n node) bool {
	if b.visited[n.yaml] {
		return false
	}
	b.visited[n.yaml] = true
	if kind == "schema" {
		b.schema(n)
	} else if ref := n.get("$ref"); ref.exists() {
		b.follow(kind, ref)
	}
	return true
}

// each visits an object and those in it. visit returns whether to go on below it.
func each(kind string, n node, visit func(kind string, n node) bool) {
	if !n.isMapping() || !visit(kind, n) {
		return
	}
	for _, m := range n.members() {
		form := holds[kind][m.key]
		if kind == "callback" {
			form = "pathItem"
		}
		switch {
		case form == "":
		case form[0] == '{':
			m.value.demand(m.value.isMapping(), "a mapping of names to ", form[1:])
			for _, e := range m.value.members() {
				each(form[1:], e.value, visit)
			}
		case form[0] == '[':
			m.value.demand(m.value.isSequence(), "a list of ", form[1:])
			for _, e := range m.value.elements() {
				each(form[1:], e, visit)
			}
		default:
			each(form, m.value, visit)
		}
	}
}

// demand notes where a value has not the form that its place asks for: it would be passed over.
func (n node) demand(ok bool, form, kind string) {
	note := n.fault
	if kind == "example" || kind == "link" {
		note = n.warn // nothing of them is enforced
	}
	switch form += severalOf(kind); {
	case ok:
	case n.isNull():
		note("is empty: it must be %s", form)
	default:
		note("must be %s", form)
	}
}

// severalOf is what messages call several of a kind of object.
func severalOf(kind string) string {
	switch kind {
	case "mediaType":
		return "media types"
	case "requestBody":
		return "request bodies"
	case "securityScheme":
		return "security schemes"
	case "pathItem":
		return "paths"
	}
	return kind + "s"
}

// schema follows the references of a Schema Object.
func (b *bundler) schema(n node) {
	for _, keyword := range []string{"$ref", "$dynamicRef"} {
		if ref := n.get(keyword); ref.exists() {
			b.follow("schema", ref)
		}
	}
	for _, m := range n.get("discriminator").get("mapping").members() {
		if isReference(m.value.text()) {
			b.follow("schema", m.value)
		} else if n.doc != b.main {
			b.followName(m.value)
		}
	}
	if n.doc == b.main || n.resource.absolute() {
		return
	}
	// The file is not a resource of the document: what was relative to it is rewritten, and nothing may be left of its scope.
	for _, keyword := range []string{"$dynamicRef", "$dynamicAnchor"} {
		if k := n.get(keyword); k.exists() {
			k.fault("%s depends on the file: state an absolute $id at its top", keyword)
		}
	}
	n.drop("$id")
	n.drop("$anchor")
}

// followName follows a discriminator's name of a component: of its own file, or else of the document.
func (b *bundler) followName(name node) {
	if b.visited[name.yaml] {
		return
	}
	for _, s := range []*source{name.doc, b.main} {
		if target := s.top().get("components").get("schemas").get(name.text()); target.exists() {
			b.visited[name.yaml], b.targets[name.yaml] = true, target
			name.yaml.Value = reference("/components/schemas/" + escapePointer.Replace(name.text()))
			if target.doc != b.main {
				name.yaml.Value = b.hoist("schema", target).reference()
			}
			return
		}
	}
}

// absolute reports whether the resource has a URI of its own, and not that of a file.
func (r *resource) absolute() bool { return r.uri.Scheme != "file" }

// follow makes a component of what a reference names in another file, and rewrites the reference.
func (b *bundler) follow(kind string, ref node) {
	if b.visited[ref.yaml] {
		return
	}
	b.visited[ref.yaml] = true
	target := b.find(ref)
	if !target.exists() || target.doc == b.main && ref.doc == b.main {
		return
	}
	if ref.resource.absolute() {
		switch {
		case target.resource == ref.resource:
		case target.resource.absolute(): // it is found by its URI
			if target.doc != b.main {
				b.hoist(kind, target.resource.root)
			}
		default:
			ref.fault("refers from a schema with an $id to another file: give that one an $id of its own")
		}
		return
	}
	b.targets[ref.yaml] = target
	if target.doc == b.main {
		ref.yaml.Value = reference(target.pointer)
		return
	}
	ref.yaml.Value = b.hoist(kind, target).reference()
}

// hoist makes a component of something in another file.
func (b *bundler) hoist(kind string, target node) component {
	if c, known := b.hoisted[target.yaml]; known {
		return c
	}
	c := component{sections[kind], b.free(sections[kind], target)}
	b.hoisted[target.yaml], b.origins[target.yaml] = c, target
	section := mappingIn(mappingIn(b.main.root, "components"), c.section)
	section.Content = append(section.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: c.name}, target.yaml)
	b.queue = append(b.queue, func() { each(kind, target, b.visit) })
	return c
}

var notOfNames = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// free returns a name that no component of the section has: that which the target has in its file, or that of the file.
func (b *bundler) free(section string, target node) string {
	file := filepath.Base(target.doc.file)
	file = strings.TrimSuffix(file, filepath.Ext(file))
	name := unescapePointer.Replace(target.pointer[strings.LastIndexByte(target.pointer, '/')+1:])
	if name == "" {
		name = file
	}
	name = strings.Trim(notOfNames.ReplaceAllString(name, "_"), "_")
	wish := name
	for i := 1; b.taken[component{section, name}] || name == ""; i++ {
		if name = file + "_" + wish; i > 1 {
			name += strconv.Itoa(i)
		}
	}
	b.taken[component{section, name}] = true
	return name
}

// mappingIn returns the mapping that is the member of a mapping, and makes it where there is none.
func mappingIn(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			for n = n.Content[i+1]; n.Kind == yaml.AliasNode; {
				n = n.Alias
			}
			return n
		}
	}
	m := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, m)
	return m
}

// drop removes a member of a mapping.
func (n node) drop(key string) {
	for i := 0; i < len(n.yaml.Content); i += 2 {
		if n.yaml.Content[i].Value == key {
			n.yaml.Content = slices.Delete(n.yaml.Content, i, i+2)
			return
		}
	}
}

// text is the document as it is served: of one file byte for byte, of several files in one.
func (l *library) text() ([]byte, error) {
	if len(l.files) == 1 {
		return l.main.data, nil
	}
	return yaml.Marshal(plain(l.main.root))
}

// plain copies a value without anchors and aliases, whose names mean something in their own file only.
func plain(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	c := *n
	c.Anchor, c.Content = "", nil
	for _, child := range n.Content {
		c.Content = append(c.Content, plain(child))
	}
	return &c
}
