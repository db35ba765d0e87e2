package problem

const urn = "urn:gatehouse:problem:"

// The kinds of the engine. A resource declares its own beside the code that returns them, with New's table of two:
// type and status. The generated clients and the tests expect every status to be declared in openapi.yaml.
var (
	BadRequest           = Kind{Type: urn + "bad-request", Status: 400, Title: "Bad request"}
	Unauthorized         = Kind{Type: urn + "unauthorized", Status: 401, Title: "Unauthorized"}
	InsufficientScope    = Kind{Type: urn + "insufficient-scope", Status: 403, Title: "Insufficient scope"}
	TransportInsecure    = Kind{Type: urn + "transport-insecure", Status: 403, Title: "Transport insecure"}
	CrossOrigin          = Kind{Type: urn + "cross-origin", Status: 403, Title: "Cross-origin request"}
	OperationDenied      = Kind{Type: urn + "operation-denied", Status: 403, Title: "Operation denied"}
	NotFound             = Kind{Type: urn + "not-found", Status: 404, Title: "Not found"}
	MethodNotAllowed     = Kind{Type: urn + "method-not-allowed", Status: 405, Title: "Method not allowed"}
	NotAcceptable        = Kind{Type: urn + "not-acceptable", Status: 406, Title: "Not acceptable"}
	RequestTimeout       = Kind{Type: urn + "request-timeout", Status: 408, Title: "Request timeout"}
	PreconditionFailed   = Kind{Type: urn + "precondition-failed", Status: 412, Title: "Precondition failed"}
	ContentTooLarge      = Kind{Type: urn + "content-too-large", Status: 413, Title: "Content too large"}
	UnsupportedMediaType = Kind{Type: urn + "unsupported-media-type", Status: 415, Title: "Unsupported media type"}
	ValidationFailed     = Kind{Type: urn + "validation-failed", Status: 422, Title: "Validation failed"}
	PreconditionRequired = Kind{Type: urn + "precondition-required", Status: 428, Title: "Precondition required"}
	// QuotaExceeded is registered: draft-ietf-httpapi-ratelimit-headers.
	QuotaExceeded  = Kind{Type: "https://iana.org/assignments/http-problem-types#quota-exceeded", Status: 429, Title: "Quota exceeded"}
	Internal       = Kind{Type: urn + "internal", Status: 500, Title: "Internal error"}
	NotImplemented = Kind{Type: urn + "not-implemented", Status: 501, Title: "Not implemented"}
	Unavailable    = Kind{Type: urn + "unavailable", Status: 503, Title: "Unavailable"}
)
