package codegen

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// drive compiles a program beside the package that was generated into dir, hands it input and reads what it prints, both as JSON.
func drive(t *testing.T, dir, source string, input, output any) {
	t.Helper()
	folder := filepath.Join(dir, "driver")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "main.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	stdin, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), "go", "run", "./"+filepath.Base(dir)+"/driver")
	run.Dir, run.Stdin = "testdata", bytes.NewReader(stdin)
	var stderr bytes.Buffer
	run.Stderr = &stderr
	stdout, err := run.Output()
	if err != nil {
		t.Fatalf("%v\n%.8000s", err, stderr.String())
	}
	if err := json.Unmarshal(stdout, output); err != nil {
		t.Fatal(err)
	}
}
