package server

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// The admin listener is for those who operate the process: what it counts, how it is, and what it does at this moment. It has a server of
// its own, so that an overload of the other does not hide what causes it, and nobody proves who they are: it is reached by who is on this
// machine, over loopback or a socket that only the user of the process opens. Nothing of it is on the public listener.
const (
	// adminTimeout bounds everything but profiles, which last for as long as they are asked to.
	adminTimeout = 15 * time.Second
	// adminScrapes is how many scrapes may run at once.
	adminScrapes = 4
)

// adminServer returns the server of the admin listener.
func (s *Server) adminServer() *http.Server {
	return &http.Server{
		Handler:           s.adminHandler(),
		ReadHeaderTimeout: s.config.Limits.ReadHeaderTimeout,
		ReadTimeout:       adminTimeout,
		WriteTimeout:      adminTimeout,
		IdleTimeout:       s.config.Limits.IdleTimeout,
		MaxHeaderBytes:    s.config.Limits.HeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.config.Log.Handler(), slog.LevelWarn),
	}
}

func (s *Server) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(s.config.Log.Handler(), slog.LevelError), MaxRequestsInFlight: adminScrapes, Timeout: adminTimeout,
	}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		state := s.readiness(r.Context())
		status := http.StatusOK
		if !state.Ready {
			status = http.StatusServiceUnavailable
		}
		writeJSON(w, status, state)
	})
	mux.HandleFunc("GET /debug/pprof/{$}", listProfiles)
	mux.HandleFunc("GET /debug/pprof/{name}", writeProfile)
	return fromThisMachine(mux)
}

// fromThisMachine lets in what this machine has sent on purpose. A page of another site makes the browser of an operator send requests too:
// to a name of its own that it lets resolve to 127.0.0.1 (DNS rebinding), which Host tells, or to the address itself, which
// Sec-Fetch-Site tells. Such a page could read what is here, or keep the process busy with profiles.
func fromThisMachine(next http.Handler) http.Handler {
	headers := newSecurityHeaders()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers.set(w.Header())
		if local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr); local == nil || local.Network() != "unix" {
			if !loopbackHost(r.Host) {
				http.Error(w, "this listener is for this machine: ask it as 127.0.0.1, [::1] or localhost", http.StatusMisdirectedRequest)
				return
			}
		}
		if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "none" && site != "same-origin" {
			http.Error(w, "a page of another site made this request", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// loopbackHost reports whether the field Host names this machine by a name or an address that nobody else can give it.
func loopbackHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	} else if len(host) > 1 && host[0] == '[' && host[len(host)-1] == ']' {
		name = host[1 : len(host)-1]
	}
	if name == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(name)
	return err == nil && a.IsLoopback()
}

// readiness is how the parts of the service are. It holds no text of an error, which may quote an address with its password: the log has that.
type readiness struct {
	Ready    bool            `json:"ready"`
	Draining bool            `json:"draining"`
	Database databaseState   `json:"database"`
	Keys     signingKeyState `json:"signing_key"`
	// Revocation is what ended in other processes: how long ago that was read.
	RevocationLag float64       `json:"revocation_lag_seconds"`
	Requests      requestState  `json:"requests"`
	Connections   places        `json:"connections"`
	Logins        loginState    `json:"logins"`
	Mails         *int          `json:"mails_waiting,omitempty"`
	Limiter       *limiterState `json:"rate_limiter,omitempty"`
}

type databaseState struct {
	Answers bool    `json:"answers"`
	Seconds float64 `json:"seconds"`
}

type signingKeyState struct {
	Signs bool    `json:"signs"`
	Age   float64 `json:"age_seconds"`
}

type places struct {
	Now  int `json:"now"`
	Most int `json:"most"`
}

type requestState struct {
	InFlight int64  `json:"in_flight"`
	InWork   places `json:"in_work"`
	Waiting  places `json:"waiting"`
	Shed     uint64 `json:"turned_away_total"`
}

type loginState struct {
	Now           int64 `json:"now"`
	HashesRunning int64 `json:"hashes_running"`
	HashesWaiting int64 `json:"hashes_waiting"`
	Refused       int64 `json:"turned_away_total"`
}

type limiterState struct {
	Degraded bool `json:"degraded"`
}

// readiness asks every part. The service is ready where the public /readyz says so, and there is a key to sign with.
func (s *Server) readiness(ctx context.Context) readiness {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	began := time.Now()
	err := s.health.ping(ctx)
	age, signs := s.signingKeyAge()
	taken, waiting, shed := s.gate.state()
	open, _ := s.connections.state()
	load := s.users.Load()
	r := readiness{
		Draining:      s.health.draining.Load(),
		Database:      databaseState{err == nil, time.Since(began).Seconds()},
		Keys:          signingKeyState{Signs: signs},
		RevocationLag: s.revocationLag().Seconds(),
		Requests:      requestState{s.metrics.inFlight.Load(), places{taken, s.gate.places}, places{waiting, s.gate.room}, shed},
		Connections:   places{open, s.connections.most},
		Logins:        loginState{load.Logins, load.Running, load.Waiting, load.Refused},
	}
	if signs {
		r.Keys.Age = age.Seconds()
	}
	if s.mail != nil {
		held := s.mail.Held()
		r.Mails = &held
	}
	if s.shared != nil {
		r.Limiter = &limiterState{s.shared.Degraded()}
	}
	r.Ready = r.Database.Answers && signs && !r.Draining
	return r
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		http.Error(w, "the answer cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client may have gone
}
