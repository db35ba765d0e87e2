package guard

import (
	"encoding/base64"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/validation"
)

// These are for what net/http does not let through to a handler, but HTTP/2 or another server might.
func TestParsersRefuseWhatNoServerShouldPass(t *testing.T) {
	if _, ok := parseBasic("am9o\r\nbjpzZWNyZXQ="); ok {
		t.Error("line ends inside base64 were taken")
	}
	if a := parseAuthorization("\tBearer x"); a.kind != authOther {
		t.Errorf("a tab before the scheme was taken away: %+v", a)
	}
	if a := parseAuthorization("Bearer x\t"); validBearer(a.value) {
		t.Errorf("a tab after the token was taken away: %+v", a)
	}
}

func FuzzParseBasic(f *testing.F) {
	for _, seed := range []string{"", "am9objpzZWNyZXQ=", "am9objpzZWNyZXQ", "am9objpzZWNyZXR=", "am9o\nbjpzZWNyZXQ=", "Og==", "OmE=", "YTo=", "/+8=", "YTpiAA=="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		c, ok := parseBasic(value)
		if !ok {
			if c.Username != "" || c.Password != "" {
				t.Fatal("a refused pair leaves something behind")
			}
			return
		}
		pair := c.Username + ":" + c.Password.Reveal()
		if strings.Contains(c.Username, ":") || !utf8.ValidString(pair) || strings.ContainsFunc(pair, unicode.IsControl) {
			t.Fatalf("took %q", pair)
		}
		// There is one spelling of every pair: two spellings would be two keys of a limit or a cache.
		if again := base64.StdEncoding.EncodeToString([]byte(pair)); again != value {
			t.Fatalf("took %q, which is written %q", value, again)
		}
	})
}

func FuzzParseAuthorization(f *testing.F) {
	for _, seed := range []string{"", "Basic", "basic x", "BEARER  x ", "Bearer x y", "Bearer\tx", "Bearer=", "\x00", "Bearer ==", "Basic x", "B\u212aarer x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, field string) {
		a := parseAuthorization(field)
		scheme := map[authKind]string{authBasic: "basic", authBearer: "bearer"}[a.kind]
		if a.kind == authAbsent {
			t.Fatal("a field that is there is absent")
		}
		if scheme == "" {
			if a.value != "" {
				t.Fatalf("the value %q belongs to no scheme", a.value)
			}
			return
		}
		trimmed := strings.Trim(field, " ")
		if !strings.HasPrefix(strings.ToLower(trimmed), scheme) || !strings.HasSuffix(trimmed, a.value) || len(trimmed) > len(scheme) && trimmed[len(scheme)] != ' ' {
			t.Fatalf("%q became %s %q", field, scheme, a.value)
		}
		if strings.Trim(a.value, " ") != a.value {
			t.Fatalf("spaces are left around %q", a.value)
		}
		if a.kind == authBearer && validBearer(a.value) && strings.ContainsAny(a.value, " \t\r\n,;\"\\") {
			t.Fatalf("took the token %q", a.value)
		}
	})
}

func FuzzCookieNamed(f *testing.F) {
	for _, seed := range []string{"", "k=v", "k=v; k=w", ";;k", "k = v", "a=k=v", "xk=v", "k=\"v\"", " k=v", "K=v", "k=v;\x00k=w", "\nk", "k\n=v"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, field string) {
		value, n := cookieNamed(http.Header{"Cookie": {field}}, "k")
		if n == 0 && value != "" {
			t.Fatal("a value without a cookie")
		}
		if strings.ContainsRune(value, ';') {
			t.Fatalf("the value %q holds the next cookie", value)
		}
		// Whatever net/http finds is found here too: otherwise a credential would look like none.
		if theirs := (&http.Request{Header: http.Header{"Cookie": {field}}}).CookiesNamed("k"); len(theirs) > n {
			t.Fatalf("%q: net/http finds %d cookies, we %d", field, len(theirs), n)
		}
	})
}

