package codegen

import (
	"fmt"
	"net/textproto"
	"slices"
	"strings"
)

// operations writes the Authenticators interface, the schemes and the operation table.
func (e *emitter) operations() string {
	e.begin(quoted("context"), quoted("net/url"), quoted("time"), "",
		quoted(module+"auth"), quoted(module+"guard"), quoted(module+"problem"), quoted(module+"ratelimit"), quoted(module+"validation"))
	e.p("// Authenticators prove credentials, one method for each entry of components.securitySchemes. Each returns the")
	e.p("// principal, or auth.ErrInvalidCredential where the credential is not good, or another error where it could not tell.")
	e.p("type Authenticators interface {")
	for _, s := range e.document.schemes {
		e.p("// %s proves %s.", s.goName, s.describe())
		e.p("%s(ctx context.Context, credential %sCredential) (*auth.Principal, error)", s.goName, s.goName)
	}
	e.p("}\n")
	if len(e.document.schemes) > 0 {
		e.p("// What each scheme is proven by. A method that is written with the name of its scheme's credential does not compile\n// when the scheme is gone.\ntype (")
		for _, s := range e.document.schemes {
			e.p("%sCredential = auth.%s", s.goName, s.credential())
		}
		e.p(")\n")
	}
	e.p("// The security schemes, as indexes into Schemes.\nconst (")
	for i, s := range e.document.schemes {
		e.p("%s%s", s.constant(), map[bool]string{true: " = iota"}[i == 0])
	}
	e.p(")\n\n// Schemes returns the security schemes with the authenticators that prove their credentials.")
	e.p("func Schemes(a Authenticators) []guard.Scheme {\nreturn []guard.Scheme{")
	for _, s := range e.document.schemes {
		place := ""
		if s.kind == schemeAPIKey {
			place = fmt.Sprintf(", In: %q, Param: %q", s.in, s.param)
		}
		e.p("{Name: %q, %s: a.%s%s},", s.name, s.kind, s.goName, place)
	}
	e.p("}\n}\n")
	e.p("// Scopes returns every scope that a security scheme declares.")
	e.p("func Scopes() []string {\nreturn []string{%s}\n}\n", quoteAll(e.document.scopes()))
	e.p("// ScopeDescriptions returns what the document says of each scope of an oauth2 scheme, for those who are asked to grant it.")
	e.p("func ScopeDescriptions() map[string]string {\nreturn map[string]string{")
	for _, name := range e.document.scopes() {
		if text := e.document.says(name); text != "" {
			e.p("%q: %q,", name, text)
		}
	}
	e.p("}\n}\n")
	e.roles()
	e.p("// Operations returns the operation table: one row for each operation of the document.")
	e.p("func Operations() []guard.Operation {\nvar list []guard.Operation\nfor _, operation := range []func() guard.Operation{")
	for _, o := range e.document.operations {
		e.p("operation%s,", o.goName)
	}
	e.p("} {\nlist = append(list, operation())\n}\nreturn list\n}\n")
	for _, o := range e.document.operations {
		e.operation(o)
	}
	e.forms()
	e.p("// DefaultLimits returns the limits by address of the root x-rate-limit, which requests that no operation answers are counted by.")
	e.p("func DefaultLimits() []guard.Limit {\nreturn []guard.Limit{")
	for _, l := range e.document.defaults {
		e.p("%s,", l.literal())
	}
	e.p("}\n}")
	return e.finish()
}

