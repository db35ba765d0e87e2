package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

// keySetOf writes the public halves as a key set.
func keySetOf(t *testing.T, keys ...*key) PublicKeys {
	t.Helper()
	var set api.JsonWebKeySet
	for _, k := range keys {
		jwk, err := webKey(k.id, k.public)
		if err != nil {
			t.Fatal(err)
		}
		set.Keys = append(set.Keys, jwk)
	}
	text, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	keySet, err := ReadPublicKeys(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return keySet
}

// signingClient makes a client that proves itself with the keys.
func signingClient(t *testing.T, h *Handlers, keys ...*key) Client {
	t.Helper()
	c, secret, err := h.Clients.Create(t.Context(), NewClient{
		Name: "reports", Method: MethodPrivateKeyJWT, PublicKeys: keySetOf(t, keys...),
		GrantTypes: []string{GrantClientCredentials, GrantRefreshToken}, Scopes: auth.NewScopes("items:read"),
	})
	if err != nil || secret != "" {
		t.Fatalf("%v, or a secret for a client that has keys", err)
	}
	return c
}

// newAssertion returns a good assertion. The claim note is for forgeries that change any claim after signing.
func newAssertion(k *key, clientID string) *draft {
	d := newDraftBy(k)
	d.header = `{"alg":"` + k.algorithm + `","kid":"` + k.id + `","typ":"JWT"}`
	d.claims = `{"iss":"` + clientID + `","sub":"` + clientID + `","aud":"https://gatehouse.test","iat":1795478400,"exp":1795478700,` +
		`"jti":"AAECAwQFBgcICQoLDA0ODw","note":"user-1  "}`
	// A signature of ECDSA is another one each time: the forged and the good one have the same, unless the row changes it.
	signature, sign := map[string][]byte{}, d.sign
	d.sign = func(input string) []byte {
		if signature[input] == nil {
			signature[input] = sign(input)
		}
		return slices.Clone(signature[input])
	}
	return d
}

func withAssertion(token string) func(*api.TokenRequest) {
	return func(r *api.TokenRequest) {
		kind := api.ClientAssertionTypeUrnIetfParamsOauthClientAssertionTypeJwtBearer
		r.GrantType, r.Username, r.Password = api.TokenRequestGrantTypeClientCredentials, nil, nil
		r.ClientAssertionType, r.ClientAssertion = &kind, &token
	}
}

// refusedAssertion fails the test unless the token endpoint refuses the assertion, in the words that it has for all of them, for the reason.
func refusedAssertion(t *testing.T, h *Handlers, reason string, request api.CreateTokenRequestObject) {
	t.Helper()
	answer, p := ask(t, h, request)
	if p == nil {
		t.Fatalf("accepted: %+v", answer)
	}
	if p.Kind != InvalidClient || p.Detail != "the assertion is not good: sign another one" {
		t.Errorf("%s %q", p.Kind.OAuthError, p.Detail)
	}
	if want := "invalid credential: " + reason; p.Cause == nil || p.Cause.Error() != want || !errors.Is(p.Cause, auth.ErrInvalidCredential) {
		t.Errorf("the cause is %v, want %s", p.Cause, want)
	}
}

func assertionHeaderForgeries() []forgery {
	const unknown = "kid names no key of the client"
	return []forgery{
		{"alg twice", addHeader(`"alg":"EdDSA"`), badJSON},
		{"ALG beside alg", addHeader(`"ALG":"none"`), headerCase},
		{"typ of an access token", inHeader(`"JWT"`, `"at+jwt"`), "typ is not that of an assertion"},
		{"typ of an access token as a media type", inHeader(`"JWT"`, `"application/at+jwt"`), "typ is not that of an assertion"},
		{"typ of a logout token", inHeader(`"JWT"`, `"logout+jwt"`), "typ is not that of an assertion"},
		{"typ of a DPoP proof", inHeader(`"JWT"`, `"dpop+jwt"`), "typ is not that of an assertion"},
		{"typ a number", inHeader(`"JWT"`, `1`), notString},
		{"crit with a name that nobody knows", addHeader(`"crit":["x"],"x":1`), extension},
		{"crit empty", addHeader(`"crit":[]`), extension},
		{"b64 false", addHeader(`"b64":false`), extension},
		{"zip DEF", addHeader(`"zip":"DEF"`), extension},
		{"jku", addHeader(`"jku":"https://evil.test/jwks.json"`), keyInHeader},
		{"x5u", addHeader(`"x5u":"https://evil.test/cert.pem"`), keyInHeader},
		{"jwk", addHeader(`"jwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`), keyInHeader},
		{"x5c", addHeader(`"x5c":["MIIB"]`), keyInHeader},
		{"kid missing", inHeader(`"kid":"`+testKeyID+`",`, ``), unknown},
		{"kid empty", inHeader(testKeyID, ``), unknown},
		{"kid a number", inHeader(`"`+testKeyID+`"`, `1`), notString},
		{"kid of no key", inHeader(testKeyID, `2026-11-24.key_2`), unknown},
		{"kid in capitals", inHeader(testKeyID, strings.ToUpper(testKeyID)), unknown},
		{"kid with a path", inHeader(testKeyID, `../../dev/null`), unknown},
		{"kid with SQL", inHeader(testKeyID, `' OR 1=1 --`), unknown},
		{"kid with a NUL at the end", inHeader(testKeyID, testKeyID+`\u0000`), unknown},
		{"kid of another key of the client, which did not sign", inHeader(testKeyID, `second`), badSignature},
		{"kid of a key of another client", inHeader(testKeyID, `foreign`), unknown},
		{"a second object after the header", func(d *draft) { d.header += `{}` }, "trailing data"},
		{"the header nested 17 deep", addHeader(`"x":` + strings.Repeat("[", 16) + strings.Repeat("]", 16)), tooDeep},
	}
}

func assertionClaimForgeries(c, other Client) []forgery {
	const aud, parties, jti = `"aud":"https://gatehouse.test"`, "iss and sub are not the id of one client", `"jti":"AAECAwQFBgcICQoLDA0ODw"`
	const alone, unproven = "aud does not name us alone", "iss names no client that proves itself by assertions"
	const iat, exp = "1795478400", "1795478700"
	both := func(id string) func(*draft) {
		return func(d *draft) { d.claims = strings.ReplaceAll(d.claims, c.ID, id) }
	}
	iss, sub := `"iss":"`+c.ID+`"`, `"sub":"`+c.ID+`"`
	rows := []forgery{
		{"iss of another client", inClaims(iss, `"iss":"`+other.ID+`"`), parties},
		{"sub of another client", inClaims(sub, `"sub":"`+other.ID+`"`), parties},
		{"iss and sub of another client", both(other.ID), "kid names no key of the client"},
		{"iss and sub of a client that is not there", both(userID), unproven},
		{"iss and sub of the built-in client", both(FirstParty), parties},
		{"iss and sub in capitals", both(strings.ToUpper(c.ID)), unproven},
		{"iss and sub with a NUL", both(c.ID + `\u0000`), parties},
		{"iss and sub as a URN", both("urn:uuid:" + c.ID), unproven},
		{"iss and sub empty", both(""), parties},
		{"iss missing", inClaims(iss+`,`, ``), parties},
		{"sub missing", inClaims(sub+`,`, ``), parties},
		{"iss our own", inClaims(iss, `"iss":"https://gatehouse.test"`), parties},
		{"iss a number", inClaims(iss, `"iss":1`), notString},
		{"iss twice", addClaim(iss), badJSON},
		{"ISS beside iss", addClaim(`"ISS":"x"`), claimCase},
		{"aud missing", inClaims(aud+`,`, ``), alone},
		{"aud empty", inClaims(aud, `"aud":""`), alone},
		{"aud an empty array", inClaims(aud, `"aud":[]`), alone},
		{"aud of another server", inClaims(aud, `"aud":"https://other.test"`), alone},
		{"aud of our resource server, which is not who is asked", inClaims(aud, `"aud":"https://api.gatehouse.test"`), alone},
		{"aud with a slash at the end", inClaims(aud, `"aud":"https://gatehouse.test/"`), alone},
		{"aud of another endpoint", inClaims(aud, `"aud":"https://gatehouse.test/tokens"`), alone},
		{"aud of the endpoint with a query", inClaims(aud, `"aud":"https://gatehouse.test/token?x=1"`), alone},
		{"aud of the endpoint without TLS", inClaims(aud, `"aud":"http://gatehouse.test/token"`), alone},
		{"aud in capitals", inClaims(aud, `"aud":"https://GATEHOUSE.test"`), alone},
		{"aud the path of the endpoint", inClaims(aud, `"aud":"/token"`), alone},
		{"aud us and another server, which could use it here", inClaims(aud, `"aud":["https://gatehouse.test","https://other.test"]`), alone},
		{"aud an array that holds a number", inClaims(aud, `"aud":["https://gatehouse.test",1]`), notString},
		{"aud null", inClaims(aud, `"aud":null`), notString},
		{"aud an array of 17", inClaims(aud, `"aud":["https://gatehouse.test"`+strings.Repeat(`,"https://gatehouse.test"`, 16)+`]`), "too many audiences"},
		{"exp missing", inClaims(`"exp":`+exp+`,`, ``), "exp is missing"},
		{"exp passed by the whole leeway", inClaims(exp, `1795478370`), "exp has passed"},
		{"exp more than five minutes and the leeway away", inClaims(exp, `1795478731`), "exp is too far away"},
		{"exp in an hour", inClaims(exp, `1795482000`), "exp is too far away"},
		{"exp in ten years", inClaims(exp, `2110838400`), "exp is too far away"},
		{"exp in milliseconds", inClaims(exp, exp+`000`), outOfRange},
		{"exp a string", inClaims(exp, `"`+exp+`"`), notNumber},
		{"exp beyond every float", inClaims(exp, `1e999`), outOfRange},
		{"exp negative", inClaims(exp, `-`+exp), outOfRange},
		{"exp twice", addClaim(`"exp":` + exp), badJSON},
		{"nbf 31 seconds in the future", addClaim(`"nbf":1795478431`), "nbf has not come"},
		{"nbf a string", addClaim(`"nbf":"` + iat + `"`), notNumber},
		{"iat 31 seconds in the future", inClaims(iat, `1795478431`), "iat is in the future"},
		{"iat zero", inClaims(iat, `0`), outOfRange},
		{"jti missing", inClaims(jti+`,`, ``), "jti is missing or too long"},
		{"jti empty", inClaims(jti, `"jti":""`), "jti is missing or too long"},
		{"jti of 257 bytes", inClaims(jti, `"jti":"`+strings.Repeat("j", 257)+`"`), "jti is missing or too long"},
		{"jti a number", inClaims(jti, `"jti":1`), notString},
		{"cnf that binds it to another key", addClaim(`"cnf":{"jkt":"x"}`), "cnf binds the token to a key"},
		{"the claims empty", func(d *draft) { d.claims = `{}` }, parties},
		{"the claims an array", func(d *draft) { d.claims = "[" + d.claims + "]" }, badJSON},
		{"a second object after the claims", func(d *draft) { d.claims += `{}` }, "trailing data"},
		{"invalid UTF-8 in jti", inClaims(jti, "\"jti\":\"\xff\""), badJSON},
		{"the claims nested 17 deep", addClaim(`"x":` + strings.Repeat("[", 16) + strings.Repeat("]", 16)), tooDeep},
	}
	return rows
}

// TestForgedAssertionsAreRefused holds every forged assertion beside the one that it was made from, which passes after it.
func TestForgedAssertionsAreRefused(t *testing.T) {
	eachAlgorithm(t, func(t *testing.T, a Algorithm) {
		h := testHandlers(t, onePassword)
		k := testKeyOf(a, testKeyID)
		c, other := signingClient(t, h, k, testKeyOf(a, "second")), signingClient(t, h, testKeyOf(a, "foreign"))
		rows := slices.Concat(algorithmForgeries(t, a), assertionHeaderForgeries(), assertionClaimForgeries(c, other), formForgeries())
		tried := 0
		for _, row := range rows {
			t.Run(row.name, func(t *testing.T) {
				d := newAssertion(k, c.ID)
				tried++
				// Each of another id: they have one database.
				swap(&d.claims, `"note":"user-1  "`, fmt.Sprintf(`"note":"user-1  %03d"`, tried))
				id := fmt.Sprintf("%022d", tried)
				good := *d
				swap(&good.claims, "AAECAwQFBgcICQoLDA0ODw", id)
				row.change(d)
				d.claims = strings.Replace(d.claims, "AAECAwQFBgcICQoLDA0ODw", id, 1)
				if d.token() == good.token() {
					t.Fatal("the forged assertion is the good one")
				}
				refusedAssertion(t, h, row.reason, form(withAssertion(d.token())))
				if _, p := ask(t, h, form(withAssertion(good.token()))); p != nil {
					t.Errorf("the assertion that the forged one was made from is refused: %v", p)
				}
			})
		}
		t.Logf("%d forged %s assertions", tried, a)
		if tried != len(rows) || tried < 100 {
			t.Errorf("%d of %d rows were tried", tried, len(rows))
		}
	})
}

func TestAnAssertionProvesItsClient(t *testing.T) {
	const aud, iat, exp = `"aud":"https://gatehouse.test"`, `"iat":1795478400,`, "1795478700"
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := handlersOn(t, db, onePassword, func() time.Time { return testNow })
		k := testKey(testKeyID)
		for _, row := range []struct {
			name   string
			change func(*draft)
		}{
			{"the plain one", func(*draft) {}},
			{"without a type", inHeader(`,"typ":"JWT"`, ``)},
			{"with the type of an assertion", inHeader(`"JWT"`, `"client-authentication+jwt"`)},
			{"for the token endpoint", inClaims(aud, `"aud":"https://gatehouse.test/token"`)},
			{"for a list of us", inClaims(aud, `"aud":["https://gatehouse.test"]`)},
			{"for both of our names", inClaims(aud, `"aud":["https://gatehouse.test/token","https://gatehouse.test"]`)},
			{"without iat, which RFC 7523 leaves open", inClaims(iat, ``)},
			{"made an hour ago, and good until now", inClaims(iat, `"iat":1795474800,`)},
			{"iat within the leeway", inClaims(iat, `"iat":1795478430,`)},
			{"with nbf", addClaim(`"nbf":1795478430`)},
			{"exp passed within the leeway", inClaims(exp, `1795478371`)},
			{"exp five minutes and the leeway away", inClaims(exp, `1795478730`)},
			{"jti of one character", inClaims("AAECAwQFBgcICQoLDA0ODw", `\u0000`)},
			{"a claim that nobody knows", addClaim(`"x":{"y":[1]}`)},
		} {
			t.Run(row.name, func(t *testing.T) {
				c := signingClient(t, h, k)
				d := newAssertion(k, c.ID)
				row.change(d)
				answer, p := ask(t, h, form(withAssertion(d.token())))
				if p != nil {
					t.Fatalf("%v", p)
				}
				who, err := verify(h.Verifier, answer.AccessToken)
				if err != nil || who.Subject != c.ID || who.ClientID != c.ID || who.SessionID != "" || answer.Scope != "items:read" {
					t.Errorf("%+v says %+v, %v", answer, who, err)
				}
				refusedAssertion(t, h, "jti was used before", form(withAssertion(d.token())))
			})
		}
	})
}

