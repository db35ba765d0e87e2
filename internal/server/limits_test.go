package server_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/gatehouse/gen/client"
)

// from serves a request as if it came from the address, without a connection. It is for what takes many requests.
func (s *service) from(address, method, target string, fields ...string) int {
	r := httptest.NewRequest(method, target, nil)
	r.RemoteAddr = address
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w.Code
}

// here is the address of the tests' own connections.
const here = "127.0.0.1:1"

func (s *service) spend(t *testing.T, n, status int, address, method, target string, fields ...string) {
	t.Helper()
	for i := range n {
		if got := s.from(address, method, target, fields...); got != status {
			t.Fatalf("request %d: %d, want %d", i+1, got, status)
		}
	}
}

// hit demands a 429 with every field that belongs to it.
func hit(t *testing.T, got answer, policy, limit, retryAfter string) {
	t.Helper()
	if got.status != http.StatusTooManyRequests {
		t.Fatalf("%d, want 429: %s", got.status, got.body)
	}
	for name, want := range map[string]string{"RateLimit-Policy": policy, "RateLimit": limit, "Retry-After": retryAfter} {
		if value := got.header.Get(name); value != want {
			t.Errorf("%s: %s, want %s", name, value, want)
		}
	}
}

// TestOverTheLimitByAddress: a refusal counts, and so does what no operation answers. Once the limit is hit it stops
// all requests of the address, whatever they say.
func TestOverTheLimitByAddress(t *testing.T) {
	s := start(t)
	s.spend(t, 300, 401, here, "GET", "/protected")
	s.spend(t, 298, 404, here, "GET", "/no/such/path")
	s.spend(t, 1, 405, here, "LOCK", "/items")
	s.spend(t, 1, 204, here, "OPTIONS", "/items") // which the router answers by itself
	key := []string{"X-API-Key", s.apiKey}
	for _, tt := range []struct {
		name, method, target string
		fields               []string
	}{
		{"the same again", "GET", "/protected", nil},
		{"with a good credential", "GET", "/protected", key},
		{"another operation", "GET", "/items", key},
		{"a path that does not exist", "GET", "/no/such/path", nil},
		{"a method that does not exist", "LOCK", "/items", nil},
		{"OPTIONS", "OPTIONS", "/items", nil},
		{"the documentation", "GET", "/docs", nil},
		{"another address in X-Forwarded-For", "GET", "/protected", []string{"X-Forwarded-For", "192.0.2.1"}},
		{"another address in X-Real-IP", "GET", "/protected", []string{"X-Real-IP", "192.0.2.1"}},
		{"another address in Forwarded", "GET", "/protected", []string{"Forwarded", "for=192.0.2.1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := s.handled.Load()
			got := s.send(t, tt.method, tt.target, "", tt.fields...)
			hit(t, got, `"address";q=600;w=60`, `"address";r=0;t=1`, "1")
			for _, text := range []string{`"type":"https://iana.org/assignments/http-problem-types#quota-exceeded"`, `"violated-policies":["address"]`, `"detail":"repeat after 1 seconds"`} {
				if !strings.Contains(string(got.body), text) {
					t.Errorf("the body lacks %s: %s", text, got.body)
				}
			}
			if s.handled.Load() != before {
				t.Error("the handler was reached")
			}
		})
	}
	t.Run("probes have no limit", func(t *testing.T) {
		s.spend(t, 50, 200, here, "GET", "/livez")
		s.spend(t, 50, 200, here, "GET", "/readyz")
	})
	t.Run("the token endpoint has its own", func(t *testing.T) {
		if got := s.send(t, "POST", "/token", "", "Content-Type", formType); got.status != 400 {
			t.Errorf("%d, want 400", got.status)
		}
	})
	t.Run("another address is not meant", func(t *testing.T) {
		s.spend(t, 5, 401, "192.0.2.7:1", "GET", "/protected")
	})
	t.Run("a tenth of a second brings one place back", func(t *testing.T) {
		s.clock.pass(100 * time.Millisecond)
		if got := s.send(t, "GET", "/protected", "", key...); got.status != 200 {
			t.Errorf("%d, want 200", got.status)
		}
		hit(t, s.send(t, "GET", "/protected", "", key...), `"address";q=600;w=60`, `"address";r=0;t=1`, "1")
	})
}

