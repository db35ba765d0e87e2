package guard_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/guard"
)

// tableScheme is a scheme of the table: two of each kind, since two of one kind may read one credential.
type tableScheme struct {
	name  string
	place string // where its credential stands: schemes of one place see the same one
	// authorization is the scheme of the Authorization field, which holds one credential.
	authorization string
	challenge     string
}

var tableSchemes = []tableScheme{
	{"basic", "Authorization", "Basic", `Basic realm="gatehouse", charset="UTF-8"`},
	{"staff", "Authorization", "Basic", `Basic realm="gatehouse", charset="UTF-8"`},
	{"http", "Authorization", "Bearer", `Bearer realm="gatehouse"`},
	{"oauth2", "Authorization", "Bearer", `Bearer realm="gatehouse"`},
	{"openIdConnect", "Authorization", "Bearer", `Bearer realm="gatehouse"`},
	{"header", "header X-Key", "", `APIKey realm="gatehouse"`},
	{"header2", "header X-Other-Key", "", `APIKey realm="gatehouse"`},
	{"query", "query key", "", `APIKey realm="gatehouse"`},
	{"query2", "query other_key", "", `APIKey realm="gatehouse"`},
	{"cookie", "cookie key", "", `APIKey realm="gatehouse"`},
	{"cookie2", "cookie other_key", "", `APIKey realm="gatehouse"`},
	{"mutualTLS", "certificate", "", `ClientCertificate realm="gatehouse"`},
	{"mutualTLS2", "certificate", "", `ClientCertificate realm="gatehouse"`},
}

// tableKinds are the credentials, as the texts that the authenticators judge; "" is none. What begins with any is good for every scheme.
var tableKinds = map[string]string{
	"none": "", "bad": "bad", "good": "NAME-alice-read.write", "few scopes": "NAME-alice-other", "another subject": "NAME-bob-read.write",
	"good everywhere": "any-alice-read", "outage": "outage",
}

// tableAlternative is one alternative of a shape: x and y are the scopes of the two schemes, nil where it does not name them.
type tableAlternative struct{ x, y []string }

var (
	read, admin, without = []string{"read"}, []string{"admin"}, []string{}
	readWrite            = []string{"read", "write"}
)

// tableShapes are the requirements over two schemes.
var tableShapes = map[string][]tableAlternative{
	"X":                           {{x: read}},
	"X of no scope":               {{x: without}},
	"X or Y":                      {{x: read}, {y: read}},
	"Y or X":                      {{y: read}, {x: read}},
	"X and Y":                     {{x: read, y: read}},
	"X and Y of no scope":         {{x: without, y: without}},
	"X of two scopes and Y":       {{x: readWrite, y: read}},
	"(X and Y) or X":              {{x: read, y: read}, {x: read}},
	"X or (X and Y)":              {{x: read}, {x: read, y: read}},
	"(X and Y) or Y":              {{x: read, y: read}, {y: read}},
	"{} or X":                     {{}, {x: read}},
	"X or {}":                     {{x: read}, {}},
	"{} or X or Y":                {{}, {x: read}, {y: read}},
	"X or {} or Y":                {{x: read}, {}, {y: read}},
	"X or Y or {}":                {{x: read}, {y: read}, {}},
	"{} or (X and Y)":             {{}, {x: read, y: read}},
	"(X and Y) or {}":             {{x: read, y: read}, {}},
	"X twice, first more":         {{x: admin}, {x: read}},
	"X twice, first less":         {{x: read}, {x: admin}},
	"X twice and optional":        {{x: admin}, {x: readWrite}, {}},
	"X of a scope of nobody or Y": {{x: admin}, {y: read}},
	"X or Y, both of nobody":      {{x: admin}, {y: []string{"root"}}},
	"X and Y, X of nobody":        {{x: admin, y: read}},
	"X and Y of nobody, or X":     {{x: read, y: admin}, {x: readWrite}},
}

// expected is what architecture.md §5 says becomes of a request.
type expected struct {
	status     int
	kind       string // the last part of the problem's type
	challenges []string
	retryAfter string
	caller     string // who, by what, with which scopes
}

