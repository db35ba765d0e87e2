package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/ratelimit/redistest"
	"example.com/gatehouse/internal/server"
)

// TestTwoProcessesShareTheirLimits: what one of them has counted, the other knows; without Redis each has its half.
func TestTwoProcessesShareTheirLimits(t *testing.T) {
	redis := redistest.Start(t)
	secret := newSecret(t)
	together := func(c *server.Config) { c.Redis, c.Replicas, c.Secret = auth.Secret(redis.Address), 2, secret }
	services := []*service{start(t, together), start(t, together)}
	// count asks for tokens, which 60 requests in a minute of one address may, and returns how many were not limited.
	count := func(services ...*service) (counted int) {
		t.Helper()
		for i := range 100 {
			s := services[i%len(services)]
			switch got := s.send(t, "POST", "/token", "grant_type=client_credentials", "Content-Type", formType); got.status {
			case http.StatusTooManyRequests:
				if got.header.Get("Retry-After") == "" || !strings.Contains(got.header.Get("Ratelimit"), `"token";r=0`) {
					t.Errorf("a refusal has the fields %v", got.header)
				}
			case http.StatusBadRequest:
				counted++
			default:
				t.Fatalf("request %d: %d %s", i, got.status, got.body)
			}
		}
		return counted
	}
	if n := count(services...); n < 60 || n > 66 { // the clock of Redis goes on meanwhile
		t.Errorf("%d of 100 requests to two processes were let in, want 60", n)
	}
	redis.Kill()
	for _, s := range services {
		if n := count(s); n != 30 {
			t.Errorf("%d of 100 requests to one process without Redis were let in, want 30", n)
		}
		if !strings.Contains(s.log.String(), "redis does not answer") {
			t.Error("the log does not say that Redis is lost")
		}
	}
}

// TestOperatorsSeeThatRedisIsLost: in metrics, in the details of readiness and in the log, while the service stays ready.
func TestOperatorsSeeThatRedisIsLost(t *testing.T) {
	redis := redistest.Start(t)
	a, on := withAdmin(t, "127.0.0.1:0")
	s := start(t, on, func(c *server.Config) { c.Redis = auth.Secret(redis.Address) })
	see := func(degraded, losses float64) {
		t.Helper()
		m := a.scrape(t)
		if m["gatehouse_limiter_degraded"] != degraded || m["gatehouse_limiter_losses_total"] != losses {
			t.Errorf("degraded %v, losses %v, want %v and %v", m["gatehouse_limiter_degraded"], m["gatehouse_limiter_losses_total"], degraded, losses)
		}
		if got := a.get(t, "/readyz"); got.status != 200 || !strings.Contains(string(got.body), fmt.Sprintf(`"degraded": %v`, degraded == 1)) {
			t.Errorf("readiness: %d %s", got.status, got.body)
		}
	}
	s.send(t, "GET", "/protected", "")
	see(0, 0)
	redis.Kill()
	for range 10 {
		if got := s.send(t, "GET", "/protected", ""); got.status != 401 {
			t.Errorf("without Redis: %d %s", got.status, got.body)
		}
	}
	see(1, 1)
	if got := s.send(t, "GET", "/readyz", ""); got.status != 200 {
		t.Errorf("the service is not ready without Redis: %d", got.status)
	}
}

func TestAnAddressOfRedisThatIsNoneStopsTheStart(t *testing.T) {
	s := start(t)
	s.config.Redis = "http://user:hunter2@redis.example.com"
	if _, err := server.New(t.Context(), s.config); err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "address of Redis") {
		t.Errorf("%v", err)
	}
}
