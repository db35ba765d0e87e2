package oauth

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"example.com/gatehouse/internal/auth"
)

// TestForgedTokensAreRefused holds every forged token beside the one that it was made from, which must pass.
func TestForgedTokensAreRefused(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()

	eachAlgorithm(t, func(t *testing.T, a Algorithm) { refuseForgeries(t, a, listener) })
	checkNobodyCalled(t, listener)
}

func refuseForgeries(t *testing.T, a Algorithm, listener net.Listener) {
	k := testKeyOf(a, testKeyID)
	var rows []forgery
	rows = append(rows, algorithmForgeries(t, a)...)
	rows = append(rows, headerForgeries("http://"+listener.Addr().String()+"/jwks.json")...)
	rows = append(rows, claimForgeries()...)
	rows = append(rows, formForgeries()...)

	tried, accepted := 0, 0
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			v, _, _ := testVerifierOf(t, keysOf(t, k))
			d := newDraftBy(k)
			// A signature of ECDSA is another one each time: both tokens have the same, unless the row changes it.
			signature := map[string][]byte{}
			sign := d.sign
			d.sign = func(input string) []byte {
				if signature[input] == nil {
					signature[input] = sign(input)
				}
				return slices.Clone(signature[input])
			}
			good := d.token()
			if _, err := verify(v, good); err != nil {
				t.Fatalf("the token that the forged one was made from is refused: %v", err)
			}
			row.change(d)
			token := d.token()
			if token == good {
				t.Fatal("the forged token is the good one")
			}
			tried++
			p, err := verify(v, token)
			if err == nil || p != nil {
				accepted++
				t.Fatalf("accepted, as %+v", p)
			}
			if !errors.Is(err, auth.ErrInvalidCredential) {
				t.Errorf("error %q does not wrap ErrInvalidCredential", err)
			}
			if want := "invalid credential: " + row.reason; err.Error() != want {
				t.Errorf("error %q, want %q", err, want)
			}
			if _, err := verify(v, token); err == nil {
				t.Error("accepted at the second attempt")
			}
		})
	}
	t.Logf("%d forged %s tokens, %d accepted", tried, a, accepted)
	if tried == 0 || tried != len(rows) || accepted != 0 {
		t.Errorf("%d rows, %d tried, %d accepted", len(rows), tried, accepted)
	}
}

// checkNobodyCalled proves that the listener of jku and x5u saw no connection: the first one that it ever
// accepts is the one made here.
func checkNobodyCalled(t *testing.T, listener net.Listener) {
	t.Helper()
	ours, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	first, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if first.RemoteAddr().String() != ours.LocalAddr().String() {
		t.Error("an address in the header of a token was fetched")
	}
}

// TestUnusualTokensAreAccepted holds what the strict grammar must not refuse.
func TestUnusualTokensAreAccepted(t *testing.T) { eachAlgorithm(t, acceptUnusualTokens) }

