package validation

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Text reads a string. It is not inlined: it stands in the decoders more often than anything else, and a compiler takes long
// enough over a large document.
//
//go:noinline
func (r *Reader) Text() string {
	r.written = ""
	if r.read() {
		r.written = string(r.text)
	}
	return r.written
}

func (r *Reader) read() bool {
	raw, ok := r.scalar('"', "a string")
	if ok {
		r.text = r.unquote(raw)
		r.valid = r.err == nil
	}
	return r.valid
}

// Enum reads a string that must be one of the values.
func (r *Reader) Enum(values ...string) string {
	if !r.read() {
		return ""
	}
	for _, v := range values {
		if string(r.text) == v {
			return v
		}
	}
	r.format("enum", Enum(strings.Join(values, ", ")))
	return ""
}

// Date reads a date of RFC 3339.
func (r *Reader) Date() (day time.Time) {
	if r.read() {
		var wrong string
		day, wrong = Date(string(r.text))
		r.Check("format", wrong)
	}
	return day
}

// DateTime reads a date-time of RFC 3339.
func (r *Reader) DateTime() (at time.Time) {
	if r.read() {
		var wrong string
		at, wrong = Instant(string(r.text))
		r.Check("format", wrong)
	}
	return at
}

// UUID reads a UUID of RFC 9562.
func (r *Reader) UUID() (id uuid.UUID) {
	if r.read() {
		var wrong string
		id, wrong = parseUUID(r.text)
		r.Check("format", wrong)
	}
	return id
}

// MinLength demands that the string read last has at least n code points.
func (r *Reader) MinLength(n int) {
	if r.valid && utf8.RuneCount(r.text) < n {
		r.Violation("minLength", tooShort(n))
	}
}

// MaxLength demands that the string read last has at most n code points.
func (r *Reader) MaxLength(n int) {
	if r.valid && len(r.text) > n && utf8.RuneCount(r.text) > n {
		r.Violation("maxLength", tooLong(n))
	}
}

// MaxBytes demands that the string read last has at most n bytes.
func (r *Reader) MaxBytes(n int) {
	if r.valid && len(r.text) > n {
		r.Violation("maxLength", tooManyBytes(n))
	}
}

// Pattern demands that the string read last matches; source is the pattern as the document spells it.
func (r *Reader) Pattern(m Matcher, source string) {
	if r.valid && !m.Match(r.text) {
		r.Violation("pattern", mustMatch(source))
	}
}

// Format demands that the string that Text read last is of the format; wrong returns what is not.
func (r *Reader) Format(wrong func(string) string) {
	if r.valid {
		r.Check("format", wrong(r.written))
	}
}

// Check adds a violation of keyword at the value read last unless detail is empty.
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
	return tooShort(n)
}

func tooShort(n int) string {
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
	return tooLong(n)
}

func tooLong(n int) string { return "must have at most " + strconv.Itoa(n) + " characters" }

// MaxBytes returns what is wrong where s has more than n bytes: the ceiling of a string whose length the document leaves open.
func MaxBytes(s string, n int) string {
	if len(s) <= n {
		return ""
	}
	return tooManyBytes(n)
}

func tooManyBytes(n int) string { return "must have at most " + strconv.Itoa(n) + " bytes" }

// Matcher is a compiled pattern.
type Matcher interface {
	Match([]byte) bool
	MatchString(string) bool
}

// Pattern returns what is wrong where s does not match; source is the pattern as the document spells it.
func Pattern(s string, m Matcher, source string) string {
	if m.MatchString(s) {
		return ""
	}
	return mustMatch(source)
}

func mustMatch(source string) string { return "must match " + source }

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
func (c *CharacterClass) MatchString(s string) bool { return consistsOf(c, s) }

// Match does the same for bytes in UTF-8.
func (c *CharacterClass) Match(s []byte) bool { return consistsOf(c, s) }

func consistsOf[T string | []byte](c *CharacterClass, s T) bool {
	for i := range len(s) {
		if b := s[i]; b < utf8.RuneSelf && !c.ascii[b] || b >= utf8.RuneSelf && !c.beyond {
			return false
		}
	}
	return len(s) > 0 || c.empty
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
	_, wrong := parseUUID(s)
	return wrong
}

// parseUUID returns the bytes of a UUID, or what is wrong.
func parseUUID[T string | []byte](s T) (id [16]byte, wrong string) {
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
