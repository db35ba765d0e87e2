package validation

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Text reads a string. The bytes are valid until the next read.
func (r *Reader) Text() (text []byte, ok bool) {
	raw, ok := r.scalar('"', "a string")
	if !ok {
		return nil, false
	}
	text = r.unquote(raw)
	return text, r.err == nil
}

// Check adds a violation of keyword at the value read last unless detail is empty. The generated decoders call it with
// one of the functions below, which the parameters share.
func (r *Reader) Check(keyword, detail string) {
	if detail != "" {
		r.Violation(keyword, detail)
	}
}

// MinLength returns what is wrong where s has fewer than n code points.
func MinLength(s string, n int) string {
	if len(s) >= n && utf8.RuneCountInString(s) >= n {
		return ""
	}
	if n == 1 {
		return "must not be empty"
	}
	return "must have at least " + strconv.Itoa(n) + " characters"
}

// MaxLength returns what is wrong where s has more than n code points.
func MaxLength(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return ""
	}
	return "must have at most " + strconv.Itoa(n) + " characters"
}

// Matcher is a compiled pattern.
type Matcher interface{ MatchString(string) bool }

// Pattern returns what is wrong where s does not match; source is the pattern as the document spells it.
func Pattern(s string, m Matcher, source string) string {
	if m.MatchString(s) {
		return ""
	}
	return "must match " + source
}

// CharacterClass matches text whose characters all belong to a set: what a pattern such as ^[a-z0-9-]+$ says, without a
// regular expression.
type CharacterClass struct {
	ascii  [utf8.RuneSelf]bool
	beyond bool // every character beyond ASCII belongs to the set
	empty  bool // the empty text matches
}

// NewCharacterClass returns the class of the ASCII characters in set.
func NewCharacterClass(set string, beyond, empty bool) *CharacterClass {
	c := &CharacterClass{beyond: beyond, empty: empty}
	for i := range len(set) {
		c.ascii[set[i]] = true
	}
	return c
}

// MatchString reports whether s holds only characters of the class.
func (c *CharacterClass) MatchString(s string) bool {
	for i := range len(s) {
		if b := s[i]; b < utf8.RuneSelf && !c.ascii[b] || b >= utf8.RuneSelf && !c.beyond {
			return false
		}
	}
	return s != "" || c.empty
}

// Enum returns what is wrong with a value that is not one of the allowed ones.
func Enum(allowed string) string { return "must be one of " + allowed }

func alphanumeric(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
}

// hostName reports whether s is a host name of RFC 1123 §2.1.
func hostName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			b := label[i]
			if !alphanumeric(b) && b != '-' {
				return false
			}
		}
	}
	return true
}

// Date returns the day that s names as RFC 3339 full-date, or what is wrong.
func Date(s string) (day time.Time, wrong string) {
	const wrongDate = "must be a date such as 2026-01-31"
	if len(s) != len(time.DateOnly) || s[4] != '-' || s[7] != '-' {
		return time.Time{}, wrongDate
	}
	y, m, d := digits(s[:4]), digits(s[5:7]), digits(s[8:])
	if y < 0 || m < 1 || m > 12 || d < 1 {
		return time.Time{}, wrongDate
	}
	day = time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if day.Day() != d { // February has no 30th: time.Date goes on to March
		return time.Time{}, wrongDate
	}
	return day, ""
}

// digits returns the number that decimal digits write, or -1.
func digits(s string) (n int) {
	for i := range len(s) {
		c := s[i]
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// UUID returns what is wrong where s is not a UUID in the form of RFC 9562 §4: the generated server would also take
// braces, a URN prefix and missing hyphens, so that one resource would have many addresses.
func UUID(s string) string {
	_, wrong := UUIDBytes(s)
	return wrong
}

// UUIDBytes returns the bytes of a UUID, or what is wrong.
func UUIDBytes(s string) (id [16]byte, wrong string) {
	const wrongUUID = "must be a UUID such as 01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f"
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, wrongUUID
	}
	at := 0
	for i := range id {
		switch at {
		case 8, 13, 18, 23: // and nowhere else: one more would lead beyond the end
			at++
		}
		high, low := hexDigit(s[at]), hexDigit(s[at+1])
		if high|low > 15 {
			return [16]byte{}, wrongUUID
		}
		id[i] = high<<4 | low
		at += 2
	}
	return id, ""
}

// hexDigit returns the value of a hexadecimal digit, and more than 15 for any other byte.
func hexDigit(b byte) byte {
	switch {
	case '0' <= b && b <= '9':
		return b - '0'
	case 'a' <= b && b <= 'f':
		return b - 'a' + 10
	case 'A' <= b && b <= 'F':
		return b - 'A' + 10
	}
	return 0xff
}

// MaxBytes returns what is wrong where s has more than n bytes: the ceiling of a string whose length the document leaves open.
func MaxBytes(s string, n int) string {
	if len(s) <= n {
		return ""
	}
	return "must have at most " + strconv.Itoa(n) + " bytes"
}
