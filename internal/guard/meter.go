package guard

import (
	"time"

	"example.com/gatehouse/internal/auth"
)

// Meter is told what becomes of requests and credentials. What it counts by is asked for when the router starts: no name is looked up for
// a request.
type Meter interface {
	Operation(id string) OperationMeter
	Scheme(name string) SchemeMeter
}

// OperationMeter is told of each request of an operation that was answered. Status is 0 where the connection was ended instead.
type OperationMeter interface {
	Answered(status int, took time.Duration)
}

// SchemeMeter is told what became of the credential of a scheme, once for each request of an operation that names the scheme. Reason is
// why a bad one is bad.
type SchemeMeter interface {
	Judged(o Outcome, reason auth.Reason)
}

// Outcome is what became of a credential.
type Outcome int

const (
	// Absent: there was none.
	Absent = Outcome(absent)
	// Bad: it is not good.
	Bad = Outcome(bad)
	// Good: it proved its caller, who may lack a scope all the same.
	Good = Outcome(good)
	// Undecided: the authenticator could not tell.
	Undecided = Outcome(undecided)
	// ScopeMissing: it was good, and the request was refused because it has not the scopes of the operation. It is told beside Good.
	ScopeMissing = Undecided + 1
)

// Outcomes returns all of them.
func Outcomes() []Outcome { return []Outcome{Absent, Bad, Good, Undecided, ScopeMissing} }

// String returns a word.
func (o Outcome) String() string {
	return [...]string{"absent", "bad", "good", "undecided", "scope_missing"}[o]
}

// Meter is what is told of the operation's requests, or nil where no route matched.
func (s *State) Meter() OperationMeter {
	if s.route == nil {
		return nil
	}
	return s.route.meter
}

// tell tells the meters of the schemes what became of their credentials. Schemes that read the same bearer token are asked about it in
// turn: where one of them takes it, it was none of the others'.
func (rt *route) tell(outcomes []outcome) {
	taken := false
	for i := range outcomes {
		taken = taken || rt.uses[i].Bearer != nil && outcomes[i].verdict == good
	}
	for i := range outcomes {
		use, o, reason := &rt.uses[i], &outcomes[i], auth.Unspecified
		switch {
		case use.meter == nil:
			continue
		case o.verdict != bad:
		case taken && use.Bearer != nil:
			use.meter.Judged(Absent, reason)
			continue
		case o.err == nil:
			reason = auth.Malformed // no authenticator was asked
		default:
			reason = auth.ReasonOf(o.err)
		}
		use.meter.Judged(Outcome(o.verdict), reason)
	}
}

// tellLacking tells the meters of the credentials for want of whose scopes a request is refused.
func (rt *route) tellLacking(a *alternative, outcomes []outcome) {
	for i := range a.needs {
		n := &a.needs[i]
		if meter := rt.uses[n.use].meter; meter != nil && !outcomes[n.use].principal.Scopes.Has(n.scopes...) {
			meter.Judged(ScopeMissing, auth.Unspecified)
		}
	}
}
