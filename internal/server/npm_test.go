package server_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/needtest"
	"example.com/gatehouse/internal/oauth"
	"example.com/gatehouse/internal/server"
)

// npm returns a folder with the packages of testdata/npm, as its lock file names them.
func npm(t *testing.T) string {
	t.Helper()
	needtest.Programs(t, "node", "node", "npm")
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/npm")); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	return dir
}

var passed = regexp.MustCompile(`(?m)^# pass [1-9]`)

// TestTheClientsOfNpm drives openid-client, oauth4webapi and jose against the service, for each algorithm that it signs with.
func TestTheClientsOfNpm(t *testing.T) {
	dir := npm(t)
	for _, algorithm := range []oauth.Algorithm{oauth.EdDSA, oauth.ES256, oauth.RS256} {
		t.Run(string(algorithm), func(t *testing.T) {
			d := startDevelopment(t, func(c *server.Config) { c.SigningAlgorithm = algorithm })
			n := oauth.NewClient{
				Name: "App", Method: oauth.MethodNone, GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken},
				Scopes: auth.NewScopes("openid", "profile", "items:read"), RedirectURIs: []string{"http://127.0.0.1/callback"},
			}
			app, _, err := d.Clients().Create(context.Background(), n)
			if err != nil {
				t.Fatal(err)
			}
			n.Method, n.GrantTypes = oauth.MethodSecret, append(n.GrantTypes, oauth.GrantClientCredentials)
			web, secret, err := d.Clients().Create(context.Background(), n)
			if err != nil {
				t.Fatal(err)
			}
			c := exec.CommandContext(t.Context(), "node", "--test", "--test-reporter=tap", filepath.Join(dir, "clients.test.mjs"))
			c.Dir = dir
			c.Env = append(os.Environ(), "GATEHOUSE_URL="+d.base, "GATEHOUSE_USER="+d.user, "GATEHOUSE_PASSWORD="+d.password, "ALGORITHM="+string(algorithm),
				"PUBLIC_ID="+app.ID, "WEB_ID="+web.ID, "WEB_SECRET="+secret.Reveal())
			out, err := c.CombinedOutput()
			t.Logf("%s", passed.Find(out))
			if err != nil || !passed.Match(out) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
