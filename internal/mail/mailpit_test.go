package mail

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/gatehouse/internal/needtest"
)

// mailpitModule is a mail server that keeps what it gets. It is built from its module, outside of go.mod: its dependencies outnumber those of
// the service, and none of them is needed to build it.
const mailpitModule = "github.com/axllent/mailpit@v1.33.1"

// mailpitBinary returns the program, built once for all runs. Where it cannot be built the test is skipped, or fails if
// GATEHOUSE_TEST_REQUIRE lists mailpit.
func mailpitBinary(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = t.TempDir()
	}
	_, version, _ := strings.Cut(mailpitModule, "@")
	dir := filepath.Join(cache, "gatehouse-test", "mailpit-"+version)
	program := filepath.Join(dir, "mailpit")
	if _, err := os.Stat(program); err == nil {
		return program
	}
	cmd := exec.Command("go", "install", mailpitModule)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		needtest.Missing(t, "mailpit", fmt.Sprintf("no mail server: go install %s: %v\n%s", mailpitModule, err, out))
	}
	return program
}

// mailpit is a real mail server on loopback.
type mailpit struct {
	smtp, api string // HOST:PORT and URL
	roots     *x509.CertPool
}

// startMailpit starts a server that speaks TLS where its arguments say so, and knows the user gate with the password pass-c4n4ry.
func startMailpit(t *testing.T, args ...string) *mailpit {
	t.Helper()
	program, dir := mailpitBinary(t), t.TempDir()
	m := &mailpit{smtp: freeAddress(t), roots: x509.NewCertPool()}
	api := freeAddress(t)
	m.api = "http://" + api
	cert, key := certificate(t, dir, m.roots)
	users := filepath.Join(dir, "users")
	if err := os.WriteFile(users, []byte("gate:pass-c4n4ry\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	common := []string{"--listen", api, "--smtp", m.smtp, "--database", filepath.Join(dir, "mailpit.db"), "--disable-version-check", "--smtp-disable-rdns", "--enable-chaos"}
	for i, a := range args {
		args[i] = strings.NewReplacer("CERT", cert, "KEY", key, "USERS", users).Replace(a)
	}
	var log bytes.Buffer
	cmd := exec.Command(program, append(common, args...)...)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("mailpit: %s", log.String())
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if response, err := http.Get(m.api + "/readyz"); err == nil {
			response.Body.Close()
			if response.StatusCode == 200 {
				break
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("mailpit does not answer: %s", log.String())
		}
	}
	return m
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// certificate makes one for 127.0.0.1, which roots trusts then.
func certificate(t *testing.T, dir string, roots *x509.CertPool) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mailpit"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	roots.AppendCertsFromPEM(public)
	for file, data := range map[string][]byte{certFile: public, keyFile: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

// received returns the texts of all mails that the server has, and empties it.
func (m *mailpit) received(t *testing.T) (texts []string) {
	t.Helper()
	var list struct{ Messages []struct{ ID string } }
	m.get(t, "/api/v1/messages", &list)
	for _, message := range list.Messages {
		var content struct {
			Text, Subject string
			To            []struct{ Address string }
		}
		m.get(t, "/api/v1/message/"+message.ID, &content)
		texts = append(texts, content.To[0].Address+"\n"+content.Subject+"\n"+strings.ReplaceAll(content.Text, "\r\n", "\n"))
	}
	m.call(t, "DELETE", "/api/v1/messages", "{}")
	return texts
}

func (m *mailpit) get(t *testing.T, path string, into any) {
	t.Helper()
	if err := json.Unmarshal(m.call(t, "GET", path, ""), into); err != nil {
		t.Fatal(err)
	}
}

func (m *mailpit) call(t *testing.T, method, path, body string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, m.api+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("%s %s: %d %s %v", method, path, response.StatusCode, data, err)
	}
	return data
}

// refuse makes the server answer a recipient with the code, or take everybody where it is 0.
func (m *mailpit) refuse(t *testing.T, code int) {
	t.Helper()
	probability := 100
	if code == 0 {
		code, probability = 451, 0
	}
	m.call(t, "PUT", "/api/v1/chaos", fmt.Sprintf(`{"Recipient":{"ErrorCode":%d,"Probability":%d}}`, code, probability))
}
