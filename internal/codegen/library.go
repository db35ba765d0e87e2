package codegen

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// library holds the files of a document and finds what a $ref names in them.
type library struct {
	main      *source
	owned     bool                     // the document is one's own: it can be corrected
	files     map[string]*source       // by absolute path
	resources map[string]*resource     // by URI
	of        map[*yaml.Node]*resource // mapping that begins a resource → it
	origins   map[*yaml.Node]node      // what stands in the document and comes from another place → that place
	hoisted   map[*yaml.Node]component // what became a component, from another file
	targets   map[*yaml.Node]node      // what the references name that were rewritten
	broken    map[*yaml.Node]bool      // references that name nothing, and are told
	faults    Faults
	warnings  Faults
	foreign   map[string]int      // extensions of others, counted
	judged    map[string]bool     // members x-… that were looked at, by place
	values    int                 // that the files may have, once their aliases are resolved
	indexing  map[*yaml.Node]bool // anchors around the node that is indexed
	seen      map[string]bool     // faults of a shared schema are told once
}

// source is one file as it was written.
type source struct {
	library *library
	number  int    // in the order in which the files were opened
	file    string // as the user names it
	root    *yaml.Node
	data    []byte
	base    *resource
	legacy  bool // the document is OpenAPI 3.0
}

// resource is a schema resource (JSON Schema §4.3.5): a file, or a schema with an $id of its own. References are
// resolved against its URI, and pointers and anchors within it.
type resource struct {
	uri     *url.URL
	root    node
	anchors map[string]node
	dynamic map[string]node // $dynamicAnchor
}

// openLibrary parses the main file and those that it refers to, and puts what it refers to in them into the document: what
// is judged, enforced and served is one document.
func openLibrary(file string) (*library, error) {
	l := &library{files: map[string]*source{}, resources: map[string]*resource{}, of: map[*yaml.Node]*resource{}, origins: map[*yaml.Node]node{},
		hoisted: map[*yaml.Node]component{}, targets: map[*yaml.Node]node{}, broken: map[*yaml.Node]bool{}, indexing: map[*yaml.Node]bool{}, foreign: map[string]int{}, judged: map[string]bool{}, seen: map[string]bool{}}
	var err error
	if l.main, err = l.open(file); err != nil {
		return nil, err
	}
	if l.main.root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: is not an OpenAPI document: its top level must be a mapping", file, l.main.root.Line)
	}
	newBundler(l).run()
	return l, nil
}

// open parses a file once.
func (l *library) open(file string) (*source, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	if s, known := l.files[path]; known {
		return s, nil
	}
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	root, err := parseText(data)
	if err != nil {
		return nil, fmt.Errorf("%s%w", file, err)
	}
	s := &source{library: l, number: len(l.files), file: file, root: root, data: data}
	l.files[path] = s
	s.base = &resource{uri: &url.URL{Scheme: "file", Path: path}}
	s.base.root = node{doc: s, yaml: s.root, place: placeOf(root), resource: s.base}
	l.resources[s.base.uri.String()] = s.base
	// A value takes a byte at least. Ten lines of aliases can stand for more than fit into memory.
	l.values += 10*len(data) + 100_000
	if l.index(s.base.root, false); l.values < 0 {
		return nil, fmt.Errorf("%s: has aliases that stand for more than ten times its size: write $refs", file)
	}
	return s, nil
}

