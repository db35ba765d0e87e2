package validation

import (
	"net/mail"
	"strings"
	"testing"
	"time"
)

func TestEmail(t *testing.T) {
	for text, ok := range map[string]bool{
		"a@b": true, "sales@example.com": true, "a.b+c@x-y.example": true, "!#$%&'*+-/=?^_`{|}~@example.com": true, strings.Repeat("a", 64) + "@example.com": true,
		"": false, "a": false, "@": false, "a@": false, "@b": false, "a@b@c": false, "a b@c": false, ".a@b": false, "a.@b": false, "a..b@c": false,
		"a@b..c": false, "a@.b": false, "a@b.": false, "a@-b": false, "a@b-": false, "a@b_c": false, "a@[127.0.0.1]": true, "a@[IPv6:::1]": true, `"a b"@c`: true, `"a\"b"@c`: true,
		"a@[127.0.0.256]": false, "a@[::1]": false, "a@[IPv6:127.0.0.1]": false, "a@[127.0.0.1": false, `"a"b"@c`: false, `"a@c`: false, `"a\"@c`: false, "\"a\r\nb\"@c": false, `"é"@c`: false,
		"A <a@b>": false, "a@b\r\nBcc: c@d": false, "a@b\x00": false, "é@example.com": false, "a@é.com": false, "a@b ": false, " a@b": false,
		strings.Repeat("a", 65) + "@example.com": false, "a@" + strings.Repeat("b", 64): false, "a@" + strings.Repeat("b.", 130) + "c": false,
	} {
		if wrong := Email(text); (wrong == "") != ok {
			t.Errorf("%q: %q", text, wrong)
		}
	}
}

func FuzzEmail(f *testing.F) {
	for _, seed := range []string{"sales@example.com", "a.b@c", `"a"@b`, "a@[::1]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if Email(s) != "" || strings.ContainsAny(s, `"[`) {
			return // net/mail unquotes, and reads literals as RFC 5322 writes them
		}
		// What is stored must be readable by what sends mail.
		if a, err := mail.ParseAddress(s); err != nil || a.Address != s || a.Name != "" {
			t.Errorf("%q is accepted but net/mail reads %v, %v", s, a, err)
		}
	})
}

func TestDate(t *testing.T) {
	for text, ok := range map[string]bool{
		"2026-11-24": true, "2024-02-29": true, "2000-02-29": true, "0001-01-01": true, "9999-12-31": true,
		"": false, "2026-02-29": false, "1900-02-29": false, "2026-04-31": false, "2026-13-01": false, "2026-00-01": false, "2026-01-00": false, "2026-01-32": false,
		"2026-1-1": false, "26-01-01": false, "2026/01/01": false, "2026-01-01T00:00:00Z": false, "2026-01-01 ": false, "+026-01-01": false, "2026-0x-01": false, "-026-01-01": false,
	} {
		day, wrong := Date(text)
		if (wrong == "") != ok || ok && day.Format(time.DateOnly) != text {
			t.Errorf("%q: %v %q", text, day, wrong)
		}
	}
	for day := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2005; day = day.AddDate(0, 0, 1) {
		if got, wrong := Date(day.Format(time.DateOnly)); wrong != "" || !got.Equal(day) {
			t.Fatalf("%v: %v %q", day, got, wrong)
		}
	}
}

func TestUUID(t *testing.T) {
	const good = "01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f"
	for text, ok := range map[string]bool{
		good: true, strings.ToUpper(good): true, "00000000-0000-0000-0000-000000000000": true,
		"": false, "{" + good + "}": false, "urn:uuid:" + good: false, strings.ReplaceAll(good, "-", ""): false, good + "0": false, good[1:]: false,
		strings.Replace(good, "0", "g", 1): false, strings.Replace(good, "-", "0", 1): false, "0" + good[:35]: false, good[:35] + "\x00": false,
	} {
		if wrong := UUID(text); (wrong == "") != ok {
			t.Errorf("%q: %q", text, wrong)
		}
	}
}

func TestLengthsCountCodePoints(t *testing.T) {
	for _, row := range []struct {
		text     string
		min, max int
		short    bool
		long     bool
	}{
		{"", 1, 1, true, false},
		{"a", 1, 1, false, false},
		{"é", 1, 1, false, false},
		{"🐎🐎", 2, 2, false, false},
		{"🐎🐎", 3, 1, true, true},
		{"ab", 3, 1, true, true},
	} {
		if MinLength(row.text, row.min) != "" != row.short || MaxLength(row.text, row.max) != "" != row.long {
			t.Errorf("%q: %q, %q", row.text, MinLength(row.text, row.min), MaxLength(row.text, row.max))
		}
	}
}

func TestCharacterClass(t *testing.T) {
	letters := NewCharacterClass("ab", false, false)
	free := NewCharacterClass("ab", true, true)
	for text, want := range map[string][2]bool{"": {false, true}, "a": {true, true}, "ba": {true, true}, "c": {false, false}, "ac": {false, false}, "é": {false, true}, "a\x00": {false, false}} {
		if letters.MatchString(text) != want[0] || free.MatchString(text) != want[1] {
			t.Errorf("%q: %v, %v", text, letters.MatchString(text), free.MatchString(text))
		}
	}
}

func TestUnique(t *testing.T) {
	many := strings.Split(strings.Repeat("a,", 0)+"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s", ",")
	for _, row := range []struct {
		name string
		list []string
		ok   bool
	}{
		{"none", nil, true}, {"one", []string{"a"}, true}, {"two", []string{"a", "b"}, true}, {"many", many, true},
		{"the same twice", []string{"a", "a"}, false}, {"the first and the last", []string{"a", "b", "a"}, false}, {"many and the first", append(many[:len(many):len(many)], "a"), false},
	} {
		if wrong := Unique(row.list); (wrong == "") != row.ok {
			t.Errorf("%s: %q", row.name, wrong)
		}
	}
}
