package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
)

// serve answers every third request with 503 and the end of the connection, and counts the connections and the forwarded addresses.
func serve(t *testing.T) (address string, connections *atomic.Int64, forwarded map[string]bool, mu *sync.Mutex) {
	t.Helper()
	connections, forwarded, mu = &atomic.Int64{}, map[string]bool{}, &sync.Mutex{}
	n := 0
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		forwarded[r.Header.Get("X-Forwarded-For")] = true
		if n++; n%3 == 0 {
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String(), connections, forwarded, mu
}

func TestTheFloodCountsAndConnectsAgain(t *testing.T) {
	for name, row := range map[string]struct {
		change      func(*plan)
		connections int64
		forwarded   int
	}{
		"each connection until it is ended":    {func(*plan) {}, 10, 1},
		"a connection for each request":        {func(p *plan) { p.Fresh = true }, 30, 1},
		"another forwarded address each":       {func(p *plan) { p.Forwarded = true }, 10, 30},
		"at a rate, which takes as long":       {func(p *plan) { p.Rate = 1000 }, 10, 1},
		"from two addresses, on two at a time": {func(p *plan) { p.From, p.Connections = append(p.From, "127.0.0.2"), 2 }, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			address, connections, forwarded, mu := serve(t)
			p := plan{Address: address, From: []string{"127.0.0.1"}, Connections: 1, Requests: 30, Seconds: 30, Heads: []string{"GET / HTTP/1.1\r\nHost: a\r\n"}}
			row.change(&p)
			r := run(context.Background(), p)
			mu.Lock()
			defer mu.Unlock()
			if r.Statuses[200] != 20 || r.Statuses[503] != 10 || len(r.Statuses) != 2 || r.Closed != 0 {
				t.Errorf("%+v", r)
			}
			if connections.Load() != row.connections && row.connections > 0 || len(forwarded) != row.forwarded {
				t.Errorf("%d connections, %d forwarded addresses, want %d and %d", connections.Load(), len(forwarded), row.connections, row.forwarded)
			}
		})
	}
}

func TestTheFloodCountsWhatGetsNoAnswer(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer s.Close()
	p := plan{Address: s.Listener.Addr().String(), From: []string{"127.0.0.1"}, Connections: 1, Requests: 5, Seconds: 30, Heads: []string{"GET / HTTP/1.1\r\nHost: a\r\n"}}
	if r := run(context.Background(), p); r.Closed != 5 || len(r.Statuses) != 0 {
		t.Errorf("%+v", r)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if r := run(ended, p); r.Closed != 0 {
		t.Errorf("it goes on after its end: %+v", r)
	}
}
