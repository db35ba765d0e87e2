package oauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"math/big"
	"slices"
	"testing"
)

// signatureForgeries are signatures that broken implementations of the algorithm have accepted.
func signatureForgeries(t *testing.T, a Algorithm) []forgery {
	t.Helper()
	switch a {
	case EdDSA:
		return ed25519Forgeries()
	case ES256:
		return ecdsaForgeries(t)
	}
	return rsaForgeries(t)
}

// signed replaces the signature.
func signed(by func(input string) []byte) func(*draft) { return func(d *draft) { d.sign = by } }

func ed25519Forgeries() []forgery {
	k := testKey(testKeyID)
	// The order of the group, little endian (RFC 8032 §5.1).
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	return []forgery{
		// RFC 8032 §5.1.7 demands s < L. Without the check each signature has a twin.
		{"s plus the order of the group", signed(func(input string) []byte {
			signature := k.sign(input)
			s := slices.Clone(signature[32:])
			slices.Reverse(s)
			sum := new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(make([]byte, 32))
			slices.Reverse(sum)
			return append(signature[:32:32], sum...)
		}), badSignature},
		{"the identity as R and zero as s", signed(func(string) []byte { return append([]byte{1}, make([]byte, 63)...) }), badSignature},
		{"a signature of Ed25519ph", signed(func(input string) []byte {
			digest := sha512.Sum512([]byte(input))
			s, err := k.private.Sign(nil, digest[:], &ed25519.Options{Hash: crypto.SHA512})
			if err != nil {
				panic(err)
			}
			return s
		}), badSignature},
		{"a signature of Ed25519ctx", signed(func(input string) []byte {
			s, err := k.private.Sign(nil, []byte(input), &ed25519.Options{Context: "at+jwt"})
			if err != nil {
				panic(err)
			}
			return s
		}), badSignature},
		{"R and s exchanged", signed(func(input string) []byte { s := k.sign(input); return append(s[32:64:64], s[:32]...) }), badSignature},
	}
}

