package guard_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/ratelimit"
	"github.com/labstack/echo/v4"
)

// The schemes of the hand-written tables.
const (
	basic = iota
	bearer
	keyBearer // reads the same header as bearer
	keyHeader
	keyQuery
	keyCookie
	certificate
)

var schemeNames = []string{"basic", "oauth2", "keyBearer", "keyHeader", "keyQuery", "keyCookie", "certificate"}

var errStoreDown = errors.New("the store at 10.1.2.3 does not answer")

// prove judges a credential by its text: "<scheme>-<subject>-<scopes>" is good; the rest are the other outcomes.
func prove(scheme, value string) (*auth.Principal, error) {
	switch {
	case value == "outage":
		return nil, errStoreDown
	case value == "gated":
		e := problem.QuotaExceeded.New("repeat after 7 seconds")
		e.RetryAfter = 7 * time.Second
		return nil, e
	case value == "nobody":
		return nil, nil
	case value == "nameless":
		return &auth.Principal{}, nil
	case value == "panic":
		panic("the authenticator is broken")
	}
	parts := strings.Split(value, "-")
	if len(parts) != 3 || parts[0] != scheme {
		return nil, fmt.Errorf("no such credential: %w", auth.ErrInvalidCredential)
	}
	return &auth.Principal{
		Subject: parts[1], Scopes: auth.NewScopes(strings.Split(parts[2], ".")...),
		IssuedAt: time.Unix(int64(len(scheme)), 0), ClientID: "client-of-" + scheme,
	}, nil
}

func schemes() []guard.Scheme {
	bearerOf := func(name string) func(context.Context, auth.BearerToken) (*auth.Principal, error) {
		return func(_ context.Context, t auth.BearerToken) (*auth.Principal, error) { return prove(name, t.Reveal()) }
	}
	keyOf := func(name string) func(context.Context, auth.APIKey) (*auth.Principal, error) {
		return func(_ context.Context, k auth.APIKey) (*auth.Principal, error) { return prove(name, k.Reveal()) }
	}
	return []guard.Scheme{
		{Name: "basic", Basic: func(_ context.Context, c auth.Basic) (*auth.Principal, error) {
			if c.Username == "" || c.Password == "" {
				return nil, auth.ErrInvalidCredential // a user has both; a public OAuth client has not
			}
			// It takes every other pair that a lenient parser would hand on, so that only the guard can refuse it.
			if p := c.Password.Reveal(); c.Username == "john" && (p == "pässwörd" || p == "p\xe4ssw\xf6rd" || p == "🔑🔑🔑🔑" ||
				p == "sec:ret" || strings.Contains(p, "secret")) {
				return &auth.Principal{Subject: "john", Scopes: auth.NewScopes("read")}, nil
			}
			return prove("basic", c.Password.Reveal())
		}},
		{Name: "oauth2", Bearer: func(ctx context.Context, t auth.BearerToken) (*auth.Principal, error) {
			if t.Reveal() == "slow" {
				<-ctx.Done()
				return nil, errors.New("the store was interrupted")
			}
			return prove("oauth2", t.Reveal())
		}},
		{Name: "keyBearer", Bearer: bearerOf("keyBearer")},
		{Name: "keyHeader", APIKey: keyOf("keyHeader"), In: "header", Param: "X-API-Key"},
		{Name: "keyQuery", APIKey: keyOf("keyQuery"), In: "query", Param: "api_key"},
		{Name: "keyCookie", APIKey: keyOf("keyCookie"), In: "cookie", Param: "api_key"},
		{Name: "certificate", MutualTLS: func(_ context.Context, c auth.ClientCertificate) (*auth.Principal, error) {
			return prove("certificate", c.Chain[0].Subject.CommonName)
		}},
	}
}

// entry stands for the outermost middleware of the server.
func entry(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		s := guard.NewState(c.Request().Context(), "00ff", netip.MustParseAddr("192.0.2.1"), time.Unix(1000, 0))
		s.Secure = c.Request().TLS != nil
		c.SetRequest(c.Request().WithContext(s))
		defer func() {
			if v := recover(); v != nil {
				err = problem.Internal.New("panic").Write(c.Response(), s.RequestID, problem.Details)
			}
		}()
		if err = next(c); err == nil {
			return nil
		}
		if he := (*echo.HTTPError)(nil); errors.As(err, &he) {
			return c.NoContent(he.Code)
		}
		if !s.BodyRead() && c.Request().ContentLength != 0 {
			c.Response().Header().Set("Connection", "close")
		}
		format := problem.Details
		if s.Operation() != nil {
			format = s.Operation().Errors
		}
		return problem.From(err).Write(c.Response(), s.RequestID, format)
	}
}

