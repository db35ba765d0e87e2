package validation

import (
	"net/http"
	"net/url"
)

// Parameters are the parameters of one request as they arrived, and the violations found in them.
type Parameters struct {
	// Path returns the unescaped value of a path parameter.
	Path func(name string) string
	// Query is the parsed query. Header is the request's header.
	Query  url.Values
	Header http.Header
	Violations
}
