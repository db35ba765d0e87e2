package codegen

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"
)

// judgePattern notes what of a pattern means something else in RE2 than in ECMA-262, which OpenAPI names.
func judgePattern(n node) {
	pattern := n.text()
	if _, err := regexp.Compile(pattern); err != nil {
		n.fault("the pattern is not in the common part of ECMA-262 and RE2 (%s): write it without", err.(*syntax.Error).Code)
		return
	}
	for i := 0; i < len(pattern); i++ {
		switch {
		case pattern[i] == '\\' && i+1 < len(pattern):
			i++
			if c := pattern[i]; c == 's' || c == 'S' || c >= 'A' && c <= 'Z' && c != 'D' && c != 'W' && c != 'B' || c == 'z' || c == 'a' || c == 'p' {
				n.fault(`\%c means something else in ECMA-262 and in RE2: write the characters as a class, such as [ \t]`, c)
			}
		case strings.HasPrefix(pattern[i:], "(?") && !strings.HasPrefix(pattern[i:], "(?:"):
			n.fault("flags and named groups are not in the common part of ECMA-262 and RE2: write the pattern without")
		case strings.HasPrefix(pattern[i:], "[[:"):
			n.fault("[[:name:]] is not a class in ECMA-262: write the characters")
		case pattern[i] == '.':
			if i == 0 || pattern[i-1] != '[' { // ECMA-262 leaves out \r, U+2028 and U+2029 too
				n.fault(`. leaves out more line ends in ECMA-262 than in RE2: write [^\n\r] or the characters`)
			}
		case pattern[i] == '[':
			i += classEnd(pattern[i:])
		}
	}
}

// classEnd returns the offset of the bracket that closes the class.
func classEnd(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] == '\\' {
			i++
		} else if s[i] == ']' && i > 1 {
			return i
		}
	}
	return len(s) - 1
}

// class is a pattern of the form ^[…]+$ or ^[…]*$, which needs no regular expression.
type class struct {
	set    string // its ASCII characters
	beyond bool   // it has every character beyond ASCII
	empty  bool   // the empty text matches
}

func characterClass(pattern string) (c class, ok bool) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil || re.Op != syntax.OpConcat || len(re.Sub) != 3 ||
		re.Sub[0].Op != syntax.OpBeginText || re.Sub[2].Op != syntax.OpEndText {
		return c, false
	}
	repeat := re.Sub[1]
	c.empty = repeat.Op == syntax.OpStar
	if !c.empty && repeat.Op != syntax.OpPlus || repeat.Sub[0].Op != syntax.OpCharClass {
		return c, false
	}
	var set strings.Builder
	runes := repeat.Sub[0].Rune
	for i := 0; i < len(runes); i += 2 {
		low, high := runes[i], runes[i+1]
		if high >= utf8.RuneSelf {
			if low > utf8.RuneSelf || high != unicode.MaxRune {
				return c, false
			}
			c.beyond = true
		}
		for r := low; r <= min(high, utf8.RuneSelf-1); r++ {
			set.WriteRune(r)
		}
	}
	c.set = set.String()
	return c, true
}
