package server_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"example.com/gatehouse/internal/server"
)

// The challenges of operations that take several schemes, in document order.
var (
	anyOfFour  = []string{basicChallenge, bearerChallenge, keyChallenge}
	anyInvalid = []string{basicChallenge, invalidTokenChallenge, keyChallenge}
	twoSchemes = []string{bearerChallenge, keyChallenge}
	twoInvalid = []string{invalidTokenChallenge, keyChallenge}
)

func (e expectation) with(fields ...string) expectation {
	e.fields = fields
	return e
}

// lacks is the answer to a good credential without the scope. Only a bearer token is told by a challenge (RFC 6750 §3.1).
func lacks(method, target, scope string, bearer bool, fields ...string) expectation {
	e := expectation{method: method, target: target, fields: fields, status: 403, holds: []string{"insufficient-scope", "this operation needs the scope " + scope}}
	if bearer {
		e.challenges = []string{`Bearer realm="gatehouse", error="insufficient_scope", scope="` + scope + `"`}
	}
	return e
}

func refuse(target, detail string, fields ...string) expectation {
	return expectation{target: target, fields: fields, status: 400, holds: []string{"bad-request", detail}}
}

// TestRequirements is the grammar of requirements over HTTP, for each scheme of the document: none, bad, good, no
// scope, half of an AND, second of an OR, optional with a bad credential.
func TestRequirements(t *testing.T) {
	s := start(t)
	poor := s.newPerson("poor") // no scope
	rich := s.newPerson("rich", "items:read", "items:write", "users:read")
	const (
		any, onlyBasic, onlyBearer, onlyKey = "/protected", "/protected/basic", "/protected/bearer", "/protected/api-key"
		both, optional, me                  = "/protected/bearer-and-api-key", "/protected/optional", "/users/me"
	)
	bearer := func(token string) []string { return []string{"Authorization", "Bearer " + token} }
	pair := func(p person) []string { return []string{"Authorization", basic(p.name, p.password)} }
	key := func(key string) []string { return []string{"X-API-Key", key} }
	and := func(all ...[]string) (fields []string) {
		for _, f := range all {
			fields = append(fields, f...)
		}
		return fields
	}
	mine, theirs := s.token(), s.token(jwt.MapClaims{"sub": rich.id})
	poorKey, readKey := s.newKey(s.userID), s.newKey(s.userID, "items:read", "items:write")
	wrongKey := "gth_dev_0123456789_0123456789abcdefghijklmnopqrstuv_000000"
	expired := s.token(jwt.MapClaims{"iat": s.clock.Now().Add(-time.Hour).Unix(), "exp": s.clock.Now().Add(-time.Minute).Unix()})
	scheme := func(e expectation, name string) expectation {
		e.holds = append(e.holds, `"schemes":["`+name+`"]`)
		return e
	}
	anonymous := expectation{target: optional, status: 200, holds: []string{`{"authenticated":false,"schemes":[],"scopes":[]}`}}
	twoSubjects := "the credentials name different subjects: send those of one"
	beside := func(fields ...string) expectation {
		return expectation{target: both, fields: fields, status: 401, challenges: twoSchemes, holds: []string{"this operation needs another credential beside the one that was sent"}}
	}

	for _, e := range []expectation{
		// HTTP Basic.
		none(onlyBasic, basicChallenge).named("basic: none"),
		bad(onlyBasic, []string{basicChallenge}, "Authorization", basic(rich.name, canary)).named("basic: bad"),
		good(onlyBasic, "basic", pair(rich)...).named("basic: good"),
		lacks("", me, "users:read", false, pair(poor)...).named("basic: no scope"),
		scheme(good(any, "basic", pair(rich)...), "basic").named("basic: first of an OR"),
		scheme(good(any, "apiKeyHeader", and([]string{"Authorization", basic(rich.name, canary)}, key(rich.apiKey))...), "apiKeyHeader").named("basic: bad, beside a good second of an OR"),
		bad(any, anyOfFour, and([]string{"Authorization", basic(rich.name, canary)}, key(wrongKey))...).named("basic: bad, beside a bad second of an OR"),
		bad(optional, twoSchemes, pair(rich)...).named("basic: good, where no alternative reads it, is not anonymous"),

		// Access tokens.
		none(onlyBearer, bearerChallenge).named("oauth2: none"),
		bad(onlyBearer, []string{invalidTokenChallenge}, bearer(canary)...).named("oauth2: bad"),
		bad(onlyBearer, []string{invalidTokenChallenge}, bearer(expired)...).named("oauth2: expired"),
		good(onlyBearer, "oauth2", bearer(mine)...).named("oauth2: good"),
		lacks("", "/items", "items:read", true, bearer(s.token(scope("items:write users:read admin")))...).named("oauth2: no scope"),
		lacks("DELETE", "/items/0193583e-6f5c-7a53-8a3c-0d1f2e3a4b5c", "items:write", true, bearer(s.token(scope("items:read")))...).named("oauth2: reading is not writing"),
		lacks("", "/items", "items:read", true, bearer(s.token(scope("items:reader ITEMS:READ items:rea")))...).named("oauth2: scopes are compared whole and with their case"),
		scheme(good(any, "oauth2", bearer(mine)...), "oauth2").named("oauth2: second of an OR"),
		scheme(good(any, "apiKeyHeader", and(bearer(canary), key(s.apiKey))...), "apiKeyHeader").named("oauth2: bad, beside a good third of an OR"),
		beside(bearer(mine)...).named("oauth2: half of an AND"),
		bad(both, twoInvalid, bearer(canary)...).named("oauth2: the bad half of an AND"),
		bad(both, twoInvalid, and(bearer(canary), key(s.apiKey))...).named("oauth2: bad, beside the good half of an AND"),
		lacks("", both, "items:read", true, and(bearer(s.token(scope("users:read"))), key(s.apiKey))...).named("oauth2: no scope, beside the good half of an AND"),
		bad(optional, twoInvalid, bearer(canary)...).named("oauth2: optional with a bad credential"),
		bad(optional, twoInvalid, bearer(expired)...).named("oauth2: optional with an expired credential"),
		good(optional, "oauth2", bearer(mine)...).named("oauth2: optional and good"),

		// API keys in the header.
		none(onlyKey, keyChallenge).named("apiKeyHeader: none"),
		bad(onlyKey, []string{keyChallenge}, key(wrongKey)...).named("apiKeyHeader: bad"),
		good(onlyKey, "apiKeyHeader", key(s.apiKey)...).named("apiKeyHeader: good"),
		lacks("", me, "users:read", false, key(readKey)...).named("apiKeyHeader: no scope"),
		lacks("", "/items", "items:read", false, key(poorKey)...).named("apiKeyHeader: no scope at all"),
		scheme(good(any, "apiKeyHeader", key(s.apiKey)...), "apiKeyHeader").named("apiKeyHeader: third of an OR"),
		beside(key(s.apiKey)...).named("apiKeyHeader: half of an AND"),
		bad(both, twoSchemes, and(bearer(mine), key(wrongKey))...).named("apiKeyHeader: bad, beside the good half of an AND"),
		lacks("", both, "items:read", true, and(bearer(mine), key(poorKey))...).named("apiKeyHeader: no scope, beside the good half of an AND"),
		bad(optional, twoSchemes, key(wrongKey)...).named("apiKeyHeader: optional with a bad credential"),
		bad(optional, twoSchemes, key("")...).named("apiKeyHeader: optional and empty"),
		good(optional, "apiKeyHeader", key(s.apiKey)...).named("apiKeyHeader: optional and good"),

		// API keys as bearer tokens.
		bad(any, anyInvalid, bearer(wrongKey)...).named("apiKeyBearer: bad"),
		scheme(good(any, "apiKeyBearer", bearer(s.apiKey)...), "apiKeyBearer").named("apiKeyBearer: fourth of an OR, reading what the second reads"),
		lacks("", me, "users:read", true, bearer(readKey)...).named("apiKeyBearer: no scope"),
		bad(onlyBearer, []string{invalidTokenChallenge}, bearer(s.apiKey)...).named("apiKeyBearer: good, where only tokens are taken"),
		bad(both, twoInvalid, and(bearer(s.apiKey), key(s.apiKey))...).named("apiKeyBearer: no half of an AND that wants a token"),

		// API keys in the query and in a cookie.
		bad(onlyKey+"?api_key="+wrongKey, []string{keyChallenge}).named("apiKeyQuery: bad"),
		good(onlyKey+"?api_key="+s.apiKey, "apiKeyQuery").named("apiKeyQuery: good, second of an OR"),
		none(any+"?api_key="+s.apiKey, anyOfFour...).named("apiKeyQuery: not taken where it is not declared"),
		bad(onlyKey, []string{keyChallenge}, "Cookie", "api_key="+wrongKey).named("apiKeyCookie: bad"),
		good(onlyKey, "apiKeyCookie", "Cookie", "api_key="+s.apiKey).named("apiKeyCookie: good, third of an OR"),
		none(any, anyOfFour...).with("Cookie", "api_key="+s.apiKey).named("apiKeyCookie: not taken where it is not declared"),
		bad(onlyKey, []string{keyChallenge}, "Cookie", `api_key="`+wrongKey).named("apiKeyCookie: a value that net/http would pass over is bad, not absent"),
		good(onlyKey+"?api_key="+wrongKey, "apiKeyHeader", key(s.apiKey)...).named("API keys: a good one beside a bad one at another place"),
		refuse(onlyKey+"?api_key="+s.apiKey, twoSubjects, key(rich.apiKey)...).named("API keys: two good ones of two subjects"),
		refuse(onlyKey+"?api_key="+s.apiKey+"&api_key="+s.apiKey, "send the query parameter api_key once").named("API keys: the query parameter twice"),
		refuse(onlyKey, "send the cookie parameter api_key once", "Cookie", "api_key="+s.apiKey+"; api_key="+wrongKey).named("API keys: the cookie twice"),
		refuse(onlyKey, "send the header parameter X-API-Key once", and(key(s.apiKey), key(wrongKey))...).named("API keys: the header twice"),

		// Several schemes.
		none(any, anyOfFour...).named("any of four: none"),
		none(both, twoSchemes...).named("an AND: none"),
		anonymous.named("optional: none"),
		anonymous.with("Cookie", "api_key="+wrongKey).named("optional: what the operation does not read is no credential"),
		expectation{target: both, status: 200, holds: []string{s.userID, `"schemes":["oauth2","apiKeyHeader"]`, `"scopes":["items:read","items:write"]`}}.
			with(and(bearer(mine), key(readKey))...).named("an AND: both good, and the scopes that both hold"),
		refuse(both, twoSubjects, and(bearer(theirs), key(s.apiKey))...).named("an AND: good ones of two subjects"),
		refuse(any, twoSubjects, and(pair(rich), key(s.apiKey))...).named("an OR: good ones of two subjects"),
		refuse(optional, twoSubjects, and(bearer(theirs), key(s.apiKey))...).named("optional: good ones of two subjects"),
		expectation{target: any, status: 400, challenges: []string{basicChallenge, `Bearer realm="gatehouse", error="invalid_request", error_description="send one token, in one place"`, keyChallenge}, holds: []string{"send one Authorization header"}}.
			with(and(bearer(mine), bearer(mine))...).named("two Authorization headers"),
	} {
		t.Run(e.name, func(t *testing.T) {
			s.clock.pass(time.Second / 2)
			e.run(t, s)
		})
	}
}

