package codegen

import (
	"go/token"
	"regexp"
	"strconv"
	"strings"

	oapi "github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
)

// goNames gives each schema that becomes a Go type, and each operation, a name that no other has: oapi-codegen would give two
// of them one name where they differ in case or punctuation only.
type goNames struct {
	used       map[string]bool
	operations map[string]bool // Go names, whose derived names are not free
}

// derived are the endings of the types that oapi-codegen makes of an operation.
var derived = regexp.MustCompile(`^(Params.*|.*Body|RequestObject|ResponseObject|Response|([1-5][0-9][0-9]|[1-5]XX|Default).*)$`)

// declared are the names of the generated package that no schema has given.
var declared = []string{"Authenticators", "Schemes", "Scopes", "ScopeDescriptions", "Roles", "Operations", "DefaultLimits", "Encode", "OpenapiYAML", "OpenapiJSON", "Unimplemented",
	"ServerInterface", "StrictServerInterface", "ServerInterfaceWrapper", "EchoRouter", "RegisterHandlers", "RegisterHandlersWithBaseURL",
	"RegisterHandlersWithOptions", "RegisterHandlersOptions", "NewStrictHandler", "StrictHandlerFunc", "StrictMiddlewareFunc",
	"Client", "ClientInterface", "ClientOption", "ClientWithResponses", "ClientWithResponsesInterface", "HttpRequestDoer", "NewClient",
	"NewClientWithResponses", "RequestEditorFn", "WithBaseURL", "WithHTTPClient", "WithRequestEditorFn"}

func newGoNames() *goNames {
	g := &goNames{used: map[string]bool{}, operations: map[string]bool{}}
	for _, name := range declared {
		g.used[name] = true
	}
	return g
}

// free reports whether nothing has the name and no operation derives it.
func (g *goNames) free(name string) bool {
	if g.used[name] {
		return false
	}
	for end := range name {
		if g.operations[name[:end]] && derived.MatchString(name[end:]) {
			return false
		}
	}
	op, isNew := strings.CutPrefix(name, "New")
	op, isRequest := strings.CutSuffix(op, "Request")
	return !isNew || !isRequest || !g.operations[op]
}

// take returns the wished name, or the nearest to it that is free.
func (g *goNames) take(wish string) string {
	name := goName(wish)
	for i, base := 1, name; !g.free(name); i++ {
		switch i {
		case 1:
			name = base + "Schema"
		case 2:
			name = "Schema" + base // an operation derives every name that begins like this one
		default:
			name = "Schema" + base + strconv.Itoa(i)
		}
	}
	g.used[name] = true
	return name
}

// operation returns the Go name of an operation.
func (g *goNames) operation(wish string) string {
	name := goName(wish)
	for i, base := 2, name; g.used[name]; i++ {
		name = base + strconv.Itoa(i)
	}
	g.used[name] = true
	g.operations[name] = true
	return name
}

// goName is the exported identifier that oapi-codegen makes of a name, such that it makes the same of the result.
func goName(name string) string {
	for range 3 {
		next := oapi.SchemaNameToTypeName(name)
		if next == name {
			break
		}
		name = next
	}
	if !isGoName(name) {
		name = "X" + name
	}
	return name
}

func isGoName(name string) bool {
	return token.IsIdentifier(name) && token.IsExported(name) && oapi.SchemaNameToTypeName(name) == name
}

// fieldNames gives the members of one struct that need it a name in Go: those that differ, and are not those of its methods.
func fieldNames(members []string, reserved ...string) map[string]string {
	names := map[string]string{}
	for i, name := range distinctNames(members, reserved...) {
		if m := members[i]; name != oapi.SchemaNameToTypeName(m) || name != oapi.ToCamelCase(m) {
			names[m] = name
		}
	}
	return names
}

// distinctNames returns a name in Go for each of the members, in their order.
func distinctNames(members []string, reserved ...string) []string {
	used := map[string]bool{}
	for _, r := range reserved {
		used[r] = true
	}
	var names []string
	for _, m := range members {
		name := goName(m)
		for i, base := 1, name; used[name]; i++ {
			name = base + "Field"
			if i > 1 {
				name += strconv.Itoa(i)
			}
		}
		used[name] = true
		names = append(names, name)
	}
	return names
}
