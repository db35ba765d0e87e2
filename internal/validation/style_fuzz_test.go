package validation_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/validation"
)

var (
	textShape   = &validation.Shape{Kinds: validation.String}
	listShape   = &validation.Shape{Items: textShape}
	objectShape = &validation.Shape{Members: map[string]*validation.Shape{"R": textShape, "G": textShape}}
	openShape   = &validation.Shape{Members: map[string]*validation.Shape{"R": textShape}, Rest: textShape}
	mixedShape  = &validation.Shape{
		Kinds:   validation.Null | validation.Boolean | validation.Number,
		Items:   &validation.Shape{Kinds: validation.Integer | validation.String},
		Members: map[string]*validation.Shape{"R": {Kinds: validation.Boolean}, "G": {Items: textShape}},
	}
)

// everyStyle are all the styles of OpenAPI 3.1 §4.8.12.2 in all places, with the shapes that a value may have.
func everyStyle() []*validation.Style {
	var list []*validation.Style
	for in, styles := range map[string][]string{
		"path": {"simple", "label", "matrix", "json"}, "header": {"simple", "json"}, "cookie": {"form", "json"},
		"query": {"form", "spaceDelimited", "pipeDelimited", "deepObject", "json"},
	} {
		for _, style := range styles {
			for _, explode := range []bool{false, true} {
				for _, shape := range []*validation.Shape{textShape, listShape, objectShape, openShape, mixedShape} {
					s := &validation.Style{Name: "p", In: in, Style: style, Explode: explode && style != "json", Required: shape == listShape, AllowEmpty: shape == mixedShape && in == "query", Shape: shape}
					if style == "json" {
						s.Shape = nil
					}
					list = append(list, s)
				}
			}
		}
	}
	slices.SortFunc(list, func(a, b *validation.Style) int { return strings.Compare(a.In+a.Style, b.In+b.Style) })
	return list
}

// parametersOf is a request whose parameter p is the text as it arrived. It is not ok where the guard or net/http refuses it before.
func parametersOf(in, raw string) (p *validation.Parameters, ok bool) {
	p = &validation.Parameters{QueryValues: url.Values{}, Declared: []string{"p"}, Header: http.Header{}, Violations: &validation.Violations{}}
	var err error
	switch in {
	case "query":
		p.RawQuery = raw
		p.QueryValues, err = url.ParseQuery(raw)
	case "path":
		var path string
		path, err = url.PathUnescape(raw)
		p.PathValue, p.PathText, p.SetPath = func(string) string { return path }, func(string) string { return raw }, func(_, value string) { raw = value }
	case "header":
		p.Header["P"] = []string{raw}
	case "cookie":
		p.Header["Cookie"] = []string{raw}
	}
	return p, err == nil
}

// handed is the JSON that the generated server is given, "" where it is given nothing.
func handed(p *validation.Parameters, s *validation.Style) string {
	switch s.In {
	case "query":
		if list := p.QueryValues[s.Name]; len(list) == 1 {
			return list[0]
		}
	case "header":
		return p.Header.Get(s.Name)
	case "cookie":
		for _, c := range (&http.Request{Header: p.Header}).CookiesNamed(s.Name) {
			text, _ := url.QueryUnescape(c.Value)
			return text
		}
	case "path":
		return p.PathText(s.Name)
	}
	return ""
}

// styleDetails are all that a parameter which cannot be taken apart is answered: nothing of it stands there.
var styleDetails = []string{
	"is required", "must be given once", "must begin with a dot", "must begin with a semicolon", "must be written as ;name=value", "has a broken escape", "must be written as name=value",
	"must be pairs of a name and a value", "repeats a member", "must be JSON: one value in UTF-8, without a repeated member, nested at most 32 levels deep", "must be a number that a double can hold",
}

// FuzzStyled reads any text in every style: what is taken is handed over as JSON, and what is not is told in words of ours alone.
func FuzzStyled(f *testing.F) {
	for _, seed := range []string{
		"", "p", "p=", "p=a", "p=a,b", "p=a&p=b", "p=R,100,G,200", "R=100&G=200", "p[R]=1&p[G]=2&p[G]=3", "p=a%20b", "p=a+b|c%7cd", ".a.b", ".R=1.G=2", ";p=a,b", ";p=a;p=b", ";R=1;G=2", `{"a":1}`, `p={"a":1,"a":2}`,
		"p=%2C%2c", "p=1e400", "p=true", "p=null", ".", ";", "p=,", ",", "=", "p==", "p[]=1", "p[R", "p[R]]=1", "p=\xff", "R=1,G", "R,1,R,2", "; p=1; p=2",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		for _, s := range everyStyle() {
			p, ok := parametersOf(s.In, raw)
			if !ok {
				continue
			}
			before := handed(p, s)
			p.Styled(s, func(*validation.Check, *validation.Value) {})
			if err := p.Violations.Err(); err != nil {
				for _, v := range problem.From(err).Violations {
					if !slices.Contains(styleDetails, v.Detail) || v.Pointer != "" || v.Parameter != s.Name && s.Style != "deepObject" && !s.Explode {
						t.Fatalf("%q as %+v: %+v", raw, *s, v)
					}
				}
				if after := handed(p, s); after != before {
					t.Fatalf("%q as %+v: refused, and %q handed over", raw, *s, after)
				}
				continue
			}
			after := handed(p, s)
			if after == before && s.In != "path" {
				continue // not there, or the same
			}
			var v any
			if err := json.Unmarshal([]byte(after), &v); err != nil && strings.ToValidUTF8(raw, "") == raw && strings.ToValidUTF8(decoded(raw), "") == decoded(raw) {
				t.Fatalf("%q as %+v: %q is handed over: %v", raw, *s, after, err)
			}
		}
	})
}

