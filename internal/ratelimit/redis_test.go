package ratelimit

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"example.com/gatehouse/internal/ratelimit/redistest"
)

// patient is a timeout that no machine is too slow for: what a late answer does is not what these tests are about.
const patient = 30 * time.Second

func connect(t *testing.T, s *redistest.Server) *Redis {
	t.Helper()
	r, err := openRedis(s.Address, []byte("a secret of the test"), patient)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// OnRedis is a Shared with the time of the conformance table. Redis is not lost there.
type OnRedis struct {
	*testing.T
	redis *Redis
}

func NewOnRedis(t *testing.T, s *redistest.Server) *OnRedis { return &OnRedis{t, connect(t, s)} }

func (r *OnRedis) at(now time.Time) *Shared {
	redis := *r.redis
	redis.clock = func() time.Time { return now }
	return NewShared(SharedConfig{Redis: &redis, Local: NewMemory(0), Replicas: 1, Log: slog.New(failing{r.T})})
}

func (r *OnRedis) Take(now time.Time, l Limit, key string, cost int) Decision {
	return r.at(now).Take(now, l, r.Name()+key, cost)
}

func (r *OnRedis) GiveBack(now time.Time, l Limit, key string, cost int) {
	r.at(now).GiveBack(now, l, r.Name()+key, cost)
}

func (r *OnRedis) Reset(now time.Time, l Limit, key string) { r.at(now).Reset(now, l, r.Name()+key) }

// failing is a log in which nothing should be.
type failing struct{ *testing.T }

func (f failing) Enabled(context.Context, slog.Level) bool { return true }
func (f failing) WithAttrs([]slog.Attr) slog.Handler       { return f }
func (f failing) WithGroup(string) slog.Handler            { return f }

func (f failing) Handle(_ context.Context, r slog.Record) error {
	f.Error(r.Message)
	return nil
}

func TestAnAddressOfRedisIsRefused(t *testing.T) {
	for name, address := range map[string]string{
		"nothing":              "",
		"another scheme":       "http://127.0.0.1:6379",
		"no scheme":            "127.0.0.1:6379",
		"a database by a name": "redis://user:hunter2@127.0.0.1:6379/first",
		"not an address":       "redis://user:hunter2@[::1",
	} {
		if _, err := OpenRedis(address, nil); err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "give redis://") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNothingOfTheCallerStandsInRedis(t *testing.T) {
	s := redistest.Start(t)
	r := connect(t, s)
	if _, err := r.Take(Limit{Name: "login", Quota: 10, Window: time.Minute}, "ann@example.com", 1); err != nil {
		t.Fatal(err)
	}
	keys, err := r.client.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) != 1 || !strings.HasPrefix(keys[0], "gatehouse:limit:login:") || strings.Contains(keys[0], "ann") {
		t.Errorf("%q", keys)
	}
	other, err := OpenRedis(s.Address, []byte("another secret"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if other.bucket(Limit{Name: "login"}, "ann@example.com") == keys[0] {
		t.Error("the key does not depend on the secret")
	}
}

func TestRedisForgetsABucketThatIsFull(t *testing.T) {
	r := connect(t, redistest.Start(t))
	l := Limit{Name: "login", Quota: 10, Window: time.Minute}
	if _, err := r.Take(l, "k", 1); err != nil {
		t.Fatal(err)
	}
	left, err := r.client.PTTL(t.Context(), r.bucket(l, "k")).Result()
	if err != nil || left <= 0 || left > 6*time.Second+keyTTLExtra {
		t.Errorf("kept for %v: %v", left, err)
	}
	if err := r.GiveBack(l, "k", 1); err != nil {
		t.Fatal(err)
	}
	if n, err := r.client.Exists(t.Context(), r.bucket(l, "k")).Result(); err != nil || n != 0 {
		t.Errorf("a full bucket is kept: %v", err)
	}
}

func TestRedisThatHasForgottenTheScriptIsGivenIt(t *testing.T) {
	r := connect(t, redistest.Start(t))
	l := Limit{Name: "login", Quota: 2, Window: time.Minute}
	for i, want := range []bool{true, true, false} {
		if err := r.client.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if d, err := r.Take(l, "k", 1); err != nil || d.Allowed != want {
			t.Errorf("request %d: %+v, %v", i, d, err)
		}
	}
}
