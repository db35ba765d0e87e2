package codegen

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// stumbles are documents that stock generators make nothing of that compiles, by cause: schemas, and the rest of an operation.
var stumbles = []struct {
	name, schemas, operation string
}{
	{"two schemas of one Go name", `{"item": {"type": "object", "properties": {"a": {"type": "string"}}}, "Item": {"type": "object", "properties": {"b": {"type": "string"}}}, "ITEM": {"type": "string", "enum": ["x"]}, "i-tem": {"$ref": "#/components/schemas/Item"}}`, ``},
	{"inline enums of one Go name", `{"Order": {"type": "object", "properties": {"status": {"type": "string", "enum": ["a"]}, "Status": {"type": "string", "enum": ["b"]}}}, "OrderStatus": {"type": "string", "enum": ["c"]}}`, ``},
	{"enum constants named like types", `{"Color": {"type": "string", "enum": ["red", "Red", "RED", "r-ed", ""]}, "ColorRed": {"type": "object", "properties": {"a": {"type": "integer"}}}, "Red": {"type": "string"}}`, ``},
	{"enum constants without a letter", `{"Sort": {"type": "string", "enum": ["+", "-", "+1", "-1", "1", "*", "<=", ">=", " ", "日本"]}, "Level": {"type": "integer", "enum": [1, 2]}, "Mixed": {"enum": ["a", 1, null, true, {"b": 1}]}}`, ``},
	{"allOf of branches that differ in readOnly or format", `{"Base": {"type": "object", "properties": {"id": {"type": "string", "readOnly": true}, "at": {"type": "string", "format": "date-time"}}}, "Thing": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "format": "uuid"}, "at": {"type": "string"}}}]}}`, ``},
	{"a discriminator without mapping", `{"Cat": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}}}, "Dog": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}}, "Pet": {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}], "discriminator": {"propertyName": "kind"}}, "Inline": {"oneOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"type": "object", "properties": {"a": {"type": "integer"}}}], "discriminator": {"propertyName": "a"}}}`, ``},
	{"a list of types", `{"Value": {"type": ["string", "number", "null"]}, "Holder": {"type": "object", "required": ["v"], "properties": {"v": {"type": ["object", "array"]}, "w": {"type": ["string", "null"], "format": "date"}, "x": {"$ref": "#/components/schemas/Value"}}}}`, ``},
	{"a reference into $defs", `{"Tree": {"type": "object", "properties": {"leaf": {"$ref": "#/components/schemas/Tree/$defs/leaf"}, "self": {"$ref": "#/components/schemas/Tree/properties/leaf"}}, "$defs": {"leaf": {"type": "object", "properties": {"n": {"type": "integer"}}}}}}`, ``},
	{"references to what is no component", `{"A": {"type": "object", "properties": {"b": {"type": "array", "items": {"type": "object", "properties": {"c": {"type": "boolean"}}}}}}, "B": {"$ref": "#/components/schemas/A/properties/b/items"}, "C": {"type": "array", "items": {"$ref": "#/components/schemas/C"}}, "D": {"$ref": "#/components/schemas/B"}}`, ``},
	{"schemas that hold themselves", `{"A": {"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#/components/schemas/B"}}}, "B": {"type": "object", "required": ["b"], "properties": {"b": {"$ref": "#/components/schemas/A"}}}, "M": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/M"}}, "U": {"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/V"}]}, "V": {"type": "object", "properties": {"u": {"$ref": "#/components/schemas/U"}}}}`, ``},
	{"schemas named like what is generated", `{"GetXParams": {"type": "string"}, "GetX200JSONResponse": {"type": "object", "properties": {"a": {"type": "string"}}}, "GetXRequestObject": {"type": "string"}, "GetXJSONRequestBody": {"type": "object"}, "Authenticators": {"type": "string"}, "Operations": {"type": "array", "items": {"type": "string"}}, "Unimplemented": {"type": "string"}, "Schemes": {"type": "string"}, "Client": {"type": "object"}, "ServerInterface": {"type": "string"}, "Error": {"type": "object", "properties": {"error": {"type": "string"}}}, "TokenCredential": {"type": "string"}}`, ``},
	{"schemas named like words of Go", `{"type": {"type": "string"}, "func": {"type": "object", "properties": {"map": {"type": "string"}, "range": {"type": "object", "properties": {"chan": {"type": "string"}}}}}, "string": {"type": "string", "enum": ["var", "nil", "true"]}, "error": {"type": "object"}, "int": {"type": "integer"}, "any": {}, "Time": {"type": "string", "format": "date-time"}, "http": {"type": "string"}, "Context": {"type": "object"}, "UUID": {"type": "string", "format": "uuid"}}`, ``},
	{"members that differ in punctuation", `{"M": {"type": "object", "required": ["a_b"], "properties": {"a-b": {"type": "string"}, "a_b": {"type": "string"}, "aB": {"type": "string"}, "AB": {"type": "string"}, "a.b": {"type": "string"}, "a b": {"type": "string"}, "@a": {"type": "string"}, "$a": {"type": "string"}, "1": {"type": "string"}, "": {"type": "string"}, "é": {"type": "string"}}}, "N": {"type": "object", "properties": {"AdditionalProperties": {"type": "string"}, "Get": {"type": "string"}, "MarshalJSON": {"type": "string"}}, "additionalProperties": {"type": "integer"}}}`, ``},
	{"parameters that differ in punctuation", `{}`, `"parameters": [{"name": "a-b", "in": "query", "schema": {"type": "string"}}, {"name": "a_b", "in": "query", "schema": {"type": "string"}}, {"name": "aB", "in": "header", "schema": {"type": "string"}}, {"name": "a.b", "in": "cookie", "schema": {"type": "string"}}, {"name": "filter[a]", "in": "query", "schema": {"type": "array", "items": {"type": "string", "enum": ["x", "X"]}}}, {"name": "type", "in": "query", "schema": {"type": "string", "enum": ["a", "b"]}}, {"name": "Type", "in": "query", "schema": {"type": "string", "enum": ["a", "b"]}}, {"name": "1", "in": "query", "schema": {"type": "integer"}}, {"name": "日", "in": "query", "schema": {"type": "integer"}}],`},
	{"a list that leads to itself where it may be null", `{"List": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}, "Node": {"type": "object", "properties": {"below": {"anyOf": [{"$ref": "#/components/schemas/List"}, {"type": "null"}]}}}, "Index": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Entry"}}, "Entry": {"type": "object", "properties": {"index": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Index"}]}, "Entry": {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": ["string", "null"]}}}}}`, ``},
	{"parameters of one name in several places", `{"GetXParameters": {"type": "object", "properties": {"a": {"type": "string"}}}}`, `"parameters": [{"name": "ids", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}, {"name": "ids", "in": "cookie", "schema": {"type": "array", "items": {"type": "string"}}}, {"name": "Ids", "in": "cookie", "schema": {"type": "array", "items": {"type": "string"}}}, {"name": "ids", "in": "header", "schema": {"type": "array", "items": {"type": "string"}}}],`},
	{"several media types of one body", `{"A": {"type": "object", "properties": {"a": {"type": "string"}}}}`, `"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}, "application/merge-patch+json": {"schema": {"$ref": "#/components/schemas/A"}}, "application/vnd.a+json": {"schema": {"type": "array", "items": {"type": "string"}}}, "application/x-www-form-urlencoded": {"schema": {"$ref": "#/components/schemas/A"}}, "multipart/form-data": {"schema": {"type": "object", "properties": {"f": {"type": "string", "format": "binary"}, "l": {"type": "array", "items": {"type": "string", "format": "binary"}}}}}, "text/plain": {"schema": {"type": "string"}}, "application/octet-stream": {}, "application/xml": {"schema": {"$ref": "#/components/schemas/A"}}}},`},
}

