package codegen

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"example.com/gatehouse/internal/ceiling"
)

// TestCeilingsHold sends each generated check as much as the ceiling allows, and one more.
func TestCeilingsHold(t *testing.T) {
	text := func(n int) string { return `"` + strings.Repeat("x", n) + `"` }
	list := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat(`"x",`, n), ",") + "]" }
	members := func(n int) string {
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprintf(`"m%d":"x"`, i)
		}
		return "{" + strings.Join(names, ",") + "}"
	}
	within := func(value func(int) string) func(int) string {
		return func(n int) string { return `{"a":` + value(n) + `}` }
	}
	moment := func(n int) string {
		return `"2026-01-31T12:00:00.` + strings.Repeat("0", n-len("2026-01-31T12:00:00.Z")) + `Z"`
	}
	var groups []*suiteGroup
	for _, row := range []struct {
		name, schema string
		value        func(n int) string
		most         int
	}{
		{"a text", `{"type": "string"}`, text, ceiling.StringBytes},
		{"a text that is a member", `{"type": "object", "properties": {"a": {"type": "string"}}}`, within(text), ceiling.StringBytes},
		{"a text or null", `{"type": ["string", "null"]}`, text, ceiling.StringBytes},
		{"a moment of many digits", `{"type": "string", "format": "date-time"}`, moment, ceiling.StringBytes},
		{"an array", `{"type": "array"}`, list, ceiling.Items},
		{"an array that is a member", `{"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}}`, within(list), ceiling.Items},
		{"an array behind a tuple", `{"type": "array", "prefixItems": [{"type": "string"}]}`, list, ceiling.Items},
		{"an object", `{"type": "object"}`, members, ceiling.Members},
		{"an object of known members and others", `{"type": "object", "properties": {"m0": {"type": "string"}}}`, members, ceiling.Members},
		{"an object of known members and others, that is a member", `{"type": "object", "properties": {"a": {"type": "object", "properties": {"m0": {"type": "string"}}}}}`, within(members), ceiling.Members},
		{"an object of texts", `{"type": "object", "additionalProperties": {"type": "string"}}`, members, ceiling.Members},
	} {
		g := &suiteGroup{file: "ceilings", Description: row.name, Schema: json.RawMessage(row.schema)}
		for n, valid := range map[int]bool{row.most: true, row.most + 1: false} {
			g.Tests = append(g.Tests, struct {
				Description string          `json:"description"`
				Data        json.RawMessage `json:"data"`
				Valid       bool            `json:"valid"`
			}{fmt.Sprint(n), json.RawMessage(row.value(n)), valid})
		}
		groups = append(groups, g)
	}
	if right := runSuite(t, groups); right != 2*len(groups) {
		t.Errorf("%d of %d answers are right", right, 2*len(groups))
	}
}