func FuzzAccepts(f *testing.F) {
	for _, seed := range []string{"", "*/*", "application/*;q=0", "application/json;q=0.000,*/*", ",,", "application/json;Q=0", ";q", "text/html;level=1;q=0.5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, field string) {
		accepts(field, "application/json")
		if !accepts(field+",application/json;q=1", "application/json") {
			t.Fatalf("%q and then the media type itself is not acceptable", field)
		}
	})
}

// FuzzQuery: what is taken is read whole: nothing is dropped, and every name that is not declared is told, in at most 64 bytes.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "a=1", "a=1&a=2", "a;b=1", "%zz", "%4", "a=%2", "+=%20", "&&", "=", "a=%ff", "%C3%A4=1", strings.Repeat("x", 70), "a[b]=c", "a%00=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if checkQuery(raw) != nil {
			return
		}
		values, err := url.ParseQuery(raw)
		if err != nil {
			t.Fatalf("%q was taken: %v", raw, err)
		}
		pairs, read := 0, 0
		for pair := range strings.SplitSeq(raw, "&") {
			if pair != "" {
				pairs++
			}
		}
		for _, list := range values {
			read += len(list)
		}
		if pairs != read {
			t.Fatalf("%q has %d pairs, and %d were read", raw, pairs, read)
		}
		if !validText(values) {
			return
		}
		s := &State{query: values}
		(&route{op: &Operation{QueryNames: []string{"a"}}}).checkNames(s)
		_, declared := values["a"]
		if wrong := s.violations.Err() != nil; wrong != (len(values) > 1 || len(values) == 1 && !declared) {
			t.Fatalf("%q: %+v", raw, s.violations.Err())
		}
		if err := s.violations.Err(); err != nil {
			for _, v := range problem.From(err).Violations {
				if len(v.Parameter) > maxNamed || !utf8.ValidString(v.Parameter) {
					t.Fatalf("%q: the name %q is told", raw, v.Parameter)
				}
			}
		}
	})
}

// FuzzChooseBody: a body is taken only as what the standard library reads from its Content-Type, in UTF-8, and a multipart one with a
// boundary.
func FuzzChooseBody(f *testing.F) {
	for _, seed := range []string{"application/json", "Application/JSON; charset=UTF-8", "application/json; charset=latin1", "application/json;charset", "multipart/form-data; boundary=b", "multipart/form-data", "image/png", "image/*", "application/problem+json", "text/plain, application/json", "", "application/json\x00", "application/json; a=1; a=2"} {
		f.Add(seed)
	}
	op := &Operation{MaxBodyBytes: 10, Bodies: []Body{
		{MediaType: "application/json"}, {MediaType: "text/csv", Refused: true}, {MediaType: "image/*", Stream: true}, {MediaType: "application/merge-patch+json"},
		{MediaType: "multipart/form-data", Multipart: func([]byte, string, any, *validation.Violations) error { return nil }},
	}}
	rt := compile(&Config{}, op, newBuffers())
	f.Fuzz(func(t *testing.T, field string) {
		s := &State{}
		b, err := rt.chooseBody(&http.Request{ContentLength: 5, Header: http.Header{"Content-Type": {field}}}, s)
		if err != nil {
			if b != nil || !problem.UnsupportedMediaType.Is(err) && !problem.BadRequest.Is(err) {
				t.Fatalf("%q: %v", field, err)
			}
			return
		}
		mediaType, parameters, err := mime.ParseMediaType(field)
		if err != nil || b.Refused || !strings.EqualFold(b.MediaType, mediaType) && b.MediaType != "image/*" || b.Stream && !strings.HasPrefix(mediaType, "image/") {
			t.Fatalf("%q was taken as %s: %v", field, b.MediaType, err)
		}
		if charset := parameters["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") || b.Multipart != nil && (s.boundary == "" || s.boundary != parameters["boundary"]) {
			t.Fatalf("%q was taken as %s with the boundary %q", field, b.MediaType, s.boundary)
		}
	})
}

