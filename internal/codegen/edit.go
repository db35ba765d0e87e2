package codegen

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// edit adds members to mappings of one file, in its text: comments and the form of all else stay.
type edit struct {
	source *source
	added  []addition
	json   bool
	lines  [][]byte
	starts []int          // offsets of the lines
	number map[place]int  // of JSON: the mappings in the order of their braces
	braces map[int][2]int // of JSON: the offsets of the braces by that number
}

// addition is a member that a mapping gets.
type addition struct {
	to    *yaml.Node
	key   string
	value *yaml.Node
}

// insertion is text that goes to an offset of the file.
type insertion struct {
	at   int
	text string
}

func newEdit(s *source) *edit {
	e := &edit{source: s, json: json.Valid(s.data), lines: bytes.SplitAfter(s.data, []byte("\n"))}
	at := 0
	for _, line := range e.lines {
		e.starts = append(e.starts, at)
		at += len(line)
	}
	return e
}

// add notes a member. It returns false where the mapping gets it already: an alias repeats a mapping.
func (e *edit) add(to *yaml.Node, key string, value *yaml.Node) bool {
	if slices.ContainsFunc(e.added, func(a addition) bool { return a.to == to && a.key == key }) {
		return false
	}
	e.added = append(e.added, addition{to, key, value})
	return true
}

// apply returns the text with the additions, or an error where it would not say what it said before and the additions.
func (e *edit) apply() ([]byte, error) {
	if e.json {
		if err := e.countBraces(); err != nil {
			return nil, err
		}
	}
	var list []insertion
	begun := map[*yaml.Node]bool{}
	for _, a := range e.added {
		i, err := e.place(a, !begun[a.to])
		if err != nil {
			return nil, fmt.Errorf("%s:%d: cannot be edited: %w: write %s by hand", e.source.file, a.to.Line, err, a.key)
		}
		begun[a.to] = true
		list = append(list, i)
	}
	slices.SortStableFunc(list, func(a, b insertion) int { return cmp.Compare(a.at, b.at) })
	var out []byte
	from := 0
	for _, i := range list {
		out = append(append(out, e.source.data[from:i.at]...), i.text...)
		from = i.at
	}
	out = append(out, e.source.data[from:]...)
	return out, e.verify(out)
}

// verify compares what the new text says with what it must say.
func (e *edit) verify(out []byte) error {
	want, err := parseText(e.source.data)
	if err != nil {
		return err
	}
	at := map[place]*yaml.Node{}
	eachMapping(want, func(m *yaml.Node) { at[placeOf(m)] = m })
	for _, a := range e.added {
		if to := at[placeOf(a.to)]; to != nil {
			put(to, a.key, a.value)
		}
	}
	if got, err := parseText(out); err != nil || !sameJSON(got, want) {
		return fmt.Errorf("%s: its form cannot be edited without changing what it says: write the responses by hand", e.source.file)
	}
	return nil
}

// eachMapping visits the mappings in the order of the text.
func eachMapping(n *yaml.Node, visit func(*yaml.Node)) {
	if n.Kind == yaml.MappingNode {
		visit(n)
	}
	for _, child := range n.Content {
		eachMapping(child, visit)
	}
}

func (e *edit) place(a addition, first bool) (insertion, error) {
	if e.json || a.to.Style&yaml.FlowStyle != 0 {
		return e.inFlow(a, first)
	}
	return e.inBlock(a)
}

// inBlock places a member between the lines of a block mapping: before the first key that is greater, where the keys are
// statuses, and else at the end.
func (e *edit) inBlock(a addition) (insertion, error) {
	var keys []*yaml.Node
	for i := 0; i < len(a.to.Content); i += 2 {
		if a.to.Content[i].Line > 0 {
			keys = append(keys, a.to.Content[i])
		}
	}
	if len(keys) == 0 {
		return insertion{}, errors.New("a mapping without members in block style")
	}
	after := keys[len(keys)-1]
	if _, isStatus := engineResponses[a.key]; isStatus {
		for i, k := range keys {
			if i > 0 && k.Value > a.key {
				after = keys[i-1]
				break
			}
		}
	}
	at := len(e.source.data)
	if end := endOfEntry(e.lines, after); end < len(e.lines) {
		at = e.starts[end]
	}
	rendered, err := e.render(a, keys[0])
	if err != nil {
		return insertion{}, err
	}
	if at > 0 && e.source.data[at-1] != '\n' {
		rendered = "\n" + strings.TrimSuffix(rendered, "\n")
	}
	return insertion{at, rendered}, nil
}

// endOfEntry returns the number of lines up to the end of a member of a block mapping: what follows it and is indented more,
// or is a list at the same column.
func endOfEntry(lines [][]byte, key *yaml.Node) int {
	end := key.Line
	for i := key.Line; i < len(lines); i++ {
		text := bytes.TrimSpace(lines[i])
		indent := len(leading(lines[i]))
		switch {
		case len(text) == 0:
			continue
		case indent > key.Column-1, indent == key.Column-1 && (bytes.HasPrefix(text, []byte("- ")) || string(text) == "-"):
			end = i + 1
			continue
		}
		break
	}
	return end
}

