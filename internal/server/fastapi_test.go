package server_test

import (
	"context"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

// The rows of this file and of fastapi_second_test.go are those of the conformance list (FastAPI's own tests and the
// behaviour of its classes), by number, with what this service answers to the same request. Not here: 23, 49 and 50,
// which speak of what is not offered (digest, dependency caching, 403 without a credential), and 30 and 31, which wait for
// openIdConnect.

// expectation is a request and everything that is promised about its answer.
type expectation struct {
	name       string
	method     string // GET where empty
	target     string
	body       string
	fields     []string
	status     int
	challenges []string
	// holds are texts that the body has.
	holds []string
}

func (e expectation) run(t *testing.T, s *service) {
	t.Helper()
	method := e.method
	if method == "" {
		method = "GET"
	}
	got := s.send(t, method, e.target, e.body, e.fields...)
	if got.status != e.status {
		t.Errorf("status %d, want %d: %s", got.status, e.status, got.body)
	}
	if diff := cmp.Diff(e.challenges, []string(got.header.Values("WWW-Authenticate"))); diff != "" {
		t.Errorf("challenges:\n%s", diff)
	}
	for _, text := range e.holds {
		if !strings.Contains(string(got.body), text) {
			t.Errorf("the body lacks %s: %s", text, got.body)
		}
	}
}

// good, none and bad are the parts of a row that most rows share.
func good(target, scheme string, fields ...string) expectation {
	return expectation{target: target, fields: fields, status: 200, holds: []string{`"authenticated":true`, `"` + scheme + `"`}}
}

func none(target string, challenges ...string) expectation {
	return expectation{target: target, status: 401, challenges: challenges, holds: []string{noCredential}}
}

func bad(target string, challenges []string, fields ...string) expectation {
	return expectation{target: target, fields: fields, status: 401, challenges: challenges, holds: []string{badCredential}}
}

func (e expectation) named(name string) expectation {
	e.name = name
	return e
}

func TestFastAPIBasic(t *testing.T) {
	s := start(t)
	john := s.newPerson("john", "users:read")
	pair := john.name + ":" + john.password
	encoded := base64.StdEncoding.EncodeToString([]byte(pair))
	if !strings.HasSuffix(encoded, "=") {
		t.Fatal("the pair needs padding, or row 13 would show nothing")
	}
	const target = "/protected/basic"
	challenge := []string{basicChallenge}
	is := func(field string) expectation { return good(target, "basic", "Authorization", field) }
	not := func(field string) expectation { return bad(target, challenge, "Authorization", field) }
	latin1 := make([]byte, 0, len(pair))
	for _, r := range pair {
		latin1 = append(latin1, byte(r))
	}
	for _, e := range []expectation{
		is(basic(john.name, john.password)).named("1 a valid pair"),
		none(target, challenge...).named("2 no header"),
		not("Basic notabase64token").named("4 not base64"),
		not("Basic " + base64.StdEncoding.EncodeToString([]byte("johnsecret"))).named("5 no colon"),
		is("basic " + encoded).named("10 lower case, and a password with a colon"),
		is("bAsIc " + encoded).named("10 mixed case"),
		is("Basic " + encoded).named("11 a password in UTF-8"),
		not("Basic " + base64.StdEncoding.EncodeToString(latin1)).named("11 the same password in Latin-1"),
		not("Basic " + encoded[:8] + "!" + encoded[8:]).named("12 junk in base64"),
		not("Basic " + encoded + "=").named("12 too much padding"),
		not("Basic " + encoded + "Zm9v").named("12 text after the padding"),
		not("Basic " + encoded + " x").named("12 a second word"),
		not(basic(john.name, john.password+"\x00")).named("12 a control character at the end of the password"),
		not(basic("jo\x7fhn", john.password)).named("12 a control character in the name"),
		not(basic(john.name, "line\nbreak")).named("12 a line end"),
		not(basic("", john.password)).named("12 no name"),
		not(basic(john.name, "")).named("12 no password"),
		not("Basic " + strings.TrimRight(encoded, "=")).named("13 unpadded base64"),
		not("Basic").named("13 the scheme alone"),
		not("Basic\t" + encoded).named("13 a tab as separator"),
		not("Basic, " + encoded).named("13 a comma as separator"),
		not("Bearer " + encoded).named("13 the pair under another scheme"),
	} {
		t.Run(e.name, func(t *testing.T) {
			s.clock.pass(time.Minute)
			e.run(t, s)
		})
	}

	t.Run("6 and 7 a wrong name and a wrong password are told alike, for the same work", func(t *testing.T) {
		s.clock.pass(time.Minute)
		var answers []answer
		for _, field := range []string{basic("nobody-here", john.password), basic(john.name, "wrong password")} {
			hashes := s.Users().Hashes()
			answers = append(answers, s.send(t, "GET", target, "", "Authorization", field))
			if n := s.Users().Hashes() - hashes; n != 1 {
				t.Errorf("%d hashes, want 1", n)
			}
		}
		for i := range answers {
			not("").run(t, s) // a bad credential has the answer of row 4
			if answers[i].status != 401 {
				t.Errorf("status %d, want 401", answers[i].status)
			}
			id := answers[i].header.Get("X-Request-Id")
			answers[i].body = []byte(strings.ReplaceAll(string(answers[i].body), id, ""))
			answers[i].header.Del("X-Request-Id")
			answers[i].header.Del("Date")
		}
		if diff := cmp.Diff(answers[0], answers[1], cmp.AllowUnexported(answer{})); diff != "" {
			t.Error(diff)
		}
	})
}

func TestFastAPIBearer(t *testing.T) {
	s := start(t)
	const target, optional = "/protected/bearer", "/protected/optional"
	challenges := []string{bearerChallenge}
	invalid := []string{invalidTokenChallenge}
	either := []string{bearerChallenge, keyChallenge}
	token := s.token(scope("users:read"))
	anonymous := expectation{target: optional, status: 200, holds: []string{`"authenticated":false`}}
	for _, e := range []expectation{
		good(target, "oauth2", "Authorization", "Bearer "+token).named("16 a token that was verified"),
		bad(target, invalid, "Authorization", "Bearer foobar").named("16 a token that is none"),
		none(target, challenges...).named("17 no header"),
		bad(target, challenges, "Authorization", "Basic notreally").named("18 another scheme"),
		anonymous.named("19 optional, no header"),
		bad(optional, either, "Authorization", "Basic notreally").named("19 optional, another scheme is a bad credential"),
		bad(target, invalid, "Authorization", "Bearer").named("20 the scheme alone"),
		bad(target, invalid, "Authorization", "Bearer   ").named("20 the scheme and spaces"),
		bad(target, invalid, "Authorization", "Bearer "+token+" b").named("21 two words"),
		anonymous.named("24 optional, no header"),
		bad(optional, either, "Authorization", "Notexistent "+token).named("24 optional, an unknown scheme is a bad credential"),
		good(optional, "oauth2", "Authorization", "Bearer "+token).named("24 optional, a good token"),
		bad(optional, []string{invalidTokenChallenge, keyChallenge}, "Authorization", "Bearer testtoken").named("24 optional, a bad token is never anonymous"),
		bad(target, invalid, "Authorization", "Bearer").named("25 the scheme alone is no empty token"),
		bad(target, invalid, "Authorization", "Bearer ").named("25 the scheme and one space"),
		bad(target, challenges, "Authorization", "Notexistent "+token).named("46 an unknown scheme with a good token"),
		good(target, "oauth2", "Authorization", "Bearer "+s.token(scope("users:read"), jwt.MapClaims{"scope": nil})).named("47 a token without scopes on a route that needs none"),
	} {
		t.Run(e.name, func(t *testing.T) { e.run(t, s) })
	}
}

// TestFastAPITokens runs on /users/me, which needs a scope as the route of FastAPI's tutorial does.
func TestFastAPITokens(t *testing.T) {
	s := start(t)
	gone := s.newPerson("gone", "users:read")
	disabled := s.newPerson("disabled", "users:read")
	if err := s.Users().Delete(context.Background(), gone.id); err != nil {
		t.Fatal(err)
	}
	disabledToken := s.token(jwt.MapClaims{"sub": disabled.id})
	const target = "/users/me"
	// The answer to a bad token is one, whatever is wrong with it.
	invalid := func(token string) expectation {
		return bad(target, []string{basicChallenge, invalidTokenChallenge, keyChallenge}, "Authorization", "Bearer "+token)
	}
	enough := expectation{target: target, status: 200, holds: []string{s.userID}}
	for _, e := range []expectation{
		invalid("garbage").named("42 a garbage token"),
		invalid("e30.e30.c2ln").named("42 a token of empty objects"),
		invalid(s.token(jwt.MapClaims{"sub": nil})).named("43 no sub"),
		invalid(s.token(jwt.MapClaims{"sub": ""})).named("43 an empty sub"),
		invalid(s.token(jwt.MapClaims{"sub": 7})).named("43 a sub that is no text"),
		invalid(s.token(jwt.MapClaims{"sub": gone.id})).named("43 the sub of a deleted user"),
		{
			name: "43 the sub of a user that never was", target: target, status: 401,
			fields:     []string{"Authorization", "Bearer " + s.token(jwt.MapClaims{"sub": "0193583e-6f5c-7a53-8a3c-0d1f2e3a4b5c"})},
			challenges: []string{basicChallenge, invalidTokenChallenge, keyChallenge},
		},
		{
			name: "44 a scope is missing", target: target, status: 403, fields: []string{"Authorization", "Bearer " + s.token(scope("items:read"))},
			challenges: []string{`Bearer realm="gatehouse", error="insufficient_scope", scope="users:read"`}, holds: []string{"insufficient-scope", "this operation needs the scope users:read"},
		},
		{
			name: "44 no scope at all", target: target, status: 403, fields: []string{"Authorization", "Bearer " + s.token(jwt.MapClaims{"scope": nil})},
			challenges: []string{`Bearer realm="gatehouse", error="insufficient_scope", scope="users:read"`}, holds: []string{"insufficient-scope"},
		},
		bad(target, []string{basicChallenge, bearerChallenge, keyChallenge}, "Authorization", "Notexistent "+s.token()).named("46 an unknown scheme"),
		func() expectation {
			e := enough
			e.fields = []string{"Authorization", "Bearer " + s.token(scope("users:read"))}
			return e.named("47 the scope alone is enough")
		}(),
	} {
		t.Run(e.name, func(t *testing.T) { e.run(t, s) })
	}
	t.Run("45 a disabled user, whose token was good a moment ago", func(t *testing.T) {
		e := expectation{target: target, fields: []string{"Authorization", "Bearer " + disabledToken}, status: 200, holds: []string{disabled.id}}
		e.run(t, s)
		if err := s.Users().SetDisabled(context.Background(), disabled.id, true); err != nil {
			t.Fatal(err)
		}
		invalid(disabledToken).run(t, s)
		key := bad(target, []string{basicChallenge, bearerChallenge, keyChallenge}, "X-API-Key", disabled.apiKey)
		key.run(t, s)
		password := bad(target, key.challenges, "Authorization", basic(disabled.name, disabled.password))
		password.run(t, s)
	})
}

func TestFastAPIKeys(t *testing.T) {
	s := start(t)
	places := []struct {
		name, target string
		with         func(key string) (query string, fields []string)
	}{
		{"header", "/protected/api-key", func(key string) (string, []string) { return "", []string{"X-API-Key", key} }},
		{"query", "/protected/api-key", func(key string) (string, []string) { return "?api_key=" + url.QueryEscape(key), nil }},
		{"cookie", "/protected/api-key", func(key string) (string, []string) { return "", []string{"Cookie", "a=b; api_key=" + key} }},
	}
	schemes := map[string]string{"header": "apiKeyHeader", "query": "apiKeyQuery", "cookie": "apiKeyCookie"}
	challenge := []string{keyChallenge}
	for _, place := range places {
		request := func(e expectation, key string) expectation {
			query, fields := place.with(key)
			e.target, e.fields = place.target+query, fields
			return e
		}
		refused := bad(place.target, challenge)
		last := s.apiKey[len(s.apiKey)-7:]
		wrong := map[bool]string{true: "y", false: "x"}[s.apiKey[len(s.apiKey)-8] == 'x']
		other := s.apiKey[:len(s.apiKey)-8] + wrong + last // the checksum no longer fits
		for _, e := range []expectation{
			request(good(place.target, schemes[place.name]), s.apiKey).named("32 " + place.name + ": a good key"),
			request(refused, other).named("32 " + place.name + ": a wrong key"),
			request(refused, "secret").named("32 " + place.name + ": no key of ours"),
			request(refused, s.apiKey[:len(s.apiKey)-1]).named("32 " + place.name + ": a key cut short"),
			none(place.target, challenge...).named("33 " + place.name + ": absent"),
			request(refused, "").named("35 " + place.name + ": empty"),
			request(refused, " ").named("36 " + place.name + ": one space"),
		} {
			t.Run(e.name, func(t *testing.T) { e.run(t, s) })
		}
	}
}

func TestFastAPITokenForm(t *testing.T) {
	s := start(t)
	form := func(pairs ...string) string {
		values := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			values.Add(pairs[i], pairs[i+1])
		}
		return values.Encode()
	}
	ask := func(status int, text, body string) expectation {
		return expectation{
			method: "POST", target: "/token", body: body, status: status, holds: []string{text},
			fields: []string{"Content-Type", "application/x-www-form-urlencoded"},
		}
	}
	pair := []string{"username", s.user, "password", s.password}
	with := func(grant string) string { return form(append(pair, "grant_type", grant)...) }
	for _, e := range []expectation{
		ask(400, `"error":"invalid_request"`, "").named("37 no body"),
		ask(400, `"error":"invalid_request"`, form(pair...)).named("38 no grant_type"),
		ask(400, `"error":"invalid_request"`, with("")).named("38 an empty grant_type counts as none (RFC 6749 section 3.2)"),
		ask(400, `"error":"unsupported_grant_type"`, with("incorrect")).named("39 grant_type incorrect"),
		ask(400, `"error":"unsupported_grant_type"`, with("passwordblah")).named("39 grant_type passwordblah"),
		ask(400, `"error":"unsupported_grant_type"`, with("blahpassword")).named("39 grant_type blahpassword"),
		ask(400, `"error":"unsupported_grant_type"`, with("PASSWORD")).named("39 grant_type in capitals"),
		ask(200, `"token_type":"Bearer"`, with("password")).named("40 correct"),
		ask(400, `{"error":"invalid_grant","error_description":"the username or the password is wrong"}`, form("grant_type", "password", "username", s.user, "password", "wrong password")).named("41 a wrong password"),
		ask(400, `{"error":"invalid_grant","error_description":"the username or the password is wrong"}`, form("grant_type", "password", "username", "nobody-here", "password", s.password)).named("41 an unknown user"),
	} {
		t.Run(e.name, func(t *testing.T) {
			s.clock.pass(time.Minute)
			e.run(t, s)
		})
	}
}

