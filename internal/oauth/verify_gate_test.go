package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/ratelimit"
)

func TestTooManyBadTokensAreNotLookedAt(t *testing.T) {
	v, now, _ := testVerifier(t)
	v.config.Gate = ratelimit.NewGate(ratelimit.Limit{Name: "credentials", Quota: 5, Window: time.Minute}, 100)
	from := func(address, token string) error {
		_, err := v.Verify(auth.WithAddress(context.Background(), netip.MustParseAddr(address)), auth.BearerToken{Secret: auth.Secret(token)})
		return err
	}
	distinct := func(n int) string {
		d := newDraft()
		d.claims = strings.Replace(d.claims, `"jti":"`, fmt.Sprintf(`"jti":"%d`, n), 1)
		return d.token()
	}
	remembered := newDraft().token()
	forged := remembered[:len(remembered)-4] + "AAAA"
	for i := range 20 { // more than the quota: what is good is not counted
		if err := from("192.0.2.1", distinct(i)); err != nil {
			t.Fatalf("good token %d: %v", i, err)
		}
	}
	if err := from("192.0.2.1", remembered); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if err := from("192.0.2.1", forged); !errors.Is(err, auth.ErrInvalidCredential) {
			t.Fatalf("bad token %d: %v", i, err)
		}
	}
	const passed, refused, limited = "passed", "refused", "limited"
	for _, row := range []struct{ name, address, token, want string }{
		{"another bad one", "192.0.2.1", forged, limited},
		{"a good one that nobody remembers", "192.0.2.1", distinct(100), limited},
		{"a good one that is remembered", "192.0.2.1", remembered, passed},
		{"what is no token", "192.0.2.1", "gh_dev_key", refused},
		{"what is too long", "192.0.2.1", strings.Repeat("a.", 9000), refused},
		{"a bad one from another address", "192.0.2.2", forged, refused},
		{"a good one from another address", "192.0.2.2", distinct(101), passed},
	} {
		got := passed
		switch err := from(row.address, row.token); {
		case problem.QuotaExceeded.Is(err):
			got = limited
			if e := problem.From(err); e.RetryAfter != 12*time.Second || e.Limits[0].Name != "credentials" {
				t.Errorf("%s: %+v", row.name, e)
			}
		case err != nil:
			got = refused
		}
		if got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
	*now = now.Add(12 * time.Second)
	if err := from("192.0.2.1", distinct(102)); err != nil {
		t.Errorf("a place has come back: %v", err)
	}
}