func ecdsaForgeries(t *testing.T) []forgery {
	private := testKeyOf(ES256, testKeyID).private.(*ecdsa.PrivateKey)
	n := elliptic.P256().Params().N
	plain := func(r, s *big.Int) []byte {
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
	fixed := func(r, s *big.Int) func(*draft) { return signed(func(string) []byte { return plain(r, s) }) }
	wide, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	zero, one := big.NewInt(0), big.NewInt(1)
	return []forgery{
		// CVE-2022-21449: r = s = 0 verified everything.
		{"r and s zero", fixed(zero, zero), badSignature},
		{"r zero", fixed(zero, one), badSignature},
		{"s zero", fixed(one, zero), badSignature},
		{"r and s one", fixed(one, one), badSignature},
		{"r and s the order of the group", fixed(n, n), badSignature},
		{"r one, s the order of the group", fixed(one, n), badSignature},
		{"r and s one less than the order of the group", fixed(new(big.Int).Sub(n, one), new(big.Int).Sub(n, one)), badSignature},
		// RFC 7518 §3.4: two numbers of 32 bytes, not the DER of X.509.
		{"the good signature in DER", signed(func(input string) []byte {
			digest := sha256.Sum256([]byte(input))
			s, err := ecdsa.SignASN1(rand.Reader, private, digest[:])
			if err != nil {
				panic(err)
			}
			return s
		}), badSignature},
		{"a signature over SHA-384", signed(func(input string) []byte {
			digest := sha512.Sum384([]byte(input))
			r, s, err := ecdsa.Sign(rand.Reader, private, digest[:])
			if err != nil {
				panic(err)
			}
			return plain(r, s)
		}), badSignature},
		{"a signature of a P-384 key", signed(func(input string) []byte {
			digest := sha256.Sum256([]byte(input))
			r, s, err := ecdsa.Sign(rand.Reader, wide, digest[:])
			if err != nil {
				panic(err)
			}
			return append(r.FillBytes(make([]byte, 48)), s.FillBytes(make([]byte, 48))...)
		}), badSignature},
		{"r and s exchanged", signed(func(input string) []byte {
			s := testKeyOf(ES256, testKeyID).sign(input)
			return append(s[32:64:64], s[:32]...)
		}), badSignature},
	}
}

func rsaForgeries(t *testing.T) []forgery {
	t.Helper()
	private := testKeyOf(RS256, testKeyID).private.(*rsa.PrivateKey)
	size := private.Size()
	signWith := func(hash crypto.Hash, pss bool) func(*draft) {
		return signed(func(input string) []byte {
			h := hash.New()
			h.Write([]byte(input))
			var options crypto.SignerOpts = hash
			if pss {
				options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
			}
			s, err := private.Sign(rand.Reader, h.Sum(nil), options)
			if err != nil {
				panic(err)
			}
			return s
		})
	}
	number := func(n *big.Int) func(*draft) {
		return signed(func(string) []byte { return n.FillBytes(make([]byte, size)) })
	}
	// raw signs a padded message as it stands, which is how a forger with an oracle would.
	raw := func(padded func(digest []byte) []byte) func(*draft) {
		return signed(func(input string) []byte {
			digest := sha256.Sum256([]byte(input))
			m := new(big.Int).SetBytes(padded(digest[:]))
			return new(big.Int).Exp(m, private.D, private.N).FillBytes(make([]byte, size))
		})
	}
	prefix := []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}
	pad := func(info []byte, length int, filler byte) []byte {
		block := append([]byte{0, 1}, slices.Repeat([]byte{filler}, length)...)
		return append(append(block, 0), info...)
	}
	one := big.NewInt(1)
	return []forgery{
		{"a signature of RS384", signWith(crypto.SHA384, false), badSignature},
		{"a signature of RS512", signWith(crypto.SHA512, false), badSignature},
		{"a signature of PS256", signWith(crypto.SHA256, true), badSignature},
		{"the number one", number(one), badSignature},
		{"the modulus", number(private.N), badSignature},
		{"one less than the modulus", number(new(big.Int).Sub(private.N, one)), badSignature},
		{"the good signature plus the modulus", signed(func(input string) []byte {
			s := new(big.Int).SetBytes(testKeyOf(RS256, testKeyID).sign(input))
			return s.Add(s, private.N).FillBytes(make([]byte, size+1))
		}), badSignature},
		// Bleichenbacher's forgery of 2006: bytes after the digest.
		{"bytes after the digest", raw(func(digest []byte) []byte {
			info := append(slices.Clone(prefix), digest...)
			return append(pad(info, 8, 0xff), slices.Repeat([]byte{1}, size-len(info)-11)...)
		}), badSignature},
		{"padding of other bytes", raw(func(digest []byte) []byte {
			info := append(slices.Clone(prefix), digest...)
			return pad(info, size-len(info)-3, 0xfe)
		}), badSignature},
		{"a digest without the name of its hash", raw(func(digest []byte) []byte { return pad(digest, size-len(digest)-3, 0xff) }), badSignature},
		{"a digest under the name of SHA-1", raw(func(digest []byte) []byte {
			info := append([]byte{0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14}, digest[:20]...)
			return pad(info, size-len(info)-3, 0xff)
		}), badSignature},
		{"a digest without the NULL of its parameters", raw(func(digest []byte) []byte {
			info := append([]byte{0x30, 0x2f, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x04, 0x20}, digest...)
			return pad(info, size-len(info)-3, 0xff)
		}), badSignature},
	}
}

// TestTheRawSignatureOfATestIsGood holds rsaForgeries to differ from a good signature in what a row says and nothing else.
func TestTheRawSignatureOfATestIsGood(t *testing.T) {
	k := testKeyOf(RS256, testKeyID)
	private := k.private.(*rsa.PrivateKey)
	digest := sha256.Sum256([]byte("input"))
	info := append([]byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}, digest[:]...)
	block := append([]byte{0, 1}, slices.Repeat([]byte{0xff}, private.Size()-len(info)-3)...)
	m := new(big.Int).SetBytes(append(append(block, 0), info...))
	signature := new(big.Int).Exp(m, private.D, private.N).FillBytes(make([]byte, private.Size()))
	if !slices.Equal(signature, k.sign("input")) {
		t.Error("the padding of the test is not that of RFC 8017 §9.2")
	}
}
