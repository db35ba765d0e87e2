package main

import (
	"os"
	"os/signal"
	"syscall"

	"example.com/gatehouse/internal/server"
)

// certificates returns where the certificates come from, or nil where the service speaks plain HTTP.
func (s *serve) certificates(c server.Config) (server.Certificates, error) {
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
