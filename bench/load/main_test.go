package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestRunCountsWhatTheServerAnswered(t *testing.T) {
	var served atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		w.Header().Set("Content-Length", "2")
		w.Write([]byte("ok"))
	}))
	defer server.Close()
	p := plan{
		Address: server.Listener.Addr().String(), Connections: 3, Requests: 100, Seconds: 10, Want: 200,
		Heads: []string{"POST / HTTP/1.1\r\nHost: a\r\n", "POST / HTTP/1.1\r\nHost: b\r\n"}, Bodies: []string{"1", "22"},
	}
	got, err := run(p)
	if err != nil {
		t.Fatal(err)
	}
	if got.Answered != 100 || served.Load() != 100 {
		t.Errorf("counted %d, the server %d, want 100", got.Answered, served.Load())
	}
	p.Want = 201
	if _, err := run(p); err == nil || !strings.Contains(err.Error(), "status 200, want 201") {
		t.Errorf("error %v, want one that names both statuses", err)
	}
}

func TestAnAnswerThatEndsItsConnectionIsRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
	}))
	defer server.Close()
	p := plan{Address: server.Listener.Addr().String(), Connections: 1, Requests: 5, Seconds: 10, Want: 200, Heads: []string{"GET / HTTP/1.1\r\nHost: a\r\n"}}
	if got, err := run(p); err == nil || got.Answered != 0 || !strings.Contains(err.Error(), "the last of its connection") {
		t.Errorf("%d answered, %v", got.Answered, err)
	}
}
