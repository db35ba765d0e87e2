package differentialtest

import (
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"unicode"
)

// mutate returns a value with one change, at any place within it.
func (d *instances) mutate(v any) any {
	n := d.r.IntN(size(v))
	return d.changed(v, &n)
}

// size counts a value and what is in it.
func size(v any) int {
	n := 1
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			n += size(e)
		}
	case members:
		for _, m := range v {
			n += size(m.value)
		}
	}
	return n
}

// changed copies a value, with a change at the nth value within it.
func (d *instances) changed(v any, n *int) any {
	*n--
	if *n == -1 {
		return d.change(v)
	}
	switch v := v.(type) {
	case []any:
		list := slices.Clone(v)
		for i := range list {
			if *n >= 0 {
				list[i] = d.changed(list[i], n)
			}
		}
		return list
	case members:
		m := slices.Clone(v)
		for i := range m {
			if *n >= 0 {
				m[i].value = d.changed(m[i].value, n)
			}
		}
		return m
	}
	return v
}

func (d *instances) change(v any) any {
	if d.chance(20) {
		return d.any("", 1)
	}
	switch v := v.(type) {
	case bool:
		return !v
	case json.Number:
		return d.changeNumber(v)
	case string:
		return d.changeText(v)
	case []any:
		return d.changeArray(slices.Clone(v))
	case members:
		return d.changeObject(slices.Clone(v))
	}
	return d.any("", 1)
}

func (d *instances) changeNumber(v json.Number) json.Number {
	n, ok := new(big.Rat).SetString(string(v))
	if !ok || len(v) > 40 || strings.ContainsAny(string(v), "eE") && d.chance(50) {
		return d.number()
	}
	switch d.r.IntN(7) {
	case 0:
		n.Neg(n)
	case 1:
		n.Mul(n, big.NewRat(10, 1))
	case 2:
		n.Add(n, big.NewRat(1, 2))
	case 3:
		n.Add(n, big.NewRat(1, 1000000))
	case 4:
		return d.number()
	case 5:
		n.Add(n, big.NewRat(1, 1))
	default:
		n.Sub(n, big.NewRat(1, 1))
	}
	limit := new(big.Rat).SetInt64(1 << 62)
	if d.bounded && new(big.Rat).Abs(n).Cmp(limit) > 0 {
		return d.number()
	}
	if n.IsInt() {
		return d.spell(n.Num().String())
	}
	text := n.FloatString(30)
	return json.Number(strings.TrimRight(text, "0") + "0")
}

func (d *instances) changeText(v string) string {
	letters := []rune(v)
	if len(letters) == 0 || d.chance(25) {
		i := d.r.IntN(len(letters) + 1)
		return string(letters[:i]) + text(d.r, 1, 1) + string(letters[i:])
	}
	i := d.r.IntN(len(letters))
	switch d.r.IntN(6) {
	case 0, 1:
		letters = slices.Delete(letters, i, i+1)
	case 2:
		if unicode.IsUpper(letters[i]) {
			letters[i] = unicode.ToLower(letters[i])
		} else {
			letters[i] = unicode.ToUpper(letters[i])
		}
	case 3:
		letters[i] = rune('0' + d.r.IntN(10))
	case 4:
		letters = append(letters, letters[i])
	default:
		return string(letters[:i]) + text(d.r, 1, 1) + string(letters[i+1:])
	}
	return string(letters)
}

func (d *instances) changeArray(list []any) any {
	if len(list) == 0 || d.chance(20) {
		return slices.Insert(list, d.r.IntN(len(list)+1), d.any("", 1))
	}
	i := d.r.IntN(len(list))
	switch d.r.IntN(3) {
	case 0:
		return slices.Delete(list, i, i+1)
	case 1:
		return append(list, list[i])
	}
	j := d.r.IntN(len(list))
	list[i], list[j] = list[j], list[i]
	return list
}

func (d *instances) changeObject(m members) any {
	if len(m) == 0 || d.chance(30) {
		if name := d.name(); !m.has(name) {
			return append(m, pair{name, d.any("", 1)})
		}
		return m
	}
	i := d.r.IntN(len(m))
	if d.chance(70) {
		return slices.Delete(m, i, i+1)
	}
	if name := d.name(); !m.has(name) {
		m[i].name = name
	}
	return m
}
