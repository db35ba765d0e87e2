package main

import (
	"crypto/rand"
	"log/slog"
	"os"
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
