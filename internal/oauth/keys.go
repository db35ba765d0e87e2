// Package oauth is the authorization server: it keeps the signing keys, issues access tokens and verifies them.
package oauth

import (
	"crypto"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/problem"
)

// Keys are the signing keys in force, as this process knows them. Refresh exchanges the whole set at once, so that signer,
// verifier and key set never see half of a change. Several goroutines may use it at once. The zero value holds no key: it
// signs nothing and refuses every token.
type Keys struct {
	set atomic.Pointer[keySet]
}

// keySet never changes after it was made.
type keySet struct {
	newestFirst []*key
	byID        map[string]*key
	published   []api.JsonWebKey
}

// key is a signing key in force. It never changes; a key whose life changes becomes another key with the same id.
type key struct {
	id        string
	algorithm string // as the header of a token says it
	private   crypto.Signer
	public    crypto.PublicKey
	// row is what the key was opened from.
	row keyRow
	life
}

func newKeySet(newestFirst []*key) (*keySet, error) {
	set := &keySet{newestFirst: newestFirst, byID: make(map[string]*key, len(newestFirst))}
	for _, k := range newestFirst {
		if set.byID[k.id] != nil {
			// One of them would verify what the other signed, and which one is chance.
			return nil, fmt.Errorf("two signing keys have the kid %s: delete one from the table signing_keys", k.id)
		}
		set.byID[k.id] = k
		jwk, err := webKey(k.id, k.public)
		if err != nil {
			return nil, fmt.Errorf("publish the signing key %s: %w", k.id, err)
		}
		set.published = append(set.published, jwk)
	}
	return set, nil
}

func (k *Keys) load() *keySet {
	if set := k.set.Load(); set != nil {
		return set
	}
	return new(keySet)
}

var errNoSigningKey = errors.New("there is no signing key in force: make one with gatehouse signing-key rotate")

// noSigningKey is what clients are told: to come back, and nothing of how keys are made.
func noSigningKey() error {
	unavailable := problem.Unavailable.Wrap(errNoSigningKey, "there is no key to sign with: try again later")
	unavailable.RetryAfter = retryAfter
	return unavailable
}

// signing returns the key that signs at a time: the oldest that no other has followed by then. It does not ask whether the
// key's own time has come: where its predecessor was revoked and this clock is behind, the next one has to sign already.
func (k *Keys) signing(now time.Time) (*key, error) {
	list := k.load().newestFirst
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].signsUntil.IsZero() || now.Before(list[i].signsUntil) {
			return list[i], nil
		}
	}
	return nil, noSigningKey()
}

// algorithms returns those that sign or verify at a time: what a verifier of new tokens has to know.
func (k *Keys) algorithms(now time.Time) []string {
	names := []string{}
	for _, k := range k.load().newestFirst {
		if (k.verifiesUntil.IsZero() || now.Before(k.verifiesUntil)) && !slices.Contains(names, k.algorithm) {
			names = append(names, k.algorithm)
		}
	}
	return names
}

// find returns the key that a kid names, exactly, or nil where there is none or its last token has expired.
func (k *Keys) find(kid string, now time.Time) *key {
	found := k.load().byID[kid]
	if found == nil || !found.verifiesUntil.IsZero() && !now.Before(found.verifiesUntil) {
		return nil
	}
	return found
}

// maxKeyID bounds a kid, ours and that of a token.
const maxKeyID = 128

// validKeyID reports whether a kid has only characters that mean nothing to a path, a query or a log.
func validKeyID(kid string) bool {
	if len(kid) == 0 || len(kid) > maxKeyID {
		return false
	}
	for i := range len(kid) {
		c := kid[i]
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
