package apikeys_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"example.com/gatehouse/internal/apikeys"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/ratelimit"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

func TestTooManyBadKeysAreNotLookedUp(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	s.config.Gate = ratelimit.NewGate(ratelimit.Limit{Name: "credentials", Quota: 5, Window: time.Minute}, 100)
	s.restart(t)
	bad, row := s.create(t, apikeys.NewKey{})
	if err := s.Revoke(ctx, row.ID); err != nil {
		t.Fatal(err)
	}
	remembered, _ := s.create(t, apikeys.NewKey{})
	fresh, _ := s.create(t, apikeys.NewKey{})
	from := func(address string, key auth.APIKey) error {
		_, err := s.Authenticate(auth.WithAddress(ctx, netip.MustParseAddr(address)), key)
		return err
	}
	if err := from("192.0.2.1", remembered); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if err := from("192.0.2.1", bad); !errors.Is(err, auth.ErrInvalidCredential) {
			t.Fatalf("bad key %d: %v", i, err)
		}
	}
	reads := s.Reads()
	for _, c := range []struct {
		name    string
		address string
		key     auth.APIKey
		limited bool
	}{
		{"another bad one", "192.0.2.1", bad, true},
		{"a good one that nobody remembers", "192.0.2.1", fresh, true},
		{"a good one that is remembered", "192.0.2.1", remembered, false},
		{"what is no key", "192.0.2.1", auth.APIKey{Secret: "a.b.c"}, false},
	} {
		if err := from(c.address, c.key); problem.QuotaExceeded.Is(err) != c.limited {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if s.Reads() != reads {
		t.Errorf("the database was asked %d times", s.Reads()-reads)
	}
	if err := from("192.0.2.2", fresh); err != nil {
		t.Errorf("a good one from another address: %v", err)
	}
}
