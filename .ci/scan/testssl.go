package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sections are what testssl looks at. The simulation of clients is left out: it takes minutes and judges nothing.
var sections = []string{"--protocols", "--std", "--pfs", "--server-preference", "--server-defaults", "--headers", "--vulnerable"}

// uncheckable are warnings of testssl that are about the machine that it runs on.
var uncheckable = []string{"engine_problem"}

func testssl(ctx context.Context, t *target, folder string) ([]finding, error) {
	return runTestssl(ctx, t, folder, sections...)
}

// testsslProtocols is for the weak server: it is enough to find what is weak.
func testsslProtocols(ctx context.Context, t *target, folder string) ([]finding, error) {
	return runTestssl(ctx, t, folder, "--protocols", "--std")
}

func runTestssl(ctx context.Context, t *target, folder string, sections ...string) ([]finding, error) {
	file := filepath.Join(folder, "testssl.json")
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	args := append([]string{"--quiet", "--color", "0", "--warnings", "batch", "--nodns", "none", "--ip", "127.0.0.1", "--add-ca", t.caFile,
		"--jsonfile", file}, sections...)
	output, failed := command(ctx, folder, "testssl", append(args, "https://localhost:"+t.port)...)
	data, err := os.ReadFile(file) // its exit code counts findings
	if err != nil {
		return nil, fmt.Errorf("%w, %v: %s", err, failed, output)
	}
	return readTestssl(data, slices.Contains(sections, "--headers"))
}

// readTestssl reads the flat JSON of testssl, and fails where it has not looked at everything.
func readTestssl(data []byte, headers bool) ([]finding, error) {
	var entries []struct{ ID, Severity, Finding string }
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, err
	}
	severities := map[string]severity{"OK": info, "INFO": info, "LOW": low, "MEDIUM": medium, "HIGH": high, "CRITICAL": critical}
	var findings []finding
	needed := map[string]bool{"TLS1_2": true, "cipherlist_NULL": true, "scanTime": true}
	if headers {
		needed["heartbleed"], needed["BEAST"], needed["HSTS_time"] = true, true, true
	}
	for _, e := range entries {
		s, known := severities[e.Severity]
		switch {
		case slices.Contains(uncheckable, e.ID):
			continue
		case !known:
			return nil, fmt.Errorf("%s: %s: %s", e.ID, e.Severity, e.Finding)
		}
		delete(needed, e.ID)
		findings = append(findings, finding{id: "testssl " + e.ID, severity: s, text: strings.TrimSpace(e.Finding)})
	}
	for id := range needed {
		return nil, fmt.Errorf("it says nothing of %s", id)
	}
	return findings, nil
}