func acceptUnusualTokens(t *testing.T, a Algorithm) {
	const audience = `"aud":"https://api.gatehouse.test"`
	for _, row := range []struct {
		name   string
		change func(*draft)
		scopes auth.Scopes
	}{
		{"the plain token", func(*draft) {}, auth.NewScopes("items:read", "items:write")},
		{"typ as a full media type", inHeader(`"at+jwt"`, `"application/at+jwt"`), auth.NewScopes("items:read", "items:write")},
		{"typ in capitals", inHeader(`"at+jwt"`, `"Application/AT+JWT"`), auth.NewScopes("items:read", "items:write")},
		{"a member of the header that nobody knows", addHeader(`"x":{"y":[1]}`), auth.NewScopes("items:read", "items:write")},
		{"a claim that nobody knows", addClaim(`"x":{"y":[1,true,null,"\ud83d\ude00"]}`), auth.NewScopes("items:read", "items:write")},
		{"alg with an escape", func(d *draft) { inAlgorithm(fmt.Sprintf(`"\u%04x%s"`, d.algorithm[0], d.algorithm[1:]))(d) }, auth.NewScopes("items:read", "items:write")},
		{"white space in the claims", inClaims(`,"sub"`, " ,\n\t\"sub\""), auth.NewScopes("items:read", "items:write")},
		{"aud an array with us", inClaims(audience, `"aud":["https://other.test","https://api.gatehouse.test"]`), auth.NewScopes("items:read", "items:write")},
		{"no scope", inClaims(`"scope":"items:read items:write",`, ``), nil},
		{"scope twice the same name", inClaims(`items:read items:write`, `items:read items:read`), auth.NewScopes("items:read")},
		{"fractions of a second", inClaims(`1795478400`, `1795478400.75`), auth.NewScopes("items:read", "items:write")},
		{"iat 30 seconds in the future", inClaims(`1795478400`, `1795478430`), auth.NewScopes("items:read", "items:write")},
		{"nbf 30 seconds in the future", addClaim(`"nbf":1795478430`), auth.NewScopes("items:read", "items:write")},
		{"expired within the leeway", func(d *draft) {
			swap(&d.claims, `1795479000`, `1795478371`)
			swap(&d.claims, `1795478400`, `1795478000`)
		}, auth.NewScopes("items:read", "items:write")},
		{"a lifetime of an hour", inClaims(`1795479000`, `1795482000`), auth.NewScopes("items:read", "items:write")},
		{"16 deep", addClaim(`"x":` + strings.Repeat("[", 15) + strings.Repeat("]", 15)), auth.NewScopes("items:read", "items:write")},
		{"nearly 8 KiB", addClaim(`"x":"` + strings.Repeat("x", 5400) + `"`), auth.NewScopes("items:read", "items:write")},
	} {
		t.Run(row.name, func(t *testing.T) {
			k := testKeyOf(a, testKeyID)
			v, _, _ := testVerifierOf(t, keysOf(t, k))
			d := newDraftBy(k)
			row.change(d)
			p, err := verify(v, d.token())
			if err != nil {
				t.Fatal(err)
			}
			if p.Subject != "user-1" || p.ClientID != "first-party" || p.KeyID != "" || len(p.Schemes) != 0 {
				t.Errorf("principal %+v", p)
			}
			if len(p.Scopes) != len(row.scopes) || !p.Scopes.Has(row.scopes...) {
				t.Errorf("scopes %q, want %q", p.Scopes, row.scopes)
			}
		})
	}
}

// TestAnOversizedTokenIsNotHashed remembers one as verified, which a verifier that hashes it would find.
func TestAnOversizedTokenIsNotHashed(t *testing.T) {
	v, now, _ := testVerifier(t)
	token := strings.Repeat("A", maxTokenBytes+1)
	v.verified.Set(sha256.Sum256([]byte(token)), verified{&auth.Principal{Subject: "x"}, testKeyID, now.Add(cacheFor).UnixNano()})
	if _, err := verify(v, token); !errors.Is(err, auth.ErrInvalidCredential) {
		t.Errorf("error %v", err)
	}
	v.verified.Set(sha256.Sum256([]byte(token[1:])), verified{&auth.Principal{Subject: "x"}, testKeyID, now.Add(cacheFor).UnixNano()})
	if _, err := verify(v, token[1:]); err != nil {
		t.Errorf("a token of 8 KiB is not looked up: %v", err)
	}
}

// TestThePreparserBoundsTheTokenItself does without the check that stands before the hash.
func TestThePreparserBoundsTheTokenItself(t *testing.T) {
	d := newDraft()
	addClaim(`"x":"` + strings.Repeat("x", 6500) + `"`)(d)
	if p, err := preparse(d.token()); p != nil || err != refusal(tooLong) {
		t.Errorf("parsed %v, error %v", p, err)
	}
}
