package oauth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/google/uuid"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/session"
)

// refreshTokenPrefix says what kind of secret this is, to people and to scanners of leaked secrets.
const refreshTokenPrefix = "rt_"

// refreshTokens makes and reads refresh tokens. A token is the id of a session, a generation of it, and a MAC over both: the
// successor of a token is always the same, so that a client that lost the reply is given it again, and nothing in the database
// lets anyone make one. The MAC has 256 bits (security.md 35).
type refreshTokens struct{ key [32]byte }

// The parts of a refresh token before base64url.
const (
	sessionIDBytes  = 16
	generationBytes = 8
	refreshBytes    = sessionIDBytes + generationBytes + sha256.Size
)

// of returns the refresh token of the generation of a session that is in force.
func (r refreshTokens) of(s session.Session) (auth.Secret, error) {
	id, err := uuid.Parse(s.ID)
	if err != nil {
		return "", err
	}
	raw := binary.BigEndian.AppendUint64(id[:], uint64(s.Generation))
	raw = append(raw, r.mac(raw)...)
	return auth.Secret(refreshTokenPrefix + base64.RawURLEncoding.EncodeToString(raw)), nil
}

func (r refreshTokens) mac(raw []byte) []byte {
	h := hmac.New(sha256.New, r.key[:])
	h.Write(raw)
	return h.Sum(nil)
}

// read returns the session and the generation that a refresh token names, where it is one of ours.
func (r refreshTokens) read(token string) (sessionID string, generation int64, ok bool) {
	encoded, found := strings.CutPrefix(token, refreshTokenPrefix)
	if !found || len(encoded) != base64.RawURLEncoding.EncodedLen(refreshBytes) {
		return "", 0, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return "", 0, false
	}
	signed, mac := raw[:sessionIDBytes+generationBytes], raw[sessionIDBytes+generationBytes:]
	if !hmac.Equal(mac, r.mac(signed)) {
		return "", 0, false
	}
	return uuid.UUID(signed[:sessionIDBytes]).String(), int64(binary.BigEndian.Uint64(signed[sessionIDBytes:])), true
}
