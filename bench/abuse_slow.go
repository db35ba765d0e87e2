package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// abuseSlowly holds connections and sends what is too large, while /livez is asked over new connections.
func abuseSlowly(ctx context.Context, a *abuse) (err error) {
	fmt.Fprintln(a.out, "slow: clients that hold connections, and requests that are too large")
	v, err := a.startVictim(ctx, unquota, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.stop()) }()
	if err := v.logIn(ctx, filepath.Join(v.data, "dev.env")); err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		do   func(context.Context, *victim) (string, error)
	}{
		{"2,000 heads that never end, a line a second", slowHeads},
		{"10,000 connections that ask once and stay", idle},
		{"500 heads of 10 MB", large(500, func(v *victim) []byte {
			return []byte(head(v.server, "GET /protected", strings.Repeat("X-Large: "+strings.Repeat("a", 1000)+"\r\n", 10_000)) + "\r\n")
		})},
		{"500 bodies of gzip that hold 50 MB", large(500, func(v *victim) []byte {
			bomb := zeros(50 << 20)
			return append([]byte(v.posting(fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n", len(bomb)))), bomb...)
		})},
		{"500 bodies of JSON, 100,000 deep", large(500, func(v *victim) []byte {
			return []byte(v.posting("Content-Length: 100000\r\n") + strings.Repeat("[", 100_000))
		})},
		{"500 bodies of JSON, 60,000 deep", large(500, func(v *victim) []byte {
			return []byte(v.posting("Content-Length: 60000\r\n") + strings.Repeat("[", 60_000))
		})},
		{"500 bodies in chunks that never end", large(500, func(v *victim) []byte {
			return []byte(v.posting("Transfer-Encoding: chunked\r\n") + strings.Repeat("400\r\n"+strings.Repeat(" ", 1024)+"\r\n", 10_000))
		})},
	} {
		watch, err := a.askAlive(ctx, v)
		if err != nil {
			return err
		}
		told, err := step.do(ctx, v)
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		rss, err := residentMiB(v.cmd.Process.Pid)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "  %s: %s; %.0f MiB resident\n", step.name, told, rss)
		if err := watch.end(a); err != nil {
			return err
		}
	}
	peak, err := peakMiB(v.cmd.Process.Pid)
	a.say(peak <= 400, "at most %.0f MiB resident (400)", peak)
	return err
}

// posting is the head of a good POST /items but for what the fields say of its body.
func (v *victim) posting(fields string) string {
	return head(v.server, "POST /items", "Authorization: Bearer "+v.tokens[0]+"\r\nContent-Type: application/json\r\n"+fields) + "\r\n"
}

func zeros(n int) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	io.CopyN(w, zeroReader{}, int64(n))
	w.Close()
	return b.Bytes()
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// dialAll opens n connections from many addresses, 2,000 a second. Those that are refused are left out.
func dialAll(ctx context.Context, v *victim, n int, begin func(net.Conn) error) []net.Conn {
	addresses := loopback(50)
	var conns []net.Conn
	for i := range n {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addresses[i%len(addresses)])}, Timeout: 5 * time.Second}
		if conn, err := dialer.DialContext(ctx, "tcp", v.address); err == nil {
			if err = begin(conn); err == nil {
				conns = append(conns, conn)
			}
		}
		if i%100 == 99 {
			time.Sleep(50 * time.Millisecond)
		}
	}
	return conns
}

// slowHeads sends a line of a head each second. It tells when the server has had enough.
func slowHeads(ctx context.Context, v *victim) (string, error) {
	conns := dialAll(ctx, v, 2000, func(net.Conn) error { return nil })
	var mu sync.Mutex
	var held []time.Duration
	var wg sync.WaitGroup
	for _, conn := range conns {
		wg.Go(func() {
			defer conn.Close()
			began := time.Now()
			fmt.Fprintf(conn, "GET /livez HTTP/1.1\r\nHost: %s\r\n", v.address)
			conn.SetReadDeadline(began.Add(20 * time.Second))
			go func() {
				for range 20 {
					time.Sleep(time.Second)
					if _, err := io.WriteString(conn, "X-Slow: 1\r\n"); err != nil {
						return
					}
				}
			}()
			io.Copy(io.Discard, conn)
			mu.Lock()
			defer mu.Unlock()
			held = append(held, time.Since(began))
		})
	}
	wg.Wait()
	slices.Sort(held)
	if len(held) == 0 || held[len(held)-1] > 15*time.Second {
		return "", errors.New("the server lets a head go on for more than 15 s")
	}
	return fmt.Sprintf("%d were let in, the last ended after %.1f s", len(held), held[len(held)-1].Seconds()), nil
}

// idle opens connections, asks once on each so that it may stay for a minute, and says nothing for 3 s.
func idle(ctx context.Context, v *victim) (string, error) {
	conns := dialAll(ctx, v, 10_000, func(conn net.Conn) error {
		if _, err := io.WriteString(conn, head(v.server, "GET /livez", "")+"\r\n"); err != nil {
			return err
		}
		_, err := io.ReadAtLeast(conn, make([]byte, 4096), 1)
		return err
	})
	time.Sleep(3 * time.Second)
	n, err := v.metric(ctx, "gatehouse_connections", "")
	for i, conn := range conns {
		conn.Close()
		if i%100 == 99 { // 2,000 a second: they come no faster either
			time.Sleep(50 * time.Millisecond)
		}
	}
	return fmt.Sprintf("the server holds %.0f", n), err
}

// atOnce is how many large requests are sent at once: as many as keep the load's core busy. More would only keep the questions to /livez
// waiting, which come from that core too.
const atOnce = 10

// large sends the same bytes n times and counts the answers.
func large(n int, make func(*victim) []byte) func(context.Context, *victim) (string, error) {
	return func(ctx context.Context, v *victim) (string, error) {
		data := make(v)
		var mu sync.Mutex
		tally := map[string]int{}
		addresses := loopback(50)
		var failed []error
		var wg sync.WaitGroup
		for w := range atOnce {
			wg.Go(func() {
				for range n / atOnce {
					answer, err := v.sendRaw(ctx, addresses[w], data)
					mu.Lock()
					tally[answer]++
					if err != nil {
						failed = append(failed, err)
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		for answer := range tally {
			if strings.HasPrefix(answer, "2") || strings.HasPrefix(answer, "5") && answer != "503" {
				failed = append(failed, fmt.Errorf("the service answers %s", answer))
			}
		}
		var told []string
		for _, answer := range slices.Sorted(keysOf(tally)) {
			told = append(told, fmt.Sprintf("%d × %s", tally[answer], answer))
		}
		return strings.Join(told, ", "), errors.Join(failed...)
	}
}

func keysOf(m map[string]int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// sendRaw writes the bytes, as far as the server takes them, and returns the status of the answer, or "closed".
func (v *victim) sendRaw(ctx context.Context, from string, data []byte) (string, error) {
	conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext(ctx, "tcp", v.address)
	if err != nil {
		return "not connected", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	go conn.Write(data)
	answer := make([]byte, 12)
	if _, err := io.ReadFull(conn, answer); err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return "no answer in 20 s", fmt.Errorf("no answer in 20 s")
		}
		return "closed", nil
	}
	return string(answer[9:12]), nil
}
