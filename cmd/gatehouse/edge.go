package main

import (
	"example.com/gatehouse/internal/server"
)

// edge are the settings of serve for what stands between the service and its clients.
type edge struct {
	TrustedProxy []string `help:"An address or a network in CIDR form of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed. Give it again for another."`
}

// apply puts the settings into the configuration of the service, or returns everything that is wrong with them.
func (e *edge) apply(c *server.Config) (err error) {
	c.Proxies, err = server.ParseProxies(e.TrustedProxy)
	return err
}
