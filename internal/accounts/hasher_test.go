package accounts

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
)

var ctx = context.Background()

// cheap is a cost that tests can afford where the cost is not what they are about.
var cheap = Cost{Memory: 64, Time: 1, Threads: 1}

func testHasher(p Passwords, cores int) *hasher {
	return newHasher(Config{Random: rand.Reader, Passwords: p, Now: time.Now}, cores)
}

func storedHash(password string, c Cost) string {
	salt := []byte("0123456789abcdef")
	return phc{cost: c, salt: salt, tag: argon2.IDKey([]byte(password), salt, c.Time, c.Memory, c.Threads, tagBytes)}.String()
}

func TestHashHasTheFormAndTheCostThatIsPromised(t *testing.T) {
	for _, row := range []struct {
		name, prefix string
		passwords    Passwords
	}{
		{"where nothing is said", "$argon2id$v=19$m=19456,t=2,p=1$", Passwords{}},
		{"the first of the costs", "$argon2id$v=19$m=19456,t=2,p=1$", Passwords{Cost: Costs()[0]}},
		{"the second of the costs", "$argon2id$v=19$m=47104,t=1,p=1$", Passwords{Cost: Costs()[1]}},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := testHasher(row.passwords, 1)
			first, err := h.hash(ctx, "correct horse")
			if err != nil {
				t.Fatal(err)
			}
			second, err := h.hash(ctx, "correct horse")
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(first, row.prefix) {
				t.Errorf("got %s", first)
			}
			if first == second {
				t.Error("two hashes of one password are the same: there is no salt")
			}
			p, err := parsePHC(first)
			if err != nil || len(p.salt) != saltBytes || len(p.tag) != tagBytes || p.String() != first {
				t.Errorf("%+v, %v", p, err)
			}
		})
	}
}

