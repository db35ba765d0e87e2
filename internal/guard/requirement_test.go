package guard_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/guard"
	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"
)

// kinds are the credentials that a request can present to a scheme: nothing, or a text that prove judges.
type kind int

const (
	none kind = iota
	badOne
	goodOne
	noScope
	otherSubject
	outage
	kinds
)

func (k kind) String() string {
	return []string{"none", "bad", "good", "without scope", "other subject", "outage"}[k]
}

func (k kind) text(scheme int) string {
	return map[kind]string{
		badOne: "bad", goodOne: schemeNames[scheme] + "-alice-read.write", noScope: schemeNames[scheme] + "-alice-other",
		otherSubject: schemeNames[scheme] + "-bob-read.write", outage: "outage",
	}[k]
}

// present puts the credentials where the schemes look for them.
func present(credentials map[int]kind) (target string, h http.Header) {
	h = http.Header{}
	for scheme, k := range credentials {
		if k == none {
			continue
		}
		switch text := k.text(scheme); scheme {
		case basic:
			h.Set("Authorization", basicAuth("any", text))
		case bearer, keyBearer:
			h.Set("Authorization", "Bearer "+text)
		case keyHeader:
			h.Set("X-API-Key", text)
		case keyQuery:
			target = "?api_key=" + text
		case keyCookie:
			h.Set("Cookie", "api_key="+text)
		case certificate:
			h.Set(certificateOf, text)
		}
	}
	return target, h
}

// TestRequirementOfEachScheme is the table of meanings, for each scheme.
func TestRequirementOfEachScheme(t *testing.T) {
	own := []string{basicChallenge, bearerChallenge, bearerChallenge, apiKeyChallenge, apiKeyChallenge, apiKeyChallenge, certificateChallenge}
	for scheme, name := range schemeNames {
		other := keyHeader // of another place than the scheme
		if scheme == keyHeader {
			other = bearer
		}
		onBad := own[scheme]
		if scheme == bearer || scheme == keyBearer {
			onBad = invalidToken
		}
		var lacking []string
		if scheme == bearer || scheme == keyBearer {
			lacking = []string{`Bearer realm="gatehouse", error="insufficient_scope", scope="read write"`}
		}
		lackingTogether := lacking
		if other == bearer { // a token was presented too, and the challenge says what it must hold
			lackingTogether = []string{`Bearer realm="gatehouse", error="insufficient_scope", scope="read"`}
		}
		one := func(k kind) map[int]kind { return map[int]kind{scheme: k} }
		two := func(k, l kind) map[int]kind { return map[int]kind{scheme: k, other: l} }
		and := both(needs(scheme, "read", "write"), needs(other, "read"))
		for _, tt := range []struct {
			name       string
			security   []guard.Alternative
			present    map[int]kind
			status     int
			body       string
			challenges []string
		}{
			{"none is challenged", a(needs(scheme)), one(none), 401, "", []string{own[scheme]}},
			{"bad is challenged", a(needs(scheme)), one(badOne), 401, "", []string{onBad}},
			{"good is let in", a(needs(scheme, "read")), one(goodOne), 200, "alice by " + name + " with read,write", nil},
			{"good without scopes is let in where none is needed", a(needs(scheme)), one(noScope), 200, "alice by " + name + " with other", nil},
			{"a missing scope is forbidden", a(needs(scheme, "write", "read")), one(noScope), 403, "", lacking},
			{"one of two scopes is not enough", a(needs(scheme, "read", "write", "admin")), one(goodOne), 403, "", adminLacking(lacking)},
			{"an outage is told as one", a(needs(scheme)), one(outage), 503, "", nil},
			{"half of an AND is not enough", a(and), two(goodOne, none), 401, "", challengesOf(own[scheme], own[other])},
			{"the other half of an AND is not enough", a(and), two(none, goodOne), 401, "", challengesOf(own[scheme], own[other])},
			{"half of an AND beside a bad half is not enough", a(and), two(badOne, goodOne), 401, "", challengesOf(onBad, own[other])},
			{"both of an AND are let in with the scopes of both", a(and), two(goodOne, goodOne), 200, "alice by " + name + "+" + schemeNames[other] + " with read,write", nil},
			{"an AND of two subjects is refused", a(and), two(goodOne, otherSubject), 400, "", nil},
			{"an AND with a scope missing is forbidden", a(and), two(noScope, goodOne), 403, "", lackingTogether},
			{"an AND with an outage is told", a(and), two(goodOne, outage), 503, "", nil},
			{"the second of an OR is let in", a(needs(other, "read"), needs(scheme, "read")), one(goodOne), 200, "alice by " + name + " with read,write", nil},
			{"the first of an OR decides", a(needs(other, "read"), needs(scheme, "read")), two(goodOne, goodOne), 200, "alice by " + schemeNames[other] + " with read,write", nil},
			{"the second of an OR is let in beside a bad one", a(needs(other, "read"), needs(scheme, "read")), two(goodOne, badOne), 200, "alice by " + name + " with read,write", nil},
			{"the second of an OR is let in beside an outage", a(needs(other, "read"), needs(scheme, "read")), two(goodOne, outage), 200, "alice by " + name + " with read,write", nil},
			{"two subjects of an OR are refused", a(needs(other, "read"), needs(scheme, "read")), two(goodOne, otherSubject), 400, "", nil},
			{"optional: none is anonymous", a(nil, needs(scheme)), one(none), 200, "anonymous", nil},
			{"optional: bad is not anonymous", a(nil, needs(scheme)), one(badOne), 401, "", []string{onBad}},
			{"optional: bad is not anonymous where {} stands last", a(needs(scheme), nil), one(badOne), 401, "", []string{onBad}},
			{"optional: good is somebody", a(nil, needs(scheme)), one(goodOne), 200, "alice by " + name + " with read,write", nil},
			{"optional: a missing scope is forbidden", a(nil, needs(scheme, "write", "read")), one(noScope), 403, "", lacking},
			{"optional: an outage is not anonymous", a(nil, needs(scheme)), one(outage), 503, "", nil},
		} {
			t.Run(name+": "+tt.name, func(t *testing.T) {
				s := serve(t, settings{tls: scheme == certificate}, get(tt.security...))
				target, h := present(tt.present)
				got := s.send(t, "GET", "/x"+target, "", h)
				expect(t, got, tt.status, tt.challenges)
				if got.handled != (tt.status == 200) {
					t.Errorf("handled: %v", got.handled)
				}
				if tt.status == 200 && got.body != tt.body {
					t.Errorf("body %q, want %q", got.body, tt.body)
				}
				if tt.status == 503 && (got.header.Get("Retry-After") != "5" || strings.Contains(got.body, "10.1.2.3")) {
					t.Errorf("Retry-After %q, body %s", got.header.Get("Retry-After"), got.body)
				}
			})
		}
	}
}

