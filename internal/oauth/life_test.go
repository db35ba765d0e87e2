package oauth

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTheTimesOfAKeyLeaveNoGap holds the constants to what each of them waits for.
func TestTheTimesOfAKeyLeaveNoGap(t *testing.T) {
	if publishFor < jwksMaxAge+leeway || publishSoon < learnTime+leeway {
		t.Errorf("a key signs after %v or %v: verifiers do not have it yet", publishFor, publishSoon)
	}
	if verifyFor < Lifetime+leeway {
		t.Errorf("a key verifies for %v after it signed: the last token lasts longer", verifyFor)
	}
	if MinRotateAfter < publishFor+verifyFor {
		t.Errorf("keys may be made every %v, and each takes %v to go", MinRotateAfter, publishFor+verifyFor)
	}
}

// rowOf is a row of a key that signs from a minute of the test on, and is revoked at another unless that is negative.
func rowOf(generation, signsFrom, revokedAt int) keyRow {
	at := func(minute int) int64 { return testNow.Add(time.Duration(minute) * time.Minute).UnixMicro() }
	r := keyRow{kid: fmt.Sprintf("key-%d", generation), private: "x", generation: int64(generation), createdAt: at(signsFrom - 6), signsFrom: at(signsFrom)}
	if revokedAt >= 0 {
		r.revokedAt = sql.NullInt64{Int64: at(revokedAt), Valid: true}
	}
	return r
}

func TestTheStateOfAKey(t *testing.T) {
	const never = -1
	two := []keyRow{rowOf(2, 10, never), rowOf(1, 0, never)}
	for _, row := range []struct {
		name   string
		rows   []keyRow // the newest first
		minute int
		states []KeyState
		signs  string
	}{
		{"one key", []keyRow{rowOf(1, 0, never)}, 0, []KeyState{KeySigning}, "key-1"},
		{"one key after a hundred years", []keyRow{rowOf(1, 0, never)}, 50_000_000, []KeyState{KeySigning}, "key-1"},
		{"one key whose time has not come by this clock", []keyRow{rowOf(1, 1, never)}, 0, []KeyState{KeyPublished}, "key-1"},
		{"the next is published", two, 9, []KeyState{KeyPublished, KeySigning}, "key-1"},
		{"the next signs", two, 10, []KeyState{KeySigning, KeyRetired}, "key-2"},
		{"the last token of the first is good", two, 20, []KeyState{KeySigning, KeyRetired}, "key-2"},
		{"the last token of the first has expired", two, 22, []KeyState{KeySigning, KeyGone}, "key-2"},
		{"the next was revoked before it signed", []keyRow{rowOf(2, 10, 9), rowOf(1, 0, never)}, 30, []KeyState{KeyRevoked, KeySigning}, "key-1"},
		{"the next was revoked after it signed, and no other is there", []keyRow{rowOf(2, 10, 11), rowOf(1, 0, never)}, 11, []KeyState{KeyRevoked, KeyRetired}, ""},
		{"the next was revoked in the moment that it signed", []keyRow{rowOf(2, 10, 10), rowOf(1, 0, never)}, 10, []KeyState{KeyRevoked, KeyRetired}, ""},
		{"the first was revoked, the next is not due by this clock", []keyRow{rowOf(2, 10, never), rowOf(1, 0, 5)}, 5, []KeyState{KeyPublished, KeyRevoked}, "key-2"},
		{"a key before a revoked one does not come back", []keyRow{rowOf(3, 11, never), rowOf(2, 10, 11), rowOf(1, 0, never)}, 10, []KeyState{KeyPublished, KeyRevoked, KeyRetired}, "key-3"},
		{"three in a row", []keyRow{rowOf(3, 20, never), rowOf(2, 10, never), rowOf(1, 0, never)}, 20, []KeyState{KeySigning, KeyRetired, KeyRetired}, "key-3"},
	} {
		t.Run(row.name, func(t *testing.T) {
			now := testNow.Add(time.Duration(row.minute) * time.Minute)
			table := newTable(0, row.rows, now)
			var states []KeyState
			var keys []*key
			for i, l := range table.lives {
				states = append(states, l.state(now))
				if table.inForce(i) {
					k := testKey(table.rows[i].kid)
					k.life = l
					keys = append(keys, k)
				}
			}
			if diff := cmp.Diff(row.states, states); diff != "" {
				t.Errorf("states (-want +got):\n%s", diff)
			}
			k, err := keysOf(t, keys...).signing(now)
			if row.signs == "" {
				if err == nil {
					t.Errorf("%s signs, want none", k.id)
				}
				return
			}
			if err != nil || k.id != row.signs {
				t.Errorf("%v signs (%v), want %s", k, err, row.signs)
			}
		})
	}
}

func TestParseAlgorithm(t *testing.T) {
	for _, a := range Algorithms() {
		if got, err := ParseAlgorithm(string(a)); err != nil || got != a {
			t.Errorf("%s is read as %s: %v", a, got, err)
		}
	}
	for _, name := range []string{"", "none", "None", "HS256", "eddsa", "EDDSA", "Ed25519", "ES384", "RS512", "PS256", " EdDSA", "EdDSA\x00"} {
		if a, err := ParseAlgorithm(name); err == nil {
			t.Errorf("%q is read as %s", name, a)
		}
	}
	if method := Algorithm("HS256").method(); method != nil {
		t.Errorf("HS256 signs with %v", method)
	}
	if k, err := Algorithm("HS256").generate(nil); err == nil {
		t.Errorf("a key of HS256 is made: %T", k)
	}
}
