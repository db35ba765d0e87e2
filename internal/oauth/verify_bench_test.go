package oauth

import (
	"context"
	"crypto/sha256"
	"testing"

	"example.com/gatehouse/internal/auth"
)

func BenchmarkVerifyHit(b *testing.B) {
	v, _, _ := testVerifier(b)
	token := auth.BearerToken{Secret: auth.Secret(newDraft().token())}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(context.Background(), token); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHash is the part of a hit that the length of the token decides.
func BenchmarkHash(b *testing.B) {
	token := []byte(newDraft().token())
	for b.Loop() {
		sha256.Sum256(token)
	}
}

func BenchmarkVerifyMiss(b *testing.B) {
	v, _, _ := testVerifier(b)
	token := newDraft().token()
	hash := hashOf(token)
	b.ReportAllocs()
	for b.Loop() {
		v.verified.Invalidate(hash)
		if _, err := verify(v, token); err != nil {
			b.Fatal(err)
		}
	}
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
