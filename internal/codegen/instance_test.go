package codegen

import (
	"os"
	"path/filepath"
	"testing"

	"example.com/gatehouse/internal/needtest"
	"example.com/gatehouse/internal/validation"
)

// TestInstancesOfTheSuite judges every instance of JSON-Schema-Test-Suite as an example would be: the answers are those that the
// generated code gives in TestJSONSchemaTestSuite.
func TestInstancesOfTheSuite(t *testing.T) {
	folder := needtest.Suites(t, "../..", "json-schema/draft2020-12")
	cases := 0
	for _, g := range readSuite(t, filepath.Join(folder, "*.json")) {
		file := filepath.Join(t.TempDir(), "openapi.json")
		if err := os.WriteFile(file, suiteDocument([]*suiteGroup{g}), 0o600); err != nil {
			t.Fatal(err)
		}
		l, _, err := load(Options{Spec: file})
		if err != nil {
			continue // refused: TestJSONSchemaTestSuite lists them
		}
		s := l.document.operations[0].bodies[0].schema
		for _, c := range g.Tests {
			cases++
			if _, wrong := s.judge(string(c.Data), validation.Response, true); (wrong == nil) != c.Valid {
				t.Errorf("%s: %s: valid is %v, got %v", g.name(), c.Description, c.Valid, wrong)
			}
		}
	}
	if t.Logf("%d cases", cases); cases < 1000 {
		t.Errorf("%d cases, the suite has more", cases)
	}
}

// TestTextFormatsHaveTheirChecks: what the generated code calls by name is what examples are judged by.
func TestTextFormatsHaveTheirChecks(t *testing.T) {
	for name := range textFormats {
		if textChecks[name] == nil {
			t.Errorf("no function for the format %s", name)
		}
	}
	if len(textChecks) != len(textFormats) {
		t.Errorf("%d functions for %d formats", len(textChecks), len(textFormats))
	}
	for format, want := range map[string]struct {
		bits     int
		unsigned bool
	}{"int8": {8, false}, "int64": {64, false}, "uint": {64, true}, "uint16": {16, true}, "float": {}, "int7": {}, "": {}} {
		if bits, unsigned := integerBits(format); bits != want.bits || bits > 0 && unsigned != want.unsigned {
			t.Errorf("%s: %d, %v", format, bits, unsigned)
		}
	}
}
