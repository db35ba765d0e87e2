package ratelimit

import "time"

// Gate keeps an address that presents bad credentials from having each of them looked at: a signature costs a hundred times what a refusal
// costs, and a look into the database more. It stands behind what remembers good credentials, so that those never meet it, and counts in
// this process, whose work it saves. A nil Gate is open.
type Gate struct {
	limiter *Memory
	limit   Limit
}

// NewGate returns a gate for at most maxKeys addresses at once.
func NewGate(l Limit, maxKeys int) *Gate { return &Gate{NewMemory(maxKeys), l} }

// Enter takes a place for a credential from the address, or returns problem.QuotaExceeded where too many have been bad.
func (g *Gate) Enter(now time.Time, address string) error {
	if g == nil {
		return nil
	}
	if d := g.limiter.Take(now, g.limit, address, 1); !d.Allowed {
		return g.limit.Refusal(d, "too many bad credentials")
	}
	return nil
}

// Passed gives the place back: the credential was good, or nobody could tell.
func (g *Gate) Passed(now time.Time, address string) {
	if g != nil {
		g.limiter.GiveBack(now, g.limit, address, 1)
	}
}
