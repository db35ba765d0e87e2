package codegen

import (
	"strings"

	oapi "github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
)

// parameters writes the checks of path, query and header parameters, and of form bodies.
func (e *emitter) parameters() string {
	e.begin(quoted("regexp"), "", quoted(module+"validation"))
	for i := range e.document.operations {
		o := &e.document.operations[i]
		if len(o.parameters) > 0 {
			e.parameterChecks(o)
		}
	}
	written := map[string]bool{}
	for _, o := range e.document.operations {
		for _, b := range o.bodies {
			if b.form && !written[b.schema.name] {
				written[b.schema.name] = true
				e.formChecks(b.schema)
			}
		}
	}
	return e.finish()
}

func (e *emitter) parameterChecks(o *operation) {
	for _, p := range o.parameters {
		e.pattern(oapi.ToCamelCase(o.id), p.name, p.schema)
	}
	e.p("func %s(p *validation.Parameters) {", o.checker())
	for _, p := range o.parameters {
		owner := oapi.ToCamelCase(o.id) + oapi.ToCamelCase(p.name)
		switch p.in {
		case "path":
			e.p("{\nvalue := p.Path(%q)", p.name)
		case "query":
			e.p("if value, ok := p.Query(%q); ok {", p.name)
		case "header":
			e.p("if value, ok := p.HeaderValue(%q, %q); ok {", p.name, canonicalHeader(p.name))
		}
		e.parameterValue(p, owner)
		e.p("}")
		switch {
		case p.in == "query" && p.required:
			e.p("p.Required(%q, p.QueryValues[%q])", p.name, p.name)
		case p.in == "header" && p.required:
			e.p("p.Required(%q, p.Header[%q])", p.name, canonicalHeader(p.name))
		case p.schema.hasDefault:
			e.p("if len(p.QueryValues[%q]) == 0 {\np.QueryValues.Set(%q, %q)\n}", p.name, p.name, p.schema.defaultValue)
		}
	}
	e.p("}\n")
}

func (e *emitter) parameterValue(p parameter, owner string) {
	switch s := p.schema; s.typ {
	case "boolean":
		e.p("p.Bool(%q, value)", p.name)
	case "integer":
		e.p("if n, ok := p.Int64(%q, value, %s); ok {", p.name, strings.TrimPrefix(s.format, "int"))
		e.p("keyword, detail := validation.Range(n, %s, %s)\np.Check(%q, keyword, detail)\n}", s.minimum, s.maximum, p.name)
	default:
		e.stringChecks(s, "p", p.name, owner)
	}
}

// stringChecks writes the checks of value, a string parameter or member of a form; receiver has Check.
func (e *emitter) stringChecks(s *schema, receiver, name, owner string) {
	if s.enum != nil {
		e.p("switch value {\ncase %s:\ndefault:\n%s.Check(%q, \"enum\", validation.Enum(%q))\n}", quoteAll(s.enum), receiver, name, strings.Join(s.enum, ", "))
		return
	}
	if s.minLength > 0 {
		e.p("%s.Check(%q, \"minLength\", validation.MinLength(value, %d))", receiver, name, s.minLength)
	}
	if s.maxLength >= 0 {
		e.p("%s.Check(%q, \"maxLength\", validation.MaxLength(value, %d))", receiver, name, s.maxLength)
	}
	if s.pattern != "" {
		e.p("%s.Check(%q, \"pattern\", validation.Pattern(value, pattern%s, %q))", receiver, name, owner, s.pattern)
	}
	switch s.format {
	case "uuid":
		e.p("%s.Check(%q, \"format\", validation.UUID(value))", receiver, name)
	case "email":
		e.p("%s.Check(%q, \"format\", validation.Email(value))", receiver, name)
	}
}

func (e *emitter) formChecks(s *schema) {
	name := e.goName(s)
	var required []string
	for _, p := range s.properties {
		e.pattern(name, p.name, p.schema)
		if p.required {
			required = append(required, p.name)
		}
	}
	e.p("func check%s(f *validation.Form) {", name)
	if len(required) > 0 {
		e.p("f.Required(%s)", quoteAll(required))
	}
	for _, p := range s.properties {
		e.p("if value, ok := f.Value(%q); ok {", p.name)
		e.stringChecks(p.schema, "f", p.name, name+oapi.ToCamelCase(p.name))
		e.p("}")
	}
	e.p("}\n")
}
