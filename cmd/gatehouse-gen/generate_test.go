package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGenerateWritesWhereItIsTold: another document never lands in the folders of this repository.
func TestGenerateWritesWhereItIsTold(t *testing.T) {
	schemes, err := os.ReadFile("testdata/typescript/schemes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := []string{"gen/api", "gen/client", "gen/typescript", "gen/typescript/src"}
	for _, row := range []struct {
		name     string
		generate generate
		says     string
		writes   []string
	}{
		{"no flag, in this repository", generate{}, "", all},
		{"another document", generate{Spec: "other.yaml", Out: "other"}, "", []string{"other"}},
		{"another document and its Go client", generate{Spec: "other.yaml", Out: "other", Client: "client"}, "", []string{"client", "other"}},
		{"another document and its TypeScript client", generate{Spec: "other.yaml", Out: "other", TypeScript: "npm"}, "", []string{"npm", "npm/src", "other"}},
		{"another document into no folder", generate{Spec: "other.yaml"}, "give --spec and --out together", nil},
		{"no document into another folder", generate{Out: "other"}, "give --spec and --out together", nil},
		{"another document into no folder but a client", generate{Spec: "other.yaml", Client: "client"}, "give --spec and --out together", nil},
		{"no document and a client", generate{Client: "client"}, "give --spec and --out together", nil},
		{"no document and a TypeScript client", generate{TypeScript: "npm"}, "give --spec and --out together", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			rewrite(t, dir, "openapi.yaml", string(schemes))
			rewrite(t, dir, "other.yaml", string(schemes))
			row.generate.Package, row.generate.Undeclared = "api", "refuse"
			err := row.generate.Run()
			if (err == nil) != (row.says == "") || err != nil && !strings.Contains(err.Error(), row.says) {
				t.Errorf("got %v, want %q", err, row.says)
			}
			if diff := cmp.Diff(row.writes, foldersWithFiles(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// foldersWithFiles returns the folders below dir that hold a file.
func foldersWithFiles(t *testing.T, dir string) (folders []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		folder, err := filepath.Rel(dir, filepath.Dir(path))
		if folder != "." && !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return folders
}
