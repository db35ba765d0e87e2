// Package validation is the run time of the generated decoders: it reads JSON, forms and parameters once, strictly, and collects violations.
package validation

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/oapi-codegen/nullable"

	"example.com/gatehouse/internal/ceiling"
	"example.com/gatehouse/internal/problem"
)

// Reader reads one JSON value for a generated decoder. Every method that reads consumes exactly one value, also when
// it is of the wrong type, so that one pass reports all violations. After the first syntax error nothing more is
// read and every method reports failure.
type Reader struct {
	dec        *jsontext.Decoder
	buf        bytes.Buffer
	violations *Violations
	purpose    Purpose
	err        error
	name       []byte  // the member name read last
	valid      bool    // the value read last is of the type that was asked for: the checks of keywords look at it
	raw        []byte  // the number read last, as it stands in the body
	number     float64 // and its value
	text       []byte  // the string read last
	written    string  // the same, where Text returned it
	length     int     // the elements or members of the array or object read last
	scratch    []byte
	values     parser // of the value that Checked holds
	check      Check
}

var readers = sync.Pool{New: func() any { return &Reader{dec: jsontext.NewDecoder(new(bytes.Buffer))} }}

// Decode reads data, which must be exactly one JSON value, with a generated decoder. It returns a problem.BadRequest where
// data is not JSON: syntax, encoding, a repeated member, trailing data, too deep. What is against the schema is added to v.
func Decode(data []byte, v *Violations, decode func(*Reader)) error {
	return read(data, Request, v, decode)
}

// DecodePatch does the same for a JSON merge patch.
func DecodePatch(data []byte, v *Violations, decode func(*Reader)) error {
	return read(data, Patch, v, decode)
}

func read(data []byte, purpose Purpose, v *Violations, decode func(*Reader)) error {
	r := readers.Get().(*Reader)
	defer readers.Put(r)
	r.buf = *bytes.NewBuffer(data)
	r.dec.Reset(&r.buf)
	r.violations, r.purpose, r.err = v, purpose, nil
	decode(r)
	if r.err == nil {
		if _, err := r.dec.ReadToken(); err != io.EOF {
			r.fail("the body goes on after the JSON value")
		}
	}
	err := r.err
	r.violations, r.err, r.name, r.raw, r.text, r.written, r.buf = nil, nil, nil, nil, nil, "", bytes.Buffer{}
	return err
}

func (r *Reader) fail(detail string) { r.err = problem.BadRequest.New(detail) }

// syntax turns an error of the JSON reader into a problem. Its text quotes the input, so only the kind and the
// place are taken from it.
func (r *Reader) syntax(err error) {
	if r.err != nil {
		return
	}
	at := r.dec.InputOffset()
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		at = syntactic.ByteOffset
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		r.fail("the body repeats a member of an object at byte " + strconv.FormatInt(at, 10))
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		r.fail("the body ends before the JSON value does")
	default:
		r.fail("the body is not valid JSON in UTF-8 at byte " + strconv.FormatInt(at, 10))
	}
}

// peek returns the kind of the next value, or 0 after an error.
func (r *Reader) peek() jsontext.Kind {
	if r.err != nil {
		return 0
	}
	kind := r.dec.PeekKind()
	if kind == 0 {
		_, err := r.dec.ReadToken()
		r.syntax(err)
	}
	return kind
}

func (r *Reader) readToken() bool {
	if _, err := r.dec.ReadToken(); err != nil {
		r.syntax(err)
		return false
	}
	if r.dec.StackDepth() > ceiling.Depth {
		r.tooDeep()
		return false
	}
	return true
}

// skip reads one value of any kind, counting its depth.
func (r *Reader) skip() bool {
	outer := r.dec.StackDepth()
	for {
		if r.peek() == 0 || !r.readToken() {
			return false
		}
		if r.dec.StackDepth() <= outer {
			return true
		}
	}
}

// scalar reads one value and returns it raw where it begins with want. Where it is of another kind it adds a
// violation, and the value has been read. Peeking first would cost as much as reading.
func (r *Reader) scalar(want byte, name string) (raw []byte, ok bool) {
	r.valid = false
	if r.err != nil {
		return nil, false
	}
	outer := r.dec.StackDepth()
	raw, err := r.dec.ReadValue()
	if err != nil {
		r.syntax(err)
		return nil, false
	}
	switch first := raw[0]; {
	case first == want, want == '0' && (first == '-' || '0' <= first && first <= '9'):
		r.valid = true
		return raw, true
	case (first == '{' || first == '[') && outer+depth(raw) > ceiling.Depth:
		r.tooDeep()
		return nil, false
	}
	r.Violation("type", "must be "+name)
	return nil, false
}

// depth returns how deep an array or object nests.
func depth(raw []byte) int {
	depth, deepest, text := 0, 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{', c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}', c == ']':
			depth--
		}
	}
	return deepest
}

func (r *Reader) tooDeep() {
	r.fail("the body nests deeper than " + strconv.Itoa(ceiling.Depth) + " levels")
}