// render writes a member as the lines of a block mapping, spelled like the key beside it.
func (e *edit) render(a addition, beside *yaml.Node) (string, error) {
	key, value := text(a.key), a.value
	if beside.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 && engineResponses[a.key] != "" {
		key.Style = beside.Style
	}
	if ref := value.Content[0]; ref.Value == "$ref" {
		value = plain(value)
		value.Content[1].Style = yaml.SingleQuotedStyle
		if e.inlineReferences() {
			value.Style = yaml.FlowStyle
		}
	}
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(e.indent())
	m := mapping()
	m.Content = []*yaml.Node{key, value}
	if err := encoder.Encode(m); err != nil {
		return "", err
	}
	var out strings.Builder
	for line := range strings.SplitAfterSeq(b.String(), "\n") {
		if strings.TrimSpace(line) != "" {
			out.WriteString(strings.Repeat(" ", beside.Column-1))
		}
		out.WriteString(line)
	}
	return out.String(), nil
}

// inlineReferences reports whether the file writes references as { $ref: … }.
func (e *edit) inlineReferences() bool {
	return bytes.Contains(e.source.data, []byte("{ $ref:")) || bytes.Contains(e.source.data, []byte("{$ref:"))
}

// indent is how far the file indents.
func (e *edit) indent() int {
	for i := 1; i < len(e.source.root.Content); i += 2 {
		if v := e.source.root.Content[i]; v.Kind == yaml.MappingNode && v.Style&yaml.FlowStyle == 0 && v.Column > 1 {
			return v.Column - 1
		}
	}
	return 2
}

// inFlow places a member before the brace that closes a mapping. first says that no other member is added to it before.
func (e *edit) inFlow(a addition, first bool) (insertion, error) {
	data := e.source.data
	start, end := e.bracesOf(a.to)
	if end < 0 {
		return insertion{}, errors.New("the braces of the mapping were not found")
	}
	at := len(bytes.TrimRight(data[:end], " \t\r\n"))
	comma := ","
	if first && (at == start+1 || data[at-1] == ',') {
		comma = ""
	}
	value, err := appendJSON(nil, a.value)
	if err != nil {
		return insertion{}, err
	}
	key := string(appendText(nil, a.key))
	lineStart := bytes.LastIndexByte(data[:end], '\n') + 1
	if lineStart <= start || len(bytes.TrimSpace(data[lineStart:end])) > 0 { // the brace has no line of its own
		return insertion{at, comma + " " + key + ": " + string(value)}, nil
	}
	outer := string(leading(data[lineStart:]))
	inner := outer + "  "
	if len(a.to.Content) > 0 {
		line := a.to.Content[0].Line
		inner = string(leading(e.lines[line-1]))
	}
	var b bytes.Buffer
	if err := json.Indent(&b, value, inner, strings.TrimPrefix(inner, outer)); err != nil {
		return insertion{}, err
	}
	return insertion{at, comma + "\n" + inner + key + ": " + b.String()}, nil
}

// bracesOf returns the offsets of the braces around a mapping in flow style, -1 where they are not found.
func (e *edit) bracesOf(m *yaml.Node) (start, end int) {
	if e.json {
		if pair, found := e.braces[e.number[placeOf(m)]]; found {
			return pair[0], pair[1]
		}
		return -1, -1
	}
	at := e.starts[m.Line-1]
	for range m.Column - 1 {
		_, size := utf8.DecodeRune(e.source.data[at:])
		at += size
	}
	start, end = -1, -1
	depth := 0
	structure(e.source.data, at, func(at int) bool {
		if e.source.data[at] == '}' {
			depth--
		} else if depth++; start < 0 {
			start = at
		}
		if depth == 0 {
			end = at
		}
		return depth > 0
	})
	return start, end
}

// countBraces finds the braces of each mapping of JSON by its number. Its column would not do: a text may be spelled otherwise in
// YAML, which was parsed.
func (e *edit) countBraces() error {
	root, err := parseText(e.source.data)
	if err != nil {
		return err
	}
	e.number, e.braces = map[place]int{}, map[int][2]int{}
	eachMapping(root, func(m *yaml.Node) { e.number[placeOf(m)] = len(e.number) })
	var open [][2]int // number and offset
	n := 0
	structure(e.source.data, 0, func(at int) bool {
		if e.source.data[at] == '{' {
			open = append(open, [2]int{n, at})
			n++
		} else if last := len(open) - 1; last >= 0 {
			e.braces[open[last][0]] = [2]int{open[last][1], at}
			open = open[:last]
		}
		return true
	})
	return nil
}

// structure visits the braces outside of texts and comments, as far as it can tell without parsing: apply compares the outcome.
func structure(data []byte, from int, visit func(at int) bool) {
	previous := byte('\n')
	for at := from; at < len(data); at++ {
		c := data[at]
		switch {
		case (c == '"' || c == '\'') && bytes.IndexByte([]byte("{[,:\n-"), previous) >= 0:
			for at++; at < len(data) && data[at] != c; at++ {
				if c == '"' && data[at] == '\\' {
					at++
				}
			}
		case c == '#' && (at == 0 || bytes.IndexByte([]byte(" \t\n"), data[at-1]) >= 0):
			for at < len(data) && data[at] != '\n' {
				at++
			}
			c = '\n'
		case c == '{', c == '}':
			if !visit(at) {
				return
			}
		}
		if c == '\n' || bytes.IndexByte([]byte(" \t\r"), c) < 0 {
			previous = c
		}
	}
}
