package guard_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"example.com/gatehouse/internal/guard"
	"github.com/google/go-cmp/cmp"
)

const (
	basicChallenge  = `Basic realm="gatehouse", charset="UTF-8"`
	bearerChallenge = `Bearer realm="gatehouse"`
	invalidToken    = `Bearer realm="gatehouse", error="invalid_token", error_description="the token is not valid"`
	apiKeyChallenge = `APIKey realm="gatehouse"`

	certificateChallenge = `ClientCertificate realm="gatehouse"`
	needsCredential      = "this operation needs a credential"
	credentialNoGood     = "the credential is not valid"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// TestCredentialsAreReadStrictly has the rows of fastapi-cases.md 1c that concern credentials, by their numbers, and more.
func TestCredentialsAreReadStrictly(t *testing.T) {
	longToken := "Bearer oauth2-alice-" + strings.Repeat("a", 9<<10)
	for _, tt := range []struct {
		name       string
		security   []guard.Alternative
		target     string
		header     http.Header
		status     int
		body       string // of a 200
		challenges []string
		detail     string
	}{
		{"1 Basic: the right pair is let in", a(needs(basic)), "", header("Authorization", basicAuth("john", "secret")), 200, "john by basic with read", nil, ""},
		{"2 Basic: no header is challenged with realm and charset", a(needs(basic)), "", nil, 401, "", []string{basicChallenge}, needsCredential},
		{"4 Basic: what is not base64 is bad", a(needs(basic)), "", header("Authorization", "Basic notabase64token"), 401, "", []string{basicChallenge}, credentialNoGood},
		{"5 Basic: a pair without a colon is bad", a(needs(basic)), "", header("Authorization", "Basic "+b64("john")), 401, "", []string{basicChallenge}, credentialNoGood},
		{"6 Basic: a wrong user is bad", a(needs(basic)), "", header("Authorization", basicAuth("alice", "secret")), 401, "", []string{basicChallenge}, credentialNoGood},
		{"7 Basic: a wrong password is answered like a wrong user", a(needs(basic)), "", header("Authorization", basicAuth("john", "wrong")), 401, "", []string{basicChallenge}, credentialNoGood},
		{"8 Basic optional: no header is anonymous", a(nil, needs(basic)), "", nil, 200, "anonymous", nil, ""},
		{"9 Basic optional: bad base64 is not anonymous", a(nil, needs(basic)), "", header("Authorization", "Basic !"), 401, "", []string{basicChallenge}, credentialNoGood},
		{"9 Basic optional: no colon is not anonymous", a(nil, needs(basic)), "", header("Authorization", "Basic "+b64("johnsecret")), 401, "", []string{basicChallenge}, credentialNoGood},
		{"10 Basic: the scheme has no case", a(needs(basic)), "", header("Authorization", "bAsIc "+b64("john:secret")), 200, "john by basic with read", nil, ""},
		{"10 Basic: the first colon splits", a(needs(basic)), "", header("Authorization", basicAuth("john", "sec:ret")), 200, "john by basic with read", nil, ""},
		{"11 Basic: a password is UTF-8", a(needs(basic)), "", header("Authorization", basicAuth("john", "pässwörd")), 200, "john by basic with read", nil, ""},
		{"11 Basic: a password of emoji works", a(needs(basic)), "", header("Authorization", basicAuth("john", "🔑🔑🔑🔑")), 200, "john by basic with read", nil, ""},
		{"11 Basic: Latin-1 is bad", a(needs(basic)), "", header("Authorization", "Basic "+b64("john:p\xe4ssw\xf6rd")), 401, "", []string{basicChallenge}, credentialNoGood},
		{"12 Basic: junk inside base64 is bad", a(needs(basic)), "", header("Authorization", "Basic am9o!bjpzZWNyZXQ="), 401, "", []string{basicChallenge}, credentialNoGood},
		{"12 Basic: text after base64 is bad", a(needs(basic)), "", header("Authorization", "Basic "+b64("john:secret")+" x"), 401, "", []string{basicChallenge}, credentialNoGood},
		{"12 Basic: a control character is bad", a(needs(basic)), "", header("Authorization", basicAuth("john", "secret\x00")), 401, "", []string{basicChallenge}, credentialNoGood},
		{"12 Basic: a C1 control character is bad", a(needs(basic)), "", header("Authorization", basicAuth("john", "secret\u0085")), 401, "", []string{basicChallenge}, credentialNoGood},
		{"12 Basic: an empty user is bad", a(needs(basic)), "", header("Authorization", basicAuth("", "basic-alice-read")), 401, "", []string{basicChallenge}, credentialNoGood},
		{"12 Basic: an empty password is bad", a(needs(basic)), "", header("Authorization", basicAuth("john", "")), 401, "", []string{basicChallenge}, credentialNoGood},
		{"13 Basic: base64 without its padding is bad", a(needs(basic)), "", header("Authorization", "Basic "+strings.TrimRight(b64("john:secret"), "=")), 401, "", []string{basicChallenge}, credentialNoGood},
		{"13 Basic: padding bits that are set are bad", a(needs(basic)), "", header("Authorization", "Basic am9objpzZWNyZXR="), 401, "", []string{basicChallenge}, credentialNoGood},
		{"13 Basic: the alphabet of URLs is bad", a(needs(basic)), "", header("Authorization", "Basic "+strings.NewReplacer("+", "-", "/", "_").Replace(b64("john:?>?>secret~~~"))), 401, "", []string{basicChallenge}, credentialNoGood},
		{"13 Basic: the scheme alone is bad", a(needs(basic)), "", header("Authorization", "Basic"), 401, "", []string{basicChallenge}, credentialNoGood},
		{"13 Basic: a tab is no separator", a(needs(basic)), "", header("Authorization", "Basic\t"+b64("john:secret")), 401, "", []string{basicChallenge}, credentialNoGood},
		{"Basic: an empty field was presented, and is bad", a(nil, needs(basic)), "", header("Authorization", ""), 401, "", []string{basicChallenge}, credentialNoGood},
		{"Basic: nine KiB are bad", a(needs(basic)), "", header("Authorization", basicAuth("john", "secret"+strings.Repeat("x", 9<<10))), 401, "", []string{basicChallenge}, credentialNoGood},
		{"Basic: two fields are refused, even equal ones", a(needs(basic)), "", header("Authorization", basicAuth("john", "secret"), "Authorization", basicAuth("john", "secret")), 400, "", nil, "send one Authorization header"},

		{"16 Bearer: a good token is let in", a(needs(bearer)), "", header("Authorization", "Bearer oauth2-alice-read"), 200, "alice by oauth2 with read", nil, ""},
		{"16 Bearer: the scheme has no case", a(needs(bearer)), "", header("Authorization", "BEARER oauth2-alice-read"), 200, "alice by oauth2 with read", nil, ""},
		{"17 Bearer: no header is challenged without an error", a(needs(bearer)), "", nil, 401, "", []string{bearerChallenge}, needsCredential},
		{"18 Bearer: Basic is no bearer token", a(needs(bearer)), "", header("Authorization", "Basic notreally"), 401, "", []string{bearerChallenge}, credentialNoGood},
		{"19 Bearer optional: no header is anonymous", a(nil, needs(bearer)), "", nil, 200, "anonymous", nil, ""},
		{"19 Bearer optional: Basic is not anonymous", a(nil, needs(bearer)), "", header("Authorization", "Basic notreally"), 401, "", []string{bearerChallenge}, credentialNoGood},
		{"20 Bearer: the scheme alone is bad", a(needs(bearer)), "", header("Authorization", "Bearer"), 401, "", []string{invalidToken}, credentialNoGood},
		{"20 Bearer: spaces are no token", a(needs(bearer)), "", header("Authorization", "Bearer   "), 401, "", []string{invalidToken}, credentialNoGood},
		{"21 Bearer: two words are no token", a(needs(bearer)), "", header("Authorization", "Bearer oauth2-alice-a b"), 401, "", []string{invalidToken}, credentialNoGood},
		{"24 Bearer optional: an unknown scheme is not anonymous", a(nil, needs(bearer)), "", header("Authorization", "Notexistent t"), 401, "", []string{bearerChallenge}, credentialNoGood},
		{"26 Bearer: an unknown scheme is bad", a(needs(bearer)), "", header("Authorization", "Non-existent oauth2-alice-read"), 401, "", []string{bearerChallenge}, credentialNoGood},
		{"27 Bearer: spaces around the token are taken away", a(needs(bearer)), "", header("Authorization", "Bearer  oauth2-alice-read "), 200, "alice by oauth2 with read", nil, ""},
		{"42 Bearer: garbage is an invalid token", a(needs(bearer)), "", header("Authorization", "Bearer garbage"), 401, "", []string{invalidToken}, credentialNoGood},
		{"Bearer: a comma is no part of a token", a(needs(bearer)), "", header("Authorization", "Bearer oauth2-alice-read,x"), 401, "", []string{invalidToken}, credentialNoGood},
		{"Bearer: a quoted token is bad", a(needs(bearer)), "", header("Authorization", `Bearer oauth2-alice-"read"`), 401, "", []string{invalidToken}, credentialNoGood},
		{"Bearer: padding alone is no token", a(needs(bearer)), "", header("Authorization", "Bearer =="), 401, "", []string{invalidToken}, credentialNoGood},
		{"Bearer: padding in the middle is bad", a(needs(bearer)), "", header("Authorization", "Bearer oauth2-al=ice-read"), 401, "", []string{invalidToken}, credentialNoGood},
		{"Bearer: nine KiB are bad", a(needs(bearer)), "", header("Authorization", longToken), 401, "", []string{invalidToken}, credentialNoGood},
		{"Bearer: two fields are an invalid request", a(needs(bearer)), "", header("Authorization", "Bearer oauth2-alice-read", "Authorization", "Bearer x"), 400, "",
			[]string{`Bearer realm="gatehouse", error="invalid_request", error_description="send one token, in one place"`}, "send one Authorization header"},
		{"Bearer: a token in the query is not looked at", a(needs(bearer)), "?access_token=oauth2-alice-read", nil, 401, "", []string{bearerChallenge}, needsCredential},

		{"32 key in the header is let in", a(needs(keyHeader)), "", header("X-Api-Key", "keyHeader-alice-read"), 200, "alice by keyHeader with read", nil, ""},
		{"32 key in the query is let in", a(needs(keyQuery)), "?api_key=keyQuery-alice-read", nil, 200, "alice by keyQuery with read", nil, ""},
		{"32 key in a cookie is let in", a(needs(keyCookie)), "", header("Cookie", "a=b; api_key=keyCookie-alice-read"), 200, "alice by keyCookie with read", nil, ""},
		{"33 key in the header: absent", a(needs(keyHeader)), "", nil, 401, "", []string{apiKeyChallenge}, needsCredential},
		{"33 key in the query: absent", a(needs(keyQuery)), "", nil, 401, "", []string{apiKeyChallenge}, needsCredential},
		{"33 key in a cookie: absent", a(needs(keyCookie)), "", header("Cookie", "other=1"), 401, "", []string{apiKeyChallenge}, needsCredential},
		{"34 key in the header optional: absent is anonymous", a(nil, needs(keyHeader)), "", nil, 200, "anonymous", nil, ""},
		{"34 key in the query optional: absent is anonymous", a(nil, needs(keyQuery)), "", nil, 200, "anonymous", nil, ""},
		{"34 key in a cookie optional: absent is anonymous", a(nil, needs(keyCookie)), "", header("Cookie", "xapi_key=1"), 200, "anonymous", nil, ""},
		{"35 key in the header: empty is not anonymous", a(nil, needs(keyHeader)), "", header("X-Api-Key", ""), 401, "", []string{apiKeyChallenge}, credentialNoGood},
		{"35 key in the query: empty is not anonymous", a(nil, needs(keyQuery)), "?api_key=", nil, 401, "", []string{apiKeyChallenge}, credentialNoGood},
		{"35 key in the query: a name without a value is not anonymous", a(nil, needs(keyQuery)), "?api_key", nil, 401, "", []string{apiKeyChallenge}, credentialNoGood},
		{"35 key in a cookie: empty is not anonymous", a(nil, needs(keyCookie)), "", header("Cookie", "api_key="), 401, "", []string{apiKeyChallenge}, credentialNoGood},
		{"35 key in a cookie: a name without a value is not anonymous", a(nil, needs(keyCookie)), "", header("Cookie", "api_key"), 401, "", []string{apiKeyChallenge}, credentialNoGood},
		{"35 key in a cookie: a value that net/http drops is not anonymous", a(nil, needs(keyCookie)), "", header("Cookie", `api_key=a\b"c`), 401, "", []string{apiKeyChallenge}, credentialNoGood},
		{"36 key in the header: a space is bad", a(nil, needs(keyHeader)), "", header("X-Api-Key", " "), 401, "", []string{apiKeyChallenge}, credentialNoGood},
		{"36 key in the query: a space is bad", a(nil, needs(keyQuery)), "?api_key=%20", nil, 401, "", []string{apiKeyChallenge}, credentialNoGood},
		{"36 key in a cookie: a space is bad", a(nil, needs(keyCookie)), "", header("Cookie", "api_key= "), 401, "", []string{apiKeyChallenge}, credentialNoGood},
		{"key in the query: a percent-encoded name is the same name", a(needs(keyQuery)), "?%61pi_key=keyQuery-alice-read", nil, 200, "alice by keyQuery with read", nil, ""},
		{"key in the query: another case is another name", a(needs(keyQuery)), "?API_KEY=keyQuery-alice-read", nil, 401, "", []string{apiKeyChallenge}, needsCredential},
		{"key in the query: a control character is bad", a(needs(keyQuery)), "?api_key=keyQuery-alice-read%00", nil, 401, "", []string{apiKeyChallenge}, credentialNoGood},
		{"key in the query: bytes that are not UTF-8 are bad", a(needs(keyQuery)), "?api_key=keyQuery-alice-%ff", nil, 401, "", []string{apiKeyChallenge}, credentialNoGood},
		{"key in the query is no key of the header", a(needs(keyHeader)), "?api_key=keyHeader-alice-read", nil, 401, "", []string{apiKeyChallenge}, needsCredential},
		{"key in the header: nine KiB are bad", a(needs(keyHeader)), "", header("X-Api-Key", "keyHeader-alice-"+strings.Repeat("k", 9<<10)), 401, "", []string{apiKeyChallenge}, credentialNoGood},
		{"key in the header: twice is refused", a(needs(keyHeader)), "", header("X-Api-Key", "keyHeader-alice-read", "X-Api-Key", "x"), 400, "", nil, "send the header parameter X-API-Key once"},
		{"key in the query: twice is refused, even equal", a(needs(keyQuery)), "?api_key=keyQuery-alice-read&api_key=keyQuery-alice-read", nil, 400, "", nil, "send the query parameter api_key once"},
		{"key in the query: a second, encoded name is refused", a(needs(keyQuery)), "?api_key=keyQuery-alice-read&api%5Fkey=x", nil, 400, "", nil, "send the query parameter api_key once"},
		{"key in a cookie: twice is refused", a(needs(keyCookie)), "", header("Cookie", "api_key=keyCookie-alice-read; api_key=x"), 400, "", nil, "send the cookie parameter api_key once"},
		{"key in a cookie: twice in two fields is refused", a(needs(keyCookie)), "", header("Cookie", "api_key=x", "Cookie", "api_key=keyCookie-alice-read"), 400, "", nil, "send the cookie parameter api_key once"},
		{"Authorization is nothing to an operation of keys", a(nil, needs(keyHeader)), "", header("Authorization", "Bearer x"), 200, "anonymous", nil, ""},
		{"a header that nobody declares is no credential", a(needs(bearer), needs(keyHeader)), "", header("Api-Key", "keyHeader-alice-read"), 401, "", []string{bearerChallenge, apiKeyChallenge}, needsCredential},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, settings{}, get(tt.security...))
			got := s.send(t, "GET", "/x"+tt.target, "", tt.header)
			expect(t, got, tt.status, tt.challenges)
			if tt.status == 200 {
				if got.body != tt.body {
					t.Errorf("body %q, want %q", got.body, tt.body)
				}
				return
			}
			if got.handled {
				t.Error("the handler was reached")
			}
			if got.problem["detail"] != tt.detail {
				t.Errorf("detail %q, want %q", got.problem["detail"], tt.detail)
			}
			for _, secret := range []string{"alice", "john", "secret", "xxxx", "kkkk"} {
				if strings.Contains(got.body, secret) || strings.Contains(strings.Join(got.header["Www-Authenticate"], ""), secret) {
					t.Errorf("the answer holds %q of what was sent: %s", secret, got.body)
				}
			}
		})
	}
}

