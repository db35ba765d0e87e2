package oauth

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"
)

// forgery is one way to make a token that must not pass, from one that passes. The reason is what the log must say,
// so that a row is refused for what it is about.
type forgery struct {
	name   string
	change func(*draft)
	reason string
}

const (
	badJSON      = "not a JSON object of the strict grammar"
	badBase64    = "not canonical base64url"
	badSignature = "the signature is not that of the key"
	badAlgorithm = "alg is not that of the key"
	badKeyID     = "kid is missing or malformed"
	extension    = "an extension in the header"
	keyInHeader  = "a key in the header"
	headerCase   = "a registered name in another case in the header"
	claimCase    = "a registered claim in another case"
	notString    = "a member that must be a string"
	notNumber    = "a time that is not a number"
	outOfRange   = "a time out of range"
	badScope     = "scope has a wrong syntax"
	badLifetime  = "exp minus iat is out of range"
	badIssuer    = "iss is not ours"
	badAudience  = "aud does not name us"
	tooLong      = "longer than 8 KiB"
	notThree     = "not three parts"
	emptyPart    = "an empty part"
	tooDeep      = "nested too deep"
	badType      = "typ is not that of an access token"
)

// algorithmForgeries are what is wrong with the algorithm or the signature, whatever the algorithm of the key is.
func algorithmForgeries(t *testing.T, a Algorithm) []forgery {
	t.Helper()
	public := testKeyOf(a, testKeyID).public
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := encodePublic(public)
	if err != nil {
		t.Fatal(err)
	}
	rawKey, err := base64.RawURLEncoding.DecodeString(raw)
	if err != nil {
		t.Fatal(err)
	}
	pemKey := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	alg := func(name string, sign func(input string) []byte) func(*draft) {
		return func(d *draft) {
			inAlgorithm(`"` + name + `"`)(d)
			if sign != nil {
				d.sign = sign
			}
		}
	}
	hs256 := func(secret []byte) func(string) []byte {
		return func(input string) []byte {
			m := hmac.New(sha256.New, secret)
			m.Write([]byte(input))
			return m.Sum(nil)
		}
	}
	changed := func(change func(signature []byte) []byte) func(*draft) {
		return func(d *draft) {
			sign := d.sign
			d.sign = func(input string) []byte { return change(sign(input)) }
		}
	}
	nothing := func(string) []byte { return nil }
	rows := []forgery{
		{"alg none with the good signature", alg("none", nil), badAlgorithm},
		{"alg none without a signature", alg("none", nothing), emptyPart},
		{"alg None", alg("None", nil), badAlgorithm},
		{"alg nOnE", alg("nOnE", nil), badAlgorithm},
		{"alg NONE without a signature", alg("NONE", nothing), emptyPart},
		{"alg in lower case", alg(strings.ToLower(string(a)), nil), badAlgorithm},
		{"alg HS256 with the stored public key as the secret", alg("HS256", hs256(rawKey)), badAlgorithm},
		{"alg HS256 with the DER public key as the secret", alg("HS256", hs256(der)), badAlgorithm},
		{"alg HS256 with the PEM public key as the secret", alg("HS256", hs256(pemKey)), badAlgorithm},
		{"alg HS256 with the empty secret", alg("HS256", hs256(nil)), badAlgorithm},
		{"the right alg with an HMAC as the signature", func(d *draft) { d.sign = hs256(der) }, badSignature},
		{"alg missing", func(d *draft) { swap(&d.header, `"alg":"`+d.algorithm+`",`, ``) }, badAlgorithm},
		{"alg null", inAlgorithm(`null`), notString},
		{"alg an array", inAlgorithm(`["` + string(a) + `"]`), notString},
		{"alg with a NUL", inAlgorithm(`"` + string(a) + `\u0000"`), badAlgorithm},
		{"the signature of another key", func(d *draft) { d.sign = testKeyOf(a, "other").sign }, badSignature},
		{"one bit of the signature turned", changed(func(s []byte) []byte { s[10] ^= 1; return s }), badSignature},
		{"the signature cut by a byte", changed(func(s []byte) []byte { return s[:len(s)-1] }), badSignature},
		{"a signature with a byte more", changed(func(s []byte) []byte { return append(s, 0) }), badSignature},
		{"a signature with a byte more at the front", changed(func(s []byte) []byte { return append([]byte{0}, s...) }), badSignature},
		{"a signature of zeros", changed(func(s []byte) []byte { return make([]byte, len(s)) }), badSignature},
		{"the claims changed after signing", func(d *draft) {
			d.finish = func(token string) string {
				parts := strings.Split(token, ".")
				changed := strings.Replace(d.claims, "user-1", "user-2", 1)
				return parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(changed)) + "." + parts[2]
			}
		}, badSignature},
	}
	for _, other := range Algorithms() {
		if other != a {
			rows = append(rows,
				forgery{"alg " + string(other) + " with a key of the attacker", alg(string(other), testKeyOf(other, "attacker").sign), badAlgorithm},
				forgery{"alg " + string(other) + " over the good signature", alg(string(other), nil), badAlgorithm},
				forgery{"the right alg with an " + string(other) + " signature", func(d *draft) { d.sign = testKeyOf(other, testKeyID).sign }, badSignature},
			)
		}
	}
	for _, other := range []string{"Ed25519", "Ed448", "ES256K", "ES384", "ES512", "RS384", "RS512", "PS256", "HS384", "HS512"} {
		rows = append(rows, forgery{"alg " + other + ", which is no algorithm of ours, over the good signature", alg(other, nil), badAlgorithm})
	}
	return append(rows, signatureForgeries(t, a)...)
}

