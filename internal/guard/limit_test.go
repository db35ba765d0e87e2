package guard_test

import (
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/ratelimit"
	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"
)

func limit(name string, by guard.Subject, quota int) guard.Limit {
	return guard.Limit{By: by, Limit: ratelimit.Limit{Name: name, Quota: quota, Window: time.Minute}}
}

func TestAddressLimitCountsFailures(t *testing.T) {
	op := get(needs(bearer))
	op.Limits = []guard.Limit{limit("address", guard.ByAddress, 3), limit("principal", guard.ByPrincipal, 1)}
	s := serve(t, settings{}, op)
	for range 3 {
		if got := s.send(t, "GET", "/x", "", header("Authorization", "Bearer bad")); got.status != 401 {
			t.Fatalf("%d", got.status)
		}
	}
	got := s.send(t, "GET", "/x", "", header("Authorization", token))
	expect(t, got, 429, nil)
	if got.handled {
		t.Error("the handler was reached")
	}
	for name, want := range map[string]string{
		"Retry-After": "20", "Ratelimit-Policy": `"address";q=3;w=60`, "Ratelimit": `"address";r=0;t=20`,
	} {
		if got.header.Get(name) != want {
			t.Errorf("%s: %s, want %s", name, got.header.Get(name), want)
		}
	}
	want := map[string]any{
		"type": "https://iana.org/assignments/http-problem-types#quota-exceeded", "title": "Quota exceeded", "status": 429.0,
		"detail": "repeat after 20 seconds", "instance": "urn:gatehouse:request:00ff", "request_id": "00ff",
		"violated-policies": []any{"address"},
	}
	if diff := cmp.Diff(want, got.problem); diff != "" {
		t.Error(diff)
	}
}

func TestPrincipalLimit(t *testing.T) {
	first, second, own := get(nil, needs(bearer)), get(needs(bearer)), get(needs(bearer))
	first.Limits = []guard.Limit{limit("principal", guard.ByPrincipal, 2)}
	second.ID, second.Path, second.Limits = "getY", "/y", first.Limits
	own.ID, own.Path, own.Limits = "getZ", "/z", []guard.Limit{limit("own", guard.ByPrincipal, 1)}
	s := serve(t, settings{}, first, second, own)
	bob := "Bearer oauth2-bob-read"
	for _, step := range []struct {
		name, target, authorization string
		status                      int
	}{
		{"the first request of alice", "/x", token, 200},
		{"the second, of an operation that shares the limit", "/y", token, 200},
		{"the third is one too many", "/x", token, 429},
		{"also at the other operation", "/y", token, 429},
		{"a limit of another name has its own bucket", "/z", token, 200},
		{"and is hit alone", "/z", token, 429},
		{"bob has his own", "/x", bob, 200},
		{"the anonymous is nobody's caller", "/x", "", 200},
		{"the anonymous is not counted with each other", "/x", "", 200},
		{"nor thrice", "/x", "", 200},
		{"a bad credential is told as one", "/x", "Bearer bad", 401},
	} {
		h := header()
		if step.authorization != "" {
			h.Set("Authorization", step.authorization)
		}
		got := s.send(t, "GET", step.target, "", h)
		if got.status != step.status || got.handled != (step.status == 200) {
			t.Errorf("%s: %d, handled %v", step.name, got.status, got.handled)
		}
	}
}

func TestAllLimitsThatWereHitAreTold(t *testing.T) {
	op := guard.Operation{ID: "getX", Method: "GET", Path: "/x", Public: "it is", Limits: []guard.Limit{
		limit("minute", guard.ByAddress, 1),
		{By: guard.ByAddress, Limit: ratelimit.Limit{Name: "hour", Quota: 1, Window: time.Hour}},
		limit("wide", guard.ByAddress, 100),
	}}
	s := serve(t, settings{}, op)
	s.send(t, "GET", "/x", "", nil)
	got := s.send(t, "GET", "/x", "", nil)
	if got.header.Get("Ratelimit-Policy") != `"minute";q=1;w=60, "hour";q=1;w=3600` || got.header.Get("Ratelimit") != `"minute";r=0;t=60, "hour";r=0;t=3600` || got.header.Get("Retry-After") != "3600" {
		t.Errorf("%v", got.header)
	}
	if diff := cmp.Diff([]any{"minute", "hour"}, got.problem["violated-policies"]); diff != "" {
		t.Error(diff)
	}
}

// never is a limiter that refuses without saying for how long.
type never struct{}

func (never) Take(time.Time, ratelimit.Limit, string, int) ratelimit.Decision {
	return ratelimit.Decision{}
}

func TestLimiterThatCannotSayWhen(t *testing.T) {
	op := guard.Operation{ID: "getX", Method: "GET", Path: "/x", Public: "it is", Limits: []guard.Limit{limit("n", guard.ByAddress, 1)}}
	got := serve(t, settings{limiter: never{}}, op).send(t, "GET", "/x", "", nil)
	if got.status != 429 || got.header.Get("Retry-After") != "1" {
		t.Errorf("%d, Retry-After %q", got.status, got.header.Get("Retry-After"))
	}
}

func TestAddressesThatShareABucket(t *testing.T) {
	for _, tt := range []struct {
		name, a, b string
		shared     bool
	}{
		{"one IPv4 address", "192.0.2.1", "192.0.2.1", true},
		{"an IPv4 address in IPv6 form", "192.0.2.1", "::ffff:192.0.2.1", true},
		{"neighbours in IPv4", "192.0.2.1", "192.0.2.2", false},
		{"one /64 of IPv6", "2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true},
		{"neighbouring /64s", "2001:db8:0:1::1", "2001:db8:0:2::1", false},
		{"a zone is no address", "fe80::1%eth0", "fe80::1%eth1", true},
		{"no address at all", "", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := ratelimit.NewMemory(10)
			limits := []guard.Limit{limit("address", guard.ByAddress, 1)}
			takeFrom := func(address string) error {
				var parsed netip.Addr
				if address != "" {
					parsed = netip.MustParseAddr(address)
				}
				c := echo.New().NewContext(httptest.NewRequest("GET", "/", nil), httptest.NewRecorder())
				return guard.TakeAddress(l, limits, c, guard.NewState(t.Context(), "id", parsed, time.Unix(1, 0)))
			}
			if err := takeFrom(tt.a); err != nil {
				t.Fatal(err)
			}
			if err := takeFrom(tt.b); problem.QuotaExceeded.Is(err) != tt.shared {
				t.Errorf("%v", err)
			}
		})
	}
}