// index finds the resources and anchors below n. names says that n maps names to schemas, where a member $id is a name.
func (l *library) index(n node, names bool) {
	if l.values--; l.values < 0 {
		return
	}
	if n.yaml.Anchor != "" {
		if l.indexing[n.yaml] {
			n.fault("the anchor %s holds itself: write a $ref", n.yaml.Anchor)
			*n.yaml = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true", Line: n.yaml.Line, Column: n.yaml.Column}
			return
		}
		l.indexing[n.yaml] = true
		defer delete(l.indexing, n.yaml)
	}
	if !names && n.isMapping() {
		if id := n.get("$id"); id.isText() {
			if uri, err := n.resource.uri.Parse(id.text()); err == nil {
				uri.Fragment = ""
				r := &resource{uri: uri, root: n}
				r.root.resource = r
				l.resources[uri.String()], l.of[n.yaml] = r, r
				n.resource = r
			}
		}
		if a := n.get("$anchor"); a.isText() {
			n.resource.addAnchor(&n.resource.anchors, a.text(), n)
		}
		if a := n.get("$dynamicAnchor"); a.isText() {
			n.resource.addAnchor(&n.resource.anchors, a.text(), n)
			n.resource.addAnchor(&n.resource.dynamic, a.text(), n)
		}
	}
	seen := map[string]bool{}
	for i := 0; n.isMapping() && i < len(n.yaml.Content); i += 2 {
		if key := n.yaml.Content[i]; key.Kind != yaml.ScalarNode {
			n.at(key, n.yaml.Content[i+1]).fault("the name of a member must be a string")
		}
	}
	for _, m := range n.members() {
		if seen[m.key] {
			m.value.fault("the member %q occurs twice in this mapping: remove one of them", m.key)
		}
		seen[m.key] = true
		if m.key == "<<" && !names {
			m.value.fault("a merge key is not of YAML 1.2, and other tools would read another document: write the members out")
		}
		switch m.key {
		case "enum", "const", "default", "example", "examples":
			if !names {
				continue
			}
		}
		l.index(m.value, !names && mapsNames[m.key])
	}
	for _, e := range n.elements() {
		l.index(e, false)
	}
}

// mapsNames are the keywords whose members have names that the author chooses.
var mapsNames = map[string]bool{"properties": true, "patternProperties": true, "dependentSchemas": true, "$defs": true, "schemas": true}

func (r *resource) addAnchor(to *map[string]node, name string, n node) {
	if *to == nil {
		*to = map[string]node{}
	}
	(*to)[name] = n
}

// find returns what a reference in n names: a node that does not exist, with a fault at n, where it names nothing.
func (n node) find(reference string) (target node) {
	none := n.child(nil, "")
	if target, rewritten := n.doc.library.targets[n.yaml]; rewritten {
		return target
	}
	if n.doc.library.broken[n.yaml] {
		return none
	}
	uri, err := n.resource.uri.Parse(reference)
	if err != nil {
		n.fault("refers to %q, which is not a URI reference: correct it", reference)
		return none
	}
	fragment := uri.Fragment
	whole := *uri
	whole.Fragment, whole.RawFragment = "", ""
	l := n.doc.library
	r := l.resources[whole.String()]
	if r == nil {
		// A document of somebody else must not choose what of this machine it is served with.
		if absolute := strings.HasPrefix(reference, "/") || strings.HasPrefix(reference, "file:"); whole.Scheme != "file" || whole.Host != "" || absolute {
			n.fault("refers to %q, outside of the document and of local files: put what it names into a file beside this one, and refer to it by a relative path", reference)
			return none
		}
		s, err := l.open(n.doc.relative(whole.Path))
		if err != nil {
			n.fault("refers to %q, which cannot be read: %v", reference, err)
			return none
		}
		r = s.base
	}
	var parent node
	switch {
	case fragment == "":
		target = r.root
	case fragment[0] == '/':
		target = r.root
		for token := range strings.SplitSeq(fragment[1:], "/") {
			parent = target
			target = target.step(unescapePointer.Replace(token))
		}
	default:
		target = r.anchors[fragment]
	}
	if !target.exists() {
		n.fault("refers to %q, which is not declared: declare it or correct the name%s", reference, meant(parent, fragment))
		return none
	}
	return target
}

// meant suggests the member whose name is like that of the last token of a pointer.
func meant(parent node, pointer string) string {
	var names []string
	for _, m := range parent.members() {
		names = append(names, m.key)
	}
	if like := nearest(unescapePointer.Replace(pointer[strings.LastIndexByte(pointer, '/')+1:]), names); like != "" {
		return ": " + like + " is declared"
	}
	return ""
}

// relative is how messages name a file: beside the one that refers to it, as the user spelled that one.
func (s *source) relative(path string) string {
	own, err := filepath.Abs(s.file)
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(filepath.Dir(own), path)
	if err != nil {
		return path
	}
	return filepath.Join(filepath.Dir(s.file), rel)
}
