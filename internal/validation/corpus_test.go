package validation_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/gatehouse/internal/needtest"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/validation"
)

// anything takes any value and keeps nothing of it.
func anything(r *validation.Reader) { r.SkipMember() }

// TestJSONCorpus reads the bytes of JSONTestSuite: what must be taken is taken, what must be refused is refused as 400.
func TestJSONCorpus(t *testing.T) {
	dir := needtest.Suites(t, "../..", "json-parsing/test_parsing")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	count := map[byte]int{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		var v validation.Violations
		got := validation.Decode(data, &v, anything)
		kind := e.Name()[0]
		count[kind]++
		if strings.Contains(e.Name(), "duplicated_key") {
			kind = 'n' // valid JSON, but two readers would see two values
		}
		switch {
		case got != nil && !problem.BadRequest.Is(got):
			t.Errorf("%s: %v is no bad request", e.Name(), got)
		case kind == 'y' && got != nil:
			t.Errorf("%s: refused: %v", e.Name(), got)
		case kind == 'n' && got == nil:
			t.Errorf("%s: accepted", e.Name())
		}
	}
	t.Logf("%d that must be taken, %d that must be refused, %d that may be either", count['y'], count['n'], count['i'])
	if count['y'] < 90 || count['n'] < 180 {
		t.Error("the corpus is not whole")
	}
}
