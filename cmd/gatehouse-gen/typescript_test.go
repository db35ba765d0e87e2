package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/gatehouse/internal/codegen"
)

// needNode skips the test where there is no Node, or fails it where GATEHOUSE_TEST_REQUIRE lists node.
func needNode(t *testing.T) {
	t.Helper()
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			if slices.Contains(strings.Split(os.Getenv("GATEHOUSE_TEST_REQUIRE"), ","), "node") {
				t.Fatal(name + " is not installed, and GATEHOUSE_TEST_REQUIRE asks for node")
			}
			t.Skip(name + " is not installed: the TypeScript client is not tried")
		}
	}
}

// TestTheTypeScriptClient packs gen/typescript, installs the package into a project as a consumer does, compiles that strictly, and drives
// the real service with it.
func TestTheTypeScriptClient(t *testing.T) {
	needNode(t)
	client := t.TempDir()
	copyFiles(t, client, "../../gen/typescript", ".npmrc", "package.json", "package-lock.json", "tsconfig.json")
	copyFiles(t, filepath.Join(client, "src"), "../../gen/typescript/src")
	run(t, client, true, "npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund")
	run(t, client, true, "npm", "pack")
	project := consumer(t, client, "service.test.ts", "refused.ts")

	binary := filepath.Join(t.TempDir(), "gatehouse")
	run(t, ".", true, "go", "build", "-o", binary, "../gatehouse")
	base, env := startService(t, binary)
	node(t, project, "service.test.js", append(env, "GATEHOUSE_URL="+base)...)

	t.Run("every scheme", func(t *testing.T) { everyScheme(t, client) })
}

// everyScheme drives a server that answers what it was sent, with the client of a document that has a scheme of every type. It takes
// the tools of the other client.
func everyScheme(t *testing.T, tools string) {
	dir := t.TempDir()
	o := codegen.Options{Spec: "testdata/typescript/schemes.yaml", Out: filepath.Join(dir, "api"), Package: "api", TypeScript: filepath.Join(dir, "client")}
	if _, err := codegen.Generate(o); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(tools, "node_modules"), filepath.Join(o.TypeScript, "node_modules")); err != nil {
		t.Fatal(err)
	}
	run(t, o.TypeScript, true, "npm", "run", "schema")
	copyFiles(t, filepath.Join(o.TypeScript, "src"), "testdata/typescript", "schemes.test.ts")
	run(t, o.TypeScript, true, "npm", "run", "build", "--", "--types", "node")
	node(t, filepath.Join(o.TypeScript, "dist"), "schemes.test.js")
}

// consumer returns a project that has the client installed, with the files compiled.
func consumer(t *testing.T, client string, files ...string) string {
	t.Helper()
	packed, err := filepath.Glob(filepath.Join(client, "*.tgz"))
	if err != nil || len(packed) != 1 {
		t.Fatalf("npm packed %v (%v)", packed, err)
	}
	project := t.TempDir()
	rewrite(t, project, "package.json", `{ "private": true, "type": "module" }`)
	run(t, project, true, "npm", "install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", packed[0])
	copyFiles(t, project, "testdata/typescript", append(files, "tsconfig.json")...)
	tools := filepath.Join(client, "node_modules")
	run(t, project, true, filepath.Join(tools, ".bin", "tsc"), "--typeRoots", filepath.Join(tools, "@types"), "-p", ".")
	return project
}

var passed = regexp.MustCompile(`(?m)^# pass [1-9]`)

// node runs a compiled file of tests.
func node(t *testing.T, project, file string, env ...string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "node", "--test", "--test-reporter=tap", file)
	c.Dir, c.Env = project, append(os.Environ(), env...)
	output, err := c.CombinedOutput()
	if err != nil || !passed.Match(output) {
		t.Errorf("node --test %s: %v\n%s", file, err, output)
	}
}

// startService starts the service as --dev does, in a folder of its own, and returns its address and what dev.env sets.
func startService(t *testing.T, binary string) (base string, env []string) {
	t.Helper()
	dir := t.TempDir()
	service := exec.CommandContext(t.Context(), binary, "serve", "--dev", "--address", "127.0.0.1:0", "--data", dir)
	stdout, err := service.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = service.Process.Kill()
		_ = service.Wait()
	})
	for lines := bufio.NewScanner(stdout); base == "" && lines.Scan(); {
		if _, address, found := strings.Cut(lines.Text(), "documentation  "); found {
			base = strings.TrimSuffix(address, "/docs")
		}
	}
	if base == "" {
		t.Fatal("the service does not say where it listens")
	}
	for _, name := range []string{"GATEHOUSE_USER", "GATEHOUSE_PASSWORD", "GATEHOUSE_API_KEY"} {
		env = append(env, name+"="+settingOf(t, filepath.Join(dir, "dev.env"), name))
	}
	return base, env
}

// copyFiles copies files of a folder, all where none is named.
func copyFiles(t *testing.T, to, from string, names ...string) {
	t.Helper()
	if len(names) == 0 {
		entries, err := os.ReadDir(from)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		rewrite(t, to, name, string(data))
	}
}
