package validation

import "example.com/gatehouse/internal/problem"

// Check walks over one Value for the generated checks: it collects violations, remembers which members and elements
// some schema has looked at, and takes both back where an alternative turns out not to fit.
type Check struct {
	// Violations collects what is wrong.
	Violations *Violations
	// Parameter is the name of the parameter that the value is. Empty: it is of the body.
	Parameter string
	// Purpose is what the value is for.
	Purpose Purpose

	inTrial bool
	failed  int    // violations so far, those of trials included
	trials  int    // that are left
	root    *Value // of the trial
	unlike  bool   // the trial failed at its root: the value is of another kind
	marks   []marked
	changed bool // a member is left out, filled in, or spelled anew
}

// Purpose decides about readOnly, writeOnly, defaults and ceilings.
type Purpose int

const (
	// Request is what a client sends.
	Request Purpose = iota
	// Patch is a request whose body is a JSON merge patch (RFC 7396): what is absent stays as it is, so that no default is
	// filled in.
	Patch
	// Response is what the service says itself: no ceiling, no default.
	Response
)

// marked is an entry of Check.marks, with what it replaced.
type marked struct {
	value    *Value
	previous evaluated
	filled   bool // it is a default of value
}

// Violation adds a violation of keyword at v.
func (c *Check) Violation(v *Value, keyword, detail string) {
	c.failed++
	if c.inTrial {
		if v == c.root && (keyword == "type" || keyword == "const" || keyword == "enum") {
			c.unlike = true
		}
		return
	}
	if c.Violations.Full() {
		return // finding the place of a value among its siblings is not free
	}
	if c.Parameter != "" {
		c.Violations.add(problem.Violation{Parameter: c.Parameter, Keyword: keyword, Detail: detail})
		return
	}
	c.Violations.Body(string(v.pointer()), keyword, detail)
}

// Test adds a violation of keyword at v unless detail is empty.
func (c *Check) Test(v *Value, keyword, detail string) {
	if detail != "" {
		c.Violation(v, keyword, detail)
	}
}

// Never refuses the value: what the schema false does.
func (c *Check) Never(v *Value) { c.Violation(v, "false", "is not allowed here") }

// Accepts tries a schema. Where the value fits, what the schema looked at stays noted; where it does not, nothing of the
// trial stays.
func (c *Check) Accepts(v *Value, check func(*Check, *Value)) bool {
	if c.trials--; c.trials < 0 {
		if c.trials == -1 {
			c.Violations.Body("", "ceiling", "takes too many trials of alternatives: nest it less deeply")
		}
		c.failed++
		return false
	}
	failed, inTrial, root, unlike, place := c.failed, c.inTrial, c.root, c.unlike, len(c.marks)
	c.inTrial, c.root, c.unlike = true, v, false
	check(c, v)
	ok := c.failed == failed
	c.failed, c.inTrial, c.root = failed, inTrial, root
	if !ok {
		c.rollback(place)
	}
	if ok || inTrial {
		c.unlike = unlike
	}
	return ok
}

// AnyOf demands that at least one schema accepts the value. All are tried: each that accepts notes what it looked at.
func (c *Check) AnyOf(v *Value, checks ...func(*Check, *Value)) {
	n, alike := 0, -1
	for i, check := range checks {
		if c.Accepts(v, check) {
			n++
		} else {
			alike = c.candidate(alike, i)
		}
	}
	if n == 0 {
		c.noneOf(v, "anyOf", alike, checks)
	}
}

// OneOf demands that exactly one schema accepts the value.
func (c *Check) OneOf(v *Value, checks ...func(*Check, *Value)) {
	n, alike := 0, -1
	for i, check := range checks {
		if c.Accepts(v, check) {
			if n++; n > 1 {
				c.Violation(v, "oneOf", "fits more than one of the alternatives: only one may fit")
				return
			}
		} else {
			alike = c.candidate(alike, i)
		}
	}
	if n == 0 {
		c.noneOf(v, "oneOf", alike, checks)
	}
}

// candidate returns the only alternative so far that the value failed for something within it, -1 for none and -2 for
// several.
func (c *Check) candidate(alike, i int) int {
	switch {
	case c.unlike:
		return alike
	case alike == -1:
		return i
	}
	return -2
}

// noneOf says why no alternative fits: in the words of the one that the value resembles, if it is one.
func (c *Check) noneOf(v *Value, keyword string, alike int, checks []func(*Check, *Value)) {
	if alike >= 0 && !c.inTrial {
		checks[alike](c, v)
		return
	}
	c.Violation(v, keyword, "fits none of the alternatives")
}

// Not demands that the schema does not accept the value.
func (c *Check) Not(v *Value, check func(*Check, *Value)) {
	place := len(c.marks)
	if c.Accepts(v, check) {
		c.rollback(place)
		c.Violation(v, "not", "must not be what is excluded here")
	}
}

// Mark notes that a schema has looked at a member or element, so that unevaluatedProperties and unevaluatedItems of a
// schema around it pass over it.
func (c *Check) Mark(v *Value) {
	c.marks = append(c.marks, marked{value: v, previous: v.evaluated})
	v.mark = len(c.marks)
}

// Undeclared notes that an open object has a member that its schema does not describe. It is not given to the model,
// unless another schema describes it: what reads the model could take it for a declared one in another case.
func (c *Check) Undeclared(v *Value) {
	c.marks = append(c.marks, marked{value: v, previous: v.evaluated})
	v.undeclared, c.changed = true, true
}

// Default fills in a member that the object does not have, for the model alone: no check sees it.
func (c *Check) Default(v *Value, name, json string) {
	if c.Purpose != Request || v.kind != Object || v.Member(name) != nil {
		return
	}
	for _, d := range v.defaults {
		if d.name == name {
			return
		}
	}
	c.marks = append(c.marks, marked{value: v, filled: true})
	v.defaults, c.changed = append(v.defaults, filled{name, json}), true
}

// Scope begins what a schema with unevaluatedProperties or unevaluatedItems sees: only what it and its own parts note.
func (c *Check) Scope() int { return len(c.marks) }

// Unevaluated reports whether nothing within the scope has looked at the member or element.
func (c *Check) Unevaluated(v *Value, scope int) bool { return v.mark <= scope }

// rollback takes back what was noted since place.
func (c *Check) rollback(place int) {
	for i := len(c.marks) - 1; i >= place; i-- {
		m := c.marks[i]
		if m.filled {
			m.value.defaults = m.value.defaults[:len(m.value.defaults)-1]
		} else {
			m.value.evaluated = m.previous
		}
	}
	c.marks = c.marks[:place]
}
