package guard

import (
	"context"
	"net/netip"
	"net/url"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/validation"
)

// State is what is known about one request. It is made once, by the outermost middleware of the server, and is the
// context of the request, so that finding it costs one type assertion. It is never pooled: a goroutine that a handler
// leaves behind may keep it.
type State struct {
	context.Context

	// RequestID names the request in its response and in the log.
	RequestID string
	// Address is the client as the trusted-proxy rule of the server sees it.
	Address netip.Addr
	// Secure says that the client spoke TLS, by the same rule.
	Secure bool
	// ByCode says that the code of a page of an origin that may call the service made the request, so that it was this code that
	// set Authorization.
	ByCode bool
	// UserAgent is what the client calls itself.
	UserAgent string
	// Started is when the request arrived, and the time of everything that is counted for it.
	Started time.Time

	timeLimit  timeLimit
	route      *route
	addressKey string
	// low are the limits of which less than a half is left.
	low []problem.Limit
	// principal is a copy: what authenticators return is shared between requests, and has no scheme.
	principal     auth.Principal
	authenticated bool

	query      url.Values
	parameters validation.Parameters
	violations validation.Violations

	body        *compiledBody
	contentType string // as it was sent
	boundary    string // of a multipart body
	bound       bool
	bodyRead    bool
}

// NewState returns the state of a request that arrived at started. parent is the context that the server gave it.
func NewState(parent context.Context, requestID string, address netip.Addr, started time.Time) *State {
	return &State{Context: parent, RequestID: requestID, Address: address, Started: started}
}

type stateKey struct{}

// StateFrom returns the state of the request that ctx belongs to, or nil.
func StateFrom(ctx context.Context) *State {
	if s, ok := ctx.(*State); ok {
		return s
	}
	s, _ := ctx.Value(stateKey{}).(*State)
	return s
}

// RequestTime is when the request arrived, for auth.Time.
func (s *State) RequestTime() time.Time { return s.Started }

// Value answers the keys of package auth and leaves all others to the parent.
func (s *State) Value(key any) any {
	switch key {
	case auth.PrincipalKey:
		if p := s.Principal(); p != nil {
			return p
		}
		return nil
	case auth.AddressKey:
		return s.Address
	case auth.UserAgentKey:
		return s.UserAgent
	case any(stateKey{}):
		return s
	}
	// A context that is derived from this one looks here for the one that ends it.
	if made := s.timeLimit.made.Load(); made != nil {
		return made.Value(key)
	}
	return s.Context.Value(key)
}

// Deadline, Done and Err are those of the operation's timeout, where it has one.
func (s *State) Deadline() (time.Time, bool) {
	deadline, ok := s.Context.Deadline()
	if own := s.timeLimit.deadline; !own.IsZero() && (!ok || own.Before(deadline)) {
		return own, true
	}
	return deadline, ok
}

func (s *State) Done() <-chan struct{} {
	if s.timeLimit.deadline.IsZero() {
		return s.Context.Done()
	}
	return s.timeLimit.context(s.Context).Done()
}

func (s *State) Err() error {
	if s.timeLimit.deadline.IsZero() {
		return s.Context.Err()
	}
	if made := s.timeLimit.made.Load(); made != nil {
		return made.Err()
	}
	if err := s.Context.Err(); err != nil || s.timeLimit.clock().Before(s.timeLimit.deadline) {
		return err
	}
	return context.DeadlineExceeded
}

// Principal is the caller, or nil where none is known.
func (s *State) Principal() *auth.Principal {
	if !s.authenticated {
		return nil
	}
	return &s.principal
}

// Operation is the operation that the request is for, or nil where no route matched.
func (s *State) Operation() *Operation {
	if s.route == nil {
		return nil
	}
	return s.route.op
}

// SecretQueryNames are the query parameters of the operation that carry a credential or another secret.
func (s *State) SecretQueryNames() []string {
	if s.route == nil {
		return nil
	}
	return s.route.secretQuery
}

// BodyRead reports whether the whole body of the request has been read.
func (s *State) BodyRead() bool { return s.bodyRead }

// ContentType is the Content-Type of the body as it was sent, for a handler that reads a body of several media types by itself.
func (s *State) ContentType() string { return s.contentType }