// FuzzValidKey: no key that is taken can change the line, log or header that it would stand in.
func FuzzValidKey(f *testing.F) {
	for _, seed := range []string{"", " ", "key", "a\nb", "\x00", "\xff", "\u0085", "ä", strings.Repeat("k", maxCredential), strings.Repeat("k", maxCredential+1)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if validKey(value) && (strings.ContainsAny(value, "\r\n\x00\x7f") || len(value) > maxCredential || strings.Trim(value, " ") == "" || strings.ToValidUTF8(value, "") != value) {
			t.Fatalf("took %q", value)
		}
		if validBearer(value) && (!validKey(value) || strings.ContainsAny(strings.TrimRight(value, "="), "= \",;\\")) {
			t.Fatalf("took the token %q", value)
		}
	})
}

func TestAccepts(t *testing.T) {
	for _, tt := range []struct {
		name, accept string
		want         bool
	}{
		{"the media type itself", "application/json", true},
		{"without case", "Application/JSON", true},
		{"its main type", "application/*", true},
		{"anything", "*/*", true},
		{"among others", "text/html, application/json;q=0.1", true},
		{"with a parameter that nobody knows", "application/json;v=1", true},
		{"another media type", "text/html", false},
		{"another main type", "text/*", false},
		{"a longer name that begins alike", "application/json-seq", false},
		{"a longer main type that begins alike", "applications/*", false},
		{"a weight of zero", "application/json;q=0", false},
		{"a weight of zero with decimals", "application/json ; Q=0.000", false},
		{"the smallest weight", "application/json;q=0.001", true},
		{"excluded from anything", "*/*, application/json;q=0", false},
		{"excluded from anything that comes later", "application/json;q=0, */*", false},
		{"excluded with its main type", "*/*, application/*;q=0", false},
		{"excepted from an excluded main type", "application/*;q=0, application/json", true},
		{"excepted from nothing at all", "*/*;q=0, application/json", true},
		{"a problem alone is no success", "application/problem+json", false},
		{"what is no media range", "json", false},
		{"a wild main type with a subtype", "*/json", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := accepts(tt.accept, "application/json"); got != tt.want {
				t.Errorf("%q: %v", tt.accept, got)
			}
		})
	}
}

// FuzzSegmentMatch compares the splitting of a segment with the plainest way to do it: try every one.
func FuzzSegmentMatch(f *testing.F) {
	for _, seed := range [][2]string{
		{"{a}.json", "7.json"}, {"{a}:{b}", "x:y:z"}, {"a-{b}-{c}", "a-1-2"}, {"{a}--{b}", "x---y"}, {"{a}0b", "%20b"},
		{"{a}2{b}", "x%2F2y"}, {"{a}.{b}.{c}", "1.2.3"}, {"x{a}x", "xx"}, {"{a}%2F{b}", "x%2Fy"}, {"{a}", "%"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, template, text string) {
		s, err := parseSegment(template)
		if err != nil || len(s.names) == 0 || len(s.names) > 4 || len(text) > 40 || !wellEncoded(text) {
			return
		}
		values := make([]string, len(s.names))
		matched := s.match(text, values)
		splits := everySplit(s.literals, text)
		if matched != (len(splits) == 1) {
			t.Fatalf("%q and %q: matched %v, there are %d ways", template, text, matched, len(splits))
		}
		if matched && !slices.Equal(values, splits[0]) {
			t.Fatalf("%q and %q: %q, want %q", template, text, values, splits[0])
		}
	})
}

// everySplit returns all values between the literals that make text, none of them empty or with half an escape.
func everySplit(literals []string, text string) (splits [][]string) {
	rest, found := strings.CutPrefix(text, literals[0])
	if !found {
		return nil
	}
	if len(literals) == 1 {
		if rest == "" {
			return [][]string{{}}
		}
		return nil
	}
	for end := 1; end <= len(rest); end++ {
		if wellEncoded(rest[:end]) && wellEncoded(rest[end:]) {
			for _, tail := range everySplit(literals[1:], rest[end:]) {
				splits = append(splits, append([]string{rest[:end]}, tail...))
			}
		}
	}
	return splits
}
