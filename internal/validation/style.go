package validation

import (
	"net/http"
	"net/url"
	"strings"

	"example.com/gatehouse/internal/ceiling"
)

// Style is how a parameter writes its value (OpenAPI 3.1 §4.8.12.2): gatehouse-gen writes one for each parameter that is
// more than one text.
type Style struct {
	Name     string
	In       string // path, query, header, cookie
	Style    string // simple, label, matrix, form, spaceDelimited, pipeDelimited, deepObject, and json for content
	Explode  bool
	Required bool
	// AllowEmpty takes an empty query parameter as one that is not there.
	AllowEmpty bool
	// Default is filled in where the parameter is not there, as JSON.
	Default string
	// Natural leaves a value where it stands, for the generated server to read. All others it reads as JSON.
	Natural bool
	Shape   *Shape
}

// Shape says which JSON a text may become: text has no types of its own.
type Shape struct {
	Kinds   Kind              // of one text
	Items   *Shape            // an array is possible
	Members map[string]*Shape // an object is possible
	Rest    *Shape            // of its other members
}

// AnyText is the shape of a text that no schema describes.
var AnyText = &Shape{Kinds: String}

// scalar makes the value of one text. What fits no type of the shape stays a string, which its check refuses.
func (s *Shape) scalar(v *Value, text string) {
	kinds := AnyText.Kinds
	if s != nil {
		kinds = s.Kinds
	}
	switch {
	case kinds&Boolean != 0 && (text == "true" || text == "false"):
		v.kind, v.truth = Boolean, text == "true"
	case kinds&(Number|Integer) != 0 && isNumber(text):
		v.kind, v.text = Number, text
	case kinds&Null != 0 && kinds&String == 0 && (text == "" || text == "null"):
		v.kind = Null
	default:
		v.kind, v.text = String, text
	}
}

// isNumber reports whether a text is a number as JSON spells it.
func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole, rest := span(s)
	if whole == "" || whole[0] == '0' && len(whole) > 1 {
		return false
	}
	if after, found := strings.CutPrefix(rest, "."); found {
		var fraction string
		if fraction, rest = span(after); fraction == "" {
			return false
		}
	}
	if rest == "" {
		return true
	}
	if rest[0] != 'e' && rest[0] != 'E' {
		return false
	}
	rest = rest[1:]
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		rest = rest[1:]
	}
	power, rest := span(rest)
	return power != "" && rest == ""
}

// span splits off the leading decimal digits.
func span(s string) (digits, rest string) {
	i := 0
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return s[:i], s[i:]
}

// Styled checks a parameter and hands it to the generated server.
func (p *Parameters) Styled(s *Style, check func(*Check, *Value)) {
	v, ok := p.read(s)
	if !ok {
		return // the violation is there
	}
	if v == nil {
		switch {
		case s.Required:
			p.Violations.Parameter(s.Name, "required", "is required")
		case s.Default != "" && s.Natural:
			filled, _ := parseValue(s.Default)
			if filled.kind == Boolean {
				filled.text = s.Default
			}
			p.hand(s, filled.text)
		case s.Default != "":
			p.hand(s, s.Default)
		}
		return
	}
	v.link()
	c := &Check{Violations: p.Violations, Parameter: s.Name, trials: ceiling.Trials}
	check(c, v)
	c.doubles(v)
	if c.failed == 0 && !s.Natural {
		p.hand(s, string(v.appendJSON(nil)))
	}
}

// read finds the value: nil where the parameter is not there, and not ok where it cannot be taken apart.
func (p *Parameters) read(s *Style) (v *Value, ok bool) {
	switch {
	case s.In == "query" && s.Style == "deepObject":
		return p.deepObject(s)
	case s.In == "query" && s.Style == "form" && s.Explode && s.Shape.Members != nil && p.QueryValues[s.Name] == nil:
		return p.explodedObject(s)
	}
	texts := p.texts(s)
	if len(texts) == 0 || s.AllowEmpty && len(texts) == 1 && texts[0] == "" {
		return nil, true
	}
	if s.Style != "json" && s.Explode && s.Shape.Items != nil && (s.In == "query" || s.In == "cookie") {
		if len(texts) == 1 && s.Shape.Kinds != 0 {
			v = new(Value)
			if s.Shape.scalar(v, texts[0]); v.kind != String || s.Shape.Kinds&String != 0 {
				return v, true
			}
		}
		return s.Shape.array(texts), true
	}
	if len(texts) > 1 {
		p.Violations.Parameter(s.Name, "repeated", "must be given once")
		return nil, false
	}
	if s.Style == "json" {
		return p.json(s, texts[0])
	}
	return p.take(s, texts[0])
}

// texts are the values of the parameter as they arrived, escapes resolved where nothing has to be split.
func (p *Parameters) texts(s *Style) []string {
	split := s.splits()
	switch s.In {
	case "path":
		if split {
			return []string{p.PathText(s.Name)}
		}
		return []string{p.PathValue(s.Name)}
	case "header":
		return p.Header[http.CanonicalHeaderKey(s.Name)]
	case "cookie":
		return cookies(p.Header, s.Name)
	}
	if !split {
		return p.QueryValues[s.Name]
	}
	var list []string
	for pair := range strings.SplitSeq(p.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(name); err == nil && name == s.Name {
			list = append(list, value)
		}
	}
	return list
}

// splits reports whether one text holds several values, which must be told apart before escapes are resolved.
func (s *Style) splits() bool {
	if s.Style == "json" || s.Shape.Items == nil && s.Shape.Members == nil {
		return s.Style == "label" || s.Style == "matrix"
	}
	return !(s.In == "query" && s.Style == "form" && s.Explode)
}