func TestFastAPIBodies(t *testing.T) {
	s := start(t)
	token := "Bearer " + s.token()
	for _, e := range []expectation{
		{
			name: "51 a JSON body without Content-Type", method: "POST", target: "/items", body: `{"name":"x","price":1}`, status: 415,
			fields: []string{"Authorization", token}, holds: []string{"this operation takes application/json"},
		},
		{
			name: "52 bad JSON without a credential is unauthenticated first", method: "POST", target: "/items", body: `{"name":`, status: 401,
			fields: []string{"Content-Type", "application/json"}, challenges: []string{bearerChallenge, keyChallenge}, holds: []string{noCredential},
		},
		{
			name: "52 bad JSON with a bad credential is unauthenticated first", method: "POST", target: "/items", body: `{"name":`, status: 401,
			fields: []string{"Content-Type", "application/json", "Authorization", "Bearer foobar"}, challenges: []string{invalidTokenChallenge, keyChallenge}, holds: []string{badCredential},
		},
		{
			name: "52 bad JSON of a caller who is known", method: "POST", target: "/items", body: `{"name":`, status: 400,
			fields: []string{"Content-Type", "application/json", "Authorization", token}, holds: []string{"the body ends before the JSON value does"},
		},
	} {
		t.Run(e.name, func(t *testing.T) { e.run(t, s) })
	}
}
