package differentialtest

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// pair is a member of a drawn object. Members keep their order, so that a seed gives one text.
type pair struct {
	name  string
	value any
}

// members is an object of an instance; the other values are those of encoding/json, numbers as they are spelled.
type members []pair

func (m members) has(name string) bool {
	return slices.ContainsFunc(m, func(p pair) bool { return p.name == name })
}

// values draws values.
type values struct {
	r *rand.Rand
	// bounded says that integers stay within 64 bits: without a format, ours are bounded to them.
	bounded bool
}

func (v *values) chance(percent int) bool { return v.r.IntN(100) < percent }

// any draws a value of a type, "" for any type, as deep as told.
func (v *values) any(kind string, depth int) any {
	if kind == "" {
		kind = pick(v.r, []string{"null", "boolean", "number", "integer", "string", "string", "array", "object"})
	}
	switch kind {
	case "null":
		return nil
	case "boolean":
		return v.chance(50)
	case "number":
		return v.number()
	case "integer":
		return v.spell(strconv.Itoa(v.r.IntN(30) - 12))
	case "string":
		if v.chance(30) {
			return pick(v.r, names())
		}
		return text(v.r, 0, 4)
	case "array":
		list := []any{}
		for range v.r.IntN(4) {
			if depth > 0 {
				list = append(list, v.any("", depth-1))
			}
		}
		return list
	}
	m := members{}
	for range v.r.IntN(4) {
		if name := v.name(); depth > 0 && !m.has(name) {
			m = append(m, pair{name, v.any("", depth-1)})
		}
	}
	return m
}

func (v *values) name() string {
	if v.chance(75) {
		return pick(v.r, names())
	}
	return pick(v.r, strangeNames())
}

// number draws one of those that are hard to compare, or a small one.
func (v *values) number() json.Number {
	switch n := v.r.IntN(20); {
	case n < 7:
		return v.spell(strconv.Itoa(v.r.IntN(40) - 15))
	case n < 11:
		return json.Number(strconv.FormatFloat(float64(v.r.IntN(400)-150)/float64(pick(v.r, []int{2, 4, 10, 100, 3})), 'g', -1, 64))
	case n < 15:
		return json.Number(pick(v.r, []string{"0", "-0", "0.0", "-0.0e5", "1", "1.0", "10e-1", "0.1e1", "1E+2", "0.1", "0.30", "0.3", "1e-7", "1e-300", "-1e-5", "0.1000000000000000055511151231257827", "9007199254740992", "9007199254740993", "9223372036854775807", "-9223372036854775808", "2147483648", "-2147483649", "255", "256", "0.30000000000000004"}))
	}
	if v.bounded {
		return json.Number(fmt.Sprintf("%d.%d", v.r.IntN(1<<40), 1+v.r.IntN(8)))
	}
	return json.Number(pick(v.r, []string{"9223372036854775808", "-9223372036854775809", "18446744073709551616", "1e300", "-1.5e200", "123456789012345678901234567890", "123456789012345678901234567891", "1e20", "100000000000000000000.0", "1e100"}))
}

// spell writes a whole number in one of its spellings.
func (v *values) spell(whole string) json.Number {
	if whole == "0" {
		return json.Number(pick(v.r, []string{"0", "0", "0", "-0", "0.0", "0e5"}))
	}
	switch v.r.IntN(14) {
	case 0:
		return json.Number(whole + ".0")
	case 1:
		return json.Number(whole + "e0")
	case 2:
		return json.Number(whole + "0e-1")
	case 3:
		return json.Number(whole + "00E-02")
	case 4:
		if trimmed, found := strings.CutSuffix(whole, "0"); found {
			return json.Number(trimmed + "e+1")
		}
	}
	return json.Number(whole)
}

// within draws a number that keeps to bounds and is a multiple, as far as that can be.
func (v *values) within(bounds []json.Number, multipleOf json.Number, whole bool) json.Number {
	if len(bounds) > 0 && v.chance(30) {
		n := pick(v.r, bounds)
		if f, err := n.Float64(); err == nil && f == math.Trunc(f) && math.Abs(f) < 1e15 {
			return v.spell(strconv.FormatInt(int64(f), 10))
		}
		return n
	}
	if !whole && multipleOf == "" && (len(bounds) == 0 || v.chance(15)) {
		return v.number()
	}
	low, high := -20.0, 20.0
	for _, b := range bounds {
		// Whether it bounds from below or above is not known here: one that is too narrow on one side is drawn again.
		f, _ := b.Float64()
		if v.chance(50) {
			low, high = f, f+10
		} else {
			low, high = f-10, f
		}
	}
	step, ok := new(big.Rat).SetString(string(multipleOf))
	if !ok {
		step = big.NewRat(1, 1)
	}
	if f, _ := step.Float64(); f > 0 && f*40 > high-low {
		low, high = min(low, -4*f), max(high, 4*f)
	}
	f, _ := step.Float64()
	times := math.Ceil(low/f) + float64(v.r.IntN(max(1, int((high-low)/f)+1)))
	n := step.Mul(step, new(big.Rat).SetInt64(int64(times)))
	if n.IsInt() {
		return v.spell(n.Num().String())
	}
	return json.Number(strings.TrimRight(n.FloatString(12), "0"))
}
