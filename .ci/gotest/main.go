// Command gotest runs the tests with the race detector where it can, prints what go test prints, and closes with what was skipped and why.
//
//	go run ./.ci/gotest [-norace] PACKAGE... [-- MODULE_DIRECTORY...]
//
// -norace leaves the race detector out, for tests that take too long with it and whose code others run under it.
// The packages are those of the module in the current directory. Each module directory after -- is tested as a whole.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gotest:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	alone := len(args) > 0 && args[0] == "-norace"
	if alone {
		args = args[1:]
	}
	packages, modules := args, []string(nil)
	if i := slices.Index(args, "--"); i >= 0 {
		packages, modules = args[:i], args[i+1:]
	}
	flags, env := []string(nil), os.Environ()
	if alone {
		fmt.Fprintln(out, "without the race detector: -norace")
	} else if reason := noRace(); reason == "" {
		flags, env = append(flags, "-race"), append(env, "CGO_ENABLED=1")
	} else if strings.Contains(os.Getenv("GATEHOUSE_TEST_REQUIRE"), "race") {
		return fmt.Errorf("GATEHOUSE_TEST_REQUIRE asks for the race detector: %s", reason)
	} else {
		fmt.Fprintf(out, "without the race detector: %s\n", reason)
		env = append(env, "CGO_ENABLED=0")
	}

	report := &report{out: out}
	failed := test(report, ".", append(flags, packages...), env)
	for _, dir := range modules {
		failed = errors.Join(failed, test(report, dir, append(flags, "./..."), env))
	}
	report.close()
	return failed
}

// noRace returns why the race detector cannot be used here, or nothing. It builds the packages that need the C
// compiler instead of looking for a compiler's name: a compiler without its headers is as good as none.
func noRace() string {
	cmd := exec.Command("go", "build", "-race", "runtime/race", "runtime/cgo")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	output, err := cmd.CombinedOutput()
	if err == nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	return "no C compiler that works (" + strings.TrimSpace(lines[len(lines)-1]) + ")"
}

func test(report *report, dir string, args, env []string) error {
	cmd := exec.Command("go", append([]string{"test", "-json", "-timeout", "40m"}, args...)...)
	cmd.Dir, cmd.Env, cmd.Stderr = dir, env, os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	readErr := report.read(stdout)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("tests of %s: %w", dir, err)
	}
	return readErr
}

// event is a line of go test -json (go doc test2json).
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

type report struct {
	out     io.Writer
	passed  int
	failed  int
	skipped []string
	broken  []string // packages that failed, also those that did not compile
	// pending holds what the tests that run now have printed, for the case that they fail or skip.
	pending map[string]*bytes.Buffer
}

func (r *report) read(stdout io.Reader) error {
	decoder := json.NewDecoder(stdout)
	for {
		var e event
		if err := decoder.Decode(&e); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading the output of go test: %w", err)
		}
		r.add(e)
	}
}

func (r *report) add(e event) {
	if r.pending == nil {
		r.pending = make(map[string]*bytes.Buffer)
	}
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		io.WriteString(r.out, e.Output)
	case "output":
		// A package that passes prints PASS before its ok line, which says the same.
		if e.Test == "" && e.Output != "PASS\n" {
			io.WriteString(r.out, e.Output)
		} else if e.Test != "" && !strings.HasPrefix(e.Output, "=== ") {
			if r.pending[key] == nil {
				r.pending[key] = new(bytes.Buffer)
			}
			r.pending[key].WriteString(e.Output)
		}
	case "pass", "fail", "skip":
		if e.Test == "" {
			if e.Action == "fail" {
				r.broken = append(r.broken, e.Package)
			}
			return
		}
		output := r.pending[key]
		delete(r.pending, key)
		if output == nil {
			output = new(bytes.Buffer)
		}
		switch e.Action {
		case "pass":
			r.passed++
		case "fail":
			r.failed++
			r.out.Write(output.Bytes())
		case "skip":
			r.skipped = append(r.skipped, fmt.Sprintf("%s %s: %s", e.Package, e.Test, reason(output.String())))
		}
	}
}

// reason returns the text of t.Skip, without the name of the file that called it.
func reason(output string) string {
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "--- ") {
			continue
		}
		if _, text, found := strings.Cut(line, ": "); found {
			return text
		}
		return line
	}
	return "no reason given"
}

func (r *report) close() {
	// A test that never ended (a panic, a timeout) has its output here, and nowhere else.
	for _, output := range r.pending {
		r.out.Write(output.Bytes())
	}
	fmt.Fprintf(r.out, "\n%d tests passed, %d failed, %d skipped\n", r.passed, r.failed, len(r.skipped))
	for _, line := range r.skipped {
		fmt.Fprintln(r.out, "  skipped:", line)
	}
	for _, name := range r.broken {
		fmt.Fprintln(r.out, "  FAILED:", name)
	}
}
