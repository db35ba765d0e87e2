package ratelimit

import (
	"math"
	"time"
)

// Decision is the answer to one request for places.
type Decision struct {
	Allowed bool
	// Remaining is the r of the RateLimit field (draft-ietf-httpapi-ratelimit-headers): how many more places
	// would be given at this moment.
	Remaining int
	// RetryAfter is the wait until the places are free, zero where the request is allowed.
	RetryAfter time.Duration
	// Reset is the t of the RateLimit field: the wait until the whole quota is available again. Whoever writes it rounds up.
	Reset time.Duration
}

// rate is a Limit in the terms of the algorithm, in microseconds: Redis counts in floating point, which holds them exactly for
// centuries and nanoseconds for weeks.
type rate struct {
	// interval is the time in which one place comes back, rounded up: rounded down, a window would hold one
	// request more than the quota.
	interval int64
	// capacity is the time in which an empty bucket fills: interval times burst. Zero admits nothing.
	capacity int64
}

// maxCapacity is 142 years: together with the time since 1970 it is below 2^53, up to which floating point has every integer.
const maxCapacity = 1 << 52

func (l Limit) rate() rate {
	burst := int64(l.Burst)
	if burst == 0 {
		burst = int64(l.Quota)
	}
	window := (int64(l.Window)-1)/int64(time.Microsecond) + 1
	if l.Quota <= 0 || l.Window <= 0 || burst < 0 {
		return rate{interval: max(1, window)} // a limit that makes no sense is closed, not absent
	}
	interval := (window-1)/int64(l.Quota) + 1
	return rate{interval: interval, capacity: interval * min(burst, maxCapacity/interval)}
}

// take is the generic cell rate algorithm. The whole state of a bucket is the time at which it is full again
// (the "theoretical arrival time"); a state of the past is a full bucket. now and full are microseconds since any
// one moment and never negative, cost is how many places are asked for and at least 1. A refused request leaves the state as it was.
//
// No sum can overflow into an open limit: where the sum has no number, the request is refused. A now that is
// earlier than the one before makes the wait longer, never shorter.
func (r rate) take(now, full, cost int64) (next int64, d Decision) {
	full = max(full, now)
	if cost > (math.MaxInt64-full)/r.interval {
		return full, Decision{RetryAfter: microseconds(r.interval), Reset: microseconds(full - now)}
	}
	next = full + r.interval*cost
	if wait := next - now - r.capacity; wait > 0 {
		return full, Decision{RetryAfter: microseconds(wait), Reset: microseconds(full - now)}
	}
	return next, r.allow(next - now)
}

// allow is the answer to a request after which the bucket needs so long to fill.
func (r rate) allow(fills int64) Decision {
	return Decision{Allowed: true, Remaining: int((r.capacity - fills) / r.interval), Reset: microseconds(fills)}
}

// giveBack undoes one take. A bucket that time has filled since has nothing to get back.
func (r rate) giveBack(now, full, cost int64) int64 {
	return max(full-r.interval*min(cost, maxCapacity/r.interval), min(now, full))
}

// microseconds is a time.Duration, the longest where it has none.
func microseconds(n int64) time.Duration {
	return time.Duration(min(n, math.MaxInt64/int64(time.Microsecond))) * time.Microsecond
}
