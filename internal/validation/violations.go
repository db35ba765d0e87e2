package validation

import (
	"strconv"

	"example.com/gatehouse/internal/ceiling"
	"example.com/gatehouse/internal/problem"
)

// Violations collects what is wrong with one request, up to a cap. The zero value is empty.
type Violations struct {
	list []problem.Violation
}

// Body adds a violation of the body at pointer (RFC 6901; "" is the whole body).
func (v *Violations) Body(pointer, keyword, detail string) {
	v.add(problem.Violation{Pointer: pointer, Keyword: keyword, Detail: detail})
}

// Parameter adds a violation of the parameter.
func (v *Violations) Parameter(name, keyword, detail string) {
	v.add(problem.Violation{Parameter: name, Keyword: keyword, Detail: detail})
}

func (v *Violations) add(x problem.Violation) {
	if len(v.list) < ceiling.Violations {
		v.list = append(v.list, x)
	}
}

// Full reports whether the cap is reached, so that a decoder may stop.
func (v *Violations) Full() bool { return len(v.list) >= ceiling.Violations }

// Err returns nil where there are none, else one validation-failed problem with all of them.
func (v *Violations) Err() error {
	if len(v.list) == 0 {
		return nil
	}
	detail := "1 violation: see errors"
	if n := len(v.list); n > 1 {
		detail = strconv.Itoa(n) + " violations: see errors"
	}
	e := problem.ValidationFailed.New(detail)
	e.Violations = v.list
	return e
}
