package codegen

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	gotypes "go/types"
	"reflect"
	"strconv"
	"strings"
)

// goTypes are the models that oapi-codegen wrote. Names are taken from its output, never computed beside it, so
// that a drift between the two does not compile.
type goTypes struct {
	structs map[string]map[string]goField // type name → JSON name
	aliases map[string]string             // type name → what it is made of, structs apart
}

// goResponses are the response types of the strict server.
type goResponses struct {
	kinds  map[string]string            // type name → the type it is made of, or "struct"
	fields map[string]map[string]string // type name + ".Headers" → Go field → type
}

func parseGoResponses(source string) (*goResponses, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "server.gen.go", source, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("the server that oapi-codegen wrote does not parse: %w", err)
	}
	g := &goResponses{kinds: map[string]string{}, fields: map[string]map[string]string{}}
	structs := map[string]map[string]string{}
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range gen.Specs {
			ts, ok := spec.(*ast.TypeSpec)
			if !ok {
				continue
			}
			st, ok := ts.Type.(*ast.StructType)
			if !ok {
				g.kinds[ts.Name.Name] = gotypes.ExprString(ts.Type)
				continue
			}
			g.kinds[ts.Name.Name] = "struct"
			structs[ts.Name.Name] = map[string]string{}
			for _, f := range st.Fields.List {
				for _, name := range f.Names {
					structs[ts.Name.Name][name.Name] = gotypes.ExprString(f.Type)
				}
			}
		}
	}
	for name, fields := range structs {
		g.fields[name+".Headers"] = structs[fields["Headers"]]
	}
	return g, nil
}

// aliasOrStruct returns what a response type is made of: the name of a model, "struct", or "" where there is none.
func (g *goResponses) aliasOrStruct(name string) string { return g.kinds[name] }

type goField struct {
	name string
	typ  string
}

func parseGoTypes(source string) (*goTypes, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "types.gen.go", source, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("the models that oapi-codegen wrote do not parse: %w", err)
	}
	g := &goTypes{structs: map[string]map[string]goField{}, aliases: map[string]string{}}
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range gen.Specs {
			if ts, ok := spec.(*ast.TypeSpec); ok {
				g.addType(ts)
			}
		}
	}
	return g, nil
}

func (g *goTypes) addType(spec *ast.TypeSpec) {
	if spec.Assign.IsValid() {
		g.aliases[spec.Name.Name] = gotypes.ExprString(spec.Type)
		return
	}
	st, ok := spec.Type.(*ast.StructType)
	if !ok {
		g.aliases[spec.Name.Name] = gotypes.ExprString(spec.Type)
		return
	}
	fields := map[string]goField{}
	for _, f := range st.Fields.List {
		if f.Tag == nil || len(f.Names) != 1 {
			continue
		}
		tag, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			continue
		}
		name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		fields[name] = goField{f.Names[0].Name, gotypes.ExprString(f.Type)}
	}
	g.structs[spec.Name.Name] = fields
}

// underlying returns what a named type is made of, as far as it is no struct.
func (g *goTypes) underlying(name string) string {
	for g.aliases[name] != "" {
		name = g.aliases[name]
	}
	return name
}

// unwrap splits the type of a field into the type of its value and how it is set.
func unwrap(typ string) (value string, how assignment) {
	if inner, ok := strings.CutPrefix(typ, "*"); ok {
		return inner, byPointer
	}
	if inner, ok := strings.CutPrefix(typ, "nullable.Nullable["); ok {
		return strings.TrimSuffix(inner, "]"), byNullable
	}
	return typ, byValue
}

type assignment int

const (
	byValue assignment = iota
	byPointer
	byNullable
)
