package codegen

import (
	"strings"
	"testing"
)

// TestReadsJSON is about what JSON allows and the YAML reader refuses or changes.
func TestReadsJSON(t *testing.T) {
	for _, row := range []struct{ name, json, want string }{
		{"an escaped slash, as PHP writes it", `{"a":"\/things"}`, "/things"},
		{"a pair of surrogates, as Python writes it", `{"a":"\ud83d\udc4d"}`, "👍"},
		{"the character DEL", "{\"a\":\"\x7f\"}", "\x7f"},
		{"a next line, which YAML folds", "{\"a\":\"x\u0085y\"}", "x\u0085y"},
		{"a line separator", "{\"a\":\"x\u2028y\"}", "x\u2028y"},
		{"a number that is kept as it is spelled", `{"a":1.0E+2}`, "1.0E+2"},
		{"tabs between the members", "{\t\"a\"\t:\t\"b\"\t}", "b"},
	} {
		t.Run(row.name, func(t *testing.T) {
			n, err := parseText([]byte(row.json))
			if err != nil {
				t.Fatal(err)
			}
			if got := n.Content[1].Value; got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestJSONKeepsItsLines(t *testing.T) {
	n, err := parseText([]byte("\n{\n\"a\": [\n1,\n{\"b\": true}]\n}"))
	if err != nil {
		t.Fatal(err)
	}
	list := n.Content[1]
	if n.Line != 2 || list.Line != 3 || list.Content[0].Line != 4 || list.Content[1].Content[1].Line != 5 || list.Content[1].Content[1].Tag != "!!bool" {
		t.Errorf("the lines are not those of the file: %d, %d, %d, %d", n.Line, list.Line, list.Content[0].Line, list.Content[1].Content[1].Line)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{`{"a":`, "a: [", "{\"a\":\"\xff\"}"} {
		if n, err := parseText([]byte(text)); err == nil {
			t.Errorf("%q was read as %v", text, n)
		}
	}
}

// TestReadsJSONDocument reads a member that occurs twice, which is told as in YAML.
func TestReadsJSONDocument(t *testing.T) {
	_, err := generateInto(t, writeDocument(t, `{"openapi":"3.1.0","info":{"title":"\/","version":"0"},"paths":{},"paths":{}}`))
	if err == nil || !strings.Contains(err.Error(), "occurs twice") {
		t.Errorf("got %v", err)
	}
}
