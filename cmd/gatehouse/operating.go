package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"example.com/gatehouse/internal/server"
)

// operating are the settings of who watches over the process and what it may take.
type operating struct {
	AdminAddress             string `help:"Where metrics, readiness and profiles are served: a loopback address such as 127.0.0.1:9090, or unix:/PATH for a socket. Nowhere where it is not given."`
	MaxConcurrent            count  `help:"How many requests are in work at once; more get 503. 256, or 64 for each core, where it is not given."`
	MaxConnections           count  `help:"How many clients are connected at once; more are closed. 12000, or three quarters of the file descriptors, where it is not given."`
	MaxConnectionsPerAddress count  `help:"How many connections one address has, or one /64 of IPv6. 256 where it is not given."`
}

// count is a number that may be left out. A text that is none is kept as wrong, for faults to tell of.
type count struct {
	number       int
	given, wrong bool
}

// UnmarshalText reads a number.
func (c *count) UnmarshalText(text []byte) error {
	var err error
	c.number, err = strconv.Atoi(string(text))
	c.given, c.wrong = true, err != nil
	return nil
}

// limits returns the defaults with what was given.
func (o *operating) limits() server.Limits {
	l := server.DefaultLimits()
	if o.MaxConcurrent.given {
		l = l.WithConcurrent(o.MaxConcurrent.number)
	}
	if o.MaxConnections.given {
		l.Connections = o.MaxConnections.number
	}
	if o.MaxConnectionsPerAddress.given {
		l.ConnectionsPerAddress = o.MaxConnectionsPerAddress.number
	}
	return l
}

// admin listens for operators, where that is wanted. The caller closes the listener, where there is one.
func (o *operating) admin() (net.Listener, error) {
	if o.AdminAddress == "" {
		return nil, nil
	}
	listener, err := server.ListenAdmin(o.AdminAddress)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", o.AdminAddress, err)
	}
	return listener, nil
}

// faults returns what is wrong with the settings.
func (o *operating) faults() (faults []error) {
	for _, setting := range []struct {
		name  string
		value *count
	}{{"--max-concurrent", &o.MaxConcurrent}, {"--max-connections", &o.MaxConnections}, {"--max-connections-per-address", &o.MaxConnectionsPerAddress}} {
		if setting.value.wrong {
			faults = append(faults, errors.New(setting.name+" takes a number: give one, or leave it out"))
			*setting.value = count{} // which has been told of
		}
	}
	if o.AdminAddress != "" {
		if err := server.CheckAdminAddress(o.AdminAddress); err != nil {
			faults = append(faults, err)
		}
	}
	if err := o.limits().Check(); err != nil {
		faults = append(faults, err)
	}
	return faults
}
