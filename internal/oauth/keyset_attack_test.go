package oauth

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/base64"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

// What follows is in the manner of Wycheproof's cases of JSON Web Keys: a key set that holds one thing which must not be
// there. Each case puts a key into the table of a running service beside the one that it has.

const addedKeyID = "2026-11-24-addedaddedad"

// addedKey is a key that is put into the table, and how tokens are signed by it.
type addedKey struct {
	kid, algorithm  string // of the row
	private, public string // of the row
	alg             string // of the token
	sign            func(input string) []byte
}

// keySetTest is what the cases seal keys with.
type keySetTest struct {
	t      *testing.T
	sealer sealer
}

// add returns a row of the private key, whatever its type, and tokens that it signs by the method.
func (k keySetTest) add(algorithm string, private any, method jwt.SigningMethod) addedKey {
	k.t.Helper()
	document, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		k.t.Fatal(err)
	}
	public := "AAAA"
	if signer, ok := private.(crypto.Signer); ok {
		if public, err = encodePublic(signer.Public()); err != nil {
			k.t.Fatal(err)
		}
	}
	return addedKey{
		kid: addedKeyID, algorithm: algorithm, public: public, alg: method.Alg(),
		private: sealedPrefix + k.encrypt(addedKeyID, document),
		sign: func(input string) []byte {
			signature, err := method.Sign(input, private)
			if err != nil {
				k.t.Fatal(err)
			}
			return signature
		},
	}
}

