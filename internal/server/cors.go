package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// CORS says which origins beside the one of the service may call it from a browser and read what it answers: the CORS protocol of
// the Fetch standard. Cookies, and whatever else browsers add by themselves, stay with the pages of the service: there is no
// Access-Control-Allow-Credentials.
type CORS struct {
	// origins are the listed ones, each with the value of its field.
	origins map[string][]string
	// methods returns the methods of a path, or nothing where no operation has it.
	methods func(*url.URL) string

	vary, exposed, headers, maxAge []string
}

// exposed are what a script may read of a response beside its body and the fields that every script may.
const exposed = "ETag, Location, Link, Retry-After, RateLimit, RateLimit-Policy, WWW-Authenticate, X-Request-Id, Allow, Deprecation"

// preflightAge is how many seconds a browser keeps the answer to a preflight: shorter than an operator waits who takes an origin
// from the list.
const preflightAge = "600"

// newCORS returns nil where no origin is listed. document is the OpenAPI document as JSON.
func newCORS(origins []string, document []byte, methods func(*url.URL) string) (*CORS, error) {
	if len(origins) == 0 {
		return nil, nil
	}
	if err := CheckOrigins(origins); err != nil {
		return nil, err
	}
	headers, err := requestHeaders(document)
	if err != nil {
		return nil, fmt.Errorf("find the header fields of the document: %w", err)
	}
	c := &CORS{
		origins: map[string][]string{}, methods: methods, vary: []string{"Origin"}, exposed: []string{exposed},
		headers: []string{strings.Join(headers, ", ")}, maxAge: []string{preflightAge},
	}
	for _, origin := range origins {
		c.origins[origin] = []string{origin}
	}
	return c, nil
}

// CheckOrigins returns everything that is wrong with a list of origins, with the remedy as a setting of serve.
func CheckOrigins(origins []string) error {
	var faults []error
	for _, origin := range origins {
		if err := checkOrigin(origin); err != nil {
			faults = append(faults, fmt.Errorf("%q is no origin that can be let in: %w", origin, err))
		}
	}
	return errors.Join(faults...)
}

func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	host := ""
	if err == nil {
		host = u.Hostname()
	}
	address, _ := netip.ParseAddr(host)
	switch {
	case origin == "*" || strings.Contains(host, "*"):
		return errors.New("it is many: give --cors-origin each one in full")
	case origin == "null":
		return errors.New("every sandboxed page has it: give --cors-origin the address of a page")
	case err != nil || host == "" || u.Scheme+"://"+u.Host != origin || origin != strings.ToLower(origin) || !ascii(origin):
		return errors.New("give --cors-origin a scheme, a host in lower case and no path, such as https://app.example.com")
	case strings.HasSuffix(u.Host, ":") || u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80":
		return errors.New("browsers leave the usual port out: give --cors-origin " + u.Scheme + "://" + strings.TrimSuffix(u.Host, ":"+u.Port()))
	case u.Scheme == "http" && host != "localhost" && !address.IsLoopback():
		return errors.New("anybody on the way can be that page: give --cors-origin https://" + u.Host)
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("give --cors-origin an https address")
	}
	return nil
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// mark puts the fields on a response to any request, refusals too: without them a script would not even see the status. It
// reports whether the code of a page of a listed origin made the request. A browser says so itself in Sec-Fetch-Mode: a form that a
// page sends, or a link, is no code.
func (c *CORS) mark(request, response http.Header) (byCode bool) {
	response["Vary"] = c.vary // of caches: who is listed gets another response than who is not
	allowed := c.allowed(request)
	if allowed == nil {
		return false
	}
	response["Access-Control-Allow-Origin"] = allowed
	response["Access-Control-Expose-Headers"] = c.exposed
	mode := request["Sec-Fetch-Mode"]
	return len(mode) == 1 && mode[0] == "cors"
}

func (c *CORS) allowed(request http.Header) []string {
	if origin := request["Origin"]; len(origin) == 1 {
		return c.origins[origin[0]]
	}
	return nil
}

// preflight answers what a browser asks before a request that a page could not make without CORS, and reports whether it did. What is
// allowed comes from the document and never from the question.
func (c *CORS) preflight(r *http.Request, response http.Header) bool {
	if c.allowed(r.Header) == nil || len(r.Header["Access-Control-Request-Method"]) != 1 {
		return false
	}
	methods := c.methods(r.URL)
	if methods == "" {
		return false
	}
	response["Allow"] = []string{methods}
	response["Access-Control-Allow-Methods"] = response["Allow"]
	response["Access-Control-Allow-Headers"] = c.headers
	response["Access-Control-Max-Age"] = c.maxAge
	delete(response, "Access-Control-Expose-Headers") // there is nothing to read
	return true
}

// requestHeaders are the fields that operations of the document read: parameters, API keys, Authorization where a scheme is in it.
// Content-Type is for bodies.
func requestHeaders(document []byte) ([]string, error) {
	type parameter struct{ Name, In, Type string }
	var d struct {
		Paths      map[string]map[string]json.RawMessage
		Components struct {
			Parameters, SecuritySchemes map[string]parameter
		}
	}
	if err := json.Unmarshal(document, &d); err != nil {
		return nil, err
	}
	names := []string{"Content-Type"}
	add := func(p parameter) {
		if p.In == "header" {
			names = append(names, http.CanonicalHeaderKey(p.Name))
		} else if p.Type == "http" || p.Type == "oauth2" || p.Type == "openIdConnect" {
			names = append(names, "Authorization")
		}
	}
	for _, p := range d.Components.Parameters {
		add(p)
	}
	for _, p := range d.Components.SecuritySchemes {
		add(p)
	}
	for _, path := range d.Paths {
		for member, raw := range path {
			var operation struct{ Parameters []parameter }
			switch {
			case member == "parameters":
				if err := json.Unmarshal(raw, &operation.Parameters); err != nil {
					return nil, err
				}
			case raw[0] == '{':
				if err := json.Unmarshal(raw, &operation); err != nil {
					return nil, err
				}
			}
			for _, p := range operation.Parameters {
				add(p)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