func TestAClientUsesOneMethod(t *testing.T) {
	h := testHandlers(t, onePassword)
	k := testKey(testKeyID)
	c := signingClient(t, h, k)
	secretive, secret := service(t, h)
	asserted := withAssertion(newAssertion(k, c.ID).token())
	for _, row := range []struct {
		name    string
		caller  *auth.Principal
		changes []func(*api.TokenRequest)
		kind    problem.Kind
	}{
		{"an assertion and a secret in the form", nil, []func(*api.TokenRequest){asserted, withClient(c.ID), withSecret("x")}, InvalidRequest},
		{"an assertion and a secret without client_id", nil, []func(*api.TokenRequest){asserted, withSecret(secret)}, InvalidRequest},
		{"an assertion and the header of the same client", &auth.Principal{ClientID: c.ID}, []func(*api.TokenRequest){asserted}, InvalidRequest},
		{"an assertion and the header of another client", &auth.Principal{ClientID: secretive.ID}, []func(*api.TokenRequest){asserted}, InvalidRequest},
		{"an assertion and client_id of another client", nil, []func(*api.TokenRequest){asserted, withClient(secretive.ID)}, InvalidClient},
		{"an assertion and client_id of the built-in client", nil, []func(*api.TokenRequest){asserted, withClient(FirstParty)}, InvalidClient},
		{"client_id alone", nil, []func(*api.TokenRequest){withGrant(api.TokenRequestGrantTypeClientCredentials), withClient(c.ID)}, InvalidClient},
		{"a secret", nil, []func(*api.TokenRequest){withGrant(api.TokenRequestGrantTypeClientCredentials), withClient(c.ID), withSecret(secret)}, InvalidClient},
	} {
		t.Run(row.name, func(t *testing.T) {
			ctx := t.Context()
			if row.caller != nil {
				ctx = context.WithValue(ctx, auth.PrincipalKey, row.caller)
			}
			_, err := h.CreateToken(ctx, form(row.changes...))
			if !row.kind.Is(err) {
				t.Errorf("got %v, want %s", err, row.kind.OAuthError)
			}
		})
	}
	// None of them has used the assertion up.
	if _, p := ask(t, h, form(asserted, withClient(c.ID))); p != nil {
		t.Errorf("the assertion with its own client_id: %v", p)
	}
}

