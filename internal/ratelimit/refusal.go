package ratelimit

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"example.com/gatehouse/internal/problem"
)

// Told is what a response says of the limit.
func (l Limit) Told(remaining int, reset time.Duration) problem.Limit {
	return problem.Limit{Name: l.Name, Quota: l.Quota, Window: l.Window, Remaining: remaining, Reset: reset}
}

// Refusal is the answer to a request that the limit has refused. what says of what there were too many.
func (l Limit) Refusal(d Decision, what string) *problem.Error {
	e := problem.QuotaExceeded.New(fmt.Sprintf("%s: repeat after %d seconds", what, int64((d.RetryAfter+time.Second-1)/time.Second)))
	e.RetryAfter = d.RetryAfter
	e.Limits = []problem.Limit{l.Told(d.Remaining, d.RetryAfter)}
	return e
}

// AddressKey is what a client's address is counted under: an IPv4 address, or the /64 of an IPv6 one, since that is the least that a
// provider gives to one customer and every address of it costs nothing.
func AddressKey(a netip.Addr) string {
	a = a.Unmap()
	switch {
	case a.Is4():
		b := a.As4()
		return string(b[:])
	case a.Is6():
		b := a.As16()
		return string(b[:8])
	}
	return "unknown" // all clients without an address share one bucket, so that having none is no way around it
}

// AccountKey is what the name of an account is counted under: an address is kept in lower case, and another case is no other bucket.
func AccountKey(name string) string {
	if strings.Contains(name, "@") {
		return strings.ToLower(name)
	}
	return name
}
