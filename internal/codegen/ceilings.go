package codegen

// The ceilings of what a document leaves unbounded (OWASP API4:2023). A document that needs more says so: with maxLength,
// maxItems, maxProperties and x-max-body-bytes.
const (
	// ceilingBodyBytes holds a few hundred items of an ordinary API.
	ceilingBodyBytes = 1 << 20
	// ceilingStringBytes is a long text, and no file.
	ceilingStringBytes = 64 << 10
	// ceilingItems is more than one request should ask a handler to work through.
	ceilingItems = 10_000
	// ceilingMembers is far beyond any object that a person described.
	ceilingMembers = 1_000
)
