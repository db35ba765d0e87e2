package validation

import (
	"slices"
	"strings"
)

// explodedObject is an object whose members are query parameters of their own.
func (p *Parameters) explodedObject(s *Style) (v *Value, ok bool) {
	names := make([]string, 0, len(p.QueryValues))
	for name := range p.QueryValues {
		if s.Shape.Members[name] != nil || s.Shape.Rest != nil && !slices.Contains(p.Declared, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return p.object(s, names, func(name string) string { return name })
}

// deepObject is an object whose members are written as name[member]=value.
func (p *Parameters) deepObject(s *Style) (v *Value, ok bool) {
	var names []string
	for name := range p.QueryValues {
		if inner, found := strings.CutPrefix(name, s.Name+"["); found && strings.HasSuffix(inner, "]") {
			names = append(names, strings.TrimSuffix(inner, "]"))
		}
	}
	slices.Sort(names)
	return p.object(s, names, func(name string) string { return s.Name + "[" + name + "]" })
}

func (p *Parameters) object(s *Style, names []string, parameter func(string) string) (v *Value, ok bool) {
	if len(names) == 0 {
		return nil, true
	}
	v = &Value{kind: Object}
	for _, name := range names {
		texts := p.QueryValues[parameter(name)]
		shape := s.Shape.Members[name]
		if shape != nil && shape.Items != nil {
			list := shape.array(texts)
			list.name = name
			v.list = append(v.list, *list)
			continue
		}
		if len(texts) > 1 {
			p.Violations.Parameter(parameter(name), "repeated", "must be given once")
			return nil, false
		}
		s.Shape.add(v, name, texts[0])
	}
	return v, true
}
