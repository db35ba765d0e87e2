package codegen

import (
	_ "embed"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// engineComponents are the components that describe what the engine answers by itself.
//
//go:embed problems.yaml
var engineComponents []byte

// engineResponses are the names of the components by status. Those of RFC 6749 begin with OAuth.
var engineResponses = map[string]string{"400": "BadRequest", "401": "Unauthorized", "403": "Forbidden", "406": "NotAcceptable", "408": "RequestTimeout", "413": "ContentTooLarge",
	"415": "UnsupportedMediaType", "422": "UnprocessableContent", "429": "TooManyRequests", "500": "Internal", "503": "Unavailable"}

// AddProblemResponses writes into the document the responses that its operations can give and do not declare, as references to
// components that it finds or adds. All else stays as it is written. It returns what was added.
func AddProblemResponses(o Options) (added []string, err error) {
	l, _, err := load(o)
	if err != nil {
		return nil, err
	}
	a := &adder{loaded: l, edits: map[*source]*edit{}, names: map[component]component{}, shared: map[string]string{}}
	if a.engine, err = parseText(engineComponents); err != nil {
		return nil, err
	}
	a.findShared()
	for _, op := range l.document.operations {
		a.operation(op)
	}
	if err := a.components(); err != nil {
		return nil, err
	}
	return a.added, a.write()
}

type adder struct {
	*loaded
	engine *yaml.Node
	edits  map[*source]*edit
	shared map[string]string       // status and media type → reference to the response that other operations use
	names  map[component]component // a component of the engine → what it is in the document
	wanted []component             // of the engine, that the document lacks
	added  []string
}

// findShared finds the components that operations of the document already use for a status.
func (a *adder) findShared() {
	for _, o := range a.document.operations {
		for _, r := range o.responses {
			key := r.status + " " + o.errorMediaType()
			if a.shared[key] == "" && r.shared != "" && r.node.doc == a.library.main && r.speaks(o.errorMediaType()) {
				a.shared[key] = component{"responses", r.shared}.reference()
			}
		}
	}
}

func (a *adder) operation(o *operation) {
	responses := o.node.get("responses")
	var missing []string
	for _, status := range o.errorStatuses() {
		if o.lacks(status) {
			missing = append(missing, status)
		}
	}
	for _, status := range missing {
		ref := a.reference(o, status)
		if responses.doc != a.library.main {
			ref = relativeReference(responses.doc, a.library.main) + ref
		}
		if a.edit(responses.doc).add(responses.yaml, status, refTo(ref)) {
			a.added = append(a.added, fmt.Sprintf("%s %s: %s as %s", o.method, o.path, status, ref))
		}
	}
}

// relativeReference is how one file names another.
func relativeReference(from, to *source) string {
	rel, err := filepath.Rel(filepath.Dir(from.base.uri.Path), to.base.uri.Path)
	if err != nil {
		return to.file
	}
	return filepath.ToSlash(rel)
}

// reference returns the reference to the response for a status: the one that other operations have, or the engine's.
func (a *adder) reference(o *operation, status string) string {
	key := status + " " + o.errorMediaType()
	if a.shared[key] == "" {
		name := engineResponses[status]
		switch o.problemFormat {
		case formatOAuth:
			name = "OAuth" + name
		case formatPage:
			name = "Page" + name
		}
		a.shared[key] = a.own(component{"responses", name}).reference()
	}
	return a.shared[key]
}

// own returns what a component of the engine is called in the document, and notes those that it lacks.
func (a *adder) own(c component) component {
	if known, ok := a.names[c]; ok {
		return known
	}
	a.names[c] = c // while those below are named: none refers to itself
	value := a.value(c)
	section := a.library.main.top().get("components").get(c.section)
	name := c
	for i := 1; ; i++ {
		there := section.get(name.name)
		if !there.exists() {
			a.wanted = append(a.wanted, c)
			break
		}
		if sameJSON(there.yaml, value) {
			break
		}
		if name.name = "Gatehouse" + c.name; i > 1 {
			name.name += fmt.Sprint(i)
		}
	}
	a.names[c] = name
	return name
}

// value is the engine's component with its references as the document names them.
func (a *adder) value(c component) *yaml.Node {
	value := plain(mappingIn(mappingIn(a.engine, c.section), c.name))
	var rename func(n *yaml.Node)
	rename = func(n *yaml.Node) {
		if n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "$ref" {
			section, name, _ := strings.Cut(strings.TrimPrefix(n.Content[1].Value, "#/components/"), "/")
			n.Content[1].Value = a.own(component{section, name}).reference()
			return
		}
		for _, child := range n.Content {
			rename(child)
		}
	}
	rename(value)
	return value
}

// components adds what the references need.
func (a *adder) components() error {
	if len(a.wanted) == 0 {
		return nil
	}
	slices.SortStableFunc(a.wanted, func(x, y component) int { return strings.Compare(x.section, y.section) })
	main := a.library.main
	e := a.edit(main)
	all := main.top().get("components")
	if !all.exists() || all.line == 0 {
		all = node{}
	}
	whole, sections := mapping(), map[string]*yaml.Node{}
	for _, c := range a.wanted {
		own := a.names[c]
		a.added = append(a.added, own.reference())
		section := node{}
		if all.exists() {
			section = all.get(c.section)
		}
		if section.exists() && section.yaml.Line > 0 {
			e.add(section.yaml, own.name, a.value(c))
			continue
		}
		if sections[c.section] == nil {
			sections[c.section] = mapping()
			put(whole, c.section, sections[c.section])
		}
		put(sections[c.section], own.name, a.value(c))
	}
	switch {
	case len(whole.Content) == 0:
	case !all.exists():
		e.add(main.root, "components", whole)
	default:
		for i := 0; i < len(whole.Content); i += 2 {
			e.add(all.yaml, whole.Content[i].Value, whole.Content[i+1])
		}
	}
	return nil
}

func (a *adder) edit(s *source) *edit {
	if a.edits[s] == nil {
		a.edits[s] = newEdit(s)
	}
	return a.edits[s]
}

// write writes the files that change, once all of them are known to be right.
func (a *adder) write() error {
	texts := map[string][]byte{}
	for s, e := range a.edits {
		text, err := e.apply()
		if err != nil {
			return err
		}
		texts[s.base.uri.Path] = text
	}
	return write(texts)
}

func mapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"} }

func text(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
}

// put appends a member to a mapping.
func put(m *yaml.Node, key string, value *yaml.Node) { m.Content = append(m.Content, text(key), value) }

func refTo(reference string) *yaml.Node {
	m := mapping()
	put(m, "$ref", text(reference))
	return m
}

func sameJSON(a, b *yaml.Node) bool {
	x, err := canonicalJSON(a)
	if err != nil {
		return false
	}
	y, err := canonicalJSON(b)
	return err == nil && x == y
}