// stumbling is a document with one operation.
func stumbling(schemas, operation string) string {
	if schemas == "" {
		schemas = "{}"
	}
	var content strings.Builder
	var named map[string]json.RawMessage
	_ = json.Unmarshal([]byte(schemas), &named)
	for name := range named {
		if content.Len() > 0 {
			content.WriteString(", ")
		}
		fmt.Fprintf(&content, `"%s": {"$ref": "#/components/schemas/%s"}`, name, strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	whole := fmt.Sprintf(`{"type": "object", "properties": {%s}}`, content.String())
	if !strings.Contains(operation, "requestBody") {
		operation += fmt.Sprintf(`"requestBody": {"content": {"application/json": {"schema": %s}}},`, whole)
	}
	return fmt.Sprintf(`{"openapi": "3.1.0", "info": {"title": "Stumbling", "version": "1"}, "paths": {"/x": {"post": {"operationId": "getX", "security": [{"token": []}], %s
		"responses": {"200": {"description": "", "headers": {"X-A": {"schema": {"type": "string"}}, "x_a": {"schema": {"type": "integer"}}}, "content": {"application/json": {"schema": %s}, "text/csv": {}, "application/problem+json": {"schema": {"type": "string"}}}}, "4XX": {"$ref": "#/components/responses/getX"}, "default": {"description": ""}}}}},
		"components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}, "to-ken": {"type": "http", "scheme": "basic"}}, "responses": {"getX": {"description": "", "content": {"application/json": {"schema": {"type": "object", "properties": {"a": {"type": "string"}}}}}}}, "schemas": %s}}`, operation, whole, schemas)
}

// compileAll generates from each document, server and client, and compiles all of it.
func compileAll(t *testing.T, documents map[string]string) {
	t.Helper()
	root := moduleFolder(t)
	n := 0
	names := map[string]string{}
	for name, text := range documents {
		n++
		folder := fmt.Sprintf("d%d", n)
		names[folder] = name
		file := filepath.Join(t.TempDir(), folder+".json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(root, folder)
		if _, err := Generate(Options{Spec: file, Out: filepath.Join(out, "api"), Package: "api", Client: filepath.Join(out, "client")}); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
	c := exec.CommandContext(t.Context(), "go", "build", "./"+filepath.Base(root)+"/...")
	c.Dir = "testdata"
	if output, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%.6000s", err, output)
		for folder, name := range names {
			if strings.Contains(string(output), "/"+folder+"/") {
				t.Errorf("%s is %s:\n%s", folder, name, documents[name])
			}
		}
	}
}

// TestWhatStockGeneratorsStumbleOver: the document is prepared, and what comes of it compiles.
func TestWhatStockGeneratorsStumbleOver(t *testing.T) {
	documents := map[string]string{}
	for _, s := range stumbles {
		documents[s.name] = stumbling(s.schemas, s.operation)
	}
	compileAll(t, documents)
}

// randomDocuments is how many documents of clashing names are compiled, a few seconds each. GATEHOUSE_RANDOM_DOCUMENTS says more.
const randomDocuments = 5

// TestRandomNames compiles documents whose names were chosen to clash: components, members, parameters, enumerations, operations,
// header fields and responses draw from the same few.
func TestRandomNames(t *testing.T) {
	documents := map[string]string{}
	wanted := randomDocuments
	if n, err := strconv.Atoi(os.Getenv("GATEHOUSE_RANDOM_DOCUMENTS")); err == nil {
		wanted = n
	}
	for seed := uint64(0); len(documents) < wanted; seed++ {
		g := &nameGame{random: rand.New(rand.NewPCG(seed, 11))}
		text := g.document()
		file := writeDocument(t, text)
		if _, _, err := load(Options{Spec: file}); err == nil {
			documents[fmt.Sprintf("seed %d", seed)] = text
		} else if !strings.Contains(err.Error(), "refers to itself for the same value") { // what no value can meet, and no checker end
			t.Errorf("seed %d: %v", seed, err)
		}
	}
	compileAll(t, documents)
}

// nameGame makes documents of clashing names.
type nameGame struct {
	random     *rand.Rand
	components []string
}

var clashing = []string{"a", "A", "a-b", "a_b", "aB", "AB", "ab", "a.b", "a b", "1", "1a", "type", "Type", "string", "error", "Error", "id", "ID", "Id", "item", "Item", "items", "ItemList", "item_list",
	"GetItem", "getItem", "get-item", "GetItemParams", "GetItemParameters", "GetItem200", "GetItem200JSONResponse", "GetItemJSONRequestBody", "GetItemRequestObject", "NewGetItemRequest", "Body", "body", "Params", "params", "ctx", "err", "w", "request", "response",
	"json", "http", "fmt", "time", "Time", "url", "context", "echo", "validation", "guard", "nullable", "runtime", "Client", "Unimplemented", "Operations", "Valid", "Get", "Set", "MarshalJSON", "AsItem", "FromItem", "Discriminator", "ValueByDiscriminator", "union", "AdditionalProperties", "é", "日本", "+", "-", "_", "x-y", "N1", "Item1", "Item2", "Schema", "ItemSchema", "SchemaItem", "X1", "XA"}

func (g *nameGame) pick() string      { return clashing[g.random.IntN(len(clashing))] }
func (g *nameGame) chance(n int) bool { return g.random.IntN(n) == 0 }
func (g *nameGame) some(n int) []string {
	seen, list := map[string]bool{}, []string{}
	for range 1 + g.random.IntN(n) {
		if name := g.pick(); !seen[name] {
			seen[name] = true
			list = append(list, name)
		}
	}
	return list
}

func (g *nameGame) schema(depth int) object {
	if len(g.components) > 0 && g.chance(4) {
		return object{"$ref": "#/components/schemas/" + strings.ReplaceAll(g.components[g.random.IntN(len(g.components))], " ", "%20")}
	}
	if depth <= 0 {
		return []object{{"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "boolean"}, {}, {"type": []string{"string", "null"}}, {"type": "string", "format": "uuid"}, {"type": "string", "format": "date-time"}, {"type": "string", "format": "byte"}, {"type": "string", "enum": g.some(5)}}[g.random.IntN(10)]
	}
	switch g.random.IntN(8) {
	case 0:
		return object{"type": "array", "items": g.schema(depth - 1)}
	case 1:
		return object{"type": "object", "additionalProperties": g.schema(depth - 1)}
	case 2:
		return object{[]string{"oneOf", "anyOf"}[g.random.IntN(2)]: []object{g.schema(depth - 1), g.schema(depth - 1), g.schema(depth - 1)}}
	case 3:
		return object{"allOf": []object{g.object(depth - 1), g.object(depth - 1)}}
	case 4:
		return object{"anyOf": []object{g.schema(depth - 1), {"type": "null"}}}
	}
	return g.object(depth)
}

func (g *nameGame) object(depth int) object {
	properties, names := object{}, g.some(6)
	for _, name := range names {
		properties[name] = g.schema(depth - 1)
	}
	o := object{"type": "object", "properties": properties}
	if g.chance(2) {
		o["required"] = names[:1]
	}
	if g.chance(3) {
		o["additionalProperties"] = g.schema(depth - 1)
	} else if g.chance(3) {
		o["additionalProperties"] = false
	}
	return o
}

func (g *nameGame) document() string {
	g.components = nil
	names := g.some(30)
	schemas, paths, responses := object{}, object{}, object{}
	for _, name := range names {
		schemas[name] = g.object(2)
		g.components = append(g.components, name)
	}
	for _, name := range names {
		if g.chance(2) {
			schemas[name] = g.schema(2)
		}
	}
	shared := g.some(5)
	for _, name := range shared {
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == "" {
			responses[name] = object{"description": "", "content": object{"application/json": object{"schema": g.schema(1)}}}
		}
	}
	for i, id := range g.some(10) {
		var parameters []object
		used := map[string]bool{}
		for _, name := range g.some(6) {
			in := []string{"query", "header", "cookie"}[g.random.IntN(3)]
			if !isToken(name) || used[in+strings.ToLower(name)] {
				in, name = "query", name+"q"
			}
			used[in+strings.ToLower(name)] = true
			parameters = append(parameters, object{"name": name, "in": in, "schema": []object{{"type": "string"}, {"type": "integer"}, {"type": "array", "items": object{"type": "string"}}, {"type": "string", "enum": g.some(4)}}[g.random.IntN(4)]})
		}
		inPath := "id"
		if g.chance(2) {
			inPath = []string{"type", "Body", "ctx", "a_b", "err", "params", "json"}[g.random.IntN(7)]
		}
		parameters = append(parameters, object{"name": inPath, "in": "path", "required": true, "schema": object{"type": "string"}})
		answers := object{"200": object{"description": "", "headers": object{"X-A": object{"schema": object{"type": "string"}}, "xA": object{"schema": object{"type": "integer"}}}, "content": object{"application/json": object{"schema": g.schema(2)}, "application/a+json": object{"schema": g.schema(1)}}}}
		for name := range responses {
			answers[[]string{"400", "4XX", "default", "500"}[g.random.IntN(4)]] = object{"$ref": "#/components/responses/" + name}
		}
		paths[fmt.Sprintf("/%d/{%s}", i, inPath)] = object{"put": object{"operationId": id, "security": []any{}, "x-public-reason": "a test", "parameters": parameters, "responses": answers,
			"requestBody": object{"content": object{"application/json": object{"schema": g.schema(2)}, "multipart/form-data": object{"schema": g.object(1)}}}}}
	}
	data, _ := json.Marshal(object{"openapi": "3.1.0", "info": object{"title": "Names", "version": "1"}, "paths": paths, "components": object{"schemas": schemas, "responses": responses}})
	return string(data)
}
