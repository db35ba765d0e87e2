package ratelimit

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// admits runs the times through one bucket and fails where more is admitted than the limit says, over any stretch that
// begins at the first request.
func admits(t *testing.T, l Limit, times []int64) {
	t.Helper()
	r := l.rate()
	burst := int64(l.Burst)
	if burst == 0 {
		burst = int64(l.Quota)
	}
	var full, admitted, latest int64
	first := times[0]
	for i, now := range times {
		latest = max(latest, now)
		next, d := r.take(now, full, 1)
		switch {
		case d.Allowed:
			admitted++
			if d.RetryAfter != 0 || d.Remaining < 0 || int64(d.Remaining) >= max(burst, 1) {
				t.Fatalf("%+v request %d: %+v", l, i, d)
			}
		case d.RetryAfter <= 0 || d.Remaining != 0:
			t.Fatalf("%+v request %d: refused with %+v", l, i, d)
		}
		if d.Reset < 0 || next < full {
			t.Fatalf("%+v request %d: state %d after %d, %+v", l, i, next, full, d)
		}
		full = next
		if most := burst + (latest-first)/r.interval; most >= 0 && admitted > most {
			t.Fatalf("%+v admitted %d in %d µs, at most %d", l, admitted, latest-first, most)
		}
	}
}

func TestNeverMoreThanBurstAndWhatTimeGaveBack(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		l := Limit{
			Quota:  1 + random.IntN(20),
			Window: time.Duration(1 + random.Int64N(int64(time.Minute))),
			Burst:  random.IntN(20),
		}
		now := random.Int64N(math.MaxInt64 / 2)
		first := now
		times := make([]int64, 200)
		for i := range times {
			times[i] = now
			// Mostly around the interval, sometimes back, never before the first.
			now = max(first, now+random.Int64N(2*l.rate().interval+1)-l.rate().interval/3)
		}
		admits(t, l, times)
	}
}

func TestAsMuchAsTheQuotaIsAdmittedToWhoeverKeepsToIt(t *testing.T) {
	l := Limit{Quota: 7, Window: time.Minute, Burst: 1}
	r := l.rate()
	var full int64
	for i := range int64(1000) {
		next, d := r.take(i*r.interval, full, 1)
		if !d.Allowed {
			t.Fatalf("request %d refused: %+v", i, d)
		}
		full = next
	}
}

func TestARefusedRequestIsAllowedExactlyAfterRetryAfter(t *testing.T) {
	for _, l := range []Limit{
		{Quota: 1, Window: time.Second},
		{Quota: 10, Window: time.Minute},
		{Quota: 7, Window: time.Minute, Burst: 3},
		{Quota: 3, Window: 100 * time.Nanosecond},
	} {
		r := l.rate()
		now, full := int64(1000), int64(0)
		d := Decision{Allowed: true}
		for d.Allowed {
			full, d = r.take(now, full, 1)
		}
		if _, early := r.take(now+d.RetryAfter.Microseconds()-1, full, 1); early.Allowed {
			t.Errorf("%+v: allowed 1 µs before RetryAfter", l)
		}
		if _, onTime := r.take(now+d.RetryAfter.Microseconds(), full, 1); !onTime.Allowed {
			t.Errorf("%+v: refused after RetryAfter", l)
		}
		burst := l.Burst
		if burst == 0 {
			burst = l.Quota
		}
		if _, reset := r.take(now+d.Reset.Microseconds(), full, 1); reset.Remaining != burst-1 {
			t.Errorf("%+v: after Reset %d remain of %d", l, reset.Remaining, burst)
		}
	}
}

func TestAnImpossibleLimitIsClosed(t *testing.T) {
	for name, l := range map[string]Limit{
		"the zero limit":    {},
		"no quota":          {Window: time.Second},
		"a negative quota":  {Quota: -1, Window: time.Second},
		"no window":         {Quota: 1},
		"a negative window": {Quota: 1, Window: -time.Second},
		"a negative burst":  {Quota: 1, Window: time.Second, Burst: -1},
	} {
		if _, d := l.rate().take(0, 0, 1); d.Allowed || d.RetryAfter <= 0 {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestTheEndOfTimeDoesNotOpenALimit(t *testing.T) {
	for name, l := range map[string]Limit{
		"the largest quota":            {Quota: math.MaxInt, Window: time.Second},
		"the largest window":           {Quota: 1, Window: math.MaxInt64},
		"the largest burst":            {Quota: 1, Window: time.Hour, Burst: math.MaxInt},
		"the largest burst and window": {Quota: 1, Window: math.MaxInt64, Burst: math.MaxInt},
	} {
		r := l.rate()
		if r.interval <= 0 || r.capacity < 0 || r.capacity > maxCapacity {
			t.Errorf("%s: %+v", name, r)
		}
		if _, d := r.take(math.MaxInt64, 0, 1); d.Allowed {
			t.Errorf("%s: allowed at the last microsecond", name)
		}
		if full, d := r.take(0, math.MaxInt64, 1); d.Allowed || full != math.MaxInt64 {
			t.Errorf("%s: %+v, state %d", name, d, full)
		}
	}
}

func TestACostThatHasNoNumberIsRefused(t *testing.T) {
	r := Limit{Quota: 10, Window: time.Minute}.rate()
	for _, cost := range []int64{11, 1 << 40, math.MaxInt64} {
		if full, d := r.take(5, 7, cost); d.Allowed || full != 7 || d.RetryAfter <= 0 {
			t.Errorf("cost %d: %+v, state %d", cost, d, full)
		}
	}
}

func TestGiveBackNeverFillsMoreThanABucket(t *testing.T) {
	r := Limit{Quota: 2, Window: 20 * time.Microsecond}.rate()
	for name, c := range map[string]struct{ now, full, want int64 }{
		"one of two":                         {0, 20, 10},
		"one of one":                         {0, 10, 0},
		"a part of one":                      {5, 10, 5},
		"nothing, the bucket filled by time": {30, 20, 20},
		"nothing, it was never used":         {30, 0, 0},
		"at the end of time":                 {0, math.MaxInt64, math.MaxInt64 - 10},
	} {
		if got := r.giveBack(c.now, c.full, 1); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func FuzzGCRA(f *testing.F) {
	f.Add(10, int64(time.Minute), 0, int64(0), int64(1), int64(-1), int64(time.Second))
	f.Add(1, int64(math.MaxInt64), math.MaxInt, int64(math.MaxInt64-1), int64(1), int64(0), int64(math.MinInt64))
	f.Add(math.MaxInt, int64(1), 1, int64(math.MaxInt64), int64(0), int64(0), int64(1))
	f.Fuzz(func(t *testing.T, quota int, window int64, burst int, now, a, b, c int64) {
		l := Limit{Quota: quota, Window: time.Duration(window), Burst: burst}
		if quota <= 0 || window <= 0 || burst < 0 {
			if _, d := l.rate().take(max(0, now), 0, 1); d.Allowed {
				t.Fatalf("%+v is open", l)
			}
			return
		}
		first := max(0, now)
		times := []int64{first}
		for _, step := range []int64{a, b, c, a, b, c, a, b, c} {
			next := times[len(times)-1] + step
			if step > 0 && next < 0 {
				next = math.MaxInt64
			}
			times = append(times, max(first, next))
		}
		admits(t, l, times)
	})
}
