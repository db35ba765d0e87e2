package oauth

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/internal/auth"
)

func testSigner(t testing.TB, now func() time.Time, exceptions *auth.Exceptions, random io.Reader) *Signer {
	t.Helper()
	return &Signer{
		Keys:       testKeys(t),
		Issuer:     testIssuer,
		Audience:   testAudience,
		Exceptions: exceptions,
		Now:        now,
		Random:     random,
	}
}

func TestATokenSaysWhatItMust(t *testing.T) {
	id := bytes.Repeat([]byte{7}, 16)
	for _, row := range []struct {
		name    string
		scopes  auth.Scopes
		session string
		claims  map[string]any
	}{
		{"with scopes", auth.NewScopes("items:write", "items:read"), "", map[string]any{"scope": "items:read items:write"}},
		{"without scopes", nil, "", map[string]any{}},
		{"of a session", nil, "session-1", map[string]any{"sid": "session-1"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			now := func() time.Time { return testNow.Add(400 * time.Millisecond) }
			s := testSigner(t, now, new(auth.Exceptions), bytes.NewReader(id))
			token, err := s.Sign(Grant{Subject: "user-1", ClientID: FirstParty, SessionID: row.session, Scopes: row.scopes})
			if err != nil {
				t.Fatal(err)
			}
			parts := strings.Split(token, ".")
			wantHeader := map[string]any{"alg": "EdDSA", "typ": "at+jwt", "kid": testKeyID}
			if diff := cmp.Diff(wantHeader, decodeObject(t, parts[0])); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
			want := map[string]any{
				"iss": testIssuer, "aud": testAudience, "sub": "user-1", "client_id": "first-party",
				"iat": float64(1795478400), "exp": float64(1795479000), "jti": "BwcHBwcHBwcHBwcHBwcHBw",
			}
			for name, value := range row.claims {
				want[name] = value
			}
			if diff := cmp.Diff(want, decodeObject(t, parts[1])); diff != "" {
				t.Errorf("claims (-want +got):\n%s", diff)
			}
			v, _, _ := testVerifier(t)
			p, err := verify(v, token)
			if err != nil {
				t.Fatal(err)
			}
			wantPrincipal := &auth.Principal{Subject: "user-1", ClientID: "first-party", SessionID: row.session, TokenID: "BwcHBwcHBwcHBwcHBwcHBw", Scopes: row.scopes, IssuedAt: testNow}
			if diff := cmp.Diff(wantPrincipal, p); diff != "" {
				t.Errorf("principal (-want +got):\n%s", diff)
			}
		})
	}
}

func decodeObject(t *testing.T, part string) map[string]any {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(data, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

func TestTokenIDsDiffer(t *testing.T) {
	s := testSigner(t, func() time.Time { return testNow }, new(auth.Exceptions), rand.Reader)
	seen := map[any]bool{}
	for range 100 {
		token, err := s.Sign(Grant{Subject: "user-1", ClientID: FirstParty})
		if err != nil {
			t.Fatal(err)
		}
		seen[decodeObject(t, strings.Split(token, ".")[1])["jti"]] = true
	}
	if len(seen) != 100 {
		t.Errorf("%d ids in 100 tokens", len(seen))
	}
}

// TestATokenMadeAfterAMarkOfTheSameSecondIsGood is who changes the password and logs in again at once: the mark has
// microseconds, iat has not.
func TestATokenMadeAfterAMarkOfTheSameSecondIsGood(t *testing.T) {
	mark := testNow.Add(500 * time.Millisecond)
	for _, row := range []struct {
		name string
		made time.Time
		good bool
	}{
		{"made in the second before the mark", testNow.Add(-time.Millisecond), false},
		{"made in the second of the mark, before it", testNow.Add(499 * time.Millisecond), false},
		{"made at the mark", mark, true},
		{"made in the second of the mark, after it", testNow.Add(900 * time.Millisecond), true},
		{"made in the second after the mark", testNow.Add(1100 * time.Millisecond), true},
	} {
		for _, markedFirst := range []bool{true, false} {
			if !markedFirst && row.good {
				continue // A mark that comes later and lies before the token is not possible with one clock.
			}
			t.Run(row.name, func(t *testing.T) {
				v, now, exceptions := testVerifier(t)
				*now = row.made
				if markedFirst {
					exceptions.SetNotBefore("user-1", mark)
				}
				token, err := testSigner(t, v.config.Now, exceptions, rand.Reader).Sign(Grant{Subject: "user-1", ClientID: FirstParty})
				if err != nil {
					t.Fatal(err)
				}
				exceptions.SetNotBefore("user-1", mark)
				if _, err := verify(v, token); (err == nil) != row.good {
					t.Errorf("error %v, want good: %t", err, row.good)
				}
			})
		}
	}
}

func TestSigningFails(t *testing.T) {
	now := func() time.Time { return testNow }
	many := make([]string, 1000)
	for i := range many {
		many[i] = strings.Repeat("s", 10) + string(rune('a'+i%26)) + strings.Repeat("x", i/26)
	}
	for _, row := range []struct {
		name   string
		random io.Reader
		scopes auth.Scopes
	}{
		{"without randomness", iotest.ErrReader(errors.New("no entropy")), nil},
		{"with too little randomness", bytes.NewReader(make([]byte, 15)), nil},
		{"with more scopes than the verifier reads", rand.Reader, auth.NewScopes(many...)},
	} {
		t.Run(row.name, func(t *testing.T) {
			token, err := testSigner(t, now, new(auth.Exceptions), row.random).Sign(Grant{Subject: "user-1", ClientID: FirstParty, Scopes: row.scopes})
			if err == nil || token != "" {
				t.Errorf("token of %d bytes, error %v", len(token), err)
			}
		})
	}
}
