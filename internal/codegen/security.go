package codegen

import (
	"net/url"
	"slices"
	"strings"
)

// scheme is an entry of components.securitySchemes that somebody can verify.
type scheme struct {
	name   string
	goName string
	kind   schemeKind
	in     string   // of an apiKey: header, query, cookie
	param  string   // of an apiKey: its name there
	source string   // what the bearer tokens are: oauth2, openIdConnect, or "" for http
	scopes []string // declared by the flows or x-scopes
	// says is what the flows say of each scope.
	says map[string]string
}

// schemeKind is how a credential arrives, by the name of the field of guard.Scheme.
type schemeKind string

const (
	schemeBasic     schemeKind = "Basic"
	schemeBearer    schemeKind = "Bearer"
	schemeAPIKey    schemeKind = "APIKey"
	schemeMutualTLS schemeKind = "MutualTLS"
)

// requirement is a scheme, as an index, with the scopes it must hold.
type requirement struct {
	scheme int
	scopes []string
}

// flowURLs are what OpenAPI demands of each flow.
var flowURLs = map[string][]string{"implicit": {"authorizationUrl", "scopes"}, "password": {"tokenUrl", "scopes"}, "clientCredentials": {"tokenUrl", "scopes"},
	"authorizationCode": {"authorizationUrl", "tokenUrl", "scopes"}, "deviceAuthorization": {"tokenUrl", "scopes"}}

func readSchemes(n node) []scheme {
	var list []scheme
	var names []string
	for _, m := range n.members() {
		if s, ok := readScheme(m.key, m.value.resolve()); ok {
			list = append(list, s)
			names = append(names, m.key)
		}
	}
	given := fieldNames(names)
	for i := range list {
		if list[i].goName == "" {
			list[i].goName = given[list[i].name]
		}
		if list[i].goName == "" {
			list[i].goName = goName(list[i].name)
		}
	}
	return list
}

func readScheme(name string, n node) (s scheme, ok bool) {
	s.name, s.goName, s.scopes, s.says = name, n.goNameOf(), n.get("x-scopes").scopeTokens(), map[string]string{}
	switch kind := n.get("type").text(); kind {
	case "http":
		n.allow("an http security scheme", "type", "description", "scheme", "bearerFormat", "x-scopes", "x-go-name")
		switch strings.ToLower(n.get("scheme").text()) {
		case "basic":
			s.kind = schemeBasic
		case "bearer":
			s.kind = schemeBearer
		default:
			n.get("scheme").fault("nobody can verify the http scheme %q here: use basic or bearer", n.get("scheme").text())
			return s, false
		}
	case "mutualTLS":
		n.allow("a mutualTLS security scheme", "type", "description", "x-scopes", "x-go-name")
		if s.kind = schemeMutualTLS; n.doc.legacy {
			n.get("type").fault("mutualTLS is a scheme of OpenAPI 3.1: write openapi: 3.1.0")
		}
	case "openIdConnect":
		n.allow("an openIdConnect security scheme", "type", "description", "openIdConnectUrl", "x-go-name")
		s.kind, s.source = schemeBearer, kind
		if u, err := url.Parse(n.get("openIdConnectUrl").text()); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			n.fault("an openIdConnect security scheme needs the openIdConnectUrl of its discovery document, an https URL")
		}
	case "apiKey":
		n.allow("an apiKey security scheme", "type", "description", "in", "name", "x-scopes", "x-go-name")
		s.kind, s.in, s.param = schemeAPIKey, n.get("in").text(), n.get("name").text()
		if !slices.Contains([]string{"header", "query", "cookie"}, s.in) {
			n.get("in").fault("an API key can be in header, query or cookie")
			return s, false
		}
		if s.param == "" || s.in == "header" && strings.EqualFold(s.param, "Cookie") {
			n.get("name").fault("an API key needs a name of its own")
			return s, false
		}
		if s.in == "header" && strings.EqualFold(s.param, "Authorization") {
			n.get("name").warn("the whole value of the Authorization header is the key: where it begins with Bearer, write type: http, scheme: bearer")
		}
	case "oauth2":
		n.allow("an oauth2 security scheme", "type", "description", "flows", "x-go-name")
		s.kind, s.source = schemeBearer, kind
		n.get("flows").allow("the flows of an oauth2 security scheme", "implicit", "password", "clientCredentials", "authorizationCode", "deviceAuthorization")
		if len(n.get("flows").members()) == 0 {
			n.get("flows").warn("an oauth2 security scheme states at least one flow")
		}
		for _, flow := range n.get("flows").members() {
			flow.value.expect("an OAuth 2.0 flow", flowURLs[flow.key]...)
			flow.value.allow("an OAuth 2.0 flow", "authorizationUrl", "tokenUrl", "refreshUrl", "scopes")
			for _, scope := range flow.value.get("scopes").members() {
				s.scopes = append(s.scopes, scope.key)
				s.says[scope.key] = scope.value.text()
			}
		}
	default:
		n.get("type").fault("%q is no type of a security scheme: use http, apiKey, oauth2, openIdConnect or mutualTLS", kind)
		return s, false
	}
	return s, true
}

