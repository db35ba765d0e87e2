package codegen

import (
	"strings"

	"example.com/gatehouse/internal/validation"
)

// fillDefaults decides which defaults are filled in. One that its schema refuses is not: the handler would be given what no
// client may send, or the model could not hold it.
func (d *document) fillDefaults() {
	for _, s := range d.schemas.read {
		if own := s.node.get("default"); s.fill != "" {
			written, wrong := s.judge(s.fill, validation.Patch, true)
			for _, v := range wrong {
				v.at(own).warn("the default is not filled in, because its schema refuses it: %s (%s)", v.detail, v.keyword)
			}
			if wrong == nil {
				s.filled = written
			}
			continue
		}
		for _, p := range s.parts() {
			if p.fill == "" {
				continue
			}
			if written, wrong := s.judge(p.fill, validation.Patch, true); wrong == nil {
				s.filled = written
			} else if _, alone := p.judge(p.fill, validation.Patch, true); alone == nil {
				s.node.warn("the default of what it refers to is not filled in, because this schema refuses it: %s (%s)", wrong[0].detail, wrong[0].keyword)
			}
			break
		}
	}
	for _, o := range d.operations {
		for i := range o.parameters {
			if q := &o.parameters[i]; q.schema != nil && !q.required {
				q.fill = q.schema.filled
			}
		}
	}
}

// at is the place in n that the violation is about.
func (v violation) at(n node) node {
	if v.pointer == "" {
		return n
	}
	for token := range strings.SplitSeq(v.pointer[1:], "/") {
		n = n.step(unescapePointer.Replace(token))
	}
	return n
}

// judgeExamples warns of every example that its schema refuses: people copy them.
func (d *document) judgeExamples(top node) {
	for _, s := range d.schemas.read {
		judgeExample(s, s.node.get("example"), validation.Response, true)
		for _, e := range s.node.get("examples").elements() {
			judgeExample(s, e, validation.Response, true)
		}
	}
	visited := map[string]bool{}
	each("document", top, func(kind string, n node) bool {
		key := kind + n.doc.file + "#" + n.pointer
		if visited[key] {
			return false
		}
		visited[key] = true
		switch kind {
		case "parameter":
			d.examplesOf(n, "", validation.Request)
			d.examplesIn(n, validation.Request)
		case "requestBody":
			d.examplesIn(n, validation.Request)
		case "response":
			d.examplesIn(n, validation.Response)
		case "header":
			d.examplesOf(n, "", validation.Response)
			d.examplesIn(n, validation.Response)
		}
		return true
	})
}

// examplesIn judges the examples of each media type.
func (d *document) examplesIn(n node, purpose validation.Purpose) {
	for _, m := range n.get("content").members() {
		if strings.HasPrefix(m.key, "application/merge-patch+json") && purpose == validation.Request {
			d.examplesOf(m.value, m.key, validation.Patch)
			continue
		}
		d.examplesOf(m.value, m.key, purpose)
	}
}

// examplesOf judges the example and the examples beside a schema.
func (d *document) examplesOf(n node, mediaType string, purpose validation.Purpose) {
	example, examples := n.get("example"), n.get("examples")
	if example.exists() && examples.exists() {
		examples.warn("example and examples exclude each other: leave one out")
	}
	values := []node{example}
	for _, m := range examples.members() {
		e := m.value.resolve()
		if e.exists() && (!e.isMapping() || !e.get("value").exists() && !e.get("externalValue").exists()) {
			e.warn("the example has no value: write { value: … }")
		}
		values = append(values, e.get("value"))
	}
	s := d.schemas.known(n.get("schema"))
	if s == nil {
		return
	}
	for _, e := range values {
		if e.isText() && mediaType != "" && !isJSON(mediaType) && !s.allows().has(typeString) {
			continue // it is written as that media type writes it
		}
		judgeExample(s, e, purpose, false)
	}
}

func judgeExample(s *schema, e node, purpose validation.Purpose, neutral bool) {
	if !e.exists() {
		return
	}
	json, err := appendJSON(nil, e.yaml)
	if err != nil {
		e.warn("the example has no form in JSON: %v", err)
		return
	}
	_, wrong := s.judge(string(json), purpose, neutral)
	for _, v := range wrong {
		v.at(e).warn("the example is refused by its schema: %s (%s)", v.detail, v.keyword)
	}
}

// known returns a schema that was read, or nil.
func (c *schemas) known(n node) *schema {
	if !n.exists() {
		return nil
	}
	return c.read[n.doc.file+"#"+n.pointer+scope(nil).enter(n.resource).key()]
}
