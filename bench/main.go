// Command bench compares Gatehouse's CPU per request with that of the same API written by hand: see README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

type options struct {
	mode        string
	auth        string
	abuse       string
	rounds      int
	requests    int
	connections int
	noise       bool
}

func main() {
	var o options
	flag.StringVar(&o.mode, "mode", "post", "what to send: "+strings.Join(modeNames(), ", "))
	flag.StringVar(&o.auth, "auth", "", "measure authentication instead: all, or one of "+strings.Join(authNames(), ", "))
	flag.StringVar(&o.abuse, "abuse", "", "abuse the service instead: all, or one of "+strings.Join(abuseNames(), ", "))
	flag.IntVar(&o.rounds, "rounds", 5, "rounds, each with both servers")
	flag.IntVar(&o.requests, "requests", 60_000, "requests of a round, for each server")
	flag.IntVar(&o.connections, "connections", 16, "connections kept alive")
	flag.BoolVar(&o.noise, "noise", false, "compare the baseline with itself: how far the ratio is from 1 is the noise of the machine")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	// What it measures bounds itself: this ends what hangs.
	ctx, cancel := context.WithTimeout(ctx, 30*time.Minute)
	defer cancel()
	measure := run
	switch {
	case o.auth != "":
		measure = runAuth
	case o.abuse != "":
		measure = runAbuse
	}
	if err := measure(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out io.Writer) (err error) {
	mode, known := modes[o.mode]
	if !known {
		return fmt.Errorf("unknown mode %q: take one of %s", o.mode, strings.Join(modeNames(), ", "))
	}
	if o.rounds < 1 || o.requests < 1 || o.connections < 1 {
		return errors.New("rounds, requests and connections must be at least 1")
	}
	if _, err := exec.LookPath("taskset"); err != nil {
		return errors.New("taskset is missing: install util-linux (the benchmark pins processes, so it runs on Linux only)")
	}
	dir, err := os.MkdirTemp("", "gatehouse-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	fmt.Fprintln(out, "building")
	if err := command(ctx, ".", "go", "build", "-trimpath", "-o", dir+string(filepath.Separator), "./baseline", "./load"); err != nil {
		return err
	}
	starters := []func(context.Context, string) (*server, error){startGatehouse, startBaseline}
	if o.noise {
		starters[0] = startBaseline
	}
	var servers []*server
	for _, start := range starters {
		s, err := start(ctx, dir)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.stop()) }()
		fmt.Fprintf(out, "%s: pid %d on %s\n", s.name, s.cmd.Process.Pid, s.address)
		if err := checkAnswers(ctx, s); err != nil {
			return fmt.Errorf("%s does not do the same: %w", s.name, err)
		}
		servers = append(servers, s)
	}
	fmt.Fprintf(out, "both answer the %d checks alike\n", len(sameAnswers))
	return compare(ctx, o, mode, dir, servers, out)
}

// compare warms both servers up, measures them round by round and prints the ratio of the first to the second.
func compare(ctx context.Context, o options, m mode, dir string, servers []*server, out io.Writer) error {
	if _, err := measureRound(ctx, dir, servers, m, max(o.requests/2, 1), o.connections); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s, %d requests a round on %d connections, server on core %s, load on core %s\n\n", m.title, o.requests, o.connections, serverCore, loadCore)
	fmt.Fprintf(out, "%-6s %-10s %12s %12s %14s %14s\n", "round", "server", "CPU/request", "requests/s", "server busy", "load busy")
	micros := make([][]float64, len(servers))
	var ratios []float64
	for round := range o.rounds {
		figures, err := measureRound(ctx, dir, servers, m, o.requests, o.connections)
		if err != nil {
			return err
		}
		for i, f := range figures {
			micros[i] = append(micros[i], f.micros)
			fmt.Fprintf(out, "%-6d %-10s %9.2f µs %12.0f %13.0f%% %13.0f%%\n", round+1, servers[i].name, f.micros, f.rate, 100*f.busy, 100*f.loadBusy)
		}
		ratios = append(ratios, figures[0].micros/figures[1].micros)
	}
	fmt.Fprintln(out)
	for i, s := range servers {
		rss, err := residentMiB(s.cmd.Process.Pid)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-10s median %.2f µs of CPU per answered request (%.2f to %.2f), %.0f MiB resident\n",
			s.name, median(micros[i]), slices.Min(micros[i]), slices.Max(micros[i]), rss)
	}
	fmt.Fprintf(out, "ratio      %.3f of the medians (%.3f to %.3f by round)\n", median(micros[0])/median(micros[1]), slices.Min(ratios), slices.Max(ratios))
	return nil
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// command runs a program to its end and returns what it said where it fails.
func command(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, output)
	}
	return nil
}
