package validation

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"
)

// grammars are the formats that one regular expression says whole.
var grammars = map[string]struct {
	wrong func(string) string
	re    *regexp.Regexp
}{
	"uuid":         {UUID, regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)},
	"json-pointer": {JSONPointer, regexp.MustCompile(`^(/([^~/]|~[01])*)*$`)},
	"duration": {Duration, regexp.MustCompile(`^P([0-9]+W|([0-9]+Y([0-9]+M([0-9]+D)?)?|[0-9]+M([0-9]+D)?|[0-9]+D)(T([0-9]+H([0-9]+M([0-9]+S)?)?|[0-9]+M([0-9]+S)?|[0-9]+S))?` +
		`|T([0-9]+H([0-9]+M([0-9]+S)?)?|[0-9]+M([0-9]+S)?|[0-9]+S))$`)},
	"byte": {Base64, regexp.MustCompile(`^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$`)},
}

// FuzzFormats: no format panics, whatever text it is given, and each that a grammar or package time can decide is decided so.
func FuzzFormats(f *testing.F) {
	for _, seed := range []string{
		"", "01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f", "--935840-1c2b-7d3e-9f40-5a6b7c8d9e0f", "2026-01-31", "2026-01-31T12:00:00.5+01:00", "1998-12-31T23:59:60Z", "23:59:60Z", "P1Y2M3DT4H", "a@b.c", "xn--zca.de", "ä.de", "192.0.2.1", "::1",
		"https://a@[::1]:80/b?c#d", "/{a}", "a{b:3}", "(a|b)*", "/a~1b", "1/a", "YQ==", "\xff", strings.Repeat("-", 36), strings.Repeat("9", 20), "٣",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, wrong := range []func(string) string{Email, IDNEmail, Hostname, IDNHostname, URI, URIReference, IRI, IRIReference, URITemplate, Regex, RelativeJSONPointer, Time} {
			if wrong(s) == s && s != "" {
				t.Errorf("%q is told", s)
			}
		}
		for name, g := range grammars {
			if got := g.wrong(s) == ""; got != g.re.MatchString(s) && !(name == "byte" && strings.Contains(s, "=")) {
				t.Errorf("%s: %q: %v", name, s, got)
			}
		}
		a, err := netip.ParseAddr(s)
		if got := IPv4(s) == ""; got != (err == nil && a.Is4()) {
			t.Errorf("ipv4: %q: %v", s, got)
		}
		if got := IPv6(s) == ""; got != (err == nil && a.Is6() && a.Zone() == "") {
			t.Errorf("ipv6: %q: %v", s, got)
		}
		_, err = time.Parse(time.DateOnly, s)
		if got := DateText(s) == ""; got != (err == nil && len(s) == len(time.DateOnly)) {
			t.Errorf("date: %q: %v", s, got)
		}
		if DateTime(s) == "" && !strings.Contains(s, ":60") {
			if _, err := time.Parse(time.RFC3339, strings.ToUpper(s)); err != nil {
				t.Errorf("date-time: %q is taken: %v", s, err)
			}
		}
	})
}
