package validation

import (
	"errors"
	"unicode/utf8"

	"example.com/gatehouse/internal/ceiling"
)

// CheckResponse checks the JSON of a response, and returns what is wrong with it.
func CheckResponse(data []byte, check func(*Check, *Value)) error {
	var v *Value
	values := 0
	err := Decode(data, &Violations{}, func(r *Reader) {
		if raw, err := r.dec.ReadValue(); err != nil {
			r.syntax(err)
		} else {
			v, values = parseValue(string(raw))
		}
	})
	if err != nil {
		return err
	}
	return checkResponse(v, values, check)
}

// CheckTextResponse checks a response that is one text.
func CheckTextResponse(data []byte, check func(*Check, *Value)) error {
	if !utf8.Valid(data) {
		return errors.New("the text is not UTF-8")
	}
	return checkResponse(&Value{kind: String, text: string(data)}, 1, check)
}

// CheckResponse checks each line of a header field of a response.
func (s *Style) CheckResponse(lines []string, check func(*Check, *Value)) error {
	p := &Parameters{Violations: &Violations{}}
	for _, line := range lines {
		v, ok := p.take(s, line)
		if !ok {
			break
		}
		v.link()
		if err := checkResponse(v, 1, check); err != nil {
			return err
		}
	}
	return p.Violations.Err()
}

func checkResponse(v *Value, values int, check func(*Check, *Value)) error {
	c := &Check{Violations: &Violations{}, Purpose: Response, trials: ceiling.Trials + ceiling.TrialsPerValue*values}
	check(c, v)
	return c.Violations.Err()
}
