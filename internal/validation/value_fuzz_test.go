package validation_test

import (
	"bytes"
	stdjson "encoding/json"
	"io"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/validation"
)

// refusal is all that a body which is no JSON is answered: nothing of it stands there.
var refusal = regexp.MustCompile(`^the body (repeats a member of an object at byte \d+|ends before the JSON value does|is not valid JSON in UTF-8 at byte \d+|goes on after the JSON value|nests deeper than 32 levels)$`)

func jsonSeeds(f *testing.F) {
	for _, seed := range []string{
		``, `null`, ` {"a":[1,2.50,-0,1e400,"\ud83d\udc4d"],"":{}} `, `{"a":1,"\u0061":2}`, `[1]]`, "\"\xff\"", `"\ud800"`, "\ufeff1", `01`, `[1e-400,123456789012345678901]`,
		strings.Repeat("[", 32) + strings.Repeat("]", 32), strings.Repeat("[", 33) + strings.Repeat("]", 33), `{"k":"` + strings.Repeat("x", 70) + `"}`, `[[],[],{},{}]`, `[0,-0,0.0,0e9]`,
	} {
		f.Add([]byte(seed))
	}
}

// FuzzReader: what is read is exactly what a strict reader takes within 32 levels, and it is read as that one reads it.
func FuzzReader(f *testing.F) {
	jsonSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		want, valid := strict(data)
		var skipped validation.Violations
		if err := validation.Decode(data, &skipped, anything); (err == nil) != valid || skipped.Err() != nil {
			t.Fatalf("%q: skipped with %v, the strict reader takes it: %v", data, err, valid)
		}
		var got any
		var v validation.Violations
		err := validation.Decode(data, &v, func(r *validation.Reader) { r.Anything(&got) })
		if (err == nil) != valid {
			t.Fatalf("%q: %v, the strict reader takes it: %v", data, err, valid)
		}
		if err != nil {
			if p := problem.From(err); !problem.BadRequest.Is(err) || !refusal.MatchString(p.Detail) {
				t.Fatalf("%q: %v", data, err)
			}
			return
		}
		if v.Err() != nil {
			if !tooLarge(data) {
				t.Fatalf("%q: %+v", data, v.Err())
			}
			return
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %v", data, got)
		}
		again, err := json.Marshal(got, json.Deterministic(true))
		if err != nil {
			t.Fatal(err)
		}
		if second, ok := strict(again); !ok || !reflect.DeepEqual(got, second) {
			t.Fatalf("%q is written as %q", data, again)
		}
	})
}

// strict reads exactly one value of at most 32 levels, as package json does.
func strict(data []byte) (value any, ok bool) {
	dec := jsontext.NewDecoder(bytes.NewReader(data))
	for {
		if _, err := dec.ReadToken(); err != nil || dec.StackDepth() > 32 {
			return nil, false
		}
		if dec.StackDepth() == 0 {
			break
		}
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return nil, false
	}
	_ = json.Unmarshal(data, &value) // a number that no float64 holds is an error here
	return value, true
}

// tooLarge reports whether one of the numbers is beyond a float64.
func tooLarge(data []byte) bool {
	dec := jsontext.NewDecoder(bytes.NewReader(data))
	for {
		token, err := dec.ReadToken()
		if err != nil {
			return false
		}
		if token.Kind() == '0' {
			if _, err := strconv.ParseFloat(token.String(), 64); err != nil {
				return true
			}
		}
	}
}

