package codegen

import "slices"

// settleDiscriminators gives the alternatives that no mapping names the values that they accept themselves. OpenAPI says
// that such an alternative goes by the name of its component, and also that a discriminator changes nothing of what is
// valid: where an alternative demands another value by const or enum, no value at all would be accepted by its name.
func (c *schemas) settleDiscriminators() {
	for _, s := range c.read {
		if s.discriminator == nil {
			continue
		}
		var cases []discriminated
		clash := false
		for _, named := range s.discriminator.cases {
			values := []string{named.value}
			if own := named.schema.constants(s.discriminator.property); named.implied && own != nil && !slices.Contains(own, named.value) {
				values = own
			}
			for _, value := range values {
				clash = clash || slices.ContainsFunc(cases, func(other discriminated) bool { return other.value == value && other.schema != named.schema })
				cases = append(cases, discriminated{value: value, schema: named.schema})
			}
		}
		if s.discriminator.cases = cases; clash {
			s.discriminator.cases = nil // it tells nothing apart: the alternatives are tried
		}
	}
}

// constants are the texts that const or enum of a member allow, nil where it is open.
func (s *schema) constants(member string) []string {
	for _, part := range s.parts() {
		for _, p := range part.properties {
			if p.name != member {
				continue
			}
			for _, q := range p.schema.parts() {
				if texts := q.texts(); texts != nil {
					return texts
				}
			}
		}
	}
	return nil
}

// texts are the strings of const or enum, nil where there is neither or where one of them is no string.
func (s *schema) texts() []string {
	var list []string
	for _, v := range s.enum {
		if v[0] != '"' {
			return nil
		}
		list = append(list, unquoteJSON(v))
	}
	return list
}