func (d *document) scopes() []string {
	var list []string
	for _, s := range d.schemes {
		list = append(list, s.scopes...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// says is the description of a scope: that of the first scheme that has one.
func (d *document) says(scope string) string {
	for _, s := range d.schemes {
		if s.says[scope] != "" {
			return s.says[scope]
		}
	}
	return ""
}

func (s scheme) constant() string { return "scheme" + s.goName }

// credential is the type of package auth that an authenticator of the scheme is given.
func (s scheme) credential() string {
	return map[schemeKind]string{schemeBasic: "Basic", schemeBearer: "BearerToken", schemeAPIKey: "APIKey", schemeMutualTLS: "ClientCertificate"}[s.kind]
}

func (s scheme) describe() string {
	switch {
	case s.source != "":
		return fmt.Sprintf("an access token of the %s scheme %s (RFC 6750)", s.source, s.name)
	case s.kind == schemeAPIKey:
		return fmt.Sprintf("the API key of the scheme %s, in the %s %s", s.name, s.in, s.param)
	case s.kind == schemeBasic:
		return fmt.Sprintf("the user and password of the scheme %s (RFC 7617)", s.name)
	case s.kind == schemeMutualTLS:
		return fmt.Sprintf("the client certificate of the scheme %s (RFC 8446 §4.4.2)", s.name)
	}
	return fmt.Sprintf("the bearer token of the scheme %s (RFC 6750)", s.name)
}

func quoteAll(list []string) string {
	q := make([]string, len(list))
	for i, s := range list {
		q[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(q, ", ")
}

func (e *emitter) operation(o *operation) {
	e.p("func operation%s() guard.Operation {\nreturn guard.Operation{", o.goName)
	e.p("ID: %q, Method: %q, Path: %q,", o.id, o.method, o.path)
	if o.public != "" {
		e.p("Public: %q,", o.public)
	}
	if o.denied != "" {
		e.p("Denied: %q,", o.denied)
	}
	if len(o.security) > 0 {
		e.p("Security: []guard.Alternative{")
		for _, alternative := range o.security {
			var all []string
			for _, r := range alternative {
				scopes := ""
				if len(r.scopes) > 0 {
					scopes = fmt.Sprintf(", Scopes: []string{%s}", quoteAll(r.scopes))
				}
				all = append(all, fmt.Sprintf("{Scheme: %s%s}", e.document.schemes[r.scheme].constant(), scopes))
			}
			e.p("{%s},", strings.Join(all, ", "))
		}
		e.p("},")
	}
	if len(o.limits) > 0 {
		e.p("Limits: []guard.Limit{")
		for _, l := range o.limits {
			e.p("%s,", l.literal())
		}
		e.p("},")
	}
	if o.timeout > 0 {
		e.p("Timeout: %d * time.Second,", o.timeout)
	}
	if len(o.bodies) > 0 {
		e.p("MaxBodyBytes: %d, BodyRequired: %t,\nBodies: []guard.Body{", o.maxBodyBytes, o.bodyRequired)
		for _, b := range o.bodies {
			e.body(o, b)
		}
		e.p("},")
	}
	e.p("Produces: []string{%s},", quoteAll(o.produces()))
	if o.problemFormat != "" {
		e.p("Errors: problem.%s,", map[string]string{formatOAuth: "OAuth", formatPage: "Page"}[o.problemFormat])
	}
	if o.ownOrigin() {
		e.p("OwnOrigin: true,")
	}
	if o.ignoreUnknown {
		e.p("IgnoreUnknown: true,")
	}
	names, prefixes, open := e.queryNames(o)
	if len(names) > 0 {
		e.p("QueryNames: []string{%s},", quoteAll(names))
	}
	if secret := o.secretQuery(); len(secret) > 0 {
		e.p("SecretQuery: []string{%s},", quoteAll(secret))
	}
	if len(prefixes) > 0 {
		e.p("QueryPrefixes: []string{%s},", quoteAll(prefixes))
	}
	if open {
		e.p("OpenQuery: true,")
	}
	if len(o.parameters) > 0 {
		e.p("Parameters: %s,", o.checker())
	}
	if len(o.responses) > 0 {
		e.p("Responses: %s,", o.responsesFunction())
	}
	e.p("}\n}\n")
}

func (o *operation) checker() string { return "check" + o.goName + "Parameters" }

// body writes one media type. The type that the generated server hands to the Binder is asserted by its name, so that a drift
// does not compile.
func (e *emitter) body(o *operation, b body) {
	target := o.goName + b.tag() + "RequestBody"
	row := fmt.Sprintf("MediaType: %q", b.mediaType)
	if known := o.known(b); known != b.mediaType && b.kind != bodyRefused && (len(o.bodies) > 1 || b.kind != bodyStream) {
		row += fmt.Sprintf(", As: %q", known)
	}
	switch b.kind {
	case bodyStream:
		e.p("{%s, Stream: true},", row)
	case bodyRefused:
		e.p("{%s, Refused: true},", row)
	case bodyForm:
		e.p("{%s, FormNames: []string{%s}, Form: func(values url.Values, dst any, v *validation.Violations) error {", row, quoteAll(b.names()))
		e.p("return validation.DecodeForm(values, form%s, dst.(*%s), v, %s)\n}},", target, target, e.checks.argument(b.schema, o.goName+"Form"))
	case bodyMultipart:
		e.p("{%s, FormNames: []string{%s}, Multipart: func(data []byte, boundary string, dst any, v *validation.Violations) error {", row, quoteAll(b.names()))
		e.p("return validation.DecodeMultipart(data, boundary, form%s, dst.(*%s), v, %s)\n}},", target, target, e.checks.argument(b.schema, o.goName+"Multipart"))
	case bodyText:
		e.p("{%s, Decode: func(data []byte, dst any, v *validation.Violations) error {", row)
		e.p("return validation.DecodeText(data, dst.(*%s), v, %s)\n}},", target, e.checks.argument(b.schema, o.goName+"Text"))
	default:
		e.jsonBody(o, b, target, row)
	}
}

func (e *emitter) jsonBody(o *operation, b body, target, row string) {
	decode := "validation.Decode"
	if b.mediaType == "application/merge-patch+json" {
		decode = "validation.DecodePatch"
	}
	e.p("{%s, Decode: func(data []byte, dst any, v *validation.Violations) error {", row)
	switch s := b.schema; {
	case s == nil || s.always:
		e.p("return %s(data, v, func(r *validation.Reader) { r.Anything(dst.(*%s)) })\n}},", decode, target)
	case s.plain() && len(s.target().properties) > 0 && !s.model().nullable:
		e.p("return %s(data, v, func(r *validation.Reader) { %s(r, dst.(*%s)) })\n}},", decode, e.decode(s), target)
	default:
		e.p("return %s(data, v, func(r *validation.Reader) { r.Checked(dst.(*%s), %s) })\n}},", decode, target, e.checks.argument(s, o.goName+"Body"))
	}
}

// names are the members of a form that the document declares.
func (b *body) names() []string {
	var list []string
	for _, s := range b.schema.branches(map[*schema]bool{}) {
		for _, p := range s.properties {
			if !slices.Contains(list, p.name) {
				list = append(list, p.name)
			}
		}
	}
	return list
}

// tag is what oapi-codegen puts into the names of a body of the media type.
func (b *body) tag() string {
	switch {
	case b.kind == bodyForm:
		return "Formdata"
	case b.kind == bodyMultipart:
		return "Multipart"
	case b.kind == bodyText:
		return "Text"
	case b.mediaType == "application/json", b.mediaType == "text/json", !isJSON(b.mediaType):
		return "JSON"
	}
	return mediaTypeName(b.mediaType)
}

// secretQuery are the names in the query whose values say format: password. Those of security schemes are known by themselves.
func (o *operation) secretQuery() (names []string) {
	add := func(name string, s *schema) {
		if s != nil && slices.ContainsFunc(s.branches(map[*schema]bool{}), func(b *schema) bool { return b.format == "password" }) {
			names = append(names, name)
		}
	}
	for _, q := range o.parameters {
		if q.in != "query" {
			continue
		}
		add(q.name, q.schema)
		if q.schema == nil || q.style != "form" || !q.explode {
			continue
		}
		for _, b := range q.schema.branches(map[*schema]bool{}) {
			for _, p := range b.properties {
				add(p.name, p.schema)
			}
		}
	}
	return names
}

// queryNames are the names that may stand in the query, the beginnings of such names, and whether any may.
func (e *emitter) queryNames(o *operation) (names, prefixes []string, open bool) {
	for _, q := range o.parameters {
		if q.in != "query" {
			continue
		}
		names = append(names, q.name)
		switch {
		case q.schema == nil || q.json || !q.schema.allows().has(typeObject):
		case q.style == "deepObject":
			prefixes = append(prefixes, q.name+"[")
		case q.style == "form" && q.explode:
			for _, s := range q.schema.branches(map[*schema]bool{}) {
				for _, p := range s.properties {
					names = append(names, p.name)
				}
				open = open || s.additional != nil && !s.additional.never || len(s.patterns) > 0
			}
		}
	}
	for _, alternative := range o.security {
		for _, r := range alternative {
			if s := e.document.schemes[r.scheme]; s.in == "query" && !slices.Contains(names, s.param) {
				names = append(names, s.param)
			}
		}
	}
	return names, prefixes, open
}

// goName returns the Go type that oapi-codegen made of a schema.
func (e *emitter) goName(s *schema) string {
	name := e.prepared.named[s]
	if _, found := e.types.structs[name]; !found && s.kind() == typeObject {
		s.node.fault("oapi-codegen made no struct %s of this schema", name)
	}
	return name
}

func canonicalHeader(name string) string { return textproto.CanonicalMIMEHeaderKey(name) }
