package codegen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// spec writes the file that embeds the document.
func (e *emitter) spec() string {
	e.begin(`_ "embed"`)
	form := "byte for byte"
	if n := len(e.library.files); n > 1 {
		form = fmt.Sprintf("its %d files in one", n)
	}
	e.p("// OpenapiYAML is the document, %s.\n//\n//go:embed openapi.yaml\nvar OpenapiYAML []byte\n", form)
	e.p("// OpenapiJSON is the same document as JSON.\n//\n//go:embed openapi.json\nvar OpenapiJSON []byte")
	return e.finish()
}

// toJSON writes a YAML value as indented JSON, its members in the order of the document.
func toJSON(n *yaml.Node) ([]byte, error) {
	compact, err := appendJSON(nil, n)
	if err != nil {
		return nil, err
	}
	var raw json.RawMessage = compact
	out, err := json.MarshalIndent(raw, "", " ")
	return append(out, '\n'), err
}

func appendJSON(b []byte, n *yaml.Node) ([]byte, error) {
	var err error
	switch n.Kind {
	case yaml.AliasNode:
		return appendJSON(b, n.Alias)
	case yaml.MappingNode:
		b = append(b, '{')
		for i := 0; i < len(n.Content); i += 2 {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendText(b, n.Content[i].Value), ':')
			if b, err = appendJSON(b, n.Content[i+1]); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	case yaml.SequenceNode:
		b = append(b, '[')
		for i, element := range n.Content {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendJSON(b, element); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	}
	switch n.Tag {
	case "!!null":
		return append(b, "null"...), nil
	case "!!bool":
		v, err := strconv.ParseBool(n.Value)
		if err != nil {
			return nil, fmt.Errorf("line %d: write true or false", n.Line)
		}
		return strconv.AppendBool(b, v), nil
	case "!!int", "!!float":
		if !json.Valid([]byte(n.Value)) {
			return nil, fmt.Errorf("line %d: write the number as JSON does", n.Line)
		}
		return append(b, n.Value...), nil
	}
	return appendText(b, n.Value), nil
}

// canonicalJSON is a value as JSON, with its members in the order of their names.
func canonicalJSON(n *yaml.Node) (string, error) {
	compact, err := appendJSON(nil, n)
	if err != nil {
		return "", err
	}
	decoder := json.NewDecoder(bytes.NewReader(compact))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return "", err
	}
	out, err := json.Marshal(v)
	return string(out), err
}

func appendText(b []byte, s string) []byte {
	text, _ := json.Marshal(s) // a string always marshals
	return append(b, text...)
}

// unquoteJSON returns the text of a string that is written as JSON.
func unquoteJSON(text string) string {
	var s string
	_ = json.Unmarshal([]byte(text), &s) // appendJSON wrote it
	return s
}