// readSecurity returns the alternatives of an operation. Everything that would open it by mistake is a fault.
func (r *operationReader) readSecurity(o *operation, n node) {
	security, reason := n.get("security"), n.get("x-public-reason")
	if !security.exists() {
		security = r.top.get("security")
	}
	if reason.exists() && reason.sentence("why the operation is public") == "" {
		return
	}
	switch {
	case !security.exists() && reason.exists():
		reason.fault("says why the operation is public, and nothing says that it is: write security: [] beside it")
		return
	case !security.exists() && r.undeclared == "public":
		o.public = "undeclared: opened by --undeclared-security public"
		return
	case !security.exists() && r.undeclared == "deny":
		o.denied = "undeclared: denied by --undeclared-security deny"
		return
	case !security.exists():
		n.fault("the operation does not say who may call it: state security, or security: [] with x-public-reason")
		return
	case !wellFormed(security):
		return
	case !slices.ContainsFunc(security.elements(), func(n node) bool { return len(n.members()) > 0 }):
		o.public = reason.text()
		if o.public == "" && r.undeclared != "" {
			security.warn("the operation is open to everybody, and the document does not say why")
			o.public = "security: [] without a reason"
		}
		if o.public == "" {
			security.fault("the operation is open to everybody: state why in x-public-reason, or require a scheme")
		}
		return
	case reason.exists():
		reason.fault("the operation requires a credential: remove x-public-reason, or write security: []")
	}
	for _, alternative := range security.elements() {
		var all []requirement
		for _, m := range alternative.members() {
			i := slices.IndexFunc(r.doc.schemes, func(s scheme) bool { return s.name == m.key })
			if i < 0 {
				m.value.fault("requires the scheme %q, which is not declared (or cannot be enforced): declare it under components.securitySchemes or correct the name", m.key)
				continue
			}
			req := requirement{scheme: i}
			for _, scope := range m.value.elements() {
				r.judgeScope(i, scope)
				req.scopes = append(req.scopes, scope.text())
			}
			all = append(all, req)
		}
		o.security = append(o.security, all)
	}
}

// wellFormed refuses a list of requirements that another reader could take for an empty one: it would open the operation.
func wellFormed(security node) bool {
	if !security.isSequence() {
		security.fault("must be a list of alternatives: write - before the name of the scheme")
		return false
	}
	ok := true
	for _, alternative := range security.elements() {
		if !alternative.isMapping() {
			alternative.fault("must be a mapping of schemes to lists of scopes: write { %s: [] }", alternative.text())
			ok = false
		}
		for _, m := range alternative.members() {
			if !m.value.isSequence() {
				m.value.fault("must be the list of the scopes that the scheme must hold, [] for none")
				ok = false
			}
		}
	}
	return ok
}

func (r *operationReader) judgeScope(i int, scope node) {
	s := r.doc.schemes[i]
	if slices.Contains(s.scopes, scope.text()) {
		return
	}
	if s.source == "openIdConnect" {
		return // the issuer knows its scopes, the document does not
	}
	if s.source == "oauth2" {
		scope.fault("requires the scope %q, which no flow of %s declares: declare it there or correct the name", scope.text(), s.name)
		return
	}
	if scope.doc.legacy {
		scope.fault("OpenAPI 3.0 has no scopes of a scheme that is neither oauth2 nor openIdConnect: write openapi: 3.1.0, or []")
		return
	}
	for _, other := range r.doc.schemes {
		if other.source == "oauth2" && slices.Contains(other.scopes, scope.text()) {
			return
		}
	}
	scope.fault("requires the scope %q, which neither an oauth2 scheme nor x-scopes of %s declares: declare it or correct the name", scope.text(), s.name)
}
