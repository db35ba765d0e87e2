// Package guard is the run time of the operation table: credentials, requirements, scopes, challenges, limits, router.
package guard

import (
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"
)

// Config is what a Router is made of. Every field but those from AllowInsecureBasic on is needed.
type Config struct {
	Echo       *echo.Echo
	Operations []Operation
	Schemes    []Scheme
	Limiter    Limiter
	// Realm is the protection space that challenges name.
	Realm string
	// AllowInsecureBasic takes passwords of HTTP Basic over plain HTTP: for development on loopback. Behind a proxy that ends TLS
	// it is State.Secure that says so.
	AllowInsecureBasic bool
	// CrossOrigin says which origins beside the one of the service may make a browser send the credentials that it adds by
	// itself. Nil: none.
	CrossOrigin *http.CrossOriginProtection
	// Clock is the one of connections and of their deadlines. Nil: time.Now.
	Clock func() time.Time
	// CheckResponses compares what handlers answer with the document, and answers 500 instead of what it does not declare.
	CheckResponses bool
	// Gate bounds the requests that are in work at once, but for those of the operations that Ungated names. Nil: nothing does.
	Gate    Gate
	Ungated []string
	// Meter counts. Nil: nothing does.
	Meter Meter
}

// Router takes the routes of the generated server and puts the guard of its operation before each. It does not embed
// *echo.Echo: a method that it forgot would register an open route. No route is open until Finish has found
// no fault in any of them.
type Router struct {
	config Config
	routes []registration
	found  *routes // nil until Finish
}

type registration struct {
	method, path string
	handler      echo.HandlerFunc
}

// New returns a Router without routes.
func New(c Config) *Router {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return &Router{config: c}
}

func (r *Router) add(method, path string, h echo.HandlerFunc, m []echo.MiddlewareFunc) *echo.Route {
	// The first of the middlewares is the outermost, as with echo, but all of them are inside the guard.
	for i := len(m) - 1; i >= 0; i-- {
		h = m[i](h)
	}
	r.routes = append(r.routes, registration{method, path, h})
	return &echo.Route{Method: method, Path: path}
}

// CONNECT takes a route. So do the other eight.
func (r *Router) CONNECT(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	return r.add(http.MethodConnect, path, h, m)
}

func (r *Router) DELETE(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	return r.add(http.MethodDelete, path, h, m)
}

func (r *Router) GET(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	return r.add(http.MethodGet, path, h, m)
}

func (r *Router) HEAD(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	return r.add(http.MethodHead, path, h, m)
}

func (r *Router) OPTIONS(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	return r.add(http.MethodOptions, path, h, m)
}

func (r *Router) PATCH(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	return r.add(http.MethodPatch, path, h, m)
}

func (r *Router) POST(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	return r.add(http.MethodPost, path, h, m)
}

func (r *Router) PUT(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	return r.add(http.MethodPut, path, h, m)
}

func (r *Router) TRACE(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	return r.add(http.MethodTrace, path, h, m)
}

// Finish opens the routes, or returns every fault of the operation table and the routes at once and opens none. It
// installs Binder, without which the generated server would decode bodies by itself. A GET operation answers
// HEAD too, unless the document has a HEAD of its own.
func (r *Router) Finish() error {
	if err := r.check(); err != nil {
		return err
	}
	operations := map[routeKey]*Operation{}
	for i := range r.config.Operations {
		op := &r.config.Operations[i]
		operations[routeKey{op.Method, registeredPath(op.Path)}] = op
	}
	buffers := newBuffers()
	e := r.config.Echo
	e.Binder = Binder{}
	found := &routes{}
	for _, reg := range r.routes {
		op := operations[routeKey{reg.method, reg.path}]
		h := compile(&r.config, op, buffers).guarded(reg.handler)
		found.add(endpoint{method: reg.method, path: op.Path, handler: h})
	}
	// The only route of echo is for what it does not find.
	e.RouteNotFound("/*", found.serve)
	r.found = found
	return nil
}

// Allow returns the methods of the path as the field Allow has them, or nothing where no operation has it.
func (r *Router) Allow(u *url.URL) string {
	if r.found == nil {
		return ""
	}
	if b := r.found.at(u, make([]string, len(r.found.longest))); b != nil {
		return b.allow
	}
	return ""
}
