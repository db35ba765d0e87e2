package codegen

import (
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"

	"example.com/gatehouse/internal/pattern"
)

// translatePattern returns the pattern of a node for RE2.
func translatePattern(n node) string { return translatePatternText(n, n.text()) }

func translatePatternText(n node, text string) string {
	re2, err := pattern.Translate(text)
	if err != nil {
		n.fault("the pattern %v", err)
	}
	return re2
}

// class is a pattern of the form ^[…]+$ or ^[…]*$, which needs no regular expression.
type class struct {
	set    string // its ASCII characters
	beyond bool   // it has every character beyond ASCII
	empty  bool   // the empty text matches
}

func characterClass(re2 string) (c class, ok bool) {
	re, err := syntax.Parse(re2, syntax.Perl)
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
