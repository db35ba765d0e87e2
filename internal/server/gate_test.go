package server

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/gatehouse/internal/problem"
)

// entrant is a request that asks a gate for a place, and what it was told.
type entrant struct {
	name string
	told atomic.Pointer[verdict]
}

type verdict struct {
	err    error
	waited time.Duration
}

// queueUp lets requests enter one after the other, each after all before it have a place or wait for one.
func queueUp(ctx context.Context, g *gate, names ...string) []*entrant {
	return queueAs(ctx, g, false, names...)
}

func queueAs(ctx context.Context, g *gate, begun bool, names ...string) []*entrant {
	var all []*entrant
	for _, name := range names {
		e := &entrant{name: name}
		all = append(all, e)
		began := time.Now()
		go func() {
			err := g.Enter(ctx, begun)
			e.told.Store(&verdict{err, time.Since(began)})
		}()
		synctest.Wait()
	}
	return all
}

func inside(all []*entrant) (names []string) {
	for _, e := range all {
		if v := e.told.Load(); v != nil && v.err == nil {
			names = append(names, e.name)
		}
	}
	return names
}

func refused(all []*entrant) (names []string) {
	for _, e := range all {
		if v := e.told.Load(); v != nil && v.err != nil {
			names = append(names, e.name)
		}
	}
	return names
}

func TestGate(t *testing.T) {
	want := func(t *testing.T, what string, got []string, names ...string) {
		t.Helper()
		if !slices.Equal(got, names) {
			t.Errorf("%s: %v, want %v", what, got, names)
		}
	}
	for _, row := range []struct {
		name string
		run  func(*testing.T, *gate)
	}{
		{"as many as there are places enter at once", func(t *testing.T, g *gate) {
			all := queueUp(t.Context(), g, "a", "b", "c")
			want(t, "inside", inside(all), "a", "b")
			want(t, "refused", refused(all))
		}},
		{"who leaves makes room for the newest of those that wait", func(t *testing.T, g *gate) {
			all := queueUp(t.Context(), g, "a", "b", "c", "d")
			g.Leave()
			synctest.Wait()
			want(t, "inside", inside(all), "a", "b", "d")
			g.Leave()
			synctest.Wait()
			want(t, "inside", inside(all), "a", "b", "c", "d")
		}},
		{"who is one too many is refused at once", func(t *testing.T, g *gate) {
			all := queueUp(t.Context(), g, "a", "b", "c", "d", "e")
			want(t, "refused", refused(all), "e")
			if all[4].told.Load().waited != 0 {
				t.Errorf("it was told after %v", all[4].told.Load().waited)
			}
			g.Leave()
			synctest.Wait()
			want(t, "inside", inside(all), "a", "b", "d")
		}},
		{"who is one too many and has begun takes the room of the oldest", func(t *testing.T, g *gate) {
			all := append(queueUp(t.Context(), g, "a", "b", "c", "d"), queueAs(t.Context(), g, true, "e")...)
			want(t, "refused", refused(all), "c")
			if all[2].told.Load().waited != 0 {
				t.Errorf("it was told after %v", all[2].told.Load().waited)
			}
			g.Leave()
			synctest.Wait()
			want(t, "inside", inside(all), "a", "b", "e")
		}},
		{"nobody waits for longer than the gate allows", func(t *testing.T, g *gate) {
			all := queueUp(t.Context(), g, "a", "b", "c")
			time.Sleep(g.wait + time.Nanosecond)
			synctest.Wait()
			want(t, "refused", refused(all), "c")
			if all[2].told.Load().waited != g.wait {
				t.Errorf("it was told after %v", all[2].told.Load().waited)
			}
		}},
		{"who has gone does not wait and is no overload", func(t *testing.T, g *gate) {
			queueUp(t.Context(), g, "a", "b")
			ctx, cancel := context.WithCancel(t.Context())
			gone := queueUp(ctx, g, "c")[0]
			cancel()
			synctest.Wait()
			if !errors.Is(gone.told.Load().err, context.Canceled) {
				t.Errorf("%v", gone.told.Load().err)
			}
			if _, waiting, shed := g.state(); waiting != 0 || shed != 0 {
				t.Errorf("%d wait, %d shed", waiting, shed)
			}
		}},
		{"a place that nobody waits for goes to the next who comes", func(t *testing.T, g *gate) {
			all := queueUp(t.Context(), g, "a", "b")
			g.Leave()
			all = append(all, queueUp(t.Context(), g, "c", "d")...)
			want(t, "inside", inside(all), "a", "b", "c")
		}},
		{"a place is not lost with those that gave up", func(t *testing.T, g *gate) {
			all := queueUp(t.Context(), g, "a", "b", "c", "d")
			time.Sleep(g.wait + time.Nanosecond)
			synctest.Wait()
			g.Leave()
			g.Leave()
			all = append(all, queueUp(t.Context(), g, "e", "f", "g")...)
			want(t, "inside", inside(all), "a", "b", "e", "f")
		}},
		{"who is refused is told when to come back", func(t *testing.T, g *gate) {
			all := queueUp(t.Context(), g, "a", "b", "c", "d", "e")
			if e := problem.From(all[4].told.Load().err); e.Kind != problem.Unavailable || e.RetryAfter != time.Second {
				t.Errorf("%+v", e)
			}
			if taken, waiting, shed := g.state(); taken != 2 || waiting != 2 || shed != 1 {
				t.Errorf("%d taken, %d wait, %d shed", taken, waiting, shed)
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate(Limits{Concurrent: 2, Waiting: 2, Wait: 250 * time.Millisecond})
				row.run(t, g)
				time.Sleep(time.Second) // so that nobody waits any more when the test ends
			})
		})
	}
}

