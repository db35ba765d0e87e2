package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// authFigures are what -auth measures, in the order in which all of them are.
var authFigures = []struct {
	name    string
	measure func(ctx context.Context, dir string, out io.Writer) error
}{
	{"logins", measureLogins},
	{"verify", measureVerify},
	{"revocation", measureRevocation},
	{"timing", measureTiming},
}

// authTimeout bounds each figure. All of them together take some four minutes.
const authTimeout = 4 * time.Minute

func authNames() []string {
	var names []string
	for _, f := range authFigures {
		names = append(names, f.name)
	}
	return names
}

// runAuth builds the service and measures what the options name.
func runAuth(ctx context.Context, o options, out io.Writer) error {
	if o.auth != "all" && !slices.Contains(authNames(), o.auth) {
		return fmt.Errorf("unknown figure %q: take all, or one of %s", o.auth, strings.Join(authNames(), ", "))
	}
	dir, err := os.MkdirTemp("", "gatehouse-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Fprintln(out, machine())
	if err := command(ctx, ".", "go", "build", "-trimpath", "-o", dir+string(filepath.Separator), "./load"); err != nil {
		return err
	}
	if err := buildGatehouse(ctx, dir, filepath.Join(dir, "gatehouse")); err != nil {
		return err
	}
	for _, f := range authFigures {
		if o.auth != "all" && o.auth != f.name {
			continue
		}
		fmt.Fprintln(out)
		if err := withTimeout(ctx, func(ctx context.Context) error { return f.measure(ctx, dir, out) }); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

func withTimeout(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, authTimeout)
	defer cancel()
	return f(ctx)
}

// machine names what the figures hold for: they compare within one run, not between machines.
func machine() string {
	model := runtime.GOARCH
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	load, _ := os.ReadFile("/proc/loadavg")
	busy, _, _ := strings.Cut(string(load), " ")
	return fmt.Sprintf("%s, %d cores, %s, load average before %s", model, runtime.NumCPU(), runtime.Version(), busy)
}

// service is the service that runs with a data folder, which others may have too.
type service struct {
	*server
	program string
	data    string
}

// startService starts the service that runAuth has built, on a core or on all.
func startService(ctx context.Context, dir, data, core string, args ...string) (*service, error) {
	s, folder, err := newServer(dir, "gatehouse-service")
	if err != nil {
		return nil, err
	}
	if s.core = core; data == "" {
		data = filepath.Join(folder, "data")
	}
	program := filepath.Join(dir, "gatehouse")
	args = append([]string{"serve", "--dev", "--data", data, "--address", s.address}, args...)
	return &service{s, program, data}, s.start(ctx, folder, nil, program, args...)
}

// administer runs a command on the data of the service.
func (s *service) administer(ctx context.Context, args ...string) error {
	return command(ctx, s.data, s.program, append(args, "--data", s.data)...)
}

// ask runs a command on the data of the service and returns what it prints.
func (s *service) ask(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, s.program, append(args, "--data", s.data)...)
	cmd.Stderr = os.Stderr
	return cmd.Output()
}

const authPassword = "correct horse battery staple"

// addUsers makes accounts of those names. An account whose name is an address has it.
func (s *service) addUsers(ctx context.Context, names []string, args ...string) error {
	file := filepath.Join(s.data, "password")
	if err := os.WriteFile(file, []byte(authPassword), 0o600); err != nil {
		return err
	}
	return inParallel(runtime.NumCPU(), names, func(name string) error {
		return s.administer(ctx, append([]string{"user", "add", name, "--password-file", file}, args...)...)
	})
}

// inParallel calls f for each of the values, so many at once.
func inParallel(workers int, values []string, f func(string) error) error {
	queue := make(chan string, len(values))
	for _, v := range values {
		queue <- v
	}
	close(queue)
	failed := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for v := range queue {
				if failed[w] = f(v); failed[w] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(failed...)
}

func numbered(format string, n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf(format, i))
	}
	return names
}

var formHeader = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}

// grant asks the token endpoint and returns the access token.
func (s *service) grant(ctx context.Context, form url.Values) (string, error) {
	status, answer, err := s.send(ctx, "POST", "/token", formHeader.Clone(), form.Encode())
	if err != nil {
		return "", err
	}
	var granted struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(answer, &granted); err != nil || status != http.StatusOK || granted.AccessToken == "" {
		return "", fmt.Errorf("POST /token answered %d and no token: %s", status, answer)
	}
	return granted.AccessToken, nil
}

func passwordForm(name, password string) url.Values {
	return url.Values{"grant_type": {"password"}, "username": {name}, "password": {password}}
}

// timed sends one request over a connection of its own from an address of loopback, and returns how long the answer took after
// the connection was there. The service counts failures and mails by address: from one it would refuse the eleventh.
func (s *service) timed(ctx context.Context, from net.IP, method, path string, header http.Header, body string, want int) (time.Duration, error) {
	conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}).DialContext(ctx, "tcp", s.address)
	if err != nil {
		return 0, err
	}
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil }}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.address+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header = header
	began := time.Now()
	res, err := transport.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	took := time.Since(began)
	if err == nil && res.StatusCode != want {
		err = fmt.Errorf("%s %s answered %d instead of %d: %s", method, path, res.StatusCode, want, answer)
	}
	return took, err
}
