package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/gatehouse/internal/server"
)

// admin asks the admin listener of a service.
type admin struct {
	network, address string
	client           *http.Client
}

// withAdmin gives the service an admin listener.
func withAdmin(t *testing.T, address string) (*admin, func(*server.Config)) {
	t.Helper()
	listener, err := server.ListenAdmin(address)
	if err != nil {
		t.Fatal(err)
	}
	a := &admin{network: "tcp", address: listener.Addr().String()}
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		a.network, a.address = "unix", path
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, a.network, a.address)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	a.client = &http.Client{Transport: transport, Timeout: time.Minute}
	return a, func(c *server.Config) { c.Admin = listener }
}

// get asks as somebody on this machine does, where fields say nothing else.
func (a *admin) get(t *testing.T, target string, fields ...string) answer {
	t.Helper()
	return a.ask(t, "GET", target, fields...)
}

func (a *admin) ask(t *testing.T, method, target string, fields ...string) answer {
	t.Helper()
	r, err := http.NewRequest(method, "http://localhost"+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
		if fields[i] == "Host" {
			r.Host = fields[i+1]
		}
	}
	response, err := a.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, response)
}

// scrape returns what is counted, by name and labels as they are written.
func (a *admin) scrape(t *testing.T) map[string]float64 {
	t.Helper()
	got := a.get(t, "/metrics")
	if got.status != 200 {
		t.Fatalf("the metrics: %d %s", got.status, got.body)
	}
	values := map[string]float64{}
	for line := range strings.Lines(string(got.body)) {
		line = strings.TrimSpace(line)
		i := strings.LastIndexByte(line, ' ')
		if i < 0 || line[0] == '#' {
			continue
		}
		v, err := strconv.ParseFloat(line[i+1:], 64)
		if err != nil {
			t.Fatalf("a line of the metrics: %s", line)
		}
		values[line[:i]] = v
	}
	return values
}

// adminPaths are what the admin listener answers.
var adminPaths = []string{"/metrics", "/livez", "/readyz", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/goroutine?debug=1", "/debug/pprof/profile?seconds=1", "/debug/pprof/trace?seconds=1"}

func TestTheAdminListener(t *testing.T) {
	for name, address := range map[string]string{"on loopback": "127.0.0.1:0", "on a socket": "unix:" + filepath.Join(t.TempDir(), "admin")} {
		t.Run(name, func(t *testing.T) {
			a, on := withAdmin(t, address)
			s := start(t, on)
			for _, path := range adminPaths {
				got := a.get(t, path)
				if got.status != 200 || len(got.body) == 0 || got.header.Get("X-Content-Type-Options") != "nosniff" || got.header.Get("Cache-Control") != "no-store" {
					t.Errorf("%s: %d %v", path, got.status, got.header)
				}
			}
			for path, status := range map[string]int{
				"/": 404, "/items": 404, "/docs": 404, "/debug/pprof/nothing": 404, "/debug/pprof/cmdline": 404, "/debug/pprof/../../etc/passwd": 404, "/debug/vars": 404,
				"/debug/pprof/profile?seconds=0": 400, "/debug/pprof/profile?seconds=61": 400, "/debug/pprof/profile?seconds=x": 400, "/debug/pprof/trace?seconds=11": 400,
			} {
				if got := a.get(t, path); got.status != status {
					t.Errorf("%s: %d, want %d", path, got.status, status)
				}
			}
			for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
				if got := a.ask(t, method, "/metrics"); got.status != 405 {
					t.Errorf("%s: %d, want 405", method, got.status)
				}
			}
			s.stop()
			if path, ok := strings.CutPrefix(address, "unix:"); ok {
				if _, err := os.Lstat(path); !os.IsNotExist(err) {
					t.Errorf("the socket stays behind: %v", err)
				}
			}
			if c, err := net.Dial(a.network, a.address); err == nil {
				c.Close()
				t.Error("the admin listener goes on after the service")
			}
		})
	}
}

