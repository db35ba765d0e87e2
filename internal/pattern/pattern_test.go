package pattern

import (
	"regexp"
	"strings"
	"testing"
)

// TestTranslateSaysWhatWouldDo: what RE2 cannot take is refused with the spelling that it can, which accepts and refuses the same
// texts as the pattern does by ECMA-262.
func TestTranslateSaysWhatWouldDo(t *testing.T) {
	for _, row := range []struct {
		pattern string
		want    string // the end of the message
		accepts []string
		refuses []string
	}{
		{`^(?!.*--)[a-z-]+$`, `: write pattern: '^[a-z-]+$', not: { pattern: '^.*--' }`, []string{"a-b", "ab", "-"}, []string{"a--b", "A", ""}},
		{`^(?=.{1,5}$)[a-z]+(-[a-z]+)*$`, `: write allOf: [{ pattern: '^.{1,5}$' }, { pattern: '^[a-z]+(-[a-z]+)*$' }]`, []string{"a-b", "abcde"}, []string{"abcdef", "a-", ""}},
		{`^(?=.*[a-z])(?=.*\d)(?!.* ).{8,}$`, `: write allOf: [{ pattern: '^.*[a-z]' }, { pattern: '^.*\d' }, { pattern: '^.{8,}$' }], not: { pattern: '^.* ' }`, []string{"abcdefg1"}, []string{"abcdefgh", "12345678", "abc 1234", "abc1"}},
		{`^(?!(?:con|nul)$).*$`, `: write not: { pattern: '^(?:con|nul)$' }`, []string{"", "content", "a"}, []string{"con", "nul"}},
		{`^(?!a|b)[a-z]+$`, `: write pattern: '^[a-z]+$', not: { pattern: '^(?:a|b)' }`, []string{"ca"}, []string{"ac", "bc"}},
		{`^[a-z-]+(?<!-)$`, `: write pattern: '^[a-z-]+$', not: { pattern: '-$' }`, []string{"a", "a-b"}, []string{"a-", "A"}},
		{`^(?!-)[a-z-]+(?<!-)$`, `: write pattern: '^[a-z-]+$', not: { anyOf: [{ pattern: '^-' }, { pattern: '-$' }] }`, []string{"a-b"}, []string{"-a", "a-"}},
		{`^[a-z]+(?<=[xyz])$`, `: write allOf: [{ pattern: '[xyz]$' }, { pattern: '^[a-z]+$' }]`, []string{"ax"}, []string{"xa", ""}},
		{`^(?!it's)\w+$`, `: write pattern: '^\w+$', not: { pattern: '^it''s' }`, []string{"its"}, []string{"it's", ""}},
		{`^[a-z]{2,2000}$`, `: write pattern: '^[a-z]*$', minLength: 2, maxLength: 2000`, nil, nil},
		{`^.{1001}$`, `: write pattern: '^.*$', minLength: 1001, maxLength: 1001`, nil, nil},
		{`^\d{1,1001}$`, `: write pattern: '^\d*$', minLength: 1, maxLength: 1001`, nil, nil},
		{`^([a-z]{2000})+$`, `: state minLength and maxLength instead`, nil, nil},
		// Not known to be the same: only advice.
		{`(?!a)b`, `: write what it excludes as not: { pattern: … } beside this pattern`, nil, nil},
		{`^a(?!b)c$`, `: write what it excludes as not: { pattern: … } beside this pattern`, nil, nil},
		{`^(?!a)b|c$`, `: write what it excludes as not: { pattern: … } beside this pattern`, nil, nil},
		{`^(?=(?!a)b)c$`, `: write what it demands as a second schema in allOf, or as minLength and maxLength where it counts characters`, nil, nil},
		{`^(a|b)\1$`, `: write the alternatives`, nil, nil},
		{`^(?i)abc$`, `: write the characters, such as [Aa] for both cases`, nil, nil},
		{`^(?P<year>\d{4})$`, `: write (?<`, nil, nil},
		{`^a\Z`, `: write $`, nil, nil},
		{`\Aa`, `: write ^`, nil, nil},
		{`^\_a$`, `: write _ without the backslash`, nil, nil},
		{`^[a-z$`, `opens a [ that it does not close`, nil, nil},
		{`^a{3,1}$`, `is not a regular expression of ECMA-262`, nil, nil},
		{`^a{10,9}$`, `is not a regular expression of ECMA-262`, nil, nil},
		{`^a{999,1001}$`, `: state minLength and maxLength instead`, nil, nil},
		{`^[z-a]$`, `has a range that goes backwards`, nil, nil},
	} {
		t.Run(row.pattern, func(t *testing.T) {
			re2, err := Translate(row.pattern)
			if err == nil || re2 != "" || !strings.HasSuffix(err.Error(), row.want) {
				t.Fatalf("got %q, %v, want %q", re2, err, row.want)
			}
			for _, text := range row.accepts {
				if !accepted(t, row.want, text) {
					t.Errorf("what it says to write refuses %q", text)
				}
			}
			for _, text := range row.refuses {
				if accepted(t, row.want, text) {
					t.Errorf("what it says to write accepts %q", text)
				}
			}
		})
	}
}

// accepted evaluates the members that a message says to write.
func accepted(t *testing.T, message, text string) bool {
	t.Helper()
	demands, excludes, _ := strings.Cut(message, "not: ")
	for i, list := range []string{demands, excludes} {
		for _, m := range regexp.MustCompile(`pattern: '((?:[^']|'')*)'`).FindAllStringSubmatch(list, -1) {
			re2, err := Translate(strings.ReplaceAll(m[1], "''", "'"))
			if err != nil {
				t.Fatalf("RE2 cannot take %s either: %v", m[1], err)
			}
			if regexp.MustCompile(re2).MatchString(text) == (i == 1) {
				return false
			}
		}
	}
	return true
}
