package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// The limit that abuseRedis looks at: that of an address in openapi.yaml.
const (
	quotaOfAddress = 600
	perSecond      = quotaOfAddress / 60
)

// abuseRedis sends more than the limit to two processes that count together, while Redis is well, killed, hung and slow.
func abuseRedis(ctx context.Context, a *abuse) (err error) {
	fmt.Fprintln(a.out, "redis: two processes, 400 requests a second, each phase from another address; 600 a minute are allowed")
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return errors.New("there is no redis-server: install it")
	}
	r := &redisServer{program: program, dir: a.dir}
	if err := r.start(); err != nil {
		return err
	}
	defer r.kill()
	slow, err := r.slowly()
	if err != nil {
		return err
	}
	defer slow.listener.Close()
	url := filepath.Join(a.dir, "redis.url")
	if err := os.WriteFile(url, []byte("redis://"+slow.listener.Addr().String()), 0o600); err != nil {
		return err
	}
	data := filepath.Join(a.dir, "redis-data")
	var victims []*victim
	for range 2 {
		v, err := a.startVictim(ctx, asItIs, data, "--redis-url-file", url, "--replicas", "2")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, v.stop()) }()
		victims = append(victims, v)
	}
	const seconds = 15
	for i, phase := range []struct {
		name string
		// begin is done at the beginning and end at the end; factor is how much more than the limit may be allowed.
		begin, end func() error
		factor     float64
		degraded   bool
	}{
		{"well", nil, nil, 1.1, false},
		{"killed after a third", nil, func() error { r.kill(); return nil }, 2, true},
		{"away", nil, r.start, 1.1, true},
		{"well again", nil, nil, 1.1, false},
		{"hung after a third", nil, func() error { return r.signal(syscall.SIGSTOP) }, 2, true},
		{"going on", nil, func() error { return r.signal(syscall.SIGCONT) }, 1.1, true},
		{"well again", nil, nil, 1.1, false},
		{"answering after 100 ms", func() error { slow.delay.Store(int64(100 * time.Millisecond)); return nil }, nil, 2, true},
		{"answering at once again", func() error { slow.delay.Store(0); time.Sleep(3 * time.Second); return nil }, nil, 1.1, false},
	} {
		if phase.begin != nil {
			if err := phase.begin(); err != nil {
				return err
			}
		}
		// What happens at the end of a phase happens in its midst where the phase says so.
		var later sync.WaitGroup
		var failed error
		if phase.end != nil {
			wait := seconds * time.Second / 3
			if phase.factor < 2 {
				wait = seconds*time.Second - time.Second
			}
			later.Go(func() { time.Sleep(wait); failed = phase.end() })
		}
		allowed, refused, others, slowest, err := a.floodBoth(ctx, victims, loopback(i + 1)[i], seconds)
		later.Wait()
		if err := errors.Join(err, failed); err != nil {
			return err
		}
		limit := float64(quotaOfAddress + perSecond*seconds)
		degraded := 0.0
		for _, v := range victims {
			n, err := v.metric(ctx, "gatehouse_limiter_degraded", "")
			if err != nil {
				return err
			}
			degraded += n
		}
		a.say(float64(allowed) <= limit*phase.factor && allowed >= quotaOfAddress/4 && others == 0,
			"%-24s %4d allowed, %.2f of the limit (%.1f), %d refused, %d others (0), p99 %.0f ms; %.0f of 2 count alone at the end",
			phase.name+":", allowed, float64(allowed)/limit, phase.factor, refused, others, slowest, degraded)
		if phase.end == nil || phase.factor < 2 {
			for range 50 { // until they have found Redis again, which they do by themselves
				if n, err := victims[0].metric(ctx, "gatehouse_limiter_degraded", ""); err != nil || n == 0 || phase.degraded {
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
		}
		if phase.degraded && phase.end != nil && phase.factor < 2 {
			time.Sleep(3 * time.Second) // Redis is back: three answers to the probe
		}
	}
	return nil
}

// floodBoth sends 200 requests a second to each of the processes and counts what was let in.
func (a *abuse) floodBoth(ctx context.Context, victims []*victim, from string, seconds int) (allowed, refused, others int, slowest float64, err error) {
	results := make([]flooded, len(victims))
	failed := make([]error, len(victims))
	var wg sync.WaitGroup
	for i, v := range victims {
		wg.Go(func() {
			results[i], failed[i] = a.flood(ctx, map[string]any{
				"Address": v.address, "From": []string{from}, "Connections": 16, "Rate": 200, "Seconds": seconds, "Heads": []string{head(v.server, "GET /protected", "")},
			})
		})
	}
	wg.Wait()
	for _, f := range results {
		for status, n := range f.Statuses {
			switch status {
			case 401: // it was counted and looked at: it has no credential
				allowed += n
			case 429:
				refused += n
			default:
				others += n
			}
			slowest = max(slowest, f.P99[status])
		}
		others += f.Closed
	}
	return allowed, refused, others, slowest, errors.Join(failed...)
}

// redisServer is a Redis that can be killed and started again on its port.
type redisServer struct {
	program, dir, port string
	cmd                *exec.Cmd
}

func (r *redisServer) start() error {
	if r.port == "" {
		address, err := freeAddress()
		if err != nil {
			return err
		}
		_, r.port, _ = net.SplitHostPort(address)
	}
	r.cmd = exec.Command(r.program, "--port", r.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", r.dir)
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := r.cmd.Start(); err != nil {
		return err
	}
	for range 200 {
		if conn, err := net.Dial("tcp", "127.0.0.1:"+r.port); err == nil {
			return conn.Close()
		}
		time.Sleep(20 * time.Millisecond)
	}
	return errors.New("redis-server does not answer")
}

func (r *redisServer) kill() {
	if r.cmd != nil {
		r.cmd.Process.Kill()
		r.cmd.Wait()
		r.cmd = nil
	}
}

func (r *redisServer) signal(s os.Signal) error { return r.cmd.Process.Signal(s) }

// slowed stands between the service and Redis, and lets each answer wait.
type slowed struct {
	listener net.Listener
	delay    atomic.Int64
}

func (r *redisServer) slowly() (*slowed, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &slowed{listener: l}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go s.pass(client, "127.0.0.1:"+r.port)
		}
	}()
	return s, nil
}

func (s *slowed) pass(client net.Conn, address string) {
	defer client.Close()
	redis, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer redis.Close()
	go func() {
		io.Copy(redis, client)
		redis.Close()
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := redis.Read(buf)
		if err != nil {
			return
		}
		time.Sleep(time.Duration(s.delay.Load()))
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
	}
}
