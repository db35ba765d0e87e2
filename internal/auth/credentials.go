package auth

import (
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
)

// Secret is a string that prints as "***", so that a log line, an error or a JSON document cannot hold it by mistake.
type Secret string

const redacted = "***"

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String returns "***".
func (Secret) String() string { return redacted }

// Format writes "***" for every verb: %x and %d would print the bytes of a string that only has a String method.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// LogValue returns "***".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "***", which covers JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Basic is the user-id and password of RFC 7617, decoded as UTF-8.
type Basic struct {
	Username string
	Password Secret
}

// BearerToken is the token of RFC 6750 §2.1.
type BearerToken struct{ Secret }

// APIKey is the value of an apiKey security scheme.
type APIKey struct{ Secret }

// ClientCertificate is what the client presented in the TLS handshake, its own certificate first. The handshake proves that
// the client holds the private key, and nothing else: who issued the certificate, and whether that is still good, is for
// the authenticator to verify (RFC 5280 §6).
type ClientCertificate struct {
	Chain []*x509.Certificate
}
