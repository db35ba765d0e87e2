package accounts

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/ratelimit"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// testLimits are limits as a service has them.
func testLimits() Limits {
	perAccount := func(name string, failures int, wait time.Duration) ratelimit.Limit {
		return ratelimit.Limit{Name: name, Quota: int(time.Hour / wait), Window: time.Hour, Burst: failures}
	}
	return Limits{
		Failures:        ratelimit.Limit{Name: "login", Quota: 10, Window: time.Minute},
		AccountFailures: [4]ratelimit.Limit{perAccount("1", 30, time.Second), perAccount("2", 60, 5*time.Second), perAccount("3", 90, 15*time.Second), perAccount("4", 120, time.Minute)},
		Wait:            5 * time.Second, Waiting: 200,
		Mails:        ratelimit.Limit{Name: "mail-of-address", Quota: 5, Window: time.Hour},
		AccountMails: ratelimit.Limit{Name: "mail-of-account", Quota: 20, Window: 24 * time.Hour},
	}
}

// guess enters, and fails or succeeds at once.
func (d *defence) guess(ctx context.Context, now time.Time, account, client string, known, right bool) error {
	a, err := d.enter(ctx, now, account, client, known)
	if err != nil {
		return err
	}
	if right {
		a.succeeded()
	} else {
		a.failed()
	}
	return nil
}

func TestTheWaitGrowsAndEnds(t *testing.T) {
	d := newDefence(ratelimit.NewMemory(10_000), testLimits())
	now, failures := noon, 0
	wait := func() time.Duration { // a new address each time: only the limits of the account count
		failures++
		err := d.guess(t.Context(), now, "ann", fmt.Sprint("address ", failures), false, false)
		if err == nil {
			return 0
		}
		if !problem.QuotaExceeded.Is(err) {
			t.Fatal(err)
		}
		return problem.From(err).RetryAfter
	}
	for i := range 30 {
		if w := wait(); w != 0 {
			t.Fatalf("failure %d waits for %v", i+1, w)
		}
	}
	var longest, last time.Duration
	var first, hour int
	for ; now.Before(noon.Add(4 * time.Hour)); now = now.Add(last) {
		if w := wait(); w > 0 {
			last = w
			longest = max(longest, w)
			continue
		}
		last = 0
		if now.Before(noon.Add(time.Hour)) {
			first++
		} else {
			hour++
		}
	}
	if longest != time.Minute {
		t.Errorf("the longest wait is %v, want a minute", longest)
	}
	if first < 90 || first > 250 || hour < 3*60-3 || hour > 3*60+3 {
		t.Errorf("%d guesses in the first hour and %d in the next three, want about 150, and 60 in each", first, hour)
	}
	if err := d.guess(t.Context(), now.Add(time.Minute), "ann", "the owner's", false, true); err != nil {
		t.Errorf("the owner after a minute: %v", err)
	}
	if w := wait(); w != 0 {
		t.Errorf("after a success the next failure waits for %v", w)
	}
}

func TestWhoIsKnownDoesNotWaitForOthers(t *testing.T) {
	d := newDefence(ratelimit.NewMemory(10_000), testLimits())
	for i := range 500 {
		d.guess(t.Context(), noon, "ann", fmt.Sprint("address ", i), false, false)
	}
	for _, row := range []struct {
		name, account, client string
		known, passes         bool
	}{
		{"a new address", "ann", "new", false, false},
		{"a known device", "ann", "device", true, true},
		{"another account", "bob", "new", false, true},
		{"another account from an address of the attack", "bob", "address 1", false, true},
	} {
		if err := d.guess(t.Context(), noon, row.account, row.client, row.known, false); (err == nil) != row.passes {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	for i := range 9 {
		if err := d.guess(t.Context(), noon, "ann", "device", true, false); err != nil {
			t.Fatalf("failure %d of a known device: %v", i+2, err)
		}
	}
	if err := d.guess(t.Context(), noon, "ann", "device", true, false); !problem.QuotaExceeded.Is(err) {
		t.Errorf("the eleventh failure of a known device: %v", err)
	}
}

func TestAnAttemptWaitsForPlacesThatMayComeBack(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(*attempt)
		pass bool
	}{
		"the others succeed":                  {(*attempt).succeeded, true},
		"nobody can tell of the others":       {(*attempt).undecided, true},
		"the others fail: the place is spent": {(*attempt).failed, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDefence(ratelimit.NewMemory(1000), testLimits())
			var others []*attempt
			for range 10 {
				a, err := d.enter(t.Context(), noon, "ann", "address", false)
				if err != nil {
					t.Fatal(err)
				}
				others = append(others, a)
			}
			done := make(chan error)
			go func() { done <- d.guess(t.Context(), noon, "ann", "address", false, true) }()
			d.untilWaiting(t, "ann", 1)
			for _, a := range others {
				tt.end(a)
			}
			if err := <-done; (err == nil) != tt.pass {
				t.Errorf("%v", err)
			}
			for i := range d.parts {
				if n := len(d.parts[i].running); n != 0 {
					t.Errorf("%d buckets are still thought to have attempts", n)
				}
			}
		})
	}
}

// untilWaiting waits until so many attempts wait.
func (d *defence) untilWaiting(t *testing.T, account string, want int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		n := 0
		for i := range d.parts {
			d.parts[i].mu.Lock()
			for _, r := range d.parts[i].running {
				n += r.waiters.waiting
			}
			d.parts[i].mu.Unlock()
		}
		if n == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d attempts wait, want %d", n, want)
		}
	}
}

