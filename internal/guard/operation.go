package guard

import (
	"context"
	"net/url"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/ratelimit"
	"example.com/gatehouse/internal/validation"
)

// Operation is one row of the operation table that gatehouse-gen writes from openapi.yaml. A change of policy is a
// line of that table in a review.
type Operation struct {
	// ID is the operationId; Method and Path are the document's, with parameters as {name}.
	ID     string
	Method string
	Path   string
	// Exactly one of Public, Denied and Security is set: an operation without any of them does not start.
	//
	// Public is the reason (x-public-reason) why the operation needs no credential. Denied is the reason why nobody is let
	// in, whatever they present: the document does not say who may call it. Security holds the alternatives in document order.
	Public   string
	Denied   string
	Security []Alternative
	// Limits apply in order.
	Limits []Limit
	// Timeout (x-timeout) bounds the time of a request, its body included. 0: the operation has no bound of its own.
	Timeout time.Duration
	// MaxBodyBytes bounds the body; Bodies are the declared media types in their canonical spelling, none where the
	// operation takes no body.
	MaxBodyBytes int64
	Bodies       []Body
	BodyRequired bool
	// Produces are the media types of the successful responses.
	Produces []string
	// Errors (x-problem-format) is the form of errors.
	Errors problem.Format
	// OwnOrigin says that the operation changes something and reads a cookie parameter: browsers send it whoever makes the request, so
	// that pages of other sites are refused.
	OwnOrigin bool
	// IgnoreUnknown (x-unknown-parameters: ignore) lets unknown query parameters pass, as RFC 6749 §3.2 demands.
	IgnoreUnknown bool
	// QueryNames are the declared query parameters, apiKey ones included.
	QueryNames []string
	// SecretQuery are those of them whose values no log may hold: format: password, beside the apiKey ones.
	SecretQuery []string
	// QueryPrefixes begin the names of query parameters such as filter[name], and OpenQuery allows any: an object that is
	// spread over the query has members that the document does not name.
	QueryPrefixes []string
	OpenQuery     bool
	// Parameters checks path, query, header and cookie parameters. Nil where there are none.
	Parameters func(*validation.Parameters)
	// Responses returns what the operation may answer, for Config.CheckResponses.
	Responses func() []Response
}

// Alternative is one way to be let in: all of its requirements together. The empty alternative admits the anonymous.
type Alternative []Requirement

// Requirement is a security scheme, as an index into the generated list of schemes, with the scopes it must hold.
type Requirement struct {
	Scheme int
	Scopes []string
}

// Subject says what a limit counts by.
type Subject int

const (
	// ByAddress counts before authentication, by IPv4 address or IPv6 /64.
	ByAddress Subject = iota
	// ByPrincipal counts after authentication, by subject.
	ByPrincipal
	// ByKey counts after authentication, by API key. Who is let in without one is not counted.
	ByKey
	// ByClient counts by OAuth client: the one of the credential after authentication, or the one that Member names.
	ByClient
	// ByAccount counts by the name of an account, whether there is such an account or not: the user name of HTTP Basic before
	// authentication, and the one in Member.
	ByAccount
)

// Limit is one entry of x-rate-limit.
type Limit struct {
	By    Subject
	Limit ratelimit.Limit
	// Cost is how many places a request takes. 0: one.
	Cost int
	// Member is the member of the body that holds the name of a client or an account, for operations that nobody logs in to before.
	Member string
}

// Body is one media type of a request body. Exactly one of Decode, Form, Multipart, Stream and Refused is set.
type Body struct {
	// MediaType is the declared one. A range such as */* stands for what can be decoded: every JSON media type where As is
	// application/json, every media type in it for text and for bytes.
	MediaType string
	// As is what the generated server knows the body as, where that is another media type: it has one for several.
	As string
	// Decode decodes and validates a body into the model that dst points to, in one pass. A value that is not JSON is a
	// problem.BadRequest; what is against the schema is added to v. It must not keep data, which is used again for the
	// next request.
	Decode func(data []byte, dst any, v *validation.Violations) error
	// Form does the same for a form, and Multipart for a multipart body with the boundary.
	Form      func(values url.Values, dst any, v *validation.Violations) error
	Multipart func(data []byte, boundary string, dst any, v *validation.Violations) error
	// FormNames are the declared members of the form.
	FormNames []string
	// Stream leaves the body to the handler, which reads at most MaxBodyBytes of it.
	Stream bool
	// Refused says that nothing here decodes the media type: the document has it, and requests with it are answered 415.
	Refused bool
}

// Scheme is one entry of components.securitySchemes bound to the authenticator of that scheme.
// Exactly one of Basic, Bearer, APIKey and MutualTLS is set.
type Scheme struct {
	Name      string
	Basic     func(context.Context, auth.Basic) (*auth.Principal, error)
	Bearer    func(context.Context, auth.BearerToken) (*auth.Principal, error)
	APIKey    func(context.Context, auth.APIKey) (*auth.Principal, error)
	MutualTLS func(context.Context, auth.ClientCertificate) (*auth.Principal, error)
	// In is "header", "query" or "cookie", and Param the name there, for APIKey.
	In    string
	Param string
}
