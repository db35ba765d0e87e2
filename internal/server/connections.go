package server

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

// connections bounds how many clients are connected at once, and how many of them from one address. It lies beneath TLS, so that a client
// that never ends its handshake counts, costs one lookup for each connection that comes and goes, and starts nothing.
//
// A connection too many is closed at once. Not to accept it would leave it in the queue of the system, before those that would be let in,
// where its client, and a probe behind it, waits and learns nothing. It is closed with a reset, so that not even its state stays.
//
// Without the bounds a client takes every file descriptor of the process with connections that say nothing, and the database cannot open
// its files. Where the system has none left for other reasons, net/http waits up to a second and accepts again.
type connections struct {
	most, mostPerAddress int
	// exempt are addresses that many clients come from: those of proxies that the operator trusts. They count among all.
	exempt func(netip.Addr) bool

	mu   sync.Mutex
	all  int
	from map[netip.Addr]int // by client, of those that have a connection
	shed shedConnections
}

// shedConnections is how many connections were closed at once: because there were too many, or too many of their client.
type shedConnections struct{ all, client uint64 }

// newConnections returns bounds that no listener has yet. exempt may be nil.
func newConnections(l Limits, exempt func(netip.Addr) bool) *connections {
	if exempt == nil {
		exempt = func(netip.Addr) bool { return false }
	}
	return &connections{most: l.Connections, mostPerAddress: l.ConnectionsPerAddress, exempt: exempt, from: map[netip.Addr]int{}}
}

// on returns the listener with the bounds, which several listeners share.
func (l *connections) on(listener net.Listener) net.Listener {
	return &boundedListener{Listener: listener, connections: l}
}

type boundedListener struct {
	net.Listener
	connections *connections
}

// Accept returns the next connection that is within the bounds.
func (l *boundedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		client := l.connections.client(c.RemoteAddr())
		if l.connections.admit(client) {
			return &countedConn{Conn: c, of: l.connections, client: client}, nil
		}
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close() // nothing has been sent
	}
}

// client names whom a connection counts for: an IPv4 address, or the first address of an IPv6 /64. The zero address stands for all that
// are exempt.
func (l *connections) client(remote net.Addr) netip.Addr {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	a := tcp.AddrPort().Addr().Unmap().WithZone("")
	if l.exempt(a) {
		return netip.Addr{}
	}
	if a.Is6() {
		a = netip.PrefixFrom(a, 64).Masked().Addr()
	}
	return a
}

func (l *connections) admit(client netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.from[client]
	switch {
	case l.all >= l.most:
		l.shed.all++
		return false
	case n >= l.mostPerAddress && client.IsValid():
		l.shed.client++
		return false
	}
	l.all++
	l.from[client] = n + 1
	return true
}

func (l *connections) leave(client netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if n := l.from[client]; n > 1 {
		l.from[client] = n - 1
	} else {
		delete(l.from, client)
	}
}

// state is how many connections there are, and how many were closed at once so far.
func (l *connections) state() (open int, shed shedConnections) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all, l.shed
}

// countedConn counts until it is closed.
type countedConn struct {
	net.Conn
	of     *connections
	client netip.Addr
	closed atomic.Bool
}

// Close closes the connection, which net/http may do twice.
func (c *countedConn) Close() error {
	if !c.closed.Swap(true) {
		defer c.of.leave(c.client) // once its descriptor is free
	}
	return c.Conn.Close()
}
