package main

import (
	"strings"
	"testing"
)

func TestConfigCheckOfWhatStandsBeforeTheService(t *testing.T) {
	for _, row := range []struct {
		name string
		args []string
		says []string // each is in a line of its own; none where the settings are good
	}{
		{"proxies", []string{"--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "192.0.2.1,2001:db8::/48"}, nil},
		{"one wrong proxy of two", []string{"--trusted-proxy", "10.0.0.0/8,10.0.0.0/40"}, []string{`"10.0.0.0/40" is no proxy`}},
		{"everybody as a proxy", []string{"--trusted-proxy", "0.0.0.0/0", "--trusted-proxy", "::/0"}, []string{`"0.0.0.0/0"`, `"::/0"`}},
		{"a proxy by name", []string{"--trusted-proxy", "proxy.example.com"}, []string{"--trusted-proxy an address or a network"}},
		{"origins", []string{"--cors-origin", "https://app.example.com,http://localhost:3000", "--cors-origin", "https://b.example.com"}, nil},
		{"every origin", []string{"--cors-origin", "*"}, []string{"--cors-origin each one in full"}},
		{"an origin with a path, and null", []string{"--cors-origin", "https://app.example.com/x", "--cors-origin", "null"}, []string{"no path", "every sandboxed page"}},
		{"an origin and a proxy", []string{"--cors-origin", "http://app.example.com", "--trusted-proxy", "x"}, []string{"--trusted-proxy", "--cors-origin https://app.example.com"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := gatehouse(t, append([]string{"config", "check", "--dev", "--data", t.TempDir()}, row.args...)...)
			if row.says == nil {
				r.check(t, exitDone, "the settings are good")
				return
			}
			r.check(t, exitUsage, row.says...)
			if n := strings.Count(r.stderr, "\n"); n != len(row.says) {
				t.Errorf("%d lines, want %d: %s", n, len(row.says), r.stderr)
			}
		})
	}
}
