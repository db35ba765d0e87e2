package guard

import (
	"net/netip"
	"strconv"
	"time"

	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/ratelimit"
)

// Limiter counts. Limits of one name share their buckets.
type Limiter interface {
	Take(now time.Time, l ratelimit.Limit, key string) ratelimit.Decision
}

// TakeAddress counts the request against the limits by address and refuses it where one of them is hit. It serves
// requests that no operation matches; those of an operation are counted by its guard.
func TakeAddress(l Limiter, limits []ratelimit.Limit, s *State) error {
	if len(limits) == 0 {
		return nil
	}
	return take(l, limits, s.Started, s.addressBucket())
}

// take counts against every limit, also after one has refused, so that the answer names all that were hit.
func take(l Limiter, limits []ratelimit.Limit, now time.Time, key string) error {
	var hit []problem.Limit
	var retry time.Duration
	for i := range limits {
		d := l.Take(now, limits[i], key)
		if d.Allowed {
			continue
		}
		// A limiter that cannot say when is asked again after a second, never at once.
		wait := max(d.RetryAfter, time.Second)
		hit = append(hit, problem.Limit{
			Name: limits[i].Name, Quota: limits[i].Quota, Window: limits[i].Window,
			Remaining: d.Remaining, Reset: wait,
		})
		retry = max(retry, wait)
	}
	if hit == nil {
		return nil
	}
	seconds := int((retry + time.Second - 1) / time.Second)
	e := problem.QuotaExceeded.New("repeat after " + strconv.Itoa(seconds) + " seconds")
	e.RetryAfter = retry
	e.Limits = hit
	return e
}

// addressBucket is the key that the client's address is counted under: an IPv4 address, or the /64 of an IPv6
// one, since that is the least that a provider gives to one customer and every address of it costs nothing.
func (s *State) addressBucket() string {
	if s.addressKey == "" {
		s.addressKey = addressKey(s.Address)
	}
	return s.addressKey
}

func addressKey(a netip.Addr) string {
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
