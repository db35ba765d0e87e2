package server

import (
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/problem"
)

// metrics are what the service counts for Prometheus, in a registry of its own. No client can make a name: operations, schemes and limits
// are those of the document, reasons and outcomes are closed lists, and everything else is "other". What a request needs is found when
// the service starts: counting one costs some atomic additions and allocates nothing.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	// unrouted counts the requests that no operation answers.
	unrouted *operationMeter
	inFlight atomic.Int64
	schemes  *prometheus.CounterVec
	limits   map[string]prometheus.Counter
	hashWait prometheus.Histogram
}

// unnamed stands for everything that has no name of its own.
const unnamed = "other"

// newMetrics returns metrics that count the refusals of the named limits.
func newMetrics(limits []string) *metrics {
	m := &metrics{
		registry: prometheus.NewPedanticRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_http_requests_total",
			Help: "Requests that were answered, by operation and status code. Operation other: none matched. Code aborted: the connection was ended.",
		}, []string{"operation", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "gatehouse_http_request_duration_seconds",
			Help:    "How long requests took, from their head to the end of the answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"operation"}),
		schemes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_credentials_total",
			Help: "Credentials by security scheme, and what became of them. Scope_missing is counted beside good.",
		}, []string{"scheme", "outcome", "reason"}),
		limits: map[string]prometheus.Counter{},
		hashWait: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "gatehouse_hash_wait_seconds",
			Help:    "How long password hashes waited for others.",
			Buckets: []float64{.001, .01, .05, .1, .25, .5, 1, 2.5},
		}),
	}
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "gatehouse_rate_limited_total",
		Help: "Requests that were refused because of a rate limit, by its name. One that ran into several counts for each.",
	}, []string{"limit"})
	for _, name := range append(limits, unnamed) {
		m.limits[name] = refused.WithLabelValues(name)
	}
	m.unrouted = m.operation(unnamed)
	m.registry.MustRegister(m.requests, m.duration, m.schemes, refused, m.hashWait, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "gatehouse_http_requests_in_flight",
		Help: "Requests whose head has arrived and whose answer has not left, those that wait for a body or a place among them.",
	}, func() float64 { return float64(m.inFlight.Load()) }))
	return m
}

// Operation returns what counts the requests of an operation.
func (m *metrics) Operation(id string) guard.OperationMeter { return m.operation(id) }

func (m *metrics) operation(id string) *operationMeter {
	return &operationMeter{operation: id, requests: m.requests, duration: m.duration.WithLabelValues(id)}
}

// operationMeter counts the requests of one operation. The counter of a status is made when the status first occurs: of most operations
// most never do.
type operationMeter struct {
	operation string
	requests  *prometheus.CounterVec
	duration  prometheus.Observer
	codes     [lastCode - firstCode + 2]atomic.Pointer[prometheus.Counter]
}

// The codes that are told apart. All others are "other", but for 0, which stands for an answer that was not given.
const (
	firstCode = 200
	lastCode  = 510
)

// Answered counts a request.
func (o *operationMeter) Answered(status int, took time.Duration) {
	o.duration.Observe(took.Seconds())
	slot := len(o.codes) - 1
	if status >= firstCode && status <= lastCode {
		slot = status - firstCode
	}
	counter := o.codes[slot].Load()
	if counter == nil {
		made := o.requests.WithLabelValues(o.operation, codeLabel(slot+firstCode)) // of two that come at once both get the same
		counter = &made
		o.codes[slot].Store(counter)
	}
	(*counter).Inc()
}

func codeLabel(status int) string {
	if status > lastCode {
		return "aborted"
	}
	return strconv.Itoa(status)
}

// Scheme returns what counts the credentials of a security scheme.
func (m *metrics) Scheme(name string) guard.SchemeMeter {
	s := &schemeMeter{}
	for _, outcome := range guard.Outcomes() {
		reasons := []auth.Reason{auth.Unspecified}
		if outcome == guard.Bad {
			reasons = auth.Reasons()
		}
		for _, reason := range reasons {
			label := ""
			if outcome == guard.Bad {
				label = reason.String()
			}
			s[outcome][reason] = m.schemes.WithLabelValues(name, outcome.String(), label)
		}
	}
	return s
}

// schemeMeter counts by outcome and reason.
type schemeMeter [guard.ScopeMissing + 1][auth.Ended + 1]prometheus.Counter

// Judged counts a credential.
func (s *schemeMeter) Judged(o guard.Outcome, reason auth.Reason) { s[o][reason].Inc() }

// begin counts a request whose head has arrived, and end one that was answered. Status is 0 where the connection was ended instead.
func (m *metrics) begin() { m.inFlight.Add(1) }

func (m *metrics) end(s *guard.State, status int, took time.Duration) {
	m.inFlight.Add(-1)
	if meter := s.Meter(); meter != nil {
		meter.Answered(status, took)
		return
	}
	m.unrouted.Answered(status, took)
}

// limited counts a request that was refused because of limits.
func (m *metrics) limited(limits []problem.Limit) {
	for i := range limits {
		counter, known := m.limits[limits[i].Name]
		if !known {
			counter = m.limits[unnamed]
		}
		counter.Inc()
	}
}

// limitNames are the names of all limits there are.
func limitNames(l Limits) []string {
	names := append(l.Accounts().Names(), l.BadCredentials.Name)
	limits := api.DefaultLimits()
	for _, op := range api.Operations() {
		limits = append(limits, op.Limits...)
	}
	for _, l := range limits {
		names = append(names, l.Limit.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
