package ratelimit

import (
	"math"
	"time"
)

// Decision is the answer to one request for a place.
type Decision struct {
	Allowed bool
	// Remaining is the r of the RateLimit field (draft-ietf-httpapi-ratelimit-headers): how many more requests
	// would be allowed at this moment.
	Remaining int
	// RetryAfter is the wait until a place is free, zero where the request is allowed.
	RetryAfter time.Duration
	// Reset is the t of the RateLimit field: the wait until the whole quota is available again. Whoever writes it rounds up.
	Reset time.Duration
}

// rate is a Limit in the terms of the algorithm.
type rate struct {
	// interval is the time in which one place comes back, rounded up: rounded down, a window would hold one
	// request more than the quota.
	interval int64
	// capacity is the time in which an empty bucket fills: interval times burst. Zero admits nothing.
	capacity int64
}

func (l Limit) rate() rate {
	burst := int64(l.Burst)
	if burst == 0 {
		burst = int64(l.Quota)
	}
	if l.Quota <= 0 || l.Window <= 0 || burst < 0 {
		return rate{interval: max(1, int64(l.Window))} // a limit that makes no sense is closed, not absent
	}
	interval := (int64(l.Window)-1)/int64(l.Quota) + 1
	return rate{interval: interval, capacity: interval * min(burst, math.MaxInt64/interval)}
}

// take is the generic cell rate algorithm. The whole state of a bucket is the time at which it is full again
// (the "theoretical arrival time"); a state of the past is a full bucket. now and full are nanoseconds since any
// one moment and never negative. A refused request leaves the state as it was.
//
// No sum can overflow into an open limit: where full+interval has no number, the request is refused. A now that is
// earlier than the one before makes the wait longer, never shorter.
func (r rate) take(now, full int64) (next int64, d Decision) {
	full = max(full, now)
	if full > math.MaxInt64-r.interval {
		return full, Decision{RetryAfter: time.Duration(r.interval), Reset: time.Duration(full - now)}
	}
	next = full + r.interval
	if wait := next - now - r.capacity; wait > 0 {
		return full, Decision{RetryAfter: time.Duration(wait), Reset: time.Duration(full - now)}
	}
	return next, Decision{
		Allowed:   true,
		Remaining: int((r.capacity - (next - now)) / r.interval),
		Reset:     time.Duration(next - now),
	}
}

// giveBack undoes one take. A bucket that time has filled since has nothing to get back.
func (r rate) giveBack(now, full int64) int64 {
	return max(full-r.interval, min(now, full))
}
