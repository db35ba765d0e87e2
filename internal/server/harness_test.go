package server_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"example.com/gatehouse/gen/client"
	"example.com/gatehouse/internal/accounts"
	"example.com/gatehouse/internal/apikeys"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/mail"
	"example.com/gatehouse/internal/oauth"
	"example.com/gatehouse/internal/server"
)

// canary stands in what tests submit. No refusal may hold it.
const canary = "kanarie7"

// The challenges of the service.
const (
	basicChallenge        = `Basic realm="gatehouse", charset="UTF-8"`
	bearerChallenge       = `Bearer realm="gatehouse"`
	keyChallenge          = `APIKey realm="gatehouse"`
	invalidTokenChallenge = `Bearer realm="gatehouse", error="invalid_token", error_description="the token is not valid"`
)

// What the service says to a caller that it does not let in.
const (
	noCredential  = "this operation needs a credential"
	badCredential = "the credential is not valid"
)

// service is the real server on loopback, with a real SQLite file.
type service struct {
	*server.Server
	t                      *testing.T
	base, address          string
	config                 server.Config
	user, password, apiKey string // of dev.env
	userID                 string
	clientID, clientSecret string // of a confidential OAuth client
	clock                  *clock
	handled                atomic.Int64                             // how many requests reached a handler
	slow                   atomic.Pointer[func(operationID string)] // what a handler waits for before it works
	access, log            *journal
	stop                   func()

	client *http.Client // each of its responses is held against openapi.yaml
	api    *client.ClientWithResponses

	mu      sync.Mutex
	secrets map[string]bool // every credential that was sent
}

// start runs the service as --dev does, with a clock that stands until it is moved.
func start(t *testing.T, change ...func(*server.Config)) *service {
	t.Helper()
	s := &service{
		t: t, access: &journal{}, log: &journal{}, secrets: map[string]bool{},
		clock: &clock{now: time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)},
	}
	dir := t.TempDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	s.base = "http://" + s.address
	s.config = server.Config{
		Development: true, Docs: true, Data: dir, Database: filepath.Join(dir, "gatehouse.db"), Secret: newSecret(t),
		Issuer: s.base, Log: slog.New(slog.NewJSONHandler(s.log, nil)), AccessLog: s.access, Now: s.clock.Now, Random: rand.Reader,
		CheckResponses: true, PasswordGrant: true,
		Mail:         &mail.Folder{Path: filepath.Join(dir, "mail"), From: "Gatehouse <gatehouse@example.com>", Now: s.clock.Now, Random: rand.Reader},
		Registration: true, AccountPage: "https://app.example.com/account",
	}
	for _, f := range change {
		f(&s.config)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.Server, err = server.NewCounted(ctx, s.config, func(operationID string) {
		s.handled.Add(1)
		if wait := s.slow.Load(); wait != nil {
			(*wait)(operationID)
		}
	})
	if err != nil {
		cancel()
		listener.Close()
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, listener) }()
	transport := &http.Transport{DisableCompression: true}
	s.stop = sync.OnceFunc(func() {
		transport.CloseIdleConnections()
		cancel()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) && err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		s.checkLogs()
	})
	t.Cleanup(s.stop)
	s.client = &http.Client{
		Transport:     &contract{service: s, document: openapi(t), next: transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       time.Minute,
	}
	if s.api, err = client.NewClientWithResponses(s.base, client.WithHTTPClient(s.client)); err != nil {
		t.Fatal(err)
	}
	if s.config.Development {
		env := readEnv(t, filepath.Join(s.config.Data, "dev.env"))
		s.user, s.password, s.apiKey = env["GATEHOUSE_USER"], env["GATEHOUSE_PASSWORD"], env["GATEHOUSE_API_KEY"]
		s.secrets[s.password], s.secrets[s.apiKey] = true, true
		s.userID = s.idOf(s.user)
	}
	made, secret, err := s.Clients().Create(ctx, oauth.NewClient{Name: "a service", Method: oauth.MethodSecret, GrantTypes: []string{oauth.GrantClientCredentials}, Scopes: auth.NewScopes("items:read")})
	if err != nil {
		t.Fatal(err)
	}
	s.clientID, s.clientSecret = made.ID, secret.Reveal()
	s.secrets[s.clientSecret] = true
	return s
}

func newSecret(t *testing.T) auth.Secret {
	t.Helper()
	file, err := server.MakeDevelopmentSecret(t.TempDir(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := server.ReadSecret(file, true)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// readEnv reads what a shell would export.
func readEnv(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSuffix(line, "'\n"), "export "), "='")
		if !ok || value == "" {
			t.Fatalf("%s has a line that a shell does not take as an export", file)
		}
		env[name] = value
	}
	return env
}

// checkLogs fails the test where a credential that was sent stands in a log.
func (s *service) checkLogs() {
	logs := s.access.String() + s.log.String()
	for secret := range s.secrets {
		if strings.Contains(logs, secret) {
			s.t.Errorf("the log holds the credential %q", secret)
		}
	}
}

