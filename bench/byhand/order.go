package byhand

import (
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Order is the body of POST /orders.
type Order struct {
	Customer *string           `json:"customer"`
	Currency string            `json:"currency"`
	Payment  *Payment          `json:"payment"`
	Labels   map[string]string `json:"labels,omitempty"`
	Lines    []Line            `json:"lines"`
}

// Payment is one of two kinds. encoding/json has no alternatives: this is the usual way, all members in one struct.
type Payment struct {
	Kind   string  `json:"kind"`
	Number *string `json:"number,omitempty"`
	Holder *string `json:"holder,omitempty"`
	IBAN   *string `json:"iban,omitempty"`
}

// Line is a line of an order.
type Line struct {
	SKU      *string `json:"sku"`
	Quantity *int32  `json:"quantity"`
	Note     *string `json:"note,omitempty"`
}

var (
	currencies  = []string{"EUR", "USD", "GBP"}
	cardNumber  = regexp.MustCompile(`^[0-9]{12,19}$`)
	ibanPattern = regexp.MustCompile(`^[A-Z]{2}[0-9A-Z]{13,32}$`)
)

// NewOrder is an order with its default, to be decoded into.
func NewOrder() *Order { return &Order{Currency: "EUR"} }

// Validate returns what is wrong with an order.
func (in *Order) Validate() []Violation {
	var v []Violation
	add := func(field, detail string) { v = append(v, Violation{field, detail}) }
	switch {
	case in.Customer == nil:
		add("customer", "is required")
	case *in.Customer == "" || utf8.RuneCountInString(*in.Customer) > 100:
		add("customer", "must have 1 to 100 characters")
	}
	if !slices.Contains(currencies, in.Currency) {
		add("currency", "must be EUR, USD or GBP")
	}
	in.Payment.validate(add)
	if len(in.Labels) > 10 {
		add("labels", "must be at most 10")
	}
	for name, value := range in.Labels {
		if n := utf8.RuneCountInString(value); n < 1 || n > 50 {
			add("labels/"+name, "must have 1 to 50 characters")
		}
	}
	if len(in.Lines) < 1 || len(in.Lines) > 50 {
		add("lines", "must be 1 to 50")
	}
	for i, l := range in.Lines {
		wrong := func(member, detail string) { add("lines/"+strconv.Itoa(i)+"/"+member, detail) }
		switch {
		case l.SKU == nil:
			wrong("sku", "is required")
		case *l.SKU == "" || utf8.RuneCountInString(*l.SKU) > 40:
			wrong("sku", "must have 1 to 40 characters")
		}
		switch {
		case l.Quantity == nil:
			wrong("quantity", "is required")
		case *l.Quantity < 1 || *l.Quantity > 1000:
			wrong("quantity", "must be 1 to 1000")
		}
		if l.Note != nil && utf8.RuneCountInString(*l.Note) > 200 {
			wrong("note", "must have at most 200 characters")
		}
	}
	return v
}

func (p *Payment) validate(add func(field, detail string)) {
	switch {
	case p == nil:
		add("payment", "is required")
	case p.Kind == "card":
		if p.IBAN != nil {
			add("payment/iban", "is not a member of a card")
		}
		if p.Number == nil || !cardNumber.MatchString(*p.Number) {
			add("payment/number", "must be 12 to 19 digits")
		}
		if p.Holder != nil && (*p.Holder == "" || utf8.RuneCountInString(*p.Holder) > 100) {
			add("payment/holder", "must have 1 to 100 characters")
		}
	case p.Kind == "transfer":
		if p.Number != nil || p.Holder != nil {
			add("payment", "has members of a card")
		}
		if p.IBAN == nil || !ibanPattern.MatchString(*p.IBAN) {
			add("payment/iban", "must be an IBAN")
		}
	default:
		add("payment/kind", "must be card or transfer")
	}
}