func headerForgeries(jku string) []forgery {
	return []forgery{
		{"alg twice", addHeader(`"alg":"EdDSA"`), badJSON},
		{"alg twice, once escaped", addHeader(`"\u0061lg":"EdDSA"`), badJSON},
		{"an unknown member twice", addHeader(`"x":1,"x":1`), badJSON},
		{"Alg beside alg", addHeader(`"Alg":"none"`), headerCase},
		{"KID with a Kelvin sign beside kid", addHeader("\"\u212aid\":\"other\""), headerCase},
		{"CRIT in capitals", addHeader(`"CRIT":["exp"]`), headerCase},
		{"B64 in capitals", addHeader(`"B64":false`), headerCase},
		{"typ JWT", inHeader(`"at+jwt"`, `"JWT"`), badType},
		{"typ of a logout token", inHeader(`"at+jwt"`, `"logout+jwt"`), badType},
		{"typ with a parameter", inHeader(`"at+jwt"`, `"at+jwt;x=y"`), badType},
		{"typ with text/", inHeader(`"at+jwt"`, `"text/at+jwt"`), badType},
		{"typ empty", inHeader(`"at+jwt"`, `""`), badType},
		{"typ missing", inHeader(`,"typ":"at+jwt"`, ``), badType},
		{"typ a number", inHeader(`"at+jwt"`, `1`), notString},
		{"crit with a name that nobody knows", addHeader(`"crit":["x"],"x":1`), extension},
		{"crit empty", addHeader(`"crit":[]`), extension},
		{"crit null", addHeader(`"crit":null`), extension},
		{"b64 false", addHeader(`"b64":false`), extension},
		{"b64 true", addHeader(`"b64":true`), extension},
		{"b64 escaped", addHeader(`"\u00626\u0034":false`), extension},
		{"zip DEF", addHeader(`"zip":"DEF"`), extension},
		{"jku at an address of the attacker", addHeader(`"jku":"` + jku + `"`), keyInHeader},
		{"x5u at an address of the attacker", addHeader(`"x5u":"` + jku + `"`), keyInHeader},
		{"jwk with a key of the attacker", addHeader(`"jwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`), keyInHeader},
		{"x5c with a certificate of the attacker", addHeader(`"x5c":["MIIB"]`), keyInHeader},
		{"kid missing", inHeader(`"kid":"`+testKeyID+`",`, ``), badKeyID},
		{"kid empty", inHeader(testKeyID, ``), badKeyID},
		{"kid a number", inHeader(`"`+testKeyID+`"`, `1`), notString},
		{"kid of no key", inHeader(testKeyID, `2026-11-24.key_2`), "kid names no key in force"},
		{"kid in capitals", inHeader(testKeyID, strings.ToUpper(testKeyID)), "kid names no key in force"},
		{"kid with a path", inHeader(testKeyID, `../../dev/null`), badKeyID},
		{"kid with SQL", inHeader(testKeyID, `' OR 1=1 --`), badKeyID},
		{"kid with a NUL at the end", inHeader(testKeyID, testKeyID+`\u0000`), badKeyID},
		{"kid with a space at the end", inHeader(testKeyID, testKeyID+` `), badKeyID},
		{"kid of 128 characters that names no key", inHeader(testKeyID, strings.Repeat("k", 128)), "kid names no key in force"},
		{"kid of 129 characters", inHeader(testKeyID, strings.Repeat("k", 129)), badKeyID},
		{"the header an array", func(d *draft) { d.header = "[" + d.header + "]" }, badJSON},
		{"the header a string", func(d *draft) { d.header = `"` + testKeyID + `"` }, badJSON},
		{"the header null", func(d *draft) { d.header = `null` }, badJSON},
		{"a second object after the header", func(d *draft) { d.header += `{}` }, "trailing data"},
		{"a comma at the end of the header", inHeader(`"at+jwt"`, `"at+jwt",`), badJSON},
		{"a byte order mark before the header", func(d *draft) { d.header = "\ufeff" + d.header }, badJSON},
		{"invalid UTF-8 in the header", addHeader("\"x\":\"\xff\""), badJSON},
		{"a lone surrogate in the header", addHeader(`"x":"\ud800"`), badJSON},
		{"the header nested 17 deep", addHeader(`"x":` + strings.Repeat("[", 16) + strings.Repeat("]", 16)), tooDeep},
	}
}

