package server_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"example.com/gatehouse/internal/server"
)

// connect opens a connection from a loopback address that is let in. It is closed with the test.
func (s *service) connect(t *testing.T, from string) net.Conn {
	t.Helper()
	c, err := s.dial(t, from)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *service) dial(t *testing.T, from string) (net.Conn, error) {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.Dial("tcp", s.address)
	if err == nil {
		t.Cleanup(func() { c.Close() })
		_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // to end a test that fails
	}
	return c, err
}

// answers reports whether a new connection from the address is served. One too many may be closed before its client knows that it is open.
func (s *service) answers(t *testing.T, from string) bool {
	t.Helper()
	c, err := s.dial(t, from)
	if errors.Is(err, syscall.ECONNRESET) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	return alive(t, c)
}

// alive reports whether /livez answers on the connection, or the connection is closed.
func alive(t *testing.T, c net.Conn) bool {
	t.Helper()
	_, err := fmt.Fprint(c, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
	if err == nil {
		var r *http.Response
		if r, err = http.ReadResponse(bufio.NewReader(c), nil); err == nil {
			return read(t, r).status == 200
		}
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Error("a connection too many is neither served nor closed")
	}
	return false
}

// letsIn reports whether a new connection from the address is served. The service may take a moment to see that others were closed.
func (s *service) letsIn(t *testing.T, from string, want bool) bool {
	t.Helper()
	for range 500 {
		c, err := s.dial(t, from)
		got := err == nil && alive(t, c)
		if err == nil {
			c.Close()
		}
		if got == want {
			return got
		}
		time.Sleep(10 * time.Millisecond)
	}
	return !want
}

func bounded(all, perAddress int) func(*server.Config) {
	return func(c *server.Config) {
		c.Limits = server.DefaultLimits()
		c.Limits.Connections, c.Limits.ConnectionsPerAddress = all, perAddress
	}
}

func TestConnectionsOfOneAddress(t *testing.T) {
	s := start(t, bounded(100, 5))
	var idle []net.Conn
	for range 5 {
		idle = append(idle, s.connect(t, "127.0.0.1")) // and says nothing
	}
	for range 20 {
		if s.answers(t, "127.0.0.1") {
			t.Fatal("a connection too many is served")
		}
	}
	if !s.letsIn(t, "127.0.0.2", true) {
		t.Error("another address is not served")
	}
	for _, c := range idle {
		if !alive(t, c) {
			t.Error("a connection that was let in is not served")
		}
	}
	idle[0].Close()
	if !s.letsIn(t, "127.0.0.1", true) {
		t.Error("with one closed another is not let in")
	}
	for _, c := range idle {
		c.Close()
	}
	if !s.letsIn(t, "127.0.0.1", true) {
		t.Error("with all closed none is let in")
	}
}

func TestConnectionsOfAll(t *testing.T) {
	s := start(t, bounded(6, 3))
	var all []net.Conn
	for i := range 6 {
		c := s.connect(t, fmt.Sprintf("127.0.0.%d", 1+i/3))
		if !alive(t, c) {
			t.Fatalf("connection %d is not served", i)
		}
		all = append(all, c)
	}
	if s.answers(t, "127.0.0.3") {
		t.Error("a connection too many is served")
	}
	all[0].Close()
	if !s.letsIn(t, "127.0.0.3", true) {
		t.Error("with one closed another is not let in")
	}
}

// TestConnectionsOfATrustedProxy are those of many clients: the bound of all holds them.
func TestConnectionsOfATrustedProxy(t *testing.T) {
	s := start(t, bounded(8, 2), func(c *server.Config) {
		c.Proxies = server.Proxies{netip.MustParsePrefix("127.0.0.9/32")}
	})
	for range 8 {
		if !s.answers(t, "127.0.0.9") {
			t.Fatal("a connection of the proxy is not served")
		}
	}
	if s.answers(t, "127.0.0.9") {
		t.Error("the bound of all does not hold the proxy")
	}
}

// TestRapidReset: a client that asks and takes it back at once (CVE-2023-44487) has no more handlers at work than the limit, and loses its
// connection.
func TestRapidReset(t *testing.T) {
	var now, most atomic.Int64
	held := make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-held
	}))
	limits := server.DefaultLimits()
	s.Config.HTTP2, s.EnableHTTP2 = limits.HTTP2(), true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	defer close(held)
	config := s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.NextProtos = []string{"h2"}
	c, err := tls.Dial("tcp", s.Listener.Addr().String(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // to end a test that fails
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	f := http2.NewFramer(c, c)
	if err := f.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	go func() {
		var head bytes.Buffer
		encoder := hpack.NewEncoder(&head)
		for id := uint32(1); id < 20_000; id += 2 {
			head.Reset()
			for _, field := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "x"}, {":path", "/"}} {
				_ = encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}) // into memory
			}
			if f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: head.Bytes(), EndStream: true, EndHeaders: true}) != nil || f.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
				return
			}
		}
	}()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			t.Fatalf("the connection ends without a reason: %v", err)
		}
		if settings, ok := frame.(*http2.SettingsFrame); ok {
			if n, given := settings.Value(http2.SettingMaxConcurrentStreams); given && int(n) != limits.StreamsPerConnection {
				t.Errorf("%d streams are offered", n)
			}
		}
		if away, ok := frame.(*http2.GoAwayFrame); ok {
			if away.ErrCode != http2.ErrCodeEnhanceYourCalm {
				t.Errorf("the connection ends with %v", away.ErrCode)
			}
			break
		}
	}
	if n := most.Load(); n == 0 || n > int64(limits.StreamsPerConnection) {
		t.Errorf("%d handlers at once", n)
	}
}
