package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// abuses are what -abuse does to the service, in the order in which all of them are done.
var abuses = []struct {
	name string
	do   func(ctx context.Context, a *abuse) error
}{
	{"logins", abuseLogins},
	{"addresses", abuseAddresses},
	{"forwarded", abuseForwarded},
	{"slow", abuseSlowly},
	{"overload", abuseByLoad},
	{"redis", abuseRedis},
	{"tokens", abuseTokens},
}

// abuseTimeout bounds each of them. All of them together take some eight minutes.
const abuseTimeout = 5 * time.Minute

func abuseNames() []string {
	var names []string
	for _, a := range abuses {
		names = append(names, a.name)
	}
	return names
}

// abuse is one of them as it runs.
type abuse struct {
	dir string
	out io.Writer
	// failed is what the service did and should not.
	failed []string
}

// say prints a figure, and the bound that it should keep.
func (a *abuse) say(kept bool, format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if !kept {
		a.failed = append(a.failed, line)
		line += "   NOT KEPT"
	}
	fmt.Fprintln(a.out, "  "+line)
}

// runAbuse builds the service twice, as it is and with raised quotas, and does what the options name. It fails where a bound is not kept.
func runAbuse(ctx context.Context, o options, out io.Writer) error {
	if o.abuse != "all" && !slices.Contains(abuseNames(), o.abuse) {
		return fmt.Errorf("unknown abuse %q: take all, or one of %s", o.abuse, strings.Join(abuseNames(), ", "))
	}
	if runtime.NumCPU() < 2 {
		return errors.New("the server and the load need a core each, and this machine has one")
	}
	dir, err := os.MkdirTemp("", "gatehouse-abuse")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Fprintln(out, machine())
	if err := command(ctx, ".", "go", "build", "-trimpath", "-o", dir+string(filepath.Separator), "./flood", "./load", "./baseline"); err != nil {
		return err
	}
	if err := command(ctx, "..", "go", "build", "-trimpath", "-o", filepath.Join(dir, "gatehouse-as-it-is"), "./cmd/gatehouse"); err != nil {
		return err
	}
	if err := buildGatehouse(ctx, dir, filepath.Join(dir, "gatehouse")); err != nil {
		return err
	}
	// What this process sends itself is load too, and leaves the server's core alone.
	if err := command(ctx, ".", "taskset", "-a", "-p", "-c", loadCore, strconv.Itoa(os.Getpid())); err != nil {
		return err
	}
	var failed []string
	for _, b := range abuses {
		if o.abuse != "all" && o.abuse != b.name {
			continue
		}
		a := &abuse{dir: dir, out: out}
		ctx, cancel := context.WithTimeout(ctx, abuseTimeout)
		err := b.do(ctx, a)
		cancel()
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		failed = append(failed, a.failed...)
		fmt.Fprintln(out)
	}
	if failed != nil {
		return fmt.Errorf("%d bounds are not kept:\n  %s", len(failed), strings.Join(failed, "\n  "))
	}
	return nil
}

// victim is a service that is abused, with what an operator sees of it.
type victim struct {
	*service
	admin string
}

// as says which build of the service runs.
const (
	asItIs  = "gatehouse-as-it-is"
	unquota = "gatehouse" // with quotas that no load spends
)

// startVictim starts a service on the server's core. It has the admin listener, and one user.
func (a *abuse) startVictim(ctx context.Context, build, data string, args ...string) (*victim, error) {
	s, folder, err := newServer(a.dir, "victim")
	if err != nil {
		return nil, err
	}
	admin, err := freeAddress()
	if err != nil {
		return nil, err
	}
	if data == "" {
		data = filepath.Join(folder, "data")
	}
	args = append([]string{"serve", "--dev", "--data", data, "--address", s.address, "--admin-address", admin}, args...)
	program := filepath.Join(a.dir, build)
	v := &victim{&service{s, program, data}, admin}
	return v, s.start(ctx, folder, nil, program, args...)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// metric returns the sum of the values of a metric, with all of its labels that hold the text.
func (v *victim) metric(ctx context.Context, name, label string) (sum float64, err error) {
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+v.admin+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	found := false
	for _, m := range regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(name)+`(\{[^}]*\})? (\S+)$`).FindAllSubmatch(text, -1) {
		if !strings.Contains(string(m[1]), label) {
			continue
		}
		value, err := strconv.ParseFloat(string(m[2]), 64)
		if err != nil {
			return 0, err
		}
		sum, found = sum+value, true
	}
	if !found {
		return 0, fmt.Errorf("%s: there is no metric %s with %q", v.name, name, label)
	}
	return sum, nil
}

// flooded is what the flood says of itself: see flood/main.go.
type flooded struct {
	Statuses     map[int]int
	P99, Slowest map[int]float64
	Closed       int
	Wall, CPU    time.Duration
}

// flood sends a plan from the load's core.
func (a *abuse) flood(ctx context.Context, plan map[string]any) (r flooded, err error) {
	text, err := json.Marshal(plan)
	if err != nil {
		return r, err
	}
	var stdout, stderr bytes.Buffer
	cmd := pinned(ctx, loadCore, filepath.Join(a.dir, "flood"))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return r, fmt.Errorf("flood: %w\n%s", err, stderr.String())
	}
	return r, json.Unmarshal(stdout.Bytes(), &r)
}

// told are the statuses in order, and how long the slowest percent of each took.
func (f flooded) told() string {
	var parts []string
	for status := range sortedKeys(f.Statuses) {
		parts = append(parts, fmt.Sprintf("%d × %d (p99 %.1f ms)", f.Statuses[status], status, f.P99[status]))
	}
	if f.Closed > 0 {
		parts = append(parts, fmt.Sprintf("%d closed without an answer", f.Closed))
	}
	return strings.Join(parts, ", ")
}

func sortedKeys(m map[int]int) func(func(int) bool) {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return slices.Values(keys)
}

// loopback are n addresses of this machine, none of which is 127.0.0.1: the limits by address count each apart.
func loopback(n int) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("127.0.%d.%d", 2+i/250, 1+i%250))
	}
	return list
}

// alive asks /livez over a new connection every 20 ms, from an address that nobody else has, until it is stopped. It is a process of its own
// on the server's core: neither of the load's work nor of its garbage shall be in what it measures.
type alive struct {
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
}

// askAlive begins to ask.
func (a *abuse) askAlive(ctx context.Context, v *victim) (*alive, error) {
	plan, err := json.Marshal(map[string]any{
		"Address": v.address, "From": []string{"127.0.0.9"}, "Connections": 1, "Rate": 50, "Seconds": int(abuseTimeout / time.Second),
		"Heads": []string{head(v.server, "GET /livez", "")}, "Fresh": true,
	})
	if err != nil {
		return nil, err
	}
	w := &alive{cmd: pinned(ctx, serverCore, filepath.Join(a.dir, "flood"))}
	w.cmd.Stdin, w.cmd.Stdout, w.cmd.Stderr = bytes.NewReader(plan), &w.stdout, &w.stderr
	return w, w.cmd.Start()
}

// end stops asking and tells of it.
func (w *alive) end(a *abuse) error {
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := w.cmd.Wait(); err != nil {
		return fmt.Errorf("ask /livez: %w\n%s", err, w.stderr.String())
	}
	var f flooded
	if err := json.Unmarshal(w.stdout.Bytes(), &f); err != nil {
		return err
	}
	a.say(len(f.Statuses) == 1 && f.Closed == 0 && f.Slowest[http.StatusOK] <= 100, "/livez over new connections: %s, the slowest %.1f ms (100)", f.told(), f.Slowest[http.StatusOK])
	return nil
}
