package accounts

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
)

// parameters are the cost of argon2id, RFC 9106.
type parameters struct {
	memory  uint32 // KiB
	time    uint32
	threads uint8
}

// current is the cost of new hashes: the first choice of the OWASP Password Storage Cheat Sheet. It takes about 25 ms and
// 19 MiB.
var current = parameters{memory: 19456, time: 2, threads: 1}

// The most that a stored hash may ask for. A row from an import or an attacker must not be able to take the memory or
// the time of the service.
const (
	maxMemory  = 1 << 20 // 1 GiB
	maxTime    = 10
	maxThreads = 16
)

const (
	saltBytes = 16
	tagBytes  = 32
	// maxQueue is how many hashes may wait for a core: about 2 s of work for one core, as long as a person waits.
	maxQueue = 64
)

// hasher runs password hashes, no more at once than there are cores: unbounded, 64 parallel logins take 1.4 GiB and every
// one of them waits for seconds.
type hasher struct {
	random io.Reader
	slots  chan struct{}
	queued atomic.Int64
	runs   atomic.Int64
}

func newHasher(random io.Reader, cores int) *hasher {
	return &hasher{random: random, slots: make(chan struct{}, cores)}
}

// run computes the tag of argon2id.
func (h *hasher) run(ctx context.Context, password auth.Secret, salt []byte, p parameters, length int) (tag []byte, err error) {
	err = h.do(ctx, func() {
		tag = argon2.IDKey([]byte(password.Reveal()), salt, p.time, p.memory, p.threads, uint32(length))
	})
	return tag, err
}

// do computes a hash when a core is free. Beyond the queue it returns problem.Unavailable.
func (h *hasher) do(ctx context.Context, compute func()) error {
	if h.queued.Add(1) > maxQueue {
		h.queued.Add(-1)
		busy := problem.Unavailable.New("too many logins at once: repeat later")
		busy.RetryAfter = time.Second
		return busy
	}
	defer h.queued.Add(-1)
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-h.slots }()
	h.runs.Add(1)
	compute()
	return nil
}

// hash returns the password's hash as a PHC string.
func (h *hasher) hash(ctx context.Context, password auth.Secret) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(h.random, salt); err != nil {
		return "", err
	}
	tag, err := h.run(ctx, password, salt, current, tagBytes)
	if err != nil {
		return "", err
	}
	return phc(current, salt, tag), nil
}

// verify reports whether the password is that of the stored hash. Where stored is not a hash, as for a user that does
// not exist, it does the same work with the current cost and reports false. lags says that the hash was made with a
// lower cost than new ones, or another algorithm.
func (h *hasher) verify(ctx context.Context, password auth.Secret, stored string) (ok, lags bool, err error) {
	if check, other := parseImported(stored); other {
		err := h.do(ctx, func() { ok = check(password) })
		return ok, true, err
	}
	p, salt, tag, err := parsePHC(stored)
	if err != nil {
		_, err := h.run(ctx, password, make([]byte, saltBytes), current, tagBytes)
		return false, false, err
	}
	computed, err := h.run(ctx, password, salt, p, len(tag))
	if err != nil {
		return false, false, err
	}
	return subtle.ConstantTimeCompare(computed, tag) == 1, p != current, nil
}

func phc(p parameters, salt, tag []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.time, p.threads, b64.EncodeToString(salt), b64.EncodeToString(tag))
}

var errNotAHash = errors.New("not an argon2id hash of a cost that is allowed")

func parsePHC(s string) (p parameters, salt, tag []byte, err error) {
	fields := strings.Split(s, "$")
	if len(fields) != 6 || fields[0] != "" || fields[1] != "argon2id" || fields[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, errNotAHash
	}
	if _, err := fmt.Sscanf(fields[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); err != nil {
		return p, nil, nil, errNotAHash
	}
	salt, saltErr := base64.RawStdEncoding.Strict().DecodeString(fields[4])
	tag, tagErr := base64.RawStdEncoding.Strict().DecodeString(fields[5])
	bounded := p.memory >= 8 && p.memory <= maxMemory && p.time >= 1 && p.time <= maxTime && p.threads >= 1 && p.threads <= maxThreads
	if saltErr != nil || tagErr != nil || !bounded || len(salt) < 8 || len(salt) > 64 || len(tag) < 16 || len(tag) > 64 {
		return p, nil, nil, errNotAHash
	}
	return p, salt, tag, nil
}
