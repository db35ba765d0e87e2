package main

import (
	"errors"

	"example.com/gatehouse/internal/server"
)

// edge are the settings of serve for what stands between the service and its clients.
type edge struct {
	CORSOrigin   []string `name:"cors-origin" help:"An origin whose pages may call the API from a browser, such as https://app.example.com. Give it again for another. None is let in without it."`
	TrustedProxy []string `help:"An address or a network in CIDR form of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed. Give it again for another."`
}

// apply puts the settings into the configuration of the service, or returns everything that is wrong with them.
func (e *edge) apply(c *server.Config) error {
	var err error
	c.Proxies, err = server.ParseProxies(e.TrustedProxy)
	c.CORSOrigins = e.CORSOrigin
	return errors.Join(err, server.CheckOrigins(e.CORSOrigin))
}
