package server

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"example.com/gatehouse/internal/ratelimit"
)

// TestDefaultLimits: what grows with the machine.
func TestDefaultLimits(t *testing.T) {
	for _, row := range []struct {
		name                                             string
		cores, descriptors                               int
		concurrent, waiting, logins, hashes, connections int
	}{
		{"one core", 1, 20_000, 256, 128, 128, 64, 12_000},
		{"two cores", 2, 20_000, 256, 128, 128, 64, 12_000},
		{"as many as give more places", 5, 20_000, 320, 160, 160, 64, 12_000},
		{"many cores", 64, 1_000_000, 4096, 2048, 2048, 64, 12_000},
		{"few descriptors", 2, 1024, 256, 128, 128, 64, 768},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := defaultLimits(row.cores, row.descriptors)
			got := []int{l.Concurrent, l.Waiting, l.Logins, l.WaitingHashes, l.Connections}
			if want := []int{row.concurrent, row.waiting, row.logins, row.hashes, row.connections}; !reflect.DeepEqual(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
			if err := l.check(l, row.descriptors); err != nil {
				t.Error(err)
			}
			if l.Logins+l.WaitingHashes >= l.Concurrent || l.ConnectionsPerAddress > l.Connections {
				t.Errorf("one kind of client has everything: %+v", l)
			}
		})
	}
}

// TestTheTableOfTheReadme has a row for each limit, with the default that the code has.
func TestTheTableOfTheReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## Limits\n")
	if !found {
		t.Fatal("the section is gone")
	}
	rows := map[string]string{} // field → the default as the README has it
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 {
			continue
		}
		if name := strings.Trim(strings.TrimSpace(cells[1]), "`"); strings.TrimSpace(line) != "" {
			rows[name] = strings.TrimSpace(cells[2])
		}
	}
	limits := reflect.ValueOf(defaultLimits(1, 20_000))
	for i := range limits.NumField() {
		name := limits.Type().Field(i).Name
		want := "nothing"
		switch v := limits.Field(i).Interface().(type) {
		case time.Duration:
			want = strings.NewReplacer("1m0s", "60 s", "0s", "0 s", "5s", "5 s", "250ms", "250 ms").Replace(v.String())
		case ratelimit.Limit:
			want = fmt.Sprintf("%d in %g s", v.Quota, v.Window.Seconds())
		case [4]ratelimit.Limit:
			var steps []string
			for _, l := range v {
				steps = append(steps, fmt.Sprintf("%g s after %d", l.Window.Seconds()/float64(l.Quota), l.Burst))
			}
			want = strings.Join(steps, ", ")
		case int:
			want = fmt.Sprint(v)
			if strings.HasSuffix(name, "Bytes") || strings.HasSuffix(name, "Buffer") {
				want = fmt.Sprint(v>>10) + " KiB"
			}
		}
		if got := rows[name]; got != want && !strings.HasPrefix(got, want+", or ") {
			t.Errorf("the row of %s says %q, want %q", name, got, want)
		}
		delete(rows, name)
	}
	for name := range rows {
		if name != "limit" && !strings.HasPrefix(name, "-") {
			t.Errorf("the row %s is of no limit", name)
		}
	}
}
