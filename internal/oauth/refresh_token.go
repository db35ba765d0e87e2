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

// sessionTokens makes and reads the secrets of sessions: refresh tokens, and the cookies of our own pages. A token is the id of a
// session, a generation of it, and a MAC over both: the successor of a token is always the same, so that a client that lost the reply
// is given it again, and nothing in the database lets anyone make one. The MAC has 256 bits (security.md 35).
type sessionTokens struct {
	// prefix says what kind of secret this is, to people and to scanners of leaked secrets.
	prefix string
	key    [32]byte
}

func (h *Handlers) refreshTokens() sessionTokens { return sessionTokens{"rt_", h.RefreshKey} }

// The parts of a token before base64url.
const (
	sessionIDBytes  = 16
	generationBytes = 8
	tokenBytes      = sessionIDBytes + generationBytes + sha256.Size
)

// of returns the token of the generation of a session that is in force.
func (t sessionTokens) of(s session.Session) (auth.Secret, error) {
	id, err := uuid.Parse(s.ID)
	if err != nil {
		return "", err
	}
	raw := binary.BigEndian.AppendUint64(id[:], uint64(s.Generation))
	raw = append(raw, t.mac(raw)...)
	return auth.Secret(t.prefix + base64.RawURLEncoding.EncodeToString(raw)), nil
}

func (t sessionTokens) mac(raw []byte) []byte {
	h := hmac.New(sha256.New, t.key[:])
	h.Write(raw)
	return h.Sum(nil)
}

// read returns the session and the generation that a token names, where it is one of ours.
func (t sessionTokens) read(token string) (sessionID string, generation int64, ok bool) {
	encoded, found := strings.CutPrefix(token, t.prefix)
	if !found || len(encoded) != base64.RawURLEncoding.EncodedLen(tokenBytes) {
		return "", 0, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return "", 0, false
	}
	signed, mac := raw[:sessionIDBytes+generationBytes], raw[sessionIDBytes+generationBytes:]
	if !hmac.Equal(mac, t.mac(signed)) {
		return "", 0, false
	}
	return uuid.UUID(signed[:sessionIDBytes]).String(), int64(binary.BigEndian.Uint64(signed[sessionIDBytes:])), true
}