// plainReference is the requirement grammar in the plainest way. It shares nothing with the guard.
func plainReference(x, y tableScheme, shape []tableAlternative, presented map[string]string, authorization string) expected {
	type judged struct {
		verdict, subject string
		scopes           []string
	}
	see := func(s tableScheme) judged {
		text, found := presented[s.place]
		if !found || s.authorization != authorization && s.authorization != "" {
			return judged{verdict: "absent"}
		}
		parts := strings.Split(text, "-")
		switch {
		case text == "outage":
			return judged{verdict: "outage"}
		case len(parts) == 3 && (parts[0] == s.name || parts[0] == "any"):
			return judged{"good", parts[1], strings.Split(parts[2], ".")}
		}
		return judged{verdict: "bad"}
	}
	// The schemes that the operation names, in the order in which it does.
	var named []tableScheme
	for _, a := range shape {
		if a.x != nil && !slices.Contains(named, x) {
			named = append(named, x)
		}
		if a.y != nil && !slices.Contains(named, y) {
			named = append(named, y)
		}
	}
	// What was presented of them. A credential in Authorization that none of them reads is a bad one, where one of them reads the field.
	somethingPresented, somethingBad, readsField, readsThisOne := false, false, false, false
	subjects := map[string]bool{}
	for _, s := range named {
		j := see(s)
		somethingPresented = somethingPresented || j.verdict != "absent"
		somethingBad = somethingBad || j.verdict == "bad"
		readsField = readsField || s.authorization != ""
		readsThisOne = readsThisOne || s.authorization != "" && s.authorization == authorization
		if j.verdict == "good" {
			subjects[j.subject] = true
		}
	}
	if authorization != "" && readsField && !readsThisOne {
		somethingPresented, somethingBad = true, true
	}
	if len(subjects) > 1 {
		return expected{status: 400, kind: "bad-request"}
	}
	forbidden, unsure := -1, false
	for i, a := range shape {
		if a.x == nil && a.y == nil {
			if !somethingPresented {
				return expected{status: 200, caller: "anonymous"}
			}
			continue
		}
		fails, lacks, outage, who := false, false, false, ""
		var names []string
		var held []string
		for _, part := range []struct {
			scheme tableScheme
			scopes []string
		}{{x, a.x}, {y, a.y}} {
			if part.scopes == nil {
				continue
			}
			j := see(part.scheme)
			fails = fails || j.verdict == "absent" || j.verdict == "bad"
			outage = outage || j.verdict == "outage"
			if j.verdict == "good" {
				who = j.subject
				for _, scope := range part.scopes {
					lacks = lacks || !slices.Contains(j.scopes, scope)
				}
				if names == nil {
					held = j.scopes
				} else {
					held = slices.DeleteFunc(slices.Clone(held), func(s string) bool { return !slices.Contains(j.scopes, s) })
				}
			}
			names = append(names, part.scheme.name)
		}
		switch {
		case fails:
		case lacks:
			if forbidden < 0 {
				forbidden = i
			}
		case outage:
			unsure = true
		default:
			return expected{status: 200, caller: who + " by " + strings.Join(names, "+") + " with " + strings.Join(held, ",")}
		}
	}
	switch {
	case unsure:
		return expected{status: 503, kind: "unavailable", retryAfter: "5"}
	case forbidden >= 0:
		e := expected{status: 403, kind: "insufficient-scope"}
		var scopes []string
		if a := shape[forbidden]; authorization == "Bearer" {
			if x.authorization == "Bearer" {
				scopes = append(scopes, a.x...)
			}
			if y.authorization == "Bearer" {
				scopes = append(scopes, a.y...)
			}
		}
		if slices.Sort(scopes); len(scopes) > 0 {
			e.challenges = []string{`Bearer realm="gatehouse", error="insufficient_scope", scope="` + strings.Join(slices.Compact(scopes), " ") + `"`}
		}
		return e
	}
	e := expected{status: 401, kind: "unauthorized"}
	tokenIsBad := somethingBad && readsThisOne && authorization == "Bearer"
	for _, s := range named {
		tokenIsBad = tokenIsBad && (s.authorization != "Bearer" || see(s).verdict == "bad")
	}
	for _, s := range named {
		challenge := s.challenge
		if tokenIsBad && s.authorization == "Bearer" {
			challenge += `, error="invalid_token", error_description="the token is not valid"`
		}
		if !slices.Contains(e.challenges, challenge) {
			e.challenges = append(e.challenges, challenge)
		}
	}
	return e
}

// guardSchemes are the schemes of the table with authenticators that judge a text as prove does.
func guardSchemes() []guard.Scheme {
	var list []guard.Scheme
	for _, s := range tableSchemes {
		judge := func(text string) (*auth.Principal, error) {
			return prove(s.name, strings.Replace(text, "any-", s.name+"-", 1))
		}
		in, param, _ := strings.Cut(s.place, " ")
		one := guard.Scheme{Name: s.name}
		switch {
		case s.authorization == "Basic":
			one.Basic = func(_ context.Context, c auth.Basic) (*auth.Principal, error) { return judge(c.Password.Reveal()) }
		case s.authorization == "Bearer":
			one.Bearer = func(_ context.Context, c auth.BearerToken) (*auth.Principal, error) { return judge(c.Reveal()) }
		case s.place == "certificate":
			one.MutualTLS = func(_ context.Context, c auth.ClientCertificate) (*auth.Principal, error) {
				return judge(c.Chain[0].Subject.CommonName)
			}
		default:
			one.In, one.Param = in, param
			one.APIKey = func(_ context.Context, c auth.APIKey) (*auth.Principal, error) { return judge(c.Reveal()) }
		}
		list = append(list, one)
	}
	return list
}

