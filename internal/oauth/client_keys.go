package oauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/go-json-experiment/json/jsontext"

	"example.com/gatehouse/gen/api"
)

const (
	// maxClientKeys bounds the keys of a client: the one that it signs with, the next one, and some to spare.
	maxClientKeys = 5
	// maxClientKeysBytes bounds the file. Five RSA keys of the largest size are 4 KB; what else stands beside them is not kept.
	maxClientKeysBytes = 32 << 10
)

// PublicKeys are the keys by which a client proves itself: a JSON Web Key Set (RFC 7517 §5) as ReadPublicKeys writes it. "" is none.
type PublicKeys string

// ReadPublicKeys reads a JSON Web Key Set. It refuses private members, keys that are too weak, and keys that no kid tells apart. The
// result is written anew, from the public halves alone: nothing else of the file is kept.
func ReadPublicKeys(r io.Reader) (PublicKeys, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxClientKeysBytes+1))
	if err != nil {
		return "", err
	}
	if len(text) > maxClientKeysBytes {
		return "", fmt.Errorf("the key set has more than %d bytes", maxClientKeysBytes)
	}
	keys, err := parseKeySet(text)
	if err != nil {
		return "", err
	}
	var set api.JsonWebKeySet
	for _, k := range keys {
		jwk, err := webKey(k.id, k.public)
		if err != nil {
			return "", err
		}
		set.Keys = append(set.Keys, jwk)
	}
	written, err := json.Marshal(set)
	return PublicKeys(written), err
}

// IDs returns the kid of each key.
func (p PublicKeys) IDs() (ids []string) {
	keys, _ := parseKeySet([]byte(p)) // a set that cannot be read has none: whoever uses a key is told
	for _, k := range keys {
		ids = append(ids, k.id)
	}
	return ids
}

// find returns the key of a kid, or nil where there is none.
func (p PublicKeys) find(kid string) (*key, error) {
	keys, err := parseKeySet([]byte(p))
	if err != nil {
		return nil, fmt.Errorf("the public keys of a client in the database cannot be used, give them anew with gatehouse client rotate: %w", err)
	}
	for _, k := range keys {
		if k.id == kid {
			return k, nil
		}
	}
	return nil, nil
}

func parseKeySet(text []byte) (list []*key, err error) {
	err = readObject(text, func(name string, r *jsontext.Decoder) error {
		if name != "keys" { // RFC 7517 §5: other members are ignored
			return skipValue(r)
		}
		list, err = readKeys(r)
		return err
	})
	if wrong := refusal(""); errors.As(err, &wrong) {
		// It is no credential that is wrong here, but a file of the operator.
		return nil, fmt.Errorf("the key set cannot be read: %s", string(wrong))
	}
	if err == nil && len(list) == 0 {
		return nil, errors.New(`the key set has no key: it is {"keys":[...]}, with at least one`)
	}
	return list, err
}

func readKeys(r *jsontext.Decoder) (list []*key, err error) {
	if r.PeekKind() != '[' {
		return nil, refusal("a member that must be an array")
	}
	if _, err := r.ReadToken(); err != nil {
		return nil, errJSON
	}
	known := map[string]bool{}
	for r.PeekKind() != ']' {
		raw, err := r.ReadValue()
		if err != nil {
			return nil, errJSON
		}
		var j jwk
		if err := readObject(raw, j.read); err != nil {
			return nil, err
		}
		k, err := j.key()
		if err != nil {
			return nil, err
		}
		if known[k.id] {
			return nil, fmt.Errorf("two keys of the key set have the kid %s: each needs its own", k.id)
		}
		known[k.id] = true
		if list = append(list, k); len(list) > maxClientKeys {
			return nil, fmt.Errorf("the key set has more than %d keys", maxClientKeys)
		}
	}
	_, err = r.ReadToken()
	return list, err
}

// jwk is a public key as a client writes it (RFC 7517 §4).
type jwk struct {
	kty, crv, x, y, n, e, alg, kid, use string
}

func (j *jwk) read(name string, r *jsontext.Decoder) (err error) {
	members := map[string]*string{
		"kty": &j.kty, "crv": &j.crv, "x": &j.x, "y": &j.y, "n": &j.n, "e": &j.e, "alg": &j.alg, "kid": &j.kid, "use": &j.use,
	}
	if member := members[name]; member != nil {
		*member, err = readString(r)
		return err
	}
	switch name {
	case "d", "p", "q", "dp", "dq", "qi", "oth", "k":
		// RFC 7518 §6.2.2, §6.3.2, §6.4.1. Who has it can be the client: it must not have been sent at all.
		return errors.New("the key set holds the private half of a key: give the public half alone, and make another key if this file was seen by others")
	}
	return skipValue(r)
}

// key returns the key where it is one of our algorithms, which it decides itself: its type, its curve and its size.
func (j *jwk) key() (*key, error) {
	if !validKeyID(j.kid) {
		return nil, errors.New("a key of the key set has no kid of [A-Za-z0-9._-]{1,128}: assertions name their key by it")
	}
	algorithm, public := j.public()
	switch {
	case public == nil:
		return nil, fmt.Errorf("the key %s is none that can be used: give Ed25519, P-256, or RSA with %d to %d bits", j.kid, rsaBitsMin, rsaBitsMax)
	case j.alg != "" && j.alg != string(algorithm):
		return nil, fmt.Errorf("the key %s says another alg than %s, which is the one of such keys here", j.kid, algorithm)
	case j.use != "" && j.use != "sig":
		return nil, fmt.Errorf("the key %s is for another use than signatures", j.kid)
	}
	return &key{id: j.kid, algorithm: string(algorithm), public: public}, nil
}

func (j *jwk) public() (Algorithm, crypto.PublicKey) {
	switch j.kty + " " + j.crv {
	case "OKP Ed25519": // RFC 8037 §2
		if x, err := decodePart(j.x); err == nil && len(x) == ed25519.PublicKeySize {
			return EdDSA, ed25519.PublicKey(x)
		}
	case "EC P-256": // RFC 7518 §6.2.1: coordinates have all of their 32 bytes
		x, wrongX := decodePart(j.x)
		y, wrongY := decodePart(j.y)
		if wrongX != nil || wrongY != nil || len(x) != 32 || len(y) != 32 {
			break
		}
		// It refuses what is no point of the curve.
		if public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...)); err == nil {
			return ES256, public
		}
	case "RSA ": // RFC 7518 §6.3.1
		n, wrongN := decodePart(j.n)
		e, wrongE := decodePart(j.e)
		if wrongN != nil || wrongE != nil || len(e) > 4 {
			break
		}
		public := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
		// An even modulus or exponent is no key: it has a factor that everybody knows, or no inverse.
		odd := public.N.Bit(0) == 1 && public.E&1 == 1
		if bits := public.N.BitLen(); odd && rsaBitsMin <= bits && bits <= rsaBitsMax && public.E >= rsaExponentMin && public.E < 1<<31 {
			return RS256, public
		}
	}
	return "", nil
}
