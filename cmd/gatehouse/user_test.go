package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"example.com/gatehouse/internal/accounts"
	"example.com/gatehouse/internal/auth"
)

// passwordFile returns a file that holds the text.
func passwordFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// mayLogIn fails the test unless the password opens the account, or does not.
func (p *place) mayLogIn(t *testing.T, name, password string, want bool) {
	t.Helper()
	err := withAccounts(context.Background(), p.open, accounts.Passwords{}, func(users *accounts.Service) error {
		_, err := users.Authenticate(context.Background(), auth.Basic{Username: name, Password: auth.Secret(password)})
		return err
	})
	if (err == nil) != want {
		t.Errorf("%s with %q: %v", name, password, err)
	}
}

func (p *place) users(t *testing.T) (list []userResult) {
	t.Helper()
	r := gatehouse(t, "user", "list", "--data", p.Data, "--json")
	r.check(t, exitDone)
	r.value(t, &list)
	return list
}

// TestTheFirstAdministratorIsMadeFromTheCommandLine: before the service was started, and with a password that nobody has shipped.
func TestTheFirstAdministratorIsMadeFromTheCommandLine(t *testing.T) {
	p := &place{Data: filepath.Join(t.TempDir(), "data")}
	const password = "correct horse c4n4ry"
	r := gatehouse(t, "user", "add", "root", "--admin", "--password-file", passwordFile(t, password+"\n"), "--data", p.Data)
	r.check(t, exitDone, "made root", "admin")
	p.mayLogIn(t, "root", password, true)
	p.mayLogIn(t, "root", password+"\n", false)

	r = gatehouse(t, "user", "add", "Ann@Example.com", "--password-file", passwordFile(t, password), "--data", p.Data)
	r.check(t, exitFailed, "in lower case")
	r = gatehouse(t, "user", "add", "ann@example.com", "--role", "member", "--role", "admin", "--password-file", passwordFile(t, password+"\r\n"), "--data", p.Data, "--json")
	r.check(t, exitDone)
	var made userResult
	r.value(t, &made)
	r = gatehouse(t, "user", "add", "bob", "--email", "Bob@Example.com", "--password-file", passwordFile(t, password), "--data", p.Data)
	r.check(t, exitDone, "made bob")

	want := []userResult{
		{Username: "bob", Email: "bob@example.com", EmailVerified: true, Roles: []string{"member"}},
		{Username: "ann@example.com", Email: "ann@example.com", EmailVerified: true, Roles: []string{"member", "admin"}},
		{Username: "root", Roles: []string{"admin"}},
	}
	users := p.users(t)
	if diff := cmp.Diff(want, users, cmpopts.IgnoreFields(userResult{}, "ID", "CreatedAt")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(users[1], made); diff != "" {
		t.Errorf("what add prints is not what list prints: %s", diff)
	}
	for _, u := range users {
		if len(u.ID) != 36 || u.CreatedAt.IsZero() {
			t.Errorf("%+v", u)
		}
	}
}

func TestAnAccountIsDisabledEnabledAndGetsAPassword(t *testing.T) {
	p := newPlace(t)
	const first, second = "correct horse c4n4ry", "another horse c4n4ry"
	gatehouse(t, "user", "add", "ann", "--password-file", passwordFile(t, first), "--data", p.Data).check(t, exitDone)
	gatehouse(t, "user", "disable", "ann", "--data", p.Data).check(t, exitDone)
	gatehouse(t, "user", "disable", "ann", "--data", p.Data).check(t, exitDone)
	p.mayLogIn(t, "ann", first, false)
	r := gatehouse(t, "user", "list", "--data", p.Data)
	r.check(t, exitDone, "NAME", "ann", "disabled", "member")
	gatehouse(t, "user", "enable", "ann", "--data", p.Data).check(t, exitDone)
	p.mayLogIn(t, "ann", first, true)
	gatehouse(t, "user", "password", "ann", "--password-file", passwordFile(t, second), "--data", p.Data).check(t, exitDone)
	p.mayLogIn(t, "ann", first, false)
	p.mayLogIn(t, "ann", second, true)
}

func TestUserCommandsRefuse(t *testing.T) {
	p := newPlace(t)
	good := passwordFile(t, "correct horse c4n4ry")
	gatehouse(t, "user", "add", "ann", "--email", "ann@example.com", "--password-file", good, "--data", p.Data).check(t, exitDone)
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	for _, row := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"no command", []string{"user"}, exitUsage, "see gatehouse --help"},
		{"no name", []string{"user", "add", "--password-file", good}, exitUsage, "<name>"},
		{"a name that is taken", []string{"user", "add", "ann", "--password-file", good}, exitFailed, "there is a user of that name or address"},
		{"an address that is taken", []string{"user", "add", "bob", "--email", "ANN@example.com", "--password-file", good}, exitFailed, "there is a user of that name or address"},
		{"a name with a colon", []string{"user", "add", "a:b", "--password-file", good}, exitFailed, "no colon"},
		{"a role that is not there", []string{"user", "add", "bob", "--role", "boss", "--password-file", good}, exitUsage, "there is no role boss"},
		{"a common password", []string{"user", "add", "bob", "--password-file", passwordFile(t, "password1\n")}, exitFailed, "tried first"},
		{"a short password", []string{"user", "add", "bob", "--password-file", passwordFile(t, "c4n4ry\n")}, exitFailed, "at least 8 characters"},
		{"a password that is too long", []string{"user", "add", "bob", "--password-file", passwordFile(t, strings.Repeat("c4n4ry", 1000))}, exitFailed, "at most 1024 bytes"},
		{"a password as an argument", []string{"user", "add", "bob", "--password", "correct horse c4n4ry"}, exitUsage, "--password"},
		{"a cost that is none of ours", []string{"user", "add", "bob", "--password-file", good, "--password-cost", "m=64,t=1,p=1"}, exitUsage, "give one of them with --password-cost"},
		{"a cost that is none of ours, for a password", []string{"user", "password", "ann", "--password-file", good, "--password-cost", "high"}, exitUsage, "give one of them with --password-cost"},
		{"a password file that is not there", []string{"user", "add", "bob", "--password-file", nowhere}, exitUsage, "cannot be read"},
		{"disable whom nobody knows", []string{"user", "disable", "bob"}, exitNotFound, "there is no user of that name"},
		{"enable whom nobody knows", []string{"user", "enable", "bob"}, exitNotFound, "user list"},
		{"a password for whom nobody knows", []string{"user", "password", "bob", "--password-file", good}, exitNotFound, "there is no user of that name"},
		{"another case of the name", []string{"user", "disable", "Ann"}, exitNotFound, "there is no user of that name"},
		{"list where no service was started", []string{"user", "list", "--database", nowhere}, exitUsage, "there is no database"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := gatehouse(t, append(row.args, "--data", p.Data)...)
			r.check(t, row.code, row.says)
			if r.stdout != "" || strings.Contains(r.stderr, "horse c4n4ry") && row.name != "a password as an argument" {
				t.Errorf("standard output: %s; standard error: %s", r.stdout, r.stderr)
			}
		})
	}
	if users := p.users(t); len(users) != 1 || users[0].Disabled {
		t.Errorf("a command that refused has changed something: %+v", users)
	}
}

// TestPasswordsFromStandardInput: one line end is no part of it, and nothing else is taken off.
func TestPasswordsFromStandardInput(t *testing.T) {
	for input, want := range map[string]auth.Secret{"pass word": "pass word", " pass\n": " pass", "pass\r\n": "pass", "pass\n\n": "pass\n", "": ""} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.WriteString(input); err != nil {
			t.Fatal(err)
		}
		w.Close()
		var prompt strings.Builder
		got, err := (&passwordFrom{}).read(r, &prompt)
		if err != nil || got != want || prompt.Len() > 0 {
			t.Errorf("%q: %q, %v, the prompt %q", input, got.Reveal(), err, prompt.String())
		}
		r.Close()
	}
}
