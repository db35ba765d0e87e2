package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The server has a core of its own, so that its figure holds no moves between caches, and the load has the other.
const (
	serverCore = "0"
	loadCore   = "1"
)

// turns is into how many turns of each server a round is cut. What else happens on the machine meets both servers
// alike when they take turns every fraction of a second. While one has its turn the other is idle.
const turns = 12

// figure is what one round of one server gave.
type figure struct {
	micros   float64 // user and system CPU of the server process per answered request
	rate     float64 // answers per second
	busy     float64 // share of its core that the server used
	loadBusy float64
}

// measureRound lets the servers take turns and returns a figure for each.
func measureRound(ctx context.Context, dir string, servers []*server, m mode, requests, connections int) ([]figure, error) {
	used := make([]time.Duration, len(servers))
	for i, s := range servers {
		before, err := cpu(s.cmd.Process.Pid)
		if err != nil {
			return nil, err
		}
		used[i] = -before
	}
	loads := make([]result, len(servers))
	for n := range turns {
		for turn := range servers {
			i := (turn + n) % len(servers) // who is first alternates too
			r, err := putLoad(ctx, dir, servers[i], m, max(requests/turns, 1), connections)
			if err != nil {
				return nil, err
			}
			loads[i].add(r)
		}
	}
	figures := make([]figure, len(servers))
	for i, s := range servers {
		after, err := cpu(s.cmd.Process.Pid)
		if err != nil {
			return nil, err
		}
		used[i] += after
		figures[i] = figure{
			micros:   float64(used[i]) / float64(time.Microsecond) / float64(loads[i].Answered),
			rate:     float64(loads[i].Answered) / loads[i].Wall.Seconds(),
			busy:     float64(used[i]) / float64(loads[i].Wall),
			loadBusy: float64(loads[i].CPU) / float64(loads[i].Wall),
		}
	}
	return figures, nil
}

// pinned returns the command that runs a program on one core, where one is named. Without taskset it runs on any: enough for the tests.
func pinned(ctx context.Context, core, program string, args ...string) *exec.Cmd {
	if taskset, err := exec.LookPath("taskset"); err == nil && core != "" {
		args = append([]string{"-c", core, program}, args...)
		program = taskset
	}
	return exec.CommandContext(ctx, program, args...)
}

// result is what the load says of itself: see load/main.go.
type result struct {
	Answered  int
	Wall, CPU time.Duration
}

func (r *result) add(other result) {
	r.Answered += other.Answered
	r.Wall += other.Wall
	r.CPU += other.CPU
}

// putLoad sends the requests to the server and fails unless each of them was answered as it should.
func putLoad(ctx context.Context, dir string, s *server, m mode, requests, connections int) (result, error) {
	var r result
	plan, err := json.Marshal(map[string]any{
		"Address": s.address, "Connections": connections, "Requests": requests, "Seconds": 60,
		"Heads": m.heads(s), "Bodies": m.bodies, "Want": m.want,
	})
	if err != nil {
		return r, err
	}
	var stdout, stderr bytes.Buffer
	load := pinned(ctx, loadCore, filepath.Join(dir, "load"))
	load.Stdin, load.Stdout, load.Stderr = bytes.NewReader(plan), &stdout, &stderr
	if err := load.Run(); err != nil {
		return r, fmt.Errorf("load on %s: %w\n%s", s.name, err, stderr.String())
	}
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		return r, fmt.Errorf("the result of the load is not JSON: %w", err)
	}
	if r.Answered != requests {
		return r, fmt.Errorf("%s answered %d of %d requests", s.name, r.Answered, requests)
	}
	return r, nil
}

// cpu returns the user and system time of all threads of a process, those that have ended too.
func cpu(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return parseStat(string(stat))
}

func parseStat(stat string) (time.Duration, error) {
	// The second field, the name, is in parentheses and may hold anything, also spaces: proc(5).
	end := strings.LastIndexByte(stat, ')')
	fields := strings.Fields(stat[end+1:])
	if end < 0 || len(fields) < 13 {
		return 0, fmt.Errorf("/proc/PID/stat has another form than proc(5) says")
	}
	var ticks int64
	for _, field := range fields[11:13] { // utime and stime
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil // USER_HZ is 100 on every Linux that Go runs on
}

// residentMiB returns the resident memory of a process, and peakMiB the most that it ever had.
func residentMiB(pid int) (float64, error) { return statusMiB(pid, "VmRSS:") }
func peakMiB(pid int) (float64, error)     { return statusMiB(pid, "VmHWM:") }

func statusMiB(pid int, field string) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, field); found {
			kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 64)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no %s", pid, field)
}
