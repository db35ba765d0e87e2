package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/argon2"
)

const (
	loginsAtOnce = 64
	loginsInAll  = 2 * loginsAtOnce
	bareHashes   = 64
)

// loginCosts are the costs that --password-cost takes.
var loginCosts = []struct{ memory, time uint32 }{{19456, 2}, {47104, 1}}

// measureLogins puts 64 logins at once to the service, each of another account, since a password that was good is remembered. The
// service has all cores, as it has where its memory counts.
func measureLogins(ctx context.Context, dir string, out io.Writer) error {
	fmt.Fprintf(out, "logins: %d, %d at once, each with the password of another account\n", loginsInAll, loginsAtOnce)
	for _, cost := range loginCosts {
		if err := loginsOf(ctx, dir, cost.memory, cost.time, out); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "  the memory should stay below 150 MiB, and the p99 of /livez below 50 ms")
	return nil
}

func loginsOf(ctx context.Context, dir string, memory, passes uint32, out io.Writer) (err error) {
	cost := fmt.Sprintf("m=%d,t=%d,p=1", memory, passes)
	s, err := startService(ctx, dir, "", "", "--password-cost", cost)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	names := numbered("user-%d", loginsInAll)
	if err := s.addUsers(ctx, names, "--password-cost", cost); err != nil {
		return err
	}
	bare, err := bareHash(memory, passes)
	if err != nil {
		return err
	}
	alive, stopAsking := context.WithCancel(ctx)
	defer stopAsking()
	var latencies []time.Duration
	var asking sync.WaitGroup
	var asked error
	asking.Go(func() { latencies, asked = s.askLivez(alive) })

	before, err := cpu(s.cmd.Process.Pid)
	if err != nil {
		return err
	}
	began := time.Now()
	failed := inParallel(loginsAtOnce, names, func(name string) error {
		_, err := s.grant(ctx, passwordForm(name, authPassword))
		return err
	})
	wall := time.Since(began)
	stopAsking()
	asking.Wait()
	after, err := cpu(s.cmd.Process.Pid)
	if err := errors.Join(failed, asked, err); err != nil {
		return err
	}
	peak, err := peakMiB(s.cmd.Process.Pid)
	if err != nil {
		return err
	}
	each := (after - before).Seconds() / loginsInAll
	fmt.Fprintf(out, "  %-15s  %5.1f logins/s; %5.1f ms of CPU, %4.1f a second per core; argon2id alone %5.1f ms, %4.1f a second per core; ratio %.2f\n",
		cost, loginsInAll/wall.Seconds(), 1e3*each, 1/each, 1e3*bare, 1/bare, each/bare)
	fmt.Fprintf(out, "  %-15s  at most %.0f MiB resident; /livez during it: p99 %.1f ms, median %.1f ms, of %d\n",
		"", peak, milliseconds(quantile(latencies, 0.99)), milliseconds(quantile(latencies, 0.5)), len(latencies))
	return nil
}

// askLivez asks again and again whether the service lives, until the context ends. It does not ask faster than a few hundred times a second:
// the cores are for the logins.
func (s *service) askLivez(ctx context.Context) (latencies []time.Duration, err error) {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return latencies, nil
		case <-ticker.C:
		}
		began := time.Now()
		status, _, err := s.send(context.WithoutCancel(ctx), "GET", "/livez", nil, "")
		if err != nil || status != http.StatusOK {
			return nil, fmt.Errorf("GET /livez answered %d, %w", status, err)
		}
		latencies = append(latencies, time.Since(began))
	}
}

// bareHash returns the seconds of CPU that a hash takes in this process, which does nothing else meanwhile.
func bareHash(memory, passes uint32) (float64, error) {
	salt := make([]byte, 16)
	return ownCPU(bareHashes, func(int) error {
		argon2.IDKey([]byte(authPassword), salt, passes, memory, 1, 32)
		return nil
	})
}

// ownCPU returns the seconds of CPU that this process takes for each of n calls.
func ownCPU(n int, f func(i int) error) (float64, error) {
	used := func() (float64, error) {
		var u syscall.Rusage
		err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
		return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds(), err
	}
	before, err := used()
	if err != nil {
		return 0, err
	}
	for i := range n {
		if err := f(i); err != nil {
			return 0, err
		}
	}
	after, err := used()
	return (after - before) / float64(n), err
}

// quantile returns the value below which the share of the values lies.
func quantile(values []time.Duration, share float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1e3 }
