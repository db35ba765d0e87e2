package oauth

import "time"

// SigningSince returns since when the key signs that signs at a time. ok is false where no key does.
func (k *Keys) SigningSince(now time.Time) (since time.Time, ok bool) {
	signing, err := k.signing(now)
	if err != nil {
		return time.Time{}, false
	}
	return signing.signsFrom, true
}
