package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Not in go.mod: its dependencies outnumber those of the service, and none of them is needed to build it.
const gosec = "github.com/securego/gosec/v2/cmd/gosec@v2.30.0"

// suppressed are the findings that somebody has looked at, each with the reason why it stays: a rule in a file or
// folder, or everywhere where no path is given. One that hides nothing any more is a finding itself.
var suppressed = []suppression{
	{"G104", "", "unhandled errors: it reports every deferred Close, staticcheck and review see the rest"},
	{"G304", "", "paths of files: they come from the operator's settings and from tests, never from a request"},
	{"G101", "internal/guard/", "the texts of challenges and problems only speak of tokens and credentials"},
	{"G115", "internal/items/items.go", "a UUIDv7 holds the time byte by byte: the conversion takes the lowest one"},
	{"G115", "internal/accounts/password.go", "the length of a hash is 16 to 64 bytes: its parser refuses others"},
	{"G110", "internal/server/docs_assets.go", "it decompresses the assets that the binary embeds, and no others"},
	{"G204", "internal/sqldb/sqldbtest/", "the tests start the PostgreSQL of this machine"},
}

type suppression struct{ rule, path, reason string }

func riskyCode(out io.Writer) outcome {
	root, err := os.Getwd()
	if err != nil {
		fmt.Fprintf(out, "not checked: %v\n", err)
		return notChecked
	}
	return withTool(out, gosec, func(tool string) outcome {
		// Its exit code does not tell findings from failures: the report does.
		report := filepath.Join(filepath.Dir(tool), "report.json")
		// gen/ is generated; .ci and bench are run by developers on their own input and are no part of the service.
		cmd := exec.Command(tool, "-exclude-generated", "-exclude-dir=gen", "-exclude-dir=bench", "-exclude-dir=\\.ci",
			"-fmt=json", "-out="+report, "./...")
		output, _ := cmd.CombinedOutput()
		data, err := os.ReadFile(report)
		if err != nil {
			fmt.Fprintf(out, "%snot checked: gosec wrote no report\n", output)
			return notChecked
		}
		return readGosec(out, data, root, suppressed)
	})
}

// readGosec judges the report of gosec on the module at root.
func readGosec(out io.Writer, data []byte, root string, suppressed []suppression) outcome {
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
	result := clean
	hidden := make(map[suppression]int)
	for _, issue := range report.Issues {
		file := strings.TrimPrefix(filepath.ToSlash(issue.File), filepath.ToSlash(root)+"/")
		i := slices.IndexFunc(suppressed, func(s suppression) bool {
			return s.rule == issue.RuleID && strings.HasPrefix(file, s.path)
		})
		if i >= 0 {
			hidden[suppressed[i]]++
			continue
		}
		fmt.Fprintf(out, "FINDING: %s:%s: %s %s\n", file, issue.Line, issue.RuleID, issue.Details)
		result = findings
	}
	for _, s := range suppressed {
		fmt.Fprintf(out, "suppressed: %s %s (%d): %s\n", s.rule, s.path, hidden[s], s.reason)
	}
	if len(report.GolangErrors) > 0 {
		for file, errs := range report.GolangErrors {
			for _, e := range errs {
				fmt.Fprintf(out, "not checked: %s: %s\n", file, e.Error)
			}
		}
		if result == clean {
			result = notChecked
		}
		return result
	}
	for _, s := range suppressed {
		if hidden[s] == 0 {
			fmt.Fprintf(out, "FINDING: the suppression of %s %s hides nothing: remove it\n", s.rule, s.path)
			result = findings
		}
	}
	return result
}
