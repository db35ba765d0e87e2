package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
)

// publicKey returns the key of the algorithm in a JWK set, RFC 7517.
func publicKey(set []byte, algorithm string) (crypto.PublicKey, error) {
	var keys struct {
		Keys []struct{ Alg, X, Y, N, E string }
	}
	if err := json.Unmarshal(set, &keys); err != nil {
		return nil, fmt.Errorf("the key set is not JSON: %w", err)
	}
	for _, k := range keys.Keys {
		if k.Alg != algorithm {
			continue
		}
		parts := make(map[string][]byte)
		for name, text := range map[string]string{"x": k.X, "y": k.Y, "n": k.N, "e": k.E} {
			part, err := base64.RawURLEncoding.DecodeString(text)
			if err != nil {
				return nil, fmt.Errorf("member %s of a key is not base64url: %w", name, err)
			}
			parts[name] = part
		}
		switch algorithm {
		case "EdDSA":
			if len(parts["x"]) != ed25519.PublicKeySize {
				return nil, fmt.Errorf("the EdDSA key has %d bytes", len(parts["x"]))
			}
			return ed25519.PublicKey(parts["x"]), nil
		case "ES256":
			return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, parts["x"]...), parts["y"]...))
		case "RS256":
			return &rsa.PublicKey{N: new(big.Int).SetBytes(parts["n"]), E: int(new(big.Int).SetBytes(parts["e"]).Int64())}, nil
		}
	}
	return nil, fmt.Errorf("the key set has no %s key", algorithm)
}
