package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/gatehouse/internal/server"
)

func TestHangupLooksAtTheCertificateFiles(t *testing.T) {
	cert, key, err := server.DevelopmentCertificate(t.TempDir(), time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	lines := make(written, 10)
	files, err := server.OpenCertificateFiles(cert, key, slog.New(slog.NewTextHandler(lines, nil)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	stop := onHangup(files)
	if err := os.WriteFile(key, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if line := <-lines; !strings.Contains(line, "the last good certificate stays") {
		t.Errorf("got %s", line)
	}
	stop()
	if onHangup(nil)(); len(lines) > 0 {
		t.Errorf("more lines: %s", <-lines)
	}
}

// written is a log whose lines can be waited for.
type written chan string

func (w written) Write(p []byte) (int, error) {
	w <- string(p)
	return len(p), nil
}

func TestSettingsOfTLS(t *testing.T) {
	cert, key, err := server.DevelopmentCertificate(t.TempDir(), time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	acme := acmeSettings{ACMEDomain: []string{"api.example.com"}, ACMEDirectory: "https://ca.example.com/directory", ACMEAcceptTerms: true}
	with := func(change func(*acmeSettings)) acmeSettings {
		c := acme
		change(&c)
		return c
	}
	plain := acmeSettings{HTTPAddress: ":80"}
	for _, row := range []struct {
		name string
		serve
		says []string // each is in a line of its own
	}{
		{"files", serve{TLSCert: cert, TLSKey: key}, nil},
		{"files and plain HTTP", serve{TLSCert: cert, TLSKey: key, acmeSettings: plain}, nil},
		{"ACME", serve{acmeSettings: acme}, nil},
		{"ACME for two names, with all that goes with it", serve{acmeSettings: with(func(c *acmeSettings) {
			c.ACMEDomain, c.ACMEEmail, c.ACMECAFile, c.HTTPAddress = []string{"api.example.com", "www.example.com"}, "a@example.com", cert, ":80"
		})}, nil},
		{"files that do not fit", serve{TLSCert: key, TLSKey: cert}, []string{"--tls-cert and --tls-key"}},
		{"ACME without the terms", serve{acmeSettings: with(func(c *acmeSettings) { c.ACMEAcceptTerms = false })}, []string{"--acme-accept-terms"}},
		{"ACME beside files", serve{TLSCert: cert, TLSKey: key, acmeSettings: acme}, []string{"or --tls-cert"}},
		{"ACME beside a development certificate", serve{place: place{Dev: true}, TLSDevCert: true, acmeSettings: acme}, []string{"or --tls-cert"}},
		{"ACME for a name and a wildcard", serve{acmeSettings: with(func(c *acmeSettings) { c.ACMEDomain = []string{"example.com", "*.example.com"} })}, []string{"--acme-domain"}},
		{"ACME with all that can be wrong", serve{acmeSettings: acmeSettings{ACMEDomain: []string{"localhost"}, ACMEDirectory: "http://ca.example", ACMECAFile: "no.pem", HTTPAddress: "80"}},
			[]string{"--acme-accept-terms", "--acme-domain", "--acme-directory", "--acme-ca-file", "--http-address"}},
		{"the terms without a name", serve{acmeSettings: acmeSettings{ACMEAcceptTerms: true}}, []string{"--acme-domain"}},
		{"an address for mails without a name", serve{acmeSettings: acmeSettings{ACMEEmail: "a@example.com"}}, []string{"--acme-domain"}},
		{"a CA without a name", serve{acmeSettings: acmeSettings{ACMECAFile: cert}}, []string{"--acme-domain"}},
		{"plain HTTP alone", serve{acmeSettings: plain}, []string{"--http-address is beside HTTPS"}},
		{"plain HTTP for everybody in development", serve{place: place{Dev: true}, TLSDevCert: true, acmeSettings: plain}, []string{"--http-address 127.0.0.1"}},
		{"plain HTTP without a port", serve{TLSCert: cert, TLSKey: key, acmeSettings: acmeSettings{HTTPAddress: "127.0.0.1"}}, []string{"--http-address HOST:PORT"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var lines []string
			for _, err := range row.certificateFaults() {
				lines = append(lines, strings.Split(err.Error(), "\n")...)
			}
			if len(lines) != len(row.says) {
				t.Fatalf("%d lines, want %d: %q", len(lines), len(row.says), lines)
			}
			for i, text := range row.says {
				if !strings.Contains(lines[i], text) {
					t.Errorf("line %d does not say %q: %s", i, text, lines[i])
				}
			}
		})
	}
}

func TestServeSpeaksHTTPSAndTellsPlainHTTPSo(t *testing.T) {
	data, https, plain := t.TempDir(), freeAddress(t), freeAddress(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout, stderr bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"serve", "--dev", "--tls-dev-cert", "--data", data, "--address", https, "--http-address", plain}, &stdout, &stderr, func(int) {})
	}()
	get := func(client *http.Client, address string) (int, string) {
		for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			response, err := client.Get(address)
			if err == nil {
				defer response.Body.Close()
				body, _ := io.ReadAll(response.Body)
				return response.StatusCode, string(body)
			}
			if time.Now().After(end) {
				t.Fatal(err)
			}
		}
	}
	if status, body := get(http.DefaultClient, "http://"+plain+"/livez"); status != 403 || !strings.Contains(body, "https://"+https) {
		t.Errorf("plain HTTP: %d %s", status, body)
	}
	ca, err := os.ReadFile(filepath.Join(data, "dev-ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}}
	if status, body := get(client, "https://"+https+"/livez"); status != 200 {
		t.Errorf("HTTPS: %d %s", status, body)
	}
	cancel()
	if code := <-ended; code != exitDone {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
	for _, address := range []string{https, plain} {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			t.Errorf("%s still listens", address)
		}
	}
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
