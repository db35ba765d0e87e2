package oauth

import (
	"slices"
	"time"
)

// The times in the life of a key. They are policy: each says what it waits for.
const (
	// jwksMaxAge is how long a verifier elsewhere may keep the key set: long enough that it asks rarely, short enough that a
	// rotation needs minutes and not hours (security.md line 31).
	jwksMaxAge = 5 * time.Minute
	// learnTime is within how long every process has read a change of the table: the bound of security.md line 34. They ask
	// every 2 seconds.
	learnTime = 5 * time.Second
	// publishFor is how long a key stands in the key set before it signs: until our processes have it, those who kept the
	// set have asked again, and clocks that are behind agree that this is so. Otherwise its first tokens would be refused.
	publishFor = jwksMaxAge + learnTime + leeway
	// publishSoon is the same where nobody else keeps the key set.
	publishSoon = learnTime + leeway
	// verifyFor is how long a key verifies after the next one signs: until its last token expires, for as long as a token is
	// taken beyond its exp, and as much again to spare.
	verifyFor = Lifetime + 2*leeway
	// destroyAfter is how long the private half is kept after that, in case the clock of who destroys it is wrong.
	destroyAfter = time.Hour
	// maxKeys bounds the keys in force, and so the key set (20 in the document). A rotation in every half minute gets there.
	maxKeys = 16
)

// life is the times of a key. A zero time has not been decided.
type life struct {
	createdAt, signsFrom, signsUntil, verifiesUntil, revokedAt time.Time
}

// KeyState is where a signing key is in its life.
type KeyState string

// The states, in their order. A key may be revoked from each of them.
const (
	// KeyPublished keys are in the key set, and do not sign yet.
	KeyPublished KeyState = "published"
	// KeySigning is the state of one key.
	KeySigning KeyState = "signing"
	// KeyRetired keys verify what they have signed.
	KeyRetired KeyState = "retired"
	// KeyGone keys have signed nothing that could still be good.
	KeyGone KeyState = "gone"
	// KeyRevoked keys have ended at once, and every token that they signed with them.
	KeyRevoked KeyState = "revoked"
)

// state returns where the key is at a time.
func (l life) state(now time.Time) KeyState {
	switch {
	case !l.revokedAt.IsZero():
		return KeyRevoked
	case !l.verifiesUntil.IsZero() && !now.Before(l.verifiesUntil):
		return KeyGone
	case !l.signsUntil.IsZero() && !now.Before(l.signsUntil):
		return KeyRetired
	case now.Before(l.signsFrom):
		return KeyPublished
	}
	return KeySigning
}

// lives returns the life of each row. The rows are ordered by generation, the newest first. When a key stops signing
// stands in no row: it is when a later one begins. A later one that was revoked before it began does not count, so
// that its predecessor goes on.
func lives(newestFirst []keyRow) []life {
	list := make([]life, len(newestFirst))
	var next time.Time
	for i, r := range newestFirst {
		l := life{createdAt: time.UnixMicro(r.createdAt), signsFrom: time.UnixMicro(r.signsFrom), signsUntil: next}
		if !next.IsZero() {
			l.verifiesUntil = next.Add(verifyFor)
		}
		if r.revokedAt.Valid {
			l.revokedAt, l.verifiesUntil = time.UnixMicro(r.revokedAt.Int64), time.Time{}
		}
		if list[i] = l; l.revokedAt.IsZero() || !l.revokedAt.Before(l.signsFrom) {
			if next.IsZero() || l.signsFrom.Before(next) {
				next = l.signsFrom
			}
		}
	}
	return list
}

// table is what the table of keys says at a time.
type table struct {
	// generation is how many changes the table had seen before it was read.
	generation int64
	rows       []keyRow // the newest first
	lives      []life
	now        time.Time
}

func newTable(generation int64, newestFirst []keyRow, now time.Time) table {
	return table{generation: generation, rows: newestFirst, lives: lives(newestFirst), now: now}
}

// index returns the place of the newest key in one of the states, or -1.
func (t table) index(states ...KeyState) int {
	for i, l := range t.lives {
		if slices.Contains(states, l.state(t.now)) && t.rows[i].private != "" {
			return i
		}
	}
	return -1
}

// inForce reports whether the key signs, will sign or verifies.
func (t table) inForce(i int) bool {
	switch t.lives[i].state(t.now) {
	case KeyRevoked, KeyGone:
		return false
	}
	return t.rows[i].private != ""
}

func (t table) countInForce() (n int) {
	for i := range t.rows {
		if t.inForce(i) {
			n++
		}
	}
	return n
}
