package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLogMessagesAreFixed: what a log line says is written in the source, and what differs between two of them is an attribute. A message
// that is put together could hold what a client has sent, and be counted under a thousand names.
func TestLogMessagesAreFixed(t *testing.T) {
	found := 0
	for _, p := range list(t) {
		fset := token.NewFileSet()
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			n, loose := messages(file)
			found += n
			for _, call := range loose {
				t.Errorf("%s: %sthe message is put together: write it out, and give what differs as an attribute", p.ImportPath, at(fset, call))
			}
		}
	}
	if found < 5 {
		t.Errorf("found %d messages: the test would test nothing", found)
	}
}

// messages returns how many calls of a logger a file has, and those whose message is not a constant text.
func messages(file *ast.File) (n int, loose []ast.Node) {
	ast.Inspect(file, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !ofLogger(method.X) {
			return true
		}
		place := messageAt(method.Sel.Name)
		if place < 0 || len(call.Args) <= place {
			return true
		}
		n++
		if literal, ok := call.Args[place].(*ast.BasicLit); !ok || literal.Kind != token.STRING {
			loose = append(loose, call)
		}
		return true
	})
	return n, loose
}

// messageAt returns which argument of a method is its message, or -1.
func messageAt(method string) int {
	for i, methods := range []string{"Debug Info Warn Error", "DebugContext InfoContext WarnContext ErrorContext", "Log LogAttrs"} {
		if slices.Contains(strings.Fields(methods), method) {
			return i
		}
	}
	return -1
}

// ofLogger reports whether an expression is named as loggers are here.
func ofLogger(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.SelectorExpr:
		return x.Sel.Name == "Log" || x.Sel.Name == "Logger"
	case *ast.Ident:
		return x.Name == "log" || x.Name == "logger" || x.Name == "slog"
	}
	return false
}

func TestMessages(t *testing.T) {
	for _, row := range []struct {
		name, call string
		n, loose   int
	}{
		{"a text", `s.Log.Info("a", "b", c)`, 1, 0},
		{"a text of a request", `e.Logger.LogAttrs(ctx, level, "a", b...)`, 1, 0},
		{"a variable", `s.Log.Info(a)`, 1, 1},
		{"texts that are joined", `s.Log.Warn("a" + b)`, 1, 1},
		{"a text that is formatted", `log.Error(fmt.Sprintf("a %s", b))`, 1, 1},
		{"a variable with a context", `slog.InfoContext(ctx, a)`, 1, 1},
		{"a variable with a level", `h.Log.Log(ctx, level, a)`, 1, 1},
		{"something else that informs", `page.Info(a)`, 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			file, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc f() { "+row.call+" }", 0)
			if err != nil {
				t.Fatal(err)
			}
			if n, loose := messages(file); n != row.n || len(loose) != row.loose {
				t.Errorf("%d messages, %d loose", n, len(loose))
			}
		})
	}
}
