package validation

import (
	"net/http"
	"net/url"
	"testing"
)

// TestStyledFillsInDefaults: where a parameter is not there, the generated server reads its default as a client would write it,
// or as JSON where it reads JSON.
func TestStyledFillsInDefaults(t *testing.T) {
	for _, row := range []struct {
		name, fill string
		natural    bool
		want       string
	}{
		{"a text", `"a b"`, true, "a b"},
		{"a number", `-1.5e3`, true, "-1.5e3"},
		{"true", `true`, true, "true"},
		{"false", `false`, true, "false"},
		{"a text as JSON", `"a b"`, false, `"a b"`},
		{"a list as JSON", `[1,2]`, false, `[1,2]`},
	} {
		for _, in := range []string{"query", "header"} {
			p := &Parameters{Violations: &Violations{}, QueryValues: url.Values{}, Header: http.Header{}}
			p.Styled(&Style{Name: "x-a", In: in, Style: "form", Default: row.fill, Natural: row.natural, Shape: AnyText}, func(*Check, *Value) {
				t.Errorf("%s in %s: a default is checked when it is generated, not for each request", row.name, in)
			})
			got := p.Header.Get("X-A")
			if in == "query" {
				got = p.QueryValues.Get("x-a")
			}
			if got != row.want || p.Violations.Err() != nil {
				t.Errorf("%s in %s: got %q and %v, want %q", row.name, in, got, p.Violations.Err(), row.want)
			}
		}
	}
}
