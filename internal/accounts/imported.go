package accounts

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"hash"
	"strconv"
	"strings"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"

	"example.com/gatehouse/internal/auth"
)

// The most that a hash of another service may ask for: like those of argon2id, against rows that take the memory or the time of this one.
const (
	maxBcryptCost   = 15             // about 2 s
	maxScryptMemory = 256 << 20      // bytes; OWASP asks for 128 MiB
	maxScryptWork   = 4 << 28        // bytes that pass through it, for all its lanes
	maxIterations   = 2_000_000      // of PBKDF2, about 0.5 s; OWASP asks for 600,000
	minIterations   = 1000           // RFC 8018 §4.2
	maxBcryptBytes  = 72             // what bcrypt looks at
	maxScryptLog    = 24             // so that the arithmetic holds
	maxScryptFactor = maxThreads * 2 // of r and p
)

// imported is a hash that another service made, from a row that somebody brought here.
type imported func(password auth.Secret) bool

// parseImported reads a hash of bcrypt, scrypt or PBKDF2 in the form of crypt(3) or passlib, or PHC, and says how many KiB it takes. It is
// good for one login, which puts argon2id in its place. Until then an attempt takes the time of the other algorithm, and can be told from
// one for a user who does not exist.
func parseImported(stored string) (check imported, memory uint32, ok bool) {
	fields := strings.Split(stored, "$")
	if len(fields) < 4 || fields[0] != "" {
		return nil, 0, false
	}
	switch fields[1] {
	case "2a", "2b", "2y":
		check, ok = parseBcrypt(stored)
	case "scrypt":
		return parseScrypt(fields)
	case "pbkdf2-sha256":
		check, ok = parsePBKDF2(fields, sha256.New)
	case "pbkdf2-sha512":
		check, ok = parsePBKDF2(fields, sha512.New)
	}
	return check, 0, ok
}

func parseBcrypt(stored string) (imported, bool) {
	cost, err := bcrypt.Cost([]byte(stored))
	if err != nil || cost > maxBcryptCost || len(stored) != 60 {
		return nil, false
	}
	return func(password auth.Secret) bool {
		text := []byte(password.Reveal())
		if len(text) > maxBcryptBytes {
			// bcrypt would look at the first 72 bytes alone, and take every password that begins with them (ASVS 5.0 6.2.8). The work is
			// done all the same.
			_ = bcrypt.CompareHashAndPassword([]byte(stored), text[:maxBcryptBytes])
			return false
		}
		return bcrypt.CompareHashAndPassword([]byte(stored), text) == nil
	}, true
}

func parseScrypt(fields []string) (imported, uint32, bool) {
	if len(fields) != 5 {
		return nil, 0, false
	}
	var ln, r, p int
	if n, err := fmt.Sscanf(fields[2], "ln=%d,r=%d,p=%d", &ln, &r, &p); n != 3 || err != nil {
		return nil, 0, false
	}
	salt, tag, ok := saltAndTag(fields[3], fields[4])
	if !ok || ln < 1 || ln > maxScryptLog || r < 1 || r > maxScryptFactor || p < 1 || p > maxScryptFactor {
		return nil, 0, false
	}
	memory := (128 << ln) * r
	if memory > maxScryptMemory || memory*p > maxScryptWork {
		return nil, 0, false
	}
	return func(password auth.Secret) bool {
		computed, err := scrypt.Key([]byte(password.Reveal()), salt, 1<<ln, r, p, len(tag))
		return err == nil && subtle.ConstantTimeCompare(computed, tag) == 1
	}, uint32(memory >> 10), true
}

func parsePBKDF2(fields []string, h func() hash.Hash) (imported, bool) {
	if len(fields) != 5 {
		return nil, false
	}
	rounds, length, hasLength := strings.Cut(strings.TrimPrefix(fields[2], "i="), ",l=")
	iterations, err := strconv.Atoi(rounds)
	salt, tag, ok := saltAndTag(fields[3], fields[4])
	if err != nil || !ok || iterations < minIterations || iterations > maxIterations || hasLength && length != strconv.Itoa(len(tag)) {
		return nil, false
	}
	return func(password auth.Secret) bool {
		computed, err := pbkdf2.Key(h, password.Reveal(), salt, iterations, len(tag))
		return err == nil && subtle.ConstantTimeCompare(computed, tag) == 1
	}, true
}

// saltAndTag reads unpadded base64, in which passlib writes . for +.
func saltAndTag(salt, tag string) (s, t []byte, ok bool) {
	decode := func(text string) ([]byte, error) {
		return base64.RawStdEncoding.Strict().DecodeString(strings.ReplaceAll(text, ".", "+"))
	}
	s, saltErr := decode(salt)
	t, tagErr := decode(tag)
	return s, t, saltErr == nil && tagErr == nil && len(s) >= 8 && len(s) <= 64 && len(t) >= 16 && len(t) <= 64
}
