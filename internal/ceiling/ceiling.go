// Package ceiling holds the bounds that hold where an OpenAPI document sets none (OWASP API4:2023). The generator writes some of them
// into the checks, the run time enforces the others, and `gatehouse-gen report` shows them all.
package ceiling

// A document that needs more than one of these says so, with the keyword that is named beside it.
const (
	// BodyBytes (x-max-body-bytes) holds a few hundred items of an ordinary API.
	BodyBytes = 1 << 20
	// StringBytes (maxLength) is a long text, and no file.
	StringBytes = 64 << 10
	// Items (maxItems) is more than one request should ask a handler to work through.
	Items = 10_000
	// Members (maxProperties) is far beyond any object that a person described.
	Members = 1_000
)

// No document changes these.
const (
	// Depth bounds the nesting of arrays and objects. The JSON reader allows 10,000 levels, enough to make every
	// later walk over the value expensive; no schema of an API needs more than a few.
	Depth = 32
	// Parts bounds the parts of a multipart body: each costs more than its bytes.
	Parts = 1_000
	// Pairs bounds the pairs of a query or a form, far above what any operation declares.
	Pairs = 256
	// Violations bounds what one request can make the service say: enough for a form, too little to be an amplifier.
	Violations = 32
	// Trials and TrialsPerValue bound how often a body makes the service try an alternative. A schema that refers to
	// itself within anyOf takes a number of trials that grows with a power of the depth of the body: a sender must not
	// choose that. Sixteen alternatives for each value are more than any document that was looked at asks for.
	Trials         = 10_000
	TrialsPerValue = 16
)
