// Package ratelimit counts requests by the generic cell rate algorithm: one pure function, and the places that keep its state.
package ratelimit

import "time"

// Limit allows Quota requests in Window, of which Burst may come at once (Quota where Burst is zero).
type Limit struct {
	Name   string
	Quota  int
	Window time.Duration
	Burst  int
	// Guess says that the limit counts what somebody may be guessing at, such as passwords: it gets smaller than others where replicas
	// cannot count together.
	Guess bool
	// MaxWait is the longest that a replica by itself may make anybody wait for a place. Zero: as long as its share of the limit says.
	MaxWait time.Duration
}

// MaxRate is the most requests a second that a limit can allow: a place comes back in whole microseconds.
const MaxRate = 1_000_000

// Most is how many requests may come at once.
func (l Limit) Most() int {
	if l.Burst > 0 {
		return l.Burst
	}
	return l.Quota
}
