package codegen

import (
	"bytes"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"
)

// parseJSON parses a document that is JSON, ok where it is. The YAML reader refuses some of JSON (\/, pairs of surrogates, the
// character DEL) and folds others (U+0085), though YAML 1.2 is a superset of it.
func parseJSON(data []byte) (n *yaml.Node, ok bool) {
	p := jsonParser{dec: jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true)), data: data, line: 1}
	if n = p.value(); n == nil {
		return nil, false
	}
	if _, err := p.dec.ReadToken(); err != io.EOF {
		return nil, false
	}
	return n, true
}

type jsonParser struct {
	dec  *jsontext.Decoder
	data []byte
	at   int // the byte up to which lines are counted
	line int
	from int // where the line begins
}

// value parses the next value, nil where there is none.
func (p *jsonParser) value() *yaml.Node {
	token, err := p.dec.ReadToken()
	if err != nil {
		return nil
	}
	end := int(p.dec.InputOffset())
	if last := bytes.LastIndexByte(p.data[p.at:end], '\n'); last >= 0 {
		p.line += bytes.Count(p.data[p.at:end], []byte("\n"))
		p.from = p.at + last + 1
	}
	p.at = end
	n := &yaml.Node{Kind: yaml.ScalarNode, Line: p.line, Column: end - p.from}
	switch token.Kind() {
	case '{', '[':
		n.Kind, n.Tag = yaml.MappingNode, "!!map"
		if token.Kind() == '[' {
			n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
		}
		for kind := p.dec.PeekKind(); kind != '}' && kind != ']'; kind = p.dec.PeekKind() {
			child := p.value()
			if child == nil {
				return nil
			}
			n.Content = append(n.Content, child)
		}
		if _, err := p.dec.ReadToken(); err != nil {
			return nil
		}
	case '"':
		n.Tag, n.Style, n.Value = "!!str", yaml.DoubleQuotedStyle, token.String()
	case 't', 'f':
		n.Tag, n.Value = "!!bool", token.String()
	case 'n':
		n.Tag, n.Value = "!!null", "null"
	default:
		n.Tag, n.Value = "!!int", token.String()
		if strings.ContainsAny(n.Value, ".eE") {
			n.Tag = "!!float"
		}
	}
	return n
}
