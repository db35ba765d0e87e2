package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"example.com/gatehouse/internal/server"
)

// serve holds the settings. Each is a flag, or the variable GATEHOUSE_ and the flag's name in capitals.
type serve struct {
	Dev            bool          `help:"Development: made-up secrets in the data folder, documentation on, loopback only."`
	Address        string        `default:"127.0.0.1:8080" help:"Where to listen."`
	Data           string        `default:"data" help:"The folder of the embedded database and the development files."`
	Database       string        `help:"The SQLite file (default: gatehouse.db in the data folder)."`
	SecretKeyFile  string        `help:"A file with the secret key: 32 random bytes in base64. Signing keys and API keys are kept under it."`
	Issuer         string        `help:"The https address of the service, as clients see it: the iss of its tokens."`
	Docs           string        `default:"auto" enum:"auto,on,off" help:"Serve the documentation; auto is on with --dev and off without."`
	TLSCert        string        `name:"tls-cert" help:"The certificate file, PEM. With --tls-key the service speaks HTTPS."`
	TLSKey         string        `name:"tls-key" help:"The key file of the certificate, PEM."`
	TLSDevCert     bool          `name:"tls-dev-cert" help:"Speak HTTPS with a certificate made for localhost in the data folder. Needs --dev."`
	CheckResponses bool          `help:"Compare every response with the document, and answer 500 instead of what it does not declare: for tests and staging. Each response is held in memory."`
	Drain          time.Duration `default:"5s" help:"How long /readyz says no before the service stops accepting; 0 with --dev."`

	accountSettings `embed:""`
}

// Run serves until the context ends.
func (s *serve) Run(ctx context.Context) error {
	if err := s.validate(); err != nil {
		return err
	}
	// Listening comes first: a second service on the same address must not touch the data.
	listener, err := net.Listen("tcp", s.Address)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", s.Address, err)
	}
	defer listener.Close()
	config, err := s.config(listener)
	if err != nil {
		return err
	}
	service, err := server.New(ctx, config)
	if err != nil {
		return err
	}
	defer service.Close()
	if s.Dev {
		s.banner(os.Stdout, config.Issuer)
	}
	config.Log.Info("ready", "address", listener.Addr().String())
	return service.Serve(ctx, listener)
}

// validate returns every setting that is wrong, each with what to do.
func (s *serve) validate() error {
	var faults []error
	complain := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	complain((s.TLSCert == "") != (s.TLSKey == ""), "--tls-cert and --tls-key go together: give both or none")
	complain(s.TLSDevCert && s.TLSCert != "", "--tls-dev-cert makes a certificate: give it or --tls-cert")
	complain(s.TLSDevCert && !s.Dev, "--tls-dev-cert is for development: give --tls-cert and --tls-key")
	faults = append(faults, s.accountSettings.faults(s.Dev)...)
	if s.Dev {
		complain(!loopback(s.Address), "--dev listens on loopback only: give --address 127.0.0.1:PORT, or leave out --dev and give the settings of a production service")
	} else {
		if _, err := server.ReadSecret(s.SecretKeyFile, false); err != nil {
			faults = append(faults, err)
		}
		issuer, err := url.Parse(s.Issuer)
		complain(err != nil || issuer.Scheme != "https" || issuer.Host == "", "the issuer must be the https address of the service: give --issuer https://NAME, or --dev to try the service out")
	}
	return errors.Join(faults...)
}

// loopback reports whether the address names this machine alone.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (s *serve) config(listener net.Listener) (server.Config, error) {
	c := server.Config{
		Development:    s.Dev,
		Database:       s.Database,
		Data:           s.Data,
		Issuer:         s.Issuer,
		Docs:           s.Docs == "on" || s.Docs == "auto" && s.Dev,
		Drain:          s.Drain,
		CheckResponses: s.CheckResponses,
		Log:            slog.New(slog.NewJSONHandler(os.Stderr, nil)),
		AccessLog:      os.Stderr,
		Now:            time.Now,
		Random:         rand.Reader,
	}
	if c.Database == "" {
		c.Database = filepath.Join(s.Data, "gatehouse.db")
	}
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return c, err
	}
	if s.Dev {
		c.Drain = 0
		if s.SecretKeyFile == "" {
			file, err := server.MakeDevelopmentSecret(s.Data, rand.Reader)
			if err != nil {
				return c, err
			}
			s.SecretKeyFile = file
		}
		if c.Issuer == "" {
			c.Issuer = s.scheme() + "://" + listener.Addr().String()
		}
	}
	if err := s.accountSettings.apply(&c); err != nil {
		return c, err
	}
	var err error
	if c.Secret, err = server.ReadSecret(s.SecretKeyFile, s.Dev); err != nil {
		return c, err
	}
	c.TLS, err = s.tls(c)
	return c, err
}

func (s *serve) scheme() string {
	if s.TLSDevCert || s.TLSCert != "" {
		return "https"
	}
	return "http"
}

func (s *serve) tls(c server.Config) (*tls.Config, error) {
	if s.TLSDevCert {
		cert, key, err := server.DevelopmentCertificate(s.Data, c.Now(), c.Random)
		if err != nil {
			return nil, err
		}
		s.TLSCert, s.TLSKey = cert, key
	}
	if s.TLSCert == "" {
		return nil, nil
	}
	return server.TLSConfig(s.TLSCert, s.TLSKey)
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
