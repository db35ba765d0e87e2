package codegen

import (
	"fmt"
	"strings"
)

// Fault is one thing that is wrong with a document: where it is, what is wrong and what to write instead.
type Fault struct {
	File    string
	Line    int
	Pointer string // RFC 6901, as a URI fragment
	Reason  string
}

func (f Fault) String() string {
	return fmt.Sprintf("%s:%d: #%s: %s", f.File, f.Line, f.Pointer, f.Reason)
}

// Faults are all the faults of a document, in the order in which they were found.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// faultAt makes a Fault of the node.
func (n node) faultAt(format string, args ...any) Fault {
	f := Fault{File: n.doc.file, Pointer: n.pointer, Reason: fmt.Sprintf(format, args...)}
	if n.yaml != nil {
		f.Line = n.yaml.Line
	}
	return f
}

// fault notes what changes the enforcement, so that nothing is generated.
func (n node) fault(format string, args ...any) {
	n.doc.library.add(&n.doc.library.faults, n.faultAt(format, args...))
}

// warn notes what is wrong and changes nothing of what is enforced.
func (n node) warn(format string, args ...any) {
	n.doc.library.add(&n.doc.library.warnings, n.faultAt(format, args...))
}

// add notes a fault once: a shared schema is read from many places.
func (l *library) add(to *Faults, f Fault) {
	if key := f.String(); !l.seen[key] {
		l.seen[key] = true
		*to = append(*to, f)
	}
}
