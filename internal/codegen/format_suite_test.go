package codegen

import (
	"path/filepath"
	"testing"

	"example.com/gatehouse/internal/needtest"
)

// TestFormatSuite asserts formats: in the main files of the suite they are annotations.
func TestFormatSuite(t *testing.T) {
	groups := readSuite(t, filepath.Join(needtest.Suites(t, "../..", "json-schema/draft2020-12/optional/format"), "*.json"))
	cases := 0
	for _, g := range groups {
		if reason := g.judge(t); reason != "" {
			t.Errorf("%s: %s", g.name(), reason)
		}
		cases += len(g.Tests)
	}
	if right := runSuite(t, groups); right != cases {
		t.Errorf("%d of %d cases answer right", right, cases)
	}
}
