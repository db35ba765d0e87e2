package oauth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

// eachTwice runs f with two handles of a fresh database of each engine, as two processes have them.
func eachTwice(t *testing.T, f func(t *testing.T, one, other *sqldb.DB)) {
	open := func(t *testing.T, address string) *sqldb.DB {
		db, err := sqldb.Open(context.Background(), address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "test.db")
		f(t, open(t, path), open(t, path))
	})
	t.Run("postgres", func(t *testing.T) {
		address := sqldbtest.Postgres(t)
		f(t, open(t, address), open(t, address))
	})
}

// process is what one process has of the service: its keys, and what signs and verifies with them.
type process struct {
	*KeyStore
	keys     *Keys
	signer   *Signer
	verifier *Verifier
	now      time.Time
}

func newProcess(t *testing.T, db *sqldb.DB) *process {
	t.Helper()
	p := &process{KeyStore: testStore(db), now: testNow}
	p.Now = func() time.Time { return p.now }
	p.keys = load(t, p.KeyStore)
	p.verifier, _, _ = testVerifierOf(t, p.keys)
	verifier, err := NewVerifier(VerifierConfig{Keys: p.keys, Issuer: testIssuer, Audience: testAudience, Exceptions: new(auth.Exceptions), Now: p.Now})
	if err != nil {
		t.Fatal(err)
	}
	p.verifier = verifier
	p.signer = &Signer{Keys: p.keys, Issuer: testIssuer, Audience: testAudience, Exceptions: new(auth.Exceptions), Now: p.Now, Random: rand.Reader}
	return p
}

