package validation

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Hostname returns what is wrong where s is not a host name of RFC 1123 §2.1, or holds an A-label that is none (RFC 5890).
func Hostname(s string) string {
	const wrong = "must be a host name such as www.example.com"
	if !hostName(s) {
		return wrong
	}
	for label := range strings.SplitSeq(strings.ToLower(s), ".") {
		if strings.HasPrefix(label, "xn--") && !aLabel(label) || len(label) > 3 && label[2:4] == "--" && !strings.HasPrefix(label, "xn--") {
			return wrong
		}
	}
	return ""
}

// aLabel reports whether a label in the ASCII form of IDNA stands for one in Unicode.
func aLabel(label string) bool {
	text, err := idna.Registration.ToUnicode(label)
	if err != nil || text == label || norm.NFKC.String(text) != text || !idnaLabel(text) {
		return false
	}
	again, err := idna.Registration.ToASCII(text)
	return err == nil && again == label
}

// IDNHostname returns what is wrong where s is not a host name of RFC 5890 §2.3.2.3.
func IDNHostname(s string) string {
	const wrong = "must be an internationalized host name"
	if s == "" || !utf8.ValidString(s) {
		return wrong
	}
	s = strings.NewReplacer("\u3002", ".", "\uff0e", ".", "\uff61", ".").Replace(s)
	for label := range strings.SplitSeq(s, ".") {
		if !idnaLabel(label) || strings.HasPrefix(strings.ToLower(label), "xn--") && !aLabel(strings.ToLower(label)) {
			return wrong
		}
	}
	if ascii, err := idna.Registration.ToASCII(s); err != nil || !hostName(ascii) {
		return wrong
	}
	return ""
}

// idnaLabel applies the contextual rules of RFC 5892 appendix A, which package idna leaves out.
func idnaLabel(label string) bool {
	runes := []rune(label)
	arabic, extended := false, false
	for i, r := range runes {
		before, after := rune(0), rune(0)
		if i > 0 {
			before = runes[i-1]
		}
		if i+1 < len(runes) {
			after = runes[i+1]
		}
		switch {
		case r == 0xb7: // MIDDLE DOT between two l
			if before != 'l' || after != 'l' {
				return false
			}
		case r == 0x375: // Greek KERAIA before Greek
			if !within(after, 0x370, 0x3ff) && !within(after, 0x1f00, 0x1fff) {
				return false
			}
		case r == 0x5f3 || r == 0x5f4: // Hebrew GERESH and GERSHAYIM after Hebrew
			if !within(before, 0x590, 0x5ff) {
				return false
			}
		case r == 0x30fb: // KATAKANA MIDDLE DOT beside Japanese
			if !strings.ContainsFunc(label, japanese) {
				return false
			}
		case within(r, 0x660, 0x669):
			arabic = true
		case within(r, 0x6f0, 0x6f9):
			extended = true
		case r == 0x302e || r == 0x302f || r == 0x640 || r == 0x7fa || within(r, 0x3031, 0x3035) || r == 0x303b:
			return false // DISALLOWED by RFC 5892 §2.6
		case r >= utf8.RuneSelf && !unicode.In(r, unicode.L, unicode.M, unicode.Nd) && !strings.ContainsRune("\u200c\u200d\u06fd\u06fe\u0f0b\u3007", r):
			return false // neither a letter nor a digit (RFC 5892 §2.1)
		}
	}
	if arabic && extended {
		return false
	}
	text, err := idna.Registration.ToASCII(label)
	return err == nil && hostName(text)
}

func within(r, low, high rune) bool { return low <= r && r <= high }

func japanese(r rune) bool {
	return within(r, 0x3041, 0x309f) || within(r, 0x30a1, 0x30fa) || within(r, 0x30fc, 0x30ff) || within(r, 0x4e00, 0x9fff) || within(r, 0x3400, 0x4dbf) || r == 0x3005 || r == 0x3007
}

// cutLast cuts at the last separator.
func cutLast(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(separator):], true
}

// IPv4 returns what is wrong where s is not a dotted-quad of RFC 2673 §3.2.
func IPv4(s string) string {
	if a, err := netip.ParseAddr(s); err == nil && a.Is4() {
		return ""
	}
	return "must be an IPv4 address such as 192.0.2.1"
}

// IPv6 returns what is wrong where s is not an address of RFC 4291 §2.2. A zone is no part of it.
func IPv6(s string) string {
	if a, err := netip.ParseAddr(s); err == nil && a.Is6() && a.Zone() == "" {
		return ""
	}
	return "must be an IPv6 address such as 2001:db8::1"
}
