package validation

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"example.com/gatehouse/internal/ceiling"
	"example.com/gatehouse/internal/problem"
)

// File is a part of a multipart body that holds bytes.
type File struct {
	Filename    string `json:"filename"`
	ContentType string `json:"content_type"`
	Data        []byte `json:"data"`
}

// FormShape says what the members of a form can become.
type FormShape struct {
	Members map[string]*FormMember
	Rest    *FormMember // of other members; nil: a string
}

// FormMember is one member of a form.
type FormMember struct {
	*Shape
	// Separator splits one text into the elements of an array. Empty: the member is repeated.
	Separator string
	// JSON says that the text is a JSON value.
	JSON bool
	// File says that the part is bytes; ContentTypes are the media types that it may have, ranges among them. Empty: any.
	File         bool
	ContentTypes []string
}

func (s *FormShape) member(name string) *FormMember {
	switch {
	case s.Members[name] != nil:
		return s.Members[name]
	case s.Rest != nil:
		return s.Rest
	}
	return &FormMember{Shape: AnyText}
}

// DecodeForm checks a form and unmarshals it into the model that dst points to.
func DecodeForm(values url.Values, shape *FormShape, dst any, v *Violations, check func(*Check, *Value)) error {
	object := &Value{kind: Object}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		m := shape.member(name)
		if owner, inner, deep := strings.Cut(name, "["); deep && shape.Members[name] == nil && strings.HasSuffix(inner, "]") {
			if o := shape.Members[owner]; o != nil && o.Shape.Members != nil {
				if inner = strings.TrimSuffix(inner, "]"); !addDeep(object, o.Shape, owner, inner, values[name]) {
					v.Body(formPointer(owner)+formPointer(inner), "repeated", "must be given once")
				}
				continue
			}
		}
		child := Value{name: name}
		if m.value(&child, values[name], v) {
			object.list = append(object.list, child)
		}
	}
	return model(object, len(names), dst, v, check)
}

// addDeep adds owner[name]=text to the object of the owner. It returns false where the owner has the member, or is something else.
func addDeep(object *Value, shape *Shape, owner, name string, texts []string) bool {
	at := object.Member(owner)
	if at == nil {
		object.list = append(object.list, Value{kind: Object, name: owner})
		at = &object.list[len(object.list)-1]
	}
	if at.kind != Object || at.Member(name) != nil {
		return false
	}
	if inner := shape.Members[name]; inner != nil && inner.Items != nil {
		list := inner.array(texts)
		list.name = name
		at.list = append(at.list, *list)
		return true
	}
	return len(texts) == 1 && shape.add(at, name, texts[0])
}

// value makes the value of a member from its texts. Where it cannot, it adds a violation and returns false.
func (m *FormMember) value(child *Value, texts []string, v *Violations) bool {
	pointer := formPointer(child.name)
	if m.Items != nil && !m.JSON {
		if m.Separator != "" {
			texts = strings.Split(texts[0], m.Separator)
		}
		if len(texts) > 1 || m.Kinds == 0 {
			list := m.array(texts)
			list.name = child.name
			*child = *list
			return true
		}
	}
	if len(texts) > 1 {
		v.Body(pointer, "repeated", "must be given once")
		return false
	}
	if m.JSON || m.Members != nil && m.Kinds == 0 {
		parsed, err := parseText(texts[0])
		if err != nil {
			v.Body(pointer, "content", "must be JSON: one value in UTF-8, without a repeated member")
			return false
		}
		name := child.name
		*child = *parsed
		child.name = name
		return true
	}
	m.scalar(child, texts[0])
	return true
}

var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

// formPointer is the place of a member, or of the form where the name is too long to be repeated.
func formPointer(name string) string {
	if len(name) > maxNamed {
		return ""
	}
	return "/" + escapePointer.Replace(name)
}

