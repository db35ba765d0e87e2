package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// document30 describes both bodies in the spelling of OpenAPI 3.0.
//
//go:embed openapi.yaml
var document30 []byte

// filter is what kin-openapi's filter knows of an operation before a request.
type filter struct {
	route *routers.Route
	body  *openapi3.RequestBody
}

// kinFilter loads a document, which decides by its version whether kin-openapi validates by itself (3.0) or has a JSON
// Schema library do it (3.1).
func kinFilter(document []byte, version, path string) (*filter, error) {
	spec, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, fmt.Errorf("load the document of kin-openapi: %w", err)
	}
	spec.OpenAPI = version
	item := spec.Paths.Value(path)
	// Out of the box it leaves the format email alone.
	openapi3.DefineStringFormatValidator("email", openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForEmail))
	return &filter{
		route: &routers.Route{Spec: spec, Path: path, PathItem: item, Method: http.MethodPost, Operation: item.Post},
		body:  item.Post.RequestBody.Value,
	}, nil
}

var jsonHeader = http.Header{"Content-Type": {"application/json"}}

// kin validates a body as the filter does and unmarshals it then, as the generated server of oapi-codegen does.
func kin(f *filter, data []byte, model any) (any, error) {
	request := &http.Request{Method: http.MethodPost, Header: jsonHeader, Body: io.NopCloser(bytes.NewReader(data)), ContentLength: int64(len(data))}
	input := &openapi3filter.RequestValidationInput{Request: request, Route: f.route}
	if err := openapi3filter.ValidateRequestBody(context.Background(), input, f.body); err != nil {
		return nil, err
	}
	if err := json.NewDecoder(request.Body).Decode(model); err != nil {
		return nil, err
	}
	return model, nil
}
