package server

import (
	"fmt"
	"io"
	"net/http"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"time"
)

// Profiles are written by hand: net/http/pprof registers itself on the default mux of every program that imports it, shows the command line,
// and has no bound for how long a profile takes.

// The time that a profile or a trace takes.
const (
	profileSeconds     = 30
	maxProfileSeconds  = 60
	traceSeconds       = 1
	maxTraceSeconds    = 10
	profileWriteMargin = 30 * time.Second
)

func listProfiles(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "profile?seconds=%d\ntrace?seconds=%d\n", profileSeconds, traceSeconds)
	for _, p := range pprof.Profiles() {
		fmt.Fprintf(w, "%s %d\n", p.Name(), p.Count())
	}
}

// writeProfile answers what go tool pprof and go tool trace ask for.
func writeProfile(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	var seconds, most int
	var start func(io.Writer) error
	var stop func()
	switch name {
	case "profile":
		seconds, most, start, stop = profileSeconds, maxProfileSeconds, pprof.StartCPUProfile, pprof.StopCPUProfile
	case "trace":
		seconds, most, start, stop = traceSeconds, maxTraceSeconds, trace.Start, trace.Stop
	default:
		writeSnapshot(w, r, name)
		return
	}
	if text := r.URL.Query().Get("seconds"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			http.Error(w, fmt.Sprintf("seconds must be from 1 to %d", most), http.StatusBadRequest)
			return
		}
		seconds = n
	}
	duration := time.Duration(seconds) * time.Second
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(duration + profileWriteMargin)); err != nil {
		http.Error(w, "the connection takes no deadline", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	if err := start(w); err != nil {
		http.Error(w, "another profile of this kind is being made: repeat when it has ended", http.StatusConflict)
		return
	}
	defer stop()
	enough := time.NewTimer(duration)
	defer enough.Stop()
	select {
	case <-enough.C:
	case <-r.Context().Done():
	}
}

// writeSnapshot answers one of the profiles that are there at any time.
func writeSnapshot(w http.ResponseWriter, r *http.Request, name string) {
	profile := pprof.Lookup(name)
	if profile == nil {
		http.Error(w, "there is no such profile: /debug/pprof/ lists them", http.StatusNotFound)
		return
	}
	text := 0
	w.Header().Set("Content-Type", "application/octet-stream")
	if r.URL.Query().Get("debug") == "1" {
		text = 1
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	_ = profile.WriteTo(w, text) // the client may have gone
}
