// Package oauth is the authorization server: it keeps the signing keys, issues access tokens and verifies them.
package oauth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

// algorithm is the one signature algorithm. There is no second one, and above all none with a shared secret,
// so that no header of a token can choose how it is checked (RFC 8725 §3.1).
const algorithm = "EdDSA"

// sealedPrefix names the form of a private key at rest, so that a later form can stand beside it.
const sealedPrefix = "a256gcm."

// Keys are the signing keys in force. They never change after they were loaded, so that several goroutines may use
// them at once.
type Keys struct {
	newestFirst []*key
	byID        map[string]*key
}

type key struct {
	id        string
	algorithm string
	private   ed25519.PrivateKey
	public    ed25519.PublicKey
}

func newKeys(newestFirst []*key) (*Keys, error) {
	if len(newestFirst) == 0 {
		return nil, errors.New("there is no signing key in force")
	}
	byID := make(map[string]*key, len(newestFirst))
	for _, k := range newestFirst {
		byID[k.id] = k
	}
	return &Keys{newestFirst: newestFirst, byID: byID}, nil
}

// signing returns the key that signs: the newest.
func (k *Keys) signing() *key { return k.newestFirst[0] }

// find returns the key that a kid names, exactly, or nil.
func (k *Keys) find(kid string) *key { return k.byID[kid] }

// maxKeyID bounds a kid, ours and that of a token.
const maxKeyID = 128

// validKeyID reports whether a kid has only characters that mean nothing to a path, a query or a log.
func validKeyID(kid string) bool {
	if len(kid) == 0 || len(kid) > maxKeyID {
		return false
	}
	for i := range len(kid) {
		c := kid[i]
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

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
func (s sealer) seal(random io.Reader, kid string, private ed25519.PrivateKey) (string, error) {
	nonce := make([]byte, s.aead.NonceSize(), s.aead.NonceSize()+ed25519.SeedSize+s.aead.Overhead())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	sealed := s.aead.Seal(nonce, nonce, private.Seed(), []byte(kid))
	return sealedPrefix + base64.RawURLEncoding.EncodeToString(sealed), nil
}

var errCannotOpen = errors.New("the sealed key does not open")

func (s sealer) open(kid, text string) (ed25519.PrivateKey, error) {
	encoded, found := strings.CutPrefix(text, sealedPrefix)
	if !found {
		return nil, errCannotOpen
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || len(sealed) < s.aead.NonceSize() {
		return nil, errCannotOpen
	}
	n := s.aead.NonceSize()
	seed, err := s.aead.Open(nil, sealed[:n], sealed[n:], []byte(kid))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, errCannotOpen
	}
	return ed25519.NewKeyFromSeed(seed), nil
}
