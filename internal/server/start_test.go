package server_test

import (
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/gatehouse/internal/server"
)

func TestTheFirstStartMakesCredentialsOnce(t *testing.T) {
	s := start(t)
	file := filepath.Join(s.config.Data, "dev.env")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("%s has mode %v: others can read it", file, info.Mode())
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	keys := string(s.send(t, "GET", "/.well-known/jwks.json", "").body)
	token := s.token()
	s.stop()

	again := start(t, func(c *server.Config) { *c = s.config })
	after, err := os.ReadFile(file)
	if err != nil || string(after) != string(before) {
		t.Errorf("the second start changed the credentials: %v", err)
	}
	if got := string(again.send(t, "GET", "/.well-known/jwks.json", "").body); got != keys {
		t.Errorf("the second start changed the signing key: %s, was %s", got, keys)
	}
	for name, fields := range map[string][]string{
		"the password": {"Authorization", basic(again.user, again.password)}, "the key": {"X-API-Key", again.apiKey},
	} {
		if got := again.send(t, "GET", "/protected", "", fields...); got.status != 200 {
			t.Errorf("%s of the first start: %d %s", name, got.status, got.body)
		}
	}
	if got := again.send(t, "GET", "/protected/bearer", "", "Authorization", "Bearer "+token); got.status != 200 {
		t.Errorf("a token of the first start: %d %s", got.status, got.body)
	}
}

func TestAStartThatWouldBeUnsafeSaysWhatToDo(t *testing.T) {
	development := start(t)
	development.stop()
	for _, row := range []struct {
		name   string
		change func(t *testing.T, c *server.Config)
		says   string
	}{
		{"production on a database of --dev", func(_ *testing.T, c *server.Config) { c.Development = false }, "give another with --database"},
		{"the credentials are gone", func(t *testing.T, c *server.Config) {
			remove(t, filepath.Join(c.Data, "dev.env"))
		}, "delete the folder"},
		{"the database is gone", func(_ *testing.T, c *server.Config) { c.Database = filepath.Join(c.Data, "other.db") }, "delete the folder"},
		{"another secret key", func(t *testing.T, c *server.Config) { c.Secret = newSecret(t) }, "secret"},
		{"a database that is none", func(t *testing.T, c *server.Config) {
			if err := os.WriteFile(c.Database, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
			remove(t, c.Database+"-wal")
			remove(t, c.Database+"-shm")
		}, "database"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := development.config
			c.Data = t.TempDir()
			c.Database = filepath.Join(c.Data, "gatehouse.db")
			if err := os.CopyFS(c.Data, os.DirFS(development.config.Data)); err != nil {
				t.Fatal(err)
			}
			row.change(t, &c)
			s, err := server.New(context.Background(), c)
			if err == nil {
				s.Close()
				t.Fatal("the service starts")
			}
			if !strings.Contains(err.Error(), row.says) {
				t.Errorf("%v: does not say %q", err, row.says)
			}
			for secret := range development.secrets {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error holds a secret: %v", err)
				}
			}
		})
	}
}

func remove(t *testing.T, file string) {
	t.Helper()
	if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
}

func TestReadSecret(t *testing.T) {
	random := newSecret(t).Reveal()
	for _, row := range []struct {
		name, text  string
		development bool
		says        string // "" where it is taken
	}{
		{"random bytes", base64.StdEncoding.EncodeToString([]byte(random)), false, ""},
		{"made by --dev, in development", "development-only:" + base64.StdEncoding.EncodeToString([]byte(random)), true, ""},
		{"made by --dev", "development-only:" + base64.StdEncoding.EncodeToString([]byte(random)), false, "was made by --dev"},
		{"too short", base64.StdEncoding.EncodeToString([]byte(random[:31])), false, "is not 32 random bytes"},
		{"nothing", "", false, "is not 32 random bytes"},
		{"a placeholder", "changeme", false, "is not 32 random bytes"},
		{"zeros", base64.StdEncoding.EncodeToString(make([]byte, 32)), false, "is not random"},
		{"repeated text", base64.StdEncoding.EncodeToString([]byte(strings.Repeat("secret", 10))), false, "is not random"},
		{"no base64", strings.Repeat("?", 44), false, "is not 32 random bytes"},
	} {
		t.Run(row.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "secret.key")
			if err := os.WriteFile(file, []byte(row.text+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			secret, err := server.ReadSecret(file, row.development)
			if row.says == "" {
				if err != nil || secret.Reveal() != random {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), "--secret-key-file") {
				t.Errorf("%v, want %q and the setting", err, row.says)
			}
			if row.text != "" && strings.Contains(err.Error(), row.text) {
				t.Errorf("the error holds the secret: %v", err)
			}
		})
	}
	for _, file := range []string{"", filepath.Join(t.TempDir(), "nothing")} {
		if _, err := server.ReadSecret(file, false); err == nil {
			t.Errorf("%q is taken", file)
		}
	}
}

// TestAKeyInTheQueryIsNotLogged, from the first line on.
func TestAKeyInTheQueryIsNotLogged(t *testing.T) {
	s := start(t)
	if got := s.send(t, "GET", "/protected/api-key?api_key="+s.apiKey, ""); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := s.send(t, "GET", "/protected/api-key?api%5fkey="+s.apiKey+"x", ""); got.status != 401 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	s.stop()
	log := s.access.String()
	if strings.Contains(log, s.apiKey) || strings.Count(log, `"query":"api_key=***"`) != 2 {
		t.Errorf("the log holds %s", log)
	}
}

// TestDraining: from the moment that the service is told to stop /readyz says no, and requests in flight are answered.
func TestDraining(t *testing.T) {
	s := start(t, func(c *server.Config) { c.Drain = 700 * time.Millisecond })
	if got := s.send(t, "GET", "/readyz", ""); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	stopped := make(chan struct{})
	go func() {
		s.stop()
		close(stopped)
	}()
	var last answer
	for range 100 {
		if last = s.send(t, "GET", "/readyz", ""); last.status == 503 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if last.status != 503 || !strings.Contains(string(last.body), "shutting down") {
		t.Errorf("%d %s", last.status, last.body)
	}
	if got := s.send(t, "GET", "/livez", ""); got.status != 200 {
		t.Errorf("a draining process is alive: %d", got.status)
	}
	<-stopped
}
