// Command load sends a fixed number of requests over a fixed number of connections and fails on the first answer that is not the one it wants.
//
// It reads its plan as JSON from the standard input and writes its result as JSON. It is no HTTP client: it knows
// HTTP/1.1 as far as the two servers of the benchmark speak it, so that its core is never the bottleneck.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"example.com/gatehouse/bench/wire"
)

// plan is what to send.
type plan struct {
	Address     string
	Connections int
	// Requests is the number of requests of all connections together.
	Requests int
	// Seconds is when to give up.
	Seconds int
	// Heads are complete request heads but for Content-Length and the empty line. They rotate, and the bodies with
	// them, so that each head meets each body.
	Heads  []string
	Bodies []string
	// Want is the status that every answer must have.
	Want int
}

// result is what happened.
type result struct {
	Answered int
	Wall     time.Duration
	// CPU is what this process used. Where it comes near Wall, the load was the bottleneck.
	CPU time.Duration
}

func main() {
	var p plan
	if err := json.NewDecoder(os.Stdin).Decode(&p); err != nil {
		fail(fmt.Errorf("the plan is not JSON: %w", err))
	}
	r, err := run(p)
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "load:", err)
	os.Exit(1)
}

func run(p plan) (result, error) {
	if p.Connections < 1 || p.Requests < 1 || p.Seconds < 1 || len(p.Heads) == 0 {
		return result{}, errors.New("the plan has no connections, requests, seconds or heads")
	}
	start := time.Now()
	var (
		wg       sync.WaitGroup
		answered = make([]int, p.Connections)
		failed   = make([]error, p.Connections)
	)
	for c := range p.Connections {
		wg.Go(func() { answered[c], failed[c] = drive(p, c, start.Add(time.Duration(p.Seconds)*time.Second)) })
	}
	wg.Wait()
	r := result{Wall: time.Since(start)}
	for _, n := range answered {
		r.Answered += n
	}
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return r, err
	}
	r.CPU = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	return r, errors.Join(failed...)
}

// drive sends the requests c, c+Connections, c+2*Connections and so on over one connection, each after the answer
// to the one before.
func drive(p plan, c int, deadline time.Time) (answered int, err error) {
	conn, err := net.Dial("tcp", p.Address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(deadline); err != nil {
		return 0, err
	}
	answers := bufio.NewReaderSize(conn, 16<<10)
	buf := make([]byte, 0, 16<<10)
	for i := c; i < p.Requests; i += p.Connections {
		buf = wire.Request(buf[:0], p.Heads, p.Bodies, i, "")
		if _, err := conn.Write(buf); err != nil {
			return answered, err
		}
		answer, err := wire.Read(answers)
		if err != nil {
			return answered, fmt.Errorf("answer %d: %w", answered+1, err)
		}
		if answer.Status != p.Want || answer.Last { // a new connection for each would measure something else
			return answered, fmt.Errorf("answer %d has status %d, want %d; it is the last of its connection: %v", answered+1, answer.Status, p.Want, answer.Last)
		}
		answered++
	}
	return answered, nil
}
