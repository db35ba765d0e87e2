// Package auth says who is calling: credentials as they arrive, the principal that they prove, and the exceptions that end both early.
package auth

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"
)

// ErrInvalidCredential is what an authenticator returns, wrapped or bare, when the credential is not good.
// Any other error means that the authenticator could not tell, and never opens or closes an operation by itself.
var ErrInvalidCredential = errors.New("invalid credential")

// Principal is a caller whose credential was good. It is shared between requests: never change one.
type Principal struct {
	// Subject is the id of the account, never reassigned.
	Subject string
	// Schemes are the names of the security schemes that proved it, in the order of the requirement.
	// An authenticator leaves it empty; the guard fills it in.
	Schemes []string
	// Scopes are what the credential allows, sorted.
	Scopes Scopes
	// ClientID is the OAuth 2.0 client of an access token, or the client that has authenticated itself; else empty.
	ClientID string
	// SessionID and TokenID are the sid and jti of an access token, else empty. The token of a client that acts for itself
	// has no session.
	SessionID string
	TokenID   string
	// KeyID is the id of an API key, else empty.
	KeyID string
	// IssuedAt is when the credential was made; a not-before mark of the account ends those made earlier. Of a password it is the mark of
	// the account, as it stood beside the hash that was compared, or when the account was made.
	IssuedAt time.Time
}

// Scopes is a sorted set of scope names.
type Scopes []string

// NewScopes returns the set of names, sorted and without duplicates.
func NewScopes(names ...string) Scopes {
	s := slices.Clone(names)
	slices.Sort(s)
	return slices.Compact(s)
}

// Has reports whether every one of names is in the set.
func (s Scopes) Has(names ...string) bool {
	for _, name := range names {
		if _, found := slices.BinarySearch(s, name); !found {
			return false
		}
	}
	return true
}

// Intersect returns the names that both sets hold.
func (s Scopes) Intersect(other Scopes) Scopes {
	both := make(Scopes, 0, len(s))
	for _, name := range s {
		if other.Has(name) {
			both = append(both, name)
		}
	}
	return both
}

type contextKey int

const (
	principalKey contextKey = iota
	addressKey
	userAgentKey
)

// PrincipalKey, AddressKey and UserAgentKey are the context keys under which the guard's request state answers.
var (
	PrincipalKey any = principalKey
	AddressKey   any = addressKey
	UserAgentKey any = userAgentKey
)

// FromContext returns the caller of the request, or nil where the operation is public or the caller anonymous.
func FromContext(ctx context.Context) *Principal {
	p, _ := ctx.Value(principalKey).(*Principal)
	return p
}

// Address returns the network address of the client, as the trusted-proxy rule of the server sees it.
// It is the zero Addr outside a request.
func Address(ctx context.Context) netip.Addr {
	a, _ := ctx.Value(addressKey).(netip.Addr)
	return a
}

// UserAgent returns what the client calls itself, in at most 256 bytes. It is "" outside a request.
func UserAgent(ctx context.Context) string {
	s, _ := ctx.Value(userAgentKey).(string)
	return s
}

// WithAddress returns a context that answers Address with a, for callers that are not a request.
func WithAddress(ctx context.Context, a netip.Addr) context.Context {
	return context.WithValue(ctx, addressKey, a)
}

// Time returns when the request of ctx arrived, or what the clock says outside of a request: what is decided about a
// request is decided at one time.
func Time(ctx context.Context, clock func() time.Time) time.Time {
	if r, ok := ctx.(interface{ RequestTime() time.Time }); ok {
		return r.RequestTime()
	}
	return clock()
}