// TestRequirementsInAnOutage: an authenticator whose store is down could not tell. That is never a yes, a no, or nobody.
func TestRequirementsInAnOutage(t *testing.T) {
	s := start(t)
	warm := s.newKey(s.userID, "items:read")
	token := "Bearer " + s.token()
	good("/protected/api-key", "apiKeyHeader", "X-API-Key", warm).run(t, s)
	good("/protected/basic", "basic", "Authorization", basic(s.user, s.password)).run(t, s)
	if err := s.DB().Close(); err != nil {
		t.Fatal(err)
	}
	down := func(target string, fields ...string) expectation {
		return expectation{target: target, fields: fields, status: 503, holds: []string{"urn:gatehouse:problem:unavailable"}}
	}
	for _, e := range []expectation{
		down("/protected/basic", "Authorization", basic(s.user, canary)).named("basic: a bad password is not told to be one"),
		down("/protected/basic", "Authorization", basic("nobody", s.password)).named("basic: an unknown user"),
		good("/protected/basic", "basic", "Authorization", basic(s.user, s.password)).named("basic: a login of a moment ago is remembered"),
		down("/protected/api-key", "X-API-Key", s.apiKey).named("apiKeyHeader: good"),
		down("/protected/api-key?api_key=" + s.apiKey).named("apiKeyQuery: good"),
		down("/protected/api-key", "Cookie", "api_key="+s.apiKey).named("apiKeyCookie: good"),
		down("/protected", "Authorization", "Bearer "+s.apiKey).named("apiKeyBearer: good"),
		good("/protected/api-key", "apiKeyHeader", "X-API-Key", warm).named("apiKeyHeader: a key of a moment ago is remembered"),
		bad("/protected/api-key", []string{keyChallenge}, "X-API-Key", "junk-"+canary).named("apiKeyHeader: what is no key needs no store"),
		good("/protected/bearer", "oauth2", "Authorization", token).named("oauth2: needs no store"),
		bad("/protected/bearer", []string{invalidTokenChallenge}, "Authorization", "Bearer "+canary).named("oauth2: a bad token needs no store either"),
		good("/protected", "oauth2", "Authorization", token, "X-API-Key", s.apiKey).named("an OR passes by the scheme that can tell"),
		down("/protected/bearer-and-api-key", "Authorization", token, "X-API-Key", s.apiKey).named("an AND of good and could not tell"),
		bad("/protected/bearer-and-api-key", twoInvalid, "Authorization", "Bearer "+canary, "X-API-Key", s.apiKey).named("an AND of bad and could not tell is bad"),
		down("/protected/optional", "X-API-Key", s.apiKey).named("optional: could not tell is not anonymous"),
		{name: "optional: none", target: "/protected/optional", status: 200, holds: []string{`"authenticated":false`}},
		down("/items", "Authorization", token).named("a handler without its store"),
		down("/users/me", "Authorization", token).named("another handler without its store"),
		down("/readyz").named("readyz says no"),
		{name: "livez says yes", target: "/livez", status: 200, holds: []string{`{"status":"ok"}`}},
		{
			name: "the token endpoint never says invalid_grant", method: "POST", target: "/token", status: 503, holds: []string{`"error":"temporarily_unavailable"`},
			fields: []string{"Content-Type", "application/x-www-form-urlencoded"}, body: "grant_type=password&username=" + s.user + "&password=" + canary,
		},
	} {
		t.Run(e.name, func(t *testing.T) { e.run(t, s) })
	}
}

// TestPasswordsNeedTLS: outside of development a password is not taken over plain HTTP, whatever it is.
func TestPasswordsNeedTLS(t *testing.T) {
	s := start(t, func(c *server.Config) { c.Development, c.Issuer = false, "https://api.example" })
	p := s.newPerson("someone", "items:read")
	hashes := s.Users().Hashes()
	for _, e := range []expectation{
		{name: "a good password", target: "/protected/basic", fields: []string{"Authorization", basic(p.name, p.password)}},
		{name: "a bad password", target: "/protected/basic", fields: []string{"Authorization", basic(p.name, canary)}},
		{name: "a good password beside a good key", target: "/protected", fields: []string{"Authorization", basic(p.name, p.password), "X-API-Key", p.apiKey}},
	} {
		t.Run(e.name, func(t *testing.T) {
			e.status, e.holds = http.StatusForbidden, []string{"transport-insecure", "a password is taken over HTTPS only"}
			e.run(t, s)
		})
	}
	if n := s.Users().Hashes() - hashes; n != 0 {
		t.Errorf("%d hashes were computed", n)
	}
	good("/protected/api-key", "apiKeyHeader", "X-API-Key", p.apiKey).run(t, s)
}
