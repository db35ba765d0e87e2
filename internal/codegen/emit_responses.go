package codegen

import (
	"fmt"
	"strings"
)

// responses writes what each operation may answer, for the check of responses. The table names the functions and calls none
// of them before the check is switched on.
func (e *emitter) responses() string {
	e.begin(quoted(module+"guard"), quoted(module+"validation"))
	shared := map[string]string{} // component → its function
	var components []response
	for _, o := range e.document.operations {
		if len(o.responses) == 0 {
			continue
		}
		e.p("func %s() []guard.Response {\nreturn []guard.Response{", o.responsesFunction())
		for _, r := range o.responses {
			if r.shared == "" {
				e.p("%s,", e.responseLiteral(r, fmt.Sprintf("%q", r.status), o.goName+"Response"))
				continue
			}
			if shared[r.shared] == "" {
				shared[r.shared] = "response" + e.prepared.shared[r.shared]
				components = append(components, r)
			}
			e.p("%s(%q),", shared[r.shared], r.status)
		}
		e.p("}\n}\n")
	}
	for _, r := range components {
		e.p("func %s(status string) guard.Response {", shared[r.shared])
		e.p("return guard.Response%s\n}\n", e.responseLiteral(r, "status", e.prepared.shared[r.shared]))
	}
	return e.finish()
}

func (o *operation) responsesFunction() string { return "responses" + o.goName }

func (e *emitter) responseLiteral(r response, status, hint string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "{Status: %s", status)
	if len(r.headers) > 0 {
		b.WriteString(", Headers: []guard.ResponseHeader{")
		for _, h := range r.headers {
			fmt.Fprintf(&b, "\n{Name: %q", canonicalHeader(h.name))
			if h.required {
				b.WriteString(", Required: true")
			}
			if h.schema != nil && !h.schema.always {
				fmt.Fprintf(&b, ", Shape: %s, Check: %s", textShape(h.schema, styleDepth), e.checks.argument(h.schema, hint+goName(h.name)))
				if h.explode {
					b.WriteString(", Explode: true")
				}
			}
			b.WriteString("},")
		}
		b.WriteString("\n}")
	}
	if len(r.contents) > 0 {
		b.WriteString(", Contents: []guard.Content{")
		for _, c := range r.contents {
			fmt.Fprintf(&b, "\n{MediaType: %q", c.mediaType)
			switch {
			case c.schema == nil, c.schema.always, c.schema.binary():
			case isJSON(c.mediaType):
				fmt.Fprintf(&b, ", JSON: %s", e.checks.argument(c.schema, hint))
			case strings.HasPrefix(c.mediaType, "text/") && c.schema.allows().has(typeString):
				fmt.Fprintf(&b, ", Text: %s", e.checks.argument(c.schema, hint))
			}
			b.WriteString("},")
		}
		b.WriteString("\n}")
	}
	return b.String() + "}"
}
