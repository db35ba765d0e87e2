package accounts

import (
	"cmp"
	"context"
	"crypto/subtle"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
)

// What hashes may have of the memory of the process, in KiB: with 64 logins at once, and whatever the cost of a hash, the process
// stays below 150 MiB (security.md 10).
const (
	// maxHashing is for those that run: five of the first of Costs or two of the second, however many cores there are.
	maxHashing = 96 << 10
	// maxGarbage is for what ended hashes leave, until it is collected. The garbage collector alone would wait for several times as
	// much as all hashes take that run.
	maxGarbage = 32 << 10
)

// hasher runs password hashes, no more at once than there are cores and than their memory allows: unbounded, 64 parallel logins take
// 1.4 GiB and every one of them waits for seconds.
type hasher struct {
	random io.Reader
	// passwords say how new hashes are made, and cost is theirs.
	passwords Passwords
	cost      Cost
	// room is what hashes that run may have, in KiB, and memory is who has it.
	room   int64
	memory *semaphore.Weighted
	// most is how many hashes may be in the queue: queued are there, with those that run.
	most     int64
	queued   atomic.Int64
	running  atomic.Int64
	runs     atomic.Int64
	refused  atomic.Int64
	observed func(waited time.Duration)
	now      func() time.Time

	mu sync.Mutex
	// garbage is the memory of the hashes that began since the last collection.
	garbage int64
}

func newHasher(c Config, cores int) *hasher {
	p := c.Passwords
	cost := p.cost()
	each := int64(cost.Memory)
	room := min(int64(cores)*each, max(maxHashing, each))
	return &hasher{
		random: c.Random, passwords: p, cost: cost, room: room, memory: semaphore.NewWeighted(room),
		most: int64(cmp.Or(c.WaitingHashes, defaultWaitingHashes)), observed: c.HashWaited, now: c.Now,
	}
}

// run computes the tag of argon2id.
func (h *hasher) run(ctx context.Context, password auth.Secret, salt []byte, c Cost, length int) (tag []byte, err error) {
	err = h.do(ctx, c.Memory, func() {
		tag = argon2.IDKey([]byte(password.Reveal()), salt, c.Time, c.Memory, c.Threads, uint32(length))
	})
	return tag, err
}

// do computes a hash that takes so many KiB, when there is room for it. One that takes more than there is has all of it, and one that
// takes less than a new hash has the share of one, which is a core. Beyond the queue it returns problem.Unavailable.
func (h *hasher) do(ctx context.Context, memory uint32, compute func()) error {
	if h.queued.Add(1) > h.most {
		h.queued.Add(-1)
		h.refused.Add(1)
		busy := problem.Unavailable.New("too many logins at once: repeat later")
		busy.RetryAfter = time.Second
		return busy
	}
	defer h.queued.Add(-1)
	share := min(max(int64(memory), int64(h.cost.Memory)), h.room)
	began := h.now()
	if err := h.memory.Acquire(ctx, share); err != nil {
		return err
	}
	defer h.memory.Release(share)
	h.running.Add(1)
	defer h.running.Add(-1)
	if h.observed != nil {
		h.observed(h.now().Sub(began))
	}
	h.collect(int64(memory))
	h.runs.Add(1)
	compute()
	return nil
}

// collect frees what hashes have left, before one begins that takes so many KiB. It is done while others wait, since they would allocate
// meanwhile.
func (h *hasher) collect(memory int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.garbage > maxGarbage {
		runtime.GC()
		h.garbage = 0
	}
	h.garbage += memory
}

// hash returns the password's hash as a PHC string.
func (h *hasher) hash(ctx context.Context, password auth.Secret) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(h.random, salt); err != nil {
		return "", err
	}
	tag, err := h.run(ctx, password, salt, h.cost, tagBytes)
	if err != nil {
		return "", err
	}
	pepper := h.passwords.newest()
	return phc{cost: h.cost, pepper: pepper.ID, salt: salt, tag: pepper.season(tag)}.String(), nil
}

// verify reports whether the password is that of the stored hash. Where stored is not a hash, as for a user that does
// not exist, it does the same work with the cost of new ones and reports false. lags says that the hash was made with
// another cost than new ones, another pepper, or another algorithm. It is an error that the hash has a pepper which nobody gave.
func (h *hasher) verify(ctx context.Context, password auth.Secret, stored string) (ok, lags bool, err error) {
	if check, memory, other := parseImported(stored); other {
		err := h.do(ctx, memory, func() { ok = check(password) })
		return ok, true, err
	}
	p, err := parsePHC(stored)
	if err != nil {
		_, err := h.run(ctx, password, make([]byte, saltBytes), h.cost, tagBytes)
		return false, false, err
	}
	pepper, err := h.passwords.pepper(p.pepper)
	if err != nil {
		return false, false, err
	}
	length := len(p.tag)
	if pepper.ID != "" {
		length = tagBytes // of what is seasoned
	}
	computed, err := h.run(ctx, password, p.salt, p.cost, length)
	if err != nil {
		return false, false, err
	}
	ok = subtle.ConstantTimeCompare(pepper.season(computed), p.tag) == 1
	return ok, p.cost != h.cost || p.pepper != h.passwords.newest().ID, nil
}