// TestAnAssertionPassesOnce: of fifty at once, and of as many processes as the database has.
func TestAnAssertionPassesOnce(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := handlersOn(t, db, onePassword, func() time.Time { return testNow })
		k := testKey(testKeyID)
		c := signingClient(t, h, k)
		token := newAssertion(k, c.ID).token()
		var passed, refused atomic.Int32
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				_, err := h.CreateToken(t.Context(), form(withAssertion(token)))
				switch {
				case err == nil:
					passed.Add(1)
				case InvalidClient.Is(err):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if passed.Load() != 1 || refused.Load() != 49 {
			t.Errorf("%d passed, %d were refused", passed.Load(), refused.Load())
		}
		other := signingClient(t, h, k)
		if _, p := ask(t, h, form(withAssertion(newAssertion(k, other.ID).token()))); p != nil {
			t.Errorf("another client may use the same jti: %v", p)
		}
	})
}

func TestUsedAssertionsAreForgotten(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		now := testNow
		h := handlersOn(t, db, onePassword, func() time.Time { return now })
		k := testKey(testKeyID)
		c := signingClient(t, h, k)
		use := func(jti string, exp time.Time) {
			t.Helper()
			d := newAssertion(k, c.ID)
			swap(&d.claims, "AAECAwQFBgcICQoLDA0ODw", jti)
			swap(&d.claims, "1795478700", fmt.Sprint(exp.Unix()))
			if _, p := ask(t, h, form(withAssertion(d.token()))); p != nil {
				t.Fatal(p)
			}
		}
		kept := func(want int) {
			t.Helper()
			var n int
			if err := db.Reader().QueryRowContext(t.Context(), `SELECT count(*) FROM client_assertions`).Scan(&n); err != nil || n != want {
				t.Errorf("%d assertions are kept, want %d: %v", n, want, err)
			}
		}
		use("first", testNow.Add(time.Minute))
		use("second", testNow.Add(5*time.Minute))
		kept(2)
		now = testNow.Add(2 * time.Minute) // the first is expired, and could be taken by a clock that is behind
		use("third", now.Add(time.Minute))
		kept(3)
		now = now.Add(time.Second)
		use("fourth", now.Add(time.Minute))
		kept(3)
	})
}

