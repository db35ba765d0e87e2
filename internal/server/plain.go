package server

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/problem"
)

// plain answers on the port of plain HTTP, where nothing of the API is. It redirects nobody: a client with a wrong address would
// go on to send its credentials in the clear, and work (ASVS 5.0 4.1.2).
type plain struct {
	headers securityHeaders
	ids     *requestIDs
	// refused is the answer, and exposed the one to a request that holds a credential.
	refused, exposed *problem.Error
	// fields and parameters are where credentials stand.
	fields, parameters []string
}

// ServePlain answers on the listener of plain HTTP until the context ends: challenges of ACME, and to everything else where the
// API is. It reads no body.
func (s *Server) ServePlain(ctx context.Context, listener net.Listener) error {
	where := "the API is spoken over https alone, at " + s.config.Issuer
	p := &plain{
		headers: newSecurityHeaders(), ids: &requestIDs{random: bufio.NewReader(s.config.Random)},
		refused: problem.TransportInsecure.New(where),
		exposed: problem.TransportInsecure.New(where + ": this request has shown its credential to the network, so replace that"),
		fields:  []string{"Authorization", "Cookie"},
	}
	for _, scheme := range api.Schemes(authenticators{}) {
		switch scheme.In {
		case "header":
			p.fields = append(p.fields, http.CanonicalHeaderKey(scheme.Param))
		case "query":
			p.parameters = append(p.parameters, scheme.Param)
		}
	}
	limits := s.config.Limits
	var answer http.Handler = p
	if c, ok := s.config.Certificates.(interface {
		Challenges(http.Handler) http.Handler
	}); ok {
		answer = c.Challenges(p)
	}
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p.headers.set(w.Header())
			w.Header()["Connection"] = []string{"close"}
			// Nobody reads the body. Without this net/http would wait for the end of it before it closes the connection.
			_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
			answer.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout:            limits.ReadHeaderTimeout,
		ReadTimeout:                  limits.ReadTimeout,
		WriteTimeout:                 limits.WriteTimeout,
		MaxHeaderBytes:               limits.HeaderBytes,
		DisableGeneralOptionsHandler: true, // it would answer "OPTIONS *" by itself, without a header
		ErrorLog:                     slog.NewLogLogger(s.config.Log.Handler(), slog.LevelWarn),
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(s.connections.on(listener)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (p *plain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, err := p.ids.next()
	if err != nil {
		id = ""
	}
	w.Header()["X-Request-Id"] = []string{id}
	e := p.refused
	if p.holdsCredential(r) {
		e = p.exposed
	}
	_ = e.Write(w, id, problem.Details) // the client may have gone
}

func (p *plain) holdsCredential(r *http.Request) bool {
	for _, field := range p.fields {
		if len(r.Header[field]) > 0 {
			return true
		}
	}
	query, _ := url.ParseQuery(r.URL.RawQuery) // what can be read of it
	for _, name := range p.parameters {
		if query.Has(name) {
			return true
		}
	}
	return false
}
