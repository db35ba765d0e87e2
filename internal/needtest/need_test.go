package needtest

import (
	"fmt"
	"testing"
)

// watched is a test of which is kept how it ends. Only what needtest calls is there.
type watched struct {
	testing.TB
	end string
}

func (w *watched) Helper()                   {}
func (w *watched) Skip(args ...any)          { w.stop("skipped: " + fmt.Sprint(args...)) }
func (w *watched) Fatalf(f string, a ...any) { w.stop("failed: " + fmt.Sprintf(f, a...)) }
func (w *watched) stop(end string)           { w.end = end; panic(w) }

func TestWhatIsMissing(t *testing.T) {
	for name, row := range map[string]struct{ required, end string }{
		"nothing is required":          {"", "skipped: install it"},
		"another is":                   {"node", "skipped: install it"},
		"one whose name begins alike":  {"redis-cluster", "skipped: install it"},
		"this one is":                  {"redis", "failed: GATEHOUSE_TEST_REQUIRE asks for redis: install it"},
		"this one is, among others":    {"node,redis,race", "failed: GATEHOUSE_TEST_REQUIRE asks for redis: install it"},
		"a list that ends in nothing":  {"node,", "skipped: install it"},
		"a name with a space is other": {" redis", "skipped: install it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(variable, row.required)
			w := &watched{TB: t}
			func() {
				defer func() { recover() }()
				Missing(w, "redis", "install it")
			}()
			if w.end != row.end {
				t.Errorf("%q, want %q", w.end, row.end)
			}
		})
	}
}

func TestAProgramThatIsNotThere(t *testing.T) {
	t.Setenv(variable, "thing")
	w := &watched{TB: t}
	func() {
		defer func() { recover() }()
		Programs(w, "thing", "go", "no-such-program")
	}()
	if w.end != "failed: GATEHOUSE_TEST_REQUIRE asks for thing: no-such-program is not installed" {
		t.Errorf("%q", w.end)
	}
	if paths := Programs(t, "thing", "go"); len(paths) != 1 || paths[0] == "" {
		t.Errorf("%q", paths)
	}
}
