package codegen

import (
	"fmt"
	"strings"
)

// Fault is one reason why a document cannot be generated from: where it is, what is wrong and what to write instead.
type Fault struct {
	File    string
	Line    int
	Pointer string // RFC 6901, as a URI fragment
	Reason  string
}

func (f Fault) String() string {
	return fmt.Sprintf("%s:%d: #%s: %s", f.File, f.Line, f.Pointer, f.Reason)
}

// Faults are all the faults of a document, in its order.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}
