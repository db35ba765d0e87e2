package accounts

import (
	"context"
	"crypto/rand"
	"encoding/base64"
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
var cheap = parameters{memory: 64, time: 1, threads: 1}

func storedHash(password string, p parameters) string {
	salt := []byte("0123456789abcdef")
	return phc(p, salt, argon2.IDKey([]byte(password), salt, p.time, p.memory, p.threads, tagBytes))
}

func TestHashHasTheFormAndTheCostThatIsPromised(t *testing.T) {
	h := newHasher(rand.Reader, 1)
	first, err := h.hash(ctx, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	second, err := h.hash(ctx, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(first, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("got %s", first)
	}
	if first == second {
		t.Error("two hashes of one password are the same: there is no salt")
	}
	p, salt, tag, err := parsePHC(first)
	if err != nil || p != current || len(salt) != saltBytes || len(tag) != tagBytes {
		t.Errorf("%+v, %d bytes of salt, %d of tag, %v", p, len(salt), len(tag), err)
	}
}

func TestVerify(t *testing.T) {
	long := strings.Repeat("x", 72)
	for _, row := range []struct {
		name             string
		stored, password string
		ok, lags         bool
	}{
		{"the password", storedHash("correct horse", current), "correct horse", true, false},
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
			h := newHasher(rand.Reader, 1)
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
		"bcrypt":              "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
	} {
		if _, _, _, err := parsePHC(stored); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestHashesRunNoMoreAtOnceThanThereAreCores(t *testing.T) {
	h := newHasher(rand.Reader, 2)
	h.slots <- struct{}{}
	h.slots <- struct{}{} // both cores are busy
	waiting, cancel := context.WithCancel(ctx)
	errs := make(chan error, maxQueue)
	var wg sync.WaitGroup
	for range maxQueue {
		wg.Go(func() {
			_, err := h.run(waiting, "x", make([]byte, 8), cheap, 16)
			errs <- err
		})
	}
	for h.queued.Load() < maxQueue {
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
	<-h.slots
	if _, err := h.run(ctx, "x", make([]byte, 8), cheap, 16); err != nil || h.runs.Load() != 1 || h.queued.Load() != 0 {
		t.Errorf("with a free core: %v, %d runs, %d queued", err, h.runs.Load(), h.queued.Load())
	}
}
