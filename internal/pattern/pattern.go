// Package pattern translates the regular expressions of ECMA-262, which OpenAPI names, into RE2, so that they match the same texts.
package pattern

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Translate returns the RE2 spelling of a regular expression in the unicode mode of ECMA-262. What RE2 has no word for is
// an error that says what to write instead. Matching it takes time in proportion to the text, whatever the pattern.
func Translate(ecma string) (re2 string, err error) {
	re2, err = translate(ecma)
	var cannot *unsupported
	if errors.As(err, &cannot) {
		if members := rewritten(ecma); members != "" {
			cannot.remedy = "write " + members
		}
	}
	return re2, err
}

// unsupported is something that RE2 has no word for.
type unsupported struct{ what, remedy string }

func (u *unsupported) Error() string { return u.what + ": " + u.remedy }

func translate(ecma string) (re2 string, err error) {
	t := translator{source: ecma}
	if err := t.pattern(); err != nil {
		return "", err
	}
	re2 = t.out.String()
	if _, err := regexp.Compile(re2); err != nil {
		var s *syntax.Error
		if errors.As(err, &s) && s.Code == syntax.ErrInvalidRepeatSize && !backwards(s.Expr) {
			return "", &unsupported{"repeats more than 1000 times", "state minLength and maxLength instead"}
		}
		return "", errors.New("is not a regular expression of ECMA-262")
	}
	return re2, nil
}

// Valid reports whether a text is a regular expression of ECMA-262, whether RE2 has words for it or not.
func Valid(ecma string) bool {
	t := translator{source: ecma, lenient: true}
	if t.pattern() != nil {
		return false
	}
	_, err := syntax.Parse(t.out.String(), syntax.Perl)
	var s *syntax.Error
	return err == nil || errors.As(err, &s) && (s.Code == syntax.ErrInvalidRepeatSize && !backwards(s.Expr) || s.Code == syntax.ErrLarge)
}

// backwards reports whether a repetition asks for more than it allows, which RE2 reports as one that is too long.
func backwards(repetition string) bool {
	low, high, found := strings.Cut(strings.Trim(repetition, "{}?"), ",")
	if !found || high == "" {
		return false
	}
	low, high = strings.TrimLeft(low, "0"), strings.TrimLeft(high, "0")
	return len(low) > len(high) || len(low) == len(high) && low > high
}

type translator struct {
	source  string
	at      int
	lenient bool // what RE2 cannot do is passed over: only the syntax matters
	out     strings.Builder
}

func (t *translator) rest() string { return t.source[t.at:] }

func (t *translator) pattern() error {
	if !utf8.ValidString(t.source) {
		return errors.New("is not UTF-8")
	}
	for t.at < len(t.source) {
		switch c := t.source[t.at]; c {
		case '\\':
			if err := t.escape(); err != nil {
				return err
			}
		case '[':
			if err := t.class(); err != nil {
				return err
			}
		case '(':
			if err := t.group(); err != nil {
				return err
			}
		case '.':
			t.out.WriteString(`[^\n\r\x{2028}\x{2029}]`)
			t.at++
		case '{':
			if repetition.MatchString(t.rest()) {
				t.out.WriteByte(c)
			} else {
				t.out.WriteString(`\{`)
			}
			t.at++
		default:
			t.out.WriteByte(c)
			t.at++
		}
	}
	return nil
}

var repetition = regexp.MustCompile(`^\{[0-9]+(,[0-9]*)?\}`)

