package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// format is how a command prints its result.
type format struct {
	JSON bool `name:"json" env:"-" help:"Print the result as JSON, for programs."`
}

// print prints a value as JSON, or what people writes for people: lines whose cells are parted by tabs, which are aligned.
func (f format) print(w io.Writer, value any, people func(io.Writer)) error {
	if f.JSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(value)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	people(table)
	return table.Flush()
}

// row writes a line of a table.
func row(w io.Writer, cells ...string) {
	fmt.Fprintln(w, strings.Join(cells, "\t"))
}

// showTime returns a time as text: UTC, to the second, and - where there is none.
func showTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}
