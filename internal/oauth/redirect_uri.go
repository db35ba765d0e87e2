package oauth

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// The bounds of the redirect URIs of a client.
const (
	maxRedirectURIs = 20
	maxRedirectURI  = 2000
)

// plainHost is a host name as browsers send it, with or without a port. It gets into a Content-Security-Policy.
var plainHost = regexp.MustCompile(`^([a-z0-9-]+\.)*[a-z0-9-]+(:[0-9]{1,5})?$`)

// privateScheme is a scheme of an app, RFC 8252 §7.1: a domain name of its maker, reversed. One without a dot belongs to everybody.
var privateScheme = regexp.MustCompile(`^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+$`)

// checkRedirectURI says what is wrong with a redirect URI that a client is to have. A code that is sent there is as good as a
// login: it goes over TLS, or does not leave the machine (RFC 9700 §2.1, RFC 8252 §7).
func checkRedirectURI(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || len(text) > maxRedirectURI || u.String() != text || strings.ContainsAny(text, " \t\r\n'\"<>\\*"):
		return fmt.Errorf("the redirect URI %q is no URI as RFC 3986 writes it", text)
	case u.Fragment != "" || strings.Contains(text, "#"):
		return fmt.Errorf("the redirect URI %q has a fragment, which no request has (RFC 6749 §3.1.2)", text)
	case u.User != nil:
		return fmt.Errorf("the redirect URI %q has a user", text)
	}
	for name := range u.Query() {
		if slices.Contains([]string{"code", "state", "iss", "error", "error_description"}, name) {
			return fmt.Errorf("the redirect URI %q has the parameter %s, which the answer has", text, name)
		}
	}
	switch {
	case u.Scheme == "https" && plainHost.MatchString(u.Host):
		return nil
	case u.Scheme == "http" && (loopback(u) || u.Hostname() == "localhost" && plainHost.MatchString(u.Host)):
		return nil
	case privateScheme.MatchString(u.Scheme) && u.Host == "":
		return nil
	}
	return fmt.Errorf("the redirect URI %q is neither https, nor http on this machine, nor of the scheme of an app, such as com.example.app:/callback", text)
}

// loopback reports whether the host is an address of this machine.
func loopback(u *url.URL) bool {
	a, err := netip.ParseAddr(u.Hostname())
	return err == nil && a.IsLoopback() && a.Zone() == ""
}

// redirects reports whether the client has the redirect URI: one of its own, character for character (RFC 9700 §2.1). On the loopback
// interface the port may be another: the app takes what is free (RFC 8252 §7.3).
func (c *Client) redirects(text string) bool {
	if slices.Contains(c.RedirectURIs, text) {
		return true
	}
	portless, err := withoutPort(text)
	return err == nil && slices.ContainsFunc(c.RedirectURIs, func(own string) bool {
		p, err := withoutPort(own)
		return err == nil && p == portless
	})
}

// withoutPort returns a URI of the loopback interface without its port.
func withoutPort(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" || !loopback(u) || checkRedirectURI(text) != nil {
		return "", errors.New("no redirect URI of the loopback interface")
	}
	u.Host = u.Hostname()
	return u.String(), nil
}

// assured reports whether the redirect URI alone proves who gets the code: https names its owner. Behind the others stands
// whatever listens on this machine (RFC 8252 §8.6).
func (a *authorization) assured() bool { return strings.HasPrefix(a.redirectURI, "https:") }

// formTarget is the redirect URI as a source of form-action. Content-Security-Policy has no addresses of version 6.
func (a *authorization) formTarget() string {
	u, err := url.Parse(a.redirectURI)
	if err != nil || !plainHost.MatchString(u.Host) {
		scheme, _, _ := strings.Cut(a.redirectURI, ":")
		return scheme + ":"
	}
	return u.Scheme + "://" + u.Host
}