func claimForgeries() []forgery {
	const audience = `"aud":"https://api.gatehouse.test"`
	var rows []forgery
	for _, name := range []string{"iss", "aud", "sub", "client_id", "scope", "iat", "exp", "jti"} {
		rows = append(rows, forgery{name + " twice", addClaim(`"` + name + `":"x"`), badJSON})
		capital := strings.ToUpper(name)
		rows = append(rows, forgery{capital + " beside " + name, addClaim(`"` + capital + `":"x"`), claimCase})
	}
	for _, name := range []string{"iss", "sub", "client_id", "scope", "jti"} {
		rows = append(rows,
			forgery{name + " a number", inClaims(`"`+name+`":"`, `"`+name+`":1,"x":"`), notString},
			forgery{name + " null", inClaims(`"`+name+`":"`, `"`+name+`":null,"x":"`), notString},
			forgery{name + " an object", inClaims(`"`+name+`":"`, `"`+name+`":{},"x":"`), notString},
		)
	}
	for name, value := range map[string]string{"iat": "1795478400", "exp": "1795479000"} {
		rows = append(rows,
			forgery{name + " a string", inClaims(value, `"`+value+`"`), notNumber},
			forgery{name + " null", inClaims(value, `null`), notNumber},
			forgery{name + " true", inClaims(value, `true`), notNumber},
			forgery{name + " an array", inClaims(value, `[`+value+`]`), notNumber},
			forgery{name + " negative", inClaims(value, `-`+value), outOfRange},
			forgery{name + " zero", inClaims(value, `0`), outOfRange},
			forgery{name + " in milliseconds", inClaims(value, value+`000`), outOfRange},
			forgery{name + " beyond every float", inClaims(value, `1e999`), outOfRange},
			forgery{name + " with a leading zero", inClaims(value, `0`+value), outOfRange},
			forgery{name + " NaN", inClaims(value, `NaN`), badJSON},
		)
	}
	return append(rows, []forgery{
		{"exp twice, once escaped", addClaim(`"\u0065xp":1795479001`), badJSON},
		{"EXP that would override", addClaim(`"EXP":1795479999`), claimCase},
		{"iss with a long s beside iss", addClaim("\"i\u017fs\":\"x\""), claimCase},
		{"NBF in capitals", addClaim(`"NBF":1795478400`), claimCase},
		{"a member of a nested object twice", addClaim(`"x":{"y":1,"y":1}`), badJSON},
		{"iss missing", inClaims(`"iss":"https://gatehouse.test",`, ``), badIssuer},
		{"iss empty", inClaims(`"https://gatehouse.test"`, `""`), badIssuer},
		{"iss with a slash at the end", inClaims(`"https://gatehouse.test"`, `"https://gatehouse.test/"`), badIssuer},
		{"iss in capitals", inClaims(`"https://gatehouse.test"`, `"https://GATEHOUSE.test"`), badIssuer},
		{"iss of another issuer", inClaims(`"https://gatehouse.test"`, `"https://evil.test"`), badIssuer},
		{"aud missing", inClaims(audience+",", ``), badAudience},
		{"aud of another service", inClaims(audience, `"aud":"https://other.test"`), badAudience},
		{"aud with a slash at the end", inClaims(audience, `"aud":"https://api.gatehouse.test/"`), badAudience},
		{"aud an empty array", inClaims(audience, `"aud":[]`), badAudience},
		{"aud an array without us", inClaims(audience, `"aud":["https://other.test","https://third.test"]`), badAudience},
		{"aud an array that holds a number", inClaims(audience, `"aud":["https://api.gatehouse.test",1]`), notString},
		{"aud an array in an array", inClaims(audience, `"aud":[["https://api.gatehouse.test"]]`), notString},
		{"aud an object", inClaims(audience, `"aud":{"x":"https://api.gatehouse.test"}`), notString},
		{"aud null", inClaims(audience, `"aud":null`), notString},
		{"aud an array of 17", inClaims(audience, `"aud":["https://api.gatehouse.test"`+strings.Repeat(`,"x"`, 16)+`]`), "too many audiences"},
		{"sub missing", inClaims(`"sub":"user-1",`, ``), "sub is missing or too long"},
		{"sub empty", inClaims(`"user-1"`, `""`), "sub is missing or too long"},
		{"sub of 257 bytes", inClaims(`user-1`, strings.Repeat("u", 257)), "sub is missing or too long"},
		{"client_id missing", inClaims(`"client_id":"first-party",`, ``), "client_id is missing or too long"},
		{"client_id empty", inClaims(`"first-party"`, `""`), "client_id is missing or too long"},
		{"client_id of 257 bytes", inClaims(`first-party`, strings.Repeat("c", 257)), "client_id is missing or too long"},
		{"jti missing", inClaims(`,"jti":"AAECAwQFBgcICQoLDA0ODw"`, ``), "jti is missing or too long"},
		{"jti empty", inClaims(`"AAECAwQFBgcICQoLDA0ODw"`, `""`), "jti is missing or too long"},
		{"jti of 257 bytes", inClaims(`AAECAwQFBgcICQoLDA0ODw`, strings.Repeat("j", 257)), "jti is missing or too long"},
		{"scope empty", inClaims(`"items:read items:write"`, `""`), badScope},
		{"scope with two spaces", inClaims(`items:read items:write`, `items:read  items:write`), badScope},
		{"scope with a space at the start", inClaims(`items:read items:write`, ` items:read`), badScope},
		{"scope with a space at the end", inClaims(`items:read items:write`, `items:read `), badScope},
		{"scope with a comma and a tab", inClaims(`items:read items:write`, `items:read,\titems:write`), badScope},
		{"scope with a quotation mark", inClaims(`items:read items:write`, `items:read\"`), badScope},
		{"scope beyond ASCII", inClaims(`items:read items:write`, `items:réad`), badScope},
		{"scope an array", inClaims(`"items:read items:write"`, `["items:read"]`), notString},
		{"iat missing", inClaims(`"iat":1795478400,`, ``), "iat is missing"},
		{"iat 31 seconds in the future", inClaims(`1795478400`, `1795478431`), "iat is in the future"},
		{"exp missing", inClaims(`"exp":1795479000,`, ``), "exp is missing"},
		{"expired by the whole leeway", func(d *draft) {
			swap(&d.claims, `1795479000`, `1795478370`)
			swap(&d.claims, `1795478400`, `1795478000`)
		}, "exp has passed"},
		{"exp before iat", func(d *draft) {
			swap(&d.claims, `1795478400`, `1795478410`)
			swap(&d.claims, `1795479000`, `1795478405`)
		}, badLifetime},
		{"exp at iat", inClaims(`1795479000`, `1795478400`), badLifetime},
		{"a lifetime of an hour and a second", inClaims(`1795479000`, `1795482001`), badLifetime},
		{"a lifetime of ten years", inClaims(`1795479000`, `2110838400`), badLifetime},
		{"nbf 31 seconds in the future", addClaim(`"nbf":1795478431`), "nbf has not come"},
		{"nbf a string", addClaim(`"nbf":"1795478400"`), notNumber},
		{"nbf null", addClaim(`"nbf":null`), notNumber},
		{"nbf twice", addClaim(`"nbf":1795478400,"nbf":1795478400`), badJSON},
		{"cnf that binds the token to a key", addClaim(`"cnf":{"jkt":"x"}`), "cnf binds the token to a key"},
		{"the claims an array", func(d *draft) { d.claims = "[" + d.claims + "]" }, badJSON},
		{"the claims a string", func(d *draft) { d.claims = `"x"` }, badJSON},
		{"the claims a number", func(d *draft) { d.claims = `1` }, badJSON},
		{"the claims null", func(d *draft) { d.claims = `null` }, badJSON},
		{"the claims empty", func(d *draft) { d.claims = `{}` }, badIssuer},
		{"the claims spaces only", func(d *draft) { d.claims = ` ` }, badJSON},
		{"the claims cut", func(d *draft) { d.claims = strings.TrimSuffix(d.claims, "}") }, badJSON},
		{"a second object after the claims", func(d *draft) { d.claims += `{}` }, "trailing data"},
		{"a NUL after the claims", func(d *draft) { d.claims += "\x00" }, "trailing data"},
		{"a byte order mark before the claims", func(d *draft) { d.claims = "\ufeff" + d.claims }, badJSON},
		{"a comment in the claims", addClaim(`/**/"x":1`), badJSON},
		{"invalid UTF-8 in a value", addClaim("\"x\":\"\xc3\x28\""), badJSON},
		{"invalid UTF-8 in sub", inClaims(`user-1`, "user-\xff"), badJSON},
		{"invalid UTF-8 in a name", addClaim("\"\xff\":1"), badJSON},
		{"a surrogate in UTF-8", addClaim("\"x\":\"\xed\xa0\x80\""), badJSON},
		{"a lone high surrogate", addClaim(`"x":"\ud800"`), badJSON},
		{"a lone low surrogate in sub", inClaims(`user-1`, `\udc00`), badJSON},
		{"the claims nested 17 deep by arrays", addClaim(`"x":` + strings.Repeat("[", 16) + strings.Repeat("]", 16)), tooDeep},
		{"the claims nested 17 deep by objects", addClaim(`"x":` + strings.Repeat(`{"x":`, 16) + "1" + strings.Repeat("}", 16)), tooDeep},
		{"the claims nested 2,000 deep", addClaim(`"x":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000)), tooDeep},
	}...)
}

// looseBits returns encode with the unused bits of the last character set, which a lax decoder ignores.
func looseBits(encode func([]byte) string) func([]byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return func(part []byte) string {
		text := encode(part)
		if len(text)%4 == 0 {
			panic("the part has no unused bits")
		}
		last := strings.IndexByte(alphabet, text[len(text)-1])
		return text[:len(text)-1] + string(alphabet[last|1])
	}
}

func formForgeries() []forgery {
	whole := func(change func(string) string) func(*draft) { return func(d *draft) { d.finish = change } }
	part := func(n int, change func(string) string) func(*draft) {
		return whole(func(token string) string {
			parts := strings.Split(token, ".")
			parts[n] = change(parts[n])
			return strings.Join(parts, ".")
		})
	}
	empty := func(string) string { return "" }
	middle := func(s string) func(string) string {
		return func(p string) string { return p[:len(p)/2] + s + p[len(p)/2:] }
	}
	pad := func(size int) func(*draft) { return addClaim(`"x":"` + strings.Repeat("x", size) + `"`) }
	return []forgery{
		{"nothing at all", whole(empty), notThree},
		{"two dots only", whole(func(string) string { return ".." }), emptyPart},
		{"garbage", whole(func(string) string { return "garbage" }), notThree},
		{"a million dots", whole(func(string) string { return strings.Repeat(".", 1_000_000) }), tooLong},
		{"8,000 dots", whole(func(string) string { return strings.Repeat(".", 8000) }), notThree},
		{"an empty header", part(0, empty), emptyPart},
		{"empty claims", part(1, empty), emptyPart},
		{"an empty signature", part(2, empty), emptyPart},
		{"no signature", whole(func(token string) string { return token[:strings.LastIndexByte(token, '.')] }), notThree},
		{"a fourth part", whole(func(token string) string { return token + ".AAAA" }), notThree},
		{"a dot at the end", whole(func(token string) string { return token + "." }), notThree},
		{"five parts as a JWE has", whole(func(token string) string { return token + ".AAAA.AAAA" }), notThree},
		{"the JSON serialization", whole(func(token string) string {
			p := strings.Split(token, ".")
			return `{"protected":"` + p[0] + `","payload":"` + p[1] + `","signature":"` + p[2] + `"}`
		}), notThree},
		{"a newline in the header", part(0, middle("\n")), badBase64},
		{"a newline in the claims", part(1, middle("\n")), badBase64},
		{"a carriage return in the claims", part(1, middle("\r")), badBase64},
		{"a newline in the signature", part(2, middle("\n")), badBase64},
		{"a newline at the end", whole(func(token string) string { return token + "\n" }), badBase64},
		{"a space at the start", whole(func(token string) string { return " " + token }), badBase64},
		{"a space in the claims", part(1, middle(" ")), badBase64},
		{"a NUL in the claims", part(1, middle("\x00")), badBase64},
		{"a percent escape", part(1, middle("%2E")), badBase64},
		{"padding after the header", func(d *draft) { d.header += " "; d.encodeHeader = base64.URLEncoding.EncodeToString }, badBase64},
		{"padding after the signature", func(d *draft) { d.encodeSignature = base64.URLEncoding.EncodeToString }, badBase64},
		{"loose bits at the end of the signature", func(d *draft) { d.encodeSignature = looseBits(d.encodeSignature) }, badBase64},
		{"loose bits at the end of the claims", func(d *draft) { d.encodeClaims = looseBits(d.encodeClaims) }, badBase64},
		{"the alphabet of plain base64", func(d *draft) {
			addClaim(`"x":"` + strings.Repeat("ÿþ?>", 9) + `"`)(d)
			d.encodeClaims = base64.RawStdEncoding.EncodeToString
		}, badBase64},
		{"a part of a length that no bytes have", part(2, func(string) string { return "AAAAA" }), badBase64},
		{"a token of 9 KiB", pad(6500), tooLong},
		{"a token of 1 MB", pad(1_000_000), tooLong},
		{"a token of 10 MB", pad(10_000_000), tooLong},
	}
}
