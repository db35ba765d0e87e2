package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"example.com/gatehouse/internal/oauth"
	"example.com/gatehouse/internal/server"
	"example.com/gatehouse/internal/sqldb"
)

// result is what a command leaves behind.
type result struct {
	code           int
	stdout, stderr string
}

// gatehouse runs a command in this process, as main does.
func gatehouse(t *testing.T, args ...string) (r result) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	type exited int
	defer func() {
		if code, ok := recover().(exited); ok { // of --help
			r = result{int(code), stdout.String(), stderr.String()}
		}
	}()
	code := run(context.Background(), args, &stdout, &stderr, func(code int) { panic(exited(code)) })
	return result{code, stdout.String(), stderr.String()}
}

// check fails the test where the command did not end so, or did not say all of it.
func (r result) check(t *testing.T, code int, says ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	for _, text := range says {
		if !strings.Contains(r.stdout+r.stderr, text) {
			t.Errorf("it does not say %q", text)
		}
	}
	if code == exitDone && r.stderr != "" || code != exitDone && r.stderr == "" {
		t.Error("standard error is for what went wrong")
	}
	if t.Failed() {
		t.Fatalf("standard output:\n%s\nstandard error:\n%s", r.stdout, r.stderr)
	}
}

// value reads what the command printed with --json.
func (r result) value(t *testing.T, v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(r.stdout))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Fatalf("%v in %s", err, r.stdout)
	}
	if d.More() {
		t.Errorf("more than one value: %s", r.stdout)
	}
}

const secretText = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

