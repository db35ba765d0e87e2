package oauth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.com/gatehouse/internal/auth"
)

// remembers reports whether the token would be answered from memory.
func remembers(v *Verifier, token string) bool {
	for hash := range v.verified.Keys() {
		if hash == hashOf(token) {
			return true
		}
	}
	return false
}

// anotherKey returns keys of which one has the kid of the test key and is another: no verification succeeds with it.
func anotherKey(t *testing.T) *Keys {
	t.Helper()
	other := *testKey("other")
	other.id = testKeyID
	return keysOf(t, &other)
}

func TestAVerifiedTokenIsRemembered(t *testing.T) {
	v, _, _ := testVerifier(t)
	token := newDraft().token()
	first, err := verify(v, token)
	if err != nil {
		t.Fatal(err)
	}
	if !remembers(v, token) {
		t.Fatal("the token was not remembered")
	}
	v.config.Keys = anotherKey(t) // From here on only the memory can answer.
	second, err := verify(v, token)
	if err != nil {
		t.Fatal(err)
	}
	if first != second {
		t.Error("a hit does not return the principal of the verification")
	}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := verify(v, token); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a hit makes %v allocations", n)
	}
}

// TestARememberedTokenEnds ends a token in every way that does not wait for its exp. The verifier has
// no database: what it asks is in memory.
func TestARememberedTokenEnds(t *testing.T) {
	iat := testNow
	for _, row := range []struct {
		name  string
		end   func(*auth.Exceptions)
		ended bool
	}{
		{"the account is disabled", func(e *auth.Exceptions) { e.EndSubject("user-1") }, true},
		{"a not-before mark after its iat", func(e *auth.Exceptions) { e.SetNotBefore("user-1", iat.Add(time.Microsecond)) }, true},
		{"a not-before mark at its iat", func(e *auth.Exceptions) { e.SetNotBefore("user-1", iat) }, false},
		{"another account is disabled", func(e *auth.Exceptions) { e.EndSubject("user-2") }, false},
		{"an API key of the same name is revoked", func(e *auth.Exceptions) { e.RevokeKey("user-1") }, false},
		{"the account is disabled and enabled again", func(e *auth.Exceptions) { e.EndSubject("user-1"); e.ResumeSubject("user-1") }, false},
	} {
		for _, remembered := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, remembered %t", row.name, remembered), func(t *testing.T) {
				v, _, exceptions := testVerifier(t)
				token := newDraft().token()
				if remembered {
					if _, err := verify(v, token); err != nil {
						t.Fatal(err)
					}
				}
				row.end(exceptions)
				for range 2 {
					p, err := verify(v, token)
					if row.ended && (p != nil || !errors.Is(err, auth.ErrInvalidCredential)) {
						t.Errorf("principal %v, error %v", p, err)
					}
					if !row.ended && err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
}

func TestARememberedTokenIsVerifiedAgain(t *testing.T) {
	expiresIn := func(d time.Duration) string {
		draft := newDraft()
		swap(&draft.claims, "1795479000", fmt.Sprint(testNow.Add(d).Unix()))
		return draft.token()
	}
	for _, row := range []struct {
		name  string
		token string
		after time.Duration
		hit   bool
	}{
		{"a long token within 30 seconds", expiresIn(10 * time.Minute), 30*time.Second - 1, true},
		{"a long token after 30 seconds", expiresIn(10 * time.Minute), 30 * time.Second, false},
		{"a token of 5 seconds before its exp", expiresIn(5 * time.Second), 5*time.Second - 1, true},
		{"a token of 5 seconds at its exp", expiresIn(5 * time.Second), 5 * time.Second, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			v, now, _ := testVerifier(t)
			if _, err := verify(v, row.token); err != nil {
				t.Fatal(err)
			}
			keys := v.config.Keys
			v.config.Keys = anotherKey(t) // From here on only the memory can answer.
			*now = testNow.Add(row.after)
			if _, err := verify(v, row.token); (err == nil) != row.hit {
				t.Errorf("error %v, want a hit: %t", err, row.hit)
			}
			v.config.Keys = keys
			if _, err := verify(v, row.token); err != nil {
				t.Errorf("refused with its key in force, within the leeway: %v", err)
			}
		})
	}
}

func TestExpiryEndsARememberedToken(t *testing.T) {
	v, now, _ := testVerifier(t)
	d := newDraft()
	swap(&d.claims, "1795479000", "1795478410") // 10 seconds
	token := d.token()
	for _, step := range []struct {
		at   time.Duration
		good bool
	}{{0, true}, {9 * time.Second, true}, {39 * time.Second, true}, {40 * time.Second, false}, {time.Hour, false}} {
		*now = testNow.Add(step.at)
		if _, err := verify(v, token); (err == nil) != step.good {
			t.Errorf("after %v: error %v, want good: %t", step.at, err, step.good)
		}
		if step.at >= 10*time.Second && remembers(v, token) {
			t.Errorf("after %v: remembered beyond its exp", step.at)
		}
	}
}

func TestRefusalsAreNotRemembered(t *testing.T) {
	v, now, _ := testVerifier(t)
	d := newDraft()
	swap(&d.claims, "1795478400", "1795478440") // iat 40 seconds ahead
	token := d.token()
	if _, err := verify(v, token); err == nil {
		t.Fatal("accepted")
	}
	if n := v.verified.EstimatedSize(); n != 0 {
		t.Errorf("%d entries after a refusal", n)
	}
	*now = testNow.Add(10 * time.Second)
	if _, err := verify(v, token); err != nil {
		t.Errorf("the refusal was remembered: %v", err)
	}
}

// TestTheMemoryHoldsNoToken prints everything that is kept of a token.
func TestTheMemoryHoldsNoToken(t *testing.T) {
	v, _, _ := testVerifier(t)
	token := newDraft().token()
	if _, err := verify(v, token); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	entries := 0
	for hash, e := range v.verified.All() {
		entries++
		kept := fmt.Sprintf("%s %x %+v %+v", hash, hash, e, *e.principal)
		if !strings.Contains(kept, "user-1") {
			t.Fatalf("the principal is not in what was printed: %s", kept)
		}
		for _, part := range append(parts, string(signature), fmt.Sprintf("%x", signature), string(signature[:16])) {
			if strings.Contains(kept, part) {
				t.Errorf("the memory holds %q", part)
			}
		}
	}
	if entries != 1 {
		t.Errorf("%d entries", entries)
	}
}

func TestTheMemoryIsBounded(t *testing.T) {
	v, now, _ := testVerifier(t)
	until := now.Add(time.Hour).UnixNano()
	for i := range 2 * cacheSize {
		v.verified.Set(hashOf(fmt.Sprint(i)), verified{&auth.Principal{}, testKeyID, until})
	}
	v.verified.CleanUp()
	if n := v.verified.EstimatedSize(); n > cacheSize {
		t.Errorf("%d entries, more than %d", n, cacheSize)
	}
}

func TestAVerifierDoesNotStartIncomplete(t *testing.T) {
	whole := VerifierConfig{Keys: testKeys(t), Issuer: testIssuer, Audience: testAudience, Exceptions: new(auth.Exceptions), Now: time.Now}
	for _, row := range []struct {
		name   string
		change func(*VerifierConfig)
	}{
		{"without keys", func(c *VerifierConfig) { c.Keys = nil }},
		{"without an issuer", func(c *VerifierConfig) { c.Issuer = "" }},
		{"without an audience", func(c *VerifierConfig) { c.Audience = "" }},
		{"without exceptions", func(c *VerifierConfig) { c.Exceptions = nil }},
		{"without a clock", func(c *VerifierConfig) { c.Now = nil }},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := whole
			row.change(&c)
			if v, err := NewVerifier(c); err == nil || v != nil {
				t.Errorf("verifier %v, error %v", v, err)
			}
		})
	}
	if _, err := NewVerifier(whole); err != nil {
		t.Error(err)
	}
}
