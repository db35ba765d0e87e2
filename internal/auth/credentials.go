package auth

import (
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