// everything applies all the checks that look at one value, at each place.
func everything(c *validation.Check, v *validation.Value) {
	c.Type(v, validation.String|validation.Integer)
	c.Minimum(v, "-0.0")
	c.Maximum(v, "1e3")
	c.ExclusiveMinimum(v, "0.1")
	c.ExclusiveMaximum(v, "12345678901234567890")
	c.MultipleOf(v, "0.3")
	c.MinLength(v, 2)
	c.MaxLength(v, 3)
	c.CeilingBytes(v, 5)
	c.CeilingItems(v, 2)
	c.CeilingMembers(v, 2)
	c.CeilingInteger(v)
	c.Integer(v, 32, true)
	c.Float(v, 32)
	c.DateTime(v)
	for _, format := range []func(string) string{
		validation.DateText, validation.Time, validation.Duration, validation.Email, validation.IDNEmail, validation.Hostname, validation.IDNHostname, validation.IPv4, validation.IPv6,
		validation.URI, validation.URIReference, validation.IRI, validation.IRIReference, validation.URITemplate, validation.UUID, validation.Base64, validation.Regex, validation.JSONPointer, validation.RelativeJSONPointer,
	} {
		c.Format(v, format)
	}
	c.Pattern(v, regexp.MustCompile("^a"), "^a")
	c.Const(v, validation.NewEnumeration(`{"a":[1]}`))
	c.Enum(v, validation.NewEnumeration(`"a"`, `1`, `[]`))
	c.MinItems(v, 1)
	c.MaxItems(v, 3)
	c.UniqueItems(v)
	c.MinProperties(v, 1)
	c.MaxProperties(v, 2)
	c.Required(v, "a", "b/~c")
	c.DependentRequired(v, "a", "d")
	c.PropertyNames(v, func(c *validation.Check, v *validation.Value) { c.MaxLength(v, 2) })
	c.Contains(v, 1, 2, func(c *validation.Check, v *validation.Value) { c.Type(v, validation.Number) })
	scope := c.Scope()
	c.AnyOf(v, func(c *validation.Check, v *validation.Value) { c.Type(v, validation.Null) }, func(c *validation.Check, v *validation.Value) { c.Required(v, "x"); markAll(c, v) })
	c.OneOf(v, func(c *validation.Check, v *validation.Value) { c.Type(v, validation.Array); markAll(c, v) }, func(c *validation.Check, v *validation.Value) { c.MinItems(v, 1) })
	c.Not(v, markAll)
	for m := v.FirstMember(); m != nil; m = m.Next() {
		if c.Unevaluated(m, scope) {
			c.UnevaluatedMember(m)
		}
		c.Undeclared(m, "a")
		everything(c, m)
	}
	for e := v.Element(0); e != nil; e = e.Next() {
		if c.Unevaluated(e, scope) {
			c.UnevaluatedElement(e)
		}
		everything(c, e)
	}
}

func markAll(c *validation.Check, v *validation.Value) {
	for m := v.FirstMember(); m != nil; m = m.Next() {
		c.Mark(m)
	}
	for e := v.Element(0); e != nil; e = e.Next() {
		c.Mark(e)
	}
}

// FuzzChecks: no check panics, and each violation names a place that is in the value, or one that is missing in an object of it.
func FuzzChecks(f *testing.F) {
	jsonSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		value, valid := strict(data)
		if !valid || tooLarge(data) {
			return
		}
		var dst any
		var v validation.Violations
		if err := validation.Decode(data, &v, func(r *validation.Reader) { r.Checked(&dst, everything) }); err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		if v.Err() == nil {
			t.Fatalf("%q meets what excludes itself", data)
		}
		for _, x := range problem.From(v.Err()).Violations {
			pointer := jsontext.Pointer(x.Pointer)
			if !pointer.IsValid() || x.Keyword == "" || x.Detail == "" {
				t.Fatalf("%q: %+v", data, x)
			}
			if _, found := at(value, pointer); !found {
				parent, found := at(value, pointer.Parent())
				if _, object := parent.(map[string]any); !found || !object || x.Keyword != "required" {
					t.Fatalf("%q: nothing is at %q", data, x.Pointer)
				}
			}
		}
	})
}

