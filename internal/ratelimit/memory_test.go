package ratelimit

import (
	"strconv"
	"testing"
	"time"
)

var (
	start = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	login = Limit{Name: "login", Quota: 10, Window: time.Minute}
)

func (m *Memory) size() (table, lanes int) {
	for i := range m.shards {
		table += len(m.shards[i].full)
		lanes += len(m.shards[i].lanes)
	}
	return table, lanes
}

func TestAFloodOfKeysDoesNotReopenAnExhaustedBucket(t *testing.T) {
	m := NewMemory(1000)
	for range 11 {
		m.Take(start, login, "victim", 1)
	}
	for i := range 100_000 {
		m.Take(start, login, strconv.Itoa(i), 1)
	}
	if d := m.Take(start, login, "victim", 1); d.Allowed {
		t.Errorf("allowed: %+v", d)
	}
}

func TestTheTableIsBounded(t *testing.T) {
	for _, most := range []int{0, 1, 100, 1000, 10_000} {
		m := NewMemory(most)
		for i := range 50_000 {
			m.Take(start.Add(time.Duration(i)*time.Millisecond), login, strconv.Itoa(i), 1)
		}
		table, lane := m.size()
		if table > most || lane > shards*lanes {
			t.Errorf("at most %d: %d buckets and %d lanes", most, table, lane)
		}
	}
}

func TestAFullTableAdmitsNoMoreThanItsLanes(t *testing.T) {
	m := NewMemory(100)
	allowed := 0
	for i := range 100_000 {
		if m.Take(start, login, strconv.Itoa(i), 1).Allowed {
			allowed++
		}
	}
	if most := 100 + lanes*login.Quota; allowed > most {
		t.Errorf("%d allowed, want at most %d", allowed, most)
	}
}

func TestBucketsThatAreFullAgainMakeRoom(t *testing.T) {
	m := NewMemory(1000)
	for i := range 1000 {
		m.Take(start, login, strconv.Itoa(i), 1)
	}
	later := start.Add(time.Minute)
	for i := range 500 {
		if d := m.Take(later, login, "new"+strconv.Itoa(i), 1); d.Remaining != 9 {
			t.Fatalf("newcomer %d shares a bucket: %+v", i, d)
		}
	}
}

func TestWhatWasSpentInALaneIsNotForgottenWhenThereIsRoom(t *testing.T) {
	m := NewMemory(1)
	m.Take(start, login, "first", 1) // full again at 6 s
	for range 11 {
		m.Take(start, login, "second", 1)
	}
	at := start.Add(6 * time.Second) // the first makes room, the second has one place back
	if d := m.Take(at, login, "second", 1); !d.Allowed || d.Remaining != 0 {
		t.Fatalf("%+v", d)
	}
	if d := m.Take(at, login, "second", 1); d.Allowed {
		t.Errorf("a second burst: %+v", d)
	}
	if table, _ := m.size(); table != 1 {
		t.Fatalf("%d buckets: the second never got its own", table)
	}
}

func TestAClockThatGoesBackwardsNeverOpensALimit(t *testing.T) {
	for name, back := range map[string]time.Time{
		"by a second":                start.Add(-time.Second),
		"by ten years":               start.AddDate(-10, 0, 0),
		"to the zero time":           {},
		"to a year with no unix ns":  time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
		"to a year before the first": time.Date(-5000, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		t.Run(name, func(t *testing.T) {
			m := NewMemory(100)
			for range 10 {
				m.Take(start, login, "k", 1)
			}
			for i, now := range []time.Time{back, start, back, start.Add(5 * time.Second), back} {
				if d := m.Take(now, login, "k", 1); d.Allowed {
					t.Fatalf("allowed at step %d: %+v", i, d)
				}
			}
			if d := m.Take(back, login, "new", 1); !d.Allowed {
				t.Errorf("a bucket that was never used is refused: %+v", d)
			}
			if d := m.Take(start.Add(6*time.Second), login, "k", 1); !d.Allowed {
				t.Errorf("refused after the clock has caught up: %+v", d)
			}
		})
	}
}

func TestTheLastDateStopsTimeInsteadOfOpening(t *testing.T) {
	m := NewMemory(100)
	m.Take(time.Time{}, login, "k", 1)
	end := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	allowed := 0
	for range 100 {
		if m.Take(end, login, "k", 1).Allowed {
			allowed++
		}
	}
	if allowed > login.Quota {
		t.Fatalf("%d allowed where no later time has a number", allowed)
	}
}

func FuzzMemoryTimes(f *testing.F) {
	f.Add(int64(0), int64(0), int64(1), int64(-1))
	f.Add(int64(-62135596800), int64(253402300799), int64(0), int64(1<<62))
	f.Fuzz(func(t *testing.T, a, b, c, d int64) {
		m := NewMemory(2)
		l := Limit{Name: "l", Quota: 2, Window: time.Hour}
		first := time.Unix(a, 0)
		var latest time.Duration
		allowed := 0
		for _, s := range []int64{a, b, c, d, a, b, c, d, a, b, c, d} {
			now := time.Unix(s, 0)
			latest = max(latest, now.Sub(first))
			if m.Take(now, l, "k", 1).Allowed {
				allowed++
			}
			if most := 2 + int64(latest)/int64(30*time.Minute); int64(allowed) > most {
				t.Fatalf("%d allowed in %s", allowed, latest)
			}
		}
	})
}

func TestTakeDoesNotAllocate(t *testing.T) {
	m := NewMemory(1000)
	m.Take(start, login, "203.0.113.9", 1)
	if n := testing.AllocsPerRun(100, func() { m.Take(start, login, "203.0.113.9", 1) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
