package codegen

import (
	"fmt"
	"strings"

	"example.com/gatehouse/internal/ceiling"
)

// parameters writes the checks of path, query, header and cookie parameters.
func (e *emitter) parameters() string {
	e.begin(quoted("math"), quoted("regexp"), "", quoted(module+"validation"))
	for _, o := range e.document.operations {
		if len(o.parameters) > 0 {
			e.parameterChecks(o)
		}
	}
	return e.finish()
}

// direct reports whether a parameter is one text that a few comparisons check where it stands.
func (q *parameter) direct() bool {
	if !q.natural() || q.in == "cookie" {
		return false
	}
	s := q.schema.target()
	if !s.simple() || s.nullable || s.multipleOf != "" || s.constant || q.fill != "" && q.in != "query" {
		return false
	}
	switch s.kind() {
	case typeString:
		for _, v := range s.enum {
			if v[0] != '"' {
				return false
			}
		}
		return s.format != "byte" && (s.enum == nil || s.bareEnum())
	case typeInteger:
		return s.enum == nil && !strings.HasPrefix(s.format, "u") && s.above == "" && s.under == "" && !strings.ContainsAny(s.minimum+s.maximum, ".eE")
	case typeBoolean:
		return s.enum == nil
	}
	return false
}

func (e *emitter) parameterChecks(o *operation) {
	variables := make([]string, len(o.parameters))
	for i, q := range o.parameters {
		if !q.direct() {
			variables[i] = e.freeName("style" + o.goName + strings.ToUpper(q.in[:1]) + q.in[1:] + goName(q.name))
			e.p("var %s = %s\n", variables[i], e.style(&q))
		}
	}
	e.p("func %s(p *validation.Parameters) {", o.checker())
	for i, q := range o.parameters {
		if !q.direct() {
			e.p("p.Styled(%s, %s)", variables[i], e.checks.argument(q.schema, o.goName+goName(q.name)))
			continue
		}
		switch q.in {
		case "path":
			e.p("{\nvalue := p.Path(%q)", q.name)
		case "query":
			e.p("if value, ok := p.Query(%q); ok {", q.name)
		case "header":
			e.p("if value, ok := p.HeaderValue(%q, %q); ok {", q.name, canonicalHeader(q.name))
		}
		e.parameterValue(&q)
		e.p("}")
		switch {
		case q.in == "query" && q.required:
			e.p("p.Required(%q, p.QueryValues[%q])", q.name, q.name)
		case q.in == "header" && q.required:
			e.p("p.Required(%q, p.Header[%q])", q.name, canonicalHeader(q.name))
		case q.fill != "":
			e.p("if len(p.QueryValues[%q]) == 0 {\np.QueryValues.Set(%q, %q)\n}", q.name, q.name, plainText(q.fill))
		}
	}
	e.p("}\n")
}

// plainText is a JSON scalar as a query spells it.
func plainText(json string) string {
	if json[0] == '"' {
		return unquoteJSON(json)
	}
	return json
}

// freeName returns the wished name of a package variable, or one that is free.
func (e *emitter) freeName(wish string) string {
	name := wish
	for i := 2; e.variables[name]; i++ {
		name = fmt.Sprintf("%s%d", wish, i)
	}
	e.variables[name] = true
	return name
}

// style writes how a parameter writes its value.
func (e *emitter) style(q *parameter) string {
	var b strings.Builder
	fmt.Fprintf(&b, "&validation.Style{Name: %q, In: %q, Style: %q", q.name, q.in, q.style)
	if q.json {
		b.Reset()
		fmt.Fprintf(&b, "&validation.Style{Name: %q, In: %q, Style: \"json\"", q.name, q.in)
	}
	for _, flag := range []struct {
		name string
		set  bool
	}{{"Explode", q.explode && !q.json}, {"Required", q.required}, {"AllowEmpty", q.allowEmpty}, {"Natural", q.natural()}} {
		if flag.set {
			fmt.Fprintf(&b, ", %s: true", flag.name)
		}
	}
	if q.fill != "" {
		fmt.Fprintf(&b, ", Default: %q", q.fill)
	}
	if !q.json {
		fmt.Fprintf(&b, ", Shape: %s", textShape(q.schema, styleDepth))
	}
	return b.String() + "}"
}

