package oauth

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"strings"
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

// testKey returns a key pair that is the same in every run.
func testKey(id string) *key {
	seed := sha256.Sum256([]byte(id))
	private := ed25519.NewKeyFromSeed(seed[:])
	return &key{id: id, algorithm: algorithm, private: private, public: private.Public().(ed25519.PublicKey)}
}

func testKeys(t testing.TB) *Keys {
	t.Helper()
	keys, err := newKeys([]*key{testKey(testKeyID)})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// testVerifier returns a verifier whose clock the caller may move.
func testVerifier(t testing.TB) (v *Verifier, now *time.Time, exceptions *auth.Exceptions) {
	t.Helper()
	clock := testNow
	exceptions = new(auth.Exceptions)
	v, err := NewVerifier(VerifierConfig{
		Keys:       testKeys(t),
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
	header string
	claims string
	// encode turns a part into base64url.
	encodeHeader, encodeClaims, encodeSignature func([]byte) string
	// sign returns the signature.
	sign func(input string) []byte
	// finish changes the token as a whole.
	finish func(token string) string
}

func newDraft() *draft {
	plain := base64.RawURLEncoding.EncodeToString
	return &draft{
		header: `{"alg":"EdDSA","kid":"` + testKeyID + `","typ":"at+jwt"}`,
		claims: `{"iss":"https://gatehouse.test","aud":"https://api.gatehouse.test","sub":"user-1","client_id":"first-party",` +
			`"scope":"items:read items:write","iat":1795478400,"exp":1795479000,"jti":"AAECAwQFBgcICQoLDA0ODw"}`,
		encodeHeader:    plain,
		encodeClaims:    plain,
		encodeSignature: plain,
		sign:            func(input string) []byte { return ed25519.Sign(testKey(testKeyID).private, []byte(input)) },
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

func inClaims(old, new string) func(*draft) { return func(d *draft) { swap(&d.claims, old, new) } }

// addHeader and addClaim add a member at the end.
func addHeader(member string) func(*draft) {
	return func(d *draft) { d.header = strings.TrimSuffix(d.header, "}") + "," + member + "}" }
}

func addClaim(member string) func(*draft) {
	return func(d *draft) { d.claims = strings.TrimSuffix(d.claims, "}") + "," + member + "}" }
}

func hashOf(token string) [sha256.Size]byte { return sha256.Sum256([]byte(token)) }
