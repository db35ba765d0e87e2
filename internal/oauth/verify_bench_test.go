package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"testing"

	"example.com/gatehouse/internal/auth"
)

// benchAlgorithms runs f once for each algorithm, with the size that RSA keys are made in.
func benchAlgorithms(b *testing.B, f func(b *testing.B, v *Verifier, token string)) {
	for _, a := range Algorithms() {
		b.Run(string(a), func(b *testing.B) {
			private, err := a.generate(rand.Reader)
			if err != nil {
				b.Fatal(err)
			}
			k := &key{id: testKeyID, algorithm: string(a), private: private, public: private.Public()}
			v, _, _ := testVerifierOf(b, keysOf(b, k))
			f(b, v, newDraftBy(k).token())
		})
	}
}

// BenchmarkVerifyHit is a token that was verified a short while ago.
func BenchmarkVerifyHit(b *testing.B) {
	benchAlgorithms(b, func(b *testing.B, v *Verifier, token string) {
		bearer := auth.BearerToken{Secret: auth.Secret(token)}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := v.Verify(context.Background(), bearer); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkHash is the part of a hit that the length of the token decides.
func BenchmarkHash(b *testing.B) {
	token := []byte(newDraft().token())
	for b.Loop() {
		sha256.Sum256(token)
	}
}

// BenchmarkVerifyMiss is a token that is seen for the first time.
func BenchmarkVerifyMiss(b *testing.B) {
	benchAlgorithms(b, func(b *testing.B, v *Verifier, token string) {
		hash := hashOf(token)
		b.ReportAllocs()
		for b.Loop() {
			v.verified.Invalidate(hash)
			if _, err := verify(v, token); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSign(b *testing.B) {
	benchAlgorithms(b, func(b *testing.B, v *Verifier, _ string) {
		s := &Signer{Keys: v.config.Keys, Issuer: testIssuer, Audience: testAudience, Exceptions: new(auth.Exceptions), Now: v.config.Now, Random: rand.Reader}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Sign(Grant{Subject: "user-1", ClientID: FirstParty}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPreparse(b *testing.B) {
	token := newDraft().token()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := preparse(token); err != nil {
			b.Fatal(err)
		}
	}
}
