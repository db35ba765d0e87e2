package server

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"example.com/gatehouse/internal/auth"
)

// developmentMark begins a secret key that --dev made, so that a production start can refuse it.
const developmentMark = "development-only:"

// secretBytes is the size of the secret key: 256 bits, the strength of what is derived from it.
const secretBytes = 32

// ReadSecret reads the secret key from a file: at least 32 random bytes, as base64 on one line. The keys at rest of
// signing keys and API keys are derived from it.
func ReadSecret(file string, development bool) (auth.Secret, error) {
	const remedy = "make one with: head -c 32 /dev/urandom | base64 > FILE, and give it with --secret-key-file"
	if file == "" {
		return "", errors.New("no secret key is given: " + remedy)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("the secret key cannot be read: %w", err)
	}
	text, marked := bytes.CutPrefix(bytes.TrimSpace(data), []byte(developmentMark))
	if marked && !development {
		return "", fmt.Errorf("the secret key in %s was made by --dev: %s", file, remedy)
	}
	secret, err := base64.StdEncoding.Strict().DecodeString(string(text))
	if err != nil || len(secret) < secretBytes {
		return "", fmt.Errorf("the secret key in %s is not %d random bytes in base64: %s", file, secretBytes, remedy)
	}
	if distinct(secret) < secretBytes/2 {
		return "", fmt.Errorf("the secret key in %s is not random: %s", file, remedy)
	}
	return auth.Secret(secret), nil
}

// distinct counts the different bytes. 32 random bytes have 30 different ones; fewer than 16 happen once in 10^14,
// and repeated text, zeros and the like stay below.
func distinct(b []byte) int {
	var seen [256]bool
	n := 0
	for _, c := range b {
		if !seen[c] {
			seen[c] = true
			n++
		}
	}
	return n
}

// MakeDevelopmentSecret writes a marked secret key into the folder, unless one is there.
func MakeDevelopmentSecret(dir string, random io.Reader) (file string, err error) {
	file = filepath.Join(dir, "secret.key")
	secret := make([]byte, secretBytes)
	if _, err := io.ReadFull(random, secret); err != nil {
		return "", err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return file, nil
	}
	if err != nil {
		return "", err
	}
	_, err = fmt.Fprintf(f, "%s%s\n", developmentMark, base64.StdEncoding.EncodeToString(secret))
	return file, errors.Join(err, f.Close())
}

// derive returns a key for one purpose, so that a key at rest of one kind says nothing about another.
func derive(secret auth.Secret, purpose string) ([]byte, error) {
	return hkdf.Key(sha256.New, []byte(secret.Reveal()), nil, "gatehouse "+purpose, secretBytes)
}
