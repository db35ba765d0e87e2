package validation

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// Member returns the text of a member of the object that data is, before anything else of it is decoded: what a request is counted by. It
// is empty where there is no such text. What is wrong with the rest is left to the decoder.
func Member(data []byte, name string) string {
	d := jsontext.NewDecoder(bytes.NewBuffer(data))
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return ""
	}
	for d.PeekKind() == '"' {
		t, err := d.ReadToken()
		if err != nil {
			return ""
		}
		if t.String() != name {
			if err := d.SkipValue(); err != nil {
				return ""
			}
			continue
		}
		if d.PeekKind() != '"' {
			return ""
		}
		if t, err = d.ReadToken(); err != nil {
			return ""
		}
		return t.String()
	}
	return ""
}
