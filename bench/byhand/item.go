// Package byhand decodes and checks the bodies of the benchmarks as a competent engineer does by hand with encoding/json.
package byhand

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// NewItem is the body of POST /items. Pointers tell what is absent from what is zero.
type NewItem struct {
	Name          *string     `json:"name"`
	Price         *float64    `json:"price"`
	Description   *string     `json:"description,omitempty"`
	Category      *string     `json:"category,omitempty"`
	Tags          []string    `json:"tags,omitempty"`
	Dimensions    *Dimensions `json:"dimensions,omitempty"`
	AvailableFrom *string     `json:"available_from,omitempty"`
	SupplierEmail *string     `json:"supplier_email,omitempty"`
}

// Dimensions are the outer measures of an item.
type Dimensions struct {
	Width  *float64 `json:"width"`
	Height *float64 `json:"height"`
	Depth  *float64 `json:"depth"`
}

// Decode reads one JSON value as strictly as encoding/json can: it refuses unknown members and what follows the value, and
// accepts repeated members, names in another case and null. It returns the status and detail of the answer where it refuses.
func Decode(body io.Reader, into any) (status int, detail string) {
	decoder := json.NewDecoder(body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, err = decoder.Token(); err == io.EOF {
			return 0, ""
		}
		return http.StatusBadRequest, "data after the JSON value"
	}
	var tooLarge *http.MaxBytesError
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, "the body is too large"
	case errors.As(err, &wrongType):
		return http.StatusUnprocessableEntity, wrongType.Field + " is of the wrong type"
	case strings.HasPrefix(err.Error(), "json: unknown field"):
		return http.StatusUnprocessableEntity, "the body has an unknown member"
	}
	return http.StatusBadRequest, "the body is not JSON"
}

var (
	namePattern = regexp.MustCompile(`^[A-Za-z0-9 _-]+$`)
	categories  = []string{"book", "toy", "food", "other"}
)

// Violation is one thing that is wrong with a body.
type Violation struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// Validate returns what is wrong with an item.
func (in *NewItem) Validate() []Violation {
	var v []Violation
	add := func(field, detail string) { v = append(v, Violation{field, detail}) }
	switch {
	case in.Name == nil:
		add("name", "is required")
	case len(*in.Name) < 1 || utf8.RuneCountInString(*in.Name) > 100:
		add("name", "must have 1 to 100 characters")
	case !namePattern.MatchString(*in.Name):
		add("name", "must have only letters, digits, space, _ and -")
	}
	switch {
	case in.Price == nil:
		add("price", "is required")
	case *in.Price < 0 || *in.Price > 1_000_000:
		add("price", "must be 0 to 1000000")
	}
	if in.Description != nil {
		if utf8.RuneCountInString(*in.Description) > 1000 {
			add("description", "must have at most 1000 characters")
		}
		if strings.IndexByte(*in.Description, 0) >= 0 {
			add("description", "must not hold U+0000")
		}
	}
	if in.Category != nil && !slices.Contains(categories, *in.Category) {
		add("category", "must be book, toy, food or other")
	}
	if len(in.Tags) > 10 {
		add("tags", "must be at most 10")
	}
	for i, tag := range in.Tags {
		if n := utf8.RuneCountInString(tag); n < 1 || n > 30 {
			add("tags/"+strconv.Itoa(i), "must have 1 to 30 characters")
		}
		if slices.Contains(in.Tags[:i], tag) {
			add("tags", "must be unique")
		}
	}
	if d := in.Dimensions; d != nil {
		for _, side := range []struct {
			name  string
			value *float64
		}{{"width", d.Width}, {"height", d.Height}, {"depth", d.Depth}} {
			if side.value == nil {
				add("dimensions/"+side.name, "is required")
			} else if *side.value <= 0 || *side.value > 100_000 {
				add("dimensions/"+side.name, "must be more than 0 and at most 100000")
			}
		}
	}
	if in.AvailableFrom != nil {
		if _, err := time.Parse(time.DateOnly, *in.AvailableFrom); err != nil {
			add("available_from", "must be a date")
		}
	}
	if in.SupplierEmail != nil {
		address, err := mail.ParseAddress(*in.SupplierEmail)
		if len(*in.SupplierEmail) > 254 || err != nil || address.Address != *in.SupplierEmail {
			add("supplier_email", "must be an email address")
		}
	}
	return v
}

// Refused is the error of a body that is not taken.
type Refused struct {
	Status     int
	Detail     string
	Violations []Violation
}

func (r *Refused) Error() string { return r.Detail }