func decoded(raw string) string {
	text, _ := url.QueryUnescape(raw)
	return text
}

// FuzzStyledInverse writes values by the rules of each style, and reads them back.
func FuzzStyledInverse(f *testing.F) {
	for _, seed := range [][3]string{{"blue", "black", "brown"}, {"100", "200", "150"}, {"a,b", ";c=d", "e&f"}, {"%2C", "ä👍", "\x00\x7f"}, {"a b", "c+d", "e|f"}, {"=", "[", "]"}, {"%", "0", "0"}, {"\"", "\\", "/"}} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		for _, text := range []string{a, b, c} {
			if text == "" || strings.ToValidUTF8(text, "\ufffd") != text {
				return
			}
		}
		list := []any{a, b, c}
		object := map[string]any{"R": a, "G": b}
		for _, row := range []struct {
			style    validation.Style
			ambigous string // characters that the style cannot write
			written  string // %a, %b and %c stand for the values
			want     any
		}{
			{validation.Style{In: "path", Style: "simple", Shape: listShape}, "", "%a,%b,%c", list},
			{validation.Style{In: "path", Style: "simple", Explode: true, Shape: listShape}, "", "%a,%b,%c", list},
			{validation.Style{In: "path", Style: "simple", Shape: objectShape}, "", "R,%a,G,%b", object},
			{validation.Style{In: "path", Style: "simple", Explode: true, Shape: objectShape}, "", "R=%a,G=%b", object},
			{validation.Style{In: "path", Style: "label", Shape: textShape}, "", ".%a", a},
			{validation.Style{In: "path", Style: "label", Shape: listShape}, "", ".%a,%b,%c", list},
			{validation.Style{In: "path", Style: "label", Explode: true, Shape: listShape}, ".", ".%a.%b.%c", list},
			{validation.Style{In: "path", Style: "label", Shape: objectShape}, "", ".R,%a,G,%b", object},
			{validation.Style{In: "path", Style: "label", Explode: true, Shape: objectShape}, ".", ".R=%a.G=%b", object},
			{validation.Style{In: "path", Style: "matrix", Shape: textShape}, "", ";p=%a", a},
			{validation.Style{In: "path", Style: "matrix", Shape: listShape}, "", ";p=%a,%b,%c", list},
			{validation.Style{In: "path", Style: "matrix", Explode: true, Shape: listShape}, "", ";p=%a;p=%b;p=%c", list},
			{validation.Style{In: "path", Style: "matrix", Shape: objectShape}, "", ";p=R,%a,G,%b", object},
			{validation.Style{In: "path", Style: "matrix", Explode: true, Shape: objectShape}, "", ";R=%a;G=%b", object},
			{validation.Style{In: "query", Style: "form", Shape: listShape}, "", "p=%a,%b,%c", list},
			{validation.Style{In: "query", Style: "form", Explode: true, Shape: listShape}, "", "p=%a&p=%b&p=%c", list},
			{validation.Style{In: "query", Style: "form", Shape: objectShape}, "", "p=R,%a,G,%b", object},
			{validation.Style{In: "query", Style: "form", Explode: true, Shape: objectShape}, "", "R=%a&G=%b", object},
			{validation.Style{In: "query", Style: "spaceDelimited", Shape: listShape}, " ", "p=%a%20%b%20%c", list},
			{validation.Style{In: "query", Style: "pipeDelimited", Shape: listShape}, "|", "p=%a|%b|%c", list},
			{validation.Style{In: "query", Style: "deepObject", Explode: true, Shape: objectShape}, "", "p[R]=%a&p[G]=%b", object},
			{validation.Style{In: "query", Style: "deepObject", Explode: true, Shape: objectShape}, "", "p%5BR%5D=%a&p%5BG%5D=%b", object},
			{validation.Style{In: "cookie", Style: "form", Shape: listShape}, "", "p=%a,%b,%c", list},
			{validation.Style{In: "cookie", Style: "form", Shape: textShape}, "", "p=%a", a},
			{validation.Style{In: "header", Style: "simple", Shape: listShape}, "*", "%a,%b,%c", list},
			{validation.Style{In: "header", Style: "simple", Shape: objectShape}, "*", "R,%a,G,%b", object},
			{validation.Style{In: "header", Style: "simple", Explode: true, Shape: objectShape}, "*", "R=%a,G=%b", object},
			{validation.Style{In: "query", Style: "json"}, "", "p=%j", list},
			{validation.Style{In: "cookie", Style: "json"}, "", "p=%j", list},
		} {
			texts := a + b + c
			escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
			if row.ambigous == "*" { // it has no escapes
				if strings.ContainsFunc(texts, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(",;=", r) }) {
					continue
				}
				escape = func(s string) string { return s }
			} else if strings.ContainsAny(texts, row.ambigous) {
				continue
			}
			inJSON, err := json.Marshal(list)
			if err != nil {
				t.Fatal(err)
			}
			raw := strings.NewReplacer("%a", escape(a), "%b", escape(b), "%c", escape(c), "%j", escape(string(inJSON))).Replace(row.written)
			p, ok := parametersOf(row.style.In, raw)
			if !ok {
				t.Fatalf("%q as %+v cannot be parsed", raw, row.style)
			}
			s := row.style
			s.Name = "p"
			p.Styled(&s, func(*validation.Check, *validation.Value) {})
			if err := p.Violations.Err(); err != nil {
				t.Fatalf("%q as %+v: %+v", raw, s, err)
			}
			var got any
			if err := json.Unmarshal([]byte(handed(p, &s)), &got); err != nil {
				t.Fatalf("%q as %+v: %q: %v", raw, s, handed(p, &s), err)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Fatalf("%q as %+v: %s", raw, s, diff)
			}
		}
	})
}
