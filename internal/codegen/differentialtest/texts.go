package differentialtest

import (
	"math/rand/v2"
	"regexp/syntax"
	"strings"
	"unicode"
)

// names are those of members: some need an escape in a pointer, in JSON or in Go, and some differ in case alone.
func names() []string {
	return []string{"a", "b", "c", "d", "id", "name", "Name", "x-y", "a/b", "m~n", "ä", "9", "type"}
}

func strangeNames() []string {
	return []string{"e", "A", "", "a b", "ID", "constructor", "\u0000", "👍", "e\u0301", "__proto__", "$ref", "\"", "abc", "x1"}
}

// namePatterns match some of the names.
func namePatterns() []string {
	return []string{"^[a-c]$", "a", "^x", "^[^a]", "^[a-z]+$", "^[a-zA-Z]*$", "[0-9]", "^(id|name)$", "^[^a]$"}
}

// letters make the texts. Some are several code points, and some several bytes or UTF-16 units.
func letters() []string {
	return []string{"a", "b", "c", "x", "A", "Z", "0", "7", " ", "-", "_", ".", "é", "e\u0301", "ß", "İ", "👍", "👨\u200d👩\u200d👧", "𝒳", "\u0000", "\n", "\t", "\"", "\\", "/", "<", "\u2028", "\x7f", "日", "\ufffd"}
}

// text draws a text of so many letters.
func text(r *rand.Rand, low, high int) string {
	var b strings.Builder
	for range low + r.IntN(max(1, high-low+1)) {
		if r.IntN(3) > 0 {
			b.WriteString(pick(r, letters()[:8]))
		} else {
			b.WriteString(pick(r, letters()))
		}
	}
	return b.String()
}

// pattern draws a regular expression that means the same in ECMA-262 and in RE2.
func (g *schemas) pattern() string {
	var b strings.Builder
	if g.chance(60) {
		b.WriteByte('^')
	}
	for range 1 + g.r.IntN(3) {
		b.WriteString(pick(g.r, []string{"a", "b", "[a-c]", "[a-z0-9_-]", "[^a]", "\\d", "[0-9]", "\\w", "(ab|c)", "(?:x|y|é)", "[é-ü]", "\\.", "-", "👍", "\\D", "[^\\x00-\\x1f]", "\\x61", "\\W"}))
		if g.chance(50) {
			b.WriteString(pick(g.r, []string{"?", "*", "+", "{2}", "{1,3}", "{0,2}", "+?"}))
		}
	}
	if g.chance(60) {
		b.WriteByte('$')
	}
	return b.String()
}

// matching draws a text that matches an expression, or nearly.
func matching(r *rand.Rand, re *syntax.Regexp) string {
	var b strings.Builder
	var walk func(*syntax.Regexp)
	repeat := func(re *syntax.Regexp, low, high int) {
		for range low + r.IntN(high-low+1) {
			walk(re)
		}
	}
	walk = func(re *syntax.Regexp) {
		switch re.Op {
		case syntax.OpLiteral:
			b.WriteString(string(re.Rune))
		case syntax.OpCharClass:
			if len(re.Rune) == 0 {
				return
			}
			i := 2 * r.IntN(len(re.Rune)/2)
			low, high := re.Rune[i], min(re.Rune[i+1], re.Rune[i]+200)
			if c := low + r.Int32N(high-low+1); !unicode.Is(unicode.Cs, c) {
				b.WriteRune(c)
			}
		case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
			b.WriteString(pick(r, letters()))
		case syntax.OpStar:
			repeat(re.Sub[0], 0, 3)
		case syntax.OpPlus:
			repeat(re.Sub[0], 1, 3)
		case syntax.OpQuest:
			repeat(re.Sub[0], 0, 1)
		case syntax.OpRepeat:
			repeat(re.Sub[0], re.Min, max(re.Min, re.Max))
		case syntax.OpAlternate:
			walk(pick(r, re.Sub))
		default:
			for _, sub := range re.Sub {
				walk(sub)
			}
		}
	}
	walk(re)
	return b.String()
}

