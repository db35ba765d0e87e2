package server_test

import (
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

func TestAnAddressOfRedisThatIsNoneStopsTheStart(t *testing.T) {
	s := start(t)
	s.config.Redis = "http://user:hunter2@redis.example.com"
	if _, err := server.New(t.Context(), s.config); err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "address of Redis") {
		t.Errorf("%v", err)
	}
}
