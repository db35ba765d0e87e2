package server

import (
	"net"
	"net/netip"
	"testing"
)

// TestWhomAConnectionCountsFor: two addresses of one /64 are one client, as for the rate limits.
func TestWhomAConnectionCountsFor(t *testing.T) {
	proxy := netip.MustParseAddr("2001:db8:1:2::9")
	l := newConnections(Limits{Connections: 10, ConnectionsPerAddress: 1}, func(a netip.Addr) bool { return a == proxy })
	for remote, want := range map[string]string{
		"192.0.2.1:1": "192.0.2.1", "192.0.2.2:1": "192.0.2.2", "[::ffff:192.0.2.1]:1": "192.0.2.1",
		"[2001:db8:1:2::1]:1": "2001:db8:1:2::", "[2001:db8:1:2:ffff::2]:2": "2001:db8:1:2::", "[2001:db8:1:3::1]:1": "2001:db8:1:3::",
		"[fe80::1%1]:1": "fe80::", "[2001:db8:1:2::9]:1": "invalid IP",
	} {
		if got := l.client(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(remote))).String(); got != want {
			t.Errorf("%s counts for %s, want %s", remote, got, want)
		}
	}
	if got := l.client(&net.UnixAddr{Name: "@"}); got.IsValid() {
		t.Errorf("a socket counts for %s", got)
	}
}

// TestTheMemoryOfConnections: what has no connection is not remembered.
func TestTheMemoryOfConnections(t *testing.T) {
	l := newConnections(Limits{Connections: 2000, ConnectionsPerAddress: 2}, nil)
	a := netip.MustParseAddr("10.0.0.0")
	for range 1000 {
		a = a.Next()
		for n, want := range []bool{true, true, false} {
			if l.admit(a) != want {
				t.Fatalf("connection %d of %s", n, a)
			}
		}
	}
	if open, shed := l.state(); open != 2000 || shed != (shedConnections{client: 1000 - 1, all: 1}) {
		t.Errorf("%d are open, %+v closed", open, shed)
	}
	for a := netip.MustParseAddr("10.0.0.1"); l.from[a] > 0; a = a.Next() {
		l.leave(a)
		l.leave(a)
	}
	if open, _ := l.state(); open != 0 || len(l.from) != 0 {
		t.Errorf("%d are open, %d addresses are remembered", open, len(l.from))
	}
}

func BenchmarkConnection(b *testing.B) {
	l := newConnections(DefaultLimits(), nil)
	remote := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.1:1"))
	b.ReportAllocs()
	for b.Loop() {
		c := l.client(remote)
		l.admit(c)
		l.leave(c)
	}
}