// take splits one text by the rules of its style.
func (p *Parameters) take(s *Style, text string) (v *Value, ok bool) {
	separator := ","
	switch s.Style {
	case "label":
		if text, ok = strings.CutPrefix(text, "."); !ok {
			return p.malformed(s, "must begin with a dot")
		}
		if s.Explode {
			separator = "."
		}
	case "matrix":
		if text, ok = strings.CutPrefix(text, ";"); !ok {
			return p.malformed(s, "must begin with a semicolon")
		}
		object := s.Explode && s.Shape.Members != nil && !strings.HasPrefix(text, s.Name+"=")
		if !object {
			if text, ok = strings.CutPrefix(text, s.Name+"="); !ok {
				return p.malformed(s, "must be written as ;name=value")
			}
		}
		if s.Explode {
			separator = ";"
			text = strings.ReplaceAll(text, ";"+s.Name+"=", ";")
		}
	case "spaceDelimited":
		separator, text = "%20", strings.ReplaceAll(text, "+", "%20")
	case "pipeDelimited":
		separator, text = "|", strings.NewReplacer("%7C", "|", "%7c", "|").Replace(text)
	}
	if !s.splits() || s.Shape.Items == nil && s.Shape.Members == nil {
		v = new(Value)
		resolved, err := s.unescape(text)
		if err != nil {
			return p.malformed(s, "has a broken escape")
		}
		s.Shape.scalar(v, resolved)
		return v, true
	}
	parts := strings.Split(text, separator)
	object := s.Shape.Members != nil && (s.Shape.Items == nil || s.Explode && strings.Contains(text, "="))
	if object && s.Explode {
		var pairs []string
		for _, part := range parts {
			name, value, found := strings.Cut(part, "=")
			if !found {
				return p.malformed(s, "must be written as name=value")
			}
			pairs = append(pairs, name, value)
		}
		parts = pairs
	}
	for i := range parts {
		resolved, err := s.unescape(parts[i])
		if err != nil {
			return p.malformed(s, "has a broken escape")
		}
		parts[i] = resolved
	}
	switch {
	case !object:
		return s.Shape.array(parts), true
	case len(parts)%2 != 0:
		return p.malformed(s, "must be pairs of a name and a value")
	}
	v = &Value{kind: Object}
	for i := 0; i < len(parts); i += 2 {
		if !s.Shape.add(v, parts[i], parts[i+1]) {
			return p.malformed(s, "repeats a member")
		}
	}
	return v, true
}

func (p *Parameters) malformed(s *Style, detail string) (*Value, bool) {
	p.Violations.Parameter(s.Name, "style", detail)
	return nil, false
}

// unescape resolves the escapes of one value: those of a header have no meaning.
func (s *Style) unescape(text string) (string, error) {
	switch s.In {
	case "header":
		return strings.Trim(text, " \t"), nil
	case "query":
		return url.QueryUnescape(text)
	}
	return url.PathUnescape(text)
}

func (s *Shape) array(texts []string) *Value {
	v := &Value{kind: Array, list: make([]Value, len(texts))}
	for i, text := range texts {
		s.Items.scalar(&v.list[i], text)
	}
	return v
}

// add adds a member. It returns false where the object has it already.
func (s *Shape) add(v *Value, name, text string) bool {
	if v.Member(name) != nil {
		return false
	}
	shape := s.Rest
	if s.Members[name] != nil {
		shape = s.Members[name]
	}
	v.list = append(v.list, Value{name: name})
	shape.scalar(&v.list[len(v.list)-1], text)
	return true
}

// json reads a parameter whose content is JSON.
func (p *Parameters) json(s *Style, text string) (v *Value, ok bool) {
	if s.In == "cookie" {
		resolved, err := url.PathUnescape(text)
		if err != nil {
			return p.malformed(s, "has a broken escape")
		}
		text = resolved
	}
	v, err := parseText(text)
	if err != nil {
		p.Violations.Parameter(s.Name, "content", "must be JSON: one value in UTF-8, without a repeated member, nested at most 32 levels deep")
		return nil, false
	}
	return v, true
}

// parseText parses exactly one JSON value.
func parseText(text string) (v *Value, err error) {
	err = Decode([]byte(text), &Violations{}, func(r *Reader) {
		if raw, err := r.dec.ReadValue(); err != nil {
			r.syntax(err)
		} else if depth(raw) > ceiling.Depth {
			r.tooDeep()
		} else {
			v, _ = parseValue(string(raw))
		}
	})
	return v, err
}

// hand puts a value where the generated server reads it.
func (p *Parameters) hand(s *Style, text string) {
	switch s.In {
	case "query":
		p.QueryValues[s.Name] = []string{text}
	case "header":
		p.Header[http.CanonicalHeaderKey(s.Name)] = []string{text}
	case "path":
		p.SetPath(s.Name, text)
	case "cookie":
		var kept []string
		for _, line := range p.Header["Cookie"] {
			for pair := range strings.SplitSeq(line, ";") {
				if name, _, _ := strings.Cut(pair, "="); strings.TrimSpace(name) != s.Name {
					kept = append(kept, strings.TrimSpace(pair))
				}
			}
		}
		kept = append(kept, s.Name+"="+url.QueryEscape(text))
		p.Header["Cookie"] = []string{strings.Join(kept, "; ")}
	}
}

// cookies are the values of all cookies of a name.
func cookies(header http.Header, name string) []string {
	var list []string
	for _, line := range header["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			n, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
			if strings.TrimRight(n, " \t") == name {
				list = append(list, strings.Trim(value, " \t"))
			}
		}
	}
	return list
}