func TestWhatEndsAssertions(t *testing.T) {
	first, second := testKey(testKeyID), testKey("second")
	const unproven, unknown = "iss names no client that proves itself by assertions", "kid names no key of the client"
	for _, row := range []struct {
		name   string
		end    func(*Handlers, Client) error
		key    *key
		reason string // "" is accepted
	}{
		{"nothing", func(*Handlers, Client) error { return nil }, first, ""},
		{"the client is disabled", func(h *Handlers, c Client) error { return h.Clients.SetDisabled(t.Context(), c.ID, true) }, first, unproven},
		{"its keys are replaced", func(h *Handlers, c Client) error {
			return h.Clients.SetPublicKeys(t.Context(), c.ID, keySetOf(t, second))
		}, first, unknown},
		{"by which the new one is good", func(h *Handlers, c Client) error {
			return h.Clients.SetPublicKeys(t.Context(), c.ID, keySetOf(t, second))
		}, second, ""},
		{"both are good where both are given", func(h *Handlers, c Client) error {
			return h.Clients.SetPublicKeys(t.Context(), c.ID, keySetOf(t, second, first))
		}, first, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := testHandlers(t, onePassword)
			c := signingClient(t, h, first)
			if err := row.end(h, c); err != nil {
				t.Fatal(err)
			}
			request := form(withAssertion(newAssertion(row.key, c.ID).token()))
			if row.reason != "" {
				refusedAssertion(t, h, row.reason, request)
			} else if _, p := ask(t, h, request); p != nil {
				t.Error(p)
			}
		})
	}
	t.Run("a client with a secret has no assertions, whatever stands in its row", func(t *testing.T) {
		h := testHandlers(t, onePassword)
		c, _ := service(t, h)
		execute(t, h.DB, `UPDATE clients SET public_keys = $1`, string(keySetOf(t, first)))
		refusedAssertion(t, h, unproven, form(withAssertion(newAssertion(first, c.ID).token())))
	})
}

