package internal_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheThreeEditsOfTheReadme makes them in a copy of the tree, word for word, and runs the tests of the service there.
func TestTheThreeEditsOfTheReadme(t *testing.T) {
	readme := read(t, "../README.md")
	_, section, found := strings.Cut(readme, "## Add an endpoint in three edits")
	if !found {
		t.Fatal("the section is gone")
	}
	blocks := codeBlocks(section)
	if len(blocks) < 4 {
		t.Fatalf("got %d blocks of code, want two of YAML, the method and the row", len(blocks))
	}
	path, schemas, method, row := blocks[0], blocks[1], blocks[2], blocks[3]
	dir := copyTree(t)

	document := filepath.Join(dir, "openapi.yaml")
	insertBelow(t, document, "\npaths:\n", path)
	insertBelow(t, document, "\n  schemas:\n", schemas)
	command(t, dir, true, "go", "run", "./cmd/gatehouse-gen", "generate")
	command(t, dir, true, "go", "run", "./cmd/gatehouse-gen", "check")

	missing := "handlers does not implement api.StrictServerInterface (missing method QuoteItem)"
	if !strings.Contains(strings.Join(strings.Fields(readme), " "), missing) {
		t.Error("the README does not say what the compiler says")
	}
	if out := command(t, dir, false, "go", "build", "./internal/server"); !strings.Contains(out, missing) {
		t.Errorf("the compiler does not name the method:\n%s", out)
	}
	write(t, filepath.Join(dir, "internal/items/quote.go"), method)
	table := filepath.Join(dir, "internal/server/operations_test.go")
	if out := command(t, dir, false, "go", "test", "-run", "TestEveryOperationAnswers", "./internal/server"); !strings.Contains(out, "quoteItem") {
		t.Errorf("an operation without a row does not fail:\n%s", out)
	}
	text := read(t, table)
	write(t, table, strings.Replace(text, "\t\t{\"deleteItem\"", row+"\t\t{\"deleteItem\"", 1))
	command(t, dir, true, "go", "test", "-run", "TestEveryOperation|TestNothingIsOpen|TestTheClientHas", "./internal/server")

	text = read(t, document)
	for name, edit := range map[string][2]string{
		"without security": {"      security:\n        - oauth2: ['items:read']\n        - apiKeyHeader: ['items:read']\n      parameters:\n        - $ref: '#/components/parameters/ItemID'\n      requestBody", "      parameters:\n        - $ref: '#/components/parameters/ItemID'\n      requestBody"},
		"a wrong scope":    {"- oauth2: ['items:read']\n        - apiKeyHeader: ['items:read']\n      parameters:\n        - $ref", "- oauth2: ['itmes:read']\n        - apiKeyHeader: ['items:read']\n      parameters:\n        - $ref"},
	} {
		changed := strings.Replace(text, edit[0], edit[1], 1)
		if changed == text {
			t.Fatalf("%s: the document does not hold what is edited", name)
		}
		write(t, document, changed)
		if out := command(t, dir, false, "go", "run", "./cmd/gatehouse-gen", "generate"); !strings.Contains(out, "openapi.yaml:") || !strings.Contains(out, "#/paths/~1items~1{item_id}~1quote/post") {
			t.Errorf("%s: the generator does not say where:\n%s", name, out)
		}
	}
}

// codeBlocks returns the fenced blocks of a Markdown text.
func codeBlocks(text string) (blocks []string) {
	parts := strings.Split(text, "\n```")
	for i := 1; i+1 < len(parts); i += 2 {
		_, block, _ := strings.Cut(parts[i], "\n") // the first line is the language
		blocks = append(blocks, block+"\n")
	}
	return blocks
}

// copyTree copies what git knows, and what it does not know yet.
func copyTree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	list := command(t, "..", true, "git", "ls-files", "-co", "--exclude-standard")
	for name := range strings.FieldsSeq(list) {
		data, err := os.ReadFile(filepath.Join("..", name))
		if os.IsNotExist(err) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), string(data))
	}
	return dir
}

func insertBelow(t *testing.T, file, line, text string) {
	t.Helper()
	before, after, found := strings.Cut(read(t, file), line)
	if !found {
		t.Fatalf("%s has no line %q", file, line)
	}
	write(t, file, before+line+text+after)
}

func command(t *testing.T, dir string, succeeds bool, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if (err == nil) != succeeds {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
