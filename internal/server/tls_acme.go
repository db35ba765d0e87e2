package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
	"golang.org/x/net/idna"
)

const (
	// acmeEvery is how often the listener is given what has been renewed. It asks nothing of the directory.
	acmeEvery = time.Minute
	// acmeRetry is how long after a failure the directory is asked again, at first: it doubles up to acmeRetryMost. Let's Encrypt takes
	// five failed validations of a name an hour, and autocert keeps a failure for a minute.
	acmeRetry     = 2 * time.Minute
	acmeRetryMost = time.Hour
	// acmeTimeout bounds one request to the directory.
	acmeTimeout = 30 * time.Second
)

// ACMEConfig is what ACME is made of.
type ACMEConfig struct {
	// Domains are the names that certificates are asked for, and no others.
	Domains []string
	// Directory is the address of the ACME directory.
	Directory string
	// CAFile holds the CAs of the directory itself, PEM. Empty: those of the system.
	CAFile string
	// Email is where the CA writes to. Optional.
	Email string
	// Cache is the folder of the certificates and of the key of the account.
	Cache string
	// PlainHTTP says that Challenges is served on port 80: http-01 is tried where tls-alpn-01 fails.
	PlainHTTP bool

	Log *slog.Logger
	Now func() time.Time
}

// Check returns what is wrong with the settings, each with the remedy as a setting of serve.
func (c ACMEConfig) Check() error {
	var faults []error
	for _, domain := range c.Domains {
		if _, err := acmeName(domain); err != nil {
			faults = append(faults, err)
		}
	}
	if u, err := url.Parse(c.Directory); err != nil || u.Scheme != "https" || u.Host == "" {
		faults = append(faults, errors.New("the ACME directory is no https address: give --acme-directory https://HOST/PATH"))
	}
	if _, err := c.roots(); err != nil {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// acmeName returns the name as a client asks for it. The directory proves that names lead here, so that addresses, wildcards and
// names without a dot are none.
func acmeName(domain string) (string, error) {
	name, err := idna.Lookup.ToASCII(domain)
	labels := strings.Split(name, ".")
	last := labels[len(labels)-1]
	wrong := func(label string) bool { return label == "" || len(label) > 63 }
	if err != nil || len(labels) < 2 || len(name) > 253 || slices.ContainsFunc(labels, wrong) || last[0] >= '0' && last[0] <= '9' {
		return "", fmt.Errorf("%q is no name that a certificate can be asked for: give --acme-domain a full name such as api.example.com", domain)
	}
	return strings.ToLower(name), nil
}

func (c ACMEConfig) roots() (*x509.CertPool, error) {
	if c.CAFile == "" {
		return nil, nil
	}
	data, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("the CA of the ACME directory cannot be read: %w: give --acme-ca-file a PEM file, or leave it out", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s holds no certificate: give --acme-ca-file the CA of the ACME directory, PEM", c.CAFile)
	}
	return roots, nil
}

// ACME gets certificates from an ACME directory (RFC 8555) and renews them. Handshakes never wait for the directory and never make
// it be asked: whoever connects could use up the number of certificates that it gives, or hold connections while it is slow.
type ACME struct {
	config  ACMEConfig
	names   []string
	roots   *x509.CertPool
	manager *autocert.Manager
	// challenges is nil where there is no plain HTTP.
	challenges http.Handler
	// ready are the certificates by name. The map is replaced and never changed.
	ready atomic.Pointer[map[string]*tls.Certificate]
	// failures are what was told last of each name, and expiry what is told of its certificate. Of look.
	failures map[string]string
	expiry   map[string]*expiry
}

// NewACME returns an ACME that has asked for nothing yet: Run does.
func NewACME(c ACMEConfig) (*ACME, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	a := &ACME{config: c, failures: map[string]string{}, expiry: map[string]*expiry{}}
	a.roots, _ = c.roots() // checked
	for _, domain := range c.Domains {
		name, _ := acmeName(domain) // checked
		a.names = append(a.names, name)
		a.expiry[name] = &expiry{}
	}
	a.manager = &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(c.Cache), HostPolicy: autocert.HostWhitelist(a.names...), Email: c.Email,
	}
	if c.PlainHTTP {
		a.challenges = a.manager.HTTPHandler(nil)
	}
	a.ready.Store(&map[string]*tls.Certificate{})
	return a, nil
}

// TLS is what the listener is given. It answers tls-alpn-01 challenges (RFC 8737) too.
func (a *ACME) TLS() *tls.Config { return tlsConfig(a.certificate, acme.ALPNProto) }

// Expiry is when the first of the certificates ends.
func (a *ACME) Expiry() (first time.Time) {
	for _, c := range *a.ready.Load() {
		if first.IsZero() || c.Leaf.NotAfter.Before(first) {
			first = c.Leaf.NotAfter
		}
	}
	return first
}

func (a *ACME) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	if !slices.Contains(a.names, name) {
		return nil, errors.New("no certificate is kept for the name that the client asks for")
	}
	if len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == acme.ALPNProto {
		return a.manager.GetCertificate(hello)
	}
	certificate := (*a.ready.Load())[name]
	if certificate == nil {
		return nil, errors.New("there is no certificate yet for " + name)
	}
	return certificate, nil
}

