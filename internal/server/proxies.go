package server

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the addresses of those whose X-Forwarded-For and X-Forwarded-Proto are believed. Anybody can send these headers:
// a client that is believed would have as many addresses to be counted by as it wants, and could call plain HTTP secure.
type Proxies []netip.Prefix

// ParseProxies reads addresses and networks in CIDR form. It fails on any that is wrong, with the remedy as a setting of serve: a
// proxy that is silently left out makes all its clients one, and a network that is silently larger lets strangers choose.
func ParseProxies(texts []string) (Proxies, error) {
	var proxies Proxies
	var faults []error
	for _, text := range texts {
		p, err := parseProxy(text)
		if err != nil {
			faults = append(faults, fmt.Errorf("%q is no proxy that can be trusted: %w", text, err))
			continue
		}
		proxies = append(proxies, p)
	}
	return proxies, errors.Join(faults...)
}

func parseProxy(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if a, single := netip.ParseAddr(text); single == nil && a.Zone() == "" {
		p, err = netip.PrefixFrom(a, a.BitLen()), nil
	}
	switch {
	case err != nil:
		return p, errors.New("give --trusted-proxy an address or a network such as 10.1.2.0/24")
	case p.Addr().Is4In6() && p.Bits() < 96, p.Bits() == 0:
		return p, errors.New("it is everybody: give --trusted-proxy the network of the proxies alone")
	case p.Addr().Is4In6():
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p.Bits() == 0 {
		return p, errors.New("it is everybody: give --trusted-proxy the network of the proxies alone")
	}
	if p != p.Masked() {
		return p, fmt.Errorf("it is an address and a network in one: give --trusted-proxy %s or %s", p.Addr(), p.Masked())
	}
	return p, nil
}

func (p Proxies) trust(a netip.Addr) bool {
	return slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(a) })
}

// client returns the address of the client of a request, and whether the client spoke TLS.
//
// The address is the other end of the connection, unless that is a proxy which is trusted: then it is the last one in
// X-Forwarded-For that is no such proxy. What is left of that the client wrote itself, and it is not even read, however long it
// is. What is no address ends the search: the proxy to the right of it counts as the client. Where all are trusted, the first is the client.
func (p Proxies) client(r *http.Request) (address netip.Addr, secure bool) {
	address, secure = peerAddress(r), r.TLS != nil
	if len(p) == 0 || !p.trust(address) {
		return address, secure
	}
	return p.forwarded(address, r.Header["X-Forwarded-For"]), secure || forwardedTLS(r.Header["X-Forwarded-Proto"])
}

// forwarded walks from the last address of the last line to the first of the first: a proxy adds to the end.
func (p Proxies) forwarded(peer netip.Addr, lines []string) netip.Addr {
	client := peer
	for _, line := range slices.Backward(lines) {
		for more := true; more; {
			entry := line
			if i := strings.LastIndexByte(line, ','); i >= 0 {
				line, entry = line[:i], line[i+1:]
			} else {
				more = false
			}
			a, ok := parseForwarded(strings.Trim(entry, " \t"))
			if !ok {
				return client
			}
			if client = a; !p.trust(a) {
				return client
			}
		}
	}
	return client
}

// parseForwarded reads an address as proxies write it: alone, in brackets, with a port.
func parseForwarded(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(text)
	if err != nil {
		var withPort netip.AddrPort
		if withPort, err = netip.ParseAddrPort(text); err == nil {
			a = withPort.Addr()
		} else if inside, ok := strings.CutPrefix(text, "["); ok && strings.HasSuffix(inside, "]") {
			a, err = netip.ParseAddr(strings.TrimSuffix(inside, "]"))
		}
	}
	return a.Unmap().WithZone(""), err == nil && !a.IsUnspecified()
}

// forwardedTLS reports whether every proxy says https: each may have added its own word.
func forwardedTLS(lines []string) bool {
	for _, line := range lines {
		for entry := range strings.SplitSeq(line, ",") {
			if !strings.EqualFold(strings.Trim(entry, " \t"), "https") {
				return false
			}
		}
	}
	return len(lines) > 0
}

// peerAddress is the other end of the connection.
func peerAddress(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap().WithZone("")
}
