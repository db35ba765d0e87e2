package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestBaselineDoesWhatItIsComparedFor(t *testing.T) {
	dir := t.TempDir()
	if err := command(t.Context(), ".", "go", "build", "-o", dir+string(filepath.Separator), "./baseline", "./load"); err != nil {
		t.Fatal(err)
	}
	s, err := startBaseline(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	if err := checkAnswers(t.Context(), s); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat("/proc/self/stat"); errors.Is(err, os.ErrNotExist) {
		t.Skip("no /proc here: the CPU of a process cannot be read")
	}
	for name, m := range modes {
		t.Run(name, func(t *testing.T) {
			figures, err := measureRound(t.Context(), dir, []*server{s}, m, 300, 4)
			if err != nil {
				t.Fatal(err)
			}
			if len(figures) != 1 || figures[0].rate <= 0 {
				t.Errorf("figures %+v, want one with a rate", figures)
			}
		})
	}
}

func TestCheckAnswersSeesAServerThatDoesLess(t *testing.T) {
	lax := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(`{"id":"1","owner_id":"1","name":"a","price":1,"created_at":"x","updated_at":"x"}`))
	}))
	defer lax.Close()
	s := &server{name: "lax", address: lax.Listener.Addr().String(), tokens: []string{"a.b.c", "d.e.f"}}
	err := checkAnswers(t.Context(), s)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"no token: it is answered 200 instead of 401", "a negative price: it is answered 200 instead of 422", "body 0 of mode post: the answer holds"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("it does not say %q", want)
		}
	}
}

func TestParseStat(t *testing.T) {
	tests := []struct {
		name, stat string
		want       time.Duration
		fails      bool
	}{
		{"user and system time are added", "7 (gatehouse) S 1 2 3 4 5 6 7 8 9 10 11 12 0 0", 230 * time.Millisecond, false},
		{"a name with a space and a parenthesis is passed by", "7 (a b) c) S 1 2 3 4 5 6 7 8 9 10 100 200 0 0", 3 * time.Second, false},
		{"a short line is refused", "7 (gatehouse) S 1 2", 0, true},
		{"a line without a name is refused", "", 0, true},
		{"a time that is no number is refused", "7 (gatehouse) S 1 2 3 4 5 6 7 8 9 10 x 12 0 0", 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseStat(tt.stat)
			if got != tt.want || (err != nil) != tt.fails {
				t.Errorf("%v, %v, want %v", got, err, tt.want)
			}
		})
	}
}

func TestMedian(t *testing.T) {
	if got := median([]float64{9, 1, 5}); got != 5 {
		t.Errorf("of three: %v, want 5", got)
	}
	if got := median([]float64{4, 1, 2, 9}); got != 3 {
		t.Errorf("of four: %v, want 3", got)
	}
}

func TestQuotaFindsTheLimitsOfTheDocument(t *testing.T) {
	spec, err := os.ReadFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(quota.FindAll(spec, -1)); n < 3 {
		t.Errorf("found %d quotas: the load would run into the others", n)
	}
}

func TestBodiesDiffer(t *testing.T) {
	for _, name := range []string{"post", "refused"} {
		seen := make(map[string]bool)
		for _, body := range modes[name].bodies {
			seen[body] = true
		}
		if len(seen) != 64 {
			t.Errorf("mode %s has %d different bodies, want 64", name, len(seen))
		}
	}
}

func TestRunRefusesWhatItCannotMeasure(t *testing.T) {
	for _, o := range []options{{mode: "put", rounds: 1, requests: 1, connections: 1}, {mode: "post"}} {
		if err := run(context.Background(), o, nil); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}
