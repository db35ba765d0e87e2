package validation

import (
	"example.com/gatehouse/internal/ceiling"
	"example.com/gatehouse/internal/problem"
)

// Literal checks a JSON value that stands in a document. It returns the value as a model is to see it, and what is wrong.
func Literal(json string, purpose Purpose, check func(*Check, *Value)) (written string, wrong []problem.Violation) {
	v, err := parseText(json)
	if err != nil {
		return "", []problem.Violation{{Keyword: "depth", Detail: "is nested too deeply"}}
	}
	violations := &Violations{}
	c := &Check{Violations: violations, Purpose: purpose, trials: ceiling.Trials + ceiling.TrialsPerValue*len(json)}
	check(c, v)
	c.doubles(v)
	return string(v.appendJSON(nil)), violations.list
}
