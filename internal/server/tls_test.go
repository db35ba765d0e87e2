package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// serveTLS answers every request over HTTPS, as the service does, and returns host and port.
func serveTLS(t *testing.T, certFile, keyFile string) string {
	t.Helper()
	files, err := OpenCertificateFiles(certFile, keyFile, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return serveCertificates(t, files)
}

func serveCertificates(t *testing.T, certificates Certificates) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{
		TLSConfig: certificates.TLS(), ReadHeaderTimeout: DefaultLimits().ReadHeaderTimeout, ErrorLog: log.New(io.Discard, "", 0),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }),
	}
	done := make(chan error, 1)
	go func() { done <- s.ServeTLS(listener, "", "") }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// developmentCertificate makes one that is good today, by the clock of the verifying side.
func developmentCertificate(t *testing.T) (dir, certFile, keyFile string) {
	t.Helper()
	dir = t.TempDir()
	certFile, keyFile, err := DevelopmentCertificate(dir, time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return dir, certFile, keyFile
}

func rsaCertificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := errors.Join(replacePEM(certFile, "CERTIFICATE", der, 0o644), replacePEM(keyFile, "PRIVATE KEY", keyDER, 0o600)); err != nil {
		t.Fatal(err)
	}
	return certFile, keyFile
}

func TestHandshakes(t *testing.T) {
	_, certFile, keyFile := developmentCertificate(t)
	byKey := map[string]string{"ECDSA": serveTLS(t, certFile, keyFile)}
	certFile, keyFile = rsaCertificate(t)
	byKey["RSA"] = serveTLS(t, certFile, keyFile)

	type row struct {
		name, key string
		client    *tls.Config
		version   uint16 // 0 is refused
	}
	only := func(version uint16, suites ...uint16) *tls.Config {
		return &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: version, CipherSuites: suites}
	}
	rows := []row{
		{"TLS 1.0 is refused", "ECDSA", only(tls.VersionTLS10), 0},
		{"TLS 1.1 is refused", "ECDSA", only(tls.VersionTLS11), 0},
		{"TLS 1.1 is refused with an RSA key, too", "RSA", only(tls.VersionTLS11), 0},
		{"TLS 1.2 is taken where there is nothing better", "ECDSA", only(tls.VersionTLS12), tls.VersionTLS12},
		{"TLS 1.3 is taken where there is", "ECDSA", only(tls.VersionTLS13), tls.VersionTLS13},
	}
	// Every suite that Go knows for TLS 1.2 and below is tried, alone.
	good := map[uint16]bool{
		0xc02b: true, 0xc02f: true, 0xc02c: true, 0xc030: true, 0xcca9: true, 0xcca8: true, // as registered by IANA
	}
	tried := 0
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if suite.SupportedVersions[0] > tls.VersionTLS12 {
			continue
		}
		r := row{name: suite.Name + " is refused", key: "RSA", client: only(tls.VersionTLS12, suite.ID)}
		if strings.Contains(suite.Name, "_ECDSA_") {
			r.key = "ECDSA"
		}
		if good[suite.ID] {
			r.name, r.version = suite.Name+" is taken", tls.VersionTLS12
			tried++
		}
		rows = append(rows, r)
	}
	if tried != 6 {
		t.Fatalf("%d good suites were tried, want 6", tried)
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			r.client.InsecureSkipVerify = true // what is asked here is the handshake, not the name
			c, err := tls.Dial("tcp", byKey[r.key], r.client)
			if err != nil {
				if r.version != 0 {
					t.Error(err)
				}
				var remote *net.OpError
				if r.version == 0 && (!errors.As(err, &remote) || remote.Op != "remote error") {
					t.Errorf("not refused by the server: %v", err)
				}
				return
			}
			defer c.Close()
			if got := c.ConnectionState().Version; got != r.version {
				t.Errorf("version %x, want %x", got, r.version)
			}
		})
	}
}