// model checks a value that was put together and unmarshals it into the model that dst points to.
func model(value *Value, values int, dst any, v *Violations, check func(*Check, *Value)) error {
	value.link()
	c := &Check{Violations: v, trials: ceiling.Trials + ceiling.TrialsPerValue*values}
	check(c, value)
	c.doubles(value)
	if c.failed > 0 || len(v.list) > 0 {
		return nil
	}
	if err := json.Unmarshal(value.appendJSON(nil), dst); err != nil {
		return problem.Internal.Wrap(fmt.Errorf("unmarshal a body that its schema accepts into %T: %v", dst, withoutInput(err)), "the service failed: the log has it under request_id")
	}
	return nil
}

// DecodeText checks a body that is one text and unmarshals it into the model that dst points to.
func DecodeText(data []byte, dst any, v *Violations, check func(*Check, *Value)) error {
	if !utf8.Valid(data) {
		return problem.BadRequest.New("the body is not UTF-8")
	}
	return model(&Value{kind: String, text: string(data)}, 1, dst, v, check)
}

// DecodeMultipart checks a multipart/form-data body and unmarshals it into the model that dst points to. A body that is none is a
// problem.BadRequest.
func DecodeMultipart(data []byte, boundary string, shape *FormShape, dst any, v *Violations, check func(*Check, *Value)) error {
	reader := multipart.NewReader(bytes.NewReader(data), boundary)
	object := &Value{kind: Object}
	texts := map[string][]string{}
	var order []string
	for n := 0; ; n++ {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || n == ceiling.Parts {
			return problem.BadRequest.New("the body is not multipart/form-data, or has too many parts")
		}
		content, err := io.ReadAll(part)
		name := part.FormName()
		if err != nil || name == "" || !utf8.ValidString(name) || part.Header.Get("Content-Transfer-Encoding") != "" {
			return problem.BadRequest.New("the body is not multipart/form-data: each part ends, has a name, and no transfer encoding")
		}
		m := shape.member(name)
		if !m.takes(part.Header.Get("Content-Type")) {
			v.Body(formPointer(name), "contentType", "must be of the media type "+strings.Join(m.ContentTypes, " or "))
			continue
		}
		if m.File {
			file := &File{Filename: part.FileName(), ContentType: part.Header.Get("Content-Type"), Data: content}
			addFile(object, m, Value{kind: String, name: name, text: string(content), file: file}, v)
			continue
		}
		if !utf8.Valid(content) {
			return problem.BadRequest.New("a part of the body that is text is not UTF-8")
		}
		if texts[name] == nil {
			order = append(order, name)
		}
		texts[name] = append(texts[name], string(content))
	}
	for _, name := range order {
		child := Value{name: name}
		if shape.member(name).value(&child, texts[name], v) {
			object.list = append(object.list, child)
		}
	}
	return model(object, len(object.list), dst, v, check)
}

// addFile adds a part that is bytes: to the array of its name, or as the one member.
func addFile(object *Value, m *FormMember, file Value, v *Violations) {
	at := object.Member(file.name)
	switch {
	case m.Shape != nil && m.Items != nil && at == nil:
		object.list = append(object.list, Value{kind: Array, name: file.name, list: []Value{file}})
	case m.Shape != nil && m.Items != nil:
		at.list = append(at.list, file)
	case at == nil:
		object.list = append(object.list, file)
	default:
		v.Body(formPointer(file.name), "repeated", "must be given once")
	}
}

// takes reports whether a part may have the media type. A part that says none is text.
func (m *FormMember) takes(field string) bool {
	if len(m.ContentTypes) == 0 {
		return true
	}
	mediaType := "text/plain"
	if field != "" {
		parsed, _, err := mime.ParseMediaType(field)
		if err != nil {
			return false
		}
		mediaType = parsed
	}
	main, _, _ := strings.Cut(mediaType, "/")
	return slices.ContainsFunc(m.ContentTypes, func(t string) bool { return t == mediaType || t == main+"/*" || t == "*/*" })
}

func (f *File) appendJSON(b []byte) []byte {
	b = appendString(append(b, `{"filename":`...), strings.ToValidUTF8(f.Filename, "\ufffd"))
	b = appendString(append(b, `,"content_type":`...), strings.ToValidUTF8(f.ContentType, "\ufffd"))
	b = append(b, `,"data":"`...)
	return append(base64.StdEncoding.AppendEncode(b, f.Data), `"}`...)
}
