package server_test

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/gatehouse/internal/server"
	"example.com/gatehouse/internal/validation"
	"github.com/google/go-cmp/cmp"
)

func decodeNothing([]byte, any, *validation.Violations) error { return nil }

func TestAccessLogLine(t *testing.T) {
	f := newFront(t, false, nil)
	response, _ := f.send(t, "GET", "/who?q=a%20b", "Authorization", "Bearer good", "Cookie", "session="+submitted, "User-Agent", submitted)
	lines := f.lines(t)
	want := []map[string]any{{
		"time": "2026-11-24T09:30:00.124456Z", "request_id": response.Header.Get("X-Request-Id"),
		"method": "GET", "path": "/who", "query": "q=a%20b", "status": 200.0, "bytes": float64(response.ContentLength),
		"duration_us": 1000.0, "remote": "127.0.0.1", "subject": "alice\n\x1b[31m", "scheme": "oauth2",
	}}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	text := f.access.String()
	if strings.Contains(text, "good") || strings.Contains(text, submitted) {
		t.Errorf("the log holds a credential: %s", text)
	}
	if strings.Count(text, "\n") != 1 || strings.Contains(text, "\x1b") {
		t.Errorf("a control character got through: %q", text)
	}
}

func TestAccessLogNamesTheOperationAndNotTheItem(t *testing.T) {
	f := newFront(t, false, nil)
	f.send(t, "HEAD", "/items/"+submitted)
	f.send(t, "GET", "/nowhere/7")
	f.send(t, "GET", "/items/7/8")
	var got []string
	for _, line := range f.lines(t) {
		got = append(got, fmt.Sprint(line["method"], line["path"], line["status"], line["bytes"] == 0.0))
	}
	if diff := cmp.Diff([]string{"HEAD/items/{id}200 true", "GET/nowhere/7404 false", "GET/items/7/8404 false"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestSecretsInTheQueryStayThere has every way to spell the name of a parameter that carries a key.
func TestSecretsInTheQueryStayThere(t *testing.T) {
	for _, tt := range []struct{ name, query, want string }{
		{"a key", "api_key=" + submitted, "api_key=***"},
		{"a key after a declared parameter", "q=1&api_key=" + submitted, "q=1&api_key=***"},
		{"an encoded name", "%61pi%5Fkey=" + submitted, "api_key=***"},
		{"another case", "API_Key=" + submitted, "API_Key=***"},
		{"two of them", "api_key=" + submitted + "&api_key=" + submitted, "api_key=***&api_key=***"},
		{"after a semicolon", "q=1;api_key=" + submitted, "q=1&api_key=***"},
		{"a name with a bad escape", "api%5_key=" + submitted, "***"},
		{"a name of nothing", "=" + submitted, "***"},
		{"no name at all", submitted, "***"},
		{"a parameter that nobody declares", "access_token=" + submitted + "&password=" + submitted, "***&***"},
		{"a key with an equals sign in it", "api_key==" + submitted, "api_key=***"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFront(t, false, nil)
			f.send(t, "GET", "/who?"+tt.query)
			lines := f.lines(t)
			if len(lines) != 1 || lines[0]["query"] != tt.want {
				t.Errorf("%v, want %s", lines, tt.want)
			}
			if all := f.access.String() + f.log.String(); strings.Contains(all, submitted) {
				t.Errorf("the log holds the key: %s", all)
			}
		})
	}
	f := newFront(t, false, nil)
	f.send(t, "GET", "/nowhere?api_key="+submitted+"&q=1")
	if lines := f.lines(t); lines[0]["query"] != "***&***" {
		t.Errorf("without an operation: %v", lines)
	}
}

// TestHostileLines: what a client writes into the first line of a request stays inside of one string of one line.
func TestHostileLines(t *testing.T) {
	f := newFront(t, false, nil)
	for _, line := range []string{
		"GET /%0a%0d%7b%22level%22:%22error%22%7d HTTP/1.1",
		"GET /%1b[2J%c2%9b31m%e2%80%a8%ff\" HTTP/1.1",
		"GET /" + strings.Repeat("a", 5000) + "?" + strings.Repeat("b", 5000) + " HTTP/1.1",
		strings.Repeat("M", 3000) + " / HTTP/1.1",
	} {
		c, err := net.Dial("tcp", f.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "%s\r\nHost: x\r\nConnection: close\r\n\r\n", line)
		status := make([]byte, 12)
		if _, err := c.Read(status); err != nil || !strings.HasPrefix(string(status), "HTTP/1.1 4") {
			t.Errorf("%.40q: %q %v", line, status, err)
		}
		c.Close()
	}
	if lines := f.lines(t); len(lines) != 4 {
		t.Errorf("%d lines", len(lines))
	}
	text := f.access.String()
	if regexp.MustCompile(`[^\x20-\x7e\n\x{fffd}]`).MatchString(text) {
		t.Errorf("%q", text)
	}
	for line := range strings.Lines(text) {
		if len(line) > 2500 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
}

func TestAccessLogOfManyAtOnce(t *testing.T) {
	f := newFront(t, false, nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				response, err := f.Client().Get(f.URL + "/ok")
				if err != nil {
					t.Error(err)
					return
				}
				response.Body.Close()
			}
		})
	}
	wg.Wait()
	if lines := f.lines(t); len(lines) != 400 {
		t.Errorf("%d lines for 400 requests", len(lines))
	}
}

type brokenDisk struct{}

func (brokenDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestAccessLogThatCannotBeWritten(t *testing.T) {
	l := server.NewAccessLog(brokenDisk{})
	f := newFront(t, false, func(e *server.Entry) { e.Access = l })
	if response, _ := f.send(t, "GET", "/ok"); response.StatusCode != 200 {
		t.Errorf("the service stops: %d", response.StatusCode)
	}
	f.Close()
	if err := l.Close(); err == nil {
		t.Error("nobody is told")
	}
}
