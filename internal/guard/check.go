package guard

import (
	"errors"
	"fmt"
	"mime"
	"slices"
	"strings"

	"example.com/gatehouse/internal/ratelimit"
	"github.com/labstack/echo/v4"
)

// routeKey names a route.
type routeKey struct{ method, path string }

// check returns every fault that would leave an operation open, unreachable or enforced other than the document says.
func (r *Router) check() error {
	var faults []error
	fault := func(format string, arguments ...any) {
		faults = append(faults, fmt.Errorf("guard: "+format, arguments...))
	}
	c := &r.config
	if c.Echo == nil {
		fault("Config.Echo is missing")
	} else if _, ok := c.Echo.Binder.(*echo.DefaultBinder); !ok && c.Echo.Binder != (Binder{}) {
		fault("Config.Echo has a Binder of its own: leave it as echo.New made it")
	}
	if c.Realm == "" || strings.ContainsFunc(c.Realm, func(r rune) bool { return r < ' ' || r > '~' }) {
		fault("Config.Realm must be printable ASCII")
	}
	for i := range c.Schemes {
		c.Schemes[i].check(fault)
	}
	operations, ids, buckets := map[routeKey]string{}, map[string]bool{}, map[string]Limit{}
	for i := range c.Operations {
		op := &c.Operations[i]
		name := fmt.Sprintf("operation %q (%s %s)", op.ID, op.Method, op.Path)
		opFault := func(format string, arguments ...any) { fault("%s %s", name, fmt.Sprintf(format, arguments...)) }
		if op.ID == "" || ids[op.ID] {
			opFault("needs an id of its own")
		}
		ids[op.ID] = true
		segments, err := parsePath(op.Path)
		if err != nil {
			opFault("has a path that cannot be served: it %v", err)
			continue
		}
		key := routeKey{op.Method, ""}
		for i := range segments {
			key.path += "/" + segments[i].place()
		}
		if other, taken := operations[key]; taken {
			opFault("has the method and path of operation %q", other)
		}
		operations[key] = op.ID
		op.checkSecurity(c.Schemes, opFault)
		if op.Timeout < 0 {
			opFault("has a negative timeout")
		}
		op.checkBodies(opFault)
		op.checkLimits(buckets, c.Limiter != nil, opFault)
	}
	for _, id := range c.Ungated {
		if !ids[id] {
			fault("Config.Ungated names %q, which is no operation", id)
		}
	}
	r.checkRoutes(fault)
	return errors.Join(faults...)
}

func (r *Router) checkRoutes(fault func(string, ...any)) {
	want, have := map[routeKey]bool{}, map[routeKey]bool{}
	for i := range r.config.Operations {
		want[routeKey{r.config.Operations[i].Method, registeredPath(r.config.Operations[i].Path)}] = true
	}
	for _, reg := range r.routes {
		key := routeKey{reg.method, reg.path}
		switch {
		case !want[key]:
			fault("route %s %s has no operation: run make generate, and register nothing by hand", reg.method, reg.path)
		case have[key]:
			fault("route %s %s is registered twice", reg.method, reg.path)
		}
		have[key] = true
	}
	for i := range r.config.Operations {
		op := &r.config.Operations[i]
		if !have[routeKey{op.Method, registeredPath(op.Path)}] {
			fault("operation %q (%s %s) has no route: register the generated handlers on the Router", op.ID, op.Method, op.Path)
		}
	}
}

func (s *Scheme) check(fault func(string, ...any)) {
	n := 0
	for _, set := range []bool{s.Basic != nil, s.Bearer != nil, s.APIKey != nil, s.MutualTLS != nil} {
		if set {
			n++
		}
	}
	if n != 1 {
		fault("scheme %q needs exactly one authenticator and has %d", s.Name, n)
	}
	if s.Name == "" {
		fault("a scheme has no name")
	}
	if s.APIKey != nil && (s.Param == "" || !slices.Contains([]string{"header", "query", "cookie"}, s.In)) {
		fault("scheme %q must say where its key is: In header, query or cookie, and Param", s.Name)
	}
	if s.APIKey != nil && s.In == "header" && strings.EqualFold(s.Param, "Cookie") {
		fault("scheme %q takes its key from a header that other schemes read", s.Name)
	}
}