// tableRequest presents credentials by their places.
func tableRequest(target string, presented map[string]string, authorization string) *http.Request {
	r := httptest.NewRequest("GET", target, nil)
	var query, cookies []string
	for place, text := range presented {
		switch in, param, _ := strings.Cut(place, " "); in {
		case "Authorization":
			if authorization == "Basic" {
				text = base64.StdEncoding.EncodeToString([]byte("any:" + text))
			}
			r.Header.Set("Authorization", authorization+" "+text)
		case "header":
			r.Header.Set(param, text)
		case "query":
			query = append(query, param+"="+text)
		case "cookie":
			cookies = append(cookies, param+"="+text)
		case "certificate":
			r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{Subject: pkix.Name{CommonName: text}}}}
		}
	}
	r.URL.RawQuery = strings.Join(query, "&")
	if cookies != nil {
		r.Header.Set("Cookie", strings.Join(cookies, "; "))
	}
	return r
}

// TestRequirementsAgreeWithAPlainReference asks every pair of schemes in every shape with every two credentials.
func TestRequirementsAgreeWithAPlainReference(t *testing.T) {
	type operation struct {
		x, y  int
		shape string
	}
	var asked []operation
	var rows []guard.Operation
	for x := range tableSchemes {
		for y := range tableSchemes {
			for name, shape := range tableShapes {
				if x == y {
					continue
				}
				op := guard.Operation{ID: fmt.Sprint(len(rows)), Method: "GET", Path: fmt.Sprintf("/%d", len(rows)), QueryNames: []string{"key", "other_key"}}
				for _, a := range shape {
					alternative := guard.Alternative{}
					if a.x != nil {
						alternative = append(alternative, guard.Requirement{Scheme: x, Scopes: a.x})
					}
					if a.y != nil {
						alternative = append(alternative, guard.Requirement{Scheme: y, Scopes: a.y})
					}
					op.Security = append(op.Security, alternative)
				}
				asked, rows = append(asked, operation{x, y, name}), append(rows, op)
			}
		}
	}
	s := serve(t, settings{schemes: guardSchemes()}, rows...)
	requests, answers, wrong := 0, map[int]int{}, 0
	for i, op := range asked {
		x, y := tableSchemes[op.x], tableSchemes[op.y]
		for xKind, xText := range tableKinds {
			for yKind, yText := range tableKinds {
				if xText != "" && yText != "" && x.place == y.place {
					continue // there is one credential at the place
				}
				presented, authorization := map[string]string{}, ""
				for _, c := range []struct {
					scheme tableScheme
					text   string
				}{{x, xText}, {y, yText}} {
					if c.text != "" {
						presented[c.scheme.place] = strings.Replace(c.text, "NAME", c.scheme.name, 1)
						authorization += c.scheme.authorization
					}
				}
				want := plainReference(x, y, tableShapes[op.shape], presented, authorization)
				before := s.handled.Load()
				w := httptest.NewRecorder()
				s.Config.Handler.ServeHTTP(w, tableRequest(rows[i].Path, presented, authorization))
				got := expected{status: w.Code, challenges: w.Header()["Www-Authenticate"], retryAfter: w.Header().Get("Retry-After")}
				if w.Code == 200 {
					got.caller = w.Body.String()
				} else {
					var p struct{ Type string }
					if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
						t.Fatal(err)
					}
					got.kind = p.Type[strings.LastIndexByte(p.Type, ':')+1:]
				}
				handled := s.handled.Load() > before
				if got.status != want.status || got.kind != want.kind || !slices.Equal(got.challenges, want.challenges) || got.retryAfter != want.retryAfter || got.caller != want.caller || handled != (want.status == 200) {
					t.Errorf("%s of X %s and Y %s, X %s, Y %s: got %+v, handled %v, want %+v", op.shape, x.name, y.name, xKind, yKind, got, handled, want)
					if wrong++; wrong == 20 {
						t.Fatal("and so on")
					}
				}
				requests++
				answers[got.status]++
			}
		}
	}
	t.Logf("%d schemes, %d pairs in %d shapes, %d requests, answered %v", len(tableSchemes), len(rows)/len(tableShapes), len(tableShapes), requests, answers)
}