func TestLimitOfAnIPv6Network(t *testing.T) {
	s := start(t)
	for i := range 600 {
		address := "[2001:db8:1:2:" + strconv.FormatInt(int64(i), 16) + "::1]:1"
		if got := s.from(address, "GET", "/protected"); got != 401 {
			t.Fatalf("request %d: %d, want 401", i+1, got)
		}
	}
	for address, want := range map[string]int{
		"[2001:db8:1:2:ffff::1]:1": 429, "[2001:db8:1:2::]:1": 429, "[2001:db8:1:3::1]:1": 401, "[fe80::1%eth0]:1": 401, "10.0.0.1:1": 401, "[::ffff:10.0.0.1]:1": 401,
	} {
		if got := s.from(address, "GET", "/protected"); got != want {
			t.Errorf("%s: %d, want %d", address, got, want)
		}
	}
}

// TestLimitByKey: one key cannot spend all that its owner has.
func TestLimitByKey(t *testing.T) {
	s := start(t)
	other := s.newPerson("other", "items:read")
	for i := range 300 {
		if got := s.from("10.1."+strconv.Itoa(i/250)+"."+strconv.Itoa(i%250)+":1", "GET", "/protected", "X-API-Key", s.apiKey); got != 200 {
			t.Fatalf("request %d: %d, want 200", i+1, got)
		}
	}
	got := s.send(t, "GET", "/protected", "", "X-API-Key", s.apiKey)
	hit(t, got, `"key";q=300;w=60`, `"key";r=0;t=1`, "1")
	if !strings.Contains(string(got.body), `"violated-policies":["key"]`) {
		t.Errorf("%s", got.body)
	}
	if got := s.send(t, "GET", "/protected", "", "X-API-Key", other.apiKey); got.status != 200 || got.header.Get("Ratelimit") != "" {
		t.Errorf("the key of another: %d, %s", got.status, got.header.Get("Ratelimit"))
	}
	// Its owner is told how little is left, since that is less than half.
	if got := s.send(t, "GET", "/protected", "", "Authorization", "Bearer "+s.token()); got.status != 200 || got.header.Get("Ratelimit") != `"principal";r=298;t=31` {
		t.Errorf("its owner by a token: %d, %s", got.status, got.header.Get("Ratelimit"))
	}
}

// TestLimitByPrincipal: many addresses of one caller are one caller, by whatever credential.
func TestLimitByPrincipal(t *testing.T) {
	s := start(t)
	other := s.newPerson("other", "items:read")
	for i := range 600 {
		address := "10.1." + strconv.Itoa(i/250) + "." + strconv.Itoa(i%250) + ":1"
		fields := []string{"Authorization", "Bearer " + s.token()}
		if i%4 == 0 { // a key has half of what its owner has
			fields = []string{"X-API-Key", s.apiKey}
		}
		if got := s.from(address, "GET", "/protected", fields...); got != 200 {
			t.Fatalf("request %d: %d, want 200", i+1, got)
		}
	}
	before := s.handled.Load()
	got := s.send(t, "GET", "/protected", "", "X-API-Key", s.apiKey)
	hit(t, got, `"principal";q=600;w=60`, `"principal";r=0;t=1`, "1")
	if !strings.Contains(string(got.body), `"violated-policies":["principal"]`) {
		t.Errorf("%s", got.body)
	}
	hit(t, s.send(t, "POST", "/items", `{"name":`, "X-API-Key", s.apiKey, "Content-Type", "application/json"), `"principal";q=600;w=60`, `"principal";r=0;t=1`, "1")
	if s.handled.Load() != before {
		t.Error("the handler was reached")
	}
	for _, e := range []expectation{
		bad("/protected/api-key", []string{keyChallenge}, "X-API-Key", "nobody's").named("a bad credential is nobody's"),
		good("/protected", "apiKeyHeader", "X-API-Key", other.apiKey).named("another caller"),
		{name: "an anonymous caller", target: "/protected/optional", status: 200},
	} {
		t.Run(e.name, func(t *testing.T) { e.run(t, s) })
	}
}

func TestLimitOfTheTokenEndpoint(t *testing.T) {
	s := start(t)
	body := s.tokenForm().Encode()
	for i := range 60 {
		if got := s.send(t, "POST", "/token", body, "Content-Type", formType); got.status != 200 {
			t.Fatalf("login %d: %d", i+1, got.status)
		}
	}
	hashes := s.Users().Hashes()
	for name, body := range map[string]string{"a good form": body, "a bad form": "grant_type=x", "no form": ""} {
		t.Run(name, func(t *testing.T) {
			got := s.send(t, "POST", "/token", body, "Content-Type", formType)
			hit(t, got, `"token";q=60;w=60`, `"token";r=0;t=1`, "1")
			if want := `{"error":"temporarily_unavailable","error_description":"repeat after 1 seconds"}`; string(got.body) != want {
				t.Errorf("%s, want %s", got.body, want)
			}
		})
	}
	if n := s.Users().Hashes() - hashes; n != 0 {
		t.Errorf("%d hashes were computed", n)
	}
}