// TestNothingOfTheAdminListenerIsPublic: what is not in the document is not there, whether there is an admin listener or not.
func TestNothingOfTheAdminListenerIsPublic(t *testing.T) {
	_, on := withAdmin(t, "127.0.0.1:0")
	for name, s := range map[string]*service{"with one": start(t, on), "without one": start(t)} {
		for _, path := range append(adminPaths, "/debug", "/debug/", "/debug/pprof", "/debug/pprof/cmdline", "/metrics/") {
			if path == "/livez" || path == "/readyz" {
				if got := s.send(t, "GET", path, ""); string(got.body) != `{"status":"ok"}` {
					t.Errorf("%s, %s: %s", name, path, got.body)
				}
				continue
			}
			if got := s.send(t, "GET", path, "", "X-API-Key", s.apiKey); got.status != 404 {
				t.Errorf("%s, %s: %d", name, path, got.status)
			}
		}
	}
}

// TestTheAdminListenerIsForThisMachine: a page that an operator looks at reaches loopback too.
func TestTheAdminListenerIsForThisMachine(t *testing.T) {
	a, on := withAdmin(t, "127.0.0.1:0")
	start(t, on)
	for _, row := range []struct {
		name   string
		status int
		fields []string
	}{
		{"the address", 200, []string{"Host", "127.0.0.1:9090"}},
		{"another address of loopback", 200, []string{"Host", "127.9.9.9"}},
		{"the address of IPv6", 200, []string{"Host", "[::1]:9090"}},
		{"the address of IPv6 without a port", 200, []string{"Host", "[::1]"}},
		{"the name", 200, []string{"Host", "localhost:1"}},
		{"typed into a browser", 200, []string{"Sec-Fetch-Site", "none"}},
		{"a link of its own", 200, []string{"Sec-Fetch-Site", "same-origin"}},
		{"a name that resolves to loopback", 421, []string{"Host", "rebound.example.com"}},
		{"the same with a port", 421, []string{"Host", "rebound.example.com:9090"}},
		{"a name that begins like it", 421, []string{"Host", "127.0.0.1.example.com"}},
		{"a name below localhost", 421, []string{"Host", "evil.localhost"}},
		{"an address of another machine", 421, []string{"Host", "192.0.2.1"}},
		{"all addresses", 421, []string{"Host", "0.0.0.0"}},
		{"a page of another site", 403, []string{"Sec-Fetch-Site", "cross-site"}},
		{"a page of another port", 403, []string{"Sec-Fetch-Site", "same-site"}},
		{"a site that nobody knows", 403, []string{"Sec-Fetch-Site", "x"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, path := range []string{"/metrics", "/debug/pprof/heap", "/no/such/path"} {
				got := a.get(t, path, row.fields...)
				if want := row.status; got.status != want && !(path == "/no/such/path" && want == 200 && got.status == 404) {
					t.Errorf("%s: %d, want %d", path, got.status, want)
				}
			}
		})
	}
}