func formatNames() []string {
	return []string{"date", "date-time", "time", "duration", "uuid", "ipv4", "ipv6", "json-pointer", "relative-json-pointer", "hostname", "email", "uri", "uri-reference"}
}

// formatted are texts around each format: those that are of it come first.
func formatted(format string) []string {
	switch format {
	case "date":
		return []string{"2026-01-31", "2024-02-29", "0001-01-01", "9999-12-31", "0000-01-01", "2026-02-29", "2026-13-01", "2026-1-1", "2026-01-31 ", "２026-01-31"}
	case "date-time":
		return []string{"2026-01-31T12:00:00Z", "2026-01-31t12:00:00.123456789z", "1998-12-31T23:59:60Z", "1998-12-31T15:59:60.5-08:00", "2026-01-31T00:00:00+14:00", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59",
			"2026-01-31 12:00:00Z", "2026-01-31T12:00:00", "2026-01-31T24:00:00Z", "1998-12-31T22:59:60Z", "2026-01-31T12:00:00+0100", "2026-01-31T12:00Z"}
	case "time":
		return []string{"12:00:00Z", "23:59:60Z", "00:00:00.5+01:00", "12:00:00", "24:00:00Z", "12:60:00Z", "12:00:60Z", "12:00:00+1:00", "1:00:00Z"}
	case "duration":
		return []string{"P1D", "PT1H30M", "P1Y2M3DT4H5M6S", "P2W", "PT0S", "P", "PT", "P1", "1D", "P1D2W", "P1M1Y", "PT1D", "P-1D", "P1.5D"}
	case "uuid":
		return []string{"01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f", "00000000-0000-0000-0000-000000000000", "01935840-1C2B-7D3E-9F40-5A6B7C8D9E0F", "{01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f}", "019358401c2b7d3e9f405a6b7c8d9e0f", "01935840-1c2b-7d3e-9f40-5a6b7c8d9e0g"}
	case "ipv4":
		return []string{"192.0.2.1", "0.0.0.0", "255.255.255.255", "256.0.0.1", "1.2.3", "01.2.3.4", "1.2.3.4.5", "1.2.3.4/24", " 1.2.3.4", "+1.2.3.4", "1.2.3.x"}
	case "ipv6":
		return []string{"2001:db8::1", "::", "::1", "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9", "::1%eth0", "12345::", "1::2::3", "192.0.2.1", "[::1]", ":::"}
	case "json-pointer":
		return []string{"", "/", "/a/0", "/a~1b/m~0n", "/ä", "a", "/~", "/~2", "#/a", "/a~"}
	case "relative-json-pointer":
		return []string{"0", "1/a", "2#", "10/~0", "", "01", "-1", "1a", "#", "0##"}
	case "hostname":
		return []string{"www.example.com", "localhost", "a-b.c", "1.2", "-a.com", "a-.com", "a..b", "", ".a", "a_b", strings.Repeat("a", 64), strings.Repeat("a.", 126) + "a", "ä.de"}
	case "email":
		return []string{"joe@example.com", "a.b+c@x.org", "!#$%@a.b", "\"joe bloggs\"@example.com", "joe@[127.0.0.1]", "joe@[IPv6:::1]", "joe", "@a.b", "a@", ".a@b.c", "a.@b.c", "a..b@c.d", "a@b@c", "a b@c.d", "a@-b.c"}
	case "uri":
		return []string{"https://example.com/a?b=c#d", "urn:isbn:1", "mailto:a@b.c", "http://[::1]:80/", "a:", "//example.com", "/a", "a", "", "http://a b", "https://example.com/%zz", ":a"}
	case "uri-reference":
		return []string{"https://example.com/a?b=c#d", "/a", "a", "", "//example.com/x", "?a", "#a", "a b", "/%zz", "\\a"}
	}
	return []string{""}
}
