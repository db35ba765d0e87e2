package differentialtest

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// documentURI is where the oracle finds the document.
const documentURI = "https://differential.example/openapi.json"

// Oracle is the independent implementation, with one document.
type Oracle struct {
	compiler *jsonschema.Compiler
	document map[string]any
}

// NewOracle reads a document.
func NewOracle(document []byte) (*Oracle, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	for name, valid := range formats() {
		c.RegisterFormat(&jsonschema.Format{Name: name, Validate: valid})
	}
	if err := c.AddResource(documentURI, doc); err != nil {
		return nil, err
	}
	return &Oracle{c, doc.(map[string]any)}, nil
}

// Schema is the schema of one operation.
type Schema struct {
	compiled *jsonschema.Schema
	plan     *plan
	bounded  bool            // it asks for an integer somewhere
	source   json.RawMessage // with the components that it refers to
}

// Schema returns the schema of the body of an operation.
func (o *Oracle) Schema(i int) (*Schema, error) {
	compiled, err := o.compiler.Compile(fmt.Sprintf("%s#/paths/~1s%d/post/requestBody/content/application~1json/schema", documentURI, i))
	if err != nil {
		return nil, fmt.Errorf("schema %d: %w", i, err)
	}
	at := any(o.document)
	for _, name := range []string{"paths", fmt.Sprintf("/s%d", i), "post", "requestBody", "content", "application/json", "schema"} {
		at = at.(map[string]any)[name]
	}
	p := newPlans(o.document, at)
	root := p.plan(at)
	written := map[string]any{"schema": at}
	for reference := range p.made {
		if name, found := componentOf(reference); found {
			written[name] = p.find(reference)
		}
	}
	source, err := json.Marshal(written)
	if err != nil {
		return nil, err
	}
	return &Schema{compiled, root, p.integers, source}, nil
}

// Judge returns what is wrong with an instance.
func (s *Schema) Judge(data []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return s.compiled.Validate(v)
}