// TestADatabaseThatFailsIsNoInvalidClient: a client that hears invalid_client gives up.
func TestADatabaseThatFailsIsNoInvalidClient(t *testing.T) {
	for name, fail := range map[string]func(*testing.T, *sqldb.DB){
		"when the client is looked up":     func(t *testing.T, db *sqldb.DB) { execute(t, db, `ALTER TABLE clients RENAME TO away`) },
		"when the assertion is used up":    func(t *testing.T, db *sqldb.DB) { execute(t, db, `DROP TABLE client_assertions`) },
		"when the row holds no key set":    func(t *testing.T, db *sqldb.DB) { execute(t, db, `UPDATE clients SET public_keys = 'x'`) },
		"when the row holds no key at all": func(t *testing.T, db *sqldb.DB) { execute(t, db, `UPDATE clients SET public_keys = ''`) },
	} {
		t.Run(name, func(t *testing.T) {
			h := testHandlers(t, onePassword)
			k := testKey(testKeyID)
			c := signingClient(t, h, k)
			fail(t, h.DB)
			_, err := h.CreateToken(t.Context(), form(withAssertion(newAssertion(k, c.ID).token())))
			p := problem.From(err)
			if err == nil || p.Kind.Status < 500 || errors.Is(err, auth.ErrInvalidCredential) {
				t.Errorf("got %v", err)
			}
			if row := strings.Contains(name, "row"); !row && p.Kind != problem.Unavailable {
				t.Errorf("got %v, want a 503", err)
			}
		})
	}
}

