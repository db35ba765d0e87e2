package codegen

import (
	"encoding/json"
	"strings"
	"testing"

	"example.com/gatehouse/internal/ceiling"
)

// differences are what TestDifferential found, each with the smallest schema that shows it. long stands for a text beyond the
// ceiling of those whose length the document leaves open.
var differences = []struct {
	name, schema   string
	valid, invalid []string
}{
	{
		name:    "a value of the enum may break another limit",
		schema:  `{"type":"object","properties":{"c":{"type":"string","enum":["ab","c",""],"minLength":1,"maxLength":1}}}`,
		valid:   []string{`{"c":"c"}`},
		invalid: []string{`{"c":"ab"}`, `{"c":""}`, `{"c":"d"}`},
	},
	{
		name:    "a value of the enum may break the pattern",
		schema:  `{"type":"object","properties":{"c":{"type":["string","null"],"enum":["ab","c",null],"pattern":"^.$"}}}`,
		valid:   []string{`{"c":"c"}`, `{"c":null}`},
		invalid: []string{`{"c":"ab"}`, `{"c":"d"}`},
	},
	{
		name:    "an enum may name a value twice",
		schema:  `{"type":"object","properties":{"c":{"type":"string","enum":["a","","","\u0061"]},"d":{"enum":[1,1.0,1]}}}`,
		valid:   []string{`{"c":"a"}`, `{"c":""}`, `{"d":10e-1}`},
		invalid: []string{`{"c":"b"}`, `{"d":2}`},
	},
	{
		name:    "-0 is 0 for an unsigned integer",
		schema:  `{"type":"object","properties":{"a":{"type":"integer","format":"uint8"}}}`,
		valid:   []string{`{"a":-0}`, `{"a":-0.0}`, `{"a":255}`},
		invalid: []string{`{"a":-1}`, `{"a":256}`, `{"a":0.5}`},
	},
	{
		name:    "a list of small integers is a list, and no text in base64",
		schema:  `{"type":"object","properties":{"a":{"type":"array","items":{"type":"integer","format":"uint8"}}}}`,
		valid:   []string{`{"a":[]}`, `{"a":[0,255,1e1]}`},
		invalid: []string{`{"a":[256]}`, `{"a":"AAEC"}`},
	},
	{
		name:    "a time that may be null, spelled with an escape",
		schema:  `{"type":"object","properties":{"a":{"type":["string","null"],"format":"date-time"}}}`,
		valid:   []string{`{"a":null}`, `{"a":"2026\u002d01-31T12:00:00Z"}`, `{"a":"2026-01-31t12:00:00z"}`},
		invalid: []string{`{"a":"2026\u002d01-31"}`},
	},
	{
		name:    "an integer that only an alternative of several types demands",
		schema:  `{"type":"object","properties":{"a":{"type":"null"}},"additionalProperties":{"type":"number","anyOf":[{"type":"null"},{"type":["string","integer"],"maximum":17}]}}`,
		valid:   []string{`{"b":11e0}`, `{"b":-3.0}`, `{"b":3}`},
		invalid: []string{`{"b":18}`, `{"b":1.5}`, `{"b":"x"}`},
	},
	{
		name:    "a member that another schema describes, in the case of one that is declared",
		schema:  `{"type":"object","properties":{"d":{"type":"object","properties":{"Name":{"type":"string"}}}},"additionalProperties":true,"patternProperties":{"^d$":{"allOf":[{}],"additionalProperties":{}}}}`,
		valid:   []string{`{"d":{"Name":"x","name":{"e":1}}}`, `{"d":{"name":1}}`},
		invalid: []string{`{"d":{"Name":1}}`},
	},
	{
		name:    "other members that may be null, beside declared ones",
		schema:  `{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":{"anyOf":[{"type":"null"},{"enum":["x","y"]}]}}`,
		valid:   []string{`{"a":"","b":null,"c":"x"}`},
		invalid: []string{`{"b":"z"}`},
	},
	{
		name:    "other members that are texts or null, beside declared ones",
		schema:  `{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":{"type":["string","null"]}}`,
		valid:   []string{`{"a":"","b":null,"c":"x"}`},
		invalid: []string{`{"b":1}`},
	},
	{
		name:    "members that may be null",
		schema:  `{"type":"object","additionalProperties":{"anyOf":[{"type":"null"},{"enum":["x","y"]}]}}`,
		valid:   []string{`{"b":null,"c":"x"}`},
		invalid: []string{`{"b":"z"}`},
	},
	{
		name:    "an object that demands a part of itself",
		schema:  `{"$defs":{"a":{"type":"object","required":["b"],"properties":{"b":{"$ref":"#/$defs/a"},"c":{"type":"string"}}}},"type":"object","properties":{"a":{"$ref":"#/$defs/a"}}}`,
		valid:   []string{`{}`},
		invalid: []string{`{"a":{}}`, `{"a":{"b":{}}}`, `{"a":{"b":1}}`},
	},
	{
		name:    "a list of itself",
		schema:  `{"$defs":{"a":{"type":"array","items":{"$ref":"#/$defs/a"}}},"type":"object","properties":{"a":{"$ref":"#/$defs/a"}}}`,
		valid:   []string{`{"a":[]}`, `{"a":[[[]],[]]}`},
		invalid: []string{`{"a":[1]}`, `{"a":[[[1]]]}`},
	},
	{
		name:    "a default within a condition",
		schema:  `{"type":"object","properties":{"d":{"type":"object","properties":{"e":{"type":"string"}}}},"if":{"properties":{"d":{"type":"boolean","default":true}}},"then":{"maxProperties":0}}`,
		valid:   []string{`{}`, `{"d":{"e":"x"}}`},
		invalid: []string{`{"d":true}`, `{"a":1}`},
	},
	{
		name:    "a text with one hyphen too many for a UUID",
		schema:  `{"type":"string","format":"uuid"}`,
		valid:   []string{`"01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f"`},
		invalid: []string{`"01935840-1c2b-7d3e-9f40-5a6b7c8d--0f"`, `"--935840-1c2b-7d3e-9f40-5a6b7c8d9e0f"`, `"01935840-1c2b-7d3e-9f40-5a6b7c8d9e-f"`, `"01935840--c2b-7d3e-9f40-5a6b7c8d9e0f"`},
	},
	{
		name:    "a text beyond the ceiling is a text",
		schema:  `{"not":{"type":"string"}}`,
		valid:   []string{`1`},
		invalid: []string{`"x"`, `"long"`},
	},
	{
		name:    "a text beyond the ceiling meets the condition",
		schema:  `{"if":{"type":"string"},"then":{"maxLength":3}}`,
		valid:   []string{`"abc"`, `12345`},
		invalid: []string{`"abcd"`, `"long"`},
	},
	{
		name:    "an alternative that states a length takes a text beyond the ceiling, and one that does not refuses it",
		schema:  `{"type":"object","properties":{"open":{"anyOf":[{"type":"string"},{"type":"integer"}]},"stated":{"anyOf":[{"type":"string"},{"type":"string","maxLength":100000}]}}}`,
		valid:   []string{`{"stated":"long"}`, `{"open":"x"}`},
		invalid: []string{`{"open":"long"}`},
	},
	{
		name:    "a text beyond the ceiling fits two alternatives",
		schema:  `{"oneOf":[{"type":"string"},{"type":"string","maxLength":100000}]}`,
		invalid: []string{`"x"`, `"long"`},
	},
	{
		name:    "an integer beyond 64 bits is an integer",
		schema:  `{"type":"object","properties":{"not":{"not":{"type":"integer"}},"if":{"type":"number","if":{"type":"integer"},"then":{"maximum":10}},"any":{"anyOf":[{"type":"integer"},{"type":"boolean"}]}}}`,
		valid:   []string{`{"not":0.5,"if":0.5,"any":1}`, `{"not":1e-30}`},
		invalid: []string{`{"not":1e30}`, `{"if":1e30}`, `{"if":123456789012345678901}`, `{"any":1e30}`},
	},
}

// TestDifferences holds each of them: what the other implementation said of it, and the specification says too.
func TestDifferences(t *testing.T) {
	var groups []*suiteGroup
	for _, d := range differences {
		g := &suiteGroup{file: "differences", Description: d.name, Schema: json.RawMessage(d.schema)}
		for valid, list := range map[bool][]string{true: d.valid, false: d.invalid} {
			for _, instance := range list {
				instance = strings.ReplaceAll(instance, "long", strings.Repeat("x", ceiling.StringBytes+1))
				g.Tests = append(g.Tests, suiteCase{Data: json.RawMessage(instance), Valid: valid})
			}
		}
		groups = append(groups, g)
	}
	runSuite(t, groups)
}
