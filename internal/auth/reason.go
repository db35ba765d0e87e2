package auth

import "errors"

// Reason is why a credential is not good, in one of a few words: for those who watch the service, and never for who sent it. The list is
// closed, so that what it counts has a bounded number of names.
type Reason int

const (
	// Unspecified: the authenticator gives none.
	Unspecified Reason = iota
	// Malformed: it has not the form of such a credential.
	Malformed
	// Unknown: it names a key or an account that is not there, or a secret that is not theirs.
	Unknown
	// Forged: its signature is not that of the key.
	Forged
	// Misplaced: it is a good token for somebody else, or for something else.
	Misplaced
	// Expired: its time is over, or has not come.
	Expired
	// Ended: it was revoked, or its session or account has ended.
	Ended
)

// Reasons returns all of them.
func Reasons() []Reason {
	return []Reason{Unspecified, Malformed, Unknown, Forged, Misplaced, Expired, Ended}
}

// String returns the word.
func (r Reason) String() string {
	return [...]string{"unspecified", "malformed", "unknown", "forged", "misplaced", "expired", "ended"}[r]
}

// Invalid returns an error that wraps ErrInvalidCredential and gives the reason.
func (r Reason) Invalid() error { return invalid(r) }

type invalid Reason

func (i invalid) Error() string  { return ErrInvalidCredential.Error() + ": " + Reason(i).String() }
func (i invalid) Unwrap() error  { return ErrInvalidCredential }
func (i invalid) Reason() Reason { return Reason(i) }

// ReasonOf returns the reason that an error gives: one with a method Reason does.
func ReasonOf(err error) Reason {
	if given, ok := errors.AsType[reasoned](err); ok {
		return given.Reason()
	}
	return Unspecified
}

type reasoned interface {
	error
	Reason() Reason
}
