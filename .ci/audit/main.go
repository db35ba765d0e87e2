// Command audit looks for known vulnerabilities, risky code and licences that the project cannot live with.
//
// It ends with 0 where all was checked and clean, 1 where there are findings, and 3 where there are none but
// something could not be checked. What could not be checked is never called clean.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

type outcome int

const (
	clean      outcome = 0
	findings   outcome = 1
	notChecked outcome = 3
)

func (o outcome) String() string {
	return map[outcome]string{clean: "clean", findings: "FINDINGS", notChecked: "not checked"}[o]
}

// check is one part of the audit. It writes its findings, or why it could not look, to out.
type check struct {
	name string
	run  func(out io.Writer) outcome
}

func main() {
	os.Exit(int(audit(os.Stdout, []check{
		{"modules are what go.sum says", verifyModules},
		{"known vulnerabilities (govulncheck)", vulnerabilities},
		{"risky code (gosec)", riskyCode},
		{"licences of what the binaries link", licences},
	})))
}

func audit(out io.Writer, checks []check) outcome {
	var summary strings.Builder
	worst := clean
	for _, c := range checks {
		fmt.Fprintf(out, "== %s\n", c.name)
		result := c.run(out)
		fmt.Fprintf(&summary, "  %-12s %s\n", result, c.name)
		if result == findings || worst == clean {
			worst = result
		}
	}
	fmt.Fprintf(out, "== summary\n%s", summary.String())
	return worst
}

func verifyModules(out io.Writer) outcome {
	output, err := exec.Command("go", "mod", "verify").CombinedOutput()
	out.Write(output)
	switch {
	case err == nil:
		return clean
	case strings.Contains(string(output), "has been modified"):
		return findings
	}
	return notChecked
}

// vulnerabilities builds govulncheck in the version of go.mod, because go run hides its exit code: 3 means findings,
// and every other failure that it could not look, which is what an unreachable database is.
func vulnerabilities(out io.Writer) outcome {
	return withTool(out, "golang.org/x/vuln/cmd/govulncheck", func(tool string) outcome {
		cmd := exec.Command(tool, "./...")
		cmd.Stdout, cmd.Stderr = out, out
		err := cmd.Run()
		var exit *exec.ExitError
		switch {
		case err == nil:
			return clean
		case errors.As(err, &exit) && exit.ExitCode() == 3:
			return findings
		}
		fmt.Fprintf(out, "not checked: govulncheck could not look (%v)\n", err)
		return notChecked
	})
}

// withTool builds the command into a directory of its own and runs it.
func withTool(out io.Writer, command string, run func(path string) outcome) outcome {
	dir, err := os.MkdirTemp("", "audit")
	if err != nil {
		fmt.Fprintf(out, "not checked: %v\n", err)
		return notChecked
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("go", "install", command)
	cmd.Env = append(os.Environ(), "GOBIN="+dir)
	if output, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(out, "%snot checked: %s could not be built (%v)\n", output, command, err)
		return notChecked
	}
	name, _, _ := strings.Cut(filepath.Base(command), "@")
	return run(filepath.Join(dir, name))
}
