// Package problem is the one error type of the service and its form on the wire, RFC 9457.
package problem

import (
	"errors"
	"time"
)

// Kind is a kind of error: what RFC 9457 calls a problem type, with the one status that it is answered with.
type Kind struct {
	// Type is the URI that names the kind.
	Type string
	// Status is the HTTP status.
	Status int
	// Title is a short text, the same for every occurrence.
	Title string
	// OAuthError is the error code (RFC 6749 §5.2) where the operation answers in that form. Empty means
	// invalid_request below 500, temporarily_unavailable for 429 and 503, server_error for the rest.
	OAuthError string
}

// Error is an occurrence of a kind. Detail goes to the client and must hold nothing that was submitted;
// Cause goes to the log only.
type Error struct {
	Kind       Kind
	Detail     string
	Violations []Violation
	// RetryAfter, where positive, becomes the Retry-After header, rounded up to seconds.
	RetryAfter time.Duration
	// Limits are the limits that were hit, for the RateLimit fields of a 429.
	Limits []Limit
	// Challenges are the values of WWW-Authenticate of a 401 or 403, one for each scheme.
	Challenges []string
	// Allow is the value of the Allow header of a 405.
	Allow string
	Cause error
}

// Violation is one thing that is wrong with a request: where it is, which keyword of the schema it violates and what
// is expected. It never holds the submitted value.
type Violation struct {
	// Pointer is the place in the body, RFC 6901. Parameter is the name of a parameter. One of them is set.
	Pointer   string
	Parameter string
	Keyword   string
	Detail    string
}

// Limit is a limit that a request ran into, as the RateLimit fields state it.
type Limit struct {
	Name      string
	Quota     int
	Window    time.Duration
	Remaining int
	Reset     time.Duration
}

// New returns an occurrence of the kind.
func (k Kind) New(detail string) *Error { return &Error{Kind: k, Detail: detail} }

// Wrap returns an occurrence of the kind whose cause the log shows.
func (k Kind) Wrap(cause error, detail string) *Error {
	return &Error{Kind: k, Detail: detail, Cause: cause}
}

// Is reports whether err is an occurrence of the kind.
func (k Kind) Is(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == k
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Detail + ": " + e.Cause.Error()
	}
	return e.Detail
}

func (e *Error) Unwrap() error { return e.Cause }

// From returns err as an occurrence: itself where it is one, else Internal with err as the cause.
func From(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return Internal.Wrap(err, "the service failed: the log has it under request_id")
}
