package ratelimit_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/gatehouse/internal/ratelimit"
	"example.com/gatehouse/internal/ratelimit/redistest"
	"github.com/google/go-cmp/cmp"
)

// store is what every place that keeps buckets can do. A store with its own clock or network is adapted to it.
type store interface {
	Take(now time.Time, l ratelimit.Limit, key string, cost int) ratelimit.Decision
	GiveBack(now time.Time, l ratelimit.Limit, key string, cost int)
	Reset(now time.Time, l ratelimit.Limit, key string)
}

func TestMemoryConforms(t *testing.T) {
	conformance(t, func(*testing.T) store { return ratelimit.NewMemory(10_000) })
}

func TestMemoryWithoutRoomConformsButForGiveBack(t *testing.T) {
	m := ratelimit.NewMemory(0)
	start := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	l := ratelimit.Limit{Name: "login", Quota: 2, Window: time.Minute}
	for range 2 {
		if !m.Take(start, l, "k", 1).Allowed {
			t.Fatal("refused within the quota")
		}
	}
	m.GiveBack(start, l, "k", 1)
	if m.Take(start, l, "k", 1).Allowed {
		t.Error("a place of a lane was given back")
	}
	if d := m.Take(start.Add(30*time.Second), l, "k", 1); !d.Allowed {
		t.Errorf("a lane does not fill: %+v", d)
	}
}

type step struct {
	at       time.Duration
	limit    string // "login" where empty
	key      string // "k" where empty
	cost     int    // 1 where 0
	giveBack bool
	reset    bool
	want     ratelimit.Decision
}

var limits = map[string]ratelimit.Limit{
	"login":  {Name: "login", Quota: 3, Window: time.Minute},
	"search": {Name: "search", Quota: 60, Window: time.Minute, Burst: 1},
	"uneven": {Name: "uneven", Quota: 7, Window: time.Minute, Burst: 2},
	"closed": {Name: "closed"},
}

func yes(remaining int, reset time.Duration) ratelimit.Decision {
	return ratelimit.Decision{Allowed: true, Remaining: remaining, Reset: reset}
}

func no(retry, reset time.Duration) ratelimit.Decision {
	return ratelimit.Decision{RetryAfter: retry, Reset: reset}
}

