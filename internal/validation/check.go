package validation

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"example.com/gatehouse/internal/problem"
)

// Check walks over one Value for the generated checks: it collects violations, remembers which members and elements
// some schema has looked at, and takes both back where an alternative turns out not to fit.
type Check struct {
	// Violations collects what is wrong.
	Violations *Violations
	// Parameter is the name of the parameter that the value is. Empty: it is of the body.
	Parameter string
	// Purpose is what the value is for.
	Purpose Purpose

	body    *jsontext.Decoder // has just read the root, where that is a part of a body
	inTrial bool
	failed  int    // violations so far, those of trials included
	large   bool   // the trial met a value beyond a ceiling
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
	at := v.pointer()
	if c.body != nil {
		root, whole := place(c.body)
		if !whole {
			at = ""
		}
		at = root + at
	}
	c.Violations.Body(string(at), keyword, detail)
}

// Test adds a violation of keyword at v unless detail is empty.
func (c *Check) Test(v *Value, keyword, detail string) {
	if detail != "" {
		c.Violation(v, keyword, detail)
	}
}

// Never refuses the value: what the schema false does.
func (c *Check) Never(v *Value) { c.Violation(v, "false", "is not allowed here") }

// Accepts asks whether a value fits a schema. Where it does, what the schema looked at stays noted; where it does not, nothing
// of the trial stays. A default stays in neither case: a condition asks about the value, and does not describe it.
func (c *Check) Accepts(v *Value, check func(*Check, *Value)) bool {
	place := len(c.marks)
	ok, _ := c.try(v, check)
	for i := len(c.marks) - 1; i >= place; i-- {
		if m := &c.marks[i]; m.filled {
			m.value.defaults = m.value.defaults[:len(m.value.defaults)-1]
			*m = marked{value: new(Value)} // the others keep their numbers
		}
	}
	return ok
}

// try tries a schema for who wants the value: large says that it is beyond a ceiling of the schema.
func (c *Check) try(v *Value, check func(*Check, *Value)) (ok, large bool) {
	if c.trials--; c.trials < 0 {
		if c.trials == -1 {
			c.Violations.Body("", "ceiling", "takes too many trials of alternatives: nest it less deeply")
		}
		c.failed++
		return false, false
	}
	failed, inTrial, outer, root, unlike, place := c.failed, c.inTrial, c.large, c.root, c.unlike, len(c.marks)
	c.inTrial, c.large, c.root, c.unlike = true, false, v, false
	check(c, v)
	ok, large = c.failed == failed, c.large
	c.failed, c.inTrial, c.large, c.root = failed, inTrial, outer, root
	if !ok {
		c.rollback(place)
	}
	if ok || inTrial {
		c.unlike = unlike
	}
	return ok, large
}

// AnyOf demands that at least one schema accepts the value. All are tried: each that accepts notes what it looked at.
func (c *Check) AnyOf(v *Value, checks ...func(*Check, *Value)) {
	n, alike, beyond := 0, -1, -1
	for i, check := range checks {
		switch ok, large := c.try(v, check); {
		case ok && large:
			beyond = i
		case ok:
			n++
		default:
			alike = c.candidate(alike, i)
		}
	}
	switch {
	case n > 0:
	case beyond >= 0:
		c.beyond(v, checks[beyond])
	default:
		c.noneOf(v, "anyOf", alike, checks)
	}
}

// OneOf demands that exactly one schema accepts the value.
func (c *Check) OneOf(v *Value, checks ...func(*Check, *Value)) {
	n, alike, beyond := 0, -1, -1
	for i, check := range checks {
		ok, large := c.try(v, check)
		if !ok {
			alike = c.candidate(alike, i)
			continue
		}
		if n++; n > 1 {
			c.Violation(v, "oneOf", "fits more than one of the alternatives: only one may fit")
			return
		}
		if large {
			beyond = i
		}
	}
	switch {
	case n == 0:
		c.noneOf(v, "oneOf", alike, checks)
	case beyond >= 0:
		c.beyond(v, checks[beyond])
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

// Undeclared notes that an open object has a member that its schema does not declare. It is not given to the model, unless
// another schema describes it: what reads the model could take it for a declared one in another case. One that differs from
// a declared name in case alone is never given to the model.
func (c *Check) Undeclared(v *Value, declared ...string) {
	c.marks = append(c.marks, marked{value: v, previous: v.evaluated})
	v.undeclared, c.changed = true, true
	for _, name := range declared {
		v.ambiguous = v.ambiguous || strings.EqualFold(v.name, name)
	}
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
	clear(c.marks[place:])
	c.marks = c.marks[:place]
}
