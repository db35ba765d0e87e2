package validation

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"example.com/gatehouse/internal/ceiling"
	"example.com/gatehouse/internal/problem"
)

// Checked reads one value, checks it, and unmarshals it into the model that dst points to where nothing is wrong with it. dst receives what the
// schema describes and no more: a member that the schema leaves open without describing it could bind to a declared one
// of another spelling.
func (r *Reader) Checked(dst any, check func(*Check, *Value)) {
	if r.err != nil {
		return
	}
	outer := r.dec.StackDepth()
	raw, err := r.dec.ReadValue()
	if err != nil {
		r.syntax(err)
		return
	}
	if outer+depth(raw) > ceiling.Depth {
		r.tooDeep()
		return
	}
	v, values := r.values.parse(string(raw))
	c := &r.check
	*c = Check{Violations: r.violations, Purpose: r.purpose, body: r.dec, trials: ceiling.Trials + ceiling.TrialsPerValue*values, marks: c.marks[:0]}
	defer r.forget()
	check(c, v)
	c.doubles(v)
	if c.failed > 0 {
		return
	}
	if c.changed || bytes.IndexByte(raw, '\\') >= 0 { // time.Time reads no escapes
		raw = v.appendJSON(nil)
	}
	if err := json.Unmarshal(raw, dst); err != nil {
		r.err = problem.Internal.Wrap(fmt.Errorf("unmarshal a value that its schema accepts into %T: %v", dst, withoutInput(err)), "the service failed: the log has it under request_id")
	}
}

// forget drops the value that was checked, and what was noted about it.
func (r *Reader) forget() {
	r.values.forget()
	marks := r.check.marks
	clear(marks)
	if cap(marks) > maxKept {
		marks = nil
	}
	r.check = Check{marks: marks}
}

// withoutInput keeps what a person needs of an error of package json, and nothing of what was sent.
func withoutInput(err error) error {
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		return fmt.Errorf("at %s: %s does not fit %v", semantic.JSONPointer, semantic.JSONKind, semantic.GoType)
	}
	return errors.New("the model refuses it")
}

// doubles refuses numbers beyond what a double can hold, which no model could keep.
func (c *Check) doubles(v *Value) {
	if v.kind == Number && (len(v.text) > 300 || strings.ContainsAny(v.text, "eE")) {
		_, wrong := ParseFloat64([]byte(v.text))
		c.Test(v, "format", wrong)
	}
	for i := range v.list {
		c.doubles(&v.list[i])
	}
}

// appendJSON appends the value as the model is to see it.
func (v *Value) appendJSON(b []byte) []byte {
	switch v.kind {
	case Null:
		return append(b, "null"...)
	case Boolean:
		if v.truth {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	case Number:
		if v.written != "" {
			return append(b, v.written...)
		}
		return append(b, v.text...)
	case String:
		if v.file != nil {
			return v.file.appendJSON(b)
		}
		if v.written != "" {
			return appendString(b, v.written)
		}
		return appendString(b, v.text)
	case Array:
		b = append(b, '[')
		for i := range v.list {
			b = append(v.list[i].appendJSON(b), ',')
		}
		return closed(b, ']')
	}
	b = append(b, '{')
	for i := range v.list {
		if m := &v.list[i]; !m.undeclared || m.mark > 0 && !m.ambiguous {
			b = append(appendString(b, m.name), ':')
			b = append(m.appendJSON(b), ',')
		}
	}
	for _, d := range v.defaults {
		b = append(appendString(b, d.name), ':')
		b = append(append(b, d.json...), ',')
	}
	return closed(b, '}')
}

// closed replaces the comma after the last child.
func closed(b []byte, end byte) []byte {
	if b[len(b)-1] == ',' {
		b[len(b)-1] = end
		return b
	}
	return append(b, end)
}

func appendString(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s) // it is valid UTF-8
	return b
}

// Anything reads a value that no schema bounds.
func (r *Reader) Anything(dst any) { r.Checked(dst, func(*Check, *Value) {}) }