// conformance is the contract of a store: every one runs this table.
func conformance(t *testing.T, open func(*testing.T) store) {
	const s = time.Second
	const us = time.Microsecond
	seventh := 8571429 * us // of a minute, rounded up
	for name, steps := range map[string][]step{
		"the whole quota at once, then none": {
			{want: yes(2, 20*s)}, {want: yes(1, 40*s)}, {want: yes(0, 60*s)}, {want: no(20*s, 60*s)}, {want: no(20*s, 60*s)},
		},
		"a place comes back after window over quota": {
			{want: yes(2, 20*s)}, {want: yes(1, 40*s)}, {want: yes(0, 60*s)},
			{at: 19 * s, want: no(1*s, 41*s)}, {at: 20 * s, want: yes(0, 60*s)}, {at: 20 * s, want: no(20*s, 60*s)},
		},
		"a refused request costs nothing": {
			{want: yes(2, 20*s)}, {want: yes(1, 40*s)}, {want: yes(0, 60*s)},
			{at: 10 * s, want: no(10*s, 50*s)}, {at: 10 * s, want: no(10*s, 50*s)}, {at: 20 * s, want: yes(0, 60*s)},
		},
		"a bucket never holds more than the burst, however long it was left": {
			{want: yes(2, 20*s)},
			{at: 1000 * time.Hour, want: yes(2, 20*s)}, {at: 1000 * time.Hour, want: yes(1, 40*s)},
			{at: 1000 * time.Hour, want: yes(0, 60*s)}, {at: 1000 * time.Hour, want: no(20*s, 60*s)},
		},
		"a burst smaller than the quota spaces requests": {
			{limit: "search", want: yes(0, 1*s)}, {limit: "search", want: no(1*s, 1*s)},
			{at: 999 * time.Millisecond, limit: "search", want: no(time.Millisecond, time.Millisecond)},
			{at: 1 * s, limit: "search", want: yes(0, 1*s)},
		},
		"an interval that is not a whole number is rounded up": {
			{limit: "uneven", want: yes(1, seventh)}, {limit: "uneven", want: yes(0, 2*seventh)},
			{at: seventh - us, limit: "uneven", want: no(us, seventh+us)}, {at: seventh, limit: "uneven", want: yes(0, 2*seventh)},
		},
		"another key is another bucket": {
			{want: yes(2, 20*s)}, {key: "other", want: yes(2, 20*s)}, {key: "", want: yes(1, 40*s)},
		},
		"another limit is another bucket of the same key": {
			{want: yes(2, 20*s)}, {limit: "search", want: yes(0, 1*s)}, {want: yes(1, 40*s)},
		},
		"a name and a key that join to the same text are two buckets": {
			{limit: "login", key: "search", want: yes(2, 20*s)}, {limit: "search", key: "login", want: yes(0, 1*s)},
			{limit: "login", key: "search", want: yes(1, 40*s)},
		},
		"a place that is given back can be taken again": {
			{want: yes(2, 20*s)}, {want: yes(1, 40*s)}, {want: yes(0, 60*s)},
			{giveBack: true}, {want: yes(0, 60*s)}, {want: no(20*s, 60*s)},
		},
		"giving back to a bucket that time has filled gives nothing": {
			{want: yes(2, 20*s)}, {at: 60 * s, giveBack: true},
			{at: 60 * s, want: yes(2, 20*s)}, {at: 60 * s, want: yes(1, 40*s)}, {at: 60 * s, want: yes(0, 60*s)}, {at: 60 * s, want: no(20*s, 60*s)},
		},
		"giving back to a key that was never seen gives nothing": {
			{giveBack: true}, {want: yes(2, 20*s)}, {want: yes(1, 40*s)}, {want: yes(0, 60*s)}, {want: no(20*s, 60*s)},
		},
		"giving back to one key does nothing for another": {
			{want: yes(2, 20*s)}, {key: "other", want: yes(2, 20*s)}, {giveBack: true}, {key: "other", want: yes(1, 40*s)},
		},
		"a cost takes so many places": {
			{cost: 2, want: yes(1, 40*s)}, {want: yes(0, 60*s)}, {want: no(20*s, 60*s)},
		},
		"a cost is taken whole or not at all": {
			{cost: 2, want: yes(1, 40*s)}, {cost: 2, want: no(20*s, 40*s)}, {want: yes(0, 60*s)}, {at: 20 * s, cost: 2, want: no(20*s, 40*s)}, {at: 40 * s, cost: 2, want: yes(0, 60*s)},
		},
		"a cost above what a bucket holds is refused for ever": {
			{cost: 4, want: no(20*s, 0)}, {at: time.Hour, cost: 4, want: no(20*s, 0)}, {at: time.Hour, cost: 1 << 40, want: no(20*s, 0)}, {at: time.Hour, want: yes(2, 20*s)},
		},
		"a cost that is given back can be taken again": {
			{cost: 3, want: yes(0, 60*s)}, {giveBack: true, cost: 2}, {cost: 2, want: yes(0, 60*s)}, {want: no(20*s, 60*s)},
		},
		"giving back more than was taken gives a full bucket and no more": {
			{want: yes(2, 20*s)}, {giveBack: true, cost: 1 << 40}, {cost: 3, want: yes(0, 60*s)}, {want: no(20*s, 60*s)},
		},
		"a bucket that is reset is as new": {
			{cost: 3, want: yes(0, 60*s)}, {want: no(20*s, 60*s)}, {reset: true}, {cost: 3, want: yes(0, 60*s)}, {want: no(20*s, 60*s)},
		},
		"a reset of one key does nothing for another, nor for another limit": {
			{cost: 3, want: yes(0, 60*s)}, {key: "other", reset: true}, {limit: "search", reset: true}, {want: no(20*s, 60*s)},
		},
		"a limit without a quota admits nobody": {
			{limit: "closed", want: no(us, 0)}, {limit: "closed", at: time.Hour, want: no(us, 0)}, {limit: "closed", giveBack: true}, {limit: "closed", want: no(us, 0)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := open(t)
			start := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
			for i, st := range steps {
				limit, key := limits["login"], "k"
				if st.limit != "" {
					limit = limits[st.limit]
				}
				if st.key != "" {
					key = st.key
				}
				switch {
				case st.giveBack:
					m.GiveBack(start.Add(st.at), limit, key, max(st.cost, 1))
					continue
				case st.reset:
					m.Reset(start.Add(st.at), limit, key)
					continue
				}
				if diff := cmp.Diff(st.want, m.Take(start.Add(st.at), limit, key, max(st.cost, 1))); diff != "" {
					t.Fatalf("step %d: %s", i, diff)
				}
			}
		})
	}

	t.Run("of a hundred at once exactly the quota is allowed", func(t *testing.T) {
		m := open(t)
		now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
		var allowed atomic.Int64
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if m.Take(now, limits["login"], "k", 1).Allowed {
					allowed.Add(1)
				}
			})
		}
		wg.Wait()
		if allowed.Load() != 3 {
			t.Errorf("%d allowed, want 3", allowed.Load())
		}
	})

	t.Run("a thousand keys do not touch each other", func(t *testing.T) {
		m := open(t)
		now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
		for i := range 3000 {
			if d := m.Take(now, limits["login"], fmt.Sprint(i%1000), 1); !d.Allowed || d.Remaining != 2-i/1000 {
				t.Fatalf("request %d: %+v", i, d)
			}
		}
	})
}

func TestSharedConformsOnRedis(t *testing.T) {
	s := redistest.Start(t)
	conformance(t, func(t *testing.T) store { return ratelimit.NewOnRedis(t, s) })
}
