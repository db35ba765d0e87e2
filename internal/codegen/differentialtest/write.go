package differentialtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"unicode/utf16"
	"unicode/utf8"
)

// appendValue writes a value as JSON: with white space here and there, and with escapes that are not needed.
func appendValue(b []byte, v any, r *rand.Rand) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return fmt.Appendf(b, "%t", v)
	case json.Number:
		return append(b, v...)
	case string:
		return appendText(b, v, r)
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(appendSpace(b, r), e, r)
		}
		return append(b, ']')
	case members:
		b = append(b, '{')
		for i, m := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendText(appendSpace(b, r), m.name, r), ':')
			b = appendValue(appendSpace(b, r), m.value, r)
		}
		return append(appendSpace(b, r), '}')
	}
	panic(fmt.Sprintf("a value of type %T", v))
}

func appendSpace(b []byte, r *rand.Rand) []byte {
	if r.IntN(30) == 0 {
		return append(b, pick(r, []string{" ", "\n", "\t", "\r\n  "})...)
	}
	return b
}

func appendText(b []byte, s string, r *rand.Rand) []byte {
	b = append(b, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', byte(c))
		case c == '/' && r.IntN(4) == 0:
			b = append(b, '\\', '/')
		case c < ' ' || r.IntN(40) == 0:
			if high, low := utf16.EncodeRune(c); high != utf8.RuneError {
				b = fmt.Appendf(b, `\u%04x\u%04X`, high, low)
			} else {
				b = fmt.Appendf(b, `\u%04X`, c)
			}
		default:
			b = utf8.AppendRune(b, c)
		}
	}
	return append(b, '"')
}
