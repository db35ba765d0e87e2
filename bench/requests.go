package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
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
		bodies: itemBodies(64),
	},
	"refused": {
		title: "POST /items?dry_run=true with a bearer token and a body that breaks four rules", want: 422,
		heads:  bearer("POST /items?dry_run=true", "Content-Type: application/json\r\n"),
		bodies: refusedBodies(64),
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

type item struct {
	Name          string      `json:"name"`
	Price         float64     `json:"price"`
	Description   string      `json:"description,omitempty"`
	Category      string      `json:"category,omitempty"`
	Tags          []string    `json:"tags,omitempty"`
	Dimensions    *dimensions `json:"dimensions,omitempty"`
	AvailableFrom string      `json:"available_from,omitempty"`
	SupplierEmail string      `json:"supplier_email,omitempty"`
}

type dimensions struct {
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
	Depth  float64 `json:"depth"`
}

// words are what names, tags and descriptions are made of.
var words = strings.Fields("oak chair lamp walnut table blue red small large round garden kitchen shelf bench stool folding")

// itemBodies returns n different valid items, always the same ones. Each optional member is in about three of four,
// and a description has what a decoder cannot copy as it is: escapes and characters of two bytes.
func itemBodies(n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	some := func(count int) []string {
		picked := make([]string, 0, count)
		for _, i := range r.Perm(len(words))[:count] {
			picked = append(picked, words[i])
		}
		return picked
	}
	often := func() bool { return r.IntN(4) > 0 }
	var bodies []string
	for i := range n {
		it := item{
			Name:  fmt.Sprintf("%s %d", strings.Join(some(1+r.IntN(3)), " "), i),
			Price: float64(r.IntN(100_000_000)) / 100,
		}
		if often() {
			it.Description = "A " + strings.Join(some(4+r.IntN(10)), " ") + ". \"Größe\" as shown.\nOrder by phone."
		}
		if often() {
			it.Category = []string{"book", "toy", "food", "other"}[r.IntN(4)]
		}
		if often() {
			it.Tags = some(1 + r.IntN(5))
		}
		if often() {
			it.Dimensions = &dimensions{float64(1+r.IntN(2000)) / 10, float64(1 + r.IntN(200)), float64(1+r.IntN(2000)) / 10}
		}
		if often() {
			it.AvailableFrom = fmt.Sprintf("2027-%02d-%02d", 1+r.IntN(12), 1+r.IntN(28))
		}
		if often() {
			it.SupplierEmail = fmt.Sprintf("%s.%d@example.com", some(1)[0], i)
		}
		bodies = append(bodies, encode(it))
	}
	return bodies
}

// refusedBodies returns n different items with four violations each.
func refusedBodies(n int) []string {
	var bodies []string
	for i := range n {
		bodies = append(bodies, encode(item{
			Name: fmt.Sprintf("no/slash/%d", i), Price: -1 - float64(i), Category: "furniture",
			Tags: []string{"wood", "indoor"}, Dimensions: &dimensions{45, 0, 50}, AvailableFrom: "2027-01-15",
		}))
	}
	return bodies
}

func encode(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // an item of finite numbers always encodes
	}
	return string(data)
}
