package codegen

import (
	"slices"
	"strings"

	oapi "github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"

	"example.com/gatehouse/internal/ceiling"
)

// operation is a row of the operation table.
type operation struct {
	node          node
	id            string // as the document spells it
	goName        string
	method, path  string
	public        string
	denied        string
	security      [][]requirement
	limits        []limit
	maxBodyBytes  int64
	timeout       int // seconds, 0: none of its own
	bodies        []body
	bodyRequired  bool
	oauthErrors   bool
	ignoreUnknown bool
	parameters    []parameter
	responses     []response
}

type limit struct {
	name                 string
	by                   string // address, principal
	quota, window, burst int64
}

// operationReader holds what the operations of a document share.
type operationReader struct {
	doc        *document
	schemas    *schemas
	top        node
	limits     map[string]limit // by name: a name is a bucket, so it must mean one limit
	ids        map[string]bool
	places     map[string]string // method and path without parameter names → operationId
	names      *goNames
	undeclared string // Options.UndeclaredSecurity
}

func (r *operationReader) read(path, method string, pathNode, n node) *operation {
	n.allow("an operation", operationKeys...)
	o := &operation{node: n, id: n.get("operationId").text(), method: strings.ToUpper(method), path: path}
	if o.id == "" {
		o.id = method + oapi.ToCamelCase(strings.NewReplacer("{", "-", "}", "-", "/", "-").Replace(path))
	}
	if r.ids[o.id] {
		n.get("operationId").fault("the operationId %q is used twice: choose another", o.id)
	}
	r.ids[o.id] = true
	if goName := n.get("x-go-name").text(); goName != "" {
		o.goName = r.names.operation(goName)
	} else {
		o.goName = r.names.operation(o.id)
	}
	place := o.method + " " + anonymous(path)
	if other, taken := r.places[place]; taken {
		n.fault("has the method and path of the operation %q: {a} and {b} are the same place", other)
	}
	r.places[place] = o.id
	r.readSecurity(o, n)
	r.readLimits(o, n)
	o.oauthErrors = n.get("x-problem-format").keyword("the problem format", "oauth")
	o.ignoreUnknown = n.get("x-unknown-parameters").keyword("what to do with unknown parameters", "ignore")
	r.readParameters(o, pathNode, n)
	r.readBody(o, n)
	r.readResponses(o, n)
	return o
}

// keyword reports whether an extension that has one value is there.
func (n node) keyword(what, value string) bool {
	if n.exists() && n.text() != value {
		n.fault("%s can only be given as %s; leave it out otherwise", what, value)
	}
	return n.exists()
}

// anonymous is a path without the names of its parameters.
func anonymous(path string) string {
	var b strings.Builder
	for rest := path; ; {
		before, after, found := strings.Cut(rest, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		_, rest, _ = strings.Cut(after, "}")
		b.WriteString("{}")
	}
}

func (r *operationReader) readLimits(o *operation, n node) {
	list := n.get("x-rate-limit")
	if !list.exists() {
		list = r.top.get("x-rate-limit")
	}
	if list.exists() && !list.isSequence() {
		list.fault("must be a list of limits")
	}
	for _, e := range list.elements() {
		e.allow("a limit", "name", "by", "quota", "window", "burst")
		l := limit{name: e.get("name").text(), by: e.get("by").text(),
			quota: int64(e.get("quota").count()), window: int64(e.get("window").count()), burst: int64(max(e.get("burst").count(), 0))}
		switch {
		case l.name == "":
			e.fault("the limit has no name: state one, it names the bucket and appears in the RateLimit fields")
		case l.by != "address" && l.by != "principal":
			e.fault("a limit counts by address or by principal")
		case l.quota < 1 || l.window < 1:
			e.fault("a limit needs a quota and a window in seconds, both at least 1")
		}
		if other, found := r.limits[l.name]; found && other != l {
			e.fault("the limit %q means something else elsewhere: a name is a bucket, give each limit its own", l.name)
		}
		r.limits[l.name] = l
		if l.by == "principal" && len(o.security) == 0 {
			continue // nobody to count
		}
		o.limits = append(o.limits, l)
	}
	inherited := func(key string) node {
		if own := n.get(key); own.exists() {
			return own
		}
		return r.top.get(key)
	}
	if o.maxBodyBytes = int64(inherited("x-max-body-bytes").count()); o.maxBodyBytes < 0 {
		o.maxBodyBytes = ceiling.BodyBytes
	}
	timeout := inherited("x-timeout")
	if o.timeout = max(timeout.count(), 0); timeout.exists() && (o.timeout < 1 || o.timeout > maxTimeout) {
		timeout.fault("must be a number of seconds from 1 to %d", maxTimeout)
	}
}

// maxTimeout is an hour: what takes longer is a job with an address of its own, and not a request.
const maxTimeout = 3600

// produces are the media types of the successful responses.
func (o *operation) produces() []string {
	var list []string
	for _, r := range o.responses {
		for _, c := range r.contents {
			if r.successful() && !slices.Contains(list, c.mediaType) {
				list = append(list, c.mediaType)
			}
		}
	}
	return list
}