// service is a real server around a hand-written operation table.
type service struct {
	*httptest.Server
	// handled counts the requests that reached a handler.
	handled atomic.Int64
	// clients present a certificate each, by the common name in it.
	clients map[string]*http.Client
}

type settings struct {
	handler     echo.HandlerFunc // whoAmI where nil
	limiter     guard.Limiter
	schemes     []guard.Scheme
	tls         bool
	refuseBasic bool
	origins     *http.CrossOriginProtection
	check       bool // responses
	meter       guard.Meter
	gate        guard.Gate
	ungated     []string
	server      func(*http.Server)
}

func serve(t testing.TB, set settings, operations ...guard.Operation) *service {
	t.Helper()
	s := &service{clients: map[string]*http.Client{}}
	e := echo.New()
	e.Pre(entry)
	if set.limiter == nil {
		set.limiter = ratelimit.NewMemory(100)
	}
	if set.schemes == nil {
		set.schemes = schemes()
	}
	r := guard.New(guard.Config{
		Echo: e, Operations: operations, Schemes: set.schemes, Limiter: set.limiter, Realm: "gatehouse",
		AllowInsecureBasic: !set.refuseBasic, CrossOrigin: set.origins, CheckResponses: set.check,
		Meter: set.meter, Gate: set.gate, Ungated: set.ungated,
	})
	handler := set.handler
	if handler == nil {
		handler = whoAmI
	}
	for _, op := range operations {
		h := func(c echo.Context) error {
			s.handled.Add(1)
			return handler(c)
		}
		path := strings.NewReplacer(":", `\:`, "{", ":", "}", "").Replace(op.Path) // as the generated server does
		switch op.Method {
		case "GET":
			r.GET(path, h)
		case "POST":
			r.POST(path, h)
		case "PUT":
			r.PUT(path, h)
		case "DELETE":
			r.DELETE(path, h)
		case "HEAD":
			r.HEAD(path, h)
		case "OPTIONS":
			r.OPTIONS(path, h)
		default:
			t.Fatalf("the harness has no %s", op.Method)
		}
	}
	if err := r.Finish(); err != nil {
		t.Fatal(err)
	}
	s.Server = httptest.NewUnstartedServer(e)
	if set.server != nil {
		set.server(s.Config)
	}
	if set.tls {
		s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

// whoAmI answers what a handler sees of the caller.
func whoAmI(c echo.Context) error {
	p := auth.FromContext(c.Request().Context())
	if p == nil {
		return c.String(http.StatusOK, "anonymous")
	}
	return c.String(http.StatusOK, fmt.Sprintf("%s by %s with %s", p.Subject, strings.Join(p.Schemes, "+"), strings.Join(p.Scopes, ",")))
}

func basicAuth(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// answer is what came back.
type answer struct {
	status  int
	header  http.Header
	body    string
	problem map[string]any
	handled bool
}

// send makes a request whose header is exactly header: names as they stand, values in order.
func (s *service) send(t testing.TB, method, target, body string, header http.Header) answer {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r, err := http.NewRequest(method, s.URL+target, reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	return s.do(t, r)
}

func (s *service) do(t testing.TB, r *http.Request) answer {
	t.Helper()
	before := s.handled.Load()
	client := s.Client()
	if name := r.Header.Get(certificateOf); name != "" {
		r.Header.Del(certificateOf)
		client = s.clientWith(t, name)
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, body: string(text), handled: s.handled.Load() > before}
	if response.StatusCode >= 400 && len(text) > 0 {
		if err := json.Unmarshal(text, &a.problem); err != nil {
			t.Fatalf("the body of a %d is not JSON: %s", a.status, text)
		}
	}
	return a
}

// certificateOf is a field that is never sent: the client presents a certificate of that common name.
const certificateOf = "X-Test-Certificate"

// clientWith returns a client that presents a certificate of the common name.
func (s *service) clientWith(t testing.TB, name string) *http.Client {
	t.Helper()
	if s.clients[name] == nil {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
		if err != nil {
			t.Fatal(err)
		}
		transport := s.Client().Transport.(*http.Transport).Clone()
		transport.TLSClientConfig.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: private}}
		t.Cleanup(transport.CloseIdleConnections)
		s.clients[name] = &http.Client{Transport: transport}
	}
	return s.clients[name]
}

// header makes an http.Header of pairs; a name that occurs twice has two values.
func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

// get is the smallest operation: GET /x with the alternatives.
func get(security ...guard.Alternative) guard.Operation {
	return guard.Operation{ID: "getX", Method: "GET", Path: "/x", Security: security, QueryNames: []string{"api_key"}}
}

func needs(scheme int, scopes ...string) guard.Alternative {
	return guard.Alternative{{Scheme: scheme, Scopes: scopes}}
}

// both is one alternative that needs two schemes together.
func both(a, b guard.Alternative) guard.Alternative {
	return append(append(guard.Alternative{}, a...), b...)
}