func (k keySetTest) encrypt(kid string, plain []byte) string {
	nonce := make([]byte, k.sealer.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		k.t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(k.sealer.aead.Seal(nonce, nonce, plain, []byte(kid)))
}

// good returns a key that belongs there.
func (k keySetTest) good(a Algorithm) addedKey {
	return k.add(string(a), testKeyOf(a, addedKeyID).private, a.method())
}

// symmetric returns a row of a shared secret, sealed as old rows are, and tokens of HS256.
func (k keySetTest) symmetric(algorithm string, secret []byte) addedKey {
	return addedKey{
		kid: addedKeyID, algorithm: algorithm, alg: "HS256", public: base64.RawURLEncoding.EncodeToString(secret),
		private: sealedSeedPrefix + k.encrypt(addedKeyID, secret),
		sign: func(input string) []byte {
			m := hmac.New(sha256.New, secret)
			m.Write([]byte(input))
			return m.Sum(nil)
		},
	}
}

func (a addedKey) insert(t *testing.T, db *sqldb.DB) {
	t.Helper()
	execute(t, db, `INSERT INTO signing_keys (kid, generation, algorithm, private_key, public_key, created_at, signs_from) VALUES ($1, 99, $2, $3, $4, $5, $5)`,
		a.kid, a.algorithm, a.private, a.public, testNow.Add(time.Hour).UnixMicro())
}

// token is the token of newDraft but for its key.
func (a addedKey) token() string {
	d := newDraft()
	swap(&d.header, testKeyID, a.kid)
	swap(&d.header, `"EdDSA"`, `"`+a.alg+`"`)
	d.sign = a.sign
	return d.token()
}

func TestKeysThatMustNotBeThereVerifyNothing(t *testing.T) {
	sealer, err := newSealer(testStore(nil).EncryptionKey)
	if err != nil {
		t.Fatal(err)
	}
	k := keySetTest{t, sealer}
	ec := func(curve elliptic.Curve) *ecdsa.PrivateKey {
		made, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	rsaOf := func(bits int) *rsa.PrivateKey {
		made, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	of := func(a Algorithm) crypto.Signer { return testKeyOf(a, addedKeyID).private }
	change := func(added addedKey, f func(a *addedKey)) addedKey { f(&added); return added }
	xKey, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	small := ec(elliptic.P224())
	tried, accepted := 0, 0
	for _, row := range []struct {
		name string
		like Algorithm // the good key that it differs from
		bad  addedKey
		// silent cases leave the key out, and the service starts; the others stop the start.
		silent bool
	}{
		{"RSA of 1024 bits", RS256, k.add("RS256", rsaOf(1024), jwt.SigningMethodRS256), false},
		{"RSA of 2047 bits", RS256, k.add("RS256", rsaOf(2047), jwt.SigningMethodRS256), false},
		{"RSA with the public exponent 3", RS256, k.add("RS256", rsaOfExponent3(t), jwt.SigningMethodRS256), false},
		{"P-224 as ES256", ES256, change(k.add("ES256", small, jwt.SigningMethodES256), signWith(small)), false},
		{"P-384 as ES256", ES256, change(k.add("ES256", ec(elliptic.P384()), jwt.SigningMethodES384), as("ES256")), false},
		{"P-521 as ES256", ES256, change(k.add("ES256", ec(elliptic.P521()), jwt.SigningMethodES512), as("ES256")), false},
		{"P-384 as ES384", ES256, k.add("ES384", ec(elliptic.P384()), jwt.SigningMethodES384), false},
		{"P-256 as ES256K", ES256, change(k.add("ES256K", of(ES256), jwt.SigningMethodES256), as("ES256K")), false},
		{"P-256 as EdDSA", ES256, k.add("EdDSA", of(ES256), jwt.SigningMethodES256), false},
		{"P-256 as RS256", ES256, k.add("RS256", of(ES256), jwt.SigningMethodES256), false},
		{"Ed25519 as ES256", EdDSA, k.add("ES256", of(EdDSA), jwt.SigningMethodEdDSA), false},
		{"Ed25519 as RS256", EdDSA, k.add("RS256", of(EdDSA), jwt.SigningMethodEdDSA), false},
		{"Ed25519 as none", EdDSA, change(k.add("none", of(EdDSA), jwt.SigningMethodEdDSA), as("none")), false},
		{"Ed25519 as nothing", EdDSA, k.add("", of(EdDSA), jwt.SigningMethodEdDSA), false},
		{"Ed25519 as eddsa", EdDSA, k.add("eddsa", of(EdDSA), jwt.SigningMethodEdDSA), false},
		{"X25519 as EdDSA", EdDSA, change(k.add("EdDSA", xKey, jwt.SigningMethodEdDSA), func(a *addedKey) {
			private := ed25519.NewKeyFromSeed(xKey.Bytes())
			a.sign = func(input string) []byte { return ed25519.Sign(private, []byte(input)) }
		}), false},
		{"RSA as EdDSA", RS256, k.add("EdDSA", of(RS256), jwt.SigningMethodRS256), false},
		{"RSA as ES256", RS256, k.add("ES256", of(RS256), jwt.SigningMethodRS256), false},
		{"RSA as PS256", RS256, k.add("PS256", of(RS256), jwt.SigningMethodPS256), false},
		{"RSA as RS384", RS256, k.add("RS384", of(RS256), jwt.SigningMethodRS384), false},
		{"a shared secret of 32 bytes as HS256", EdDSA, k.symmetric("HS256", of(EdDSA).(ed25519.PrivateKey).Seed()), false},
		{"a shared secret of 16 bytes as EdDSA", EdDSA, k.symmetric("EdDSA", make([]byte, 16)), false},
		{"an empty shared secret as HS256", EdDSA, k.symmetric("HS256", nil), false},
		{"the public key of the service as the shared secret", EdDSA, k.symmetric("HS256", testKey(testKeyID).public.(ed25519.PublicKey)), false},
		// A seed is a good Ed25519 key, whose tokens are of EdDSA: that it would serve as a secret too must not matter.
		{"a seed of EdDSA as the secret of HS256", EdDSA, change(k.symmetric("EdDSA", of(EdDSA).(ed25519.PrivateKey).Seed()), func(a *addedKey) {
			a.public = base64.RawURLEncoding.EncodeToString(of(EdDSA).Public().(ed25519.PublicKey))
		}), true},
		{"the public half of another key, whose owner signs", EdDSA, change(k.good(EdDSA), func(a *addedKey) {
			other := testKey("attacker")
			a.public, a.sign = base64.RawURLEncoding.EncodeToString(other.public.(ed25519.PublicKey)), other.sign
		}), false},
		{"the public half of another key", EdDSA, change(k.good(EdDSA), func(a *addedKey) {
			a.public = base64.RawURLEncoding.EncodeToString(testKey("attacker").public.(ed25519.PublicKey))
		}), false},
		{"no public half", ES256, change(k.good(ES256), func(a *addedKey) { a.public = "" }), false},
		{"sealed under another kid", ES256, change(k.good(ES256), func(a *addedKey) { a.kid = addedKeyID + "0" }), false},
		{"not sealed", EdDSA, change(k.good(EdDSA), func(a *addedKey) {
			document, _ := x509.MarshalPKCS8PrivateKey(of(EdDSA))
			a.private = sealedPrefix + base64.RawURLEncoding.EncodeToString(document)
		}), false},
		{"a seed that is sealed as a document", EdDSA, change(k.good(EdDSA), func(a *addedKey) {
			a.private = sealedPrefix + k.encrypt(addedKeyID, of(EdDSA).(ed25519.PrivateKey).Seed())
		}), false},
		{"a document that is sealed as a seed", EdDSA, change(k.good(EdDSA), func(a *addedKey) {
			document, _ := x509.MarshalPKCS8PrivateKey(of(EdDSA))
			a.private = sealedSeedPrefix + k.encrypt(addedKeyID, document)
		}), false},
		{"a kid with a path", EdDSA, change(k.good(EdDSA), func(a *addedKey) { a.kid = "../../dev/null" }), false},
		{"a kid with a space at the end", EdDSA, change(k.good(EdDSA), func(a *addedKey) { a.kid = addedKeyID + " " }), false},
		{"an empty kid", EdDSA, change(k.good(EdDSA), func(a *addedKey) { a.kid = "" }), false},
		{"no private half", EdDSA, change(k.good(EdDSA), func(a *addedKey) { a.private = "" }), true},
	} {
		t.Run(row.name, func(t *testing.T) {
			like := k.good(row.like)
			p := newProcess(t, sqldbtest.Open(t))
			like.insert(t, p.DB)
			p.refresh(t)
			if _, err := verify(p.verifier, like.token()); err != nil {
				t.Fatalf("the token of the good key that it differs from is refused: %v", err)
			}
			p = newProcess(t, sqldbtest.Open(t))
			row.bad.insert(t, p.DB)
			if err := p.Refresh(context.Background(), time.Time{}); (err == nil) != row.silent {
				t.Errorf("the refresh says %v", err)
			}
			started := testStore(p.DB)
			keys, err := started.Load(context.Background())
			if (err == nil) != row.silent {
				t.Errorf("the start says %v", err)
			}
			if keys == nil {
				keys = new(Keys)
			}
			fresh, _, _ := testVerifierOf(t, keys)
			token := row.bad.token()
			for _, v := range []*Verifier{p.verifier, fresh} {
				tried++
				if principal, err := verify(v, token); principal != nil || !errors.Is(err, auth.ErrInvalidCredential) {
					accepted++
					t.Errorf("accepted, as %v: %v", principal, err)
				}
			}
			if _, err := verify(p.verifier, p.sign(t)); err != nil {
				t.Errorf("a token of the key that was there is refused: %v", err)
			}
		})
	}
	t.Logf("%d forged tokens, %d accepted", tried, accepted)
	if tried == 0 || accepted != 0 {
		t.Errorf("%d tried, %d accepted", tried, accepted)
	}
}

// as changes the alg of tokens.
func as(alg string) func(*addedKey) { return func(a *addedKey) { a.alg = alg } }

// signWith signs as ES256 does, with a key of a smaller curve: golang-jwt refuses that when it signs, and would verify it.
func signWith(private *ecdsa.PrivateKey) func(*addedKey) {
	return func(a *addedKey) {
		a.sign = func(input string) []byte {
			digest := sha256.Sum256([]byte(input))
			r, s, err := ecdsa.Sign(rand.Reader, private, digest[:])
			if err != nil {
				panic(err)
			}
			signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
			if err := jwt.SigningMethodES256.Verify(input, signature, &private.PublicKey); err != nil {
				panic("golang-jwt looks at the curve: " + err.Error())
			}
			return signature
		}
	}
}

// rsaOfExponent3 makes a key of 2048 bits as they were made long ago.
func rsaOfExponent3(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	one, three := big.NewInt(1), big.NewInt(3)
	prime := func() *big.Int {
		for {
			p, err := rand.Prime(rand.Reader, 1024)
			if err != nil {
				t.Fatal(err)
			}
			if new(big.Int).Mod(p, three).Cmp(one) != 0 { // else 3 divides p-1
				return p
			}
		}
	}
	p, q := prime(), prime()
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	k := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 3}, D: new(big.Int).ModInverse(three, phi), Primes: []*big.Int{p, q}}
	k.Precompute()
	if k.N.BitLen() < rsaBitsMin {
		return rsaOfExponent3(t)
	}
	return k
}

// TestKeysOfOneSetAreNotConfused has keys of all algorithms in force at once, two of each.
func TestKeysOfOneSetAreNotConfused(t *testing.T) {
	var keys []*key
	for _, a := range Algorithms() {
		keys = append(keys, testKeyOf(a, "2026-11-24-one-"+string(a)), testKeyOf(a, "2026-11-24-two-"+string(a)))
	}
	// Kids that differ in their case alone are two kids.
	keys = append(keys, testKeyOf(EdDSA, "2026-11-24-ONE-EdDSA"))
	v, _, _ := testVerifierOf(t, keysOf(t, keys...))
	tried, accepted := 0, 0
	refuse := func(name string, d *draft, k, other *key) {
		tried++
		if p, err := verify(v, d.token()); p != nil || !errors.Is(err, auth.ErrInvalidCredential) {
			accepted++
			t.Errorf("%s of %s and %s: accepted, as %v: %v", name, k.id, other.id, p, err)
		}
	}
	for _, k := range keys {
		if _, err := verify(v, newDraftBy(k).token()); err != nil {
			t.Fatalf("a token of %s is refused: %v", k.id, err)
		}
		for _, other := range keys {
			if other == k {
				continue
			}
			d := newDraftBy(k)
			d.sign = other.sign
			refuse("the signature of the other", d, k, other)
			d = newDraftBy(k)
			swap(&d.header, k.id, other.id)
			refuse("the kid of the other", d, k, other)
			if other.algorithm != k.algorithm {
				d = newDraftBy(k)
				inAlgorithm(`"` + other.algorithm + `"`)(d)
				refuse("the alg of the other", d, k, other)
				d = newDraftBy(k)
				inAlgorithm(`"` + other.algorithm + `"`)(d)
				d.sign = other.sign
				refuse("the alg and the signature of the other", d, k, other)
			}
		}
	}
	t.Logf("%d forged tokens, %d accepted", tried, accepted)
	if tried == 0 || accepted != 0 {
		t.Errorf("%d tried, %d accepted", tried, accepted)
	}
}

// TestNoTwoKeysHaveOneKid in the table or in memory: which of them verifies would be chance.
func TestNoTwoKeysHaveOneKid(t *testing.T) {
	good, evil := testKey(testKeyID), *testKeyOf(ES256, "attacker")
	evil.id = testKeyID
	for _, list := range [][]*key{{good, &evil}, {&evil, good}, {good, good}} {
		if set, err := newKeySet(list); err == nil || set != nil {
			t.Errorf("a set of %s and %s", list[0].algorithm, list[1].algorithm)
		}
	}
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		p := newProcess(t, db)
		first := storedKeys(t, db)[0]
		for name, row := range map[string]keyRow{
			"the same kid":        {kid: first.KeyID, generation: 99},
			"the same generation": {kid: "another", generation: first.Generation},
		} {
			row.algorithm, row.private, row.public = first.Algorithm, first.Private, first.Public
			_, err := p.change(context.Background(), 1, func(tx *sql.Tx) error { return row.insert(context.Background(), tx) })
			if !errors.Is(err, sqldb.ErrConflict) {
				t.Errorf("%s: %v, want a conflict", name, err)
			}
		}
		if n := len(storedKeys(t, db)); n != 1 {
			t.Errorf("%d rows", n)
		}
	})
}
