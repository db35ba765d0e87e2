package guard

import (
	"errors"
	"fmt"
	"strings"
)

// segment is what stands between two slashes of a path template: text, a {parameter}, or both, as in {id}.json.
type segment struct {
	// literals are the texts around the parameters, one more than there are: the first and the last may be empty.
	literals []string
	names    []string
}

// parsePath splits a path template. What it refuses cannot be served: nobody could tell which of two parameters that touch
// a character belongs to.
func parsePath(path string) ([]segment, error) {
	rest, rooted := strings.CutPrefix(path, "/")
	if !rooted {
		return nil, errors.New("does not begin with /")
	}
	var list []segment
	for text := range strings.SplitSeq(rest, "/") {
		s, err := parseSegment(text)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

func parseSegment(text string) (s segment, err error) {
	for {
		literal, after, found := strings.Cut(text, "{")
		if strings.ContainsAny(literal, `}?#\`) || !wellEncoded(literal) {
			return s, fmt.Errorf("has the text %q, which cannot stand in a path", literal)
		}
		if literal == "" && found && len(s.names) > 0 {
			return s, fmt.Errorf("has no text between {%s} and the next parameter", s.names[len(s.names)-1])
		}
		s.literals = append(s.literals, normalPath(literal))
		if !found {
			return s, nil
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed || name == "" || strings.Contains(name, "{") {
			return s, errors.New("has a brace that is not around a name")
		}
		s.names, text = append(s.names, name), tail
	}
}

// place is the template without the names of parameters: {a} and {b} are the same place.
func (s *segment) place() string { return strings.Join(s.literals, "{}") }

// whole reports whether the segment is one parameter and nothing else.
func (s *segment) whole() bool {
	return len(s.names) == 1 && s.literals[0] == "" && s.literals[1] == ""
}

// literalLength is how much of the segment is text: what has more of it is more specific.
func (s *segment) literalLength() int {
	n := 0
	for _, l := range s.literals {
		n += len(l)
	}
	return n
}

// match splits text by the literals and puts what is between them into values. No value is empty. Text that can be split in
// more than one way does not match: two readers would see different values. A client that percent-encodes a literal
// within a value is understood, because text is the path as it arrived.
func (s *segment) match(text string, values []string) bool {
	first, last := s.literals[0], s.literals[len(s.literals)-1]
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) || insideEscape(text, len(text)-len(last)) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	between := s.literals[1 : len(s.literals)-1]
	rest := text
	for i, literal := range between {
		at := indexLiteral(rest, literal)
		if at < 0 {
			return false
		}
		values[i], rest = rest[:at], rest[at+len(literal):]
	}
	if rest == "" {
		return false
	}
	values[len(between)] = rest
	// What was found from the left must be what is found from the right.
	rest = text
	for i := len(between) - 1; i >= 0; i-- {
		at := lastIndexLiteral(rest, between[i])
		if len(rest)-at-len(between[i]) != len(values[i+1]) {
			return false
		}
		rest = rest[:at]
	}
	return true
}

// indexLiteral is where literal first begins in text, behind at least one character.
func indexLiteral(text, literal string) int {
	for from := 1; from < len(text); {
		at := strings.Index(text[from:], literal)
		if at < 0 {
			return -1
		}
		if at += from; !insideEscape(text, at) {
			return at
		}
		from = at + 1
	}
	return -1
}

// lastIndexLiteral is where literal last begins in text, before at least one character.
func lastIndexLiteral(text, literal string) int {
	for end := len(text) - 1; end > 0; {
		at := strings.LastIndex(text[:end], literal)
		if at < 0 || !insideEscape(text, at) {
			return at
		}
		end = at + len(literal) - 1
	}
	return -1
}

// insideEscape reports whether the character at i is a digit of a percent-encoded one.
func insideEscape(text string, i int) bool {
	return i >= 1 && text[i-1] == '%' || i >= 2 && text[i-2] == '%'
}

// normalPath writes a path as RFC 3986 does: percent-encoded where it allows no other spelling (§3.3), with upper-case digits
// (§6.2.2.1). Characters that need no encoding and have one keep it: "an encoded letter" is another path.
func normalPath(path string) string {
	var b []byte
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch {
		case c == '%' && i+2 < len(path):
			b = append(b, '%', upperHex(path[i+1]), upperHex(path[i+2]))
			i += 2
		case c == '/' || isPathCharacter(c):
			b = append(b, c)
		default:
			b = fmt.Appendf(b, "%%%02X", c)
		}
	}
	return string(b)
}

func upperHex(c byte) byte {
	if 'a' <= c && c <= 'f' {
		return c - 'a' + 'A'
	}
	return c
}

// isPathCharacter is pchar of RFC 3986 §3.3 without pct-encoded.
func isPathCharacter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~!$&'()*+,;=:@", c) >= 0
}

// registeredPath writes a path template as the generated server registers it.
func registeredPath(path string) string {
	path = strings.ReplaceAll(path, ":", `\:`)
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}
