package validation

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The methods of Check that are named like a keyword enforce it. As JSON Schema says, each looks only at values of the
// type that it is about and passes over others: what type a value must have is for Type to say.

// Type demands that the value is of one of the types, such as String|Null.
func (c *Check) Type(v *Value, types Kind) bool {
	if v.kind&types != 0 || types&Integer != 0 && v.kind == Number && isInteger(v.text) {
		return true
	}
	c.Violation(v, "type", "must be "+types.String())
	return false
}

// String names the types as a violation does.
func (k Kind) String() string {
	var list []string
	for i, name := range []string{"null", "true or false", "a number", "a string", "an array", "an object", "an integer"} {
		if k&(1<<i) != 0 && !(1<<i == int(Integer) && k&Number != 0) {
			list = append(list, name)
		}
	}
	if n := len(list); n > 1 {
		return strings.Join(list[:n-1], ", ") + " or " + list[n-1]
	}
	return strings.Join(list, "")
}

// Minimum and the next four compare by the decimal text: nothing is rounded.
func (c *Check) Minimum(v *Value, bound string) {
	if v.kind == Number && compareDecimal([]byte(v.text), []byte(bound)) < 0 {
		c.Violation(v, "minimum", "must be at least "+bound)
	}
}

// Maximum demands a number that is not above the bound.
func (c *Check) Maximum(v *Value, bound string) {
	if v.kind == Number && compareDecimal([]byte(v.text), []byte(bound)) > 0 {
		c.Violation(v, "maximum", "must be at most "+bound)
	}
}

// ExclusiveMinimum demands a number above the bound.
func (c *Check) ExclusiveMinimum(v *Value, bound string) {
	if v.kind == Number && compareDecimal([]byte(v.text), []byte(bound)) <= 0 {
		c.Violation(v, "exclusiveMinimum", "must be more than "+bound)
	}
}

// ExclusiveMaximum demands a number below the bound.
func (c *Check) ExclusiveMaximum(v *Value, bound string) {
	if v.kind == Number && compareDecimal([]byte(v.text), []byte(bound)) >= 0 {
		c.Violation(v, "exclusiveMaximum", "must be less than "+bound)
	}
}

// MultipleOf demands a whole multiple of the divisor.
func (c *Check) MultipleOf(v *Value, divisor string) {
	if v.kind == Number && !MultipleOf([]byte(v.text), divisor) {
		c.Violation(v, "multipleOf", "must be a multiple of "+divisor)
	}
}

// MinLength demands a string of at least n code points.
func (c *Check) MinLength(v *Value, n int) {
	if v.kind == String {
		c.Test(v, "minLength", MinLength(v.text, n))
	}
}

// MaxLength demands a string of at most n code points.
func (c *Check) MaxLength(v *Value, n int) {
	if v.kind == String {
		c.Test(v, "maxLength", MaxLength(v.text, n))
	}
}

// Pattern demands a string that matches; source is the pattern as the document spells it.
func (c *Check) Pattern(v *Value, m Matcher, source string) {
	if v.kind == String && !m.MatchString(v.text) {
		c.Violation(v, "pattern", "must match "+source)
	}
}

// Format demands a string of the format; wrong returns what is not.
func (c *Check) Format(v *Value, wrong func(string) string) {
	if v.kind == String {
		c.Test(v, "format", wrong(v.text))
	}
}

// Const and Enum demand one of the values.
func (c *Check) Const(v *Value, values *Enumeration) {
	if !values.has(v) {
		c.Violation(v, "const", "must be "+values.text)
	}
}

// Enum demands one of the values.
func (c *Check) Enum(v *Value, values *Enumeration) {
	if !values.has(v) {
		c.Violation(v, "enum", Enum(values.text))
	}
}

// Enumeration is the value of enum or const.
type Enumeration struct {
	texts  map[string]bool // the strings
	others []*Value
	text   string
}

// NewEnumeration returns the values that the JSON texts write, which the generator has checked to be valid.
func NewEnumeration(values ...string) *Enumeration {
	e := &Enumeration{texts: map[string]bool{}}
	var names []string
	for _, json := range values {
		v, _ := parseValue(json)
		if v.kind == String {
			e.texts[v.text] = true
			names = append(names, v.text)
		} else {
			e.others = append(e.others, v)
			names = append(names, json)
		}
	}
	e.text = strings.Join(names, ", ")
	if cut := 512; len(e.text) > cut {
		for !utf8.RuneStart(e.text[cut]) {
			cut--
		}
		e.text = e.text[:cut] + "…"
	}
	return e
}

func (e *Enumeration) has(v *Value) bool {
	if v.kind == String {
		return e.texts[v.text]
	}
	for _, other := range e.others {
		if Equal(v, other) {
			return true
		}
	}
	return false
}

// MinItems demands an array of at least n elements.
func (c *Check) MinItems(v *Value, n int) {
	if v.kind == Array {
		c.Test(v, "minItems", MinItems(len(v.list), n))
	}
}

// MaxItems demands an array of at most n elements.
func (c *Check) MaxItems(v *Value, n int) {
	if v.kind == Array {
		c.Test(v, "maxItems", MaxItems(len(v.list), n))
	}
}

// UniqueItems demands an array without two equal elements, by JSON equality: 1 and 1.0 are equal.
func (c *Check) UniqueItems(v *Value) {
	if v.kind != Array {
		return
	}
	const wrong = "must not hold the same element twice"
	if len(v.list) <= few {
		for i := range v.list {
			for j := range i {
				if Equal(&v.list[i], &v.list[j]) {
					c.Violation(v, "uniqueItems", wrong)
					return
				}
			}
		}
		return
	}
	seen := make(map[string]struct{}, len(v.list))
	var key []byte
	for i := range v.list {
		key = v.list[i].appendKey(key[:0])
		if _, found := seen[string(key)]; found {
			c.Violation(v, "uniqueItems", wrong)
			return
		}
		seen[string(key)] = struct{}{}
	}
}

