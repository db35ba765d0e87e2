package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Not in go.mod: its dependencies outnumber those of the service, and none of them is needed to build it.
const gosec = "github.com/securego/gosec/v2/cmd/gosec@v2.30.0"

// suppressed are the rules that are off for the whole project, each with its reason. A single place is
// suppressed where it stands, by a comment "#nosec RULE -- reason".
var suppressed = []struct{ rule, reason string }{
	{"G104", "unhandled errors: staticcheck and review look at them; gosec reports every deferred Close"},
}

func riskyCode(out io.Writer) outcome {
	return withTool(out, gosec, func(tool string) outcome {
		var rules []string
		for _, s := range suppressed {
			fmt.Fprintf(out, "%s is off: %s\n", s.rule, s.reason)
			rules = append(rules, s.rule)
		}
		// Its exit code does not tell findings from failures: the report does.
		report := filepath.Join(filepath.Dir(tool), "report.json")
		// gen/ is generated; .ci and bench are run by developers on their own input and are no part of the service.
		cmd := exec.Command(tool, "-quiet", "-exclude-generated", "-exclude-dir=gen", "-exclude-dir=bench", "-exclude-dir=\\.ci",
			"-exclude="+strings.Join(rules, ","), "-fmt=json", "-out="+report, "./...")
		output, _ := cmd.CombinedOutput()
		data, err := os.ReadFile(report)
		if err != nil {
			// Quiet and without findings it writes no report and ends with 0.
			if cmd.ProcessState != nil && cmd.ProcessState.Success() {
				return clean
			}
			fmt.Fprintf(out, "%snot checked: gosec wrote no report\n", output)
			return notChecked
		}
		return readGosec(out, data)
	})
}

func readGosec(out io.Writer, data []byte) outcome {
	var report struct {
		GolangErrors map[string][]struct{ Error string } `json:"Golang errors"`
		Issues       []struct {
			RuleID  string `json:"rule_id"`
			Details string `json:"details"`
			File    string `json:"file"`
			Line    string `json:"line"`
		}
	}
	if err := json.Unmarshal(data, &report); err != nil {
		fmt.Fprintf(out, "not checked: the report of gosec is not JSON: %v\n", err)
		return notChecked
	}
	for _, i := range report.Issues {
		fmt.Fprintf(out, "%s:%s: %s %s\n", i.File, i.Line, i.RuleID, i.Details)
	}
	for file, errs := range report.GolangErrors {
		for _, e := range errs {
			fmt.Fprintf(out, "not checked: %s: %s\n", file, e.Error)
		}
	}
	switch {
	case len(report.Issues) > 0:
		return findings
	case len(report.GolangErrors) > 0:
		return notChecked
	}
	return clean
}
