package oauth

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// looseClaims and looseHeader are what encoding/json reads with its defaults: names without case, the last of duplicates.
type looseClaims struct {
	Issuer    string          `json:"iss"`
	Subject   string          `json:"sub"`
	ClientID  string          `json:"client_id"`
	ID        string          `json:"jti"`
	Session   string          `json:"sid"`
	Scope     *string         `json:"scope"`
	Audience  json.RawMessage `json:"aud"`
	ExpiresAt float64         `json:"exp"`
	NotBefore float64         `json:"nbf"`
	IssuedAt  float64         `json:"iat"`
}

type looseHeader struct {
	Algorithm string          `json:"alg"`
	KeyID     string          `json:"kid"`
	Type      string          `json:"typ"`
	Critical  json.RawMessage `json:"crit"`
	JWK       json.RawMessage `json:"jwk"`
}

// FuzzPreparse mutates tokens as a whole, which finds what is wrong with the form.
func FuzzPreparse(f *testing.F) {
	for _, d := range seeds() {
		if token := d.token(); len(token) <= maxTokenBytes {
			f.Add(token)
		}
	}
	f.Fuzz(checkOneMeaning)
}

// FuzzPreparseJSON mutates header and claims before they are encoded, which finds what is wrong with the JSON.
func FuzzPreparseJSON(f *testing.F) {
	for _, d := range seeds() {
		if len(d.header)+len(d.claims) <= maxTokenBytes {
			f.Add([]byte(d.header), []byte(d.claims))
		}
	}
	f.Fuzz(func(t *testing.T, header, claims []byte) {
		plain := base64.RawURLEncoding.EncodeToString
		checkOneMeaning(t, plain(header)+"."+plain(claims)+".c2ln")
	})
}

func seeds() []*draft {
	all := []*draft{newDraft()}
	for _, row := range slices.Concat(headerForgeries("http://127.0.0.1:1/"), claimForgeries(), formForgeries()) {
		d := newDraft()
		row.change(d)
		all = append(all, d)
	}
	return all
}

// checkOneMeaning proves that a token which the pre-parser accepts has one meaning: the laxest reader reads the same from
// it, it is the one spelling of its bytes, and what was read can be written and read again.
func checkOneMeaning(t *testing.T, token string) {
	p, err := preparse(token)
	if err != nil {
		if p != nil {
			t.Error("a result beside an error")
		}
		return
	}
	parts := strings.Split(token, ".")
	decoded := make([][]byte, len(parts))
	for i, part := range parts {
		if decoded[i], err = base64.RawURLEncoding.DecodeString(part); err != nil {
			t.Fatal(err)
		}
		if base64.RawURLEncoding.EncodeToString(decoded[i]) != part {
			t.Errorf("part %d is not the one spelling of its bytes", i)
		}
	}
	compareLoose(t, p, decoded[0], decoded[1])
	again, err := preparse(encode(t, p) + "." + parts[2])
	if err != nil {
		if err == refusal("longer than 8 KiB") { // encoding/json writes & as six bytes.
			return
		}
		t.Fatalf("what was read cannot be read again: %v", err)
	}
	if diff := cmp.Diff(p, again, cmp.AllowUnexported(parsedToken{}, header{}, claims{})); diff != "" {
		t.Error(diff)
	}
}

func compareLoose(t *testing.T, p *parsedToken, headerJSON, claimsJSON []byte) {
	t.Helper()
	var h looseHeader
	if err := json.Unmarshal(headerJSON, &h); err != nil {
		t.Fatal(err)
	}
	if h.Algorithm != p.header.alg || h.KeyID != p.header.kid || h.Type != p.header.typ || h.Critical != nil || h.JWK != nil {
		t.Errorf("the lax reader reads the header %+v, ours %+v", h, p.header)
	}
	var c looseClaims
	if err := json.Unmarshal(claimsJSON, &c); err != nil {
		t.Fatal(err)
	}
	ours := p.claims
	if c.Issuer != ours.iss || c.Subject != ours.sub || c.ClientID != ours.clientID || c.ID != ours.jti || c.Session != ours.sid ||
		!cmp.Equal(c.Scope, ours.scope) || int64(c.ExpiresAt) != ours.exp || int64(c.NotBefore) != ours.nbf || int64(c.IssuedAt) != ours.iat {
		t.Errorf("the lax reader reads the claims %+v, ours %+v", c, ours)
	}
	var one string
	var list []string
	if c.Audience != nil {
		if json.Unmarshal(c.Audience, &one) == nil {
			list = []string{one}
		} else if err := json.Unmarshal(c.Audience, &list); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(list, ours.aud) {
		t.Errorf("the lax reader reads the audience %q, ours %q", list, ours.aud)
	}
}

// encode writes header and claims from what was read.
func encode(t *testing.T, p *parsedToken) string {
	t.Helper()
	c := map[string]any{"iss": p.claims.iss, "sub": p.claims.sub, "client_id": p.claims.clientID, "jti": p.claims.jti, "sid": p.claims.sid}
	if p.claims.aud != nil {
		c["aud"] = p.claims.aud
	}
	if p.claims.scope != nil {
		c["scope"] = *p.claims.scope
	}
	for name, seconds := range map[string]int64{"exp": p.claims.exp, "nbf": p.claims.nbf, "iat": p.claims.iat} {
		if seconds != 0 {
			c[name] = seconds
		}
	}
	if p.claims.bound {
		c["cnf"] = struct{}{}
	}
	h := map[string]any{"alg": p.header.alg, "kid": p.header.kid, "typ": p.header.typ}
	part := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(data)
	}
	return part(h) + "." + part(c)
}
