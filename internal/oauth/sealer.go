package oauth

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The forms of a private key at rest, by how the text begins. Keys are written in the first, a PKCS #8 document of any
// algorithm. The second is an Ed25519 seed, which is how keys were written before there were other algorithms: it is read
// for as long as such keys live, and needs no migration.
const (
	sealedPrefix     = "a256gcm-pkcs8."
	sealedSeedPrefix = "a256gcm."
)

// sealer encrypts private keys at rest. The kid is additional data: a sealed key that is moved to the row of
// another kid does not open.
type sealer struct{ aead cipher.AEAD }

func newSealer(encryptionKey [32]byte) (sealer, error) {
	block, err := aes.NewCipher(encryptionKey[:])
	if err != nil {
		return sealer{}, err
	}
	aead, err := cipher.NewGCM(block)
	return sealer{aead}, err
}

// seal returns the private key as text: the prefix, then base64url of nonce and ciphertext.
// A random nonce is safe here: a service makes a few keys a year, and GCM's bound is 2^32.
func (s sealer) seal(random io.Reader, kid string, private crypto.Signer) (string, error) {
	document, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, s.aead.NonceSize(), s.aead.NonceSize()+len(document)+s.aead.Overhead())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	sealed := s.aead.Seal(nonce, nonce, document, []byte(kid))
	return sealedPrefix + base64.RawURLEncoding.EncodeToString(sealed), nil
}

var errCannotOpen = errors.New("the sealed key does not open")

// open returns the private key, of whatever type it is.
func (s sealer) open(kid, text string) (any, error) {
	if encoded, found := strings.CutPrefix(text, sealedPrefix); found {
		document, err := s.decrypt(kid, encoded)
		if err != nil {
			return nil, err
		}
		return x509.ParsePKCS8PrivateKey(document)
	}
	encoded, found := strings.CutPrefix(text, sealedSeedPrefix)
	if !found {
		return nil, errCannotOpen
	}
	seed, err := s.decrypt(kid, encoded)
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, errCannotOpen
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

func (s sealer) decrypt(kid, encoded string) ([]byte, error) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || len(sealed) < s.aead.NonceSize() {
		return nil, errCannotOpen
	}
	n := s.aead.NonceSize()
	plain, err := s.aead.Open(nil, sealed[:n], sealed[n:], []byte(kid))
	if err != nil {
		return nil, errCannotOpen
	}
	return plain, nil
}
