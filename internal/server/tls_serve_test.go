package server_test

import (
	"crypto/rand"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/gatehouse/internal/server"
)

// TestServeKeepsCertificatesUntilItEnds looks at what runs, because nothing else tells what would be left behind.
func TestServeKeepsCertificatesUntilItEnds(t *testing.T) {
	cert, key, err := server.DevelopmentCertificate(t.TempDir(), time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	runs := func(what string) func() bool {
		return func() bool {
			stacks := make([]byte, 4<<20)
			return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), what)
		}
	}
	for what, certificates := range map[string]func(c *server.Config) (server.Certificates, error){
		"(*CertificateFiles).Run(": func(c *server.Config) (server.Certificates, error) {
			return server.OpenCertificateFiles(cert, key, c.Log, time.Now)
		},
		"(*ACME).Run(": func(c *server.Config) (server.Certificates, error) {
			return server.NewACME(server.ACMEConfig{Domains: []string{domain}, Directory: "https://" + freeAddress(t) + "/dir", Cache: filepath.Join(c.Data, "acme"), Log: c.Log, Now: time.Now})
		},
	} {
		s := start(t, func(c *server.Config) {
			var err error
			if c.Certificates, err = certificates(c); err != nil {
				t.Fatal(err)
			}
		})
		waitFor(t, what, runs(what))
		s.stop()
		if runs(what)() {
			t.Errorf("%s is left behind", what)
		}
	}
}