func TestParseCost(t *testing.T) {
	for i, text := range []string{"m=19456,t=2,p=1", "m=47104,t=1,p=1"} {
		if c, err := ParseCost(text); err != nil || c != Costs()[i] {
			t.Errorf("%s: %v, %v", text, c, err)
		}
	}
	for name, text := range map[string]string{
		"nothing": "", "a word": "strong", "another spelling": "19456/2/1", "a number more": "m=19456,t=2,p=1,x=1",
		"spaces": "m=19456, t=2, p=1", "less memory": "m=9728,t=2,p=1", "less time": "m=19456,t=1,p=1", "more memory": "m=65536,t=3,p=4",
	} {
		if _, err := ParseCost(text); err == nil || !strings.Contains(err.Error(), "neither m=19456,t=2,p=1 nor m=47104,t=1,p=1") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerify(t *testing.T) {
	long := strings.Repeat("x", 72)
	for _, row := range []struct {
		name             string
		stored, password string
		ok, lags         bool
	}{
		{"the password", storedHash("correct horse", Costs()[0]), "correct horse", true, false},
		{"the password under the other cost", storedHash("correct horse", Costs()[1]), "correct horse", true, true},
		{"the password under a lower cost", storedHash("correct horse", cheap), "correct horse", true, true},
		{"emoji", storedHash(strings.Repeat("🐎", 64), cheap), strings.Repeat("🐎", 64), true, true},
		{"spaces around it are part of it", storedHash(" a ", cheap), " a ", true, true},
		{"another password", storedHash("correct horse", cheap), "correct horsf", false, true},
		{"another case", storedHash("correct horse", cheap), "Correct horse", false, true},
		{"without the spaces around it", storedHash(" a ", cheap), "a", false, true},
		{"the first 72 bytes of it, which bcrypt would take", storedHash(long+"y", cheap), long, false, true},
		{"another byte after the 72nd", storedHash(long+"y", cheap), long + "z", false, true},
		{"nothing", storedHash("correct horse", cheap), "", false, true},
		{"no hash is stored", "", "correct horse", false, false},
		{"the password is stored", "correct horse", "correct horse", false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := testHasher(Passwords{}, 1)
			ok, lags, err := h.verify(ctx, auth.Secret(row.password), row.stored)
			if err != nil || ok != row.ok || lags != row.lags {
				t.Errorf("ok %v, lags %v, %v", ok, lags, err)
			}
			if h.runs.Load() != 1 {
				t.Errorf("%d hashes, want 1: the work must not tell what is stored", h.runs.Load())
			}
		})
	}
}

// TestParsePHCRefuses what an import or an attacker could leave in a row to take the memory or the time of the service.
func TestParsePHCRefuses(t *testing.T) {
	b64 := base64.RawStdEncoding.EncodeToString
	salt, tag := b64(make([]byte, 16)), b64(make([]byte, 32))
	for name, stored := range map[string]string{
		"4 GiB":               "$argon2id$v=19$m=4194304,t=2,p=1$" + salt + "$" + tag,
		"eleven passes":       "$argon2id$v=19$m=19456,t=11,p=1$" + salt + "$" + tag,
		"seventeen threads":   "$argon2id$v=19$m=19456,t=2,p=17$" + salt + "$" + tag,
		"no memory":           "$argon2id$v=19$m=0,t=2,p=1$" + salt + "$" + tag,
		"no passes":           "$argon2id$v=19$m=19456,t=0,p=1$" + salt + "$" + tag,
		"no threads":          "$argon2id$v=19$m=19456,t=2,p=0$" + salt + "$" + tag,
		"a negative cost":     "$argon2id$v=19$m=-1,t=2,p=1$" + salt + "$" + tag,
		"argon2i":             "$argon2i$v=19$m=19456,t=2,p=1$" + salt + "$" + tag,
		"another version":     "$argon2id$v=16$m=19456,t=2,p=1$" + salt + "$" + tag,
		"no salt":             "$argon2id$v=19$m=19456,t=2,p=1$$" + tag,
		"a short tag":         "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + b64(make([]byte, 8)),
		"a long tag":          "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + b64(make([]byte, 1000)),
		"no base64":           "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$!" + tag,
		"a field more":        "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + tag + "$",
		"something before it": "x$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + tag,
		"something after p":   "$argon2id$v=19$m=19456,t=2,p=1x$" + salt + "$" + tag,
		"a sign":              "$argon2id$v=19$m=+19456,t=2,p=1$" + salt + "$" + tag,
		"a zero before":       "$argon2id$v=19$m=019456,t=2,p=1$" + salt + "$" + tag,
		"another order":       "$argon2id$v=19$t=2,m=19456,p=1$" + salt + "$" + tag,
		"bcrypt":              "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
	} {
		if _, err := parsePHC(stored); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// TestRoom is how many hashes run at once: as many as there are cores, and as maxHashing allows.
func TestRoom(t *testing.T) {
	for _, row := range []struct {
		name          string
		cost          Cost
		cores, atOnce int
	}{
		{"the first cost on one core", Costs()[0], 1, 1},
		{"the first cost on two cores", Costs()[0], 2, 2},
		{"the first cost on many cores", Costs()[0], 64, 5},
		{"the second cost on one core", Costs()[1], 1, 1},
		{"the second cost on two cores", Costs()[1], 2, 2},
		{"the second cost on many cores", Costs()[1], 64, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := testHasher(Passwords{Cost: row.cost}, row.cores)
			release := make(chan struct{})
			var wg sync.WaitGroup
			for range row.atOnce {
				started := make(chan struct{})
				wg.Go(func() { h.do(ctx, row.cost.Memory, func() { close(started); <-release }) })
				<-started
			}
			if h.memory.TryAcquire(int64(row.cost.Memory)) {
				t.Errorf("more than %d hashes run at once", row.atOnce)
			}
			close(release)
			wg.Wait()
			if kib := row.atOnce * int(row.cost.Memory); kib > maxHashing {
				t.Errorf("%d hashes take %d KiB", row.atOnce, kib)
			}
		})
	}
}

// TestAHashThatTakesMoreThanThereIsRunsAlone: an import may have asked for more than new hashes do.
func TestAHashThatTakesMoreThanThereIsRunsAlone(t *testing.T) {
	h := testHasher(Passwords{}, 2)
	for memory, alone := range map[uint32]bool{0: false, 64: false, 19456: false, 19457: true, maxMemory: true} {
		err := h.do(ctx, memory, func() {
			if another := h.memory.TryAcquire(19456); another == alone {
				t.Errorf("beside a hash of %d KiB runs another: %t", memory, another)
			} else if another {
				h.memory.Release(19456)
			}
		})
		if err != nil {
			t.Errorf("%d KiB: %v", memory, err)
		}
	}
}

// TestWhatHashesLeaveIsCollected before it is several times what runs.
func TestWhatHashesLeaveIsCollected(t *testing.T) {
	for cost, collections := range map[Cost]uint32{Costs()[0]: 3, Costs()[1]: 7} { // after two of the first, after each of the second
		h := testHasher(Passwords{Cost: cost}, 1)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 8 {
			if err := h.do(ctx, cost.Memory, func() {}); err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		if n := after.NumForcedGC - before.NumForcedGC; n != collections {
			t.Errorf("%s: %d collections for 8 hashes, want %d", cost, n, collections)
		}
	}
}

// TestWhatIsNoHashCostsAsMuchAsANewOne, so that a user who does not exist is not told from one who does by the time.
func TestWhatIsNoHashCostsAsMuchAsANewOne(t *testing.T) {
	for _, cost := range Costs() {
		h := testHasher(Passwords{Cost: cost}, 1)
		if ok, lags, err := h.verify(ctx, "correct horse", ""); ok || lags || err != nil || h.garbage != int64(cost.Memory) || h.runs.Load() != 1 {
			t.Errorf("%s: %t %t %v, %d hashes of %d KiB", cost, ok, lags, err, h.runs.Load(), h.garbage)
		}
	}
}

func TestHashesRunNoMoreAtOnceThanThereAreCores(t *testing.T) {
	h := testHasher(Passwords{}, 2)
	if !h.memory.TryAcquire(2 * 19456) { // both cores are busy
		t.Fatal("there is no room for two hashes")
	}
	waiting, cancel := context.WithCancel(ctx)
	errs := make(chan error, defaultWaitingHashes)
	var wg sync.WaitGroup
	for range defaultWaitingHashes {
		wg.Go(func() {
			_, err := h.run(waiting, "x", make([]byte, 8), cheap, 16)
			errs <- err
		})
	}
	for h.queued.Load() < defaultWaitingHashes {
		time.Sleep(time.Millisecond)
	}
	_, err := h.run(ctx, "x", make([]byte, 8), cheap, 16)
	if !problem.Unavailable.Is(err) || problem.From(err).RetryAfter <= 0 {
		t.Errorf("beyond the queue: %v", err)
	}
	if h.runs.Load() != 0 {
		t.Errorf("%d hashes ran beside those of both cores", h.runs.Load())
	}
	cancel()
	wg.Wait()
	close(errs)
	for err := range errs {
		if err == nil {
			t.Error("a hash ran without a core")
		}
	}
	h.memory.Release(19456)
	if _, err := h.run(ctx, "x", make([]byte, 8), cheap, 16); err != nil || h.runs.Load() != 1 || h.queued.Load() != 0 {
		t.Errorf("with a free core: %v, %d runs, %d queued", err, h.runs.Load(), h.queued.Load())
	}
}
