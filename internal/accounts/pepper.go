package accounts

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
)

// Pepper is a key under which the tags of hashes are kept, so that a stolen database alone verifies no guesses. It is used after argon2id,
// as OWASP's Password Storage Cheat Sheet has it for peppers that are replaced now and then.
type Pepper struct {
	// ID stands in each hash: see ValidPepperID.
	ID string
	// Key has at least 32 random bytes.
	Key auth.Secret
}

// ValidPepperID reports whether the text may name a pepper: 1 to 32 letters, digits, dots and hyphens, which the PHC string format allows
// in the value of a parameter.
func ValidPepperID(text string) bool {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-"
	return text != "" && len(text) <= 32 && strings.Trim(text, allowed) == ""
}

// season returns the tag as a row keeps it. Without a pepper it is that of argon2id.
func (p Pepper) season(tag []byte) []byte {
	if p.ID == "" {
		return tag
	}
	mac := hmac.New(sha256.New, []byte(p.Key.Reveal()))
	mac.Write(tag)
	return mac.Sum(nil)
}

// newest returns the pepper of new hashes, or none.
func (p Passwords) newest() Pepper {
	if len(p.Peppers) == 0 {
		return Pepper{}
	}
	return p.Peppers[0]
}

// pepper returns the one that a hash names: none, where it names none.
func (p Passwords) pepper(id string) (Pepper, error) {
	if id == "" {
		return Pepper{}, nil
	}
	for _, pepper := range p.Peppers {
		if pepper.ID == id {
			return pepper, nil
		}
	}
	return Pepper{}, unknownPepper(id)
}

// unknownPepper fails closed, and is neither yes nor no: the password may be good. A 401 would tell people that theirs is wrong, have them
// reset it, and count as a failed login, all because a setting of the service is missing. It tells that the account exists, which a
// service that is set up as it was before does not.
func unknownPepper(id string) error {
	e := problem.Unavailable.Wrap(fmt.Errorf("a password hash has the pepper %s, which is not among those that were given: give it again, after the newest", id),
		"the password could not be checked: try again later")
	e.RetryAfter = time.Minute // somebody has to see to it
	return e
}
