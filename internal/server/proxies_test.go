package server

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheClientBehindProxies(t *testing.T) {
	trusted, err := ParseProxies([]string{"10.0.0.0/8", "192.0.2.1", "2001:db8:1::/48", "::ffff:172.16.0.0/108"})
	if err != nil {
		t.Fatal(err)
	}
	thousand := strings.TrimSuffix(strings.Repeat("203.0.113.9, ", 1000), ", ")
	for _, row := range []struct {
		name    string
		peer    string
		headers []string // of X-Forwarded-For
		want    string
	}{
		{"nobody in between", "198.51.100.7:1234", nil, "198.51.100.7"},
		{"a stranger is not believed", "198.51.100.7:1234", []string{"203.0.113.9"}, "198.51.100.7"},
		{"a stranger is not believed about an address of a proxy", "198.51.100.7:1234", []string{"10.1.2.3"}, "198.51.100.7"},
		{"a neighbour of a proxy is a stranger", "192.0.2.2:1234", []string{"203.0.113.9"}, "192.0.2.2"},
		{"a proxy that says nothing is the client", "10.1.2.3:1234", nil, "10.1.2.3"},
		{"a proxy that says an empty text is the client", "10.1.2.3:1234", []string{""}, "10.1.2.3"},
		{"one proxy", "10.1.2.3:1234", []string{"203.0.113.9"}, "203.0.113.9"},
		{"two proxies", "10.1.2.3:1234", []string{"203.0.113.9, 192.0.2.1"}, "203.0.113.9"},
		{"what the client wrote itself is left of its address", "10.1.2.3:1234", []string{"1.1.1.1, 10.9.9.9, 203.0.113.9"}, "203.0.113.9"},
		{"what the client wrote itself, in a line of its own", "10.1.2.3:1234", []string{"1.1.1.1", "203.0.113.9"}, "203.0.113.9"},
		{"lines are read in their order", "10.1.2.3:1234", []string{"203.0.113.9", "192.0.2.1, 10.7.7.7"}, "203.0.113.9"},
		{"all are trusted", "10.1.2.3:1234", []string{"10.0.0.1, 10.0.0.2", "10.0.0.3"}, "10.0.0.1"},
		{"a name where the client should be", "10.1.2.3:1234", []string{"unknown"}, "10.1.2.3"},
		{"a name left of a proxy", "10.1.2.3:1234", []string{"203.0.113.9, _hidden, 192.0.2.1"}, "192.0.2.1"},
		{"a name left of the client", "10.1.2.3:1234", []string{"unknown, 203.0.113.9"}, "203.0.113.9"},
		{"nothing left of a proxy", "10.1.2.3:1234", []string{"203.0.113.9,,192.0.2.1"}, "192.0.2.1"},
		{"an empty line after the client's", "10.1.2.3:1234", []string{"203.0.113.9", ""}, "10.1.2.3"},
		{"a comma at the end", "10.1.2.3:1234", []string{"203.0.113.9,"}, "10.1.2.3"},
		{"an address of nobody", "10.1.2.3:1234", []string{"203.0.113.9, 0.0.0.0"}, "10.1.2.3"},
		{"an IPv6 address of nobody", "10.1.2.3:1234", []string{"203.0.113.9, ::"}, "10.1.2.3"},
		{"an address with leading zeros is none", "10.1.2.3:1234", []string{"203.0.113.009"}, "10.1.2.3"},
		{"a number is no address", "10.1.2.3:1234", []string{"3405803785"}, "10.1.2.3"},
		{"a network is no address", "10.1.2.3:1234", []string{"203.0.113.0/24"}, "10.1.2.3"},
		{"an address and a text", "10.1.2.3:1234", []string{"203.0.113.9 evil"}, "10.1.2.3"},
		{"an address with a port", "10.1.2.3:1234", []string{"203.0.113.9:4711"}, "203.0.113.9"},
		{"an address with a port that is none", "10.1.2.3:1234", []string{"203.0.113.9:99999"}, "10.1.2.3"},
		{"an IPv6 address", "10.1.2.3:1234", []string{"2001:db8::7"}, "2001:db8::7"},
		{"an IPv6 address in brackets", "10.1.2.3:1234", []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"an IPv6 address in brackets with a port", "10.1.2.3:1234", []string{"[2001:db8::7]:4711"}, "2001:db8::7"},
		{"half of the brackets", "10.1.2.3:1234", []string{"[2001:db8::7"}, "10.1.2.3"},
		{"the other half", "10.1.2.3:1234", []string{"2001:db8::7]"}, "10.1.2.3"},
		{"an IPv4 address in IPv6", "10.1.2.3:1234", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		{"a zone is taken away", "10.1.2.3:1234", []string{"fe80::1%eth0"}, "fe80::1"},
		{"a zone does not make another bucket of a proxy", "10.1.2.3:1234", []string{"203.0.113.9, 2001:db8:1::5%x"}, "203.0.113.9"},
		{"tabs and spaces", "10.1.2.3:1234", []string{" \t203.0.113.9 \t, 192.0.2.1\t"}, "203.0.113.9"},
		{"a proxy that connects by IPv4 in IPv6", "[::ffff:10.1.2.3]:1234", []string{"203.0.113.9"}, "203.0.113.9"},
		{"a proxy with IPv6", "[2001:db8:1::1]:1234", []string{"203.0.113.9"}, "203.0.113.9"},
		{"a proxy with a zone", "[2001:db8:1::1%eth0]:1234", []string{"203.0.113.9"}, "203.0.113.9"},
		{"a network that was given as IPv4 in IPv6", "172.16.0.1:1234", []string{"203.0.113.9"}, "203.0.113.9"},
		{"outside of it", "172.32.0.1:1234", []string{"203.0.113.9"}, "172.32.0.1"},
		{"a thousand addresses", "10.1.2.3:1234", []string{thousand, "198.51.100.7"}, "198.51.100.7"},
		{"a socket without an address", "@", []string{"203.0.113.9"}, "invalid IP"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: row.peer, Header: http.Header{}}
			if row.headers != nil {
				r.Header["X-Forwarded-For"] = row.headers
			}
			r.Header["X-Real-Ip"], r.Header["Forwarded"] = []string{"1.2.3.4"}, []string{"for=1.2.3.4;proto=https"} // never read
			if got, secure := trusted.client(r); got.String() != row.want || secure {
				t.Errorf("%s, secure %t, want %s", got, secure, row.want)
			}
			if got, _ := Proxies(nil).client(r); got != peerAddress(r) {
				t.Errorf("without trusted proxies it is %s", got)
			}
		})
	}
}

