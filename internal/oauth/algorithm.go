package oauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"example.com/gatehouse/gen/api"
)

// Algorithm is the signature algorithm of a signing key, under its name in JWS (RFC 7518 §3.1, RFC 8037 §3.1). There is
// none with a shared secret: beside a public key it would let the public key pass for the secret (RFC 8725 §2.1).
type Algorithm string

// The algorithms that a signing key may have.
const (
	EdDSA Algorithm = "EdDSA" // with Ed25519
	ES256 Algorithm = "ES256"
	RS256 Algorithm = "RS256"
)

// The size of RSA keys, in bits. 3072 are as strong as the 128 bits of the other two (NIST SP 800-57 part 1, table 2);
// RFC 7518 §3.3 forbids less than 2048. More than 4096 cost a verifier more than they give it.
const (
	rsaBits    = 3072
	rsaBitsMin = 2048
	rsaBitsMax = 4096
	// rsaExponentMin is the usual public exponent: smaller ones have a history of forged signatures.
	rsaExponentMin = 65537
)

// Algorithms returns the algorithms, the default first.
func Algorithms() []Algorithm { return []Algorithm{EdDSA, ES256, RS256} }

// ParseAlgorithm returns the algorithm of that name, letter for letter.
func ParseAlgorithm(name string) (Algorithm, error) {
	if a := Algorithm(name); slices.Contains(Algorithms(), a) {
		return a, nil
	}
	var names []string
	for _, a := range Algorithms() {
		names = append(names, string(a))
	}
	return "", fmt.Errorf("the signing algorithm is none of %s", strings.Join(names, ", "))
}

func (a Algorithm) method() jwt.SigningMethod {
	switch a {
	case EdDSA:
		return jwt.SigningMethodEdDSA
	case ES256:
		return jwt.SigningMethodES256
	case RS256:
		return jwt.SigningMethodRS256
	}
	return nil
}

// generate makes a private key. crypto/ecdsa and crypto/rsa take their randomness from the operating system, whatever
// they are given.
func (a Algorithm) generate(random io.Reader) (crypto.Signer, error) {
	switch a {
	case EdDSA:
		seed := make([]byte, ed25519.SeedSize)
		if _, err := io.ReadFull(random, seed); err != nil {
			return nil, fmt.Errorf("read randomness for a signing key: %w", err)
		}
		return ed25519.NewKeyFromSeed(seed), nil
	case ES256:
		return ecdsa.GenerateKey(elliptic.P256(), random)
	case RS256:
		return rsa.GenerateKey(random, rsaBits)
	}
	return nil, errors.New("a signing key needs an algorithm")
}

// fit returns the private key where it is one of the algorithm: its type, its curve and its size. It is asked of each key
// that is loaded, because golang-jwt looks at the type alone, and at the curve only when it signs.
func (a Algorithm) fit(private any) (crypto.Signer, error) {
	switch k := private.(type) {
	case ed25519.PrivateKey:
		if a == EdDSA && len(k) == ed25519.PrivateKeySize {
			return k, nil
		}
	case *ecdsa.PrivateKey:
		if a == ES256 && k.Curve == elliptic.P256() {
			return k, nil
		}
	case *rsa.PrivateKey:
		bits := k.N.BitLen()
		if a == RS256 && rsaBitsMin <= bits && bits <= rsaBitsMax && k.E >= rsaExponentMin && k.Validate() == nil {
			return k, nil
		}
	}
	return nil, fmt.Errorf("it has not the type, curve or size of an %s key", a)
}

// encodePublic returns the public half as text for the table: the 32 bytes of an Ed25519 key, as they always stood there,
// or a SubjectPublicKeyInfo (RFC 5280 §4.1), in base64url.
func encodePublic(public crypto.PublicKey) (string, error) {
	if raw, ok := public.(ed25519.PublicKey); ok {
		return base64.RawURLEncoding.EncodeToString(raw), nil
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	return base64.RawURLEncoding.EncodeToString(der), err
}

// webKey returns the public half as a JSON Web Key (RFC 7517 §4). It is made from the public key alone, so that no private
// member can come into it.
func webKey(kid string, public crypto.PublicKey) (jwk api.JsonWebKey, err error) {
	text := base64.RawURLEncoding.EncodeToString
	switch k := public.(type) {
	case ed25519.PublicKey:
		err = jwk.FromJsonWebKeyOkp(api.JsonWebKeyOkp{
			Kty: api.JsonWebKeyOkpKtyOKP, Crv: api.JsonWebKeyOkpCrvEd25519, Use: api.JsonWebKeyOkpUseSig, Alg: api.JsonWebKeyOkpAlgEdDSA,
			Kid: kid, X: text(k),
		})
	case *ecdsa.PublicKey:
		// 4, x, y, each coordinate in all of its 32 bytes, which RFC 7518 §6.2.1.2 demands of ours too.
		point, wrong := k.Bytes()
		if wrong != nil {
			return jwk, wrong
		}
		half := len(point) / 2
		err = jwk.FromJsonWebKeyEc(api.JsonWebKeyEc{
			Kty: api.JsonWebKeyEcKtyEC, Crv: api.JsonWebKeyEcCrvP256, Use: api.JsonWebKeyEcUseSig, Alg: api.JsonWebKeyEcAlgES256,
			Kid: kid, X: text(point[1 : half+1]), Y: text(point[half+1:]),
		})
	case *rsa.PublicKey:
		err = jwk.FromJsonWebKeyRsa(api.JsonWebKeyRsa{
			Kty: api.JsonWebKeyRsaKtyRSA, Use: api.JsonWebKeyRsaUseSig, Alg: api.JsonWebKeyRsaAlgRS256,
			Kid: kid, N: text(k.N.Bytes()), E: text(big.NewInt(int64(k.E)).Bytes()),
		})
	default:
		err = errors.New("a public key of an unknown type")
	}
	return jwk, err
}
