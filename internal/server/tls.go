package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"time"
)

// Certificates is where the certificates of the HTTPS listener come from: CertificateFiles or ACME.
type Certificates interface {
	// TLS is what the listener is given. It asks for the certificate anew in each handshake, so that the next one has a certificate
	// that was replaced, and connections that are there go on.
	TLS() *tls.Config
	// Expiry is when the first of the certificates ends, zero where there is none yet.
	Expiry() time.Time
	// Run keeps the certificates good until the context ends, and leaves nothing behind that runs.
	Run(context.Context)
}

// tlsConfig returns the settings of an HTTPS listener.
func tlsConfig(certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error), protocols ...string) *tls.Config {
	return &tls.Config{
		GetCertificate: certificate,
		MinVersion:     tls.VersionTLS12,
		// For TLS 1.2 alone: those of 1.3 are all good and cannot be chosen. Go would still offer CBC with SHA-1.
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
			tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		NextProtos: append([]string{"h2", "http/1.1"}, protocols...),
	}
}

const (
	// expirySoon is how long before its end a certificate is told of: long enough for whoever renews it by hand, and later than
	// anything that renews by itself would be.
	expirySoon = 14 * 24 * time.Hour
	// expiryEvery is how often that is told.
	expiryEvery = 24 * time.Hour
)

// expiry tells the log of one certificate that ends soon or has ended, once a day. It is not for use by several goroutines.
type expiry struct {
	leaf *x509.Certificate
	told time.Time
}

// judge looks at the certificate that is in use. Another one than the last time is told of at once.
func (e *expiry) judge(log *slog.Logger, now time.Time, leaf *x509.Certificate, remedy string) {
	if e.leaf == leaf && now.Sub(e.told) < expiryEvery {
		return
	}
	e.leaf, e.told = leaf, now
	attributes := []any{"names", leaf.DNSNames, "not_after", leaf.NotAfter.UTC().Format(time.RFC3339), "remedy", remedy}
	switch {
	case !now.Before(leaf.NotAfter):
		log.Error("the certificate has expired: clients refuse it", attributes...)
	case now.Before(leaf.NotBefore):
		log.Error("the certificate is not good yet: clients refuse it", append(attributes, "not_before", leaf.NotBefore.UTC().Format(time.RFC3339))...)
	case leaf.NotAfter.Sub(now) < expirySoon:
		log.Warn("the certificate expires soon", attributes...)
	}
}
