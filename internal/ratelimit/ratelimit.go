// Package ratelimit counts requests by the generic cell rate algorithm: one pure function, and the places that keep its state.
package ratelimit

import "time"

// Limit allows Quota requests in Window, of which Burst may come at once (Quota where Burst is zero).
type Limit struct {
	Name   string
	Quota  int
	Window time.Duration
	Burst  int
}
