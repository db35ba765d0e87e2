package oauth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
)

// publishedKeys returns the members of what the operation answers.
func publishedKeys(t *testing.T, keys *Keys) []map[string]string {
	t.Helper()
	response, err := (&Handlers{Keys: keys}).GetJwks(context.Background(), api.GetJwksRequestObject{})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := response.VisitGetJwksResponse(w); err != nil {
		t.Fatal(err)
	}
	if w.Code != 200 || w.Header().Get("Cache-Control") != "public, max-age=300" || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("status %d, header %v", w.Code, w.Header())
	}
	var set map[string][]map[string]string
	if err := json.Unmarshal(w.Body.Bytes(), &set); err != nil {
		t.Fatal(err)
	}
	if len(set) != 1 {
		t.Errorf("members beside keys: %s", w.Body)
	}
	return set["keys"]
}

// parseWebKey reads a public key as RFC 7517 says, with nothing of the code that wrote it.
func parseWebKey(jwk map[string]string) (crypto.PublicKey, error) {
	number := func(member string) []byte {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(jwk[member])
		if err != nil {
			return nil
		}
		return raw
	}
	switch jwk["kty"] + " " + jwk["crv"] + " " + jwk["alg"] {
	case "OKP Ed25519 EdDSA":
		return ed25519.PublicKey(number("x")), nil
	case "EC P-256 ES256":
		return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, number("x")...), number("y")...))
	case "RSA  RS256":
		return &rsa.PublicKey{N: new(big.Int).SetBytes(number("n")), E: int(new(big.Int).SetBytes(number("e")).Int64())}, nil
	}
	return nil, fmt.Errorf("an unknown kind of key: %v", jwk)
}

func TestTheKeySetHasPublicMembersOnly(t *testing.T) {
	members := map[Algorithm][]string{
		EdDSA: {"alg", "crv", "kid", "kty", "use", "x"},
		ES256: {"alg", "crv", "kid", "kty", "use", "x", "y"},
		RS256: {"alg", "e", "kid", "kty", "n", "use"},
	}
	var keys []*key
	for _, a := range Algorithms() {
		keys = append(keys, testKeyOf(a, "newest-"+string(a)), testKeyOf(a, "oldest-"+string(a)))
	}
	published := publishedKeys(t, keysOf(t, keys...))
	if len(published) != len(keys) {
		t.Fatalf("%d keys, want %d", len(published), len(keys))
	}
	for i, jwk := range published {
		k := keys[i]
		if jwk["kid"] != k.id || jwk["alg"] != k.algorithm || jwk["use"] != "sig" {
			t.Errorf("key %d is %v, want that of %s", i, jwk, k.id)
		}
		for _, name := range members[Algorithm(k.algorithm)] {
			if jwk[name] == "" {
				t.Errorf("%s has no %s", k.id, name)
			}
		}
		if len(jwk) != len(members[Algorithm(k.algorithm)]) {
			t.Errorf("%s has other members: %v", k.id, jwk)
		}
		public, err := parseWebKey(jwk)
		if err != nil || !k.public.(interface{ Equal(crypto.PublicKey) bool }).Equal(public) {
			t.Errorf("%s is another key once it is read: %v", k.id, err)
		}
	}
	all := fmt.Sprint(published)
	for _, k := range keys {
		for _, secret := range privateParts(k.private) {
			if strings.Contains(all, base64.RawURLEncoding.EncodeToString(secret)) {
				t.Errorf("the private half of %s is published", k.id)
			}
		}
	}
}

// privateParts returns the numbers of a private key that nobody else may know.
func privateParts(private crypto.Signer) [][]byte {
	switch k := private.(type) {
	case ed25519.PrivateKey:
		return [][]byte{k.Seed()}
	case *ecdsa.PrivateKey:
		d, err := k.Bytes()
		if err != nil {
			panic(err)
		}
		return [][]byte{d}
	case *rsa.PrivateKey:
		return [][]byte{k.D.Bytes(), k.Primes[0].Bytes(), k.Primes[1].Bytes(), k.Precomputed.Dp.Bytes(), k.Precomputed.Qinv.Bytes()}
	}
	panic("an unknown type of key")
}

// TestSmallCoordinatesKeepTheirLength makes keys until a coordinate begins with a zero byte, which must not be left out
// (RFC 7518 §6.2.1.2).
func TestSmallCoordinatesKeepTheirLength(t *testing.T) {
	short := 0
	for i := 0; short < 2 && i < 10_000; i++ {
		k := testKeyOf(ES256, fmt.Sprintf("key-%d", i))
		point, err := k.public.(*ecdsa.PublicKey).Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if point[1] != 0 && point[33] != 0 {
			continue
		}
		short++
		jwk := publishedKeys(t, keysOf(t, k))[0]
		if len(jwk["x"]) != 43 || len(jwk["y"]) != 43 {
			t.Errorf("the coordinates have %d and %d characters, want 43", len(jwk["x"]), len(jwk["y"]))
		}
		if public, err := parseWebKey(jwk); err != nil || !k.public.(*ecdsa.PublicKey).Equal(public) {
			t.Errorf("%s is another key once it is read: %v", k.id, err)
		}
	}
	if short < 2 {
		t.Errorf("%d keys with a short coordinate: the test tests nothing", short)
	}
}

// TestAnEmptyKeySetIsNeverPublished holds that a verifier is told to come back, not to forget what it has.
func TestAnEmptyKeySetIsNeverPublished(t *testing.T) {
	response, err := (&Handlers{Keys: new(Keys)}).GetJwks(context.Background(), api.GetJwksRequestObject{})
	if response != nil || !problem.Unavailable.Is(err) || problem.From(err).RetryAfter <= 0 {
		t.Errorf("response %v, error %v", response, err)
	}
	if strings.Contains(problem.From(err).Detail, "gatehouse signing-key") {
		t.Errorf("clients are told what is for the operator: %v", err)
	}
}

// TestAPublishedKeyVerifies takes nothing from the service but the key set, as another service would.
func TestAPublishedKeyVerifies(t *testing.T) {
	eachAlgorithm(t, func(t *testing.T, a Algorithm) {
		keys := keysOf(t, testKeyOf(a, testKeyID))
		s := &Signer{Keys: keys, Issuer: testIssuer, Audience: testAudience, Exceptions: new(auth.Exceptions), Now: func() time.Time { return testNow }, Random: rand.Reader}
		token, err := s.Sign(Grant{Subject: "user-1", ClientID: FirstParty})
		if err != nil {
			t.Fatal(err)
		}
		jwk := publishedKeys(t, keys)[0]
		public, err := parseWebKey(jwk)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := jwt.Parse(token, func(*jwt.Token) (any, error) { return public, nil },
			jwt.WithValidMethods([]string{jwk["alg"]}), jwt.WithTimeFunc(s.Now), jwt.WithIssuer(testIssuer), jwt.WithAudience(testAudience))
		if err != nil {
			t.Fatalf("the published key does not verify the token: %v", err)
		}
		if diff := cmp.Diff(map[string]any{"alg": string(a), "kid": jwk["kid"], "typ": "at+jwt"}, parsed.Header); diff != "" {
			t.Errorf("header (-want +got):\n%s", diff)
		}
		v, _, _ := testVerifierOf(t, keys)
		if _, err := verify(v, token); err != nil {
			t.Errorf("our verifier refuses it: %v", err)
		}
	})
}
