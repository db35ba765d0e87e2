package validation

import (
	"bytes"
	"math"
	"strconv"
)

// Float64 reads a number. A number that float64 cannot hold (its magnitude is beyond the largest) is a violation.
func (r *Reader) Float64() float64 {
	raw, ok := r.scalar('0', "a number")
	if !ok {
		return 0
	}
	n, wrong := ParseFloat64(raw)
	r.raw, r.number = raw, n
	r.format("format", wrong)
	return n
}

// Int64 reads an integer of at most bits bits. 3.0 and 3e2 are integers, as JSON Schema defines them.
func (r *Reader) Int64(bits int) int64 {
	raw, ok := r.scalar('0', "an integer")
	if !ok {
		return 0
	}
	n, keyword, wrong := ParseInt64(raw, bits)
	r.raw, r.number = raw, float64(n)
	r.format(keyword, wrong)
	return n
}

// format adds a violation unless wrong is empty: the value is then none that other keywords could look at.
func (r *Reader) format(keyword, wrong string) {
	if wrong != "" {
		r.Violation(keyword, wrong)
		r.valid = false
	}
}

// Minimum, Maximum and ExclusiveMinimum check the number read last against a bound, given as the nearest float64
// and as the document spells it.
func (r *Reader) Minimum(bound float64, text string) {
	if r.valid && (r.number < bound || r.number == bound && compareDecimal(r.raw, []byte(text)) < 0) {
		r.Violation("minimum", "must be at least "+text)
	}
}

// Maximum: see Minimum.
func (r *Reader) Maximum(bound float64, text string) {
	if r.valid && (r.number > bound || r.number == bound && compareDecimal(r.raw, []byte(text)) > 0) {
		r.Violation("maximum", "must be at most "+text)
	}
}

// ExclusiveMinimum: see Minimum.
func (r *Reader) ExclusiveMinimum(bound float64, text string) {
	if r.valid && (r.number < bound || r.number == bound && compareDecimal(r.raw, []byte(text)) <= 0) {
		r.Violation("exclusiveMinimum", "must be more than "+text)
	}
}

// ExclusiveMaximum: see Minimum.
func (r *Reader) ExclusiveMaximum(bound float64, text string) {
	if r.valid && (r.number > bound || r.number == bound && compareDecimal(r.raw, []byte(text)) >= 0) {
		r.Violation("exclusiveMaximum", "must be less than "+text)
	}
}

// ParseFloat64 returns the float64 nearest to a JSON number, or what is wrong.
func ParseFloat64(raw []byte) (n float64, wrong string) {
	n, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || math.IsInf(n, 0) {
		return 0, "must be a number that a double can hold"
	}
	return n, ""
}

// ParseInt64 returns the value of a JSON number that is an integer of at most bits bits, or the keyword that it
// violates and what is wrong.
func ParseInt64(raw []byte, bits int) (n int64, keyword, wrong string) {
	text := raw
	if bytes.ContainsAny(raw, ".eE") {
		d := parseDecimal(raw)
		switch {
		case len(d.digits) > 0 && d.exponent < 0:
			return 0, "type", "must be an integer"
		case len(d.digits)+d.exponent > 19: // more digits than the largest int64 has
			return 0, "format", intRange(bits)
		}
		text = d.appendInteger(nil)
	}
	n, err := strconv.ParseInt(string(text), 10, bits)
	if err != nil {
		return 0, "format", intRange(bits)
	}
	return n, "", ""
}

func intRange(bits int) string {
	return "must be an integer of " + strconv.Itoa(bits) + " bits"
}

// decimal is a number as sign, significant digits without leading or trailing zeros, and a power of ten. Comparing
// in this form is exact and its cost does not grow with the exponent, which the client chooses.
type decimal struct {
	negative bool
	digits   []byte
	exponent int
}

// maxExponent is where exponents are cut off: far beyond what any bound of a schema has, far below what overflows int.
const maxExponent = 1 << 30

func parseDecimal(raw []byte) decimal { return parseDecimalInto(nil, raw) }

// parseDecimalInto does the same and puts the digits into room where they fit: memory that need not be allocated.
func parseDecimalInto(room, raw []byte) decimal {
	var d decimal
	if raw[0] == '-' {
		d.negative, raw = true, raw[1:]
	}
	mantissa, power := raw, 0
	if e := bytes.IndexAny(raw, "eE"); e >= 0 {
		mantissa = raw[:e]
		n, err := strconv.Atoi(string(raw[e+1:]))
		if err != nil || n > maxExponent || n < -maxExponent {
			n = maxExponent
			if raw[e+1] == '-' {
				n = -maxExponent
			}
		}
		power = n
	}
	whole, fraction, _ := bytes.Cut(mantissa, []byte{'.'})
	d.digits = append(append(room[:0], whole...), fraction...)
	d.exponent = power - len(fraction)
	trimmed := bytes.TrimRight(d.digits, "0")
	d.exponent += len(d.digits) - len(trimmed)
	d.digits = bytes.TrimLeft(trimmed, "0")
	if len(d.digits) == 0 {
		return decimal{} // zero has one form; -0 is 0
	}
	return d
}

// appendInteger appends an integer; the caller has checked that the exponent is small and not negative.
func (d decimal) appendInteger(dst []byte) []byte {
	if len(d.digits) == 0 {
		return append(dst, '0')
	}
	if d.negative {
		dst = append(dst, '-')
	}
	dst = append(dst, d.digits...)
	return append(dst, bytes.Repeat([]byte{'0'}, d.exponent)...)
}

// compareDecimal compares two JSON numbers by value: -1, 0 or 1.
func compareDecimal(a, b []byte) int {
	var rooms [2][32]byte
	x, y := parseDecimalInto(rooms[0][:], a), parseDecimalInto(rooms[1][:], b)
	if x.sign() != y.sign() {
		if x.sign() < y.sign() {
			return -1
		}
		return 1
	}
	if x.sign() < 0 {
		return y.compareMagnitude(x)
	}
	return x.compareMagnitude(y)
}

func (d decimal) sign() int {
	switch {
	case len(d.digits) == 0:
		return 0
	case d.negative:
		return -1
	}
	return 1
}

func (d decimal) compareMagnitude(other decimal) int {
	if a, b := len(d.digits)+d.exponent, len(other.digits)+other.exponent; a != b {
		if a < b {
			return -1
		}
		return 1
	}
	return bytes.Compare(d.digits, other.digits) // same power of the first digit: lexical order is numeric order
}
