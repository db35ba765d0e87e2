package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	// developmentValidity is short enough to be forgotten on a disk, long enough that a newcomer trusts the CA once.
	developmentValidity = 90 * 24 * time.Hour
	// developmentRenewal is before the end, so that a service that runs for a day does not outlive its certificate.
	developmentRenewal = 24 * time.Hour
)

// DevelopmentCertificate returns the files of a certificate for localhost, 127.0.0.1 and ::1. It makes them, and
// dev-ca.pem beside them, where they are missing or have ended; others it leaves as they are.
//
// The key of the CA is not kept, and the CA may sign for this machine's loopback names alone: who trusts dev-ca.pem
// trusts nothing else with it.
func DevelopmentCertificate(dir string, now time.Time, random io.Reader) (certFile, keyFile string, err error) {
	files := developmentFiles{
		ca: filepath.Join(dir, "dev-ca.pem"), cert: filepath.Join(dir, "dev-cert.pem"), key: filepath.Join(dir, "dev-key.pem"),
	}
	good, err := files.check(now)
	if err != nil {
		return "", "", fmt.Errorf("%w: delete dev-ca.pem, dev-cert.pem and dev-key.pem in %s to have new ones made", err, dir)
	}
	if !good {
		if err := files.make(now, random); err != nil {
			return "", "", fmt.Errorf("make a development certificate: %w", err)
		}
	}
	return files.cert, files.key, nil
}

type developmentFiles struct{ ca, cert, key string }

// check reports whether the files can be used. It fails where they are not what make wrote, so that nothing of
// anybody else's is overwritten.
func (f developmentFiles) check(now time.Time) (good bool, err error) {
	missing := 0
	for _, file := range []string{f.ca, f.cert, f.key} {
		if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
			missing++
		} else if err != nil {
			return false, err
		}
	}
	if missing == 3 {
		return false, nil
	}
	if missing > 0 {
		return false, errors.New("a part of the development certificate is missing")
	}
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return false, fmt.Errorf("the development certificate does not fit its key: %w", err)
	}
	ca, err := os.ReadFile(f.ca)
	if err != nil {
		return false, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: pair.Leaf.NotBefore, DNSName: "localhost"}); err != nil {
		return false, fmt.Errorf("dev-ca.pem does not vouch for dev-cert.pem: %w", err)
	}
	return !now.Before(pair.Leaf.NotBefore) && now.Before(pair.Leaf.NotAfter.Add(-developmentRenewal)), nil
}

func (f developmentFiles) make(now time.Time, random io.Reader) error {
	loopback := []net.IP{net.IPv4(127, 0, 0, 1).To4(), net.IPv6loopback}
	ca := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "Gatehouse development CA"},
		NotBefore: now.Add(-time.Hour), // clients whose clock is a little late
		NotAfter:  now.Add(developmentValidity),
		KeyUsage:  x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: []string{"localhost"},
	}
	for _, ip := range loopback {
		bits := len(ip) * 8
		ca.PermittedIPRanges = append(ca.PermittedIPRanges, &net.IPNet{IP: ip, Mask: net.CIDRMask(bits, bits)})
	}
	leaf := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "localhost"},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              []string{"localhost"}, IPAddresses: loopback,
	}
	for _, c := range []*x509.Certificate{ca, leaf} {
		// A new CA of the same name is another one: browsers refuse two certificates with one serial number.
		serial := make([]byte, 16)
		if _, err := io.ReadFull(random, serial); err != nil {
			return err
		}
		serial[0] = serial[0]&0x7f | 0x40 // positive, and not zero (RFC 5280 §4.1.2.2)
		c.SerialNumber = new(big.Int).SetBytes(serial)
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return err
	}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return err
	}
	caDER, err := x509.CreateCertificate(random, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return err
	}
	if ca, err = x509.ParseCertificate(caDER); err != nil {
		return err
	}
	leafDER, err := x509.CreateCertificate(random, leaf, ca, &leafKey.PublicKey, caKey)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		return err
	}
	return errors.Join(
		replacePEM(f.key, "PRIVATE KEY", keyDER, 0o600),
		replacePEM(f.cert, "CERTIFICATE", leafDER, 0o644),
		replacePEM(f.ca, "CERTIFICATE", caDER, 0o644),
	)
}

// replacePEM writes the whole file or leaves the one that is there.
func replacePEM(file, kind string, der []byte, mode fs.FileMode) error {
	temporary, err := os.CreateTemp(filepath.Dir(file), ".dev-*") // 0600
	if err != nil {
		return err
	}
	err = errors.Join(
		pem.Encode(temporary, &pem.Block{Type: kind, Bytes: der}),
		temporary.Chmod(mode),
		temporary.Close(),
	)
	if err == nil {
		err = os.Rename(temporary.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary.Name()))
	}
	return nil
}
