// Command load sends a fixed number of requests over a fixed number of connections and fails on the first answer that is not the one it wants.
//
// It reads its plan as JSON from the standard input and writes its result as JSON. It is no HTTP client: it knows
// HTTP/1.1 as far as the two servers of the benchmark speak it, so that its core is never the bottleneck.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
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
		buf = p.request(buf[:0], i)
		if _, err := conn.Write(buf); err != nil {
			return answered, err
		}
		status, err := readAnswer(answers)
		if err != nil {
			return answered, fmt.Errorf("answer %d: %w", answered+1, err)
		}
		if status != p.Want {
			return answered, fmt.Errorf("answer %d has status %d, want %d", answered+1, status, p.Want)
		}
		answered++
	}
	return answered, nil
}

// request appends the i-th request to buf.
func (p *plan) request(buf []byte, i int) []byte {
	buf = append(buf, p.Heads[i%len(p.Heads)]...)
	if len(p.Bodies) == 0 {
		return append(buf, "\r\n"...)
	}
	// One body further with every turn of the heads: 256 heads and 64 bodies would else always meet in the same pairs.
	body := p.Bodies[(i+i/len(p.Heads))%len(p.Bodies)]
	buf = append(buf, "Content-Length: "...)
	buf = strconv.AppendInt(buf, int64(len(body)), 10)
	buf = append(buf, "\r\n\r\n"...)
	return append(buf, body...)
}

// readAnswer reads one answer to its end and returns its status. An answer without Content-Length, or one that
// closes the connection, is an error: the benchmark would measure something else.
func readAnswer(r *bufio.Reader) (status int, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, errors.New("it is not HTTP/1.1")
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, errors.New("it has no status")
	}
	length := -1
	for {
		line, err = r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, errors.New("its Content-Length is no number")
			}
		case bytes.EqualFold(name, []byte("Connection")) && bytes.EqualFold(bytes.TrimSpace(value), []byte("close")):
			return 0, fmt.Errorf("it has status %d and closes the connection", status)
		}
	}
	if length < 0 {
		return 0, fmt.Errorf("it has status %d and no Content-Length", status)
	}
	_, err = r.Discard(length)
	return status, err
}
