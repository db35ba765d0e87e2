package codegen

import "slices"

// role is an entry of the root x-roles: a name for a set of scopes, which accounts are given.
type role struct {
	name, description string
	scopes            []string
}

// readRoles judges x-roles. A scope that no flow declares could never be in a token, and a role that names one would promise
// what nobody can be granted.
func (d *document) readRoles(n node) {
	if n.exists() && !n.isMapping() {
		n.fault("must be a mapping of names to roles, such as { member: { description: Anybody with an account., scopes: ['items:read'] } }")
	}
	for _, m := range n.members() {
		if !isPrintable(m.key) {
			m.value.fault("the name of a role is printable ASCII without spaces, quotes and backslashes: it stands in lists that are separated by spaces")
			continue
		}
		m.value.allow("a role", "description", "scopes")
		if !m.value.isMapping() {
			continue
		}
		r := role{name: m.key}
		for _, key := range []string{"description", "scopes"} {
			if !m.value.get(key).exists() {
				m.value.fault("the role has no %s: it needs a description of who has it, and the list of its scopes", key)
			}
		}
		if description := m.value.get("description"); description.exists() {
			r.description = description.sentence("who has the role")
		}
		r.scopes = m.value.get("scopes").scopeTokens()
		for _, e := range m.value.get("scopes").elements() {
			if scope := e.text(); slices.Contains(r.scopes, scope) && !d.grants(scope) {
				e.fault("the role holds the scope %q, which no flow of an oauth2 scheme declares: declare it there or correct the name", scope)
			}
		}
		d.roles = append(d.roles, r)
	}
}

// grants reports whether a flow of an oauth2 scheme declares the scope.
func (d *document) grants(scope string) bool {
	return slices.ContainsFunc(d.schemes, func(s scheme) bool { return s.source == "oauth2" && slices.Contains(s.scopes, scope) })
}

// roles writes the roles of the document.
func (e *emitter) roles() {
	e.p("// Roles returns the roles of the root x-roles, each with its scopes.")
	e.p("func Roles() map[string][]string {\nreturn map[string][]string{")
	for _, r := range e.document.roles {
		e.p("%q: {%s},", r.name, quoteAll(r.scopes))
	}
	e.p("}\n}\n")
}