func TestWhoeverSpeaksTLSBehindProxies(t *testing.T) {
	trusted := Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	for _, row := range []struct {
		name    string
		peer    string
		tls     bool
		headers []string // of X-Forwarded-Proto
		want    bool
	}{
		{"nobody says so", "10.1.2.3:1", false, nil, false},
		{"a stranger says so", "198.51.100.7:1", false, []string{"https"}, false},
		{"a proxy says so", "10.1.2.3:1", false, []string{"https"}, true},
		{"a proxy says so in capitals", "10.1.2.3:1", false, []string{"HTTPS"}, true},
		{"a proxy says http", "10.1.2.3:1", false, []string{"http"}, false},
		{"a proxy says nothing", "10.1.2.3:1", false, []string{""}, false},
		{"a proxy says another word", "10.1.2.3:1", false, []string{"https2"}, false},
		{"two proxies say so", "10.1.2.3:1", false, []string{"https, https"}, true},
		{"the second of two says http", "10.1.2.3:1", false, []string{"https, http"}, false},
		{"the client said https, the proxy http", "10.1.2.3:1", false, []string{"https", "http"}, false},
		{"the first of two says http", "10.1.2.3:1", false, []string{"http, https"}, false},
		{"TLS to the service", "198.51.100.7:1", true, nil, true},
		{"TLS to the service, whatever a stranger says", "198.51.100.7:1", true, []string{"http"}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: row.peer, Header: http.Header{}}
			if row.headers != nil {
				r.Header["X-Forwarded-Proto"] = row.headers
			}
			if row.tls {
				r.TLS = &tls.ConnectionState{}
			}
			if _, got := trusted.client(r); got != row.want {
				t.Errorf("secure %t", got)
			}
		})
	}
}

func TestProxiesThatCannotBeTrusted(t *testing.T) {
	for text, want := range map[string]string{ // the network, or what is said
		"10.0.0.0/8": "10.0.0.0/8", "10.1.2.3": "10.1.2.3/32", "2001:db8::/32": "2001:db8::/32", "::1": "::1/128",
		"::ffff:10.0.0.0/104": "10.0.0.0/8", "::ffff:10.0.0.1": "10.0.0.1/32",
		"0.0.0.0/0": "everybody", "::/0": "everybody", "::ffff:0.0.0.0/96": "everybody", "::ffff:0.0.0.0/95": "everybody",
		"10.1.2.3/8": "10.0.0.0/8", "2001:db8::1/32": "2001:db8::/32",
		"": "10.1.2.0/24", "10.0.0.0/33": "10.1.2.0/24", "10.0.0.0/-1": "10.1.2.0/24", "proxy.example.com": "10.1.2.0/24", "10.0.0": "10.1.2.0/24",
		"10.0.0.1:80": "10.1.2.0/24", "*": "10.1.2.0/24", "fe80::1%eth0": "10.1.2.0/24", "10.0.0.0/255.0.0.0": "10.1.2.0/24",
	} {
		got, err := ParseProxies([]string{text})
		if _, parsed := netip.ParsePrefix(want); parsed == nil && err == nil {
			if diff := cmp.Diff(want, got[0].String()); diff != "" {
				t.Errorf("%q: %s", text, diff)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--trusted-proxy") || strings.Count(err.Error(), "\n") > 0 {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if _, err := ParseProxies([]string{"10.0.0.0/8", "x", "::/0"}); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("not every fault is told: %v", err)
	}
}

// BenchmarkTheClient is what a request pays: nothing without proxies, and with them what the addresses to the right cost.
func BenchmarkTheClient(b *testing.B) {
	r := &http.Request{RemoteAddr: "10.1.2.3:4711", Header: http.Header{}}
	long := strings.TrimSuffix(strings.Repeat("203.0.113.9,", 1300), ",")
	trusted := Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	for name, row := range map[string]struct {
		proxies Proxies
		header  string
	}{"none": {nil, "203.0.113.9"}, "one": {trusted, "203.0.113.9"}, "thousand": {trusted, long}, "trusted": {trusted, strings.ReplaceAll(long, "203.0.113.9", "10.1.1.1")}} {
		b.Run(fmt.Sprintf("%s/%d", name, len(row.header)), func(b *testing.B) {
			r.Header["X-Forwarded-For"] = []string{row.header}
			b.ReportAllocs()
			for b.Loop() {
				row.proxies.client(r)
			}
		})
	}
}