func (p *process) sign(t *testing.T) string {
	t.Helper()
	token, err := p.signer.Sign(Grant{Subject: "user-1", ClientID: FirstParty})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (p *process) refresh(t *testing.T) {
	t.Helper()
	if err := p.Refresh(context.Background(), time.Time{}); err != nil {
		t.Fatal(err)
	}
}

func (p *process) rotate(t *testing.T, r Rotation) SigningKey {
	t.Helper()
	k, _, err := p.Rotate(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (p *process) states(t *testing.T) map[string]KeyState {
	t.Helper()
	list, err := p.List(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]KeyState{}
	for _, k := range list {
		states[k.KeyID] = k.State
	}
	return states
}

// signs returns the kid of the key that would sign in this process.
func (p *process) signs(t *testing.T) string {
	t.Helper()
	return signingKeyOf(t, p.keys, p.now).id
}

// TestParallelRotationsMakeOneKey lets 100 rotations run at once, half of them in each of two processes.
func TestParallelRotationsMakeOneKey(t *testing.T) {
	eachTwice(t, func(t *testing.T, one, other *sqldb.DB) {
		for _, row := range []struct {
			name   string
			rotate func(p *process) (kid string, made bool, err error)
		}{
			{"by hand", func(p *process) (string, bool, error) {
				k, made, err := p.Rotate(context.Background(), Rotation{})
				return k.KeyID, made, err
			}},
			{"by hand, soon", func(p *process) (string, bool, error) {
				k, made, err := p.Rotate(context.Background(), Rotation{Soon: true, Algorithm: ES256})
				return k.KeyID, made, err
			}},
			{"by age", func(p *process) (string, bool, error) {
				return "", false, p.Refresh(context.Background(), time.Time{})
			}},
		} {
			t.Run(row.name, func(t *testing.T) {
				execute(t, one, `DELETE FROM signing_keys`)
				processes := []*process{newProcess(t, one), newProcess(t, other)}
				for _, p := range processes {
					p.RotateAfter, p.now = 90*24*time.Hour, testNow.Add(90*24*time.Hour)
				}
				made := rotateAtOnce(t, processes, storedKeys(t, one)[0].KeyID, row.rotate)
				if row.name != "by age" && made != 1 {
					t.Errorf("%d say that they made the key", made)
				}
			})
		}
	})
}

// rotateAtOnce returns how many of 100 rotations say that they made a key.
func rotateAtOnce(t *testing.T, processes []*process, first string, rotate func(p *process) (kid string, made bool, err error)) int64 {
	t.Helper()
	const rotations = 100
	var made atomic.Int64
	kids := make([]string, rotations)
	errs := make([]error, rotations)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range rotations {
		wg.Go(func() {
			<-start
			kid, first, err := rotate(processes[i%2])
			if kids[i], errs[i] = kid, err; first {
				made.Add(1)
			}
		})
	}
	close(start)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	rows := storedKeys(t, processes[0].DB)
	if len(rows) != 2 || rows[0].KeyID != first {
		t.Fatalf("%d keys after %d rotations, want the one before and one new", len(rows), rotations)
	}
	for _, kid := range kids {
		if kid != "" && kid != rows[1].KeyID {
			t.Errorf("one was told of the key %s, and %s was made", kid, rows[1].KeyID)
		}
	}
	t.Logf("%d rotations, %d new key", rotations, len(rows)-1)
	return made.Load()
}

// TestNoTokenIsRefusedWhileKeysRotate moves two processes through two rotations, of which the second begins as soon as it
// may, until all that the first key signed has expired. One process is as late as it may be to read the table, and
// their clocks are apart by the leeway. Each token is verified by both, without the memory of verified tokens: when it
// is made, now and then, and as long as its exp and the leeway allow.
func TestNoTokenIsRefusedWhileKeysRotate(t *testing.T) {
	for _, row := range []struct {
		name string
		skew time.Duration // of the process that is late
		r    Rotation
	}{
		{"clocks that agree", 0, Rotation{}},
		{"who is late has a clock that is behind", -leeway, Rotation{}},
		{"who is late has a clock that is ahead", leeway, Rotation{}},
		{"without the time for others", 0, Rotation{Soon: true}},
		{"without the time for others, a clock behind", -leeway, Rotation{Soon: true}},
		{"without the time for others, a clock ahead", leeway, Rotation{Soon: true}},
		{"to another algorithm", 0, Rotation{Algorithm: ES256}},
	} {
		t.Run(row.name, func(t *testing.T) {
			db := sqldbtest.Open(t)
			prompt, late := newProcess(t, db), newProcess(t, db)
			type live struct {
				token   string
				expires time.Time // by the clock of who made it
				skew    time.Duration
			}
			var tokens []live
			signed, verified, keys := 0, 0, map[string]bool{}
			const step = 5 * time.Second
			for at := time.Duration(0); at < 2*publishFor+verifyFor+time.Minute; at += step {
				prompt.now, late.now = testNow.Add(at), testNow.Add(at+row.skew)
				prompt.refresh(t)
				if at > 0 && len(keys) < 3 {
					// By the clock of the one, then by that of the other; only the prompt one learns of it at once.
					[]*process{prompt, late}[len(keys)%2].rotate(t, row.r)
					prompt.refresh(t)
				}
				for _, p := range []*process{prompt, late} {
					skew := p.now.Sub(prompt.now)
					tokens = append(tokens, live{p.sign(t), p.now.Add(Lifetime), skew})
					keys[p.signs(t)] = true
					signed++
				}
				kept := tokens[:0]
				for i, token := range tokens {
					if age := Lifetime - token.expires.Sub(prompt.now.Add(token.skew)); age > 0 && age < Lifetime+leeway-step && (i+signed)%50 != 0 {
						kept = append(kept, token) // In the middle of their life, one in 50.
						continue
					}
					for _, p := range []*process{prompt, late} {
						if !p.now.Before(token.expires.Add(leeway)) {
							continue
						}
						if _, err := p.verifier.verify(token.token, p.now); err != nil {
							t.Fatalf("after %v: %v", at, err)
						}
						verified++
					}
					if end := token.expires.Add(leeway); prompt.now.Before(end) || late.now.Before(end) {
						kept = append(kept, token)
					}
				}
				tokens = kept
				late.refresh(t) // what the prompt one changed in this step it did not know until now: 5 seconds late
			}
			gone := 0
			for _, state := range prompt.states(t) {
				if state == KeyGone {
					gone++
				}
			}
			if len(keys) < 3 || gone == 0 {
				t.Errorf("%d keys have signed, want at least 3; the keys at the end: %v", len(keys), prompt.states(t))
			}
			t.Logf("%d tokens signed by %d keys, %d verifications, 0 refused", signed, len(keys), verified)
		})
	}
}

// TestAKeyThatIsGoneVerifiesNothing is the other half: what could be good is good, and nothing for longer.
func TestAKeyThatIsGoneVerifiesNothing(t *testing.T) {
	db := sqldbtest.Open(t)
	p := newProcess(t, db)
	first := p.signs(t)
	p.rotate(t, Rotation{})
	p.refresh(t)
	p.now = testNow.Add(publishFor - time.Second)
	token := p.sign(t)
	for _, step := range []struct {
		after time.Duration
		found bool
		says  string
	}{
		{publishFor, true, ""},
		{publishFor + Lifetime, true, ""},
		{publishFor + verifyFor - 1, true, "exp has passed"},
		{publishFor + verifyFor, false, "kid names no key in force"},
		{publishFor + verifyFor + time.Minute, false, "kid names no key in force"},
	} {
		p.now = testNow.Add(step.after)
		if found := p.keys.find(first, p.now) != nil; found != step.found {
			t.Errorf("after %v: found %t, want %t", step.after, found, step.found)
		}
		_, err := verify(p.verifier, token)
		if got := fmt.Sprint(err); step.says != "" && !strings.Contains(got, step.says) || step.says == "" && err != nil {
			t.Errorf("after %v: %v, want %q", step.after, err, step.says)
		}
	}
	p.refresh(t)
	if published := publishedKeys(t, p.keys); len(published) != 1 || published[0]["kid"] == first {
		t.Errorf("published: %v", published)
	}
	if p.states(t)[first] != KeyGone {
		t.Errorf("states %v", p.states(t))
	}
	p.rotate(t, Rotation{})
	if rows := storedKeys(t, db); rows[0].KeyID != first || rows[0].Private == "" {
		t.Errorf("the private half is destroyed too early, or another key is first: %+v", rows[0].KeyID)
	}
	p.now = p.now.Add(destroyAfter)
	p.rotate(t, Rotation{})
	if rows := storedKeys(t, db); rows[0].KeyID != first || rows[0].Private != "" || rows[1].Private == "" {
		t.Error("the private half of a key that is gone is kept, or that of another destroyed")
	}
}

func TestRotate(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		p := newProcess(t, db)
		p.Algorithm = RS256 // for keys that age makes, and no others
		ctx := context.Background()
		first := p.signs(t)

		next, made, err := p.Rotate(ctx, Rotation{})
		if err != nil || !made || next.State != KeyPublished || next.Algorithm != EdDSA || !next.SignsFrom.Equal(testNow.Add(publishFor)) {
			t.Fatalf("the first rotation: %+v, made %t, %v", next, made, err)
		}
		again, made, err := p.Rotate(ctx, Rotation{Algorithm: EdDSA})
		if err != nil || made || again != next {
			t.Errorf("a rotation while one is on its way: %+v, made %t, %v", again, made, err)
		}
		if _, made, err := p.Rotate(ctx, Rotation{Algorithm: ES256}); err == nil || made || !strings.Contains(err.Error(), "is published already") {
			t.Errorf("another algorithm while one is on its way: made %t, %v", made, err)
		}
		sooner, made, err := p.Rotate(ctx, Rotation{Soon: true})
		if err != nil || made || sooner.KeyID != next.KeyID || !sooner.SignsFrom.Equal(testNow.Add(publishSoon)) {
			t.Errorf("the same one, sooner: %+v, made %t, %v", sooner, made, err)
		}
		p.now = testNow.Add(time.Second)
		if later := p.rotate(t, Rotation{Soon: true}); !later.SignsFrom.Equal(sooner.SignsFrom) {
			t.Errorf("a key was put off to %v", later.SignsFrom)
		}
		p.now = testNow.Add(publishSoon)
		p.refresh(t)
		if p.signs(t) != next.KeyID {
			t.Errorf("%s signs, want %s", p.signs(t), next.KeyID)
		}
		if diff := cmp.Diff(map[string]KeyState{first: KeyRetired, next.KeyID: KeySigning}, p.states(t)); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
		third := p.rotate(t, Rotation{Algorithm: ES256})
		p.now = p.now.Add(publishFor)
		if fourth := p.rotate(t, Rotation{}); third.Algorithm != ES256 || fourth.Algorithm != ES256 {
			t.Errorf("algorithms %s, %s: a key has that of the one before it", third.Algorithm, fourth.Algorithm)
		}
	})
}

func TestRotationIsBounded(t *testing.T) {
	p := newProcess(t, sqldbtest.Open(t))
	made := 1
	for {
		_, _, err := p.Rotate(context.Background(), Rotation{Soon: true})
		if err != nil {
			if !strings.Contains(err.Error(), "wait until") {
				t.Fatal(err)
			}
			break
		}
		if made++; made > maxKeys {
			t.Fatalf("%d keys are in force", made)
		}
		p.now = p.now.Add(publishSoon)
	}
	p.refresh(t)
	if n := len(publishedKeys(t, p.keys)); made != maxKeys || n != maxKeys {
		t.Errorf("%d keys made, %d published, want %d", made, n, maxKeys)
	}
	p.now = p.now.Add(verifyFor)
	if _, _, err := p.Rotate(context.Background(), Rotation{}); err != nil {
		t.Errorf("after the tokens have expired: %v", err)
	}
}

func TestAgeRotates(t *testing.T) {
	const age = 90 * 24 * time.Hour
	for _, row := range []struct {
		name        string
		rotateAfter time.Duration
		after       time.Duration
		keys        int
	}{
		{"a key that is young enough", age, age - 1, 1},
		{"a key of that age", age, age, 2},
		{"a key that is much older", age, 3 * age, 2},
		{"a key of that age, where age does not rotate", 0, 3 * age, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			db := sqldbtest.Open(t)
			p := newProcess(t, db)
			p.RotateAfter, p.Algorithm = row.rotateAfter, ES256
			p.now = testNow.Add(row.after)
			p.refresh(t)
			p.refresh(t)
			rows := storedKeys(t, db)
			if len(rows) != row.keys || len(publishedKeys(t, p.keys)) != row.keys {
				t.Fatalf("%d keys, %d published, want %d", len(rows), len(publishedKeys(t, p.keys)), row.keys)
			}
			if last := rows[len(rows)-1]; row.keys == 2 && (last.Algorithm != "ES256" || last.SignsFrom != p.now.Add(publishFor).UnixMicro()) {
				t.Errorf("the next key: %s from %d", last.Algorithm, last.SignsFrom)
			}
			if p.signs(t) != rows[0].KeyID {
				t.Error("the next key signs before its time")
			}
		})
	}
}