func (s *service) idOf(username string) string {
	s.t.Helper()
	var id string
	if err := s.DB().Reader().QueryRowContext(context.Background(), `SELECT id FROM users WHERE username = $1`, username).Scan(&id); err != nil {
		s.t.Fatal(err)
	}
	return id
}

// items is how many items the database holds.
func (s *service) items() (n int) {
	s.t.Helper()
	if err := s.DB().Reader().QueryRowContext(context.Background(), `SELECT count(*) FROM items`).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// person is a second user.
type person struct{ id, name, password, apiKey string }

// newPerson makes a user with the roles that hold the scopes, none for none, and an API key with just them.
func (s *service) newPerson(name string, scopes ...string) person {
	s.t.Helper()
	var roles []string
	if len(scopes) > 0 {
		roles = []string{"member"}
	}
	if slices.Contains(scopes, "admin") {
		roles = append(roles, "admin")
	}
	p := person{name: name, password: name + "'s own: pässwörd!"}
	user, err := s.Users().Create(context.Background(), accounts.NewUser{Username: name, Password: auth.Secret(p.password), Roles: roles})
	if err != nil {
		s.t.Fatal(err)
	}
	key, _, err := s.Keys().Create(context.Background(), apikeys.NewKey{OwnerID: user.ID, Name: "test", Scopes: auth.NewScopes(scopes...)})
	if err != nil {
		s.t.Fatal(err)
	}
	p.id, p.apiKey = user.ID, key.Reveal()
	return p
}

// newKey makes another key of the user.
func (s *service) newKey(owner string, scopes ...string) string {
	s.t.Helper()
	key, _, err := s.Keys().Create(context.Background(), apikeys.NewKey{OwnerID: owner, Name: "test", Scopes: auth.NewScopes(scopes...)})
	if err != nil {
		s.t.Fatal(err)
	}
	return key.Reveal()
}

// tokens are those of a login of the development user.
type tokens struct {
	access, refresh string
	session         uuid.UUID
}

func (s *service) logIn() tokens {
	s.t.Helper()
	r, err := s.api.CreateTokenWithFormdataBodyWithResponse(context.Background(), client.TokenRequest{GrantType: client.TokenRequestGrantTypePassword, Username: &s.user, Password: &s.password})
	if err != nil {
		s.t.Fatal(err)
	}
	if r.JSON200 == nil {
		s.t.Fatalf("the login: %s", r.Body)
	}
	s.secrets[r.JSON200.AccessToken], s.secrets[*r.JSON200.RefreshToken] = true, true
	list, err := s.api.ListSessionsWithResponse(context.Background(), bearerAuth(r.JSON200.AccessToken))
	if err != nil || list.JSON200 == nil {
		s.t.Fatalf("the sessions: %v, %s", err, list.Body)
	}
	i := slices.IndexFunc(list.JSON200.Sessions, func(x client.Session) bool { return x.Current })
	return tokens{r.JSON200.AccessToken, *r.JSON200.RefreshToken, list.JSON200.Sessions[i].Id}
}

// claims are those of a good token of the development user. A nil value takes a claim away.
func (s *service) claims(changes ...jwt.MapClaims) jwt.MapClaims {
	now := s.clock.Now()
	c := jwt.MapClaims{
		"iss": s.config.Issuer, "aud": s.config.Issuer, "sub": s.userID, "client_id": "first-party", "jti": "test-" + rand.Text(),
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "scope": "items:read items:write users:read users:write",
	}
	for _, change := range changes {
		maps.Copy(c, change)
	}
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

// token signs claims as the service does, with its own key.
func (s *service) token(changes ...jwt.MapClaims) string {
	s.t.Helper()
	kid, private, err := s.SigningKey(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, s.claims(changes...))
	token.Header["typ"], token.Header["kid"] = "at+jwt", kid
	signed, err := token.SignedString(private)
	if err != nil {
		s.t.Fatal(err)
	}
	return signed
}

// field sets a header field of a request of the generated client.
func field(name, value string) client.RequestEditorFn {
	return func(_ context.Context, r *http.Request) error {
		r.Header.Set(name, value)
		return nil
	}
}

func bearerAuth(token string) client.RequestEditorFn { return field("Authorization", "Bearer "+token) }

func scope(names string) jwt.MapClaims { return jwt.MapClaims{"scope": names} }

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// answer is a response that has been read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send makes a request. fields are names and values of header fields in turn.
func (s *service) send(t *testing.T, method, target, body string, fields ...string) answer {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r, err := http.NewRequest(method, s.base+target, reader)
	if err != nil {
		t.Fatal(err)
	}
	r.Header["User-Agent"] = nil
	for i := 0; i < len(fields); i += 2 {
		r.Header[http.CanonicalHeaderKey(fields[i])] = append(r.Header[http.CanonicalHeaderKey(fields[i])], fields[i+1])
	}
	return s.do(t, r)
}

func (s *service) do(t *testing.T, r *http.Request) answer {
	t.Helper()
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, response)
}

func read(t *testing.T, response *http.Response) answer {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, body}
}

// clock stands until it is moved. Limits fill and tokens end by it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// journal is a log in memory.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}
