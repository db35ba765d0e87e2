// Package codegen turns an OpenAPI document into Go: it judges whether all of it can be enforced, runs oapi-codegen, and writes decoders, the operation table and the Authenticators interface beside it.
package codegen

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	oapi "github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
)

// Options say what to generate and where.
type Options struct {
	// Spec is the path of the document.
	Spec string
	// Out is the folder of the server's package, Package its name.
	Out     string
	Package string
	// UndeclaredSecurity says what becomes of operations that declare no security: "" refuses the document, "deny" answers
	// 403 to everybody, "public" lets everybody in. It is for documents that one does not own.
	UndeclaredSecurity string
	// Client is the folder of the Go client's package. Empty: none is written.
	Client string
	// TypeScript is the folder of the TypeScript client's npm package. Empty: none is written.
	TypeScript string
}

// Check judges the document, and writes nothing. It returns Faults where it cannot be generated from, and the warnings, such
// as wrong examples, that change nothing of what is enforced. A document of one's own must also declare what the engine
// answers: see lint.
func Check(o Options) (warnings []string, err error) {
	l, err := read(o)
	if err != nil {
		return nil, err
	}
	if o.UndeclaredSecurity == "" {
		lint(l.document)
	}
	return l.library.warningTexts(), l.library.err()
}

// loaded is a document that has been judged.
type loaded struct {
	library  *library
	document *document
}

// read reads a document, whatever its faults.
func read(o Options) (*loaded, error) {
	library, err := openLibrary(o.Spec)
	if err != nil {
		return nil, err
	}
	library.owned = o.UndeclaredSecurity == ""
	return &loaded{library: library, document: readDocument(library, newGoNames(), o.UndeclaredSecurity)}, nil
}

// load reads a document that has no faults.
func load(o Options) (*loaded, []string, error) {
	l, err := read(o)
	if err != nil {
		return nil, nil, err
	}
	return l, l.library.warningTexts(), l.library.err()
}

// err returns the faults, or nil where there are none.
func (l *library) err() error {
	if len(l.faults) == 0 {
		return nil
	}
	l.faults.sort()
	return l.faults
}

// few is how often a warning is told of a document that nobody here will correct.
const few = 3

func (l *library) warningTexts() []string {
	var list []string
	l.warnings.sort()
	left := map[string]int{}
	for _, w := range l.warnings {
		left[w.Reason]++
	}
	told := map[string]int{}
	for _, w := range l.warnings {
		switch told[w.Reason]++; {
		case l.owned || told[w.Reason] < few || left[w.Reason] == few:
			list = append(list, w.String())
		case told[w.Reason] == few:
			w.Reason += fmt.Sprintf(" (and the same in %d more places)", left[w.Reason]-few)
			list = append(list, w.String())
		}
	}
	var foreign []string
	for _, name := range slices.Sorted(maps.Keys(l.foreign)) {
		foreign = append(foreign, fmt.Sprintf("%s (%d times)", name, l.foreign[name]))
	}
	if len(foreign) > 0 {
		list = append(list, fmt.Sprintf("%s: extensions that say nothing here: %s", l.main.file, strings.Join(foreign, ", ")))
	}
	return list
}