// TestTheEleventhWrongPassword is refused without a hash, for a user who exists and for one who does not, at both
// places that take passwords, which count together.
func TestTheEleventhWrongPassword(t *testing.T) {
	for _, name := range []string{"dev", "nobody-here"} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			bearers := s.newPerson("somebody", "items:read")
			form := s.tokenForm("username", name, "password", canary+canary).Encode()
			hashes := s.Users().Hashes()
			for i := range 10 {
				if i%2 == 0 {
					bad("/protected/basic", []string{basicChallenge}, "Authorization", basic(name, canary+canary)).run(t, s)
				} else if got := s.send(t, "POST", "/token", form, "Content-Type", formType); got.status != 400 {
					t.Fatalf("wrong password %d: %d %s", i+1, got.status, got.body)
				}
			}
			if n := s.Users().Hashes() - hashes; n != 10 {
				t.Errorf("ten wrong passwords took %d hashes", n)
			}
			hashes = s.Users().Hashes()
			basicAnswer := s.send(t, "GET", "/protected/basic", "", "Authorization", basic(name, canary+canary))
			hit(t, basicAnswer, `"login";q=10;w=60`, `"login";r=0;t=6`, "6")
			if !strings.Contains(string(basicAnswer.body), `"violated-policies":["login"]`) {
				t.Errorf("%s", basicAnswer.body)
			}
			tokenAnswer := s.send(t, "POST", "/token", form, "Content-Type", formType)
			hit(t, tokenAnswer, `"login";q=10;w=60`, `"login";r=0;t=6`, "6")
			if !strings.Contains(string(tokenAnswer.body), `{"error":"temporarily_unavailable"`) {
				t.Errorf("%s", tokenAnswer.body)
			}
			hit(t, s.send(t, "GET", "/protected/basic", "", "Authorization", basic(name, s.password)), `"login";q=10;w=60`, `"login";r=0;t=6`, "6")
			if n := s.Users().Hashes() - hashes; n != 0 {
				t.Errorf("%d hashes were computed over the limit", n)
			}
			good("/protected/basic", "basic", "Authorization", basic(bearers.name, bearers.password)).run(t, s) // another name
			if want := map[bool]int{true: 200, false: 401}[name == s.user]; s.from("192.0.2.7:1", "GET", "/protected/basic", "Authorization", basic(name, s.password)) != want {
				t.Errorf("another address does not get %d", want)
			}
			s.clock.pass(6 * time.Second)
			if got := s.send(t, "GET", "/protected/basic", "", "Authorization", basic(name, canary)); got.status != 401 {
				t.Errorf("after the wait: %d, want 401", got.status)
			}
			hit(t, s.send(t, "GET", "/protected/basic", "", "Authorization", basic(name, canary)), `"login";q=10;w=60`, `"login";r=0;t=6`, "6")
		})
	}
}

// TestGoodPasswordsAreNotCounted: only failures are.
func TestGoodPasswordsAreNotCounted(t *testing.T) {
	s := start(t)
	for range 25 {
		good("/protected/basic", "basic", "Authorization", basic(s.user, s.password)).run(t, s)
		s.clock.pass(31 * time.Second) // what is remembered of a login ends
		r, err := s.api.CreateTokenWithFormdataBodyWithResponse(context.Background(), client.TokenRequest{GrantType: client.TokenRequestGrantTypePassword, Username: &s.user, Password: &s.password})
		if err != nil || r.StatusCode() != 200 {
			t.Fatal(err, r.StatusCode())
		}
	}
}

// TestParallelWrongPasswords: the place is taken before the hash, so that many at once run no more hashes than there
// are places, and nothing but 401 and 429 comes out.
func TestParallelWrongPasswords(t *testing.T) {
	s := start(t)
	hashes := s.Users().Hashes()
	var refused, limited, others atomic.Int64
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			switch s.from(here, "GET", "/protected/basic", "Authorization", basic(s.user, canary+strconv.Itoa(i))) {
			case 401:
				refused.Add(1)
			case 429:
				limited.Add(1)
			default:
				others.Add(1)
			}
		})
	}
	wait.Wait()
	if n := s.Users().Hashes() - hashes; n != 10 || refused.Load() != 10 || limited.Load() != 40 || others.Load() != 0 {
		t.Errorf("%d hashes, %d refused, %d limited, %d others", n, refused.Load(), limited.Load(), others.Load())
	}
}