// newPlace returns the settings of a service that was started before, on a real SQLite file, and has no more than its
// first signing key.
func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{Data: t.TempDir(), SecretKeyFile: filepath.Join(t.TempDir(), "secret.key")}
	if err := os.WriteFile(p.SecretKeyFile, []byte(secretText+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sqldb.Open(context.Background(), p.database())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	secret, err := p.secret()
	if err != nil {
		t.Fatal(err)
	}
	store, err := server.NewKeyStore(db, secret, time.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Load(context.Background()); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *place) args(command ...string) []string {
	return append(command, "--data", p.Data, "--secret-key-file", p.SecretKeyFile)
}

// list returns the keys as signing-key list prints them.
func (p *place) list(t *testing.T) (keys []keyResult) {
	t.Helper()
	r := gatehouse(t, "signing-key", "list", "--data", p.Data, "--json")
	r.check(t, exitDone)
	r.value(t, &keys)
	return keys
}

type rotated struct {
	Made bool      `json:"made"`
	Key  keyResult `json:"key"`
}

func TestTheLifeOfASigningKeyFromTheCommandLine(t *testing.T) {
	p := newPlace(t)
	first := p.list(t)
	if len(first) != 1 || first[0].State != oauth.KeySigning || first[0].Algorithm != oauth.EdDSA || first[0].CreatedAt.Location() != time.UTC {
		t.Fatalf("the first key: %+v", first)
	}

	r := gatehouse(t, p.args("signing-key", "rotate", "--algorithm", "ES256", "--json")...)
	r.check(t, exitDone)
	var next rotated
	r.value(t, &next)
	if wait := time.Until(next.Key.SignsFrom); !next.Made || next.Key.State != oauth.KeyPublished || next.Key.Algorithm != oauth.ES256 || wait < 5*time.Minute || wait > 6*time.Minute {
		t.Errorf("rotate: %+v, which signs in %v", next, wait)
	}

	gatehouse(t, p.args("signing-key", "rotate")...).check(t, exitDone, "the ES256 key "+next.Key.KeyID+" is published already")
	gatehouse(t, p.args("signing-key", "rotate", "--algorithm", "EdDSA")...).check(t, exitFailed, "is published already", "revoke it first")

	r = gatehouse(t, p.args("signing-key", "rotate", "--now", "--json")...)
	r.check(t, exitDone)
	var sooner rotated
	r.value(t, &sooner)
	if wait := time.Until(sooner.Key.SignsFrom); sooner.Made || sooner.Key.KeyID != next.Key.KeyID || wait > time.Minute {
		t.Errorf("rotate --now: %+v, which signs in %v", sooner, wait)
	}

	gatehouse(t, p.args("signing-key", "revoke", first[0].KeyID)...).check(t, exitDone, "the key "+first[0].KeyID+" is revoked since ")
	r = gatehouse(t, p.args("signing-key", "revoke", "--json", first[0].KeyID)...)
	r.check(t, exitDone) // twice is no error
	var revoked keyResult
	r.value(t, &revoked)
	if revoked.KeyID != first[0].KeyID || revoked.State != oauth.KeyRevoked || revoked.RevokedAt.IsZero() {
		t.Errorf("revoke: %+v", revoked)
	}
	keys := p.list(t)
	if len(keys) != 2 || keys[0].KeyID != next.Key.KeyID || keys[0].State != oauth.KeySigning || keys[1].State != oauth.KeyRevoked {
		t.Errorf("the keys at the end: %+v", keys)
	}
}

func TestListIsATableForPeople(t *testing.T) {
	p := newPlace(t)
	gatehouse(t, p.args("signing-key", "rotate")...).check(t, exitDone, "published the EdDSA key ", "it signs from ")
	r := gatehouse(t, "signing-key", "list", "--data", p.Data)
	r.check(t, exitDone)
	lines := strings.Split(strings.TrimSuffix(r.stdout, "\n"), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines, want a heading and two keys:\n%s", len(lines), r.stdout)
	}
	column := strings.Index(lines[0], "STATE")
	for i, want := range []string{"STATE", "published", "signing"} {
		if !strings.HasPrefix(lines[i][column:], want) {
			t.Errorf("the column is not aligned:\n%s", r.stdout)
		}
	}
}

func TestCommandsRefuse(t *testing.T) {
	p := newPlace(t)
	other := filepath.Join(t.TempDir(), "other.key")
	if err := os.WriteFile(other, []byte("HxGdHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	kid := p.list(t)[0].KeyID
	for _, row := range []struct {
		name string
		args []string
		code int
		says []string
	}{
		{"no command", nil, exitUsage, []string{"see gatehouse --help"}},
		{"a command that is not there", []string{"singing-key"}, exitUsage, []string{"see gatehouse --help"}},
		{"a flag that is not there", p.args("signing-key", "list", "--all"), exitUsage, []string{"--all"}},
		{"a word too many", p.args("signing-key", "list", "all"), exitUsage, []string{"see gatehouse --help"}},
		{"revoke without a kid", p.args("signing-key", "revoke"), exitUsage, []string{"<kid>"}},
		{"revoke of a kid that no key has", p.args("signing-key", "revoke", "2026-11-24-000000000000"), exitNotFound, []string{"no signing key has this kid", "signing-key list"}},
		{"an algorithm with a shared secret", p.args("signing-key", "rotate", "--algorithm", "HS256"), exitUsage, []string{"EdDSA, ES256, RS256", "--algorithm"}},
		{"an algorithm in lower case", p.args("signing-key", "rotate", "--algorithm", "eddsa"), exitUsage, []string{"EdDSA, ES256, RS256"}},
		{"rotate without the secret", []string{"signing-key", "rotate", "--data", p.Data}, exitUsage, []string{"no secret key is given", "--secret-key-file", "--dev"}},
		{"revoke without the secret", []string{"signing-key", "revoke", kid, "--data", p.Data}, exitUsage, []string{"no secret key is given"}},
		{"rotate with a secret that is not there", []string{"signing-key", "rotate", "--data", p.Data, "--secret-key-file", nowhere}, exitUsage, []string{"cannot be read"}},
		{"rotate with another secret", []string{"signing-key", "rotate", "--data", p.Data, "--secret-key-file", other}, exitFailed, []string{"another secret"}},
		{"revoke with another secret", []string{"signing-key", "revoke", kid, "--data", p.Data, "--secret-key-file", other}, exitFailed, []string{"another secret"}},
		{"a password among the arguments", []string{"signing-key", "list", "--database", "postgres://gatehouse:" + secretText + "@127.0.0.1:1/x"}, exitUsage, []string{"GATEHOUSE_DATABASE"}},
		{"a password in one argument", []string{"signing-key", "list", "--database=postgres://:" + secretText + "@127.0.0.1:1/x"}, exitUsage, []string{"GATEHOUSE_DATABASE"}},
		{"a server that does not answer, without a password", []string{"signing-key", "list", "--database", "postgres://gatehouse@127.0.0.1:1/x"}, exitFailed, []string{"127.0.0.1"}},
		{"list where no service was started", []string{"signing-key", "list", "--data", nowhere}, exitUsage, []string{"there is no database", "--data or --database"}},
		{"rotate where no service was started", []string{"signing-key", "rotate", "--database", nowhere, "--secret-key-file", p.SecretKeyFile}, exitUsage, []string{"there is no database"}},
		{"rotate with --dev where no service was started", []string{"signing-key", "rotate", "--dev", "--data", nowhere}, exitUsage, []string{"cannot be read"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := gatehouse(t, row.args...)
			r.check(t, row.code, row.says...)
			if r.stdout != "" {
				t.Errorf("standard output: %s", r.stdout)
			}
			if strings.Contains(r.stderr, secretText) {
				t.Errorf("the secret is in %s", r.stderr)
			}
		})
	}
	if keys := p.list(t); len(keys) != 1 || keys[0].State != oauth.KeySigning {
		t.Errorf("a command that refused has changed the keys: %+v", keys)
	}
	if _, err := os.Stat(nowhere); !os.IsNotExist(err) {
		t.Errorf("a command has made %s", nowhere)
	}
}

// TestSettingsOfAdministrationAreThoseOfServe holds each of them to have the same name, variable, default and text.
func TestSettingsOfAdministrationAreThoseOfServe(t *testing.T) {
	flags := func(command ...string) map[string]*kong.Flag {
		parser, err := kong.New(new(commands), kong.DefaultEnvars("GATEHOUSE"))
		if err != nil {
			t.Fatal(err)
		}
		node := parser.Model.Node
		for _, name := range command {
			for _, child := range node.Children {
				if child.Name == name {
					node = child
				}
			}
		}
		found := map[string]*kong.Flag{}
		for _, flag := range node.Flags {
			found[flag.Name] = flag
		}
		return found
	}
	serve := flags("serve")
	for _, command := range [][]string{{"signing-key", "list"}, {"signing-key", "rotate"}, {"signing-key", "revoke"}, {"token", "issue"}, {"token", "check"}, {"config", "check"}} {
		own := flags(command...)
		for _, name := range []string{"dev", "data", "database", "secret-key-file"} {
			a, b := serve[name], own[name]
			if a == nil || b == nil || a.Help != b.Help || a.Default != b.Default || strings.Join(a.Envs, " ") != strings.Join(b.Envs, " ") {
				t.Errorf("--%s of %v is another one than that of serve", name, command)
			}
		}
	}
	for _, command := range []string{"issue", "check"} {
		if own := flags("token", command)["issuer"]; own.Help != serve["issuer"].Help || strings.Join(own.Envs, " ") != strings.Join(serve["issuer"].Envs, " ") {
			t.Errorf("--issuer of token %s is another one than that of serve", command)
		}
	}
	for name := range serve {
		if flags("config", "check")[name] == nil {
			t.Errorf("config check does not take --%s", name)
		}
	}
	if rotate := flags("signing-key", "rotate"); strings.Join(rotate["algorithm"].Envs, "") != strings.Join(serve["signing-algorithm"].Envs, "") {
		t.Error("the algorithm of a rotation has another variable than that of serve")
	}
}

func TestVariablesAreSettings(t *testing.T) {
	p := newPlace(t)
	t.Setenv("GATEHOUSE_DATA", p.Data)
	t.Setenv("GATEHOUSE_SECRET_KEY_FILE", p.SecretKeyFile)
	t.Setenv("GATEHOUSE_SIGNING_ALGORITHM", "ES256")
	t.Setenv("GATEHOUSE_NOW", "true") // whose name says too little to be one
	t.Setenv("GATEHOUSE_JSON", "true")
	gatehouse(t, "signing-key", "rotate").check(t, exitDone, "published the ES256 key")
	if keys := p.list(t); len(keys) != 2 || time.Until(keys[0].SignsFrom) < 5*time.Minute {
		t.Errorf("the keys: %+v", keys)
	}
}

func TestDevelopmentNeedsNoSettings(t *testing.T) {
	p := newPlace(t)
	text, err := os.ReadFile(p.SecretKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.Data, "secret.key"), append([]byte("development-only:"), text...), 0o600); err != nil {
		t.Fatal(err)
	}
	gatehouse(t, "signing-key", "rotate", "--dev", "--data", p.Data).check(t, exitDone, "published the EdDSA key")
	gatehouse(t, "signing-key", "rotate", "--data", p.Data, "--secret-key-file", filepath.Join(p.Data, "secret.key")).check(t, exitUsage, "was made by --dev")
}

// TestExitCodesAreDocumented in the help text and, in the same words, in the README.
func TestExitCodesAreDocumented(t *testing.T) {
	words := func(text string) string { return strings.Join(strings.Fields(strings.ReplaceAll(text, "`", "")), " ") }
	r := gatehouse(t, "--help")
	if r.code != exitDone || !strings.Contains(words(r.stdout), exitCodes) {
		t.Errorf("the help text does not say %q:\n%s", exitCodes, r.stdout)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(words(string(readme)), exitCodes) {
		t.Errorf("the README does not say %q", exitCodes)
	}
}