// at returns what a pointer names.
func at(v any, pointer jsontext.Pointer) (any, bool) {
	for token := range pointer.Tokens() {
		switch parent := v.(type) {
		case map[string]any:
			child, found := parent[token]
			if !found {
				return nil, false
			}
			v = child
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(parent) {
				return nil, false
			}
			v = parent[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// FuzzEqual: two values are equal in a short list, in a long one and as a constant, or in none, as numbers without rounding say.
func FuzzEqual(f *testing.F) {
	for _, seed := range [][2]string{{`1`, `1.0`}, {`0`, `-0e5`}, {`"a"`, `"\u0061"`}, {`{"a":1,"b":[]}`, `{"b":[],"a":1e0}`}, {`[]`, `{}`}, {`[[1],2]`, `[1,[2]]`}, {`"1e0"`, `1`}, {`true`, `1`}, {`123456789012345678901`, `123456789012345678902`}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, okX := exact(a)
		y, okY := exact(b)
		if !okX || !okY {
			return
		}
		want := equal(x, y)
		unique := func(list string) bool {
			return validation.CheckResponse([]byte(list), func(c *validation.Check, v *validation.Value) { c.UniqueItems(v) }) == nil
		}
		padding := ""
		for i := range 20 {
			padding += `,{"padding":` + strconv.Itoa(i) + `}`
		}
		if unique("["+a+","+b+"]") == want {
			t.Errorf("%q and %q are equal: %v, not so in a short list", a, b, want)
		}
		if unique("["+a+","+b+padding+"]") == want {
			t.Errorf("%q and %q are equal: %v, not so in a long list", a, b, want)
		}
		constant := validation.NewEnumeration(a)
		if (validation.CheckResponse([]byte(b), func(c *validation.Check, v *validation.Value) { c.Const(v, constant) }) == nil) != want {
			t.Errorf("%q and %q are equal: %v, not so as a constant", a, b, want)
		}
	})
}

// exact reads a value with its numbers as fractions, where they are not too large for that.
func exact(text string) (any, bool) {
	if _, ok := strict([]byte(text)); !ok || strings.Count(text, "[")+strings.Count(text, "{") > 30 || strings.Contains(text, "padding") {
		return nil, false
	}
	dec := stdjson.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, false
	}
	small := true
	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case stdjson.Number:
			_, power, _ := strings.Cut(strings.ToLower(string(v)), "e")
			if n, err := strconv.Atoi(power); power != "" && (err != nil || n > 400 || n < -400) {
				small = false
				return nil
			}
			r, _ := new(big.Rat).SetString(string(v))
			return r
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case map[string]any:
			for name := range v {
				v[name] = walk(v[name])
			}
		}
		return v
	}
	return walk(v), small
}

func equal(a, b any) bool {
	switch a := a.(type) {
	case *big.Rat:
		b, ok := b.(*big.Rat)
		return ok && a.Cmp(b) == 0
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, v := range a {
			if w, found := b[name]; !found || !equal(v, w) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case *big.Rat, []any, map[string]any:
		return false
	}
	return a == b
}

// FuzzNumber: bounds, multiples and integers are decided as fractions of whole numbers decide them.
func FuzzNumber(f *testing.F) {
	for _, seed := range [][2]string{{"1", "1.0"}, {"-0", "0"}, {"0.3", "0.1"}, {"1e20", "3"}, {"9223372036854775807", "9223372036854775808"}, {"-1.5e-7", "2.5e-9"}, {"123456789012345678e10", "7"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, number, bound string) {
		x, okX := exact(number)
		y, okY := exact(bound)
		n, isNumber := x.(*big.Rat)
		b, isBound := y.(*big.Rat)
		if !okX || !okY || !isNumber || !isBound {
			return
		}
		holds := func(check func(c *validation.Check, v *validation.Value)) bool {
			return validation.CheckResponse([]byte(number), check) == nil
		}
		bound = strings.TrimSpace(bound)
		for name, row := range map[string]struct {
			check func(c *validation.Check, v *validation.Value)
			want  bool
		}{
			"minimum":          {func(c *validation.Check, v *validation.Value) { c.Minimum(v, bound) }, n.Cmp(b) >= 0},
			"maximum":          {func(c *validation.Check, v *validation.Value) { c.Maximum(v, bound) }, n.Cmp(b) <= 0},
			"exclusiveMinimum": {func(c *validation.Check, v *validation.Value) { c.ExclusiveMinimum(v, bound) }, n.Cmp(b) > 0},
			"exclusiveMaximum": {func(c *validation.Check, v *validation.Value) { c.ExclusiveMaximum(v, bound) }, n.Cmp(b) < 0},
			"integer":          {func(c *validation.Check, v *validation.Value) { c.Type(v, validation.Integer) }, n.IsInt()},
			"64 bits":          {func(c *validation.Check, v *validation.Value) { c.Integer(v, 64, false) }, n.IsInt() && n.Num().IsInt64()},
			"64 unsigned bits": {func(c *validation.Check, v *validation.Value) { c.Integer(v, 64, true) }, n.IsInt() && n.Num().IsUint64()},
		} {
			if got := holds(row.check); got != row.want {
				t.Errorf("%s of %s with %s: %v", name, number, bound, got)
			}
		}
		mantissa, _, _ := strings.Cut(strings.ToLower(bound), "e")
		if digits := strings.Trim(strings.NewReplacer(".", "", "-", "").Replace(mantissa), "0"); b.Sign() > 0 && len(digits) <= 18 {
			want := new(big.Rat).Quo(n, b).IsInt()
			if got := holds(func(c *validation.Check, v *validation.Value) { c.MultipleOf(v, bound) }); got != want {
				t.Errorf("%s is a multiple of %s: %v", number, bound, got)
			}
		}
	})
}
