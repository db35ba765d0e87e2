package ratelimit

import (
	"hash/maphash"
	"sync"
	"time"
)

const (
	// shards keeps cores from waiting for each other.
	shards = 16
	// sample is how many buckets a newcomer looks at to find room: a constant, so that a full table makes no
	// request slow.
	sample = 16
	// lanes is how many buckets a limit has, per shard, for the callers that the table has no room for.
	lanes = 64
)

// Memory keeps buckets in this process, at most maxKeys of them. It is safe for concurrent use, never blocks on
// anything but a short lock, and starts no goroutine: a bucket that is full again is the same as none, and goes
// when its room is needed.
//
// What an attacker controls: the key (a submitted user name, an address out of a /32 of IPv6), so the number and
// the length of keys. The table holds keyed hashes, of one size and with nothing of the caller in them. Two keys
// with one hash share a bucket, which makes it tighter.
//
// A table of which no sampled bucket is full again evicts nothing: whoever can push a bucket out resets the count of
// the account they are guessing at. Newcomers then share the lanes, and are refused sooner than their own
// bucket would. To get there an attacker must keep maxKeys buckets from filling: for 10 in a minute and 100,000 keys
// that is 16,000 counted requests a second from ever new callers.
//
// Time is measured from the first request by the monotonic clock where now carries it. A clock that is set
// back stands still until it has caught up.
type Memory struct {
	seed   maphash.Seed
	shards []shard
}

type shard struct {
	mu sync.Mutex
	// start is the first now, elapsed the latest one, as the time since.
	start   time.Time
	started bool
	elapsed int64
	maxKeys int
	full    map[bucket]int64
	lanes   map[bucket]int64
	_       [64]byte // a cache line of its own
}

// bucket is a limit and a key, hashed: a joined string would be allocated for every request.
type bucket struct{ limit, key uint64 }

// NewMemory returns an empty table of at most maxKeys buckets, and some lanes for what does not fit.
func NewMemory(maxKeys int) *Memory {
	n := shards
	if maxKeys < shards*sample {
		n = 1 // a share of a small bound would be too small to be even
	}
	m := &Memory{seed: maphash.MakeSeed(), shards: make([]shard, n)}
	for i := range m.shards {
		m.shards[i].maxKeys = maxKeys / n
		m.shards[i].full = map[bucket]int64{}
		m.shards[i].lanes = map[bucket]int64{}
	}
	return m
}

// Take asks for cost places of the key under the limit, all or none of them. Limits of one name share their buckets.
func (m *Memory) Take(now time.Time, l Limit, key string, cost int) Decision {
	s, b := m.find(l, key)
	r := l.rate()
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tick(now)
	full, known := s.full[b]
	table := s.full
	if !known {
		lane := bucket{limit: b.limit, key: b.key % lanes}
		// What the caller has spent in the lane counts on: else whoever gets a bucket gets a second burst.
		full = s.lanes[lane]
		if !s.makeRoom(t) {
			table, b = s.lanes, lane
		}
	}
	next, d := r.take(t, full, int64(cost))
	if known || next > t { // a full bucket need not be kept
		table[b] = next
	}
	return d
}

// GiveBack returns places that Take allowed: a success does not count. It must be called at most once
// for each allowed Take. A place in a lane comes back by time alone, since it might be another caller's.
func (m *Memory) GiveBack(now time.Time, l Limit, key string, cost int) {
	s, b := m.find(l, key)
	r := l.rate()
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tick(now)
	if full, ok := s.full[b]; ok {
		s.full[b] = r.giveBack(t, full, int64(cost))
	}
}

// Reset gives back all places of the key.
func (m *Memory) Reset(_ time.Time, l Limit, key string) {
	s, b := m.find(l, key)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.full, b)
}

func (m *Memory) find(l Limit, key string) (*shard, bucket) {
	b := bucket{limit: maphash.String(m.seed, l.Name), key: maphash.String(m.seed, key)}
	// The high bits: the low ones choose the lane.
	return &m.shards[b.key>>32%uint64(len(m.shards))], b
}

// tick returns the microseconds since the first request of the shard. Sub saturates, so no date overflows.
func (s *shard) tick(now time.Time) int64 {
	if !s.started {
		s.start, s.started = now, true
	}
	s.elapsed = max(s.elapsed, now.Sub(s.start).Microseconds())
	return s.elapsed
}

// makeRoom reports whether the table can take one more bucket, after it dropped sampled ones that are full again.
// Iteration over a map starts anywhere, which makes it a sample.
func (s *shard) makeRoom(now int64) bool {
	if len(s.full) < s.maxKeys {
		return true
	}
	seen := 0
	for b, full := range s.full {
		if full <= now {
			delete(s.full, b)
		}
		if seen++; seen == sample {
			break
		}
	}
	return len(s.full) < s.maxKeys
}
