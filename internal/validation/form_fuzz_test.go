package validation_test

import (
	"bytes"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/validation"
)

// upload is what the forms of these tests decode into.
type upload struct {
	Title string            `json:"title"`
	Count int64             `json:"count"`
	Tags  []string          `json:"tags"`
	Meta  map[string]any    `json:"meta"`
	Sizes []float64         `json:"sizes"`
	File  *validation.File  `json:"file"`
	Files []validation.File `json:"files"`
}

var uploadShape = &validation.FormShape{Members: map[string]*validation.FormMember{
	"title": {Shape: &validation.Shape{Kinds: validation.String}},
	"count": {Shape: &validation.Shape{Kinds: validation.Integer}},
	"tags":  {Shape: &validation.Shape{Items: &validation.Shape{Kinds: validation.String}}},
	"meta":  {Shape: &validation.Shape{Members: map[string]*validation.Shape{"list": {Items: validation.AnyText}}, Rest: validation.AnyText}},
	"sizes": {Shape: &validation.Shape{Items: &validation.Shape{Kinds: validation.Number}}, Separator: ","},
	"file":  {Shape: validation.AnyText, File: true, ContentTypes: []string{"image/*", "text/plain"}},
	"files": {Shape: &validation.Shape{Items: validation.AnyText}, File: true},
}}

// checkUpload is what gatehouse-gen would write. A form of another type has no files.
func checkUpload(files bool) func(c *validation.Check, v *validation.Value) {
	return func(c *validation.Check, v *validation.Value) {
		for m := v.FirstMember(); m != nil; m = m.Next() {
			switch m.Name() {
			case "title":
				c.Type(m, validation.String)
				c.MaxLength(m, 10)
			case "count":
				c.Type(m, validation.Integer)
				c.CeilingInteger(m)
			case "tags":
				c.Type(m, validation.Array)
			case "meta":
				c.Type(m, validation.Object)
			case "sizes":
				c.Type(m, validation.Array)
				for e := m.Element(0); e != nil; e = e.Next() {
					c.Type(e, validation.Number)
				}
			case "file", "files":
				if !files {
					c.UnknownMember(m)
				}
			default:
				c.UnknownMember(m)
			}
		}
	}
}

// formDetails are all that a form which is against its schema is answered: nothing of it stands there.
var formDetails = regexp.MustCompile(`^(must be (given once|a string|an integer|a number|an array|an object|an integer of 64 bits|a number that a double can hold|JSON: one value in UTF-8, without a repeated member|of the media type image/\* or text/plain)|must have at most 10 characters|is not a member of this object)$`)

func judgeViolations(t *testing.T, input string, v *validation.Violations) {
	t.Helper()
	if v.Err() == nil {
		return
	}
	for _, x := range problem.From(v.Err()).Violations {
		if !formDetails.MatchString(x.Detail) || len(x.Pointer) > 400 || x.Parameter != "" {
			t.Fatalf("%q: %+v", input, x)
		}
	}
}

func FuzzDecodeForm(f *testing.F) {
	for _, seed := range []string{
		"", "title=a&count=3.0&tags=a&tags=b&sizes=1,2e1", "meta[a]=1&meta[list]=a&meta[list]=b", "meta[a]=1&meta[a]=2", `meta={"a":1}&meta[a]=2`, "meta=1&meta[a]=2", "meta[]=x", "title[a]=1", "count=1e400", "sizes=,",
		"%ff=1", "a=%00", "title=a&title=b", "TITLE=a", strings.Repeat("x", 70) + "=1", `meta={"a":1,"a":2}`, "file=x", "tags", "[=1", "meta[[]]=1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		values, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		for name, list := range values {
			if !utf8.ValidString(name + strings.Join(list, "")) {
				return // the guard refuses it before
			}
		}
		var got upload
		var v validation.Violations
		if err := validation.DecodeForm(values, uploadShape, &got, &v, checkUpload(false)); err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		judgeViolations(t, raw, &v)
		if v.Err() == nil && len(values["title"]) == 1 && got.Title != values.Get("title") {
			t.Fatalf("%q: the title is %q", raw, got.Title)
		}
	})
}

func FuzzDecodeMultipart(f *testing.F) {
	const boundary = "b"
	for _, seed := range []string{
		"", "--b--", "--b--\r\n", "--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\na\r\n--b--\r\n",
		"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../x\"\r\nContent-Type: image/png\r\n\r\n\x89PNG\xff\r\n--b--\r\n",
		"--b\r\nContent-Disposition: form-data; name=\"file\"\r\nContent-Type: text/html\r\n\r\nx\r\n--b--\r\n",
		"--b\r\nContent-Disposition: form-data; name=\"count\"\r\n\r\n1e1\r\n--b\r\nContent-Disposition: form-data; name=\"count\"\r\n\r\n2\r\n--b--\r\n",
		"--b\r\nContent-Disposition: form-data; name=\"files\"\r\n\r\na\r\n--b\r\nContent-Disposition: form-data; name=\"files\"\r\n\r\nb\r\n--b--",
		"--b\r\nContent-Disposition: form-data; name=\"title\"\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ==\r\n--b--\r\n", "--b\r\n\r\n\r\n--b--\r\n", "--b\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\na\r\n--b--\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got upload
		var v validation.Violations
		if err := validation.DecodeMultipart(data, boundary, uploadShape, &got, &v, checkUpload(true)); err != nil && !problem.BadRequest.Is(err) {
			t.Fatalf("%q: %v", data, err)
		}
		judgeViolations(t, string(data), &v)
	})
}

// FuzzMultipartInverse writes parts as package multipart does, and reads them back.
func FuzzMultipartInverse(f *testing.F) {
	f.Add("a", "tag", []byte("\x00\xff\r\n--b"))
	f.Add("", "--b--", []byte(nil))
	f.Fuzz(func(t *testing.T, title, tag string, content []byte) {
		if !utf8.ValidString(title) || !utf8.ValidString(tag) || utf8.RuneCountInString(title) > 10 {
			return
		}
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		for _, field := range [][2]string{{"title", title}, {"tags", tag}, {"tags", title}} {
			if err := w.WriteField(field[0], field[1]); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"file", "files"} {
			part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + name + `"; filename="x.png"`}, "Content-Type": {"image/png"}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := part.Write(content); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		var got upload
		var v validation.Violations
		if err := validation.DecodeMultipart(body.Bytes(), w.Boundary(), uploadShape, &got, &v, checkUpload(true)); err != nil || v.Err() != nil {
			t.Fatalf("%q: %v %+v", body.Bytes(), err, v.Err())
		}
		file := validation.File{Filename: "x.png", ContentType: "image/png", Data: append([]byte{}, content...)}
		want := upload{Title: title, Tags: []string{tag, title}, File: &file, Files: []validation.File{file}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}
