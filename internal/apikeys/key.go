package apikeys

import (
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"example.com/gatehouse/internal/auth"
)

// The form of a key: gth_<environment>_<id>_<secret>_<checksum>. The prefix lets scanners of source code find a key
// that was published, the checksum lets them and this service refuse what is none without a look-up, and the
// separator lets a double click select the whole.
const (
	prefix         = "gth"
	idLength       = 10 // 59 bits, enough to tell keys apart
	secretLength   = 32 // 190 bits, too many to guess
	checksumLength = 6  // 32 bits
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// parts are what a key is made of.
type parts struct {
	environment, id, secret string
}

func (p parts) format() auth.APIKey {
	body := strings.Join([]string{prefix, p.environment, p.id, p.secret}, "_")
	return auth.APIKey{Secret: auth.Secret(body + "_" + checksum(body))}
}

// parse takes a key apart. It needs no database, so that noise costs none.
func parse(key auth.APIKey) (parts, bool) {
	text := key.Reveal()
	const around = len(prefix) + 1 + 1 + idLength + 1 + secretLength + 1 + checksumLength
	if len(text) < around+3 || len(text) > around+4 { // dev, live
		return parts{}, false
	}
	fields := strings.Split(text, "_")
	if len(fields) != 5 || fields[0] != prefix || len(fields[2]) != idLength || len(fields[3]) != secretLength {
		return parts{}, false
	}
	body := text[:len(text)-checksumLength-1]
	if fields[4] != checksum(body) {
		return parts{}, false
	}
	return parts{environment: fields[1], id: fields[2], secret: fields[3]}, true
}

func checksum(body string) string {
	sum := crc32.ChecksumIEEE([]byte(body))
	var b [checksumLength]byte
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = base62[sum%62]
		sum /= 62
	}
	return string(b[:])
}

// randomText returns n characters of base62. Bytes of 248 and above are dropped, so that all characters are
// equally likely.
func randomText(random io.Reader, n int) (string, error) {
	text := make([]byte, 0, n)
	buf := make([]byte, n)
	for len(text) < n {
		if _, err := io.ReadFull(random, buf); err != nil {
			return "", fmt.Errorf("no randomness: %w", err)
		}
		for _, b := range buf {
			if b < 248 && len(text) < n {
				text = append(text, base62[b%62])
			}
		}
	}
	return string(text), nil
}
