package server_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/gatehouse/internal/needtest"
	"example.com/gatehouse/internal/server"
)

// domain is the name that certificates are asked for. It leads to this machine for pebble alone.
const domain = "api.gatehouse.test"

// pebble is an ACME directory on loopback, which validates challenges as a CA would.
type pebble struct {
	directory, caFile string
	client            *http.Client
	management        string
	stop              func()
}

// startPebble starts one that validates tls-alpn-01 and http-01 on the ports.
func startPebble(t *testing.T, tlsPort, httpPort string) *pebble {
	t.Helper()
	dir := t.TempDir()
	cert, key, err := server.DevelopmentCertificate(dir, time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &pebble{caFile: filepath.Join(dir, "dev-ca.pem"), client: trustingFile(t, filepath.Join(dir, "dev-ca.pem"))}
	listen, management, dns := freeAddress(t), freeAddress(t), freeAddress(t)
	p.directory, p.management = "https://"+listen+"/dir", "https://"+management
	settings, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": listen, "managementListenAddress": management, "certificate": cert, "privateKey": key,
		"httpPort": json.Number(httpPort), "tlsPort": json.Number(tlsPort),
	}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "pebble.json")
	if err := os.WriteFile(file, settings, 0o600); err != nil {
		t.Fatal(err)
	}
	runUntilStopped(t, nil, "pebble-challtestsrv", "-dns01", dns, "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "",
		"-management", freeAddress(t), "-http01", "", "-https01", "", "-tlsalpn01", "")
	p.stop = runUntilStopped(t, []string{"PEBBLE_VA_NOSLEEP=1"}, "pebble", "-config", file, "-dnsserver", dns)
	waitFor(t, "pebble", func() bool {
		response, err := p.client.Get(p.directory)
		if err == nil {
			response.Body.Close()
		}
		return err == nil
	})
	return p
}

// roots are the CA of the certificates that pebble gives.
func (p *pebble) roots(t *testing.T) *x509.CertPool {
	t.Helper()
	response, err := p.client.Get(p.management + "/roots/0")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		t.Fatalf("pebble has no root: %s", data)
	}
	return roots
}

func runUntilStopped(t *testing.T, environment []string, name string, args ...string) (stop func()) {
	t.Helper()
	var out bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, name, args...)
	c.Env, c.Stdout, c.Stderr = append(os.Environ(), environment...), &out, &out
	if err := c.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if cancel(); !stopped {
			_ = c.Wait() // it is killed
			stopped = true
		}
		if t.Failed() && testing.Verbose() {
			t.Logf("%s: %s", name, out.String())
		}
	}
	t.Cleanup(stop)
	return stop
}

// freeAddress is a loopback address where nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func portOf(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func waitFor(t *testing.T, what string, there func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !there(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what + " does not come")
		}
	}
}