// group writes the beginning of a group.
func (t *translator) group() error {
	rest := t.rest()
	look := func(prefix, name, remedy string) (bool, error) {
		if !strings.HasPrefix(rest, prefix) {
			return false, nil
		}
		if !t.lenient {
			return true, &unsupported{fmt.Sprintf("has a %s %s…), which RE2 cannot match in time that grows with the text alone", name, prefix), remedy}
		}
		t.out.WriteString("(?:")
		t.at += len(prefix)
		return true, nil
	}
	for _, l := range [][3]string{
		{"(?=", "lookahead", "write what it demands as a second schema in allOf, or as minLength and maxLength where it counts characters"},
		{"(?!", "negative lookahead", "write what it excludes as not: { pattern: … } beside this pattern"},
		{"(?<=", "lookbehind", "write the text before as part of the pattern"},
		{"(?<!", "negative lookbehind", "write what it excludes as not: { pattern: … } beside this pattern"},
	} {
		if found, err := look(l[0], l[1], l[2]); found {
			return err
		}
	}
	switch {
	case strings.HasPrefix(rest, "(?:"):
		t.out.WriteString("(?:")
		t.at += 3
	case strings.HasPrefix(rest, "(?<"):
		t.out.WriteString("(?P<")
		t.at += 3
	case strings.HasPrefix(rest, "(?P<"):
		return errors.New("has (?P<, which ECMA-262 does not define: write (?<")
	case strings.HasPrefix(rest, "(?"):
		return errors.New("has flags within a group, which ECMA-262 does not define: write the characters, such as [Aa] for both cases")
	default:
		t.out.WriteByte('(')
		t.at++
	}
	return nil
}

// escape writes an escape outside of a class.
func (t *translator) escape() error {
	rest := t.rest()
	if len(rest) < 2 {
		return errors.New("ends with a backslash")
	}
	switch c := rest[1]; c {
	case 'b', 'B':
		t.out.WriteString(rest[:2])
		t.at += 2
		return nil
	case '1', '2', '3', '4', '5', '6', '7', '8', '9', 'k':
		if !t.lenient {
			return fmt.Errorf(`has a backreference (\%c), which RE2 cannot match in time that grows with the text alone: write the alternatives`, c)
		}
		t.at += 2
		if c == 'k' {
			end := strings.IndexByte(t.rest(), '>')
			if !strings.HasPrefix(t.rest(), "<") || end < 0 {
				return errors.New(`has \k without a name`)
			}
			t.at += end + 1
		} else {
			for t.at < len(t.source) && '0' <= t.source[t.at] && t.source[t.at] <= '9' {
				t.at++
			}
		}
		return nil
	}
	set, single, err := t.atom()
	if err != nil {
		return err
	}
	if single {
		t.out.WriteString(literal(set[0]))
	} else {
		t.out.WriteString("[" + ranges(set) + "]")
	}
	return nil
}

// class writes a class as the ranges that it holds.
func (t *translator) class() error {
	t.at++
	negated := strings.HasPrefix(t.rest(), "^")
	if negated {
		t.at++
	}
	var set []rune
	for {
		switch {
		case t.at >= len(t.source):
			return errors.New("opens a [ that it does not close")
		case t.source[t.at] == ']':
			t.at++
			switch {
			case set == nil && negated:
				t.out.WriteString(`[\x00-\x{10FFFF}]`)
			case set == nil:
				t.out.WriteString(`[^\x00-\x{10FFFF}]`)
			case negated:
				t.out.WriteString("[^" + ranges(set) + "]")
			default:
				t.out.WriteString("[" + ranges(set) + "]")
			}
			return nil
		}
		low, single, err := t.member()
		if err != nil {
			return err
		}
		if rest := t.rest(); single && len(rest) > 1 && rest[0] == '-' && rest[1] != ']' {
			t.at++
			high, alsoSingle, err := t.member()
			switch {
			case err != nil:
				return err
			case !alsoSingle:
				set = append(set, '-', '-')
				set = append(append(set, low...), high...)
				continue
			case high[0] < low[0]:
				return errors.New("has a range that goes backwards")
			}
			set = append(set, low[0], high[0])
			continue
		}
		set = append(set, low...)
	}
}

// member is one member of a class: pairs of the first and last character of ranges.
func (t *translator) member() (set []rune, single bool, err error) {
	if t.source[t.at] != '\\' {
		r, size := utf8.DecodeRuneInString(t.rest())
		t.at += size
		return []rune{r, r}, true, nil
	}
	if strings.HasPrefix(t.rest(), `\b`) {
		t.at += 2
		return []rune{'\b', '\b'}, true, nil
	}
	return t.atom()
}

