package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// ajv is a Node process that decodes and validates as Fastify does. It is idle while others are measured.
type ajv struct {
	cmd   *exec.Cmd
	in    *json.Encoder
	out   *json.Decoder
	stdin io.Closer
}

// startAjv returns nil where Node or the packages are missing, and says so.
func startAjv(folder string, s subject, out io.Writer) (*ajv, error) {
	if folder == "" {
		return nil, nil
	}
	node, err := exec.LookPath("node")
	if err != nil {
		fmt.Fprintf(out, "%s is not measured: Node is missing\n", ajvName)
		return nil, nil
	}
	if _, err := os.Stat(filepath.Join(folder, "node_modules")); err != nil {
		fmt.Fprintf(out, "%s is not measured: run npm ci in bench/decode/ajv\n", ajvName)
		return nil, nil
	}
	cmd := exec.Command(node, filepath.Join(folder, "measure.js"))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	a := &ajv{cmd: cmd, stdin: stdin, in: json.NewEncoder(stdin), out: json.NewDecoder(stdout)}
	if err := a.prepare(s); err != nil {
		return nil, errors.Join(err, a.stop())
	}
	return a, nil
}

// prepare hands over schema and samples, and fails unless ajv answers them as the samples say.
func (a *ajv) prepare(s subject) error {
	type nodeSample struct {
		Name    string   `json:"name"`
		Bodies  []string `json:"bodies"`
		Refused bool     `json:"refused"`
	}
	var list []nodeSample
	var known []string
	for _, sample := range s.samples {
		list = append(list, nodeSample{sample.name, sample.bodies, sample.refused})
		if sample.passedBy[ajvName] != "" {
			known = append(known, sample.name)
		}
	}
	var wrong []string
	err := errors.Join(a.in.Encode(map[string]any{"schema": json.RawMessage(s.schema), "samples": list}), a.out.Decode(&wrong))
	if err == nil && !slices.Equal(wrong, known) {
		err = fmt.Errorf("%s gets these wrong: %q instead of %q", ajvName, wrong, known)
	}
	return err
}

// round measures every sample.
func (a *ajv) round(s subject, f figures, span time.Duration) error {
	if a == nil {
		return nil
	}
	var nanos map[string]float64
	if err := errors.Join(a.in.Encode(map[string]any{"span": span.Nanoseconds()}), a.out.Decode(&nanos)); err != nil {
		return fmt.Errorf("%s: %w", ajvName, err)
	}
	for _, sample := range s.samples {
		if sample.passedBy[ajvName] == "" {
			c := f.cell(sample.name, ajvName)
			c.nanos = append(c.nanos, nanos[sample.name])
		}
	}
	return nil
}

// stop ends the process: it ends by itself where there are no more lines.
func (a *ajv) stop() error {
	if a == nil {
		return nil
	}
	return errors.Join(a.stdin.Close(), a.cmd.Wait())
}
