package main

import (
	"bufio"
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

func TestEachHeadMeetsEachBody(t *testing.T) {
	p := plan{Heads: []string{"a ", "b ", "c ", "d "}, Bodies: []string{"1", "2"}}
	seen := make(map[string]bool)
	for i := range 8 {
		seen[string(p.request(nil, i))] = true
	}
	if len(seen) != 8 {
		t.Errorf("%d different requests, want 8: %v", len(seen), seen)
	}
}

func TestReadAnswer(t *testing.T) {
	tests := []struct {
		name, answer string
		status       int
		err          string
	}{
		{"an answer with a body is read to its end", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", 200, ""},
		{"an answer without Content-Length is refused", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 0, "no Content-Length"},
		{"an answer that closes the connection is refused", "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n", 0, "closes"},
		{"an answer that ends early is refused", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", 0, "EOF"},
		{"what is not HTTP is refused", "SSH-2.0-OpenSSH\r\n", 0, "not HTTP"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, err := readAnswer(bufio.NewReader(strings.NewReader(tt.answer)))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil || status != tt.status {
				t.Errorf("%d, %v, want %d", status, err, tt.status)
			}
		})
	}
}
