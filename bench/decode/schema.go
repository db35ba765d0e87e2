package main

import (
	"encoding/json"
	"path/filepath"
)

// jsonSchema returns a schema of a document as JSON Schema, with what it refers to. It leaves out what
// JSON Schema does not have and what is for people.
func jsonSchema(document []byte, name string) ([]byte, error) {
	var spec struct {
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(document, &spec); err != nil {
		return nil, err
	}
	definitions := map[string]any{}
	var add func(value any) any
	define := func(name string) {
		if _, done := definitions[name]; !done {
			definitions[name] = true
			definitions[name] = add(spec.Components.Schemas[name])
		}
	}
	add = func(value any) any {
		switch value := value.(type) {
		case map[string]any:
			clean := map[string]any{}
			for key, inner := range value {
				switch text, _ := inner.(string); {
				case key == "$ref":
					name := filepath.Base(text)
					define(name)
					clean[key] = "#/definitions/" + name
				case key == "discriminator", key == "description" && text != "":
				default:
					clean[key] = add(inner)
				}
			}
			return clean
		case []any:
			list := make([]any, len(value))
			for i := range value {
				list[i] = add(value[i])
			}
			return list
		}
		return value
	}
	define(name)
	return json.Marshal(map[string]any{"$ref": "#/definitions/" + name, "definitions": definitions})
}
