package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// target is a server on loopback.
type target struct {
	port, plainPort string // plainPort is that of plain HTTP, where it has one
	caFile          string
	roots           *x509.CertPool
	stop            func()
}

// alive reports whether the target answers as it should.
func (t *target) alive(ctx context.Context) error {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: t.roots}, DisableKeepAlives: true}, Timeout: 10 * time.Second}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://localhost:"+t.port+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

// certificate is one for localhost of a CA that is made for it, whose key is not kept.
type certificate struct {
	ca, cert, key []byte // PEM
	roots         *x509.CertPool
}

func newCertificate(now time.Time) (*certificate, error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial := func() *big.Int {
		n, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)) // it never fails
		return n
	}
	ca := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "CA of a scan"}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 0, 89),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	if ca, err = x509.ParseCertificate(caDER); err != nil {
		return nil, err
	}
	leaf := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 0, 89),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, &leafKey.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		return nil, err
	}
	c := &certificate{roots: x509.NewCertPool()}
	c.roots.AddCert(ca)
	c.ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})
	c.cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leafDER})
	c.key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	return c, nil
}

// startWeak starts a server with all that this project's own never has: TLS 1.0, CBC, no header. Its certificate is good.
func startWeak() (*target, error) {
	c, err := newCertificate(time.Now())
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(c.cert, c.key)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "gatehouse-weak-")
	if err != nil {
		return nil, err
	}
	caFile := filepath.Join(folder, "ca.pem")
	if err := os.WriteFile(caFile, c.ca, 0o600); err != nil {
		return nil, err
	}
	s := &http.Server{
		Handler:     http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "weak") }),
		ReadTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0),
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS12,
			CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA},
		},
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/2 asks for better suites
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.ServeTLS(listener, "", "")
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return &target{port: port, caFile: caFile, roots: c.roots, stop: func() {
		_ = s.Close()
		<-done
		_ = os.RemoveAll(folder)
	}}, nil
}

// startService starts bin/gatehouse as it runs in production, with the documentation, which is more to look at.
func startService(ctx context.Context, folder string) (*target, error) {
	binary, err := filepath.Abs("bin/gatehouse")
	if err != nil {
		return nil, err
	}
	c, err := newCertificate(time.Now())
	if err != nil {
		return nil, err
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // it never fails
	path := func(name string) string { return filepath.Join(folder, name) }
	for name, content := range map[string][]byte{
		"ca.pem": c.ca, "cert.pem": c.cert, "key.pem": c.key, "secret.key": []byte(base64.StdEncoding.EncodeToString(secret)),
	} {
		if err := os.WriteFile(path(name), content, 0o600); err != nil {
			return nil, err
		}
	}
	t := &target{caFile: path("ca.pem"), roots: c.roots}
	for _, port := range []*string{&t.port, &t.plainPort} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		_, *port, _ = net.SplitHostPort(l.Addr().String())
		l.Close()
	}
	var output bytes.Buffer
	s := exec.CommandContext(ctx, binary, "serve", "--data", path("data"), "--secret-key-file", path("secret.key"), "--issuer", "https://localhost:"+t.port,
		"--address", "127.0.0.1:"+t.port, "--http-address", "127.0.0.1:"+t.plainPort, "--tls-cert", path("cert.pem"), "--tls-key", path("key.pem"),
		"--docs", "on", "--drain", "0s")
	s.Stdout, s.Stderr = &output, &output
	if err := s.Start(); err != nil {
		return nil, fmt.Errorf("%w: make build makes it", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Wait() }()
	t.stop = func() {
		_ = s.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(time.Minute):
			_ = s.Process.Kill()
		}
	}
	for range 100 {
		if err = t.alive(ctx); err == nil {
			return t, nil
		}
		select {
		case failed := <-ended:
			return nil, fmt.Errorf("the service has ended: %v: %s", failed, output.String())
		case <-time.After(200 * time.Millisecond):
		}
	}
	t.stop()
	return nil, fmt.Errorf("the service does not answer: %w", err)
}
