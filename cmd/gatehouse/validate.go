package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"example.com/gatehouse/internal/oauth"
	"example.com/gatehouse/internal/server"
)

// duration is a time.Duration that may be given in days. A text that is none is kept as wrong, for validate to tell of.
type duration struct {
	time.Duration
	wrong bool
}

// UnmarshalText reads a text such as 5s or 90d.
func (d *duration) UnmarshalText(text []byte) error {
	var err error
	if days, found := strings.CutSuffix(string(text), "d"); found {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		d.Duration = time.Duration(n) * 24 * time.Hour
	} else {
		d.Duration, err = time.ParseDuration(string(text))
	}
	d.wrong = err != nil
	return nil
}

// validate returns every setting that is wrong, each with what to do. It changes nothing.
func (s *serve) validate() error {
	var faults []error
	complain := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	faults = append(faults, s.certificateFaults()...)
	if err := s.edge.apply(&server.Config{}); err != nil {
		faults = append(faults, err)
	}
	complain(!listenable(s.Address), "the address to listen on is wrong: give --address HOST:PORT, or --address :PORT for all addresses of this machine")
	complain(s.Docs != "" && s.Docs != "auto" && s.Docs != "on" && s.Docs != "off", "the documentation is neither on nor off: give --docs on, off or auto")
	complain(s.Drain.wrong || s.Drain.Duration < 0, "the time to drain is wrong: give a time such as --drain 5s, or 0")
	if _, err := oauth.ParseAlgorithm(s.SigningAlgorithm); err != nil && s.SigningAlgorithm != "" {
		faults = append(faults, fmt.Errorf("%w: give one of them with --signing-algorithm", err))
	}
	age := s.SigningKeyAge.Duration
	complain(s.SigningKeyAge.wrong || age != 0 && age < oauth.MinRotateAfter, "the age of signing keys is wrong: give --signing-key-age at least 1h, such as 90d, or 0 for never")
	if _, err := s.passwords(); err != nil {
		faults = append(faults, err)
	}
	faults = append(faults, s.placeFaults()...)
	faults = append(faults, s.accountSettings.faults(s.Dev)...)
	faults = append(faults, s.shared.faults(s.Dev)...)
	faults = append(faults, s.operating.faults()...)
	if s.Dev {
		complain(!loopback(s.Address), "--dev listens on loopback only: give --address 127.0.0.1:PORT, or leave out --dev and give the settings of a production service")
		if s.SecretKeyFile != "" {
			if _, err := server.ReadSecret(s.SecretKeyFile, true); err != nil {
				faults = append(faults, err)
			}
		}
	} else {
		if _, err := server.ReadSecret(s.SecretKeyFile, false); err != nil {
			faults = append(faults, err)
		}
		complain(!issuer(s.Issuer), "the issuer must be the https address of the service, without a path: give --issuer https://NAME, or --dev to try the service out")
	}
	return errors.Join(faults...)
}

// placeFaults returns what is wrong with where the data is.
func (p *place) placeFaults() (faults []error) {
	if info, err := os.Stat(p.Data); err == nil && !info.IsDir() {
		faults = append(faults, fmt.Errorf("%s is not a folder: give one with --data", p.Data))
	}
	if file := p.sqlite(); file != "" {
		if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
			faults = append(faults, fmt.Errorf("%s is not a file: give one with --database", file))
		}
	} else if _, err := url.Parse(p.Database); err != nil {
		// Not the error itself, which quotes the address with its password.
		faults = append(faults, errors.New("the address of the database is wrong: give --database postgres://USER@HOST/NAME"))
	}
	return faults
}

// listenable reports whether the address is a host and a port.
func listenable(address string) bool {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// issuer reports whether the text may be an issuer: an https URL without a query or a fragment (RFC 8414 §2), without a
// password, which would be in every token, and without a path: the pages and the metadata are at the root, and so is their cookie.
func issuer(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && u.Path == "" && u.RawQuery == "" && !u.ForceQuery && u.Fragment == ""
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