// Generate judges the document and writes every generated file. Nothing is written where there is a fault.
func Generate(o Options) (warnings []string, err error) {
	l, warnings, err := load(o)
	if err != nil {
		return warnings, err
	}
	prepared := newPreparer(l.document, true)
	spec, err := prepared.prepare()
	if err != nil {
		return warnings, err
	}
	// oapi-codegen changes the document that it is given, and cannot run twice at once: one more is parsed while it runs.
	second := make(chan parsed, 1)
	go func() { second <- parse(spec) }()
	types, err := runOapi(parse(spec), o.Package, oapi.GenerateOptions{Models: true})
	if err != nil {
		return warnings, err
	}
	server, err := runOapi(<-second, o.Package, oapi.GenerateOptions{EchoServer: true, Strict: true})
	if err != nil {
		return warnings, err
	}
	goTypes, err := parseGoTypes(types)
	if err != nil {
		return warnings, err
	}
	goResponses, err := parseGoResponses(server)
	if err != nil {
		return warnings, err
	}
	files := map[string][]byte{
		filepath.Join(o.Out, "types.gen.go"):  []byte(types),
		filepath.Join(o.Out, "server.gen.go"): []byte(prepared.restore(server)),
	}
	e := newEmitter(l, prepared, goTypes, goResponses, o.Package)
	emitted := e.files()
	if err := formatAll(emitted); err != nil {
		return warnings, err
	}
	for _, f := range emitted {
		files[filepath.Join(o.Out, f.name)] = []byte(f.text)
	}
	if err := l.library.err(); err != nil {
		return warnings, err
	}
	if files[filepath.Join(o.Out, "openapi.yaml")], err = l.library.text(); err != nil {
		return warnings, err
	}
	if files[filepath.Join(o.Out, "openapi.json")], err = toJSON(l.library.main.root); err != nil {
		return warnings, err
	}
	if o.Client != "" {
		prepared := newPreparer(l.document, false)
		spec, err := prepared.prepare()
		if err != nil {
			return warnings, err
		}
		client, err := runOapi(parse(spec), filepath.Base(o.Client), oapi.GenerateOptions{Models: true, Client: true})
		if err != nil {
			return warnings, err
		}
		files[filepath.Join(o.Client, "client.gen.go")] = []byte(prepared.restore(client))
	}
	if o.TypeScript != "" {
		client, err := e.typescript(o)
		if err != nil {
			return warnings, err
		}
		for name, data := range client {
			files[filepath.Join(o.TypeScript, name)] = data
		}
	}
	return warnings, write(files)
}

// formatAll writes files as gofmt does.
func formatAll(files []file) error {
	var all sync.WaitGroup
	errs := make([]error, len(files))
	for i := range files {
		all.Go(func() {
			formatted, err := format.Source([]byte(files[i].text))
			if err != nil {
				errs[i] = fmt.Errorf("%s does not parse: %w\n%s", files[i].name, err, files[i].text)
			}
			files[i].text = string(formatted)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// parsed is a prepared document as oapi-codegen takes it.
type parsed struct {
	*openapi3.T
	err error
}

// parse parses a prepared document, which is JSON.
func parse(spec []byte) parsed {
	doc := &openapi3.T{}
	if err := doc.UnmarshalJSON(spec); err != nil {
		return parsed{err: err}
	}
	return parsed{T: doc, err: openapi3.NewLoader().ResolveRefsIn(doc, nil)}
}

// runOapi runs oapi-codegen on a prepared document, which is of no use afterwards.
func runOapi(doc parsed, packageName string, generate oapi.GenerateOptions) (string, error) {
	if doc.err != nil {
		return "", fmt.Errorf("the prepared document: %w", doc.err)
	}
	version := ""
	source, err := oapi.Generate(doc.T, oapi.Configuration{
		PackageName:          packageName,
		Generate:             generate,
		OutputOptions:        oapi.OutputOptions{SkipPrune: true, NullableType: true},
		AllowRemoteRefsFrom:  []string{},
		NoVCSVersionOverride: &version,
		Compatibility: oapi.CompatibilityOptions{
			PreserveOriginalOperationIdCasingInEmbeddedSpec: true,
			DisableRequiredReadOnlyAsPointer:                true,
			AlwaysPrefixEnumValues:                          true,
		},
	})
	if err != nil {
		return "", fmt.Errorf("oapi-codegen: %w", err)
	}
	// Its header names the program that it was linked into and that program's version; ours must not change with them.
	lines := strings.SplitAfter(source, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "// Code generated by ") {
			lines[i] = fmt.Sprintf("// Code generated by oapi-codegen %s, run by gatehouse-gen. DO NOT EDIT.\n", oapiVersion())
			break
		}
	}
	source = strings.Join(lines, "")
	restored := real.Replace(source)
	if restored == source {
		return source, nil // it is formatted
	}
	formatted, err := format.Source([]byte(restored))
	return string(formatted), err
}

func oapiVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "github.com/oapi-codegen/oapi-codegen/v2" {
				return m.Version
			}
		}
	}
	return "of an unknown version"
}

// write writes the files that differ from what is there, so that a build after a run that changed nothing is a cached one.
func write(files map[string][]byte) error {
	for name, data := range files {
		if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, data) {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
