package server

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/accounts"
	"example.com/gatehouse/internal/apikeys"
	"example.com/gatehouse/internal/oauth"
	"example.com/gatehouse/internal/sqldb"
)

// What the tests outside of the package reach of a running service.

// NewCounted is New with a function that is called for each request that reaches a handler.
func NewCounted(ctx context.Context, c Config, handled func(operationID string)) (*Server, error) {
	db, err := sqldb.Open(ctx, c.Database)
	if err != nil {
		return nil, err
	}
	s := &Server{config: c, db: db}
	s.middlewares = []api.StrictMiddlewareFunc{func(next api.StrictHandlerFunc, operationID string) api.StrictHandlerFunc {
		return func(ctx echo.Context, request any) (any, error) {
			handled(operationID)
			return next(ctx, request)
		}
	}}
	if err := s.wire(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (s *Server) Users() *accounts.Service { return s.users }
func (s *Server) Keys() *apikeys.Service   { return s.keys }
func (s *Server) Clients() *oauth.Clients  { return s.clients }

// Mails returns when every mail is sent that the requests so far have caused.
func (s *Server) Mails() {
	s.users.Settle()
	for s.mail != nil && s.mail.Held() > 0 {
		time.Sleep(time.Millisecond)
	}
}

// Places is how many requests are in work, and how many wait for that.
func (s *Server) Places() (taken, waiting int) {
	taken, waiting, _ = s.gate.state()
	return taken, waiting
}

// HTTP2 are the limits of HTTP/2 connections.
func (l Limits) HTTP2() *http.HTTP2Config { return l.http2() }

func (s *Server) DB() *sqldb.DB { return s.db }

// Refresh reads what ended in other processes, as the service does every few seconds.
func (s *Server) Refresh(ctx context.Context) error { return s.refresh(ctx) }

// SigningKeys is what a poll asks to refresh.
func (s *Server) SigningKeys() *oauth.KeyStore { return s.signingKeys }

// SigningKey opens the key that signs access tokens, to make tokens that nothing but their claims can tell from real ones.
func (s *Server) SigningKey(ctx context.Context) (kid string, private ed25519.PrivateKey, err error) {
	var sealed string
	if err := s.db.Reader().QueryRowContext(ctx, `SELECT kid, private_key FROM signing_keys WHERE revoked_at IS NULL ORDER BY generation`).Scan(&kid, &sealed); err != nil {
		return "", nil, err
	}
	key, err := derive(s.config.Secret, "signing keys")
	if err != nil {
		return "", nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return "", nil, err
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(sealed, "a256gcm-pkcs8."))
	if err != nil {
		return "", nil, err
	}
	document, err := aead.Open(nil, raw[:aead.NonceSize()], raw[aead.NonceSize():], []byte(kid))
	if err != nil {
		return "", nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(document)
	if err != nil {
		return "", nil, err
	}
	return kid, parsed.(ed25519.PrivateKey), nil
}
