package server_test

import (
	"fmt"
	"net/netip"
	"testing"

	"example.com/gatehouse/internal/server"
)

// TestSpoofedAddressesAreOneClient: whatever a client says of itself, it has the one limit of its address.
func TestSpoofedAddressesAreOneClient(t *testing.T) {
	loopback := server.Proxies{netip.MustParsePrefix("127.0.0.0/8")}
	for _, row := range []struct {
		name      string
		proxies   server.Proxies
		forwarded string // with the number of the request
		refused   int    // of 1,000
	}{
		{"from a stranger", nil, "203.0.%d.%d", 400},
		{"through a trusted proxy that adds the client", loopback, "203.0.%d.%d, 198.51.100.7", 400},
		{"through a trusted proxy, with addresses of proxies", loopback, "203.0.%d.%d, 10.0.0.1, 198.51.100.7, 127.0.0.2", 400},
		{"through a trusted proxy, with what is no address", loopback, "203.0.%d.%d, unknown", 400},
		{"a thousand clients of a trusted proxy are not one", loopback, "203.0.%d.%d", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := start(t, func(c *server.Config) { c.Proxies = row.proxies })
			statuses := map[int]int{}
			for i := range 1000 {
				statuses[s.send(t, "GET", "/protected", "", "X-Forwarded-For", fmt.Sprintf(row.forwarded, i/250, i%250+1)).status]++
			}
			if statuses[429] != row.refused || statuses[401] != 1000-row.refused {
				t.Errorf("%v, want %d times 429", statuses, row.refused)
			}
		})
	}
}

func TestTLSThatEndsAtAProxy(t *testing.T) {
	for _, row := range []struct {
		name    string
		proxies server.Proxies
		fields  []string
		secure  bool
	}{
		{"a trusted proxy says https", server.Proxies{netip.MustParsePrefix("127.0.0.1/32")}, []string{"X-Forwarded-Proto", "https"}, true},
		{"a trusted proxy says http", server.Proxies{netip.MustParsePrefix("127.0.0.1/32")}, []string{"X-Forwarded-Proto", "http"}, false},
		{"a trusted proxy says nothing", server.Proxies{netip.MustParsePrefix("127.0.0.1/32")}, nil, false},
		{"a trusted proxy says it as RFC 7239 does, which is not read", server.Proxies{netip.MustParsePrefix("127.0.0.1/32")}, []string{"Forwarded", "proto=https"}, false},
		{"a stranger says https", server.Proxies{netip.MustParsePrefix("10.0.0.0/8")}, []string{"X-Forwarded-Proto", "https"}, false},
		{"nobody is trusted", nil, []string{"X-Forwarded-Proto", "https"}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := start(t, func(c *server.Config) {
				c.Development, c.Issuer, c.Proxies = false, "https://api.example", row.proxies
			})
			p := s.newPerson("someone", "items:read")
			got := s.send(t, "GET", "/protected/basic", "", append(row.fields, "Authorization", basic(p.name, p.password))...)
			status, transport := 403, ""
			if row.secure {
				status, transport = 200, "max-age=31536000; includeSubDomains"
			}
			if got.status != status || got.header.Get("Strict-Transport-Security") != transport {
				t.Errorf("%d %s, HSTS %q", got.status, got.body, got.header.Get("Strict-Transport-Security"))
			}
		})
	}
}
