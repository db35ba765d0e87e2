package main

import (
	"maps"
	"slices"

	"example.com/gatehouse/bench/bodies"
)

// mode is one kind of request to measure.
type mode struct {
	title  string
	heads  func(*server) []string
	bodies []string
	want   int
}

var modes = map[string]mode{
	"post": {
		title: "POST /items?dry_run=true with a bearer token and a valid body", want: 200,
		heads:  bearer("POST /items?dry_run=true", "Content-Type: application/json\r\n"),
		bodies: bodies.Items(64),
	},
	"refused": {
		title: "POST /items?dry_run=true with a bearer token and a body that breaks four rules", want: 422,
		heads:  bearer("POST /items?dry_run=true", "Content-Type: application/json\r\n"),
		bodies: bodies.RefusedItems(64),
	},
	"get": {
		title: "GET /protected/bearer with a bearer token", want: 200,
		heads: bearer("GET /protected/bearer", ""),
	},
	"apikey": {
		title: "GET /protected/api-key with an API key in the header", want: 200,
		heads: func(s *server) []string {
			return []string{head(s, "GET /protected/api-key", "X-API-Key: "+s.apiKey+"\r\n")}
		},
	},
	"livez": {
		title: "GET /livez", want: 200,
		heads: func(s *server) []string { return []string{head(s, "GET /livez", "")} },
	},
}

func modeNames() []string { return slices.Sorted(maps.Keys(modes)) }

// head returns the head of a request as a common client sends it.
func head(s *server, target, fields string) string {
	return target + " HTTP/1.1\r\nHost: " + s.address + "\r\nUser-Agent: gatehouse-bench/1\r\nAccept: */*\r\n" + fields
}

func bearer(target, fields string) func(*server) []string {
	return func(s *server) []string {
		var heads []string
		for _, token := range s.tokens {
			heads = append(heads, head(s, target, "Authorization: Bearer "+token+"\r\n"+fields))
		}
		return heads
	}
}
