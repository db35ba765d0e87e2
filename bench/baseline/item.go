package main

import (
	"crypto/sha256"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"example.com/gatehouse/bench/byhand"
)

type api struct {
	verifier *verifier
	apiKeys  map[[sha256.Size]byte]*claims
}

type item struct {
	ID      string `json:"id"`
	OwnerID string `json:"owner_id"`
	byhand.NewItem
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
	var in byhand.NewItem
	if status, detail := byhand.Decode(http.MaxBytesReader(w, r.Body, maxBody), &in); status != 0 {
		writeError(w, status, detail)
		return
	}
	if violations := in.Validate(); len(violations) > 0 {
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
	writeJSON(w, http.StatusOK, item{ID: id.String(), OwnerID: caller.Subject, NewItem: in, CreatedAt: now, UpdatedAt: now})
}

func parseQuery(raw string) (dryRun bool, violations []byhand.Violation) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return false, []byhand.Violation{{Field: "query", Detail: "must be well-formed"}}
	}
	for name, v := range values {
		switch {
		case name != "dry_run":
			violations = append(violations, byhand.Violation{Field: "query", Detail: "has an unknown parameter"})
		case len(v) > 1:
			violations = append(violations, byhand.Violation{Field: "dry_run", Detail: "must be given once"})
		case v[0] != "true" && v[0] != "false":
			violations = append(violations, byhand.Violation{Field: "dry_run", Detail: "must be true or false"})
		default:
			dryRun = v[0] == "true"
		}
	}
	return dryRun, violations
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(value)
}

type problem struct {
	Type   string             `json:"type"`
	Title  string             `json:"title"`
	Status int                `json:"status"`
	Detail string             `json:"detail"`
	Errors []byhand.Violation `json:"errors,omitempty"`
}

func writeError(w http.ResponseWriter, status int, detail string) {
	writeProblem(w, problem{Status: status, Detail: detail})
}

func writeViolations(w http.ResponseWriter, violations []byhand.Violation) {
	writeProblem(w, problem{Status: http.StatusUnprocessableEntity, Detail: "see errors", Errors: violations})
}

func writeProblem(w http.ResponseWriter, p problem) {
	p.Type, p.Title = "about:blank", http.StatusText(p.Status)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}
