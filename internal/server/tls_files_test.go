package server

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// buffer is a log in memory.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) lines() (lines []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for line := range strings.Lines(b.text.String()) {
		lines = append(lines, line)
	}
	return lines
}

// pair is a certificate and its key, PEM.
type pair struct{ cert, key string }

// newPair makes a certificate for localhost with the number.
func newPair(t *testing.T, number int64, notBefore, notAfter time.Time) pair {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(number), NotBefore: notBefore, NotAfter: notAfter, DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := errors.Join(replacePEM(certFile, "CERTIFICATE", der, 0o600), replacePEM(keyFile, "PRIVATE KEY", keyDER, 0o600)); err != nil {
		t.Fatal(err)
	}
	cert, err := os.ReadFile(certFile)
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	return pair{string(cert), string(key)}
}

// put writes the files. An empty text removes the file.
func put(t *testing.T, dir string, p pair) (certFile, keyFile string) {
	t.Helper()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, text := range map[string]string{certFile: p.cert, keyFile: p.key} {
		err := os.WriteFile(file, []byte(text), 0o600)
		if err == nil && text == "" {
			err = os.Remove(file)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

// served is the number of the certificate that a new connection is shown.
func served(t *testing.T, address string) int64 {
	t.Helper()
	c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true}) // what is asked is which certificate it is
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func TestCertificateFilesThatChange(t *testing.T) {
	now := time.Now()
	first, second := newPair(t, 1, now.Add(-time.Hour), now.AddDate(1, 0, 0)), newPair(t, 2, now.Add(-time.Hour), now.AddDate(1, 0, 0))
	half := func(text string) string { return text[:len(text)/2] }
	for _, row := range []struct {
		name string
		puts []pair // the files are looked at after each, three times
		want int64  // the certificate then
		says []string
	}{
		{"files that stay are not told of", []pair{first}, 1, nil},
		{"another pair is taken", []pair{second}, 2, []string{"are in use"}},
		{"a certificate whose key has not been replaced yet is not taken", []pair{{second.cert, first.key}}, 1, []string{"the last good certificate stays"}},
		{"a key whose certificate has not been replaced yet is not taken", []pair{{first.cert, second.key}}, 1, []string{"the last good certificate stays"}},
		{"a half written certificate is not taken", []pair{{half(second.cert), second.key}}, 1, []string{"the last good certificate stays"}},
		{"a half written key is not taken", []pair{{second.cert, half(second.key)}}, 1, []string{"the last good certificate stays"}},
		{"an empty certificate is not taken", []pair{{"\n", second.key}}, 1, []string{"the last good certificate stays"}},
		{"a certificate that is gone leaves the last good one", []pair{{"", second.key}}, 1, []string{"the last good certificate stays"}},
		{"a key that is gone leaves the last good one", []pair{{first.cert, ""}}, 1, []string{"the last good certificate stays"}},
		{"a pair is taken that was written in two steps", []pair{{second.cert, first.key}, second}, 2, []string{"the last good certificate stays", "are in use"}},
		{"each other fault is told of", []pair{{half(second.cert), first.key}, {second.cert, first.key}}, 1, []string{"the last good certificate stays", "the last good certificate stays"}},
		{"the old pair is taken back", []pair{second, first}, 1, []string{"are in use", "are in use"}},
		{"the old pair after a fault is taken", []pair{{second.cert, first.key}, first}, 1, []string{"the last good certificate stays", "are in use"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir, log := t.TempDir(), &buffer{}
			certFile, keyFile := put(t, dir, first)
			files, err := OpenCertificateFiles(certFile, keyFile, slog.New(slog.NewTextHandler(log, nil)), time.Now)
			if err != nil {
				t.Fatal(err)
			}
			address := serveCertificates(t, files)
			if got := served(t, address); got != 1 {
				t.Fatalf("certificate %d before anything changed", got)
			}
			for _, p := range row.puts {
				put(t, dir, p)
				for range 3 {
					files.Look()
				}
			}
			if got := served(t, address); got != row.want {
				t.Errorf("certificate %d, want %d", got, row.want)
			}
			lines := log.lines()
			if len(lines) != len(row.says) {
				t.Fatalf("%d lines, want %d: %s", len(lines), len(row.says), lines)
			}
			for i, text := range row.says {
				if !strings.Contains(lines[i], text) {
					t.Errorf("line %d does not say %q: %s", i, text, lines[i])
				}
				if strings.Contains(text, "stays") && (!strings.Contains(lines[i], certFile) || !strings.Contains(lines[i], "remedy=")) {
					t.Errorf("line %d names no file or no remedy: %s", i, lines[i])
				}
			}
		})
	}
}

func TestConnectionsGoOnWhereTheirCertificateIsReplaced(t *testing.T) {
	now, dir := time.Now(), t.TempDir()
	first, second := newPair(t, 1, now.Add(-time.Hour), now.AddDate(1, 0, 0)), newPair(t, 2, now.Add(-time.Hour), now.AddDate(1, 0, 0))
	certFile, keyFile := put(t, dir, first)
	files, err := OpenCertificateFiles(certFile, keyFile, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	address := serveCertificates(t, files)
	for _, http2 := range []bool{true, false} {
		put(t, dir, first)
		files.Look()
		transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: http2}
		defer transport.CloseIdleConnections()
		get := func() int64 {
			response, err := (&http.Client{Transport: transport}).Get("https://" + address)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if _, err := io.Copy(io.Discard, response.Body); err != nil {
				t.Fatal(err)
			}
			return response.TLS.PeerCertificates[0].SerialNumber.Int64()
		}
		if got := get(); got != 1 {
			t.Fatalf("certificate %d", got)
		}
		put(t, dir, second)
		files.Look()
		if got := get(); got != 1 {
			t.Errorf("HTTP/2 %t: the connection did not go on", http2)
		}
		if got := served(t, address); got != 2 {
			t.Errorf("HTTP/2 %t: a new connection is shown certificate %d", http2, got)
		}
	}
}

func TestTheFilesAreLookedAtUntilTheContextEnds(t *testing.T) {
	now, dir := time.Now(), t.TempDir()
	first, second := newPair(t, 1, now.Add(-time.Hour), now.AddDate(1, 0, 0)), newPair(t, 2, now.Add(-time.Hour), now.AddDate(1, 0, 0))
	certFile, keyFile := put(t, dir, first)
	files, err := OpenCertificateFiles(certFile, keyFile, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ticks, done := make(chan time.Time), make(chan struct{})
	go func() {
		defer close(done)
		files.watch(ctx, ticks)
	}()
	ticks <- now // taken after the first look
	put(t, dir, second)
	ticks <- now
	ticks <- now // taken after what the one before it caused
	if got := files.current.Load().Leaf.SerialNumber.Int64(); got != 2 {
		t.Errorf("certificate %d", got)
	}
	cancel()
	<-done
}

func TestCertificatesThatExpireAreToldOfDaily(t *testing.T) {
	start := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for _, row := range []struct {
		name                string
		notBefore, notAfter time.Time
		passes              []time.Duration // between looks; the first is at once
		says                []string
	}{
		{"one that is good for a month", start, start.Add(30 * day), []time.Duration{0, 0}, nil},
		{"one that is good for 14 days", start, start.Add(14 * day), []time.Duration{0}, nil},
		{"one that is good for a second less", start, start.Add(14*day - time.Second), []time.Duration{0}, []string{"expires soon"}},
		{"one that expires this second", start.Add(-day), start, []time.Duration{0}, []string{"has expired"}},
		{"one that expired long ago", start.Add(-9 * day), start.Add(-8 * day), []time.Duration{0}, []string{"has expired"}},
		{"one that is not good yet", start.Add(time.Hour), start.Add(90 * day), []time.Duration{0}, []string{"not good yet"}},
		{"no more often than daily", start, start.Add(10 * day), []time.Duration{0, time.Minute, 12 * time.Hour, 12*time.Hour - time.Minute - time.Second}, []string{"expires soon"}},
		{"again on the next day", start, start.Add(10 * day), []time.Duration{0, day}, []string{"expires soon", "expires soon"}},
		{"on the way to its end", start, start.Add(15 * day), []time.Duration{0, day, day, 13 * day}, []string{"expires soon", "has expired"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			log, now := &buffer{}, start
			certFile, keyFile := put(t, t.TempDir(), newPair(t, 1, row.notBefore, row.notAfter))
			files, err := OpenCertificateFiles(certFile, keyFile, slog.New(slog.NewTextHandler(log, nil)), func() time.Time { return now })
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range row.passes {
				now = now.Add(d)
				files.Look()
			}
			lines := log.lines()
			if len(lines) != len(row.says) {
				t.Fatalf("%d lines, want %d: %s", len(lines), len(row.says), lines)
			}
			for i, text := range row.says {
				if !strings.Contains(lines[i], text) || !strings.Contains(lines[i], certFile) {
					t.Errorf("line %d does not say %q and the file: %s", i, text, lines[i])
				}
			}
		})
	}
}
