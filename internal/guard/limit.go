package guard

import (
	"strconv"
	"time"

	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/ratelimit"
	"github.com/labstack/echo/v4"
)

// Limiter counts. Limits of one name share their buckets.
type Limiter interface {
	Take(now time.Time, l ratelimit.Limit, key string, cost int) ratelimit.Decision
}

// limits are those of an operation, by the moment at which what they count by is known.
type limits struct {
	byAddress []Limit
	// byName are those by account that count the user name of HTTP Basic.
	byName []Limit
	// byCaller count by what authentication has told.
	byCaller []Limit
	// byMember count by what the body says.
	byMember []Limit
}

func (rt *route) compileLimits() {
	for _, l := range rt.op.Limits {
		switch {
		case l.By == ByAddress:
			rt.limits.byAddress = append(rt.limits.byAddress, l)
		case l.By == ByAccount && rt.usesBasic:
			rt.limits.byName = append(rt.limits.byName, l)
		case l.By != ByAccount:
			rt.limits.byCaller = append(rt.limits.byCaller, l)
		}
		if l.Member != "" {
			rt.limits.byMember = append(rt.limits.byMember, l)
		}
	}
}

// TakeAddress counts the request against the limits by address and refuses it where one of them is hit. It serves
// requests that no operation matches; those of an operation are counted by its guard.
func TakeAddress(l Limiter, limits []Limit, c echo.Context, s *State) error {
	t := taking{limiter: l, state: s}
	for i := range limits {
		t.take(&limits[i], s.addressBucket())
	}
	return t.answer(c)
}

// takeAddress counts before anything is known of the caller, so that requests that fail count too.
func (rt *route) takeAddress(c echo.Context, s *State) error {
	if len(rt.limits.byAddress) == 0 {
		return nil
	}
	return TakeAddress(rt.limiter, rt.limits.byAddress, c, s)
}

// takeName counts by the user name of HTTP Basic, before the password is looked at.
func (rt *route) takeName(c echo.Context, s *State, p *presentation) error {
	if len(rt.limits.byName) == 0 || p.authorization.kind != authBasic {
		return nil
	}
	credential, ok := parseBasic(p.authorization.value)
	if !ok {
		return nil // it is refused for that
	}
	t := taking{limiter: rt.limiter, state: s}
	for i := range rt.limits.byName {
		t.take(&rt.limits.byName[i], ratelimit.AccountKey(credential.Username))
	}
	return t.answer(c)
}

// takeCaller counts by who the request has turned out to come from.
func (rt *route) takeCaller(c echo.Context, s *State) error {
	if len(rt.limits.byCaller) == 0 || !s.authenticated {
		return nil
	}
	t := taking{limiter: rt.limiter, state: s}
	for i := range rt.limits.byCaller {
		l := &rt.limits.byCaller[i]
		if key := s.callerKey(l.By); key != "" {
			t.take(l, key)
		}
	}
	return t.answer(c)
}

// takeMember counts by what the body names, whatever else is wrong with it. value returns a member that is a text.
func (rt *route) takeMember(c echo.Context, s *State, value func(name string) string) error {
	if len(rt.limits.byMember) == 0 {
		return nil
	}
	t := taking{limiter: rt.limiter, state: s}
	for i := range rt.limits.byMember {
		l := &rt.limits.byMember[i]
		key := value(l.Member)
		if key == "" || l.By == ByClient && s.callerKey(ByClient) != "" {
			continue // nobody is named, or the client has proven which it is
		}
		if l.By == ByAccount {
			key = ratelimit.AccountKey(key)
		}
		t.take(l, key)
	}
	return t.answer(c)
}

func (s *State) callerKey(by Subject) string {
	if !s.authenticated {
		return ""
	}
	switch by {
	case ByPrincipal:
		return s.principal.Subject
	case ByKey:
		return s.principal.KeyID
	case ByClient:
		return s.principal.ClientID
	}
	return ""
}

// taking counts one request against several limits, also after one has refused, so that the answer names all that were hit.
type taking struct {
	limiter Limiter
	state   *State
	hit     []problem.Limit
	retry   time.Duration
}

func (t *taking) take(l *Limit, key string) {
	d := t.limiter.Take(t.state.Started, l.Limit, key, max(l.Cost, 1))
	switch {
	case !d.Allowed:
		// A limiter that cannot say when is asked again after a second, never at once.
		d.RetryAfter = max(d.RetryAfter, time.Second)
		t.hit = append(t.hit, l.Limit.Told(d.Remaining, d.RetryAfter))
		t.retry = max(t.retry, d.RetryAfter)
	case d.Remaining < l.Limit.Most()/2:
		t.state.low = append(t.state.low, l.Limit.Told(d.Remaining, d.Reset))
	}
}

// answer is the refusal where a limit was hit. Where little is left of one, the response says so: a client that is far from its limits has
// no use for the fields, and they cost every response.
func (t *taking) answer(c echo.Context) error {
	if t.hit == nil {
		if t.state.low != nil {
			policy, left := problem.RateLimitFields(t.state.low)
			h := c.Response().Header()
			h["Ratelimit-Policy"], h["Ratelimit"] = []string{policy}, []string{left}
		}
		return nil
	}
	seconds := int((t.retry + time.Second - 1) / time.Second)
	e := problem.QuotaExceeded.New("repeat after " + strconv.Itoa(seconds) + " seconds")
	e.RetryAfter = t.retry
	e.Limits = t.hit
	return e
}

// addressBucket is the key that the client's address is counted under.
func (s *State) addressBucket() string {
	if s.addressKey == "" {
		s.addressKey = ratelimit.AddressKey(s.Address)
	}
	return s.addressKey
}