// atom reads an escape that stands for characters.
func (t *translator) atom() (set []rune, single bool, err error) {
	rest := t.rest()
	if len(rest) < 2 {
		return nil, false, errors.New("ends with a backslash")
	}
	t.at += 2
	one := func(r rune) ([]rune, bool, error) { return []rune{r, r}, true, nil }
	switch c := rest[1]; c {
	case 'd':
		return digit, false, nil
	case 'D':
		return complement(digit), false, nil
	case 'w':
		return word, false, nil
	case 'W':
		return complement(word), false, nil
	case 's':
		return space, false, nil
	case 'S':
		return complement(space), false, nil
	case 't':
		return one('\t')
	case 'n':
		return one('\n')
	case 'v':
		return one('\v')
	case 'f':
		return one('\f')
	case 'r':
		return one('\r')
	case '0':
		if len(rest) > 2 && '0' <= rest[2] && rest[2] <= '9' {
			return nil, false, errors.New(`has an octal escape: write \xHH`)
		}
		return one(0)
	case 'c':
		if len(rest) > 2 && ('a' <= rest[2]|0x20 && rest[2]|0x20 <= 'z') {
			t.at++
			return one(rune(rest[2] & 31))
		}
		return nil, false, errors.New(`has \c without a letter`)
	case 'x':
		r, ok := t.hex(2)
		if !ok {
			return nil, false, errors.New(`has \x without two hexadecimal digits`)
		}
		return one(r)
	case 'u':
		return t.codePoint()
	case 'p', 'P':
		return t.property(c == 'P')
	default:
		if c < utf8.RuneSelf && (unicode.IsLetter(rune(c)) || unicode.IsDigit(rune(c)) || c == '_') {
			return nil, false, fmt.Errorf(`has \%c, which ECMA-262 does not define: write %s`, c, plainly(c))
		}
		r, size := utf8.DecodeRuneInString(rest[1:])
		t.at += size - 1
		return one(r)
	}
}

// plainly is what other dialects mean by an escape.
func plainly(c byte) string {
	switch c {
	case 'A':
		return "^"
	case 'z', 'Z':
		return "$"
	case 'h':
		return `[ \t]`
	}
	return string(c) + " without the backslash"
}

// hex reads n hexadecimal digits.
func (t *translator) hex(n int) (rune, bool) {
	if len(t.rest()) < n {
		return 0, false
	}
	v, err := strconv.ParseUint(t.rest()[:n], 16, 32)
	if err != nil {
		return 0, false
	}
	t.at += n
	return rune(v), true
}

func (t *translator) codePoint() (set []rune, single bool, err error) {
	bad := errors.New(`has \u without four hexadecimal digits, or braces around a code point`)
	if strings.HasPrefix(t.rest(), "{") {
		inner, _, closed := strings.Cut(t.rest()[1:], "}")
		v, err := strconv.ParseUint(inner, 16, 32)
		if !closed || err != nil || v > unicode.MaxRune {
			return nil, false, bad
		}
		t.at += len(inner) + 2
		return []rune{rune(v), rune(v)}, true, nil
	}
	r, ok := t.hex(4)
	if !ok {
		return nil, false, bad
	}
	if 0xd800 <= r && r < 0xdc00 && strings.HasPrefix(t.rest(), `\u`) {
		start := t.at
		t.at += 2
		if low, ok := t.hex(4); ok && 0xdc00 <= low && low < 0xe000 {
			r = (r-0xd800)<<10 + (low - 0xdc00) + 0x10000
			return []rune{r, r}, true, nil
		}
		t.at = start
	}
	if 0xd800 <= r && r < 0xe000 {
		return nil, false, errors.New("has half of a surrogate pair, which no text in UTF-8 holds: write the code point")
	}
	return []rune{r, r}, true, nil
}
