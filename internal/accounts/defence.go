package accounts

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"example.com/gatehouse/internal/ratelimit"
)

// Limiter counts attempts: ratelimit.Memory and ratelimit.Shared are some.
type Limiter interface {
	Take(now time.Time, l ratelimit.Limit, key string, cost int) ratelimit.Decision
	GiveBack(now time.Time, l ratelimit.Limit, key string, cost int)
	Reset(now time.Time, l ratelimit.Limit, key string)
}

// Limits are what may be guessed and asked for. Those of failures count an attempt before its hash, so that parallel guesses run no more
// hashes than there are places; a success gives its places back (security.md 78, 79).
//
// All are keyed by the submitted name, so that known and unknown ones answer alike.
type Limits struct {
	// Failures is for one address, or one known device, and one account.
	Failures ratelimit.Limit
	// AccountFailures are for one account and all addresses together, known devices left out. Each is slower than the one before and
	// takes longer to be spent, so that the wait grows with the failures.
	AccountFailures [4]ratelimit.Limit
	// Wait is how long an attempt waits for places that other attempts have taken and may give back, and Waiting is how many wait for
	// the same.
	Wait    time.Duration
	Waiting int
	// Mails is for one address that asks for mails to one account, AccountMails for one account and all addresses together.
	Mails, AccountMails ratelimit.Limit
}

// Names are the names of the limits.
func (l Limits) Names() []string {
	names := []string{l.Failures.Name, l.Mails.Name, l.AccountMails.Name}
	for _, a := range l.AccountFailures {
		names = append(names, a.Name)
	}
	return names
}

// defence lets attempts in. The attempts of one account are in one part of it.
type defence struct {
	limiter Limiter
	limits  Limits
	seed    maphash.Seed
	parts   [defenceParts]defencePart
}

// defenceParts keeps the attempts of different accounts from waiting for each other: taking places may ask Redis.
const defenceParts = 64

type defencePart struct {
	mu sync.Mutex
	// running are the attempts that have places, by what these are counted under.
	running map[counted]*running
}

// running are attempts that may give back what others wait for.
type running struct {
	attempts int
	waiters  *waiters
}

// waiters wait until the next of the attempts ends.
type waiters struct {
	waiting int
	ended   chan struct{}
}

// counted is a limit and what is counted under it.
type counted struct {
	limit ratelimit.Limit
	key   string
}

func newDefence(limiter Limiter, limits Limits) *defence {
	d := &defence{limiter: limiter, limits: limits, seed: maphash.MakeSeed()}
	for i := range d.parts {
		d.parts[i].running = map[counted]*running{}
	}
	return d
}

// attempt is one that has its places. It ends with one of failed, succeeded and undecided.
type attempt struct {
	defence *defence
	part    *defencePart
	now     time.Time
	places  []counted
}

// enter takes the places of an attempt at the account from a client, an address or a known device. It waits where all are taken by
// attempts that may give them back, and returns problem.QuotaExceeded where they are spent.
func (d *defence) enter(ctx context.Context, now time.Time, account, client string, known bool) (*attempt, error) {
	a := &attempt{defence: d, part: &d.parts[maphash.String(d.seed, account)%defenceParts], now: now}
	a.places = append(a.places, counted{d.limits.Failures, client + "\x00" + account})
	if !known {
		for _, l := range d.limits.AccountFailures {
			a.places = append(a.places, counted{l, account})
		}
	}
	ctx, cancel := context.WithTimeout(ctx, d.limits.Wait)
	defer cancel()
	for {
		others, refused := a.take()
		if refused == nil {
			return a, nil
		}
		if others == nil {
			return nil, refused
		}
		select {
		case <-others.ended:
		case <-ctx.Done():
			a.part.mu.Lock()
			others.waiting--
			a.part.mu.Unlock()
			return nil, refused
		}
	}
}

// take takes all places or none. Where one is refused, others wait for attempts that hold such a place; they are nil where
// none does or too many wait already.
func (a *attempt) take() (others *waiters, refused error) {
	a.part.mu.Lock()
	defer a.part.mu.Unlock()
	for i, p := range a.places {
		d := a.defence.limiter.Take(a.now, p.limit, p.key, 1)
		if d.Allowed {
			continue
		}
		for _, taken := range a.places[:i] {
			a.defence.limiter.GiveBack(a.now, taken.limit, taken.key, 1)
		}
		refused = p.limit.Refusal(d, "too many failed logins")
		if r := a.part.running[p]; r != nil && r.waiters.waiting < a.defence.limits.Waiting {
			r.waiters.waiting++
			return r.waiters, refused
		}
		return nil, refused
	}
	for _, p := range a.places {
		r := a.part.running[p]
		if r == nil {
			r = &running{waiters: &waiters{ended: make(chan struct{})}}
			a.part.running[p] = r
		}
		r.attempts++
	}
	return nil, nil
}

// failed ends an attempt with a wrong password: its places are spent.
func (a *attempt) failed() { a.end(func(counted) {}) }

// succeeded ends an attempt with the right one: what had failed before is forgotten.
func (a *attempt) succeeded() {
	a.end(func(p counted) { a.defence.limiter.Reset(a.now, p.limit, p.key) })
}

// undecided ends an attempt of which nobody could tell.
func (a *attempt) undecided() {
	a.end(func(p counted) { a.defence.limiter.GiveBack(a.now, p.limit, p.key, 1) })
}

func (a *attempt) end(settle func(counted)) {
	a.part.mu.Lock()
	defer a.part.mu.Unlock()
	for _, p := range a.places {
		settle(p)
		r := a.part.running[p]
		close(r.waiters.ended)
		r.waiters = &waiters{ended: make(chan struct{})}
		if r.attempts--; r.attempts == 0 {
			delete(a.part.running, p)
		}
	}
}