// Contains demands an array of which at least low and at most high elements fit the schema; high is -1 where it is open.
func (c *Check) Contains(v *Value, low, high int, check func(*Check, *Value)) {
	if v.kind != Array {
		return
	}
	n := 0
	for e := v.Element(0); e != nil; e = e.Next() {
		if c.Accepts(e, check) {
			c.Mark(e)
			n++
		}
	}
	switch {
	case n < low && low == 1:
		c.Violation(v, "contains", "must hold an element of the kind that the schema names")
	case n < low:
		c.Violation(v, "minContains", fmt.Sprintf("must hold at least %d elements of the kind that the schema names", low))
	case high >= 0 && n > high:
		c.Violation(v, "maxContains", fmt.Sprintf("must hold at most %d elements of the kind that the schema names", high))
	}
}

// MinProperties demands an object of at least n members.
func (c *Check) MinProperties(v *Value, n int) {
	if v.kind == Object {
		c.Test(v, "minProperties", MinProperties(len(v.list), n))
	}
}

// MaxProperties demands an object of at most n members.
func (c *Check) MaxProperties(v *Value, n int) {
	if v.kind == Object {
		c.Test(v, "maxProperties", MaxProperties(len(v.list), n))
	}
}

// Required demands the members.
func (c *Check) Required(v *Value, names ...string) {
	if v.kind != Object {
		return
	}
	for _, name := range names {
		if v.Member(name) == nil {
			c.missing(v, name, "is required")
		}
	}
}

// RequiredInRequest demands members that are writeOnly, which no response has.
func (c *Check) RequiredInRequest(v *Value, names ...string) {
	if c.Purpose != Response {
		c.Required(v, names...)
	}
}

// RequiredInResponse demands members that are readOnly, which no request has.
func (c *Check) RequiredInResponse(v *Value, names ...string) {
	if c.Purpose == Response {
		c.Required(v, names...)
	}
}

// DependentRequired demands the members where the object has the member.
func (c *Check) DependentRequired(v *Value, member string, names ...string) {
	if v.Member(member) == nil {
		return
	}
	for _, name := range names {
		if v.Member(name) == nil {
			c.missing(v, name, "is required beside "+member)
		}
	}
}

// missing adds the violation at the place where the member would be.
func (c *Check) missing(v *Value, name, detail string) {
	absent := &Value{name: name, parent: v}
	c.Violation(absent, "required", detail)
}

// PropertyNames demands names that the schema accepts, as strings.
func (c *Check) PropertyNames(v *Value, check func(*Check, *Value)) {
	for m := v.FirstMember(); m != nil; m = m.Next() {
		if ok, large := c.try(&Value{kind: String, text: m.name}, check); !ok || large {
			c.Violation(m, "propertyNames", "has a name that is not allowed")
		}
	}
}

// UnknownMember refuses a member that no schema describes.
func (c *Check) UnknownMember(m *Value) {
	c.Violation(m, "additionalProperties", "is not a member of this object")
}

// UnevaluatedMember refuses a member that no schema in the scope has looked at.
func (c *Check) UnevaluatedMember(m *Value) {
	c.Violation(m, "unevaluatedProperties", "is not a member of this object")
}

// UnevaluatedElement refuses an element that no schema in the scope has looked at.
func (c *Check) UnevaluatedElement(e *Value) {
	c.Violation(e, "unevaluatedItems", "is one element too many")
}

// ReadOnly refuses a member that only responses may have, and reports whether this one may be there.
func (c *Check) ReadOnly(m *Value) bool {
	if c.Purpose == Response {
		return true
	}
	c.Violation(m, "readOnly", "is read-only: leave it out of requests")
	return false
}

// WriteOnly refuses a member that only requests may have, and reports whether this one may be there.
func (c *Check) WriteOnly(m *Value) bool {
	if c.Purpose != Response {
		return true
	}
	c.Violation(m, "writeOnly", "is write-only: leave it out of responses")
	return false
}

// Discriminator returns what the member says that tells the alternatives apart, "" where it is missing.
func (c *Check) Discriminator(v *Value, name string) string {
	if m := v.Member(name); m != nil {
		return m.Text()
	}
	return ""
}

// NotDiscriminated refuses an object whose discriminator names none of the alternatives.
func (c *Check) NotDiscriminated(v *Value, name, allowed string) {
	if v.kind != Object {
		c.Type(v, Object)
	} else if m := v.Member(name); m != nil {
		c.Violation(m, "discriminator", Enum(allowed))
	} else {
		c.missing(v, name, "is required")
	}
}

// Float demands that a number is one that a float of so many bits can hold.
func (c *Check) Float(v *Value, size int) {
	if v.kind != Number {
		return
	}
	if _, err := strconv.ParseFloat(v.text, size); err != nil {
		c.Violation(v, "format", "must be a number that a float can hold")
	}
}

// DateTime demands a string that is a date-time of RFC 3339, and writes it for the model as package time reads it: in
// capitals, and the leap second as the second after.
func (c *Check) DateTime(v *Value) {
	if v.kind != String {
		return
	}
	if _, wrong := Instant(v.text); wrong != "" {
		c.Violation(v, "format", wrong)
		return
	}
	if text := plainDateTime(v.text); text != v.text {
		v.written, c.changed = text, true
	}
}
