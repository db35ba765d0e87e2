package validation

import (
	"net/http"
	"net/url"
	"strconv"
)

// Parameters are the parameters of one request as they arrived, and where violations of them go. A parameter that
// occurs twice is a violation: components that read the first and the last of them would see different requests. What
// generated code calls for each parameter is not inlined: see Reader.Text.
type Parameters struct {
	// PathValue returns the unescaped value of a path parameter, PathText the value as it arrived; SetPath puts one
	// where the generated server reads it.
	PathValue, PathText func(name string) string
	SetPath             func(name, value string)
	// RawQuery is the query as it arrived, Declared the names of all query parameters of the operation.
	RawQuery string
	Declared []string
	// QueryValues is the parsed query that the generated server will read too: defaults are filled in here.
	QueryValues url.Values
	// Header is the request's header.
	Header http.Header
	// Violations collects what is wrong.
	Violations *Violations
}

// Path returns the value of a path parameter.
func (p *Parameters) Path(name string) string { return p.PathValue(name) }

// Query returns the value of a query parameter that occurs once.
//
//go:noinline
func (p *Parameters) Query(name string) (value string, ok bool) {
	return p.one(name, p.QueryValues[name])
}

// HeaderValue returns the value of a header parameter that occurs once. canonical is its name as net/http spells it.
//
//go:noinline
func (p *Parameters) HeaderValue(name, canonical string) (value string, ok bool) {
	return p.one(name, p.Header[canonical])
}

func (p *Parameters) one(name string, values []string) (string, bool) {
	switch len(values) {
	case 0:
		return "", false
	case 1:
		return values[0], true
	}
	p.Violations.Parameter(name, "repeated", "must be given once")
	return "", false
}

// Required adds a violation that the parameter is missing, unless it occurs.
func (p *Parameters) Required(name string, values []string) {
	if len(values) == 0 {
		p.Violations.Parameter(name, "required", "is required")
	}
}

// Check adds a violation of the parameter unless detail is empty.
//
//go:noinline
func (p *Parameters) Check(name, keyword, detail string) {
	if detail != "" {
		p.Violations.Parameter(name, keyword, detail)
	}
}

// Bool adds a violation unless value is "true" or "false".
func (p *Parameters) Bool(name, value string) {
	if value != "true" && value != "false" {
		p.Violations.Parameter(name, "type", "must be true or false")
	}
}

// Int64 returns an integer of at most bits bits in decimal digits, the only spelling that the generated server reads.
func (p *Parameters) Int64(name, value string, bits int) (n int64, ok bool) {
	n, err := strconv.ParseInt(value, 10, bits)
	if err != nil || value[0] == '+' {
		p.Violations.Parameter(name, "type", intRange(bits))
		return 0, false
	}
	return n, true
}

// Range returns what is wrong with an integer below low or above high.
func Range(n, low, high int64) (keyword, detail string) {
	switch {
	case n < low:
		return "minimum", "must be at least " + strconv.FormatInt(low, 10)
	case n > high:
		return "maximum", "must be at most " + strconv.FormatInt(high, 10)
	}
	return "", ""
}
