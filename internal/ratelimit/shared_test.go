package ratelimit

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"example.com/gatehouse/internal/ratelimit/redistest"
)

type shared struct {
	*Shared
	log *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newShared(t *testing.T, s *redistest.Server, replicas int) shared {
	t.Helper()
	log := &lockedBuffer{}
	// Longer than a busy machine takes, and short enough to wait for where nothing answers.
	redis, err := openRedis(s.Address, []byte("a secret of the test"), 500*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	out := shared{NewShared(SharedConfig{Redis: redis, Local: NewMemory(1000), Replicas: replicas, Log: slog.New(slog.NewTextHandler(log, nil))}), log}
	t.Cleanup(func() { out.Close() })
	return out
}

// allowed asks n times.
func (s *shared) allowed(n int, l Limit, key string) (count int) {
	for range n {
		if s.Take(time.Now(), l, key, 1).Allowed {
			count++
		}
	}
	return count
}

// until waits for what the probe does by itself.
func until(t *testing.T, what string, true func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !true(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

var hourly = Limit{Name: "hourly", Quota: 40, Window: 10 * time.Hour}

func TestReplicasShareOneLimit(t *testing.T) {
	server := redistest.Start(t)
	first, second := newShared(t, server, 2), newShared(t, server, 2)
	var count atomic.Int64
	var wg sync.WaitGroup
	for _, s := range []*shared{&first, &second} {
		for range 4 {
			wg.Go(func() { count.Add(int64(s.allowed(20, hourly, "k"))) })
		}
	}
	wg.Wait()
	if count.Load() != 40 || first.Degraded() || second.Degraded() {
		t.Errorf("%d of 160 allowed, want 40", count.Load())
	}
}

func TestARedisThatIsLost(t *testing.T) {
	for name, c := range map[string]struct {
		lose, find func(*redistest.Server)
	}{
		"killed":                   {(*redistest.Server).Kill, (*redistest.Server).Start},
		"hanging, connection open": {(*redistest.Server).Hang, (*redistest.Server).Continue},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			s := newShared(t, server, 4)
			guess := hourly
			guess.Name, guess.Guess = "guess", true
			if n := s.allowed(40, hourly, "spent"); n != 40 {
				t.Fatalf("%d allowed of a quota of 40", n)
			}

			c.lose(server)
			for _, step := range []struct {
				name string
				l    Limit
				key  string
				want int
			}{
				{"each of four replicas has a quarter", hourly, "k", 10},
				{"which is not given twice", hourly, "k", 0},
				{"of what is guessed at it has a quarter of a quarter", guess, "k", 2},
				{"who had spent everything in redis gets a share and no more", hourly, "spent", 10},
				{"a quota of one is not rounded to none", Limit{Name: "one", Quota: 1, Window: time.Hour}, "k", 1},
				{"a closed limit stays closed", Limit{Name: "closed"}, "k", 0},
			} {
				if n := s.allowed(50, step.l, step.key); n != step.want {
					t.Errorf("%s: %d allowed, want %d", step.name, n, step.want)
				}
			}
			if d := s.Take(time.Now(), hourly, "expensive", 30); !d.Allowed {
				t.Errorf("a request whose cost is above the share is refused: %+v", d)
			}
			if !s.Degraded() || s.Losses() != 1 || strings.Count(s.log.String(), "redis does not answer") != 1 {
				t.Errorf("degraded %v, %d losses, log:\n%s", s.Degraded(), s.Losses(), s.log)
			}

			c.find(server)
			until(t, "the limits are counted in redis again", func() bool { return !s.Degraded() })
			if n := s.allowed(50, hourly, "later"); n != 40 {
				t.Errorf("%d allowed after redis is back, want 40", n)
			}
			if strings.Count(s.log.String(), "redis answers again") != 1 {
				t.Errorf("log:\n%s", s.log)
			}
		})
	}
}

func TestARedisThatTakesNoWritesIsLost(t *testing.T) {
	server := redistest.Start(t)
	s := newShared(t, server, 2)
	if err := s.config.Redis.client.ConfigSet(t.Context(), "min-replicas-to-write", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if n := s.allowed(50, hourly, "k"); n != 20 || !s.Degraded() {
		t.Errorf("%d allowed, degraded %v", n, s.Degraded())
	}
}

func TestTheServiceStartsWithoutRedis(t *testing.T) {
	server := redistest.Start(t)
	server.Kill()
	s := newShared(t, server, 2)
	if n := s.allowed(50, hourly, "k"); n != 20 || !s.Degraded() {
		t.Errorf("%d allowed, degraded %v", n, s.Degraded())
	}
	s.GiveBack(time.Now(), hourly, "k", 1)
	if n := s.allowed(50, hourly, "k"); n != 1 {
		t.Errorf("%d allowed after one was given back", n)
	}
	s.Reset(time.Now(), hourly, "k")
	if n := s.allowed(50, hourly, "k"); n != 20 {
		t.Errorf("%d allowed after a reset", n)
	}
}

func TestOneAnswerThatIsMissingLosesNothing(t *testing.T) {
	server := redistest.Start(t)
	s := newShared(t, server, 2)
	good := s.config.Redis.script
	for range 3 {
		for range failuresToLose - 1 {
			s.config.Redis.script = redis.NewScript("return redis.error_reply('no')")
			s.allowed(1, hourly, "k")
			s.config.Redis.script = good
		}
		s.allowed(1, hourly, "k")
	}
	if s.Degraded() || s.Losses() != 0 {
		t.Errorf("degraded %v, %d losses", s.Degraded(), s.Losses())
	}
}

func TestClosingEndsTheProbe(t *testing.T) {
	server := redistest.Start(t)
	server.Kill()
	s := newShared(t, server, 1)
	s.allowed(failuresToLose, hourly, "k")
	if err := s.Close(); err != nil { // it waits for the probe
		t.Error(err)
	}
	s.allowed(failuresToLose, hourly, "k")
	if s.Losses() != 1 {
		t.Errorf("%d losses: a closed one began to probe again", s.Losses())
	}
}

func TestAShareIsNeverMoreThanTheLimit(t *testing.T) {
	for _, l := range []Limit{
		{Quota: 1, Window: time.Second}, {Quota: 600, Window: time.Minute}, {Quota: 10, Window: time.Minute, Guess: true},
		{Quota: 7, Window: time.Minute, Burst: 3}, {Quota: 1, Window: 365 * 24 * time.Hour}, {Quota: 3, Window: maxWindow}, {}, {Quota: -1, Window: time.Hour},
	} {
		for _, replicas := range []int{-1, 0, 1, 2, 3, 64, 1000} {
			whole, share := l.rate(), l.share(replicas, 1).rate()
			if share.interval < whole.interval || share.capacity > max(whole.capacity, share.interval) {
				t.Errorf("%+v of %d replicas: %+v of %+v", l, replicas, share, whole)
			}
			if whole.capacity > 0 && share.capacity == 0 {
				t.Errorf("%+v of %d replicas admits nobody", l, replicas)
			}
		}
	}
}
