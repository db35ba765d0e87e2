// Command flood sends more requests than a server can answer, and tells what became of them.
//
// It reads its plan as JSON from the standard input and writes its result as JSON. Unlike the load beside it, which fails on an answer that
// is not the one it wants, it counts: every status, every connection that the server closed, and how long answers took.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"example.com/gatehouse/bench/wire"
)

// plan is what to send. It ends with Requests, after Seconds or with SIGTERM, whichever comes first.
type plan struct {
	Address string
	// From are the addresses of this machine that connections come from, in turn.
	From        []string
	Connections int
	// Rate is how many requests a second to send, whatever is answered. 0: each connection sends the next after an answer.
	Rate     float64
	Requests int
	Seconds  int
	// Heads are complete request heads but for Content-Length and the empty line. They and the bodies rotate.
	Heads, Bodies []string
	// Forwarded gives each request another address in X-Forwarded-For.
	Forwarded bool
	// Fresh makes a connection for each request.
	Fresh bool
}

// result is what happened.
type result struct {
	// Statuses are the answers by status, and Slowest and P99 how long they took, in milliseconds.
	Statuses     map[int]int
	P99, Slowest map[int]float64
	// Closed is how many requests got no answer, because the connection ended or could not be made.
	Closed int
	Wall   time.Duration
	CPU    time.Duration
}

func main() {
	var p plan
	if err := json.NewDecoder(os.Stdin).Decode(&p); err != nil {
		fail(fmt.Errorf("the plan is not JSON: %w", err))
	}
	if p.Connections < 1 || p.Seconds < 1 || len(p.Heads) == 0 || len(p.From) == 0 {
		fail(errors.New("the plan has no connections, seconds, heads or addresses"))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := json.NewEncoder(os.Stdout).Encode(run(ctx, p)); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "flood:", err)
	os.Exit(1)
}

func run(ctx context.Context, p plan) result {
	start := time.Now()
	clients := make([]client, p.Connections)
	var wg sync.WaitGroup
	for c := range clients {
		clients[c] = client{plan: &p, number: c, times: map[int][]time.Duration{}}
		wg.Go(func() { clients[c].drive(ctx, start, start.Add(time.Duration(p.Seconds)*time.Second)) })
	}
	wg.Wait()
	r := result{Statuses: map[int]int{}, P99: map[int]float64{}, Slowest: map[int]float64{}, Wall: time.Since(start)}
	all := map[int][]time.Duration{}
	for i := range clients {
		r.Closed += clients[i].closed
		for status, times := range clients[i].times {
			all[status] = append(all[status], times...)
		}
	}
	for status, times := range all {
		slices.Sort(times)
		r.Statuses[status] = len(times)
		r.P99[status] = float64(times[len(times)*99/100].Microseconds()) / 1e3
		r.Slowest[status] = float64(times[len(times)-1].Microseconds()) / 1e3
	}
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) == nil {
		r.CPU = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	return r
}

// client is one connection, made again whenever it ends.
type client struct {
	plan    *plan
	number  int
	conn    net.Conn
	answers *bufio.Reader
	times   map[int][]time.Duration
	closed  int
}

// drive sends the requests of one connection until the end.
func (c *client) drive(ctx context.Context, start, end time.Time) {
	defer c.hangUp()
	buf := make([]byte, 0, 16<<10)
	for n := 0; ; n++ {
		i := c.number + n*c.plan.Connections
		if c.plan.Requests > 0 && i >= c.plan.Requests {
			return
		}
		if c.plan.Rate > 0 {
			time.Sleep(time.Until(start.Add(time.Duration(float64(i) / c.plan.Rate * float64(time.Second)))))
		}
		if !time.Now().Before(end) || ctx.Err() != nil {
			return
		}
		began := time.Now()
		status, err := c.ask(c.plan.request(buf[:0], i), end)
		if err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				c.closed++
			}
			c.hangUp()
			continue
		}
		c.times[status] = append(c.times[status], time.Since(began))
	}
}

// ask sends a request and reads its answer, over a new connection where there is none.
func (c *client) ask(request []byte, end time.Time) (status int, err error) {
	if c.conn == nil {
		from := &net.TCPAddr{IP: net.ParseIP(c.plan.From[c.number%len(c.plan.From)])}
		if c.conn, err = (&net.Dialer{LocalAddr: from, Deadline: end}).Dial("tcp", c.plan.Address); err != nil {
			time.Sleep(10 * time.Millisecond)
			return 0, err
		}
		c.answers = bufio.NewReaderSize(c.conn, 4<<10)
		if err := c.conn.SetDeadline(end.Add(5 * time.Second)); err != nil {
			return 0, err
		}
	}
	if _, err := c.conn.Write(request); err != nil {
		return 0, err
	}
	answer, err := wire.Read(c.answers)
	if err == nil && (answer.Last || c.plan.Fresh) {
		c.hangUp()
	}
	return answer.Status, err
}

func (c *client) hangUp() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// request appends the i-th request to buf.
func (p *plan) request(buf []byte, i int) []byte {
	fields := ""
	if p.Forwarded {
		fields = fmt.Sprintf("X-Forwarded-For: %d.%d.%d.%d\r\n", 1+i>>24&63, i>>16&255, i>>8&255, i&255)
	}
	return wire.Request(buf, p.Heads, p.Bodies, i, fields)
}