// styleDepth: an object, its members, their elements.
const styleDepth = 2

// textShape writes what JSON the text of a parameter or form can become: text has no types of its own. No style and no form
// spells more than the elements of the members of an object; what is below them is one text, or JSON.
func textShape(s *schema, depth int) string {
	if s == nil {
		return "validation.AnyText"
	}
	allowed := s.allows()
	scalars := allowed & (typeNull | typeBoolean | typeNumber | typeString | typeInteger)
	var list []string
	if scalars.has(typeNumber) {
		scalars &^= typeInteger
	}
	if scalars != 0 {
		list = append(list, "Kinds: "+kindsOf(scalars))
	}
	var items, rest *schema
	members := map[string]*schema{}
	var order []string
	for _, p := range s.branches(map[*schema]bool{}) {
		if p.items != nil {
			items = p.items
		}
		if p.additional != nil && !p.additional.never {
			rest = p.additional
		}
		for _, q := range p.properties {
			if members[q.name] == nil {
				members[q.name] = q.schema
				order = append(order, q.name)
			}
		}
	}
	if allowed.has(typeArray) && depth > 0 {
		list = append(list, "Items: "+textShape(items, depth-1))
	}
	if allowed.has(typeObject) && depth > 0 {
		var m []string
		for _, name := range order {
			m = append(m, fmt.Sprintf("%q: %s", name, textShape(members[name], depth-1)))
		}
		list = append(list, "Members: map[string]*validation.Shape{"+strings.Join(m, ", ")+"}")
		if rest != nil {
			list = append(list, "Rest: "+textShape(rest, depth-1))
		}
	}
	if len(list) == 1 && scalars == typeString {
		return "validation.AnyText"
	}
	return "&validation.Shape{" + strings.Join(list, ", ") + "}"
}

// branches are all schemas that are asked about the same value.
func (s *schema) branches(seen map[*schema]bool) []*schema {
	if seen[s] {
		return nil
	}
	seen[s] = true
	list := []*schema{s}
	for _, b := range s.inPlace() {
		list = append(list, b.branches(seen)...)
	}
	return list
}

func (e *emitter) parameterValue(q *parameter) {
	switch s := q.schema.target(); s.kind() {
	case typeBoolean:
		e.p("p.Bool(%q, value)", q.name)
	case typeInteger:
		size := strings.TrimPrefix(s.format, "int")
		if size == "" {
			size = "64"
		}
		bounded := s.minimum != "" || s.maximum != ""
		e.p("if %s, ok := p.Int64(%q, value, %s); ok {", map[bool]string{true: "n", false: "_"}[bounded], q.name, size)
		if bounded {
			low, high := s.minimum, s.maximum
			if low == "" {
				low = "math.MinInt64"
			}
			if high == "" {
				high = "math.MaxInt64"
			}
			e.p("keyword, detail := validation.Range(n, %s, %s)\np.Check(%q, keyword, detail)", low, high, q.name)
		}
		e.p("}")
	default:
		e.stringChecks(s, q.name)
	}
}

// stringChecks writes the checks of value, a string parameter.
func (e *emitter) stringChecks(s *schema, name string) {
	if s.enum != nil {
		var values []string
		for _, v := range s.enum {
			values = append(values, unquoteJSON(v))
		}
		e.p("switch value {\ncase %s:\ndefault:\np.Check(%q, \"enum\", validation.Enum(%q))\n}", quoteAll(values), name, strings.Join(values, ", "))
		return
	}
	if s.minLength > 0 {
		e.p("p.Check(%q, \"minLength\", validation.MinLength(value, %d))", name, s.minLength)
	}
	if s.maxLength >= 0 {
		e.p("p.Check(%q, \"maxLength\", validation.MaxLength(value, %d))", name, s.maxLength)
	} else if s.openText() {
		e.p("p.Check(%q, \"maxLength\", validation.MaxBytes(value, %d))", name, ceiling.StringBytes)
	}
	if s.pattern != "" {
		e.p("p.Check(%q, \"pattern\", validation.Pattern(value, %s, %q))", name, e.checks.matcher(s.re2), s.pattern)
	}
	if function := textFormats[s.format]; function != "" {
		e.p("p.Check(%q, \"format\", validation.%s(value))", name, function)
	}
}