// TestGateUnderRace: whatever comes at once, no more are inside than there are places, each is told once, and all places are there in the end.
func TestGateUnderRace(t *testing.T) {
	g := newGate(Limits{Concurrent: 3, Waiting: 4, Wait: time.Millisecond})
	var now, most, entered, turned atomic.Int64
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			for range 500 {
				ctx, cancel := context.WithTimeout(t.Context(), 500*time.Microsecond)
				if err := g.Enter(ctx, false); err != nil {
					turned.Add(1)
				} else {
					n := now.Add(1)
					for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
					}
					entered.Add(1)
					now.Add(-1)
					g.Leave()
				}
				cancel()
			}
		})
	}
	wait.Wait()
	if taken, waiting, _ := g.state(); taken != 0 || waiting != 0 || most.Load() > 3 || entered.Load()+turned.Load() != 8000 {
		t.Errorf("%d taken, %d wait, %d at once, %d entered, %d turned away", taken, waiting, most.Load(), entered.Load(), turned.Load())
	}
}

// TestWhoIsTurnedAwayIsToldTogether: one line for all since the last time, and none where there was nobody.
func TestWhoIsTurnedAwayIsToldTogether(t *testing.T) {
	var log bytes.Buffer
	full := Limits{} // of everything
	s := &Server{gate: newGate(full), connections: newConnections(full, nil), config: Config{Log: slog.New(slog.NewTextHandler(&log, nil))}}
	before := s.reportShed(turnedAway{})
	if log.Len() != 0 {
		t.Errorf("nobody was turned away: %s", &log)
	}
	for range 3 {
		if err := s.gate.Enter(t.Context(), false); err == nil {
			t.Fatal("there is a place")
		}
	}
	if s.connections.admit(netip.MustParseAddr("192.0.2.1")) {
		t.Fatal("there is room for a connection")
	}
	before = s.reportShed(before)
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "requests=3 connections=1") {
		t.Errorf("%s", text)
	}
	log.Reset()
	if s.reportShed(before); log.Len() != 0 {
		t.Errorf("it is told twice: %s", &log)
	}
}

func BenchmarkGate(b *testing.B) {
	g := newGate(DefaultLimits())
	b.ReportAllocs()
	for b.Loop() {
		if g.Enter(b.Context(), false) != nil {
			b.Fatal("no place")
		}
		g.Leave()
	}
}
