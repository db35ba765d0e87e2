// Package bodies makes the request bodies that the benchmarks send.
package bodies

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

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

// Items returns n different valid items, always the same ones. Each optional member is in about three of four,
// and a description has what a decoder cannot copy as it is: escapes and characters of two bytes.
func Items(n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	some := func(count int) []string {
		picked := make([]string, 0, count)
		for _, i := range r.Perm(len(words))[:count] {
			picked = append(picked, words[i])
		}
		return picked
	}
	often := func() bool { return r.IntN(4) > 0 }
	var list []string
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
		list = append(list, encode(it))
	}
	return list
}

// RefusedItems returns n different items with four violations each.
func RefusedItems(n int) []string {
	var list []string
	for i := range n {
		list = append(list, encode(item{
			Name: fmt.Sprintf("no/slash/%d", i), Price: -1 - float64(i), Category: "furniture",
			Tags: []string{"wood", "indoor"}, Dimensions: &dimensions{45, 0, 50}, AvailableFrom: "2027-01-15",
		}))
	}
	return list
}

func encode(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // an item of finite numbers always encodes
	}
	return string(data)
}
