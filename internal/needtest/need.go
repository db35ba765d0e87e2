// Package needtest decides what becomes of a test that needs what a machine may lack.
package needtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// variable lists what must be there: a test that misses one of these fails. .ci/run sets it, so that nothing is skipped there.
const variable = "GATEHOUSE_TEST_REQUIRE"

// Missing skips the test for want of what has the name, or fails it where GATEHOUSE_TEST_REQUIRE lists that. message says what to install or set.
func Missing(t testing.TB, name, message string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv(variable), ","), name) {
		t.Fatalf("%s asks for %s: %s", variable, name, message)
	}
	t.Skip(message)
}

// Programs returns where the programs are that what has the name consists of. Without one of them the test is skipped or fails.
func Programs(t testing.TB, name string, programs ...string) []string {
	t.Helper()
	var paths []string
	for _, program := range programs {
		path, err := exec.LookPath(program)
		if err != nil {
			Missing(t, name, program+" is not installed")
		}
		paths = append(paths, path)
	}
	return paths
}

// Suites returns a folder of the public test data, which stand beside the repository or where GATEHOUSE_SUITES says. root is the
// way from the test's own folder to the top of the repository.
func Suites(t testing.TB, root, folder string) string {
	t.Helper()
	dir := os.Getenv("GATEHOUSE_SUITES")
	if dir == "" {
		dir = filepath.Join(root, "..", "shared", "suites")
	}
	dir = filepath.Join(dir, folder)
	if _, err := os.Stat(dir); err != nil {
		Missing(t, "suites", "no public test data: set GATEHOUSE_SUITES to its folder")
	}
	return dir
}