func TestAddressesOfTheAdminListener(t *testing.T) {
	for _, row := range []struct{ name, address, says string }{
		{"loopback", "127.0.0.1:9090", ""},
		{"loopback of IPv6", "[::1]:9090", ""},
		{"a socket", "unix:/run/gatehouse/admin", ""},
		{"all addresses", "0.0.0.0:9090", "for this machine alone"},
		{"all addresses of IPv6", "[::]:9090", "for this machine alone"},
		{"no address", ":9090", "for this machine alone"},
		{"another address of the machine", "192.168.1.1:9090", "for this machine alone"},
		{"a name, which may mean anything", "localhost:9090", "for this machine alone"},
		{"no port", "127.0.0.1", "is wrong"},
		{"an empty port", "127.0.0.1:", "the port"},
		{"a name for a port", "127.0.0.1:http", "the port"},
		{"a port that is none", "127.0.0.1:65536", "the port"},
		{"a socket somewhere", "unix:admin", "a whole path"},
		{"a socket without a path", "unix:", "a whole path"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := server.CheckAdminAddress(row.address)
			if (err == nil) != (row.says == "") || err != nil && (!strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), "give --admin-address 127.0.0.1:PORT")) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestTheSocketOfTheAdminListener(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "admin")
	listener, err := server.ListenAdmin("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("the socket is %v, %v", info.Mode(), err)
	}
	if _, err := server.ListenAdmin("unix:" + path); err == nil || !strings.Contains(err.Error(), "another process listens on") {
		t.Errorf("a second one: %v", err)
	}
	if err := listener.Close(); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("what is left: %v, %v", entries, err)
	}
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close() // as a process that was killed leaves it
	if listener, err = server.ListenAdmin("unix:" + path); err != nil {
		t.Errorf("one that was left behind: %v", err)
	} else {
		listener.Close()
	}
	if err := os.WriteFile(path, []byte("what somebody needs"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := server.ListenAdmin("unix:" + path); err == nil || !strings.Contains(err.Error(), "is no socket") {
		t.Errorf("a file: %v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "what somebody needs" {
		t.Errorf("the file was touched: %s, %v", text, err)
	}
}

func TestReadinessInDetail(t *testing.T) {
	a, on := withAdmin(t, "127.0.0.1:0")
	s := start(t, on)
	type state struct {
		Ready, Draining bool
		Database        struct{ Answers bool }
		Keys            struct {
			Signs bool
			Age   float64 `json:"age_seconds"`
		} `json:"signing_key"`
		Lag   float64 `json:"revocation_lag_seconds"`
		Mails *int    `json:"mails_waiting"`
	}
	readiness := func(status int) (got state) {
		t.Helper()
		answer := a.get(t, "/readyz")
		if err := json.Unmarshal(answer.body, &got); err != nil || answer.status != status {
			t.Fatalf("%d %s, %v", answer.status, answer.body, err)
		}
		return got
	}
	if got := readiness(200); !got.Ready || got.Draining || !got.Database.Answers || !got.Keys.Signs || got.Mails == nil {
		t.Errorf("%+v", got)
	}
	s.clock.pass(time.Hour)
	if got := readiness(200); got.Keys.Age < 3600 || got.Lag < 3590 && got.Lag != 0 { // 0 where a poll came in between
		t.Errorf("an hour later: %+v", got)
	}
	if err := s.DB().Close(); err != nil {
		t.Fatal(err)
	}
	if got := readiness(503); got.Ready || got.Database.Answers || !got.Keys.Signs {
		t.Errorf("without a database: %+v", got)
	}
	if got := a.get(t, "/livez"); got.status != 200 {
		t.Errorf("without a database the process is alive: %d", got.status)
	}
}

// TestTheAdminListenerInAnOverload answers as always, and tells of it.
func TestTheAdminListenerInAnOverload(t *testing.T) {
	a, on := withAdmin(t, "127.0.0.1:0")
	s, _ := overloaded(t, 4, 0, on)
	for range 3 {
		if got := s.send(t, "GET", "/protected", ""); got.status != 503 {
			t.Fatalf("%d", got.status)
		}
	}
	got := a.scrape(t)
	for name, want := range map[string]float64{
		`gatehouse_shed_total{cause="requests"}`: 3, "gatehouse_requests_in_work": 4, "gatehouse_requests_in_work_limit": 4,
		"gatehouse_http_requests_in_flight": 4, `gatehouse_http_requests_total{code="503",operation="getProtected"}`: 3,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if got := a.get(t, "/readyz"); got.status != 200 {
		t.Errorf("an overload is told as unready: %d", got.status)
	}
}

// TestNothingIsLeftBehind: no goroutine outlives the service, whatever was going on.
func TestNothingIsLeftBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	a, on := withAdmin(t, "127.0.0.1:0")
	s := start(t, on)
	for i := range 20 {
		s.send(t, "GET", fmt.Sprintf("/protected?%d", i), "")
		s.send(t, "POST", "/token", s.tokenForm().Encode(), "Content-Type", formType)
	}
	a.scrape(t)
	for range 5 {
		s.connect(t, "127.0.0.1").Close()
	}
	a.client.CloseIdleConnections()
	s.stop()
	for range 200 { // those that are ending
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	stacks := make([]byte, 1<<20)
	t.Errorf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
}
