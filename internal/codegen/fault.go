package codegen

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong with a document: where it is, what is wrong and what to write instead.
type Fault struct {
	File    string
	Line    int
	Pointer string // RFC 6901, as a URI fragment
	Reason  string

	file   int // the files in the order in which they were opened
	column int
}

func (f Fault) String() string {
	return fmt.Sprintf("%s:%d: #%s: %s", f.File, f.Line, f.Pointer, f.Reason)
}

// Faults are all the faults of a document, in the order of its text.
type Faults []Fault

func (f Faults) sort() {
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(a.file-b.file, a.Line-b.Line, a.column-b.column, strings.Compare(a.Reason, b.Reason))
	})
}

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// faultAt makes a Fault of the node.
func (n node) faultAt(format string, args ...any) Fault {
	return Fault{File: n.doc.file, Line: n.line, Pointer: n.pointer, Reason: fmt.Sprintf(format, args...), file: n.doc.number, column: n.column}
}

// fault notes what changes the enforcement, so that nothing is generated.
func (n node) fault(format string, args ...any) {
	n.doc.library.add(&n.doc.library.faults, n.faultAt(format, args...))
}

// warn notes what is wrong and changes nothing of what is enforced.
func (n node) warn(format string, args ...any) {
	n.doc.library.add(&n.doc.library.warnings, n.faultAt(format, args...))
}

// add notes a fault once: a shared schema is read from many places, and an alias repeats what it stands for.
func (l *library) add(to *Faults, f Fault) {
	token := f.Pointer[strings.LastIndexByte(f.Pointer, '/')+1:]
	if key := fmt.Sprintf("%d:%d:%d %s: %s", f.file, f.Line, f.column, token, f.Reason); !l.seen[key] {
		l.seen[key] = true
		*to = append(*to, f)
	}
}
