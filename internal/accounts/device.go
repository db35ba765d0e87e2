package accounts

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"io"
	"strings"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/ratelimit"
)

// A device is a browser in which somebody has logged in to an account. Its failures are counted apart from those of all others, so that who
// attacks the account from everywhere keeps nobody from it who has been there before (the OWASP Authentication Cheat Sheet calls this
// device cookies). It proves nothing else: whoever steals the token may guess as often as any address may.

const (
	// deviceLifetime is how long a device is known after its last login.
	deviceLifetime = 180 * 24 * time.Hour
	devicePrefix   = "dv_"
	deviceIDBytes  = 16
)

// NewDevice returns the token of a device that has just logged in to the account, and for how long it is good.
func (s *Service) NewDevice(username string) (token auth.Secret, lifetime time.Duration, err error) {
	device := make([]byte, deviceIDBytes, deviceIDBytes+8)
	if _, err := io.ReadFull(s.config.Random, device); err != nil {
		return "", 0, err
	}
	device = binary.BigEndian.AppendUint64(device, uint64(s.config.Now().Unix()))
	token = auth.Secret(devicePrefix + base64.RawURLEncoding.EncodeToString(append(device, s.sealDevice(device, username)...)))
	return token, deviceLifetime, nil
}

// knownDevice returns the id of the device where the token is one of the account.
func (s *Service) knownDevice(token auth.Secret, username string, now time.Time) (id string, known bool) {
	text, ours := strings.CutPrefix(token.Reveal(), devicePrefix)
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if !ours || err != nil || len(raw) != deviceIDBytes+8+sha256.Size {
		return "", false
	}
	device, seal := raw[:deviceIDBytes+8], raw[deviceIDBytes+8:]
	if !hmac.Equal(seal, s.sealDevice(device, username)) {
		return "", false
	}
	since := time.Unix(int64(binary.BigEndian.Uint64(device[deviceIDBytes:])), 0)
	return string(device[:deviceIDBytes]), now.Before(since.Add(deviceLifetime))
}

func (s *Service) sealDevice(device []byte, username string) []byte {
	mac := hmac.New(sha256.New, s.config.DeviceKey[:])
	mac.Write(device)
	io.WriteString(mac, ratelimit.AccountKey(username))
	return mac.Sum(nil)
}
