package codegen

import (
	"slices"
	"strings"
)

// lint notes what a document of one's own would not leave out. None of it changes what is enforced: for a client the
// document is wrong that does not say 401, 403 or 429 where it can get them, so that those are faults, and the rest are
// warnings.
func lint(d *document) {
	for _, o := range d.operations {
		o.lintText()
		o.lintStatuses()
		for _, p := range o.parameters {
			if !hasExample(p.node) && !p.schema.hasExample() {
				p.node.warn("the parameter %s has no example", p.name)
			}
		}
		for _, b := range o.bodies {
			if b.kind != bodyStream && b.kind != bodyRefused && !hasExample(b.node) && !b.schema.hasExample() {
				b.node.warn("the request body has no example")
			}
		}
		for _, r := range o.responses {
			for _, m := range r.node.get("content").members() {
				if isJSON(m.key) && !hasExample(m.value) && !d.schemas.known(m.value.get("schema")).hasExample() {
					m.value.warn("the response has no example")
				}
			}
		}
	}
}

func hasExample(n node) bool { return n.get("example").exists() || n.get("examples").exists() }

// hasExample reports whether the schema or one of its parts has one.
func (s *schema) hasExample() bool {
	return s != nil && slices.ContainsFunc(s.parts(), func(p *schema) bool { return hasExample(p.node) })
}

func (o *operation) lintText() {
	var missing []string
	for _, key := range []string{"summary", "description", "tags"} {
		if !o.node.get(key).exists() {
			missing = append(missing, key)
		}
	}
	if len(missing) > 0 {
		o.node.warn("the operation has no %s", strings.Join(missing, ", no "))
	}
}

// lintStatuses compares what the engine answers with what the responses declare.
func (o *operation) lintStatuses() {
	var missing []string
	refused := false
	otherwise := map[*response][]string{}
	for _, status := range o.errorStatuses() {
		r := o.declares(status)
		switch lacks := o.lacks(status); {
		case !lacks && r.speaks(o.errorMediaType()):
		case !lacks:
			otherwise[r] = append(otherwise[r], status)
		default:
			missing = append(missing, status)
			refused = refused || status == "401" || status == "403" || status == "429"
		}
	}
	const text = "the operation can answer %s, which its responses do not declare: declare it, or run gatehouse-gen check --add-problem-responses"
	switch {
	case refused:
		o.node.fault(text, strings.Join(missing, ", "))
	case len(missing) > 0:
		o.node.warn(text, strings.Join(missing, ", "))
	}
	for r, statuses := range otherwise {
		r.node.warn("%s can be answered in %s, which this response does not declare", strings.Join(statuses, ", "), o.errorMediaType())
	}
}

// lacks reports whether nothing is declared that the engine's answer with a status could be: a range or default of another
// media type speaks of other errors, and the status beside it would hold instead.
func (o *operation) lacks(status string) bool {
	r := o.declares(status)
	return r == nil || r.status != status && !r.speaks(o.errorMediaType())
}

// declares returns the response that holds for a status, or nil.
func (o *operation) declares(status string) *response {
	for _, key := range []string{status, status[:1] + "XX", "default"} {
		if i := slices.IndexFunc(o.responses, func(r response) bool { return strings.EqualFold(r.status, key) }); i >= 0 {
			return &o.responses[i]
		}
	}
	return nil
}

// speaks reports whether the response has a content of the media type.
func (r *response) speaks(mediaType string) bool {
	return slices.ContainsFunc(r.contents, func(c content) bool {
		return c.mediaType == mediaType || c.mediaType == "*/*" || c.mediaType == "application/*"
	})
}

// errorMediaType is what the engine's errors are written in.
func (o *operation) errorMediaType() string {
	switch o.problemFormat {
	case formatOAuth:
		return "application/json"
	case formatPage:
		return "text/html"
	}
	return "application/problem+json"
}

// errorStatuses are the statuses that the engine can answer for the operation.
func (o *operation) errorStatuses() []string {
	list := []string{"400", "500", "503"}
	if o.public == "" {
		list = append(list, "401")
	}
	if o.public == "" || o.ownOrigin() {
		list = append(list, "403")
	}
	if len(o.limits) > 0 {
		list = append(list, "429")
	}
	if len(o.bodies) > 0 {
		list = append(list, "413", "415")
	}
	if len(o.bodies) > 0 && o.timeout > 0 {
		list = append(list, "408")
	}
	if len(o.produces()) > 0 {
		list = append(list, "406")
	}
	if o.problemFormat != formatOAuth {
		list = append(list, "422")
	}
	slices.Sort(list)
	return list
}
