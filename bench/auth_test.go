package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func durations(values ...int) (list []time.Duration) {
	for _, v := range values {
		list = append(list, time.Duration(v))
	}
	return list
}

// TestMannWhitney: the p are worked out by hand, with the correction for continuity and for ties.
func TestMannWhitney(t *testing.T) {
	for _, row := range []struct {
		name          string
		first, second []time.Duration
		longer, p     float64
	}{
		{"apart", durations(11, 12, 13, 14, 15), durations(1, 2, 3, 4, 5), 1, 0.01219},
		{"apart the other way", durations(1, 2, 3, 4, 5), durations(11, 12, 13, 14, 15), 0, 0.01219},
		{"one between the other", durations(1, 4, 5, 8), durations(2, 3, 6, 7), 0.5, 1},
		{"the same", durations(1, 2, 3), durations(1, 2, 3), 0.5, 1},
		{"all equal", durations(7, 7, 7), durations(7, 7, 7), 0.5, 1},
		{"ties", durations(3, 3, 4, 5), durations(1, 2, 3, 3), 0.875, 0.09072},
		{"nothing", nil, nil, 0.5, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := mannWhitney(row.first, row.second)
			if math.Abs(r.longer-row.longer) > 1e-9 || math.Abs(r.p-row.p) > 1e-4 {
				t.Errorf("longer %.4f, p = %.5f, want %.4f and %.5f", r.longer, r.p, row.longer, row.p)
			}
		})
	}
}

func TestMeaning(t *testing.T) {
	for p, tells := range map[float64]bool{0: true, 0.0099: true, 0.01: false, 0.5: false, 1: false} {
		if strings.Contains(rankSum{p: p}.meaning(), "tells which") != tells {
			t.Errorf("p = %v: %s", p, rankSum{p: p}.meaning())
		}
	}
}

func TestQuantile(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(100 - i)
	}
	for share, want := range map[float64]time.Duration{0: 1, 0.5: 51, 0.99: 100, 1: 100} {
		if got := quantile(hundred, share); got != want {
			t.Errorf("%v: %d, want %d", share, got, want)
		}
	}
	if got := quantile(nil, 0.99); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func TestPublicKeyVerifiesWhatThePrivateOneSigns(t *testing.T) {
	b64 := base64.RawURLEncoding.EncodeToString
	public, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := ecKey.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	set := fmt.Sprintf(`{"keys":[{"alg":"EdDSA","x":%q},{"alg":"ES256","x":%q,"y":%q},{"alg":"RS256","n":%q,"e":%q}]}`,
		b64(public), b64(point[1:33]), b64(point[33:]), b64(rsaKey.N.Bytes()), b64(big.NewInt(int64(rsaKey.E)).Bytes()))
	for algorithm, private := range map[string]any{"EdDSA": edKey, "ES256": ecKey, "RS256": rsaKey} {
		token, err := jwt.New(jwt.GetSigningMethod(algorithm)).SignedString(private)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := jwt.Parse(token, func(*jwt.Token) (any, error) { return publicKey([]byte(set), algorithm) }); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
	for name, bad := range map[string]string{
		"no JSON": "x", "no key": `{"keys":[]}`, "another key": `{"keys":[{"alg":"RS256"}]}`, "a short key": `{"keys":[{"alg":"EdDSA","x":"AAAA"}]}`,
		"no base64": `{"keys":[{"alg":"EdDSA","x":"!"}]}`,
	} {
		if _, err := publicKey([]byte(bad), "EdDSA"); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestKeyID(t *testing.T) {
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"EdDSA","kid":"k1"}`))
	if kid, err := keyID(header + ".e30.x"); err != nil || kid != "k1" {
		t.Errorf("%q, %v", kid, err)
	}
	for _, token := range []string{"", "!.x.y", "e30"} {
		if kid, err := keyID(token); kid != "" || token != "e30" && err == nil {
			t.Errorf("%q: %q, %v", token, kid, err)
		}
	}
}

func TestRunAuthRefusesWhatItDoesNotKnow(t *testing.T) {
	if err := runAuth(t.Context(), options{auth: "login"}, nil); err == nil {
		t.Error("no error")
	}
}
