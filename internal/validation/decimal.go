package validation

import (
	"math/bits"
	"strconv"
	"strings"
)

// MultipleOf reports whether a JSON number is a whole multiple of the divisor, which has at most 18 significant digits and is
// above zero: gatehouse-gen checks that. It is exact, and its cost grows with the length of the number alone.
func MultipleOf(raw []byte, divisor string) bool {
	n, d := parseDecimal(raw), parseDecimal([]byte(divisor))
	shift := n.exponent - d.exponent
	switch {
	case len(n.digits) == 0:
		return true
	case shift < 0:
		return false // the digits do not end in zero: the quotient has a fraction
	}
	modulus, err := strconv.ParseUint(string(d.digits), 10, 64)
	if err != nil || modulus == 0 {
		return false
	}
	var rest uint64
	for _, c := range n.digits {
		rest = (rest*10 + uint64(c-'0')) % modulus
	}
	return multiplyModulo(rest, powerModulo(10, shift, modulus), modulus) == 0
}

func multiplyModulo(a, b, modulus uint64) uint64 {
	high, low := bits.Mul64(a%modulus, b%modulus)
	_, rest := bits.Div64(high, low, modulus)
	return rest
}

func powerModulo(base uint64, exponent int, modulus uint64) uint64 {
	result := 1 % modulus
	for base %= modulus; exponent > 0; exponent >>= 1 {
		if exponent&1 == 1 {
			result = multiplyModulo(result, base, modulus)
		}
		base = multiplyModulo(base, base, modulus)
	}
	return result
}

// EqualNumbers reports whether two JSON numbers have one value: 1, 1.0 and 10e-1 do.
func EqualNumbers(a, b []byte) bool { return compareDecimal(a, b) == 0 }

// CanonicalNumber appends the one form that all spellings of a JSON number share.
func CanonicalNumber(dst, raw []byte) []byte {
	d := parseDecimal(raw)
	if d.negative {
		dst = append(dst, '-')
	}
	dst = append(append(dst, d.digits...), 'e')
	return strconv.AppendInt(dst, int64(d.exponent), 10)
}

// isInteger reports whether a JSON number has no fraction: 3.0 and 3e2 have none.
func isInteger(raw string) bool {
	if !strings.ContainsAny(raw, ".eE") {
		return true
	}
	d := parseDecimal([]byte(raw))
	return len(d.digits) == 0 || d.exponent >= 0
}

// IntegerRange returns what is wrong with a JSON number that is not an integer of at most so many bits.
func IntegerRange(raw []byte, size int, unsigned bool) string {
	text := string(raw)
	if strings.ContainsAny(text, ".eE") || text == "-0" {
		d := parseDecimal(raw)
		if len(d.digits) > 0 && (d.exponent < 0 || len(d.digits)+d.exponent > 20) {
			return integerRange(size, unsigned)
		}
		text = string(d.appendInteger(nil))
	}
	var err error
	if unsigned {
		_, err = strconv.ParseUint(text, 10, size)
	} else {
		_, err = strconv.ParseInt(text, 10, size)
	}
	if err != nil {
		return integerRange(size, unsigned)
	}
	return ""
}

func integerRange(size int, unsigned bool) string {
	if unsigned {
		return "must be an unsigned integer of " + strconv.Itoa(size) + " bits"
	}
	return intRange(size)
}

// Integer demands that a number is an integer of so many bits.
func (c *Check) Integer(v *Value, size int, unsigned bool) {
	if v.kind != Number {
		return
	}
	wrong := IntegerRange([]byte(v.text), size, unsigned)
	c.Test(v, "format", wrong)
	if wrong == "" {
		c.spellInteger(v)
	}
}

// spellInteger writes an integer for the model as Go reads one: 3.0, 3e2 and -0 are integers too.
func (c *Check) spellInteger(v *Value) {
	if strings.ContainsAny(v.text, ".eE") || v.text == "-0" {
		v.written, c.changed = string(parseDecimal([]byte(v.text)).appendInteger(nil)), true
	}
}