// Challenges answers http-01 challenges (RFC 8555 §8.3), and leaves all other requests to next.
func (a *ACME) Challenges(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u := url.URL{Host: strings.ToLower(r.Host)}
		if a.challenges == nil || !strings.HasPrefix(r.URL.Path, "/.well-known/acme-challenge/") || !slices.Contains(a.names, u.Hostname()) {
			next.ServeHTTP(w, r)
			return
		}
		r = r.WithContext(r.Context()) // a copy
		r.Host = u.Hostname()
		answer := &challengeAnswer{ResponseWriter: w}
		if a.challenges.ServeHTTP(answer, r); answer.refused {
			next.ServeHTTP(w, r)
		}
	})
}

// challengeAnswer lets the answer to a challenge pass, and nothing that autocert has to say about one that it does not know.
type challengeAnswer struct {
	http.ResponseWriter
	refused bool
}

func (c *challengeAnswer) WriteHeader(status int) {
	if c.refused = status != http.StatusOK; !c.refused {
		c.ResponseWriter.WriteHeader(status)
	}
}

func (c *challengeAnswer) Write(b []byte) (int, error) {
	if c.refused {
		return len(b), nil
	}
	return c.ResponseWriter.Write(b)
}

// Run gets the certificates, and renews them until the context ends.
func (a *ACME) Run(ctx context.Context) {
	// Before the first request to the directory, which is made below.
	a.manager.Client = &acme.Client{DirectoryURL: a.config.Directory, UserAgent: "gatehouse", HTTPClient: a.client(ctx)}
	retry := acmeRetry
	for {
		wait := acmeEvery
		if !a.look(ctx) {
			wait, retry = retry, min(2*retry, acmeRetryMost)
		} else {
			retry = acmeRetry
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// look asks for each certificate that is missing, and gives the listener those that are there. It reports whether all are.
func (a *ACME) look(ctx context.Context) bool {
	found, faults := make([]*tls.Certificate, len(a.names)), make([]error, len(a.names))
	var all sync.WaitGroup
	for i, name := range a.names {
		all.Go(func() { found[i], faults[i] = a.manager.GetCertificate(modernHello(name)) })
	}
	all.Wait()
	if ctx.Err() != nil {
		return false
	}
	ready := maps.Clone(*a.ready.Load())
	for i, name := range a.names {
		if faults[i] != nil {
			if text := faults[i].Error(); text != a.failures[name] {
				a.failures[name] = text
				a.config.Log.Error("no certificate could be got", "name", name, "directory", a.config.Directory, "error", text,
					"remedy", "the directory must be reachable, and the name must lead to this service: on port 443, or on port 80 with --http-address")
			}
		} else if before := ready[name]; before == nil || before.Leaf != found[i].Leaf {
			delete(a.failures, name)
			ready[name] = found[i]
			a.config.Log.Info("the certificate is in use", "name", name, "not_after", found[i].Leaf.NotAfter.UTC().Format(time.RFC3339))
		}
		if c := ready[name]; c != nil {
			a.expiry[name].judge(a.config.Log, a.config.Now(), c.Leaf, "see why the ACME directory does not renew it")
		}
	}
	a.ready.Store(&ready)
	return len(ready) == len(a.names)
}

// modernHello makes autocert get a certificate with an ECDSA key, which every client of TLS 1.2 with one of our suites takes.
func modernHello(name string) *tls.ClientHelloInfo {
	return &tls.ClientHelloInfo{
		ServerName: name, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
		SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}, SupportedCurves: []tls.CurveID{tls.CurveP256},
	}
}

// client returns a client for the directory whose requests end with the context: autocert's own context lasts for five minutes.
func (a *ACME) client(ctx context.Context) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: a.roots, MinVersion: tls.VersionTLS12}
	context.AfterFunc(ctx, transport.CloseIdleConnections)
	return &http.Client{Transport: until{ctx, transport}, Timeout: acmeTimeout}
}

// until is a transport whose requests end with the context.
type until struct {
	ctx  context.Context
	next http.RoundTripper
}

func (u until) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	stop := context.AfterFunc(u.ctx, cancel)
	end := func() { stop(); cancel() }
	response, err := u.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		end()
		return nil, err
	}
	response.Body = &endingBody{response.Body, end}
	return response, nil
}

type endingBody struct {
	io.ReadCloser
	end func()
}

func (b *endingBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}
