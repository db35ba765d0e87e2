package oauth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/gatehouse/internal/auth"
)

const (
	testIssuer   = "https://gatehouse.test"
	testAudience = "https://api.gatehouse.test"
	testKeyID    = "2026-11-24.key_1"
)

// testNow is when every test happens: 2026-11-24 00:00:00 UTC.
var testNow = time.Unix(1795478400, 0)

// rsaTestKeys are made once, of the smallest size that is accepted: there is no short way from a seed to an RSA key.
var rsaTestKeys sync.Map

// testKey returns an EdDSA key that is the same in every run.
func testKey(id string) *key { return testKeyOf(EdDSA, id) }

// testKeyOf returns a key of the algorithm, the same whenever it is asked for.
func testKeyOf(a Algorithm, id string) *key {
	seed := sha256.Sum256([]byte(id))
	var private crypto.Signer
	switch a {
	case EdDSA:
		private = ed25519.NewKeyFromSeed(seed[:])
	case ES256:
		k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
		if err != nil {
			panic(err)
		}
		private = k
	case RS256:
		made, found := rsaTestKeys.Load(id)
		if !found {
			k, err := rsa.GenerateKey(rand.Reader, rsaBitsMin)
			if err != nil {
				panic(err)
			}
			made, _ = rsaTestKeys.LoadOrStore(id, k)
		}
		private = made.(*rsa.PrivateKey)
	}
	return &key{id: id, algorithm: string(a), private: private, public: private.Public()}
}

// sign signs as RFC 7518 §3 says for the algorithm of the key.
func (k *key) sign(input string) []byte {
	signature, err := Algorithm(k.algorithm).method().Sign(input, k.private)
	if err != nil {
		panic(err)
	}
	return signature
}

// eachAlgorithm runs f once for each.
func eachAlgorithm(t *testing.T, f func(t *testing.T, a Algorithm)) {
	for _, a := range Algorithms() {
		t.Run(string(a), func(t *testing.T) { f(t, a) })
	}
}

func testKeys(t testing.TB) *Keys {
	t.Helper()
	return keysOf(t, testKey(testKeyID))
}

func keysOf(t testing.TB, newestFirst ...*key) *Keys {
	t.Helper()
	set, err := newKeySet(newestFirst)
	if err != nil {
		t.Fatal(err)
	}
	keys := new(Keys)
	keys.set.Store(set)
	return keys
}

// testVerifier returns a verifier of one EdDSA key, whose clock the caller may move.
func testVerifier(t testing.TB) (v *Verifier, now *time.Time, exceptions *auth.Exceptions) {
	t.Helper()
	return testVerifierOf(t, testKeys(t))
}

func testVerifierOf(t testing.TB, keys *Keys) (v *Verifier, now *time.Time, exceptions *auth.Exceptions) {
	t.Helper()
	clock := testNow
	exceptions = new(auth.Exceptions)
	v, err := NewVerifier(VerifierConfig{
		Keys:       keys,
		Issuer:     testIssuer,
		Audience:   testAudience,
		Exceptions: exceptions,
		Now:        func() time.Time { return clock },
	})
	if err != nil {
		t.Fatal(err)
	}
	return v, &clock, exceptions
}

func verify(v *Verifier, token string) (*auth.Principal, error) {
	return v.Verify(context.Background(), auth.BearerToken{Secret: auth.Secret(token)})
}

// draft is an access token before it is put together. As newDraft returns it, it is accepted.
type draft struct {
	algorithm string
	header    string
	claims    string
	// encode turns a part into base64url.
	encodeHeader, encodeClaims, encodeSignature func([]byte) string
	// sign returns the signature.
	sign func(input string) []byte
	// finish changes the token as a whole.
	finish func(token string) string
}

func newDraft() *draft { return newDraftBy(testKey(testKeyID)) }

// newDraftBy returns a draft that the key will sign.
func newDraftBy(k *key) *draft {
	plain := base64.RawURLEncoding.EncodeToString
	return &draft{
		algorithm: k.algorithm,
		header:    `{"alg":"` + k.algorithm + `","kid":"` + k.id + `","typ":"at+jwt"}`,
		claims: `{"iss":"https://gatehouse.test","aud":"https://api.gatehouse.test","sub":"user-1","client_id":"first-party",` +
			`"scope":"items:read items:write","iat":1795478400,"exp":1795479000,"jti":"AAECAwQFBgcICQoLDA0ODw"}`,
		encodeHeader:    plain,
		encodeClaims:    plain,
		encodeSignature: plain,
		sign:            k.sign,
		finish:          func(token string) string { return token },
	}
}

func (d *draft) token() string {
	input := d.encodeHeader([]byte(d.header)) + "." + d.encodeClaims([]byte(d.claims))
	return d.finish(input + "." + d.encodeSignature(d.sign(input)))
}

// swap replaces one thing, and is a mistake of the test where the thing is not there.
func swap(text *string, old, new string) {
	if strings.Count(*text, old) != 1 {
		panic("the draft does not hold exactly one " + old)
	}
	*text = strings.Replace(*text, old, new, 1)
}

func inHeader(old, new string) func(*draft) { return func(d *draft) { swap(&d.header, old, new) } }

// inAlgorithm replaces the value of alg in the header.
func inAlgorithm(value string) func(*draft) {
	return func(d *draft) { swap(&d.header, `"alg":"`+d.algorithm+`"`, `"alg":`+value) }
}

func inClaims(old, new string) func(*draft) { return func(d *draft) { swap(&d.claims, old, new) } }

// addHeader and addClaim add a member at the end.
func addHeader(member string) func(*draft) {
	return func(d *draft) { d.header = strings.TrimSuffix(d.header, "}") + "," + member + "}" }
}

func addClaim(member string) func(*draft) {
	return func(d *draft) { d.claims = strings.TrimSuffix(d.claims, "}") + "," + member + "}" }
}

func hashOf(token string) [sha256.Size]byte { return sha256.Sum256([]byte(token)) }
