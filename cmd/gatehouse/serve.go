package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"example.com/gatehouse/internal/oauth"
	"example.com/gatehouse/internal/server"
)

// serve holds the settings. Each is a flag, or the variable GATEHOUSE_ and the flag's name in capitals. What they may be
// is judged by validate and not by tags, so that one run tells of everything that is wrong.
type serve struct {
	place            `embed:""`
	Address          string   `default:"127.0.0.1:8080" help:"Where to listen."`
	Issuer           string   `help:"The https address of the service, as clients see it, without a path: the iss of its tokens."`
	Docs             string   `default:"auto" help:"Serve the documentation: on, off, or auto, which is on with --dev and off without."`
	TLSCert          string   `name:"tls-cert" help:"The certificate file, PEM. With --tls-key the service speaks HTTPS."`
	TLSKey           string   `name:"tls-key" help:"The key file of the certificate, PEM."`
	TLSDevCert       bool     `name:"tls-dev-cert" help:"Speak HTTPS with a certificate made for localhost in the data folder. Needs --dev."`
	PasswordGrant    string   `default:"auto" help:"Offer the password grant of OAuth 2.0, which is deprecated: on, off, or auto, which is on with --dev and off without."`
	CheckResponses   bool     `help:"Compare every response with the document, and answer 500 instead of what it does not declare: for tests and staging. Each response is held in memory."`
	Drain            duration `default:"5s" help:"How long /readyz says no before the service stops accepting; 0 with --dev."`
	SigningAlgorithm string   `default:"EdDSA" help:"The algorithm of the signing keys that the service makes: EdDSA, ES256 or RS256. Keys that are there keep theirs."`
	SigningKeyAge    duration `default:"90d" help:"How long a signing key signs before the next one is made; 0 for never."`

	acmeSettings    `embed:""`
	edge            `embed:""`
	hashing         `embed:""`
	accountSettings `embed:""`
	shared          `embed:""`
	operating       `embed:""`
}

// Run serves until the context ends.
func (s *serve) Run(ctx context.Context) error {
	if err := s.validate(); err != nil {
		return usageError{err}
	}
	// Listening comes first: a second service on the same address must not touch the data.
	listener, err := net.Listen("tcp", s.Address)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", s.Address, err)
	}
	defer listener.Close()
	plain, err := s.listenPlain()
	if err != nil {
		return err
	}
	if plain != nil {
		defer plain.Close()
	}
	admin, err := s.admin()
	if err != nil {
		return err
	}
	if admin != nil {
		defer admin.Close()
	}
	config, err := s.config(listener)
	if err != nil {
		return err
	}
	config.Admin = admin
	service, err := server.New(ctx, config)
	if err != nil {
		return err
	}
	defer service.Close()
	if s.Dev {
		s.banner(os.Stdout, config.Issuer)
	}
	defer onHangup(config.Certificates)()
	defer servePlain(ctx, service, plain, config.Log)()
	config.Log.Info("ready", "address", listener.Addr().String())
	return service.Serve(ctx, listener)
}

func (s *serve) config(listener net.Listener) (server.Config, error) {
	c := server.Config{
		Development:      s.Dev,
		Database:         s.database(),
		Data:             s.Data,
		Issuer:           s.Issuer,
		SigningAlgorithm: oauth.Algorithm(s.SigningAlgorithm),
		SigningKeyAge:    s.SigningKeyAge.Duration,
		Docs:             s.Docs == "on" || s.Docs == "auto" && s.Dev,
		Drain:            s.Drain.Duration,
		PasswordGrant:    s.PasswordGrant == "on" || s.PasswordGrant == "auto" && s.Dev,
		CheckResponses:   s.CheckResponses,
		Limits:           s.limits(),
		Log:              slog.New(slog.NewJSONHandler(os.Stderr, nil)),
		AccessLog:        os.Stderr,
		Now:              time.Now,
		Random:           rand.Reader,
	}
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return c, err
	}
	if s.Dev {
		c.Drain = 0
		if s.SecretKeyFile == "" {
			if _, err := server.MakeDevelopmentSecret(s.Data, rand.Reader); err != nil {
				return c, err
			}
		}
		if c.Issuer == "" {
			c.Issuer = s.scheme() + "://" + listener.Addr().String()
		}
	}
	if err := s.accountSettings.apply(&c); err != nil {
		return c, err
	}
	if err := s.edge.apply(&c); err != nil {
		return c, err
	}
	var err error
	c.Replicas = s.Replicas
	if c.Redis, err = s.redis(); err != nil {
		return c, err
	}
	if c.Passwords, err = s.passwords(); err != nil {
		return c, err
	}
	if c.Secret, err = server.ReadSecret(s.secretFile(), s.Dev); err != nil {
		return c, err
	}
	c.Certificates, err = s.certificates(c)
	return c, err
}

func (s *serve) scheme() string {
	if s.usesTLS() {
		return "https"
	}
	return "http"
}

// banner tells a newcomer where to look and what to try.
func (s *serve) banner(w io.Writer, base string) {
	ca := ""
	if s.TLSDevCert {
		ca = "--cacert " + filepath.Join(s.Data, "dev-ca.pem") + " "
	}
	env := filepath.Join(s.Data, "dev.env")
	fmt.Fprintf(w, `
  documentation  %[1]s/docs
  credentials    %[2]s
  mails          %[4]s

  . %[2]s && curl %[3]s-u "$GATEHOUSE_USER:$GATEHOUSE_PASSWORD" %[1]s/protected/basic
  . %[2]s && curl %[3]s-H "X-API-Key: $GATEHOUSE_API_KEY" -H 'Content-Type: application/json' -d '{"name":"Oak chair","price":129.9}' %[1]s/items
  . %[2]s && curl %[3]s-d grant_type=password -d "username=$GATEHOUSE_USER" --data-urlencode "password=$GATEHOUSE_PASSWORD" %[1]s/token

`, base, env, ca, filepath.Join(s.Data, mailFolder))
}
