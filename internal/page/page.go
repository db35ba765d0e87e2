// Package page renders what people see in a browser: one layout and one style sheet, no script, nothing loaded from elsewhere.
package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"
	"strings"
)

//go:embed layout.html
var layout string

//go:embed style.css
var style string

// styleSource allows the style sheet of the layout by its hash, and no other.
var styleSource = func() string {
	sum := sha256.Sum256([]byte(style))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}()

// MediaType is that of every page.
const MediaType = "text/html; charset=utf-8"

// Page is a page of one kind.
type Page struct{ template *template.Template }

// New returns the page with a title and a content, both html/template text. It is called once for each page, when the program starts:
// a text that is no template panics.
func New(title, content string) *Page {
	t := template.Must(template.New("layout").Parse(layout))
	template.Must(t.New("title").Parse(title))
	template.Must(t.New("content").Parse(content))
	return &Page{t}
}

// Render returns the page with the data in its place, escaped for where it stands.
func (p *Page) Render(data any) ([]byte, error) {
	var b bytes.Buffer
	err := p.template.Execute(&b, struct {
		Style template.CSS
		Data  any
	}{template.CSS(style), data})
	return b.Bytes(), err
}

// Policy returns the Content-Security-Policy of a page whose forms lead to the origins, beside our own: browsers apply
// form-action to every redirect that follows a form too. Without any the page has no form. What gets into a page
// in spite of the escapes can run nothing, load nothing and send nothing away; no other page may frame it (security.md 51).
// The one image is the empty icon, without which browsers ask for /favicon.ico.
func Policy(forms ...string) string {
	if len(forms) == 0 {
		forms = []string{"'none'"}
	}
	return "default-src 'none'; img-src data:; style-src " + styleSource + "; form-action " + strings.Join(forms, " ") +
		"; base-uri 'none'; frame-ancestors 'none'"
}

// Write answers with a rendered page and its policy.
func Write(w http.ResponseWriter, status int, policy string, body []byte) error {
	h := w.Header()
	h.Set("Content-Type", MediaType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Content-Security-Policy", policy)
	w.WriteHeader(status)
	_, err := w.Write(body)
	return err
}