// trusting returns a client that trusts nothing but what is in the file, as curl --cacert does.
func trusting(t *testing.T, caFile, address string, http2 bool) *http.Client {
	t.Helper()
	data, err := os.ReadFile(caFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		t.Fatal("no certificate in " + caFile)
	}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: http2,
		// Every name leads to the server: what is asked is whether its certificate is taken for it.
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", address)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

func TestTheDevelopmentCertificateIsTrustedForLoopbackAlone(t *testing.T) {
	dir, certFile, keyFile := developmentCertificate(t)
	other, _, _ := developmentCertificate(t)
	address := serveTLS(t, certFile, keyFile)
	ca := filepath.Join(dir, "dev-ca.pem")
	for _, row := range []struct {
		name, ca, host string
		http2          bool
		want           string // empty is refused
	}{
		{"localhost over HTTP/2", ca, "localhost", true, "HTTP/2.0"},
		{"localhost over HTTP/1.1", ca, "localhost", false, "HTTP/1.1"},
		{"127.0.0.1", ca, "127.0.0.1", true, "HTTP/2.0"},
		{"::1", ca, "[::1]", true, "HTTP/2.0"},
		{"another name is refused", ca, "example.com", true, ""},
		{"a name below localhost is refused", ca, "api.localhost", true, ""},
		{"another loopback address is refused", ca, "127.0.0.2", true, ""},
		{"the CA of another start is refused", filepath.Join(other, "dev-ca.pem"), "localhost", true, ""},
		{"the certificate as its own CA is refused for another name", certFile, "example.com", true, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			response, err := trusting(t, row.ca, address, row.http2).Get("https://" + row.host + "/")
			if err != nil {
				if row.want != "" {
					t.Error(err)
				}
				return
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != http.StatusOK || string(body) != row.want {
				t.Errorf("%d %q, want %q", response.StatusCode, body, row.want)
			}
		})
	}
}

func TestTheDevelopmentCASignsForLoopbackAlone(t *testing.T) {
	dir, certFile, _ := developmentCertificate(t)
	ca, leaf := parse(t, filepath.Join(dir, "dev-ca.pem")), parse(t, certFile)
	if !ca.IsCA || !ca.MaxPathLenZero || ca.KeyUsage != x509.KeyUsageCertSign || !ca.PermittedDNSDomainsCritical {
		t.Errorf("%+v", ca)
	}
	if fmt.Sprint(ca.PermittedDNSDomains, ca.PermittedIPRanges) != "[localhost] [127.0.0.1/32 ::1/128]" {
		t.Errorf("may sign for %v %v", ca.PermittedDNSDomains, ca.PermittedIPRanges)
	}
	if leaf.IsCA || leaf.KeyUsage != x509.KeyUsageDigitalSignature {
		t.Errorf("%+v", leaf)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 3 {
		t.Fatalf("%v, %v: the key of the CA must not be kept", files, err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "dev-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if key.(*ecdsa.PrivateKey).PublicKey.Equal(ca.PublicKey) {
		t.Error("the key that is kept is the CA's")
	}
}

func parse(t *testing.T, file string) *x509.Certificate {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func TestDevelopmentFiles(t *testing.T) {
	made := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	foreign := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("somebody's own"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	nothing := func(*testing.T, string) {}
	for _, row := range []struct {
		name     string
		change   func(*testing.T, string)
		at       time.Time
		same     bool
		complain string
	}{
		{"they are kept at the next start", nothing, made.Add(time.Minute), true, ""},
		{"they are kept until a day before the end", nothing, made.Add(89*24*time.Hour - time.Second), true, ""},
		{"they are renewed on the last day", nothing, made.Add(89 * 24 * time.Hour), false, ""},
		{"they are renewed long after the end", nothing, made.AddDate(10, 0, 0), false, ""},
		{"they are renewed where the clock was wrong", nothing, made.AddDate(-1, 0, 0), false, ""},
		{"a missing key is not made up for", remove("dev-key.pem"), made, true, "missing"},
		{"a missing certificate is not made up for", remove("dev-cert.pem"), made, true, "missing"},
		{"a missing CA is not made up for", remove("dev-ca.pem"), made, true, "missing"},
		{"a foreign key is not overwritten", foreign("dev-key.pem"), made, true, "does not fit"},
		{"a foreign certificate is not overwritten", foreign("dev-cert.pem"), made, true, "does not fit"},
		{"a foreign CA is not overwritten", foreign("dev-ca.pem"), made, true, "vouch"},
		{"a foreign CA is not overwritten after the end", foreign("dev-ca.pem"), made.AddDate(1, 0, 0), true, "vouch"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if _, _, err := DevelopmentCertificate(dir, made, rand.Reader); err != nil {
				t.Fatal(err)
			}
			row.change(t, dir)
			before := contents(t, dir)
			certFile, keyFile, err := DevelopmentCertificate(dir, row.at, rand.Reader)
			if (err != nil) != (row.complain != "") || err != nil && (!strings.Contains(err.Error(), row.complain) || !strings.Contains(err.Error(), "delete dev-ca.pem")) {
				t.Fatalf("%v, want %q", err, row.complain)
			}
			after := contents(t, dir)
			if (before == after) != row.same {
				t.Errorf("the files are the same: %t, want %t", before == after, row.same)
			}
			if err != nil {
				return
			}
			if leaf := parse(t, certFile); row.at.Before(leaf.NotBefore) || !row.at.Before(leaf.NotAfter) {
				t.Errorf("good from %s to %s", leaf.NotBefore, leaf.NotAfter)
			}
			if info, err := os.Stat(keyFile); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the key is %v, %v", info.Mode(), err)
			}
		})
	}
}

func contents(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s %s\n", file, data)
	}
	return all.String()
}

func TestCertificatesThatCannotBeUsedStopTheStart(t *testing.T) {
	dir, certFile, keyFile := developmentCertificate(t)
	_, _, otherKey := developmentCertificate(t)
	empty := filepath.Join(dir, "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, files := range map[string][2]string{
		"a certificate that is missing":         {filepath.Join(dir, "no.pem"), keyFile},
		"a key that is missing":                 {certFile, filepath.Join(dir, "no.pem")},
		"an empty certificate":                  {empty, keyFile},
		"an empty key":                          {certFile, empty},
		"the key of another certificate":        {certFile, otherKey},
		"the certificate and the key exchanged": {keyFile, certFile},
	} {
		if _, err := OpenCertificateFiles(files[0], files[1], slog.New(slog.DiscardHandler), time.Now); err == nil || !strings.Contains(err.Error(), files[0]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
