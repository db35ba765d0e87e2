package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// tokenCount is how many access tokens rotate. None of them is verified twice in a row.
const tokenCount = 256

// server is a server that runs, and what its callers hold.
type server struct {
	name    string
	address string
	core    string // "" for all of them
	cmd     *exec.Cmd
	tokens  []string // with every scope
	reader  string   // with items:read only
	apiKey  string
}

// start runs the program on the server's core, or on all, and waits until it answers. Its log goes to a file, because a
// server under load writes one, and a terminal would be measured with it.
func (s *server) start(ctx context.Context, dir string, env []string, program string, args ...string) error {
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	// Not ended by ctx, which would kill it: stop lets it drain.
	s.cmd = pinned(context.WithoutCancel(ctx), s.core, program, args...)
	s.cmd.Dir, s.cmd.Env, s.cmd.Stdout, s.cmd.Stderr = dir, append(os.Environ(), env...), log, log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if status, _, err := s.send(ctx, "GET", "/livez", nil, ""); err == nil && status == http.StatusOK {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	said, _ := os.ReadFile(log.Name())
	return errors.Join(fmt.Errorf("%s does not answer; it said:\n%s", s.name, said), s.stop())
}

// stop ends the process by its own id and waits for it.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { s.cmd.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-time.After(15 * time.Second):
		err := s.cmd.Process.Kill()
		<-ended
		return errors.Join(fmt.Errorf("%s did not end on SIGTERM", s.name), err)
	}
}

// send sends one request outside the measurement.
func (s *server) send(ctx context.Context, method, path string, header http.Header, body string) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.address+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if header != nil {
		req.Header = header
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, answer, err
}

// newServer returns a server with a free port and a folder of its own.
func newServer(dir, name string) (*server, string, error) {
	folder, err := os.MkdirTemp(dir, name)
	if err != nil {
		return nil, "", err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	return &server{name: name, address: l.Addr().String(), core: serverCore}, folder, l.Close()
}

func startBaseline(ctx context.Context, dir string) (*server, error) {
	s, folder, err := newServer(dir, "baseline")
	if err != nil {
		return nil, err
	}
	key := make([]byte, 32)
	rand.Read(key)
	s.apiKey = "bench_" + rand.Text()
	for range tokenCount {
		s.tokens = append(s.tokens, mint(key, "items:read items:write users:read"))
	}
	s.reader = mint(key, "items:read")
	env := []string{"BASELINE_KEY=" + hex.EncodeToString(key), "BASELINE_API_KEY=" + s.apiKey}
	return s, s.start(ctx, folder, env, filepath.Join(dir, "baseline"), "-address", s.address)
}

// mint signs a token with the claims of RFC 9068, as Gatehouse's own tokens have them.
func mint(key []byte, scope string) string {
	now := time.Now()
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": "https://gatehouse.example", "aud": "https://gatehouse.example/api", "sub": "0193583e-6f5c-7a53-8a3c-0d1f2e3a4b5c",
		"iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(), "jti": uuid.NewString(), "scope": scope, "client_id": "first-party",
	})
	token.Header["typ"] = "at+jwt"
	signed, err := token.SignedString(key)
	if err != nil {
		panic(err) // a key of 32 bytes always signs
	}
	return signed
}

func startGatehouse(ctx context.Context, dir string) (*server, error) {
	s, folder, err := newServer(dir, "gatehouse")
	if err != nil {
		return nil, err
	}
	program := filepath.Join(dir, "gatehouse")
	if err := buildGatehouse(ctx, folder, program); err != nil {
		return nil, err
	}
	if err := s.start(ctx, folder, nil, program, "serve", "--dev", "--address", s.address); err != nil {
		return nil, err
	}
	if err := s.logIn(ctx, filepath.Join(folder, "data", "dev.env")); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

var quota = regexp.MustCompile(`\bquota: *\d+`)

// buildGatehouse builds the service as it is, but for the size of its quotas: the load would spend them in a second.
// Every limit is still on and counted. The operation table with the new numbers takes the place of the committed one
// during the build; no file of the repository changes.
func buildGatehouse(ctx context.Context, folder, program string) error {
	root, err := filepath.Abs("..")
	if err != nil {
		return err
	}
	spec, err := os.ReadFile(filepath.Join(root, "openapi.yaml"))
	if err != nil {
		return err
	}
	raised := quota.ReplaceAll(spec, []byte("quota: 60000000"))
	if err := os.WriteFile(filepath.Join(folder, "openapi.yaml"), raised, 0o600); err != nil {
		return err
	}
	generated := filepath.Join(folder, "api")
	if err := command(ctx, root, "go", "run", "./cmd/gatehouse-gen", "generate",
		"--spec", filepath.Join(folder, "openapi.yaml"), "--out", generated); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(generated, "*.go"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("the generator wrote no Go into %s (%v)", generated, err)
	}
	replace := make(map[string]string)
	for _, file := range files {
		replace[filepath.Join(root, "gen", "api", filepath.Base(file))] = file
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	overlayFile := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		return err
	}
	return command(ctx, root, "go", "build", "-trimpath", "-overlay", overlayFile, "-o", program, "./cmd/gatehouse")
}

var export = regexp.MustCompile(`(?m)^export (\w+)='([^']*)'$`)

// credentials are those that the first start wrote, by the names of their variables.
func credentials(devEnv string) (map[string]string, error) {
	text, err := os.ReadFile(devEnv)
	values := make(map[string]string)
	for _, m := range export.FindAllStringSubmatch(string(text), -1) {
		values[m[1]] = m[2]
	}
	return values, err
}

// logIn takes the credentials that the first start wrote, and gets the tokens from the token endpoint, as any client would.
func (s *server) logIn(ctx context.Context, devEnv string) error {
	values, err := credentials(devEnv)
	if err != nil {
		return err
	}
	s.apiKey = values["GATEHOUSE_API_KEY"]
	for range tokenCount {
		token, err := s.token(ctx, values, "")
		if err != nil {
			return err
		}
		s.tokens = append(s.tokens, token)
	}
	s.reader, err = s.token(ctx, values, "items:read")
	return err
}

func (s *server) token(ctx context.Context, values map[string]string, scope string) (string, error) {
	form := url.Values{"grant_type": {"password"}, "username": {values["GATEHOUSE_USER"]}, "password": {values["GATEHOUSE_PASSWORD"]}}
	if scope != "" {
		form.Set("scope", scope)
	}
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	status, answer, err := s.send(ctx, "POST", "/token", header, form.Encode())
	if err != nil {
		return "", err
	}
	var granted struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(answer, &granted); err != nil || status != http.StatusOK || granted.AccessToken == "" {
		return "", fmt.Errorf("POST /token answered %d and no token", status)
	}
	return granted.AccessToken, nil
}
