package codegen

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// text writes the report for a terminal and for diff: one line says who may call an operation, and a change of what it takes is
// a line too.
func (m *matrix) text(w io.Writer) error {
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("Security matrix of %s: %s %s\n", m.File, m.Title, m.Version)
	p("Operations: %d. %d public, %d for the anonymous too, %d denied, %d secured.", len(m.Operations), m.Public, m.Optional, m.Denied, m.Secured)
	p("Warnings: %d.%s", m.Warnings, map[bool]string{true: " gatehouse-gen check tells them."}[m.Warnings > 0])
	p("Requests that no operation answers: %s.", orNone(m.Unmatched, "; ", "no limit"))

	p("\nSchemes, and the operations that take them")
	columns(&b, len(m.Schemes), func(i int) []string {
		s := m.Schemes[i]
		return []string{"", s.Name, s.Proof, orNone(s.Operations, ", ", "no operation")}
	})
	p("\nScopes, and the operations that ask for them in one alternative at least")
	columns(&b, len(m.Scopes), func(i int) []string {
		return []string{"", m.Scopes[i].Name, orNone(m.Scopes[i].Operations, ", ", "no operation")}
	})
	p("\nRoles, and the scopes that accounts have by them")
	columns(&b, len(m.Roles), func(i int) []string {
		return []string{"", m.Roles[i].Name, orNone(m.Roles[i].Scopes, ", ", "no scope"), m.Roles[i].Description}
	})
	p("\nCeilings, where the document sets none")
	columns(&b, len(m.Ceilings), func(i int) []string {
		c := m.Ceilings[i]
		return []string{"", c.Of, fmt.Sprint(c.Value), c.raise()}
	})
	p("\nOperations, and who may call them")
	columns(&b, len(m.Operations), func(i int) []string {
		o := m.Operations[i]
		return []string{"", o.Method, o.Path, o.ID, o.Who}
	})
	p("\nRequests, and what they are checked for")
	for _, o := range m.Operations {
		p("  %s %s (%s)", o.Method, o.Path, o.ID)
		for _, line := range o.details() {
			p("    %-10s  %s", line[0], line[1])
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// columns writes rows whose columns are aligned.
func columns(w io.Writer, n int, row func(i int) []string) {
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	for i := range n {
		fmt.Fprintln(t, strings.Join(row(i), "\t"))
	}
	if n == 0 {
		fmt.Fprintln(t, "\tnone")
	}
	_ = t.Flush() // into a buffer
}

func orNone(list []string, separator, none string) string {
	if len(list) == 0 {
		return none
	}
	return strings.Join(list, separator)
}

func (c matrixCeiling) raise() string {
	if c.Raised == "" {
		return "fixed"
	}
	return "more with " + c.Raised
}

// details are the columns of an operation beside who may call it, name and content: limits and timeout always, others where there
// is something.
func (o matrixOperation) details() [][2]string {
	list := [][2]string{{"limits", orNone(o.Limits, "; ", "none")}, {"timeout", o.Timeout}}
	if len(o.Bodies) > 0 {
		list = append(list, [2]string{"body", "at most " + o.MaxBody + ": " + strings.Join(o.Bodies, ", ")})
	}
	var counted []string
	for _, k := range o.Keywords {
		counted = append(counted, fmt.Sprintf("%s %d", k.Name, k.Count))
	}
	for _, column := range []struct {
		name, separator string
		content         []string
	}{{"parameters", ", ", o.Parameters}, {"keywords", ", ", counted}, {"unbounded", "; ", o.Open}, {"exceptions", "; ", o.Exceptions}} {
		if len(column.content) > 0 {
			list = append(list, [2]string{column.name, strings.Join(column.content, column.separator)})
		}
	}
	return list
}
