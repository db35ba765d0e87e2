package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"example.com/gatehouse/internal/server"
)

// acmeSettings are those of serve for certificates of an ACME directory, and for the port of plain HTTP, on which it may look.
type acmeSettings struct {
	ACMEDomain      []string `name:"acme-domain" help:"A name of the service. It gets a certificate for it from an ACME directory, and renews it. Give it again for another name."`
	ACMEDirectory   string   `name:"acme-directory" default:"https://acme-v02.api.letsencrypt.org/directory" help:"The address of the ACME directory."`
	ACMEEmail       string   `name:"acme-email" help:"Where the CA of the ACME directory writes to."`
	ACMEAcceptTerms bool     `name:"acme-accept-terms" help:"Accept the terms of service of the CA. Needed with --acme-domain."`
	ACMECAFile      string   `name:"acme-ca-file" help:"The CA of the ACME directory itself, PEM, where the system does not know it."`
	HTTPAddress     string   `name:"http-address" help:"Listen for plain HTTP there too, to tell clients that the API is spoken over https, and to answer ACME."`
}

func (s *serve) acme(log *slog.Logger, now func() time.Time) server.ACMEConfig {
	return server.ACMEConfig{
		Domains: s.ACMEDomain, Directory: s.ACMEDirectory, CAFile: s.ACMECAFile, Email: s.ACMEEmail, Cache: filepath.Join(s.Data, "acme"),
		PlainHTTP: s.HTTPAddress != "", Log: log, Now: now,
	}
}

// usesTLS reports whether the service speaks HTTPS.
func (s *serve) usesTLS() bool { return s.TLSDevCert || s.TLSCert != "" || len(s.ACMEDomain) > 0 }

// certificateFaults returns what is wrong with the settings of TLS.
func (s *serve) certificateFaults() (faults []error) {
	complain := func(bad bool, text string) {
		if bad {
			faults = append(faults, errors.New(text))
		}
	}
	complain((s.TLSCert == "") != (s.TLSKey == ""), "--tls-cert and --tls-key go together: give both or none")
	complain(s.TLSDevCert && s.TLSCert != "", "--tls-dev-cert makes a certificate: give it or --tls-cert")
	complain(s.TLSDevCert && !s.Dev, "--tls-dev-cert is for development: give --tls-cert and --tls-key")
	if s.TLSCert != "" && s.TLSKey != "" && !s.TLSDevCert {
		if _, err := server.OpenCertificateFiles(s.TLSCert, s.TLSKey, slog.New(slog.DiscardHandler), time.Now); err != nil {
			faults = append(faults, fmt.Errorf("%w: give a certificate and its key, both PEM, with --tls-cert and --tls-key", err))
		}
	}
	if len(s.ACMEDomain) > 0 {
		complain(s.TLSCert != "" || s.TLSDevCert, "--acme-domain gets a certificate: give it, or --tls-cert, or --tls-dev-cert")
		complain(!s.ACMEAcceptTerms, "the CA of the ACME directory has terms of service: read them, and give --acme-accept-terms")
		if err := s.acme(nil, nil).Check(); err != nil {
			faults = append(faults, err)
		}
	} else {
		complain(s.ACMEEmail != "" || s.ACMEAcceptTerms || s.ACMECAFile != "", "settings of ACME do nothing by themselves: give --acme-domain too, or none of them")
	}
	if s.HTTPAddress != "" {
		complain(!listenable(s.HTTPAddress), "the address of plain HTTP is wrong: give --http-address HOST:PORT, or --http-address :PORT for all addresses of this machine")
		complain(!s.usesTLS(), "--http-address is beside HTTPS: give --tls-cert and --tls-key or --acme-domain too, or --address alone")
		complain(s.Dev && listenable(s.HTTPAddress) && !loopback(s.HTTPAddress), "--dev listens on loopback only: give --http-address 127.0.0.1:PORT")
	}
	return faults
}

// certificates returns where the certificates come from, or nil where the service speaks plain HTTP.
func (s *serve) certificates(c server.Config) (server.Certificates, error) {
	if len(s.ACMEDomain) > 0 {
		return server.NewACME(s.acme(c.Log, c.Now))
	}
	cert, key := s.TLSCert, s.TLSKey
	if s.TLSDevCert {
		var err error
		if cert, key, err = server.DevelopmentCertificate(s.Data, c.Now(), c.Random); err != nil {
			return nil, err
		}
	}
	if cert == "" {
		return nil, nil
	}
	return server.OpenCertificateFiles(cert, key, c.Log, c.Now)
}

// onHangup looks at the certificate files whenever the process gets SIGHUP, as those who replace certificates expect it of a
// server, until the function that it returns is called.
func onHangup(certificates server.Certificates) (stop func()) {
	files, ok := certificates.(*server.CertificateFiles)
	if !ok {
		return func() {}
	}
	hangups, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		defer close(done)
		for range hangups {
			files.Look()
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(hangups)
		<-done
	}
}

// listenPlain listens for plain HTTP, where that is wanted.
func (s *serve) listenPlain() (net.Listener, error) {
	if s.HTTPAddress == "" {
		return nil, nil
	}
	listener, err := net.Listen("tcp", s.HTTPAddress)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", s.HTTPAddress, err)
	}
	return listener, nil
}

// servePlain serves the listener, if there is one, until the function that it returns is called.
func servePlain(ctx context.Context, service *server.Server, listener net.Listener, log *slog.Logger) (stop func()) {
	if listener == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := service.ServePlain(ctx, listener); err != nil {
			log.Error("plain HTTP is no longer answered", "error", err.Error())
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