func challengesOf(list ...string) []string { return slices.Compact(list) }

func adminLacking(lacking []string) []string {
	if lacking == nil {
		return nil
	}
	return []string{`Bearer realm="gatehouse", error="insufficient_scope", scope="admin read write"`}
}

// TestTwoSchemesOfOneHeader has what only two bearer schemes can show: both judge one token.
func TestTwoSchemesOfOneHeader(t *testing.T) {
	security := a(needs(bearer, "read"), needs(keyHeader, "read"), needs(keyBearer, "read"))
	for _, tt := range []struct {
		name, token string
		status      int
		body        string
		challenges  []string
	}{
		{"a token of the first", "oauth2-alice-read", 200, "alice by oauth2 with read", nil},
		{"a token of the second, bad for the first", "keyBearer-alice-read", 200, "alice by keyBearer with read", nil},
		{"a token of neither is challenged once", "x", 401, "", []string{invalidToken, apiKeyChallenge}},
		{"a token of the second without its scope is forbidden", "keyBearer-alice-other", 403, "", []string{`Bearer realm="gatehouse", error="insufficient_scope", scope="read"`}},
		{"no token is challenged once", "", 401, "", []string{bearerChallenge, apiKeyChallenge}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, settings{}, get(security...))
			h := http.Header{}
			if tt.token != "" {
				h.Set("Authorization", "Bearer "+tt.token)
			}
			got := s.send(t, "GET", "/x", "", h)
			expect(t, got, tt.status, tt.challenges)
			if tt.status == 200 && got.body != tt.body {
				t.Errorf("body %q, want %q", got.body, tt.body)
			}
		})
	}
}

