package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSettingsOfLimits(t *testing.T) {
	set := func(text string) count {
		var c count
		if err := c.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, row := range []struct {
		name string
		operating
		says []string // nothing where the settings are good
	}{
		{"nothing is given", operating{}, nil},
		{"all are given", operating{MaxConcurrent: set("4"), MaxConnections: set("1"), MaxConnectionsPerAddress: set("1")}, nil},
		{"no requests", operating{MaxConcurrent: set("0")}, []string{"--max-concurrent 4 or more"}},
		{"too few requests", operating{MaxConcurrent: set("3")}, []string{"--max-concurrent 4 or more"}},
		{"fewer than none", operating{MaxConcurrent: set("-1")}, []string{"--max-concurrent 4 or more"}},
		{"no number", operating{MaxConcurrent: set("many")}, []string{"--max-concurrent takes a number"}},
		{"no number anywhere", operating{MaxConcurrent: set(""), MaxConnections: set("1e3"), MaxConnectionsPerAddress: set("0x10")}, []string{"--max-concurrent takes", "--max-connections takes", "--max-connections-per-address takes"}},
		{"no connections", operating{MaxConnections: set("0")}, []string{"--max-connections 1 or more"}},
		{"more connections than the process can have", operating{MaxConnections: set("2000000000")}, []string{"file descriptors", "--max-connections", "ulimit -n"}},
		{"no connections from an address", operating{MaxConnectionsPerAddress: set("0")}, []string{"--max-connections-per-address 1 or more"}},
		{"operators on loopback", operating{AdminAddress: "127.0.0.1:9090"}, nil},
		{"operators on a socket", operating{AdminAddress: "unix:/run/gatehouse/admin"}, nil},
		{"operators for everybody", operating{AdminAddress: ":9090"}, []string{"asks nobody who they are", "--admin-address 127.0.0.1:PORT", "unix:/PATH"}},
		{"operators on a name", operating{AdminAddress: "localhost:9090"}, []string{"--admin-address 127.0.0.1:PORT"}},
		{"a number that is none and one that is too small", operating{MaxConcurrent: set("x"), MaxConnections: set("0")}, []string{"--max-concurrent takes", "--max-connections 1"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := serve{place: place{Dev: true}, Address: "127.0.0.1:8080", operating: row.operating}
			err := s.validate()
			if (err == nil) != (row.says == nil) {
				t.Fatalf("got %v", err)
			}
			for _, text := range row.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%v does not say %q", err, text)
				}
			}
		})
	}
}

// TestFewerRequestsAreSharedAsMoreAre: logins never have all places.
func TestFewerRequestsAreSharedAsMoreAre(t *testing.T) {
	for _, n := range []int{4, 5, 10, 64, 256, 10_000} {
		o := operating{MaxConcurrent: count{number: n, given: true}}
		if l := o.limits(); l.Concurrent != n || l.Logins+l.WaitingHashes >= n || l.Logins < 1 || l.WaitingHashes < 1 || l.Waiting < 1 {
			t.Errorf("%d: %+v", n, l)
		}
	}
}

// TestServeOpensTheAdminListener that it is told to, and takes it away when it ends.
func TestServeOpensTheAdminListener(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "admin")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan int, 1)
	go func() {
		var stdout, stderr bytes.Buffer
		ended <- run(ctx, []string{"serve", "--dev", "--data", dir, "--address", "127.0.0.1:0", "--admin-address", "unix:" + socket}, &stdout, &stderr, func(int) {})
	}()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	var r *http.Response
	var err error
	for range 1000 { // until it has started
		if r, err = client.Get("http://localhost/readyz"); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != 200 {
		t.Errorf("%s", r.Status)
	}
	cancel()
	if code := <-ended; code != exitDone {
		t.Errorf("exit code %d", code)
	}
	if _, err := os.Lstat(socket); !os.IsNotExist(err) {
		t.Errorf("the socket stays behind: %v", err)
	}
}
