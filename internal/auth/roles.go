package auth

// Roles are the roles of the service: names for sets of scopes.
type Roles map[string][]string

// Scopes returns the union of what the named roles hold. A role that is not there holds nothing.
func (r Roles) Scopes(names ...string) Scopes {
	var all []string
	for _, name := range names {
		all = append(all, r[name]...)
	}
	return NewScopes(all...)
}