// Valid reports whether the value read last is of the type that was asked for, and one of the enum.
func (r *Reader) Valid() bool { return r.valid }

// Violation adds a violation at the value read last.
func (r *Reader) Violation(keyword, detail string) {
	if r.err == nil {
		at, _ := place(r.dec)
		r.violations.Body(string(at), keyword, detail)
	}
}

// place is where the value stands that was read last. Below a member whose name is too long to be repeated it is the place
// of the object, and not the whole: see Value.place.
func place(dec *jsontext.Decoder) (at jsontext.Pointer, whole bool) {
	at = dec.StackPointer()
	for end, next := 0, 0; end < len(at); end = next {
		for next = end + 1; next < len(at) && at[next] != '/'; next++ {
		}
		if next-end > maxNamed && len(at[end:next].LastToken()) > maxNamed {
			return at[:end], false
		}
	}
	return at, true
}

// WrongType reads one value and adds a violation that it is not of the type, such as "a string".
func (r *Reader) WrongType(want string) {
	if r.skip() {
		r.Violation("type", "must be "+want)
	}
}

// ReadNull reads null into dst if it is the next value, and reports whether it was. It is not inlined: see Reader.Text.
//
//go:noinline
func ReadNull[T any](r *Reader, dst *nullable.Nullable[T]) bool {
	if r.peek() != 'n' || !r.readToken() {
		return false
	}
	dst.SetNull()
	return true
}

// BeginObject reads the opening brace. Where the value is not an object it adds a violation and returns false.
func (r *Reader) BeginObject() bool {
	switch r.peek() {
	case '{':
		return r.readToken()
	case 0:
		return false
	}
	r.WrongType("an object")
	return false
}

// NextMember reads the next member name, or the closing brace, where it returns false. After an error it returns false.
func (r *Reader) NextMember() bool {
	switch r.peek() {
	case 0:
		return false
	case '}':
		r.end()
		return false
	}
	raw, err := r.dec.ReadValue()
	if err != nil {
		r.syntax(err)
		return false
	}
	r.name = r.unquote(raw)
	return true
}

// Name returns the member name that NextMember read. It is valid until the next read.
func (r *Reader) Name() []byte { return r.name }

// maxNamed bounds the name of an unknown member that a violation repeats: a pointer must be able to name the
// member, and must not become an echo of whatever is sent.
const maxNamed = 64

// UnknownMember reads the value of a member that the schema does not allow and adds a violation.
func (r *Reader) UnknownMember() {
	if r.skip() {
		r.Violation("additionalProperties", "is not a member of this object")
	}
}

// SkipMember reads the value of a member that the schema allows but does not describe.
func (r *Reader) SkipMember() { r.skip() }

// Required adds a violation for each name whose bit is not among those seen. It is called after the closing brace.
func (r *Reader) Required(seen uint64, names ...string) {
	if r.err != nil || ^seen&(1<<len(names)-1) == 0 {
		return
	}
	object, whole := place(r.dec)
	for i, name := range names {
		if seen&(1<<i) != 0 {
			continue
		}
		at := object
		if whole {
			at = object.AppendToken(name)
		}
		r.violations.Body(string(at), "required", "is required")
	}
}

// FillsDefaults reports whether members that were not sent get the default of the schema: see Patch.
func (r *Reader) FillsDefaults() bool { return r.purpose == Request }

// BeginArray reads the opening bracket. Where the value is not an array it adds a violation and returns false.
func (r *Reader) BeginArray() bool {
	switch r.peek() {
	case '[':
		return r.readToken()
	case 0:
		return false
	}
	r.WrongType("an array")
	return false
}

// NextElement reports whether another element follows; else it reads the closing bracket. Where the array has more than most
// elements it adds a violation and passes over the others: what is refused by its length must not cost what it is long.
// After an error it returns false.
func (r *Reader) NextElement(most int) bool {
	_, read := r.dec.StackIndex(r.dec.StackDepth())
	for kind := r.peek(); kind != ']'; kind = r.peek() {
		if kind == 0 {
			return false
		}
		if read < int64(most) {
			return true
		}
		if !r.skip() {
			return false
		}
	}
	r.end()
	r.Check("maxItems", MaxItems(r.length, most))
	return false
}

// end reads a closing brace or bracket, and keeps how much stands before it.
func (r *Reader) end() {
	kind, n := r.dec.StackIndex(r.dec.StackDepth())
	if kind == '{' {
		n /= 2 // names count too
	}
	r.length, r.valid = int(n), r.readToken()
}

// Bool reads a boolean.
func (r *Reader) Bool() bool {
	switch kind := r.peek(); kind {
	case 't', 'f':
		return r.readToken() && kind == 't'
	case 0:
		return false
	}
	r.WrongType("true or false")
	return false
}

// unquote returns the text of a JSON string. Only a string with an escape is copied.
func (r *Reader) unquote(raw []byte) []byte {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	var err error
	r.scratch, err = jsontext.AppendUnquote(r.scratch[:0], raw)
	if err != nil {
		r.syntax(err)
	}
	return r.scratch
}
