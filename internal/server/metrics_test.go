package server_test

import (
	"context"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"example.com/gatehouse/gen/api"
)

// TestMetricsTellWhatHappened compares what the service says it did with what was done.
func TestMetricsTellWhatHappened(t *testing.T) {
	a, on := withAdmin(t, "127.0.0.1:0")
	s := start(t, on)
	key, bearer := []string{"X-API-Key", s.apiKey}, func(changes ...jwt.MapClaims) []string {
		return []string{"Authorization", "Bearer " + s.token(changes...)}
	}
	revoked := s.logIn()
	if got := s.send(t, "DELETE", "/users/me/sessions/current", "", "Authorization", "Bearer "+revoked.access); got.status != 204 {
		t.Fatalf("%d", got.status)
	}
	other := s.newPerson("other", "items:read")
	forged := s.token()
	forged = forged[:len(forged)-8] + "AAAAAAAA"
	s.secrets[forged] = true
	for _, row := range []struct {
		name   string
		do     func() // what is done
		counts map[string]float64
	}{
		{"a token of a session that has ended", func() { s.send(t, "GET", "/protected/bearer", "", "Authorization", "Bearer "+revoked.access) }, bad1("oauth2", "ended")},
		{"a request that is answered", func() { s.send(t, "GET", "/protected", "", key...) }, map[string]float64{
			`gatehouse_http_requests_total{code="200",operation="getProtected"}`:          1,
			`gatehouse_http_request_duration_seconds_count{operation="getProtected"}`:     1,
			`gatehouse_credentials_total{outcome="good",reason="",scheme="apiKeyHeader"}`: 1,
			`gatehouse_credentials_total{outcome="absent",reason="",scheme="oauth2"}`:     1,
		}},
		{"another status", func() { s.send(t, "GET", "/items/7b9b0c60-3b5e-4c0e-9f3e-0d3f6a4f1a11", "", key...) }, map[string]float64{
			`gatehouse_http_requests_total{code="404",operation="getItem"}`: 1,
		}},
		{"HEAD is of the operation of GET", func() { s.send(t, "HEAD", "/livez", "") }, map[string]float64{
			`gatehouse_http_requests_total{code="200",operation="getLivez"}`: 1,
		}},
		{"paths that nobody knows are one", func() {
			for _, path := range []string{"/" + canary, "/items/x/y/z", "/metrics"} {
				s.send(t, "GET", path, "")
			}
		}, map[string]float64{`gatehouse_http_requests_total{code="404",operation="other"}`: 3}},
		{"methods that nobody knows are one", func() {
			s.send(t, "LOCK", "/items", "")
			s.send(t, strings.ToUpper(canary), "/items", "")
		}, map[string]float64{`gatehouse_http_requests_total{code="405",operation="other"}`: 2}},
		{"no credential", func() { s.send(t, "GET", "/protected/bearer", "") }, map[string]float64{
			`gatehouse_http_requests_total{code="401",operation="getProtectedBearer"}`: 1,
			`gatehouse_credentials_total{outcome="absent",reason="",scheme="oauth2"}`:  1,
		}},
		{"a token of no form", func() { s.send(t, "GET", "/protected/bearer", "", "Authorization", "Bearer cr3d"+canary) }, bad1("oauth2", "malformed")},
		{"a token that no parser may see", func() { s.send(t, "GET", "/protected/bearer", "", "Authorization", "Bearer a,b") }, bad1("oauth2", "malformed")},
		{"a forged token", func() { s.send(t, "GET", "/protected/bearer", "", "Authorization", "Bearer "+forged) }, bad1("oauth2", "forged")},
		{"an old token", func() {
			s.send(t, "GET", "/protected/bearer", "", bearer(jwt.MapClaims{"iat": s.clock.Now().Add(-time.Hour).Unix(), "exp": s.clock.Now().Add(-time.Minute).Unix()})...)
		}, bad1("oauth2", "expired")},
		{"a token of another issuer", func() {
			s.send(t, "GET", "/protected/bearer", "", bearer(jwt.MapClaims{"iss": "https://other.example.com"})...)
		}, bad1("oauth2", "misplaced")},
		{"a token for somebody else", func() {
			s.send(t, "GET", "/protected/bearer", "", bearer(jwt.MapClaims{"aud": "https://other.example.com"})...)
		}, bad1("oauth2", "misplaced")},
		{"a key of no form", func() { s.send(t, "GET", "/protected/api-key", "", "X-API-Key", "cr3d"+canary) }, bad1("apiKeyHeader", "malformed")},
		{"a wrong password", func() { s.send(t, "GET", "/protected/basic", "", "Authorization", basic(s.user, "cr3d"+canary)) }, map[string]float64{
			`gatehouse_credentials_total{outcome="bad",reason="unspecified",scheme="basic"}`: 1, "gatehouse_hash_wait_seconds_count": 1,
		}},
		{"a missing scope", func() {
			s.send(t, "POST", "/items", validNew, "X-API-Key", other.apiKey, "Content-Type", jsonType)
		}, map[string]float64{
			`gatehouse_credentials_total{outcome="scope_missing",reason="",scheme="apiKeyHeader"}`: 1,
			`gatehouse_credentials_total{outcome="good",reason="",scheme="apiKeyHeader"}`:          1,
			`gatehouse_http_requests_total{code="403",operation="createItem"}`:                     1,
		}},
		{"a limit of the document", func() { s.spend(t, 600, 404, "192.0.2.1:1", "GET", "/"); s.from("192.0.2.1:1", "GET", "/") }, map[string]float64{
			`gatehouse_rate_limited_total{limit="address"}`: 1, `gatehouse_http_requests_total{code="429",operation="other"}`: 1,
		}},
		{"a limit on failed logins", func() {
			for range 11 {
				s.from("192.0.2.2:1", "GET", "/protected/basic", "Authorization", basic("nobody-here", "cr3d"+canary))
			}
		}, map[string]float64{
			`gatehouse_rate_limited_total{limit="login"}`:                                    1,
			`gatehouse_credentials_total{outcome="bad",reason="unspecified",scheme="basic"}`: 10,
			`gatehouse_credentials_total{outcome="undecided",reason="",scheme="basic"}`:      1,
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s.clock.pass(time.Minute)
			before := a.scrape(t)
			row.do()
			after := a.scrape(t)
			for name, want := range row.counts {
				if got := after[name] - before[name]; got != want {
					t.Errorf("%s grew by %v, want %v", name, got, want)
				}
			}
			for name := range after {
				if strings.Contains(strings.ToLower(name), canary) {
					t.Errorf("a client has made the name %s", name)
				}
			}
		})
	}
	if got := a.scrape(t)["gatehouse_http_requests_in_flight"]; got != 0 {
		t.Errorf("%v requests are in flight at the end", got)
	}
}

