package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSecretsPrintNothing(t *testing.T) {
	const secret = "s3cr3t"
	values := map[string]any{
		"a secret": Secret(secret), "a pointer": new(Secret(secret)), "a token": BearerToken{Secret(secret)}, "a key": APIKey{Secret(secret)},
		"a login": Basic{Username: "ann", Password: secret}, "a list": []Secret{secret}, "a map": map[string]Secret{"a": secret},
	}
	for name, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%c", "%U", "%20s", "%-20v"} {
			if text := fmt.Sprintf(verb, v); leaks(text, secret) {
				t.Errorf("%s with %s: %s", name, verb, text)
			}
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		if leaks(log.String(), secret) {
			t.Errorf("%s in a log: %s", name, log.String())
		}
		text, err := json.Marshal(v)
		if err != nil || leaks(string(text), secret) {
			t.Errorf("%s as JSON: %s %v", name, text, err)
		}
	}
	if leaks(fmt.Sprint(fmt.Errorf("wrapped: %v %w", Secret(secret), context.Canceled)), secret) {
		t.Error("an error holds it")
	}
	if Secret(secret).Reveal() != secret {
		t.Error("Reveal does not")
	}
}

// leaks reports whether text holds the secret, as text, in hex or as the numbers of its bytes.
func leaks(text, secret string) bool {
	lower := strings.ToLower(text)
	return strings.Contains(text, secret) || strings.Contains(lower, fmt.Sprintf("%x", secret)) || strings.Contains(text, fmt.Sprint([]byte(secret))) || strings.Contains(text, "115 51")
}

func TestScopes(t *testing.T) {
	s := NewScopes("b", "a", "b", "c")
	if diff := cmp.Diff(Scopes{"a", "b", "c"}, s); diff != "" {
		t.Error(diff)
	}
	for _, row := range []struct {
		names []string
		want  bool
	}{
		{nil, true}, {[]string{"a"}, true}, {[]string{"c", "a"}, true}, {[]string{"d"}, false}, {[]string{"a", "d"}, false}, {[]string{""}, false}, {[]string{"A"}, false}, {[]string{"a b"}, false},
	} {
		if s.Has(row.names...) != row.want {
			t.Errorf("%v: %v", row.names, !row.want)
		}
	}
	if Scopes(nil).Has("a") || !Scopes(nil).Has() {
		t.Error("no scopes hold nothing, and nothing is all they are asked for")
	}
	if diff := cmp.Diff(Scopes{"b"}, s.Intersect(NewScopes("b", "x"))); diff != "" {
		t.Error(diff)
	}
	if n := len(s.Intersect(nil)); n != 0 {
		t.Errorf("%d scopes shared with nobody", n)
	}
}

func TestExceptions(t *testing.T) {
	at := time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)
	token := &Principal{Subject: "ann", IssuedAt: at}
	key := &Principal{Subject: "ann", KeyID: "k", IssuedAt: at}
	other := &Principal{Subject: "bob", IssuedAt: at}
	for _, row := range []struct {
		name              string
		change            func(e *Exceptions)
		token, key, other bool
	}{
		{"none", func(*Exceptions) {}, true, true, true},
		{"an ended subject", func(e *Exceptions) { e.EndSubject("ann") }, false, false, true},
		{"a subject that was ended and resumed", func(e *Exceptions) { e.EndSubject("ann"); e.ResumeSubject("ann") }, true, true, true},
		{"a revoked key", func(e *Exceptions) { e.RevokeKey("k") }, true, false, true},
		{"a key that was revoked and restored", func(e *Exceptions) { e.RevokeKey("k"); e.RestoreKey("k") }, true, true, true},
		{"a mark after the token", func(e *Exceptions) { e.SetNotBefore("ann", at.Add(1)) }, false, true, true},
		{"a mark at the token", func(e *Exceptions) { e.SetNotBefore("ann", at) }, true, true, true},
		{"a mark after the token, then an earlier one", func(e *Exceptions) { e.SetNotBefore("ann", at.Add(1)); e.SetNotBefore("ann", at) }, false, true, true},
		{"exceptions of others", func(e *Exceptions) { e.EndSubject("eve"); e.RevokeKey("ann"); e.SetNotBefore("k", at.Add(1)) }, true, true, true},
	} {
		e := &Exceptions{}
		row.change(e)
		if e.Allow(token) != row.token || e.Allow(key) != row.key || e.Allow(other) != row.other {
			t.Errorf("%s: %v %v %v", row.name, e.Allow(token), e.Allow(key), e.Allow(other))
		}
	}
	session := &Principal{Subject: "ann", SessionID: "s", TokenID: "t", IssuedAt: at}
	for reason, change := range map[string]func(e *Exceptions){
		"":                                   func(e *Exceptions) { e.EndSession("t", at); e.RevokeToken("s", at) },
		"the account is disabled or deleted": func(e *Exceptions) { e.EndSubject("ann"); e.EndSession("s", at) },
		"the session has ended":              func(e *Exceptions) { e.EndSession("s", at) },
		"the token is revoked":               func(e *Exceptions) { e.RevokeToken("t", at) },
		"it was issued before all tokens of the account were ended, as by another password": func(e *Exceptions) { e.SetNotBefore("ann", at.Add(1)) },
	} {
		e := &Exceptions{}
		change(e)
		if e.Reason(session) != reason || e.Allow(session) != (reason == "") {
			t.Errorf("%q: %q, %v", reason, e.Reason(session), e.Allow(session))
		}
	}
	e := &Exceptions{}
	if e.RevokeKey("k"); e.Reason(key) != "the API key is revoked" {
		t.Errorf("a revoked key: %q", e.Reason(key))
	}
	e = &Exceptions{}
	if e.EndSubject("ann") || !e.EndSubject("ann") || e.RevokeKey("k") || !e.RevokeKey("k") {
		t.Error("what was so before is not told")
	}
}

func TestExceptionsOfManyAtOnce(t *testing.T) {
	e := &Exceptions{}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 1000 {
				e.Allow(&Principal{Subject: "ann", KeyID: "k"})
				switch i % 4 {
				case 0:
					e.EndSubject("bob")
				case 1:
					e.ResumeSubject("bob")
				case 2:
					e.RevokeKey("k")
				default:
					e.SetNotBefore("ann", time.Now())
				}
			}
		})
	}
	wg.Wait()
	if e.Allow(&Principal{Subject: "ann", KeyID: "k"}) {
		t.Error("a revocation was lost")
	}
}

type request struct{ context.Context }

func (request) RequestTime() time.Time { return time.Unix(1, 0) }

func TestContext(t *testing.T) {
	ctx := context.Background()
	if FromContext(ctx) != nil || Address(ctx).IsValid() {
		t.Error("there is a caller outside of a request")
	}
	p := &Principal{Subject: "ann"}
	if FromContext(context.WithValue(ctx, PrincipalKey, p)) != p {
		t.Error("the caller is lost")
	}
	if a := netip.MustParseAddr("192.0.2.1"); Address(WithAddress(ctx, a)) != a {
		t.Error("the address is lost")
	}
	clock := func() time.Time { return time.Unix(2, 0) }
	if !Time(ctx, clock).Equal(time.Unix(2, 0)) || !Time(request{ctx}, clock).Equal(time.Unix(1, 0)) {
		t.Error("a request has another time than its own")
	}
}