// TestTokensOfOneKindAreNoneOfAnother, even where the key is the same: a client that was given our own key set.
func TestTokensOfOneKindAreNoneOfAnother(t *testing.T) {
	h := testHandlers(t, onePassword)
	k := testKey(testKeyID) // which signs access tokens here
	c := signingClient(t, h, k)
	assertion := newAssertion(k, c.ID)

	access, err := h.Signer.Sign(Grant{Subject: c.ID, ClientID: c.ID})
	if err != nil {
		t.Fatal(err)
	}
	refusedAssertion(t, h, "typ is not that of an assertion", form(withAssertion(access)))
	idToken := newAssertion(k, c.ID)
	swap(&idToken.claims, `"iss":"`+c.ID+`"`, `"iss":"https://gatehouse.test"`)
	swap(&idToken.claims, `"aud":"https://gatehouse.test"`, `"aud":"`+c.ID+`"`)
	refusedAssertion(t, h, "iss and sub are not the id of one client", form(withAssertion(idToken.token())))

	if _, err := verify(h.Verifier, assertion.token()); !errors.Is(err, auth.ErrInvalidCredential) || !strings.Contains(err.Error(), badType) {
		t.Errorf("an assertion as an access token: %v", err)
	}
	typed := newAssertion(k, c.ID)
	swap(&typed.header, `"JWT"`, `"at+jwt"`)
	if _, err := verify(h.Verifier, typed.token()); !errors.Is(err, auth.ErrInvalidCredential) || !strings.Contains(err.Error(), badIssuer) {
		t.Errorf("an assertion with the type of an access token: %v", err)
	}
	if _, p := ask(t, h, form(withAssertion(assertion.token()))); p != nil {
		t.Errorf("the assertion itself: %v", p)
	}
}
