package pattern

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Sets of characters, as pairs of the first and the last of each range.
var (
	digit = []rune{'0', '9'}
	word  = []rune{'0', '9', 'A', 'Z', '_', '_', 'a', 'z'}
	// space is WhiteSpace and LineTerminator of ECMA-262, more than RE2 takes for one.
	space = []rune{'\t', '\r', ' ', ' ', 0xa0, 0xa0, 0x1680, 0x1680, 0x2000, 0x200a, 0x2028, 0x2029, 0x202f, 0x202f, 0x205f, 0x205f, 0x3000, 0x3000, 0xfeff, 0xfeff}
)

// complement returns all characters that are not in a set, whose ranges are in order.
func complement(set []rune) []rune {
	var list []rune
	next := rune(0)
	for i := 0; i < len(set); i += 2 {
		if set[i] > next {
			list = append(list, next, set[i]-1)
		}
		next = set[i+1] + 1
	}
	if next <= unicode.MaxRune {
		list = append(list, next, unicode.MaxRune)
	}
	return list
}

func tableRanges(table *unicode.RangeTable) []rune {
	var list []rune
	add := func(low, high, stride rune) {
		if stride == 1 {
			list = append(list, low, high)
			return
		}
		for r := low; r <= high; r += stride {
			list = append(list, r, r)
		}
	}
	for _, r := range table.R16 {
		add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	for _, r := range table.R32 {
		add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	return list
}

// ranges writes a set as the inside of a class.
func ranges(set []rune) string {
	var b strings.Builder
	for i := 0; i < len(set); i += 2 {
		b.WriteString(literal(set[i]))
		if set[i+1] != set[i] {
			b.WriteByte('-')
			b.WriteString(literal(set[i+1]))
		}
	}
	return b.String()
}

// literal writes one character, such that it means itself within a class and outside.
func literal(r rune) string {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune(" _!\"#%&',/:;<=>@~", r):
		return string(r)
	case ' ' < r && r <= '~':
		return `\` + string(r)
	}
	return fmt.Sprintf(`\x{%X}`, r)
}

// category returns a general category by its short name or the long one of Unicode.
func category(name string) *unicode.RangeTable {
	if table := unicode.Categories[name]; table != nil {
		return table
	}
	i := slices.IndexFunc(longNames, func(n [2]string) bool { return n[0] == name })
	if i < 0 {
		return nil
	}
	return unicode.Categories[longNames[i][1]]
}

var longNames = [][2]string{
	{"Letter", "L"}, {"Uppercase_Letter", "Lu"}, {"Lowercase_Letter", "Ll"}, {"Titlecase_Letter", "Lt"}, {"Modifier_Letter", "Lm"}, {"Other_Letter", "Lo"},
	{"Mark", "M"}, {"Nonspacing_Mark", "Mn"}, {"Spacing_Mark", "Mc"}, {"Enclosing_Mark", "Me"}, {"Combining_Mark", "M"},
	{"Number", "N"}, {"Decimal_Number", "Nd"}, {"digit", "Nd"}, {"Letter_Number", "Nl"}, {"Other_Number", "No"},
	{"Punctuation", "P"}, {"punct", "P"}, {"Connector_Punctuation", "Pc"}, {"Dash_Punctuation", "Pd"}, {"Open_Punctuation", "Ps"}, {"Close_Punctuation", "Pe"},
	{"Initial_Punctuation", "Pi"}, {"Final_Punctuation", "Pf"}, {"Other_Punctuation", "Po"},
	{"Symbol", "S"}, {"Math_Symbol", "Sm"}, {"Currency_Symbol", "Sc"}, {"Modifier_Symbol", "Sk"}, {"Other_Symbol", "So"},
	{"Separator", "Z"}, {"Space_Separator", "Zs"}, {"Line_Separator", "Zl"}, {"Paragraph_Separator", "Zp"},
	{"Other", "C"}, {"Control", "Cc"}, {"cntrl", "Cc"}, {"Format", "Cf"}, {"Private_Use", "Co"},
}

// property reads \p{…}.
func (t *translator) property(negated bool) (set []rune, single bool, err error) {
	inner, _, closed := strings.Cut(strings.TrimPrefix(t.rest(), "{"), "}")
	if !strings.HasPrefix(t.rest(), "{") || !closed {
		return nil, false, errors.New(`has \p without a property in braces`)
	}
	t.at += len(inner) + 2
	name, value, pair := strings.Cut(inner, "=")
	var table *unicode.RangeTable
	switch {
	case pair && (name == "Script" || name == "sc" || name == "Script_Extensions" || name == "scx"):
		table = unicode.Scripts[value]
	case pair && (name == "General_Category" || name == "gc"):
		table = category(value)
	case !pair && inner == "Any":
		return []rune{0, unicode.MaxRune}, false, nil
	case !pair && inner == "ASCII":
		set = []rune{0, 0x7f}
	case !pair:
		if table = category(inner); table == nil {
			table = unicode.Properties[inner]
		}
	}
	switch {
	case table != nil && t.lenient:
		return []rune{'a', 'a'}, false, nil // each five bytes of a text may name one, of hundreds of ranges
	case table != nil:
		set = tableRanges(table)
	}
	if set == nil {
		return nil, false, fmt.Errorf(`has \p{%s}, a property that is not known here: write a general category such as L, or Script=Greek`, inner)
	}
	if negated {
		set = complement(set)
	}
	return set, false, nil
}
