package validation

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Email returns what is wrong where s is not a Mailbox of RFC 5321 §4.1.2.
func Email(s string) string {
	local, domain, found := cutLast(s, "@")
	if found && len(local) <= 64 && len(s) <= 254 && (dotAtom(local) || quotedString(local)) && (hostName(domain) || addressLiteral(domain)) {
		return ""
	}
	return "must be an e-mail address"
}

// IDNEmail returns what is wrong where s is not a Mailbox of RFC 6531 §3.3.
func IDNEmail(s string) string {
	const wrong = "must be an e-mail address"
	if len(s) > 254 || !utf8.ValidString(s) {
		return wrong
	}
	local, domain, found := cutLast(s, "@")
	ascii := strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf {
			return 'u'
		}
		return r
	}, local)
	if found && (dotAtom(ascii) || quotedString(ascii)) && (addressLiteral(domain) || IDNHostname(norm.NFC.String(domain)) == "") {
		return ""
	}
	return wrong
}

// dotAtom reports whether s is a dot-atom of RFC 5322 §3.2.3.
func dotAtom(s string) bool {
	dot := true // as if one stood before the first character
	for i := range len(s) {
		b := s[i]
		if b == '.' {
			if dot {
				return false
			}
			dot = true
			continue
		}
		dot = false
		if !alphanumeric(b) && strings.IndexByte("!#$%&'*+-/=?^_`{|}~", b) < 0 {
			return false
		}
	}
	return !dot
}

// quotedString reports whether s is a Quoted-string of RFC 5321 §4.1.2.
func quotedString(s string) bool {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return false
	}
	for i := 1; i < len(s)-1; i++ {
		c := s[i]
		if c == '\\' {
			i++
			if i == len(s)-1 {
				return false
			}
			c = s[i]
		} else if c == '"' {
			return false
		}
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// addressLiteral reports whether s is an address-literal of RFC 5321 §4.1.3.
func addressLiteral(s string) bool {
	inner, found := strings.CutPrefix(s, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if !found || !closed {
		return false
	}
	if v6, tagged := strings.CutPrefix(inner, "IPv6:"); tagged {
		a, err := netip.ParseAddr(v6)
		return err == nil && a.Is6() && a.Zone() == ""
	}
	a, err := netip.ParseAddr(inner)
	return err == nil && a.Is4()
}
