package bodies

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

type order struct {
	Customer string            `json:"customer"`
	Currency string            `json:"currency,omitempty"`
	Payment  payment           `json:"payment"`
	Labels   map[string]string `json:"labels,omitempty"`
	Lines    []line            `json:"lines"`
}

type payment struct {
	Kind   string `json:"kind"`
	Number string `json:"number,omitempty"`
	Holder string `json:"holder,omitempty"`
	IBAN   string `json:"iban,omitempty"`
}

type line struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
	Note     string `json:"note,omitempty"`
}

// Orders returns n different valid orders, always the same ones.
func Orders(n int) []string {
	r := rand.New(rand.NewPCG(3, 4))
	often := func() bool { return r.IntN(4) > 0 }
	var list []string
	for i := range n {
		o := order{Customer: fmt.Sprintf("%s %d", strings.Join(words[:1+r.IntN(2)], " "), i)}
		if often() {
			o.Currency = []string{"EUR", "USD", "GBP"}[r.IntN(3)]
		}
		if r.IntN(2) == 0 {
			o.Payment = payment{Kind: "card", Number: fmt.Sprintf("4%015d", i), Holder: "A. Größe"}
		} else {
			o.Payment = payment{Kind: "transfer", IBAN: fmt.Sprintf("DE%020d", i)}
		}
		if often() {
			o.Labels = map[string]string{"shop": "web", "campaign": fmt.Sprint("spring ", i)}
		}
		for range 1 + r.IntN(5) {
			l := line{SKU: fmt.Sprintf("SKU-%05d", r.IntN(100_000)), Quantity: 1 + r.IntN(20)}
			if r.IntN(3) == 0 {
				l.Note = "Gift: \"wrap it\"\nplease"
			}
			o.Lines = append(o.Lines, l)
		}
		list = append(list, encode(o))
	}
	return list
}
