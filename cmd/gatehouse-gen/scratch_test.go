package main

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// added are three security schemes, and what an author writes when the compiler asks for each.
var added = map[string]string{
	"PartnerKey": `
func (a authenticators) PartnerKey(ctx context.Context, c api.PartnerKeyCredential) (*auth.Principal, error) {
	return a.keys.Authenticate(ctx, c)
}
`,
	"Issuer": `
func (a authenticators) Issuer(ctx context.Context, c api.IssuerCredential) (*auth.Principal, error) {
	return a.tokens.Verify(ctx, c)
}
`,
	"PartnerCertificate": `
func (a authenticators) PartnerCertificate(ctx context.Context, c api.PartnerCertificateCredential) (*auth.Principal, error) {
	if len(c.Chain) == 0 || c.Chain[0].Subject.CommonName != "partner" {
		return nil, auth.ErrInvalidCredential
	}
	return &auth.Principal{Subject: "0193583e-6f5c-7a53-8a3c-0d1f2e3a4b5c", Scopes: auth.NewScopes("items:read")}, nil
}
`,
}

const addedSchemes = `  securitySchemes:
    partnerKey: { type: apiKey, in: header, name: X-Partner-Key }
    issuer: { type: openIdConnect, openIdConnectUrl: 'https://id.example/.well-known/openid-configuration' }
    partnerCertificate: { type: mutualTLS, x-scopes: ['items:read'] }
`

const addedRequirements = `        - apiKeyBearer: ['items:read']
        - partnerKey: ['items:read']
        - issuer: ['items:read']
        - partnerCertificate: ['items:read']
`

// TestSchemesComeAndGoByTheCompiler edits openapi.yaml of a scratch copy: the compiler names the authenticators that are missing, one
// by one, the service then takes the new credentials, and names those that are left over when the schemes are gone.
func TestSchemesComeAndGoByTheCompiler(t *testing.T) {
	dir := scratch(t)
	spec, err := os.ReadFile(filepath.Join(dir, "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(string(spec), "  securitySchemes:\n", addedSchemes, 1)
	edited = strings.Replace(edited, "        - apiKeyBearer: ['items:read']\n", addedRequirements, 1)
	rewrite(t, dir, "openapi.yaml", edited)
	run(t, dir, true, "go", "run", "./cmd/gatehouse-gen", "generate")

	own, err := os.ReadFile(filepath.Join(dir, "internal/server/authenticators.go"))
	if err != nil {
		t.Fatal(err)
	}
	methods, named := string(own), 0
	missing := regexp.MustCompile(`missing method (\w+)`)
	for {
		output := run(t, dir, false, "go", "build", "-o", "gatehouse", "./cmd/gatehouse")
		if output == "" {
			break
		}
		m := missing.FindStringSubmatch(output)
		if m == nil || added[m[1]] == "" || named == len(added) {
			t.Fatalf("the compiler does not name a method that is missing: %s", output)
		}
		named++
		methods += added[m[1]]
		rewrite(t, dir, "internal/server/authenticators.go", methods)
	}
	if named != len(added) {
		t.Errorf("the compiler named %d methods, want %d", named, len(added))
	}
	callScratch(t, dir)

	rewrite(t, dir, "openapi.yaml", string(spec))
	run(t, dir, true, "go", "run", "./cmd/gatehouse-gen", "generate")
	output := run(t, dir, false, "go", "build", "./cmd/gatehouse")
	for name := range added {
		if !strings.Contains(output, "undefined: api."+name+"Credential") {
			t.Errorf("the compiler does not say that %s is left over: %s", name, output)
		}
	}
	rewrite(t, dir, "internal/server/authenticators.go", string(own))
	run(t, dir, true, "go", "build", "./cmd/gatehouse")
}

// callScratch starts the service of the scratch copy and calls it with what was added.
func callScratch(t *testing.T, dir string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	service := exec.CommandContext(t.Context(), filepath.Join(dir, "gatehouse"), "serve", "--dev", "--tls-dev-cert", "--address", address)
	service.Dir = dir
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = service.Process.Kill()
		_ = service.Wait()
	})
	trusted := func(certificates ...tls.Certificate) *http.Client {
		return &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, Certificates: certificates}}}
	}
	anybody := trusted()
	for i := 0; ; i++ {
		if response, err := anybody.Get("https://" + address + "/readyz"); err == nil {
			response.Body.Close()
			break
		} else if i == 100 {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	key := settingOf(t, filepath.Join(dir, "data/dev.env"), "GATEHOUSE_API_KEY")
	for _, row := range []struct {
		name   string
		client *http.Client
		field  string
		value  string
		status int
	}{
		{"nothing", anybody, "", "", 401},
		{"the second API key", anybody, "X-Partner-Key", key, 200},
		{"a wrong second API key", anybody, "X-Partner-Key", "x", 401},
		{"a certificate", trusted(certificate(t, "partner")), "", "", 200},
		{"a certificate of somebody else", trusted(certificate(t, "other")), "", "", 401},
		{"a token that no issuer gave", anybody, "Authorization", "Bearer x", 401},
	} {
		r, err := http.NewRequest("GET", "https://"+address+"/items", nil)
		if err != nil {
			t.Fatal(err)
		}
		if row.field != "" {
			r.Header.Set(row.field, row.value)
		}
		response, err := row.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != row.status {
			t.Errorf("%s: %d, want %d", row.name, response.StatusCode, row.status)
		}
	}
}

func certificate(t *testing.T, name string) tls.Certificate {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
}

func settingOf(t *testing.T, file, name string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if value, found := strings.CutPrefix(strings.TrimPrefix(lines.Text(), "export "), name+"="); found {
			return strings.Trim(value, `'"`)
		}
	}
	t.Fatalf("%s does not set %s", file, name)
	return ""
}

// scratch copies the module.
func scratch(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	left := map[string]bool{".git": true, "gen/typescript/node_modules": true, "data": true, "bin": true, "bench": true}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case left[relative] && !entry.IsDir(): // .git of a worktree is a file, and to skip the folder of a file is to skip the rest
			return nil
		case left[relative], entry.IsDir() && strings.HasPrefix(entry.Name(), "tmp"):
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(dir, relative), 0o755)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, relative), data, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func rewrite(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// run runs a command and returns what it says where it fails; well demands that it does not.
func run(t *testing.T, dir string, well bool, name string, arguments ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, arguments...)
	c.Dir = dir
	output, err := c.CombinedOutput()
	if err != nil && well {
		t.Fatalf("%s %v: %v\n%s", name, arguments, err, output)
	}
	if err == nil {
		return ""
	}
	return string(output)
}
