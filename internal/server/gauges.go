package server

import (
	"math"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"example.com/gatehouse/internal/sqldb"
)

// gauges registers what is read from the parts of the service when somebody asks.
func (s *Server) gauges() {
	s.metrics.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), newDatabasePools(s.db), buildInfo())

	s.gauge("gatehouse_requests_in_work", "Requests that have a place: whose caller is being proven, or whose handler works.", func() float64 { n, _, _ := s.gate.state(); return float64(n) })
	s.gauge("gatehouse_requests_waiting", "Requests that wait for a place.", func() float64 { _, n, _ := s.gate.state(); return float64(n) })
	s.gauge("gatehouse_requests_in_work_limit", "How many requests can have a place.", func() float64 { return float64(s.gate.places) })
	s.gauge("gatehouse_connections", "Clients that are connected.", func() float64 { n, _ := s.connections.state(); return float64(n) })
	s.gauge("gatehouse_connections_limit", "How many clients can be connected.", func() float64 { return float64(s.connections.most) })
	const shed, help = "gatehouse_shed_total", "Requests and connections that were turned away for want of room: too many requests at work, connections, connections of one client, or logins and password hashes."
	s.counter(shed, help, "requests", func() float64 { _, _, n := s.gate.state(); return float64(n) })
	s.counter(shed, help, "connections", func() float64 { _, n := s.connections.state(); return float64(n.all) })
	s.counter(shed, help, "client_connections", func() float64 { _, n := s.connections.state(); return float64(n.client) })
	s.counter(shed, help, "logins", func() float64 { return float64(s.users.Load().Refused) })

	s.gauge("gatehouse_logins", "Requests that are about to prove a password.", func() float64 { return float64(s.users.Load().Logins) })
	s.gauge("gatehouse_hashes_running", "Password hashes that are computed.", func() float64 { return float64(s.users.Load().Running) })
	s.gauge("gatehouse_hashes_waiting", "Password hashes that wait for others.", func() float64 { return float64(s.users.Load().Waiting) })

	s.gauge("gatehouse_revocation_lag_seconds", "How long ago it was last read what ended in other processes.", func() float64 { return s.revocationLag().Seconds() })
	s.gauge("gatehouse_signing_key_age_seconds", "For how long the signing key signs; not a number where there is none.", func() float64 {
		if age, ok := s.signingKeyAge(); ok {
			return age.Seconds()
		}
		return math.NaN()
	})
	s.gauge("gatehouse_draining", "1 from the moment that the service is told to end.", func() float64 { return bit(s.health.draining.Load()) })
	if s.mail != nil {
		s.gauge("gatehouse_mails_waiting", "Mails that are neither sent nor lost.", func() float64 { return float64(s.mail.Held()) })
	}
	if shared := s.shared; shared != nil {
		s.gauge("gatehouse_limiter_degraded", "1 while rate limits are counted by each process for itself, because Redis does not answer.", func() float64 { return bit(shared.Degraded()) })
		s.metrics.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "gatehouse_limiter_losses_total", Help: "How often Redis was lost, so that rate limits were counted by each process for itself.",
		}, func() float64 { return float64(shared.Losses()) }))
	}
	if c := s.config.Certificates; c != nil {
		s.gauge("gatehouse_tls_certificate_expiry_timestamp_seconds", "When the first certificate ends, in seconds since 1970; not a number where there is none yet.", func() float64 {
			if end := c.Expiry(); !end.IsZero() {
				return float64(end.Unix())
			}
			return math.NaN()
		})
	}
}

func (s *Server) gauge(name, help string, value func() float64) {
	s.metrics.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

func (s *Server) counter(name, help, cause string, value func() float64) {
	s.metrics.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: prometheus.Labels{"cause": cause}}, value))
}

func bit(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// revocationLag is how long ago it was last read what ended in other processes.
func (s *Server) revocationLag() time.Duration {
	return s.config.Now().Sub(time.Unix(0, s.refreshed.Load()))
}

// signingKeyAge is for how long the signing key signs.
func (s *Server) signingKeyAge() (age time.Duration, ok bool) {
	now := s.config.Now()
	since, ok := s.signing.SigningSince(now)
	return now.Sub(since), ok
}

// buildInfo says what runs: the version of the module, and of Go.
func buildInfo() prometheus.Collector {
	labels := prometheus.Labels{"version": "unknown", "revision": "unknown", "go_version": "unknown"}
	if info, ok := debug.ReadBuildInfo(); ok {
		labels["version"], labels["go_version"] = info.Main.Version, info.GoVersion
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				labels["revision"] = setting.Value
			}
		}
	}
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "gatehouse_build_info", Help: "Always 1: what was built, and with what.", ConstLabels: labels}, func() float64 { return 1 })
}

// databasePools tells of the connections to the database.
type databasePools struct {
	db                                    *sqldb.DB
	open, inUse, most, waits, waitSeconds *prometheus.Desc
}

func newDatabasePools(db *sqldb.DB) databasePools {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("gatehouse_database_"+name, help, []string{"pool"}, nil)
	}
	return databasePools{
		db:          db,
		open:        desc("connections", "Connections to the database."),
		inUse:       desc("connections_in_use", "Connections to the database that a query or a transaction has."),
		most:        desc("connections_limit", "How many connections to the database there can be."),
		waits:       desc("waits_total", "How often a connection to the database had to be waited for."),
		waitSeconds: desc("wait_seconds_total", "How long connections to the database were waited for."),
	}
}

// Describe tells what is told of each pool.
func (p databasePools) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{p.open, p.inUse, p.most, p.waits, p.waitSeconds} {
		out <- d
	}
}

// Collect tells of each pool.
func (p databasePools) Collect(out chan<- prometheus.Metric) {
	for _, pool := range p.db.Pools() {
		out <- prometheus.MustNewConstMetric(p.open, prometheus.GaugeValue, float64(pool.OpenConnections), pool.Name)
		out <- prometheus.MustNewConstMetric(p.inUse, prometheus.GaugeValue, float64(pool.InUse), pool.Name)
		out <- prometheus.MustNewConstMetric(p.most, prometheus.GaugeValue, float64(pool.MaxOpenConnections), pool.Name)
		out <- prometheus.MustNewConstMetric(p.waits, prometheus.CounterValue, float64(pool.WaitCount), pool.Name)
		out <- prometheus.MustNewConstMetric(p.waitSeconds, prometheus.CounterValue, pool.WaitDuration.Seconds(), pool.Name)
	}
}
