package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.com/gatehouse/internal/codegen"
	"example.com/gatehouse/internal/needtest"
)

// needNode skips the test where there is no Node, or fails it where GATEHOUSE_TEST_REQUIRE lists node.
func needNode(t *testing.T) {
	t.Helper()
	needtest.Programs(t, "node", "node", "npm")
}

// TestTheTypeScriptClient installs the client into a project by the commands of the README, compiles the project strictly, and drives the
// real service from it.
func TestTheTypeScriptClient(t *testing.T) {
	needNode(t)
	dir := t.TempDir()
	client, project := filepath.Join(dir, "gatehouse", "gen", "typescript"), filepath.Join(dir, "project")
	copyFiles(t, client, "../../gen/typescript", ".npmrc", "package.json", "package-lock.json", "tsconfig.json")
	copyFiles(t, filepath.Join(client, "src"), "../../gen/typescript/src")
	copyFiles(t, project, "testdata/typescript", "tsconfig.json", "service.test.ts", "refused.ts")
	rewrite(t, project, "package.json", `{ "private": true, "type": "module" }`)
	base, env := startService(t)
	commands, block := ofReadme(t, "In TypeScript")
	rewrite(t, project, "readme.ts", strings.Replace(block, "http://127.0.0.1:8080", base, 1))

	t.Setenv("npm_config_prefer_offline", "true")
	run(t, project, true, "sh", "-e", "-c", commands)
	tools := filepath.Join(client, "node_modules")
	run(t, project, true, filepath.Join(tools, ".bin", "tsc"), "--typeRoots", filepath.Join(tools, "@types"), "-p", ".")
	node(t, project, "service.test.js", append(env, "GATEHOUSE_URL="+base)...)
	if said := output(t, project, env, "node", "readme.js"); !strings.Contains(said, "pointer: '/price'") {
		t.Errorf("the program of the README says %s", said)
	}
	t.Run("every scheme", func(t *testing.T) { everyScheme(t, tools) })
}

// TestTheGoClient makes a module of the commands and the program of the README, and runs it.
func TestTheGoClient(t *testing.T) {
	dir := t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(root, filepath.Join(dir, "gatehouse")); err != nil {
		t.Fatal(err)
	}
	project := filepath.Join(dir, "project")
	if err := os.Mkdir(project, 0o755); err != nil {
		t.Fatal(err)
	}
	base, env := startService(t)
	commands, block := ofReadme(t, "In Go:")
	rewrite(t, project, "go.mod", "module project\n\ngo 1.26\n")
	rewrite(t, project, "main.go", strings.Replace(block, "http://127.0.0.1:8080", base, 1))
	run(t, project, true, "sh", "-e", "-c", commands)
	if said := output(t, project, env, "go", "run", "."); !strings.HasPrefix(said, "201 Created {") {
		t.Errorf("the program of the README says %s", said)
	}
}

// ofReadme returns the commands that follow a line of the README, and the block of code after them.
func ofReadme(t *testing.T, after string) (commands, block string) {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(readme), after)
	before, rest, fenced := strings.Cut(text, "\n```")
	_, rest, _ = strings.Cut(rest, "\n") // the language
	block, _, closed := strings.Cut(rest, "\n```")
	for line := range strings.Lines(before) {
		if command, ok := strings.CutPrefix(line, "    $ "); ok {
			commands += command
		}
	}
	if !found || !fenced || !closed || commands == "" {
		t.Fatalf("the README has no commands and block after %q", after)
	}
	return commands, block + "\n"
}

// everyScheme drives a server that answers what it was sent, with the client of a document that has a scheme of every type. It takes
// the tools of the other client.
func everyScheme(t *testing.T, tools string) {
	dir := t.TempDir()
	o := codegen.Options{Spec: "testdata/typescript/schemes.yaml", Out: filepath.Join(dir, "api"), Package: "api", TypeScript: filepath.Join(dir, "client")}
	if _, err := codegen.Generate(o); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(tools, filepath.Join(o.TypeScript, "node_modules")); err != nil {
		t.Fatal(err)
	}
	run(t, o.TypeScript, true, "npm", "run", "schema")
	copyFiles(t, filepath.Join(o.TypeScript, "src"), "testdata/typescript", "schemes.test.ts")
	run(t, o.TypeScript, true, "npm", "run", "build", "--", "--types", "node")
	node(t, filepath.Join(o.TypeScript, "dist"), "schemes.test.js")
}

var passed = regexp.MustCompile(`(?m)^# pass [1-9]`)

// node runs a compiled file of tests.
func node(t *testing.T, project, file string, env ...string) {
	t.Helper()
	if report := output(t, project, env, "node", "--test", "--test-reporter=tap", file); !passed.MatchString(report) {
		t.Errorf("no test of %s passed:\n%s", file, report)
	}
}

// output runs a command, which must succeed, and returns what it prints.
func output(t *testing.T, dir string, env []string, name string, arguments ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, arguments...)
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	said, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, arguments, err, said)
	}
	return string(said)
}

// startService builds the service and starts it as --dev does, in a folder of its own. It returns its address and what dev.env sets.
func startService(t *testing.T) (base string, env []string) {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "gatehouse")
	run(t, ".", true, "go", "build", "-o", binary, "../gatehouse")
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
	var made struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	if err := json.Unmarshal([]byte(output(t, dir, nil, binary, "client", "add", "node", "--dev", "--data", dir, "--scope", "items:read", "--json")), &made); err != nil {
		t.Fatal(err)
	}
	env = append(env, "GATEHOUSE_CLIENT_ID="+made.ID, "GATEHOUSE_CLIENT_SECRET="+made.Secret)
	app := output(t, dir, nil, binary, "client", "add", "app", "--dev", "--data", dir, "--public", "--redirect-uri", "https://app.example.com/callback", "--scope", "openid,items:read", "--json")
	if err := json.Unmarshal([]byte(app), &made); err != nil {
		t.Fatal(err)
	}
	return base, append(env, "GATEHOUSE_APP_ID="+made.ID)
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
