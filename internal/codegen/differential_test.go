package codegen

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"example.com/gatehouse/internal/codegen/differentialtest"
)

// The size of the differential test. The full run is asked for by GATEHOUSE_DIFFERENTIAL, the number of its pairs (make
// fuzz-differential); its seed by GATEHOUSE_DIFFERENTIAL_SEED.
const (
	differentialSeed  = 20260131
	schemasOfDocument = 260 // what compiles in some seconds
	documentsOfFull   = 20
	shortPairs        = 120_000
)

// TestDifferential compares the generated decoders with an independent implementation of JSON Schema: random schemas, random
// instances. They may not disagree once.
func TestDifferential(t *testing.T) {
	pairs, documents, seed := shortPairs, 1, uint64(differentialSeed)
	full := os.Getenv("GATEHOUSE_DIFFERENTIAL")
	if full != "" {
		n, err := strconv.Atoi(full)
		if err != nil {
			t.Fatal(err)
		}
		pairs, documents = n, documentsOfFull
	}
	if s := os.Getenv("GATEHOUSE_DIFFERENTIAL_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	seen, keywords := map[string]bool{}, map[string]int{}
	jobs := make([]differentialtest.Job, documents)
	for i := range jobs {
		document, counted, err := differentialtest.Document(seed, i, schemasOfDocument, seen)
		if err != nil {
			t.Fatal(err)
		}
		for name, n := range counted {
			keywords[name] += n
		}
		jobs[i] = differentialtest.Job{Document: document, Seed: seed + uint64(i), Pairs: pairs/(documents*schemasOfDocument) + 1}
	}
	reports := make([]differentialtest.Report, documents)
	t.Run("documents", func(t *testing.T) {
		for i, job := range jobs {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				reports[i] = compareDocument(t, job)
				for _, d := range reports[i].Disagreements {
					t.Errorf("schema %d: %s\n  instance %s\n  ours:   %.400q\n  theirs: %.600q", d.Schema, d.Written, d.Instance, d.Ours, d.Theirs)
				}
			})
		}
	})
	var total differentialtest.Report
	for _, r := range reports {
		total.Pairs, total.Valid, total.Mutants = total.Pairs+r.Pairs, total.Valid+r.Valid, total.Mutants+r.Mutants
		total.Disagreements = append(total.Disagreements, r.Disagreements...)
	}
	share := func(n int) float64 { return 100 * float64(n) / float64(total.Pairs) }
	t.Logf("seed %d: %d pairs of %d distinct schemas: %.1f %% valid, %.1f %% invalid, %.1f %% one change away from a valid one; %d disagreements",
		seed, total.Pairs, len(seen), share(total.Valid), share(total.Pairs-total.Valid), share(total.Mutants), len(total.Disagreements))
	var histogram strings.Builder
	for _, name := range slices.Sorted(maps.Keys(keywords)) {
		fmt.Fprintf(&histogram, "\n  %-22s %5d", name, keywords[name])
		if full != "" && keywords[name] < 100 {
			t.Errorf("%s stands in %d schemas, want at least 100", name, keywords[name])
		}
	}
	for _, d := range keptAway {
		t.Logf("kept away from: %s (%s)", d.what, d.why)
	}
	t.Logf("keyword: schemas that it stands in%s", histogram.String())
	if total.Pairs < pairs || len(seen) != documents*schemasOfDocument {
		t.Errorf("%d pairs of %d schemas, want %d of %d", total.Pairs, len(seen), pairs, documents*schemasOfDocument)
	}
	if share(total.Valid) < 20 || share(total.Pairs-total.Valid) < 20 || share(total.Mutants) < 100.0/3 {
		t.Error("fewer than 20 % valid or invalid, or fewer than a third one change away from a valid one")
	}
	for _, name := range enforced {
		if keywords[name] == 0 {
			t.Errorf("no schema has %s", name)
		}
	}
}

// keptAway are the differences that are meant, or that the other implementation is wrong about. The schemas and instances keep away
// from them.
var keptAway = []struct{ what, why string }{
	{"integers of more than 64 bits, where a schema asks for an integer without a format", "ours: no Go integer holds them"},
	{"numbers beyond a float64", "ours: no Go number holds them"},
	{"texts of more than 64 KiB, 10,000 elements, 1,000 members, 32 levels, thousands of trials", "ours: the ceilings of what a document leaves open"},
	{"members that are repeated, lone surrogates, bytes that are no UTF-8", "ours: RFC 8259 §4 and §8 let a reader refuse what others read otherwise"},
	{"readOnly and writeOnly", "ours: OpenAPI gives them a meaning in requests"},
	{"const beside enum, multipleOf of more than 18 digits, lookaround in patterns", "ours: refused when generating"},
	{"a dot, \\s or \\p in a pattern", "theirs: package regexp lets a dot match U+2028, ECMA-262 §22.2.2.7 does not"},
	{"a sign before a number of ipv4, time and date-time", "theirs: strconv.Atoi takes it, RFC 2673 §3.2 and RFC 3339 §5.6 do not; formats.go has their grammar"},
	{"a duration that leaves a unit out, as P1Y2D", "theirs: RFC 3339 appendix A does not allow it; formats.go has its grammar"},
	{"a dot at the end of a hostname, labels with -- at the third place", "theirs: RFC 1123 §2.1 and RFC 5891 §4.2.3.1; formats.go has the grammar"},
	{"quoted local parts of an email", "theirs: RFC 5321 §4.1.2 allows a quoted-pair, and no control character; formats.go has its grammar"},
	{"uri, uri-reference", "theirs: package net/url takes more than RFC 3986; formats.go has its grammar"},
	{"iri, idn-hostname, idn-email, regex, uri-template", "theirs: not checked, or checked as another format; the public cases of JSON Schema are the proof of ours"},
}

// enforced are the keywords that the schemas must hold.
var enforced = []string{
	"type", "const", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern", "format",
	"minItems", "maxItems", "uniqueItems", "prefixItems", "items", "contains", "minContains", "maxContains", "unevaluatedItems",
	"properties", "patternProperties", "additionalProperties", "propertyNames", "required", "dependentRequired", "dependentSchemas", "minProperties", "maxProperties", "unevaluatedProperties",
	"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "$ref", "$defs", "$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "default", "true or false",
}

const differentialDriver = `package main

import (
	"fmt"
	"os"

	"example.com/gatehouse/internal/codegen/differentialtest"
	api "example.com/gatehouse/internal/codegen/testdata/%[1]s"
)

func main() {
	destinations := []func() any{%[2]s}
	if err := differentialtest.Compare(os.Stdin, os.Stdout, api.Operations(), destinations); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
`

// compareDocument generates from a document, compiles, and lets the program compare.
func compareDocument(t *testing.T, job differentialtest.Job) (report differentialtest.Report) {
	t.Helper()
	dir := moduleFolder(t)
	spec := filepath.Join(t.TempDir(), "openapi.json")
	if err := os.WriteFile(spec, job.Document, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Generate(Options{Spec: spec, Out: dir, Package: "api"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"server.gen.go", "unimplemented.gen.go", "encoders.gen.go", "spec.gen.go"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil { // half of the code, which no decoder calls
			t.Fatal(err)
		}
	}
	var destinations strings.Builder
	for i := range schemasOfDocument {
		fmt.Fprintf(&destinations, "\n\t\tfunc() any { return new(api.S%dJSONRequestBody) },", i)
	}
	drive(t, dir, fmt.Sprintf(differentialDriver, filepath.Base(dir), destinations.String()), job, &report)
	return report
}
