package main

import (
	"context"
	"strings"
	"testing"
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
