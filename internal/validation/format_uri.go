package validation

import (
	"encoding/base64"
	"net/netip"
	"strings"
	"unicode/utf8"

	"example.com/gatehouse/internal/pattern"
)

// URI returns what is wrong where s is not a URI of RFC 3986 §3.
func URI(s string) string {
	return resourceName(s, true, false, "must be a URI such as https://example.com/a")
}

// URIReference returns what is wrong where s is not a URI-reference of RFC 3986 §4.1.
func URIReference(s string) string {
	return resourceName(s, false, false, "must be a URI reference such as /a?b=c")
}

// IRI returns what is wrong where s is not an IRI of RFC 3987 §2.2.
func IRI(s string) string {
	return resourceName(s, true, true, "must be an IRI such as https://example.com/ä")
}

// IRIReference returns what is wrong where s is not an IRI-reference of RFC 3987 §2.2.
func IRIReference(s string) string {
	return resourceName(s, false, true, "must be an IRI reference such as /ä?b=c")
}

const (
	unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	subDelims  = "!$&'()*+,;="
	pathBytes  = unreserved + subDelims + ":@/"
)

// resourceName checks the generic syntax, part by part.
func resourceName(s string, absolute, international bool, wrong string) string {
	text := func(part, allowed string) bool { return percentEncoded(part, allowed, international) }
	rest, fragment, _ := strings.Cut(s, "#")
	rest, query, _ := strings.Cut(rest, "?")
	if !text(fragment, pathBytes+"?") || !text(query, pathBytes+"?") {
		return wrong
	}
	scheme, after, found := strings.Cut(rest, ":")
	if found && isScheme(scheme) {
		rest = after
	} else if absolute {
		return wrong
	} else if first, _, _ := strings.Cut(rest, "/"); strings.Contains(first, ":") {
		return wrong // a first segment with a colon would be a scheme
	}
	if authority, ok := strings.CutPrefix(rest, "//"); ok {
		path := ""
		if i := strings.IndexByte(authority, '/'); i >= 0 {
			authority, path = authority[:i], authority[i:]
		}
		if user, host, found := cutLast(authority, "@"); found {
			if !text(user, unreserved+subDelims+":") {
				return wrong
			}
			authority = host
		}
		if !isHostPort(authority, text) {
			return wrong
		}
		rest = path
	}
	if !text(rest, pathBytes) {
		return wrong
	}
	return ""
}

func isScheme(s string) bool {
	if s == "" || !('a' <= s[0]|0x20 && s[0]|0x20 <= 'z') {
		return false
	}
	for i := range len(s) {
		if !alphanumeric(s[i]) && s[i] != '+' && s[i] != '-' && s[i] != '.' {
			return false
		}
	}
	return true
}

// isHostPort checks what follows the user information of an authority.
func isHostPort(s string, text func(part, allowed string) bool) bool {
	host, port := s, ""
	if literal, ok := strings.CutPrefix(s, "["); ok {
		address, after, closed := strings.Cut(literal, "]")
		if !closed || after != "" && after[0] != ':' {
			return false
		}
		if a, err := netip.ParseAddr(address); (err != nil || !a.Is6() || a.Zone() != "") && !strings.HasPrefix(strings.ToLower(address), "v") {
			return false
		}
		host, port = "", strings.TrimPrefix(after, ":")
	} else if i := strings.LastIndexByte(s, ':'); i >= 0 {
		host, port = s[:i], s[i+1:]
	}
	_, rest := span(port)
	return rest == "" && text(host, unreserved+subDelims)
}

// percentEncoded reports whether all of s is allowed or an escape.
func percentEncoded(s, allowed string, international bool) bool {
	for i := 0; i < len(s); {
		switch b := s[i]; {
		case b == '%':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return false
			}
			i += 3
		case b < utf8.RuneSelf:
			if strings.IndexByte(allowed, b) < 0 {
				return false
			}
			i++
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			if !international || r == utf8.RuneError || r < 0xa0 {
				return false
			}
			i += size
		}
	}
	return true
}

func isHex(b byte) bool { return '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'f' }

// URITemplate returns what is wrong where s is not a template of RFC 6570 §2.
func URITemplate(s string) string {
	const wrong = "must be a URI template such as /items/{id}"
	for s != "" {
		literal, rest, found := strings.Cut(s, "{")
		if strings.ContainsAny(literal, " \"<>\\^`|}") || strings.ContainsFunc(literal, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return wrong
		}
		if !found {
			return ""
		}
		expression, after, closed := strings.Cut(rest, "}")
		if !closed || !isExpression(expression) {
			return wrong
		}
		s = after
	}
	return ""
}

func isExpression(s string) bool {
	if s != "" && strings.IndexByte("+#./;?&=,!@|", s[0]) >= 0 {
		s = s[1:]
	}
	for variable := range strings.SplitSeq(s, ",") {
		variable = strings.TrimSuffix(variable, "*")
		name, length, prefixed := strings.Cut(variable, ":")
		if digits, rest := span(length); prefixed && (rest != "" || digits == "" || len(digits) > 4 || digits[0] == '0') {
			return false
		}
		if name == "" || !percentEncoded(name, unreserved, false) || strings.ContainsAny(name, "-~") || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") {
			return false
		}
	}
	return true
}

// JSONPointer returns what is wrong where s is not a pointer of RFC 6901 §3.
func JSONPointer(s string) string {
	if s == "" || s[0] == '/' && !strings.Contains(strings.NewReplacer("~0", "", "~1", "").Replace(s), "~") {
		return ""
	}
	return "must be a JSON pointer such as /a/0"
}

// RelativeJSONPointer returns what is wrong where s is not a relative JSON pointer.
func RelativeJSONPointer(s string) string {
	up, rest := span(s)
	if up != "" && (up == "0" || up[0] != '0') && (rest == "#" || JSONPointer(rest) == "") {
		return ""
	}
	return "must be a relative JSON pointer such as 1/a"
}

// Base64 returns what is wrong where s is not base64 with padding (RFC 4648 §4).
func Base64(s string) string {
	if _, err := base64.StdEncoding.Strict().DecodeString(s); err != nil || strings.ContainsAny(s, "\r\n") {
		return "must be base64 with padding"
	}
	return ""
}

// Regex returns what is wrong where s is not a regular expression of ECMA-262.
func Regex(s string) string {
	if pattern.Valid(s) {
		return ""
	}
	return "must be a regular expression of ECMA-262"
}
