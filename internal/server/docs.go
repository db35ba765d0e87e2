package server

import (
	"context"
	"encoding/binary"
	"net/http"
	"strconv"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/problem"
	"github.com/labstack/echo/v4"
)

// Docs serves the document and the page that shows it. All of it is embedded: the page loads nothing from elsewhere.
type Docs struct {
	// Enabled is false in production unless it is asked for: then every address answers as one that does not exist.
	Enabled bool
	// YAML and JSON are the document, byte for byte.
	YAML []byte
	JSON []byte
	// Title is the title of the page.
	Title string

	assets assets
}

// The page's own policy. Scripts come from this origin alone and nothing is evaluated, so that a description in the
// document that gets past Swagger UI's sanitizer can still run nothing and send nothing away. Swagger UI sets
// its styles through the DOM, which needs no 'unsafe-inline'; data: are the icons of its style sheet.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

const filePolicy = "default-src 'none'; frame-ancestors 'none'"

const (
	// cacheForever is for names that hold the hash of what they name.
	cacheForever = "public, max-age=31536000, immutable"
	// cacheNever is for names that stay when the content changes. It comes without a validator: what the page loads
	// is named by its hash, and the rest is small or asked for by hand.
	cacheNever = "no-cache"
)

// NoSuchPath is the answer to a path that no operation has, and to the documentation where it is switched off.
func NoSuchPath() *problem.Error { return problem.NotFound.New("there is nothing at this path") }

// GetOpenapiYaml returns the document as it was written.
func (d *Docs) GetOpenapiYaml(context.Context, api.GetOpenapiYamlRequestObject) (api.GetOpenapiYamlResponseObject, error) {
	if !d.Enabled {
		return nil, NoSuchPath()
	}
	return document{"application/yaml", d.YAML}, nil
}

// GetOpenapiJson returns the document for tools that read JSON only.
func (d *Docs) GetOpenapiJson(context.Context, api.GetOpenapiJsonRequestObject) (api.GetOpenapiJsonResponseObject, error) {
	if !d.Enabled {
		return nil, NoSuchPath()
	}
	return document{"application/json", d.JSON}, nil
}

// GetDocs returns the page.
func (d *Docs) GetDocs(context.Context, api.GetDocsRequestObject) (api.GetDocsResponseObject, error) {
	if !d.Enabled {
		return nil, NoSuchPath()
	}
	return asset{mediaType: "text/html; charset=utf-8", policy: pagePolicy, cache: cacheNever, data: d.assets.index(d.Title)}, nil
}

// GetDocsFile returns a file of the page, by its name or by the name with a hash that the page uses.
func (d *Docs) GetDocsFile(_ context.Context, r api.GetDocsFileRequestObject) (api.GetDocsFileResponseObject, error) {
	if !d.Enabled {
		return nil, NoSuchPath()
	}
	a, ok := d.assets.find(r.File)
	if !ok {
		return nil, NoSuchPath()
	}
	return a, nil
}

// Negotiate is a middleware of the strict server. Assets are embedded compressed, which is what nearly every client
// wants: this notices the ones that do not, since strict handlers do not see the request's headers.
func (d *Docs) Negotiate(next api.StrictHandlerFunc, operationID string) api.StrictHandlerFunc {
	if operationID != "GetDocsFile" {
		return next
	}
	return func(c echo.Context, request any) (any, error) {
		response, err := next(c, request)
		if a, ok := response.(asset); ok {
			a.gzip = acceptsGzip(c.Request().Header.Values(echo.HeaderAcceptEncoding))
			return a, err
		}
		return response, err
	}
}

// document is a response with the OpenAPI document.
type document struct {
	mediaType string
	data      []byte
}

func (r document) VisitGetOpenapiYamlResponse(w http.ResponseWriter) error { return r.write(w) }
func (r document) VisitGetOpenapiJsonResponse(w http.ResponseWriter) error { return r.write(w) }

func (r document) write(w http.ResponseWriter) error {
	h := w.Header()
	h.Set("Content-Type", r.mediaType)
	h.Set("Content-Length", strconv.Itoa(len(r.data)))
	h.Set("Cache-Control", cacheNever)
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(r.data)
	return err
}

// asset is a response with a file of the page.
type asset struct {
	mediaType string
	policy    string
	cache     string
	data      []byte
	// compressed says that data is gzip, gzip that the client takes it so.
	compressed bool
	gzip       bool
}

func (a asset) VisitGetDocsResponse(w http.ResponseWriter) error     { return a.write(w) }
func (a asset) VisitGetDocsFileResponse(w http.ResponseWriter) error { return a.write(w) }

func (a asset) write(w http.ResponseWriter) error {
	h := w.Header()
	h.Set("Content-Type", a.mediaType)
	h.Set("Content-Security-Policy", a.policy)
	h.Set("Cache-Control", a.cache)
	size := len(a.data)
	if a.compressed {
		h.Add("Vary", echo.HeaderAcceptEncoding) // beside Origin, where there is CORS
		if a.gzip {
			h.Set("Content-Encoding", "gzip")
		} else {
			// The last four bytes of a gzip member are its length before compression (RFC 1952 §2.3.1).
			size = int(binary.LittleEndian.Uint32(a.data[len(a.data)-4:]))
		}
	}
	h.Set("Content-Length", strconv.Itoa(size))
	w.WriteHeader(http.StatusOK)
	if a.compressed && !a.gzip {
		return decompress(w, a.data)
	}
	_, err := w.Write(a.data)
	return err
}
