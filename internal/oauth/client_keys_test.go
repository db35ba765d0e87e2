package oauth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// keyMembers returns the public half as the members of a JSON Web Key, changed. A nil value takes one away.
func keyMembers(t *testing.T, k *key, changes map[string]any) map[string]any {
	t.Helper()
	written, err := webKey(k.id, k.public)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(written)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	for name, value := range changes {
		if m[name] = value; value == nil {
			delete(m, name)
		}
	}
	return m
}

func setOf(t *testing.T, keys ...map[string]any) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestReadPublicKeys(t *testing.T) {
	ed, ec, rs := testKeyOf(EdDSA, "ed"), testKeyOf(ES256, "ec"), testKeyOf(RS256, "rs")
	one := func(k *key, changes map[string]any) string { return setOf(t, keyMembers(t, k, changes)) }
	number := func(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	wide, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := wide.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	n := rs.public.(*rsa.PublicKey).N
	many := func(count int) string {
		var list []map[string]any
		for i := range count {
			list = append(list, keyMembers(t, ed, map[string]any{"kid": string(rune('a' + i))}))
		}
		return setOf(t, list...)
	}
	const private = "the key set holds the private half of a key: give the public half alone, and make another key if this file was seen by others"
	unusable := func(kid string) string {
		return "the key " + kid + " is none that can be used: give Ed25519, P-256, or RSA with 2048 to 4096 bits"
	}
	unread := func(reason string) string { return "the key set cannot be read: " + reason }
	const noKid = "a key of the key set has no kid of [A-Za-z0-9._-]{1,128}: assertions name their key by it"
	const empty = `the key set has no key: it is {"keys":[...]}, with at least one`
	type row struct{ name, text, wrong string }
	rows := []row{
		{"Ed25519", one(ed, nil), ""},
		{"P-256", one(ec, nil), ""},
		{"RSA with 2048 bits", one(rs, nil), ""},
		{"one of each", setOf(t, keyMembers(t, ed, nil), keyMembers(t, ec, nil), keyMembers(t, rs, nil)), ""},
		{"without alg and use", one(ed, map[string]any{"alg": nil, "use": nil}), ""},
		{"with members that nobody knows", one(ed, map[string]any{"x5t": "x", "note": map[string]any{"a": 1}, "key_ops": []string{"verify"}}), ""},
		{"five keys", many(5), ""},
		{"six keys", many(6), "the key set has more than 5 keys"},
		{"nothing", "", unread(badJSON)},
		{"a key and no set", strings.TrimSuffix(strings.TrimPrefix(one(ed, nil), `{"keys":[`), `]}`), empty},
		{"no keys", `{"keys":[]}`, empty},
		{"no member keys", `{}`, empty},
		{"keys an object", `{"keys":{}}`, unread("a member that must be an array")},
		{"keys of strings", `{"keys":["x"]}`, unread(badJSON)},
		{"keys twice", `{"keys":[],"keys":[]}`, unread(badJSON)},
		{"a member of a key twice", strings.Replace(one(ed, nil), `"kid":`, `"kid":"x","kid":`, 1), unread(badJSON)},
		{"something after it", one(ed, nil) + "{}", unread("trailing data")},
		{"PEM", "-----BEGIN PUBLIC KEY-----", unread(badJSON)},
		{"too long", `{"x":"` + strings.Repeat("x", 32<<10) + `"}`, "the key set has more than 32768 bytes"},
		{"a private Ed25519 key", one(ed, map[string]any{"d": "AAAA"}), private},
		{"an empty private member", one(ed, map[string]any{"d": ""}), private},
		{"a private member that is no string", one(rs, map[string]any{"oth": []any{}}), private},
		{"a shared secret", setOf(t, map[string]any{"kty": "oct", "kid": "x", "k": "AAAA"}), private},
		{"a shared secret beside a good key", setOf(t, keyMembers(t, ed, nil), map[string]any{"kty": "oct", "kid": "x", "k": "AAAA"}), private},
		{"no kid", one(ed, map[string]any{"kid": nil}), noKid},
		{"an empty kid", one(ed, map[string]any{"kid": ""}), noKid},
		{"a kid with a space", one(ed, map[string]any{"kid": "a b"}), noKid},
		{"a kid of 129 characters", one(ed, map[string]any{"kid": strings.Repeat("k", 129)}), noKid},
		{"a kid that is a number", one(ed, map[string]any{"kid": 1}), unread(notString)},
		{"one kid twice", setOf(t, keyMembers(t, ed, nil), keyMembers(t, ec, map[string]any{"kid": "ed"})), "two keys of the key set have the kid ed: each needs its own"},
		{"another alg", one(ed, map[string]any{"alg": "ES256"}), "the key ed says another alg than EdDSA, which is the one of such keys here"},
		{"alg none", one(ec, map[string]any{"alg": "none"}), "the key ec says another alg than ES256, which is the one of such keys here"},
		{"alg PS256", one(rs, map[string]any{"alg": "PS256"}), "the key rs says another alg than RS256, which is the one of such keys here"},
		{"a key for encryption", one(rs, map[string]any{"use": "enc"}), "the key rs is for another use than signatures"},
		{"no type", one(ed, map[string]any{"kty": nil}), unusable("ed")},
		{"another type", one(ed, map[string]any{"kty": "EC"}), unusable("ed")},
		{"the type in lower case", one(ec, map[string]any{"kty": "ec"}), unusable("ec")},
		{"X25519", one(ed, map[string]any{"crv": "X25519"}), unusable("ed")},
		{"an Ed25519 key without x", one(ed, map[string]any{"x": nil}), unusable("ed")},
		{"an Ed25519 key of 31 bytes", one(ed, map[string]any{"x": base64.RawURLEncoding.EncodeToString(make([]byte, 31))}), unusable("ed")},
		{"an Ed25519 key with padding", one(ed, map[string]any{"x": base64.URLEncoding.EncodeToString(make([]byte, 32))}), unusable("ed")},
		{"P-384", one(ec, map[string]any{"crv": "P-384", "x": base64.RawURLEncoding.EncodeToString(point[1:49]), "y": base64.RawURLEncoding.EncodeToString(point[49:])}), unusable("ec")},
		{"a point that is not on the curve", one(ec, map[string]any{"y": keyMembers(t, ec, nil)["x"]}), unusable("ec")},
		{"a coordinate of 31 bytes", one(ec, map[string]any{"x": base64.RawURLEncoding.EncodeToString(make([]byte, 31))}), unusable("ec")},
		{"an EC key without y", one(ec, map[string]any{"y": nil}), unusable("ec")},
		{"RSA with 1024 bits", one(rs, map[string]any{"n": number(weak.N)}), unusable("rs")},
		{"RSA with 2047 bits", one(rs, map[string]any{"n": number(new(big.Int).SetBit(new(big.Int).Rsh(n, 1), 0, 1))}), unusable("rs")},
		{"RSA with 4097 bits", one(rs, map[string]any{"n": number(new(big.Int).SetBit(n, 4096, 1))}), unusable("rs")},
		{"RSA with an even modulus", one(rs, map[string]any{"n": number(new(big.Int).SetBit(n, 0, 0))}), unusable("rs")},
		{"RSA with the exponent 3", one(rs, map[string]any{"e": "Aw"}), unusable("rs")},
		{"RSA with an even exponent", one(rs, map[string]any{"e": number(big.NewInt(65538))}), unusable("rs")},
		{"RSA with an exponent of 5 bytes", one(rs, map[string]any{"e": number(big.NewInt(1<<32 + 1))}), unusable("rs")},
		{"RSA with an exponent of 32 bits", one(rs, map[string]any{"e": number(big.NewInt(1<<32 - 1))}), unusable("rs")},
		{"RSA without a modulus", one(rs, map[string]any{"n": nil}), unusable("rs")},
	}
	for _, member := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		rows = append(rows, row{"the private member " + member, one(rs, map[string]any{member: "AAAA"}), private})
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			keys, err := ReadPublicKeys(strings.NewReader(row.text))
			if row.wrong != "" {
				if err == nil || err.Error() != row.wrong || keys != "" {
					t.Errorf("got %q, %v, want %s", keys, err, row.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			again, err := ReadPublicKeys(strings.NewReader(string(keys)))
			if diff := cmp.Diff(keys, again); diff != "" || err != nil {
				t.Errorf("what was written is read as another set: %s, %v", diff, err)
			}
			for _, absent := range []string{"x5t", "note", "key_ops", `"d":`} {
				if strings.Contains(string(keys), absent) {
					t.Errorf("it keeps %s: %s", absent, keys)
				}
			}
		})
	}
}