func TestWhatAnAuthenticatorMayNotDo(t *testing.T) {
	for _, tt := range []struct {
		name, token string
		status      int
		retry       string
	}{
		{"its own problem keeps its status", "gated", 429, "7"},
		{"nobody and no error is no caller", "nobody", 503, "5"},
		{"a principal without a subject is no caller", "nameless", 503, "5"},
		{"a panic lets nobody in", "panic", 500, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, settings{}, get(needs(bearer)))
			got := s.send(t, "GET", "/x", "", header("Authorization", "Bearer "+tt.token))
			expect(t, got, tt.status, nil)
			if got.handled || got.header.Get("Retry-After") != tt.retry {
				t.Errorf("handled %v, Retry-After %q", got.handled, got.header.Get("Retry-After"))
			}
		})
	}
}

func TestDetailsOfARefusal(t *testing.T) {
	for _, tt := range []struct {
		name     string
		security []guard.Alternative
		present  map[int]kind
		want     string
	}{
		{"the scope that is missing is named", a(needs(bearer, "admin")), map[int]kind{bearer: goodOne}, "this operation needs the scope admin"},
		{"scopes are named together, in order", a(both(needs(bearer, "read", "admin"), needs(keyHeader, "read"))), map[int]kind{bearer: goodOne, keyHeader: goodOne}, "this operation needs the scopes admin, read"},
		{"a half that is good is not called bad", a(both(needs(bearer), needs(keyHeader))), map[int]kind{bearer: goodOne}, "this operation needs another credential beside the one that was sent"},
		{"the first alternative that lacks a scope is told", a(needs(bearer, "admin"), needs(keyHeader, "root")), map[int]kind{bearer: goodOne, keyHeader: goodOne}, "this operation needs the scope admin"},
		{"two subjects", a(needs(bearer), needs(keyHeader)), map[int]kind{bearer: goodOne, keyHeader: otherSubject}, "the credentials name different subjects: send those of one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target, h := present(tt.present)
			got := serve(t, settings{}, get(tt.security...)).send(t, "GET", "/x"+target, "", h)
			if diff := cmp.Diff(any(tt.want), got.problem["detail"]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPrincipalOfSeveralCredentials(t *testing.T) {
	handler := func(c echo.Context) error {
		p := auth.FromContext(c.Request().Context())
		return c.JSON(http.StatusOK, p)
	}
	s := serve(t, settings{handler: handler}, get(both(needs(bearer, "read"), needs(keyHeader))))
	got := s.send(t, "GET", "/x", "", header("Authorization", "Bearer oauth2-alice-read.write", "X-Api-Key", "keyHeader-alice-audit.read"))
	var p auth.Principal
	if err := json.Unmarshal([]byte(got.body), &p); err != nil {
		t.Fatal(err)
	}
	// prove makes a credential as old as the name of its scheme is short.
	want := auth.Principal{
		Subject: "alice", Schemes: []string{"oauth2", "keyHeader"}, Scopes: auth.Scopes{"read"},
		ClientID: "client-of-oauth2", IssuedAt: time.Unix(int64(len("oauth2")), 0),
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
	reversed := serve(t, settings{handler: handler}, get(both(needs(keyHeader), needs(bearer, "read"))))
	got = reversed.send(t, "GET", "/x", "", header("Authorization", "Bearer oauth2-alice-read.write", "X-Api-Key", "keyHeader-alice-audit.read"))
	if err := json.Unmarshal([]byte(got.body), &p); err != nil {
		t.Fatal(err)
	}
	want.Schemes, want.ClientID = []string{"keyHeader", "oauth2"}, "client-of-keyHeader"
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
}

// TestPrincipalsAreNotShared: authenticators return one principal to many requests.
func TestPrincipalsAreNotShared(t *testing.T) {
	shared := &auth.Principal{Subject: "alice", Scopes: auth.NewScopes("read", "write")}
	list := schemes()
	list[bearer].Bearer = func(context.Context, auth.BearerToken) (*auth.Principal, error) { return shared, nil }
	list[keyHeader].APIKey = func(context.Context, auth.APIKey) (*auth.Principal, error) {
		return &auth.Principal{Subject: "alice", Scopes: auth.NewScopes("read")}, nil
	}
	s := serve(t, settings{schemes: list}, get(both(needs(bearer), needs(keyHeader))))
	if got := s.send(t, "GET", "/x", "", header("Authorization", "Bearer x", "X-Api-Key", "y")); got.body != "alice by oauth2+keyHeader with read" {
		t.Errorf("%d %s", got.status, got.body)
	}
	if diff := cmp.Diff(&auth.Principal{Subject: "alice", Scopes: auth.Scopes{"read", "write"}}, shared); diff != "" {
		t.Error("the guard changed what it was lent:", diff)
	}
}