// bad1 is one more bad credential.
func bad1(scheme, reason string) map[string]float64 {
	return map[string]float64{`gatehouse_credentials_total{outcome="bad",reason="` + reason + `",scheme="` + scheme + `"}`: 1}
}

// TestNamesOfMetrics: every value of a label comes from a closed list, so that nothing that a client sends makes the metrics grow.
func TestNamesOfMetrics(t *testing.T) {
	a, on := withAdmin(t, "127.0.0.1:0")
	s := start(t, on)
	first := a.scrape(t)
	for i := range 50 {
		s.clock.pass(time.Second)
		text := canary + strings.Repeat("x", i)
		s.send(t, "GET", "/"+text+"?"+text+"="+text, "", "Authorization", "Bearer cr3d"+text, "User-Agent", text, "X-Request-Id", text)
		s.send(t, "POST", "/items", `{"`+text+`":1}`, "X-API-Key", "cr3d"+text, "Content-Type", jsonType)
		s.send(t, strings.ToUpper(text), "/items", "")
	}
	names := map[string]bool{}
	for _, op := range api.Operations() {
		names[op.ID] = true
	}
	names["other"] = true
	labels := regexp.MustCompile(`operation="([^"]*)"`)
	second := a.scrape(t)
	for name := range second {
		if found := labels.FindStringSubmatch(name); found != nil && !names[found[1]] {
			t.Errorf("%s is of no operation", name)
		}
		if !regexp.MustCompile(`^(gatehouse_|go_|process_|promhttp_)`).MatchString(name) {
			t.Errorf("%s belongs to nobody", name)
		}
	}
	for _, name := range []string{
		"go_goroutines", "process_open_fds", "gatehouse_connections", "gatehouse_signing_key_age_seconds", "gatehouse_revocation_lag_seconds", "gatehouse_draining",
		"gatehouse_mails_waiting", "gatehouse_logins", "gatehouse_hashes_running", "gatehouse_hashes_waiting", `gatehouse_database_connections{pool="writer"}`,
		`gatehouse_shed_total{cause="connections"}`, `gatehouse_shed_total{cause="client_connections"}`, `gatehouse_shed_total{cause="logins"}`,
	} {
		if _, found := second[name]; !found {
			t.Errorf("%s is missing", name)
		}
	}
	// What is new are statuses that had not occurred.
	fresh := slices.DeleteFunc(slices.Sorted(maps.Keys(second)), func(name string) bool { _, old := first[name]; return old })
	if len(fresh) > 5 {
		t.Errorf("150 requests made %d new names: %v", len(fresh), fresh)
	}
}

// TestRevocationLag grows while the database does not answer.
func TestRevocationLag(t *testing.T) {
	a, on := withAdmin(t, "127.0.0.1:0")
	s := start(t, on)
	const lag = "gatehouse_revocation_lag_seconds"
	s.clock.pass(time.Hour)
	if err := s.Refresh(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := a.scrape(t)[lag]; got != 0 {
		t.Errorf("after a poll: %v", got)
	}
	if err := s.DB().Close(); err != nil {
		t.Fatal(err)
	}
	s.clock.pass(30 * time.Second)
	if err := s.Refresh(context.Background()); err == nil {
		t.Error("a poll without a database succeeds")
	}
	if got := a.scrape(t)[lag]; got != 30 {
		t.Errorf("without a database: %v", got)
	}
	if got := s.send(t, "GET", "/readyz", ""); got.status != http.StatusServiceUnavailable {
		t.Errorf("%d", got.status)
	}
}