// a is the alternatives of an operation; nil is the empty one.
func a(alternatives ...guard.Alternative) []guard.Alternative {
	for i := range alternatives {
		if alternatives[i] == nil {
			alternatives[i] = guard.Alternative{}
		}
	}
	return alternatives
}

func expect(t *testing.T, got answer, status int, challenges []string) {
	t.Helper()
	if got.status != status {
		t.Errorf("status %d, want %d: %s", got.status, status, got.body)
	}
	if diff := cmp.Diff(challenges, got.header["Www-Authenticate"]); diff != "" {
		t.Errorf("challenges (-want +got):\n%s", diff)
	}
	if status >= 400 && got.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("content type %q", got.header.Get("Content-Type"))
	}
}

func TestBasicOverPlainHTTP(t *testing.T) {
	alternatives := a(needs(basic), needs(bearer))
	for _, tt := range []struct {
		name   string
		set    settings
		header http.Header
		status int
	}{
		{"a password over plain HTTP is refused, good or bad", settings{refuseBasic: true}, header("Authorization", basicAuth("john", "secret")), 403},
		{"a malformed pair over plain HTTP is refused alike", settings{refuseBasic: true}, header("Authorization", "Basic x"), 403},
		{"a token over plain HTTP is not concerned", settings{refuseBasic: true}, header("Authorization", "Bearer oauth2-alice-read"), 200},
		{"a password over TLS is taken", settings{refuseBasic: true, tls: true}, header("Authorization", basicAuth("john", "secret")), 200},
		{"a password over plain HTTP is taken where the operator says so", settings{}, header("Authorization", basicAuth("john", "secret")), 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, tt.set, get(alternatives...))
			got := s.send(t, "GET", "/x", "", tt.header)
			expect(t, got, tt.status, nil)
			if got.handled != (tt.status == 200) {
				t.Errorf("handled: %v", got.handled)
			}
			if tt.status == 403 && got.problem["type"] != "urn:gatehouse:problem:transport-insecure" {
				t.Errorf("problem %v", got.problem)
			}
		})
	}
}
