package server

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/guard"
)

// BenchmarkMetrics is all that is counted for one request with one good credential of three schemes. The budget is 150 ns and no allocation.
func BenchmarkMetrics(b *testing.B) {
	m := newMetrics(limitNames(DefaultLimits()))
	operation := m.Operation("createItem")
	schemes := []guard.SchemeMeter{m.Scheme("oauth2"), m.Scheme("apiKeyHeader"), m.Scheme("apiKeyBearer")}
	b.ReportAllocs()
	for b.Loop() {
		m.begin()
		schemes[0].Judged(guard.Good, auth.Unspecified)
		schemes[1].Judged(guard.Absent, auth.Unspecified)
		schemes[2].Judged(guard.Absent, auth.Unspecified)
		m.inFlight.Add(-1)
		operation.Answered(201, 3*time.Millisecond)
	}
}

// TestMetricsAllocateNothing where a status has occurred before.
func TestMetricsAllocateNothing(t *testing.T) {
	m := newMetrics(limitNames(DefaultLimits()))
	scheme := m.Scheme("oauth2")
	s := guard.NewState(context.Background(), "", netip.Addr{}, time.Time{})
	n := testing.AllocsPerRun(100, func() {
		m.begin()
		scheme.Judged(guard.Bad, auth.Forged)
		scheme.Judged(guard.Good, auth.Unspecified)
		m.end(s, 404, time.Second)
		m.end(s, 0, time.Second)
		m.end(s, 999, time.Second)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
