package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/gatehouse/bench/decode/gatehouseapi"
	"example.com/gatehouse/gen/api"
)

func TestImplementationsDoTheSame(t *testing.T) {
	list, err := subjects()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		refused := 0
		for _, sample := range s.samples {
			if sample.refused {
				refused++
			}
		}
		if len(s.implementations) != 5 || refused < 6 || len(s.samples)-refused < 3 {
			t.Errorf("%s: %d implementations, %d of %d samples refused", s.name, len(s.implementations), refused, len(s.samples))
		}
		if err := checkAnswers(s); err != nil {
			t.Error(err)
		}
	}
}

func TestCheckAnswersSeesAnImplementationThatDoesLess(t *testing.T) {
	type model map[string]any
	decode := func(data []byte) (any, error) {
		m := model{}
		return m, json.Unmarshal(data, &m)
	}
	rows := []struct {
		name   string
		decode func([]byte) (any, error)
		want   string // "" where nothing is wrong
	}{
		{"it accepts what it must refuse", decode, "a name too long, lax: it accepts the body"},
		{"it refuses what it must accept", func([]byte) (any, error) { return nil, errors.New("no") }, "two members, lax: it refuses"},
		{"it gives a model that holds nothing", func([]byte) (any, error) { return model{}, nil }, "two members, lax: it gives map[] instead of"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			err := checkAnswers(subject{name: "item", implementations: []implementation{{"lax", row.decode}}, samples: itemSamples()})
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("it does not say %q: %v", row.want, err)
			}
		})
	}
	known := subject{implementations: []implementation{{"lax", func([]byte) (any, error) { return nil, errors.New("no") }}},
		samples: []sample{{name: "a", bodies: []string{"{}"}, refused: true, passedBy: map[string]string{"lax": "it always did"}}}}
	if err := checkAnswers(known); err == nil || !strings.Contains(err.Error(), "it refuses what it is known to accept") {
		t.Errorf("a difference that is no longer there is not seen: %v", err)
	}
}

func TestEverySampleIsMeasured(t *testing.T) {
	var out bytes.Buffer
	if err := run(options{rounds: 1, span: 50 * time.Microsecond, ajv: "ajv"}, &out); err != nil {
		t.Fatal(err)
	}
	list, err := subjects()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		for _, sample := range s.samples {
			if !strings.Contains(out.String(), "\n"+sample.name+" ") {
				t.Errorf("there is no line for %s", sample.name)
			}
		}
	}
	for _, want := range []string{"accepts it: encoding/json keeps the last", "64 items: ", "the dearest refusal is "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output does not say %q", want)
		}
	}
	if strings.Contains(out.String(), "NaN") || strings.Contains(out.String(), "Inf") {
		t.Errorf("there are cells without a figure:\n%s", out.String())
	}
}

func TestRunRefusesWhatItCannotMeasure(t *testing.T) {
	for _, o := range []options{{span: time.Millisecond}, {rounds: 1}} {
		if err := run(o, &bytes.Buffer{}); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}

// TestItemIsTheSameInBothDocuments compares the item that ogen is given with that of the service's document.
func TestItemIsTheSameInBothDocuments(t *testing.T) {
	ours, err := jsonSchema(api.OpenapiJSON, "NewItem")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := jsonSchema(gatehouseapi.OpenapiJSON, "NewItem")
	if err != nil {
		t.Fatal(err)
	}
	// OpenAPI 3.0 spells an exclusive bound as a bound and a flag.
	spelled := strings.NewReplacer(`"exclusiveMinimum":true`, `"exclusiveMinimum":0`, `"maximum":100000,"minimum":0`, `"maximum":100000`).Replace(string(theirs))
	if spelled != string(ours) {
		t.Errorf("decode/openapi.yaml has another item:\n%s\nthan openapi.yaml:\n%s", spelled, ours)
	}
}

// TestGeneratedCodeIsFresh generates both packages again. make generate-bench writes them.
func TestGeneratedCodeIsFresh(t *testing.T) {
	fresh := t.TempDir()
	document, err := filepath.Abs("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*exec.Cmd{
		"gatehouseapi": exec.CommandContext(t.Context(), "go", "run", "./cmd/gatehouse-gen", "generate", "--spec", document, "--out", filepath.Join(fresh, "gatehouseapi"), "--package", "gatehouseapi", "--client", ""),
		"ogenapi":      exec.CommandContext(t.Context(), "go", "tool", "ogen", "-config", "ogen.yml", "-target", filepath.Join(fresh, "ogenapi"), "-package", "ogenapi", document),
	} {
		t.Run(name, func(t *testing.T) {
			if name == "gatehouseapi" {
				c.Dir = filepath.Join("..", "..")
			}
			if output, err := c.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, output)
			}
			files, err := filepath.Glob(filepath.Join(fresh, name, "*"))
			if err != nil || len(files) < 5 {
				t.Fatalf("%d files, %v", len(files), err)
			}
			for _, file := range files {
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := os.ReadFile(filepath.Join(name, filepath.Base(file))); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s is not what %s gives (%v): run make generate-bench", filepath.Base(file), document, err)
				}
			}
		})
	}
}
