package server

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// filesEvery is how often the files of a certificate are looked at: soon enough for whoever replaces them and tries, and
// cheaper than anything that would have to be told of changes.
const filesEvery = 5 * time.Second

// CertificateFiles is a certificate chain and its key that stand in two files, PEM. Where the files change it takes what is in
// them. A pair that cannot be used, because one file is half written or not replaced yet, is told of once, and the last good
// one stays.
type CertificateFiles struct {
	certFile, keyFile string
	log               *slog.Logger
	now               func() time.Time

	current atomic.Pointer[tls.Certificate]

	mu     sync.Mutex // of Look
	seen   string     // what the files held last, or why they could not be read
	expiry expiry
}

// OpenCertificateFiles reads the files, which must be good.
func OpenCertificateFiles(certFile, keyFile string, log *slog.Logger, now func() time.Time) (*CertificateFiles, error) {
	f := &CertificateFiles{certFile: certFile, keyFile: keyFile, log: log, now: now}
	certificate, seen, err := f.read()
	if err != nil {
		return nil, err
	}
	f.seen = seen
	f.current.Store(certificate)
	return f, nil
}

// TLS is what the listener is given.
func (f *CertificateFiles) TLS() *tls.Config {
	return tlsConfig(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.current.Load(), nil })
}

// Expiry is when the certificate ends.
func (f *CertificateFiles) Expiry() time.Time { return f.current.Load().Leaf.NotAfter }

// Run looks at the files every few seconds until the context ends.
func (f *CertificateFiles) Run(ctx context.Context) {
	ticker := time.NewTicker(filesEvery)
	defer ticker.Stop()
	f.watch(ctx, ticker.C)
}

func (f *CertificateFiles) watch(ctx context.Context, ticks <-chan time.Time) {
	for {
		f.Look()
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
	}
}

// Look takes what is in the files now. It compares content and not times: a copy may keep the time of the original.
func (f *CertificateFiles) Look() {
	f.mu.Lock()
	defer f.mu.Unlock()
	certificate, seen, err := f.read()
	if seen != f.seen {
		f.seen = seen
		if err != nil {
			f.log.Error("the certificate files have changed and cannot be used: the last good certificate stays", "error", err.Error(),
				"remedy", "put a certificate and its key, both PEM, into "+f.certFile+" and "+f.keyFile)
		} else {
			f.current.Store(certificate)
			f.log.Info("the certificate files have changed and are in use", "names", certificate.Leaf.DNSNames, "not_after", certificate.Leaf.NotAfter.UTC().Format(time.RFC3339))
		}
	}
	f.expiry.judge(f.log, f.now(), f.current.Load().Leaf, "put another certificate and its key into "+f.certFile+" and "+f.keyFile)
}

// read returns the certificate, and a text that is the same as long as the files are.
func (f *CertificateFiles) read() (certificate *tls.Certificate, seen string, err error) {
	fault := func(err error) error {
		return fmt.Errorf("the certificate %s with the key %s cannot be used: %w", f.certFile, f.keyFile, err)
	}
	cert, err := os.ReadFile(f.certFile)
	if err != nil {
		return nil, err.Error(), fault(err)
	}
	key, err := os.ReadFile(f.keyFile)
	if err != nil {
		return nil, err.Error(), fault(err)
	}
	digest := sha256.New()
	fmt.Fprintf(digest, "%d:%s%s", len(cert), cert, key)
	seen = string(digest.Sum(nil))
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, seen, fault(err)
	}
	return &pair, seen, nil
}
