// Package differentialtest draws random schemas and random instances, and compares what a generated decoder says of each pair with
// what an independent implementation of JSON Schema says. Everything follows from one seed.
package differentialtest

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"

	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/validation"
)

// Job is what a compiled document is asked.
type Job struct {
	Document json.RawMessage
	Seed     uint64
	Pairs    int // of each schema
}

// Report is what came of it.
type Report struct {
	Pairs, Valid, Mutants int
	Disagreements         []Disagreement
}

// Disagreement is a pair that the two answer differently.
type Disagreement struct {
	Schema       int // the number of the operation
	Instance     string
	Ours, Theirs string // what is wrong with the instance, <nil> where nothing is
	Written      json.RawMessage
}

// most is how many disagreements of one schema are told.
const most = 3

// Compare answers the job on stdin: rows are the operations of the document, destinations make what each decodes into.
func Compare(stdin io.Reader, stdout io.Writer, rows []guard.Operation, destinations []func() any) error {
	var job Job
	if err := json.NewDecoder(stdin).Decode(&job); err != nil {
		return err
	}
	decoders := map[string]guard.Operation{}
	for _, row := range rows {
		decoders[row.ID] = row
	}
	oracle, err := NewOracle(job.Document)
	if err != nil {
		return err
	}
	var report Report
	for i, destination := range destinations {
		theirs, err := oracle.Schema(i)
		if err != nil {
			return err
		}
		row := decoders[operationID(i)]
		ours := func(data []byte) error { return answer(row, data, destination()) }
		report.compare(i, theirs, ours, rand.New(rand.NewPCG(job.Seed, uint64(i))), job.Pairs)
	}
	return json.NewEncoder(stdout).Encode(report)
}

// answer is what is wrong with a body.
func answer(row guard.Operation, data []byte, destination any) error {
	v := &validation.Violations{}
	if err := row.Bodies[0].Decode(data, destination, v); err != nil {
		return fmt.Errorf("not decoded: %w", err)
	}
	return v.Err()
}

// compare asks both about instances of one schema. What is wrong is written out only where they disagree: that takes longer than
// to find it.
func (r *Report) compare(number int, theirs *Schema, ours func([]byte) error, random *rand.Rand, pairs int) {
	drawn, told := theirs.instances(random), 0
	for range pairs {
		data, mutant := drawn.next()
		wrong := theirs.Judge(data)
		r.Pairs++
		if mutant {
			r.Mutants++
		}
		if wrong == nil {
			r.Valid++
			drawn.accepted()
		}
		if got := ours(data); (got == nil) != (wrong == nil) && told < most {
			told++
			r.Disagreements = append(r.Disagreements, Disagreement{number, string(data), fmt.Sprintf("%+v", got), fmt.Sprint(wrong), theirs.source})
		}
	}
}

func operationID(i int) string { return fmt.Sprintf("s%d", i) }
