package guard

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
)

// routes finds the operation of a request by the rules of OpenAPI, which are not those of echo: a segment may mix text and
// parameters, ':' and '*' are text, concrete paths come before templated ones whatever the method, and a parameter
// never takes a slash.
type routes struct {
	top     branch
	longest []string // as many names as the path with the most parameters has
}

// branch is what can follow the beginning of a path: the more specific first.
type branch struct {
	literals  map[string]*branch
	mixed     []*mixedBranch
	parameter *branch
	endpoints []endpoint // of the path that ends here
	allow     string
}

type mixedBranch struct {
	segment *segment
	branch
}

// endpoint is what a method of a path is answered by.
type endpoint struct {
	method, path string
	names        []string
	handler      echo.HandlerFunc
}

// add adds an endpoint. The path has been checked.
func (r *routes) add(e endpoint) {
	segments, err := parsePath(e.path)
	if err != nil {
		return
	}
	b := &r.top
	for i := range segments {
		e.names = append(e.names, segments[i].names...)
		b = b.child(&segments[i])
	}
	if len(e.names) > len(r.longest) {
		r.longest = e.names
	}
	b.endpoints = append(b.endpoints, e)
	var methods []string
	for _, e := range b.endpoints {
		methods = append(methods, e.method)
		if e.method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	slices.Sort(methods)
	methods = slices.DeleteFunc(slices.Compact(methods), func(m string) bool { return m == http.MethodOptions })
	b.allow = strings.Join(append([]string{http.MethodOptions}, methods...), ", ")
}

func (b *branch) child(s *segment) *branch {
	switch {
	case len(s.names) == 0:
		if b.literals == nil {
			b.literals = map[string]*branch{}
		}
		child := b.literals[s.literals[0]]
		if child == nil {
			child = &branch{}
			b.literals[s.literals[0]] = child
		}
		return child
	case s.whole():
		if b.parameter == nil {
			b.parameter = &branch{}
		}
		return b.parameter
	}
	for _, m := range b.mixed {
		if m.segment.place() == s.place() {
			return &m.branch
		}
	}
	m := &mixedBranch{segment: s}
	b.mixed = append(b.mixed, m)
	slices.SortFunc(b.mixed, func(x, y *mixedBranch) int {
		if n := y.segment.literalLength() - x.segment.literalLength(); n != 0 {
			return n
		}
		return strings.Compare(x.segment.place(), y.segment.place())
	})
	return &m.branch
}

// find returns the branch where path ends, and puts the values of its parameters into values, in the order of the path.
func (b *branch) find(path string, values []string) *branch {
	text, rest, more := strings.Cut(path, "/")
	if child := b.literals[text]; child != nil {
		if found := child.follow(rest, more, values); found != nil {
			return found
		}
	}
	for _, m := range b.mixed {
		if m.segment.match(text, values) {
			if found := m.follow(rest, more, values[len(m.segment.names):]); found != nil {
				return found
			}
		}
	}
	if b.parameter != nil && text != "" {
		values[0] = text
		return b.parameter.follow(rest, more, values[1:])
	}
	return nil
}

func (b *branch) follow(rest string, more bool, values []string) *branch {
	switch {
	case more:
		return b.find(rest, values)
	case len(b.endpoints) == 0:
		return nil
	}
	return b
}

// at returns the branch of the path of a request, or nil, and puts the values of its parameters into values.
func (r *routes) at(u *url.URL, values []string) *branch {
	path, rooted := strings.CutPrefix(arrivedPath(u), "/")
	if !rooted || !utf8.ValidString(u.Path) {
		return nil
	}
	return r.top.find(path, values)
}

// serve hands a request to the endpoint of its path and method.
func (r *routes) serve(c echo.Context) error {
	request := c.Request()
	c.SetParamNames(r.longest...)
	b := r.at(request.URL, c.ParamValues())
	c.SetParamNames()
	if b == nil {
		return echo.ErrNotFound
	}
	e := b.endpoint(request.Method)
	if e == nil {
		c.Response().Header().Set("Allow", b.allow)
		if request.Method == http.MethodOptions {
			return c.NoContent(http.StatusNoContent)
		}
		return echo.ErrMethodNotAllowed
	}
	c.SetPath(e.path)
	c.SetParamNames(e.names...)
	if request.URL.RawPath == "" {
		unescape(c.ParamValues())
	}
	return e.handler(c)
}

// endpoint returns what answers the method. GET answers HEAD too, unless the document has a HEAD of its own.
func (b *branch) endpoint(method string) *endpoint {
	var get *endpoint
	for i := range b.endpoints {
		switch e := &b.endpoints[i]; e.method {
		case method:
			return e
		case http.MethodGet:
			get = e
		}
	}
	if method == http.MethodHead {
		return get
	}
	return nil
}

// arrivedPath is the path of a request as the client spelled it: an encoded slash separates nothing.
func arrivedPath(u *url.URL) string {
	path := u.EscapedPath()
	if u.RawPath != "" {
		path = normalPath(path)
	}
	return path
}

// unescape makes values what the generated server expects where URL.RawPath is empty.
func unescape(values []string) {
	for i, v := range values {
		if strings.IndexByte(v, '%') >= 0 {
			values[i], _ = url.PathUnescape(v) // net/http has checked the escapes
		}
	}
}
