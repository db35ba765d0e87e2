package codegen

import (
	"strings"
	"testing"
)

func TestCharacterClass(t *testing.T) {
	for _, row := range []struct {
		pattern string
		want    class
		ok      bool
	}{
		{"^[a-c]+$", class{set: "abc"}, true},
		{"^[A-B_-]+$", class{set: "-AB_"}, true},
		{"^[a-c]*$", class{set: "abc", empty: true}, true},
		{"^[^\\x01-\\x7f]*$", class{set: "\x00", beyond: true, empty: true}, true},
		{"[a-c]+", class{}, false},
		{"^[a-c]$", class{}, false},
		{"^[a-cé]+$", class{}, false},
		{"^[a-z]+x$", class{}, false},
		{"^(a|[b-c])+x$", class{}, false},
	} {
		got, ok := characterClass(row.pattern)
		if ok != row.ok || ok && got != row.want {
			t.Errorf("%s: got %+v, %v; want %+v, %v", row.pattern, got, ok, row.want, row.ok)
		}
	}
}

func TestCharacterClassWithoutOneCharacter(t *testing.T) {
	c, ok := characterClass(`^[^\x00]*$`)
	if !ok || !c.beyond || !c.empty || len(c.set) != 127 || strings.Contains(c.set, "\x00") {
		t.Errorf("got %+v, %v", c, ok)
	}
}