func (op *Operation) checkSecurity(schemes []Scheme, fault func(string, ...any)) {
	switch {
	case len(op.Security) == 0 && op.Public == "" && op.Denied == "":
		fault("has neither security nor a reason to be public")
	case len(op.Security) > 0 && op.Public != "":
		fault("has security and a reason to be public")
	case op.Denied != "" && (op.Public != "" || len(op.Security) > 0):
		fault("is denied to everybody, and open to somebody")
	}
	closed := false
	for _, a := range op.Security {
		closed = closed || len(a) > 0
		seen := map[int]bool{}
		for _, requirement := range a {
			if requirement.Scheme < 0 || requirement.Scheme >= len(schemes) {
				fault("names scheme %d, which is not declared", requirement.Scheme)
			} else if seen[requirement.Scheme] {
				fault("names scheme %q twice in one alternative", schemes[requirement.Scheme].Name)
			}
			seen[requirement.Scheme] = true
			for _, scope := range requirement.Scopes {
				if !scopeToken(scope) {
					fault("names the scope %q, which RFC 6749 §3.3 does not allow", scope)
				}
			}
		}
	}
	if len(op.Security) > 0 && !closed {
		fault("admits everybody: say security: [] and why")
	}
}

func (op *Operation) checkBodies(fault func(string, ...any)) {
	if op.BodyRequired && len(op.Bodies) == 0 {
		fault("needs a body and declares none")
	}
	if len(op.Bodies) > 0 && op.MaxBodyBytes <= 0 {
		fault("declares a body and no MaxBodyBytes")
	}
	for i := range op.Bodies {
		b := &op.Bodies[i]
		n := 0
		for _, set := range []bool{b.Decode != nil, b.Form != nil, b.Multipart != nil, b.Stream, b.Refused} {
			if set {
				n++
			}
		}
		if n != 1 {
			fault("needs exactly one of Decode, Form, Multipart, Stream and Refused for %s", b.MediaType)
		}
		if t, parameters, err := mime.ParseMediaType(b.MediaType); err != nil || len(parameters) > 0 || !strings.EqualFold(t, b.MediaType) {
			fault("declares %q, which is not a media type without parameters", b.MediaType)
		}
		if strings.Contains(b.MediaType, "*") && b.As == "" && !b.Stream && !b.Refused {
			fault("declares %s, and not as what it is decoded", b.MediaType)
		}
		if slices.ContainsFunc(op.Bodies[:i], func(other Body) bool { return strings.EqualFold(other.MediaType, b.MediaType) }) {
			fault("declares %s twice", b.MediaType)
		}
	}
}

func (op *Operation) checkLimits(buckets map[string]Limit, limiter bool, fault func(string, ...any)) {
	if len(op.Limits) > 0 && !limiter {
		fault("has limits, and Config.Limiter is missing")
	}
	for _, l := range op.Limits {
		if err := checkLimit(l.Limit); err != nil {
			fault("%v", err)
		}
		if l.By < ByAddress || l.By > ByAccount {
			fault("has limit %q by nothing that is known", l.Limit.Name)
		}
		if l.Member != "" && l.By != ByClient && l.By != ByAccount {
			fault("has limit %q by a member of the body, which names clients and accounts alone", l.Limit.Name)
		}
		if l.Cost < 0 || l.Cost > l.Limit.Most() {
			fault("has limit %q at a cost that it never allows", l.Limit.Name)
		}
		// Limits of one name share their buckets, so they must be one limit. What a request costs, and where the name stands that it
		// counts, is each operation's own.
		one := Limit{By: l.By, Limit: l.Limit}
		if other, known := buckets[l.Limit.Name]; known && other != one {
			fault("has limit %q with other numbers than another operation: give it a name of its own", l.Limit.Name)
		}
		buckets[l.Limit.Name] = one
	}
}

// checkLimit holds the name to what RateLimit-Policy can carry without an escape.
func checkLimit(l ratelimit.Limit) error {
	if l.Name == "" || strings.ContainsFunc(l.Name, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
		return fmt.Errorf("has limit %q: a name is printable ASCII without spaces, quotes and backslashes", l.Name)
	}
	if l.Quota <= 0 || l.Window <= 0 || l.Burst < 0 {
		return fmt.Errorf("has limit %q: quota and window must be positive", l.Name)
	}
	if float64(l.Quota) > l.Window.Seconds()*ratelimit.MaxRate {
		return fmt.Errorf("has limit %q: more than %d requests a second are not counted", l.Name, ratelimit.MaxRate)
	}
	return nil
}

// scopeToken is scope-token of RFC 6749 §3.3.
func scopeToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}