func trustingFile(t *testing.T, caFile string) *http.Client {
	t.Helper()
	data, err := os.ReadFile(caFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		t.Fatal("no certificate in " + caFile)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

// startACME starts the service with certificates of the directory that the function starts for its port.
func startACME(t *testing.T, plain bool, change func(port string, c *server.ACMEConfig)) *service {
	t.Helper()
	return start(t, func(c *server.Config) {
		u, err := url.Parse(c.Issuer)
		if err != nil {
			t.Fatal(err)
		}
		settings := server.ACMEConfig{
			Domains: []string{"API.gatehouse.test"}, Cache: filepath.Join(c.Data, "acme"), PlainHTTP: plain, Log: c.Log, Now: time.Now,
		}
		change(u.Port(), &settings)
		acme, err := server.NewACME(settings)
		if err != nil {
			t.Fatal(err)
		}
		c.Certificates, c.Issuer, c.Development = acme, "https://"+domain, false
	})
}

// shake makes a handshake, and returns the certificate.
func (s *service) shake(name string, roots *x509.CertPool, protocols ...string) (*x509.Certificate, error) {
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", s.address, &tls.Config{ServerName: name, RootCAs: roots, NextProtos: protocols, InsecureSkipVerify: name == ""})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0], nil
}

func (s *service) hasLogged(text string) func() bool {
	return func() bool { return strings.Contains(s.log.String(), text) }
}

func TestACertificateIsGotByTLSALPN(t *testing.T) {
	needtest.Programs(t, "pebble", "pebble", "pebble-challtestsrv")
	var ca *pebble
	s := startACME(t, false, func(port string, c *server.ACMEConfig) {
		ca = startPebble(t, port, portOf(t, freeAddress(t)))
		c.Directory, c.CAFile, c.Email = ca.directory, ca.caFile, "operator@example.com"
	})
	waitFor(t, "the certificate", s.hasLogged("the certificate is in use"))
	roots := ca.roots(t)
	first, err := s.shake(domain, roots)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots}, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", s.address)
	}}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Get("https://" + domain + "/livez")
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, response); got.status != 200 || response.ProtoMajor != 2 || got.header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%d %s %v", got.status, response.Proto, got.header)
	}
	for name, row := range map[string]struct {
		server    string
		protocols []string
	}{
		"a name that is not listed":        {"other.gatehouse.test", nil},
		"a name below the listed one":      {"x." + domain, nil},
		"no name":                          {"", nil},
		"a challenge that nobody began":    {domain, []string{"acme-tls/1"}},
		"a challenge of a name not listed": {"other.gatehouse.test", []string{"acme-tls/1"}},
	} {
		if c, err := s.shake(row.server, roots, row.protocols...); err == nil || !strings.Contains(err.Error(), "remote error") {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
	folder := filepath.Join(s.config.Data, "acme")
	info, err := os.Stat(folder)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the cache: %v, %v", info, err)
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 2 {
		t.Errorf("want the certificate and the key of the account: %v, %v", files, err)
	}

	// The next start has no directory, and needs none.
	s.stop()
	ca.stop()
	again := startACME(t, false, func(_ string, c *server.ACMEConfig) {
		c.Directory, c.CAFile, c.Cache = ca.directory, ca.caFile, folder
	})
	waitFor(t, "the certificate", again.hasLogged("the certificate is in use"))
	if second, err := again.shake(domain, roots); err != nil || !second.Equal(first) {
		t.Errorf("the second start has another certificate: %v", err)
	}
}

func TestACertificateIsGotOverPlainHTTP(t *testing.T) {
	needtest.Programs(t, "pebble", "pebble", "pebble-challtestsrv")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var ca *pebble
	s := startACME(t, true, func(_ string, c *server.ACMEConfig) {
		ca = startPebble(t, portOf(t, freeAddress(t)), portOf(t, listener.Addr().String())) // nothing answers tls-alpn-01
		c.Directory, c.CAFile = ca.directory, ca.caFile
	})
	address := s.servePlain(t, listener)
	waitFor(t, "the certificate", s.hasLogged("the certificate is in use"))
	if _, err := s.shake(domain, ca.roots(t)); err != nil {
		t.Error(err)
	}
	// What is no challenge, or no longer one, is answered as everything else on this port.
	for name, host := range map[string]string{"the name": domain, "the address": address, "another name": "other.gatehouse.test"} {
		r, err := http.NewRequest("GET", "http://"+address+"/.well-known/acme-challenge/abc", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		response, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		checkPlainProblem(t, name, read(t, response), "https://"+domain, false)
	}
}

func TestADirectoryThatIsDownLeavesTheServiceUp(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := server.DevelopmentCertificate(dir, time.Now(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	directory := "https://" + freeAddress(t) + "/dir"
	s := startACME(t, true, func(_ string, c *server.ACMEConfig) {
		c.Directory, c.CAFile = directory, filepath.Join(dir, "dev-ca.pem")
	})
	address := s.servePlain(t, listener)
	waitFor(t, "the failure", s.hasLogged("no certificate could be got"))
	if !s.hasLogged(directory)() || !s.hasLogged(`"name":"`+domain+`"`)() || !s.hasLogged("must be reachable")() {
		t.Errorf("the log does not say what to do: %s", s.log)
	}
	for range 2 { // the service lives
		if c, err := s.shake(domain, nil); err == nil || !strings.Contains(err.Error(), "remote error") {
			t.Errorf("%v, %v", c, err)
		}
	}
	response, err := http.Get("http://" + address + "/livez")
	if err != nil {
		t.Fatal(err)
	}
	checkPlainProblem(t, "the port of plain HTTP", read(t, response), "https://"+domain, false)
}

func TestACMESettingsThatCannotWork(t *testing.T) {
	dir := t.TempDir()
	none := filepath.Join(dir, "none.pem")
	if err := os.WriteFile(none, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := server.ACMEConfig{Domains: []string{domain}, Directory: "https://ca.example.com/directory", Cache: dir, Log: slog.New(slog.DiscardHandler), Now: time.Now}
	if _, err := server.NewACME(good); err != nil {
		t.Error(err)
	}
	for _, row := range []struct {
		name   string
		change func(*server.ACMEConfig)
		says   string
	}{
		{"a wildcard", func(c *server.ACMEConfig) { c.Domains = []string{"*.example.com"} }, "--acme-domain"},
		{"a name without a dot", func(c *server.ACMEConfig) { c.Domains = []string{"localhost"} }, "--acme-domain"},
		{"an address", func(c *server.ACMEConfig) { c.Domains = []string{"192.0.2.1"} }, "--acme-domain"},
		{"an IPv6 address", func(c *server.ACMEConfig) { c.Domains = []string{"2001:db8::1"} }, "--acme-domain"},
		{"a name with a port", func(c *server.ACMEConfig) { c.Domains = []string{"api.example.com:443"} }, "--acme-domain"},
		{"a URL", func(c *server.ACMEConfig) { c.Domains = []string{"https://api.example.com"} }, "--acme-domain"},
		{"a name that ends with a dot", func(c *server.ACMEConfig) { c.Domains = []string{"api.example.com."} }, "--acme-domain"},
		{"an empty name", func(c *server.ACMEConfig) { c.Domains = []string{""} }, "--acme-domain"},
		{"one bad name of two", func(c *server.ACMEConfig) { c.Domains = []string{domain, "a..b.example"} }, "--acme-domain"},
		{"a directory without TLS", func(c *server.ACMEConfig) { c.Directory = "http://127.0.0.1/dir" }, "--acme-directory"},
		{"no directory", func(c *server.ACMEConfig) { c.Directory = "" }, "--acme-directory"},
		{"a CA that is not there", func(c *server.ACMEConfig) { c.CAFile = filepath.Join(dir, "no.pem") }, "--acme-ca-file"},
		{"a CA that is none", func(c *server.ACMEConfig) { c.CAFile = none }, "--acme-ca-file"},
	} {
		c := good
		row.change(&c)
		if _, err := server.NewACME(c); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}