func TestWaitingIsBounded(t *testing.T) {
	limits := testLimits()
	limits.Waiting = 2
	d := newDefence(ratelimit.NewMemory(1000), limits)
	for range 10 {
		if _, err := d.enter(t.Context(), noon, "ann", "address", false); err != nil {
			t.Fatal(err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	for range 2 {
		go func() { done <- d.guess(ended, noon, "ann", "address", false, true) }()
	}
	d.untilWaiting(t, "ann", 2)
	if err := d.guess(t.Context(), noon, "ann", "address", false, true); !problem.QuotaExceeded.Is(err) {
		t.Errorf("the third that would wait: %v", err)
	}
	cancel()
	for range 2 {
		if err := <-done; !problem.QuotaExceeded.Is(err) {
			t.Errorf("who goes away while waiting: %v", err)
		}
	}
	d.untilWaiting(t, "ann", 0)
	d.limits.Wait = time.Millisecond
	if err := d.guess(t.Context(), noon, "ann", "address", false, true); !problem.QuotaExceeded.Is(err) {
		t.Errorf("a wait that is over: %v", err)
	}
}

// atOnce runs n attempts from one address for one account at the same time.
func (s *service) atOnce(n int, address string, password func(int) string) (passed, refused, limited int64) {
	var p, r, l atomic.Int64
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			switch _, err := s.Authenticate(from(address), auth.Basic{Username: "ann", Password: auth.Secret(password(i))}); {
			case err == nil:
				p.Add(1)
			case errors.Is(err, auth.ErrInvalidCredential):
				r.Add(1)
			case problem.QuotaExceeded.Is(err):
				l.Add(1)
			}
		})
	}
	wg.Wait()
	return p.Load(), r.Load(), l.Load()
}

func TestAHundredGuessesAtOnce(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	device, _, err := s.NewDevice("ann")
	if err != nil {
		t.Fatal(err)
	}
	before := s.Hashes()
	var wg sync.WaitGroup
	wg.Go(func() {
		passed, refused, limited := s.atOnce(100, "192.0.2.66", func(i int) string { return fmt.Sprint("wrong ", i) })
		if passed != 0 || refused != 10 || limited != 90 {
			t.Errorf("%d passed, %d refused, %d limited", passed, refused, limited)
		}
	})
	wg.Go(func() {
		if _, err := s.Authenticate(from("192.0.2.1"), auth.Basic{Username: "ann", Password: password}); err != nil {
			t.Errorf("the owner at another address: %v", err)
		}
	})
	wg.Wait()
	if n := s.Hashes() - before; n != 11 {
		t.Errorf("%d hashes for 100 guesses and one login, want 11", n)
	}
	s.restart(t) // so that no login is remembered
	if _, err := s.AuthenticateOn(from("192.0.2.66"), auth.Basic{Username: "ann", Password: password}, device); err != nil {
		t.Errorf("a known device at the address of the guesses: %v", err)
	}
}

func TestAHundredLoginsAtOnce(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	if passed, refused, limited := s.atOnce(100, "192.0.2.1", func(int) string { return password }); passed != 100 {
		t.Errorf("%d passed, %d refused, %d limited", passed, refused, limited)
	}
	s.restart(t)
	var wg sync.WaitGroup
	var failed atomic.Int64
	for i := range 60 { // twice what the first limit of an account has
		wg.Go(func() {
			if _, err := s.Authenticate(from(fmt.Sprintf("192.0.2.%d", i)), auth.Basic{Username: "ann", Password: password}); err != nil {
				t.Log(err)
				failed.Add(1)
			}
		})
	}
	wg.Wait()
	if failed.Load() > 0 {
		t.Errorf("%d of 60 logins from 60 addresses fail", failed.Load())
	}
}

func TestADeviceIsOfOneAccount(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	token, _, err := s.NewDevice("ann@example.com")
	if err != nil {
		t.Fatal(err)
	}
	now := s.config.Now()
	id, known := s.knownDevice(token, "ann@example.com", now)
	if !known || len(id) != deviceIDBytes {
		t.Fatalf("%q, %v", id, known)
	}
	flipped := []byte(token.Reveal())
	other := open(t, sqldbtest.Open(t))
	other.config.DeviceKey[0]++
	for name, c := range map[string]struct {
		s     *service
		token auth.Secret
		user  string
		now   time.Time
	}{
		"another account":     {s, token, "bob@example.com", now},
		"another key":         {other, token, "ann@example.com", now},
		"after its time":      {s, token, "ann@example.com", now.Add(deviceLifetime + time.Second)},
		"no token":            {s, "", "ann@example.com", now},
		"the prefix alone":    {s, devicePrefix, "ann@example.com", now},
		"without the prefix":  {s, token[len(devicePrefix):], "ann@example.com", now},
		"with something more": {s, token + "AAAA", "ann@example.com", now},
		"not base64":          {s, token[:len(token)-1] + "!", "ann@example.com", now},
	} {
		if _, known := c.s.knownDevice(c.token, c.user, c.now); known {
			t.Errorf("%s: known", name)
		}
	}
	for i := len(devicePrefix); i < len(flipped); i++ {
		changed := append([]byte(nil), flipped...)
		changed[i] ^= 1
		if _, known := s.knownDevice(auth.Secret(changed), "ann@example.com", now); known {
			t.Errorf("known with another character at %d", i)
		}
	}
	if _, known := s.knownDevice(token, "ANN@example.com", now); !known {
		t.Error("an address in another case is another account")
	}
}
