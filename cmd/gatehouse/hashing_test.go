package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
)

const (
	springPepper = "2026-spring:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	autumnPepper = "2026-autumn:HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
)

// hashOf returns what the table has for the user.
func (p *place) hashOf(t *testing.T, name string) (hash string) {
	t.Helper()
	db, err := p.open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Reader().QueryRowContext(context.Background(), `SELECT password_hash FROM users WHERE username = $1`, name).Scan(&hash); err != nil {
		t.Fatal(err)
	}
	return hash
}

func TestCommandsHashAtTheCostThatIsChosen(t *testing.T) {
	p := newPlace(t)
	file := passwordFile(t, "correct horse c4n4ry")
	for _, row := range []struct {
		name   string
		args   []string
		prefix string
	}{
		{"an account", []string{"user", "add", "ann"}, "$argon2id$v=19$m=19456,t=2,p=1$"},
		{"a password at the other cost", []string{"user", "password", "ann", "--password-cost", "m=47104,t=1,p=1"}, "$argon2id$v=19$m=47104,t=1,p=1$"},
		{"a password", []string{"user", "password", "ann"}, "$argon2id$v=19$m=19456,t=2,p=1$"},
	} {
		gatehouse(t, append(row.args, "--password-file", file, "--data", p.Data)...).check(t, exitDone)
		if hash := p.hashOf(t, "ann"); !strings.HasPrefix(hash, row.prefix) {
			t.Errorf("%s has the hash %s", row.name, hash)
		}
	}
	t.Setenv("GATEHOUSE_PASSWORD_COST", "m=47104,t=1,p=1")
	gatehouse(t, "user", "add", "bob", "--password-file", file, "--data", p.Data).check(t, exitDone)
	if hash := p.hashOf(t, "bob"); !strings.HasPrefix(hash, "$argon2id$v=19$m=47104,t=1,p=1$") {
		t.Errorf("with the variable the hash is %s", hash)
	}
}

func TestPeppersComeFromAFileOrTheVariable(t *testing.T) {
	one, two := passwordFile(t, springPepper+"\n"), passwordFile(t, autumnPepper+"\n"+springPepper+"\n")
	for _, row := range []struct {
		name, file, variable string
		newest               string // "" for none
		says                 string // nothing where the settings are good
	}{
		{"none", "", "", "", ""},
		{"a file", one, "", "2026-spring", ""},
		{"a file of two", two, "", "2026-autumn", ""},
		{"the variable", "", autumnPepper + "\n" + springPepper, "2026-autumn", ""},
		{"both", one, springPepper, "", "give one"},
		{"a file that is not there", filepath.Join(t.TempDir(), "nowhere"), "", "", "cannot be read"},
		{"an empty file", passwordFile(t, ""), "", "", "there is no pepper"},
		{"a key without a name", passwordFile(t, springPepper[12:]), "", "", "no name"},
		{"a variable without a key", "", "2026-spring", "", "32 random bytes"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv(pepperVariable, row.variable)
			p, err := (&hashing{PepperFile: row.file}).passwords()
			if (err == nil) != (row.says == "") || err != nil && !strings.Contains(err.Error(), row.says) {
				t.Fatalf("got %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "ECAwQF") {
				t.Errorf("the error holds a key: %v", err)
			}
			if row.newest == "" && len(p.Peppers) > 0 || row.newest != "" && (len(p.Peppers) == 0 || p.Peppers[0].ID != row.newest) {
				t.Errorf("the peppers are %v", p.Peppers)
			}
		})
	}
}

func TestCommandsUseThePepper(t *testing.T) {
	p := newPlace(t)
	file := passwordFile(t, "correct horse c4n4ry")
	gatehouse(t, "user", "add", "ann", "--password-file", file, "--data", p.Data, "--pepper-file", passwordFile(t, springPepper)).check(t, exitDone)
	if hash := p.hashOf(t, "ann"); !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1,pepper=2026-spring$") {
		t.Errorf("the hash is %s", hash)
	}
	t.Setenv(pepperVariable, autumnPepper+" "+springPepper)
	gatehouse(t, "user", "password", "ann", "--password-file", file, "--data", p.Data).check(t, exitDone)
	if hash := p.hashOf(t, "ann"); !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1,pepper=2026-autumn$") {
		t.Errorf("the hash is %s", hash)
	}
	r := gatehouse(t, "user", "password", "ann", "--password-file", file, "--data", p.Data, "--pepper-file", file)
	r.check(t, exitUsage, "give one")
	gatehouse(t, "config", "check", "--dev", "--data", p.Data).check(t, exitDone, "the settings are good")
}
