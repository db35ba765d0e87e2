package differentialtest

import (
	"encoding/json"
	"errors"
	"math/big"
	"net/netip"
	"regexp"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// formats are those that the oracle is told of: OpenAPI's, which JSON Schema does not define, and those that it reads more loosely
// or more narrowly than the specification that JSON Schema names. For these the grammar of the specification is written out here.
func formats() map[string]func(any) error {
	const (
		digit2  = `[0-9]{2}`
		octet   = `(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])`
		ipv4    = octet + `\.` + octet + `\.` + octet + `\.` + octet
		label   = `[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?`
		host    = label + `(\.` + label + `)*`
		atext   = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
		quoted  = `"([ !#-\[\]-~]|\\[ -~])*"`
		mailbox = `^(` + atext + `(\.` + atext + `)*|` + quoted + `)@(` + host + `|\[` + ipv4 + `\]|\[IPv6:(?P<ipv6>[0-9A-Fa-f:.]+)\])$`
	)
	return map[string]func(any) error{
		"int32": integer("-2147483648", "2147483647"),
		"int64": integer("-9223372036854775808", "9223372036854775807"),
		"uint8": integer("0", "255"),
		// RFC 2673 §3.2. The oracle takes a sign before a number.
		"ipv4": grammar(`^`+ipv4+`$`, 15),
		// RFC 1123 §2.1, and RFC 5891 §4.2.3.1 of labels with hyphens at the third and fourth place. The oracle takes a dot at the end.
		"hostname": both(grammar(`^`+host+`$`, 253), func(s string) bool { return !reservedLabel(s) }),
		// RFC 5321 §4.1.2. The oracle takes no quoted-pair, and any character between quotes.
		"email": both(grammar(mailbox, 254), func(s string) bool { return strings.LastIndexByte(s, '@') <= 64 }),
		// RFC 3339 appendix A: P1Y3D leaves out the months, which the grammar does not.
		"duration": grammar(`^P([0-9]+W|([0-9]+Y([0-9]+M([0-9]+D)?)?|[0-9]+M([0-9]+D)?|[0-9]+D)(T`+clock+`)?|T`+clock+`)$`, 0),
		// RFC 3339 §5.6. The oracle takes a sign before a number.
		"time":      both(standard("time"), regexp.MustCompile(`^`+digit2+`:`+digit2+`:`+digit2+`(\.[0-9]+)?([Zz]|[+-]`+digit2+`:`+digit2+`)$`).MatchString),
		"date-time": both(standard("date-time"), regexp.MustCompile(`^[0-9]{4}-`+digit2+`-`+digit2+`[Tt]`+digit2+`:`+digit2+`:`+digit2+`(\.[0-9]+)?([Zz]|[+-]`+digit2+`:`+digit2+`)$`).MatchString),
		// RFC 3986. The oracle asks package net/url, which takes more.
		"uri":           grammar(`^`+scheme+`:`+hierarchy+rest+`$`, 0),
		"uri-reference": grammar(`^(`+scheme+`:`+hierarchy+`|`+relative+`)`+rest+`$`, 0),
	}
}

// The parts of RFC 3339 appendix A and RFC 3986 appendix A.
const (
	clock     = `([0-9]+H([0-9]+M([0-9]+S)?)?|[0-9]+M([0-9]+S)?|[0-9]+S)`
	scheme    = `[A-Za-z][A-Za-z0-9+.-]*`
	escape    = `%[0-9A-Fa-f]{2}`
	pchar     = `([A-Za-z0-9._~!$&'()*+,;=:@-]|` + escape + `)`
	noColon   = `([A-Za-z0-9._~!$&'()*+,;=@-]|` + escape + `)`
	regName   = `([A-Za-z0-9._~!$&'()*+,;=-]|` + escape + `)*`
	authority = `//(([A-Za-z0-9._~!$&'()*+,;=:-]|` + escape + `)*@)?(\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|\[[vV][0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+,;=:-]+\]|` + regName + `)(:[0-9]*)?`
	segments  = `(/` + pchar + `*)*`
	hierarchy = `(` + authority + segments + `|/(` + pchar + `+` + segments + `)?|` + pchar + `+` + segments + `|)`
	relative  = `(` + authority + segments + `|/(` + pchar + `+` + segments + `)?|` + noColon + `+` + segments + `|)`
	rest      = `(\?(` + pchar + `|[/?])*)?(#(` + pchar + `|[/?])*)?`
)

var errFormat = errors.New("is not of the format")

// grammar accepts the texts that match, up to a length; a group ipv6 must be an address.
func grammar(expression string, longest int) func(any) error {
	// Two rows use the parts of a URI, where the group occurs twice.
	re := regexp.MustCompile(regexp.MustCompile(`\?P<ipv6>`).ReplaceAllString(expression, ""))
	address := regexp.MustCompile(`\[(?:IPv6:)?([0-9A-Fa-f:.]+)\]`)
	literal := strings.Contains(expression, "ipv6")
	return func(v any) error {
		s, ok := v.(string)
		if !ok {
			return nil
		}
		if longest > 0 && len(s) > longest || !re.MatchString(s) {
			return errFormat
		}
		if m := address.FindStringSubmatch(s); literal && m != nil && strings.Contains(m[1], ":") {
			if a, err := netip.ParseAddr(m[1]); err != nil || !a.Is6() {
				return errFormat
			}
		}
		return nil
	}
}

// both accepts what two accept.
func both(one func(any) error, other func(string) bool) func(any) error {
	return func(v any) error {
		if s, ok := v.(string); ok && !other(s) {
			return errFormat
		}
		return one(v)
	}
}

// standard is what the oracle says itself.
func standard(name string) func(any) error {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("f.json", map[string]any{"format": name}); err != nil {
		panic(err)
	}
	return c.MustCompile("f.json").Validate
}

func integer(low, high string) func(any) error {
	l, _ := new(big.Rat).SetString(low)
	h, _ := new(big.Rat).SetString(high)
	return func(v any) error {
		text, ok := v.(json.Number)
		if !ok {
			return nil
		}
		if n, ok := new(big.Rat).SetString(string(text)); !ok || !n.IsInt() || n.Cmp(l) < 0 || n.Cmp(h) > 0 {
			return errFormat
		}
		return nil
	}
}

// reservedLabel reports whether a label has hyphens where an A-label has them.
func reservedLabel(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if len(label) > 3 && label[2:4] == "--" {
			return true
		}
	}
	return false
}
