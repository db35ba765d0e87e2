package guard

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"example.com/gatehouse/internal/ceiling"
	"example.com/gatehouse/internal/problem"
	"github.com/labstack/echo/v4"
)

// maxNamed bounds the unknown name that a violation repeats: enough to recognize one's own typing error.
const maxNamed = 64

// checkQuery refuses what url.ParseQuery would drop without a word: two components that read such a query
// differently would see different requests.
func checkQuery(raw string) error {
	if strings.Count(raw, "&") >= ceiling.Pairs {
		return problem.BadRequest.New("the query has too many parameters")
	}
	if strings.Contains(raw, ";") || !wellEncoded(raw) {
		return problem.BadRequest.New("the query is malformed: percent-encode every ';' and every '%' that is not an escape")
	}
	return nil
}

// wellEncoded reports whether every '%' begins an escape.
func wellEncoded(raw string) bool {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '%' {
			continue
		}
		if i+2 >= len(raw) || !isHex(raw[i+1]) || !isHex(raw[i+2]) {
			return false
		}
		i += 2
	}
	return true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func validText(values url.Values) bool {
	for name, list := range values {
		if !utf8.ValidString(name) {
			return false
		}
		for _, v := range list {
			if !utf8.ValidString(v) {
				return false
			}
		}
	}
	return true
}

// checkParameters answers 400 for a malformed query and 422 for parameters that are against the document. It runs
// before the generated binding of parameters, whose errors quote what was sent.
func (rt *route) checkParameters(c echo.Context, s *State) error {
	r := c.Request()
	if r.URL.RawQuery != "" {
		if err := checkQuery(r.URL.RawQuery); err != nil {
			return err
		}
		// The map that echo keeps is the one that the generated binding reads.
		s.query = c.QueryParams()
		if !validText(s.query) {
			return problem.BadRequest.New("the query is not UTF-8")
		}
		rt.checkNames(s)
	}
	if rt.op.Parameters != nil {
		if s.query == nil {
			s.query = c.QueryParams()
		}
		if rt.hasPathParameters {
			s.parameters.PathValue = func(name string) string {
				value := c.Param(name)
				if r.URL.RawPath != "" {
					value, _ = url.PathUnescape(value) // net/http has checked the escapes
				}
				return value
			}
		}
		s.parameters.PathText = c.Param
		s.parameters.SetPath = func(name, value string) { setParam(c, name, value) }
		s.parameters.RawQuery, s.parameters.Declared = r.URL.RawQuery, rt.op.QueryNames
		s.parameters.QueryValues = s.query
		s.parameters.Header = r.Header
		s.parameters.Violations = &s.violations
		rt.op.Parameters(&s.parameters)
	}
	return s.violations.Err()
}

// checkNames adds a violation for each query parameter that the operation does not declare, in the order of names. A
// form's member in the query is one even where unknown names are ignored: it would be in every log on the way.
func (rt *route) checkNames(s *State) {
	var unknown []string
	for name := range s.query {
		if rt.declares(name) || rt.op.IgnoreUnknown && !slices.Contains(rt.formNames, name) {
			continue
		}
		unknown = append(unknown, name)
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		if slices.Contains(rt.formNames, name) {
			s.violations.Parameter(name, "additionalProperties", "belongs into the body, not into the query")
			continue
		}
		if len(name) > maxNamed {
			name = strings.ToValidUTF8(name[:maxNamed], "")
		}
		s.violations.Parameter(name, "additionalProperties", "is not a query parameter of this operation")
	}
}

func (rt *route) declares(name string) bool {
	return rt.op.OpenQuery || slices.Contains(rt.op.QueryNames, name) ||
		slices.ContainsFunc(rt.op.QueryPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// setParam puts a value where the generated server reads the path parameter.
func setParam(c echo.Context, name, value string) {
	values := c.ParamValues()
	for i, n := range c.ParamNames() {
		if n == name && i < len(values) {
			values[i] = value
		}
	}
	c.SetParamValues(values...)
}
