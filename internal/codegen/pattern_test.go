package codegen

import "testing"

func TestCharacterClass(t *testing.T) {
	for _, row := range []struct {
		pattern, set string
		ok           bool
	}{
		{"^[a-c]+$", "abc", true},
		{"^[A-B_-]+$", "-AB_", true},
		{"^[a-c]*$", "", false},
		{"[a-c]+", "", false},
		{"^[^a]+$", "", false},
		{"^[a-z]+x$", "", false},
	} {
		set, ok := characterClass(row.pattern)
		if set != row.set || ok != row.ok {
			t.Errorf("%s: got %q, %v; want %q, %v", row.pattern, set, ok, row.set, row.ok)
		}
	}
}
