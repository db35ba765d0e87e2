package validation

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Kind is the type of a JSON value.
type Kind byte

// The types of JSON. They are bits, so that a schema of several types is one number. Integer is no kind of its own: it is
// a Number without a fraction.
const (
	Null Kind = 1 << iota
	Boolean
	Number
	String
	Array
	Object
	Integer
)

// Value is a JSON value in memory. The generated checks of a schema that cannot be checked while reading (alternatives,
// conditions, members by pattern) walk over it, and so do those of parameters, forms and responses. What Reader gives is
// valid JSON without repeated members; the number of a value is kept as it was spelled, so that nothing is rounded.
type Value struct {
	kind   Kind
	truth  bool
	name   string  // of a member
	text   string  // of a String: its characters; of a Number: its digits
	list   []Value // elements or members
	parent *Value
	next   *Value // beside it
	evaluated
	// written is what goes to the model instead of text: the one spelling of what has several.
	written  string
	file     *File // of a part that is bytes
	defaults []filled
}

// filled is a member that the document fills in.
type filled struct{ name, json string }

// evaluated is what schemas said about a member or element so far: see Check.
type evaluated struct {
	mark       int  // the place in Check.marks, from 1
	undeclared bool // it is a member that properties of an open object do not name
	ambiguous  bool // and differs from one of them in case alone
}

// Kind is the type of the value.
func (v *Value) Kind() Kind { return v.kind }

// Name is the name of a member.
func (v *Value) Name() string { return v.name }

// Text is what a string says, and "" for all else.
func (v *Value) Text() string {
	if v.kind != String {
		return ""
	}
	return v.text
}

// FirstMember is the first member of an object, nil for all else.
func (v *Value) FirstMember() *Value {
	if v.kind != Object || len(v.list) == 0 {
		return nil
	}
	return &v.list[0]
}

// Next is the member or element after this one, nil after the last. The checks go from one to the next by it: a loop over
// an iterator is three functions to the compiler, and a large document has thousands of loops.
func (v *Value) Next() *Value { return v.next }

// Member returns the member of the name, or nil.
func (v *Value) Member(name string) *Value {
	for i := range v.list {
		if v.kind == Object && v.list[i].name == name {
			return &v.list[i]
		}
	}
	return nil
}

// Element returns the element at i, or nil.
func (v *Value) Element(i int) *Value {
	if v.kind != Array || i >= len(v.list) {
		return nil
	}
	return &v.list[i]
}

// pointer is the place of the value below the root, as RFC 6901 writes it. Below a member whose name is too long to be
// repeated it is the place of
// the object: many violations in one such member would be many times what was sent.
func (v *Value) pointer() jsontext.Pointer {
	p, _ := v.place()
	return p
}

func (v *Value) place() (p jsontext.Pointer, whole bool) {
	if v.parent == nil {
		return "", true
	}
	if p, whole = v.parent.place(); !whole {
		return p, false
	}
	if v.parent.kind == Object {
		if len(v.name) > maxNamed {
			return p, false
		}
		return p.AppendToken(v.name), true
	}
	for i := range v.parent.list {
		if &v.parent.list[i] == v {
			return p.AppendToken(strconv.Itoa(i)), true
		}
	}
	return p, true
}

// parseValue parses one JSON value that is known to be valid, and counts the values in it. The texts are parts of src wherever nothing is escaped.
func parseValue(src string) (v *Value, values int) {
	var p parser
	return p.parse(src)
}

// parser keeps the values that it makes in memory that it uses again: those of one text are good until the next is parsed.
type parser struct {
	src    string
	at     int
	values int
	root   Value
	open   []Value // children of the arrays and objects that are not at their end yet
	kept   []Value // children of those that are
}

// maxKept bounds the memory that a parser holds on to, so that one large body does not occupy it for ever.
const maxKept = 512

func (p *parser) parse(src string) (v *Value, values int) {
	p.src, p.at, p.values = src, 0, 0
	p.root = p.value("")
	p.root.link()
	return &p.root, p.values
}

// forget drops what was parsed.
func (p *parser) forget() {
	if cap(p.open) > maxKept || cap(p.kept) > maxKept {
		*p = parser{}
		return
	}
	clear(p.kept)
	p.src, p.root, p.kept = "", Value{}, p.kept[:0]
}

// keep moves the children from place on to where they stay, side by side.
func (p *parser) keep(place int) []Value {
	children := p.open[place:]
	if cap(p.kept)-len(p.kept) < len(children) {
		p.kept = make([]Value, 0, max(2*cap(p.kept), len(children), 16)) // what was kept is held by its parents
	}
	n := len(p.kept)
	p.kept = append(p.kept, children...)
	clear(children)
	p.open = p.open[:place]
	return p.kept[n:len(p.kept):len(p.kept)]
}

// link sets what is above and beside each value, once they have their place in memory.
func (v *Value) link() {
	for i := range v.list {
		child := &v.list[i]
		child.parent, child.next = v, nil
		if i+1 < len(v.list) {
			child.next = &v.list[i+1]
		}
		child.link()
	}
}

// next returns the next byte that is not white space, without going over it.
func (p *parser) next() byte {
	for {
		switch c := p.src[p.at]; c {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return c
		}
	}
}

func (p *parser) value(name string) Value {
	p.values++
	v := Value{name: name}
	switch c := p.next(); c {
	case '{', '[':
		v.kind = Array
		if c == '{' {
			v.kind = Object
		}
		p.at++
		v.list = p.children(v.kind)
	case '"':
		v.kind, v.text = String, p.text()
	case 't', 'f', 'n':
		v.kind, v.truth = Boolean, c == 't'
		p.at += len("true")
		if c == 'f' {
			p.at++
		}
		if c == 'n' {
			v.kind = Null
		}
	default:
		start := p.at
		for p.at < len(p.src) && strings.IndexByte("+-.0123456789Ee", p.src[p.at]) >= 0 {
			p.at++
		}
		v.kind, v.text = Number, p.src[start:p.at]
	}
	return v
}

// children parses elements or members up to the closing bracket.
func (p *parser) children(kind Kind) []Value {
	place := len(p.open)
	for {
		switch p.next() {
		case '}', ']':
			p.at++
			return p.keep(place)
		case ',':
			p.at++
			continue
		}
		name := ""
		if kind == Object {
			name = p.text()
			p.next()
			p.at++ // the colon
		}
		child := p.value(name)
		p.open = append(p.open, child)
	}
}

// text parses a string.
func (p *parser) text() string {
	p.next()
	start, escaped := p.at, false
	for p.at++; p.src[p.at] != '"'; p.at++ {
		if p.src[p.at] == '\\' {
			escaped = true
			p.at++
		}
	}
	p.at++
	if !escaped {
		return p.src[start+1 : p.at-1]
	}
	text, _ := jsontext.AppendUnquote(nil, p.src[start:p.at]) // it is valid
	return string(text)
}
