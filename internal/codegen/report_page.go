package codegen

import (
	_ "embed"
	"html/template"
	"io"
)

//go:embed report.html.tmpl
var pageText string

// page writes the report as one HTML page that needs nothing else: no script, no style sheet, no font.
func (m *matrix) page(w io.Writer) error {
	t, err := template.New("report").Parse(pageText)
	if err != nil {
		return err
	}
	return t.Execute(w, m)
}
