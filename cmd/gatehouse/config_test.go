package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestConfigCheckTellsOfEverythingAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Setenv("GATEHOUSE_ISUER", "https://api.example.com")
	faults := map[string]string{ // what is said, and the remedy
		"the address to listen on":      "--address",
		"the documentation":             "--docs",
		"the time to drain":             "--drain",
		"the signing algorithm":         "--signing-algorithm",
		"the age of signing keys":       "--signing-key-age",
		"the cost of password hashes":   "--password-cost",
		"pepper 1 is not":               "the newest first",
		"no secret key is given":        "--secret-key-file",
		"the issuer":                    "--issuer",
		"cannot be used":                "--tls-cert",
		file + " is not a folder":       "--data",
		dir + " is not a file":          "--database",
		"GATEHOUSE_ISUER is no setting": "unset it",
	}
	args := []string{"config", "check", "--address", "8080", "--docs", "yes", "--drain=-1s", "--signing-algorithm", "HS256", "--signing-key-age", "59m", "--password-cost", "m=1,t=1,p=1", "--pepper-file", file,
		"--issuer", "http://api.example.com", "--tls-cert", file, "--tls-key", file, "--data", file, "--database", dir}
	r := gatehouse(t, args...)
	r.check(t, exitUsage)
	if n := strings.Count(r.stderr, "\n"); n != len(faults) || r.stdout != "" {
		t.Errorf("%d lines, want %d:\n%s%s", n, len(faults), r.stderr, r.stdout)
	}
	for fault, remedy := range faults {
		found := false
		for line := range strings.Lines(r.stderr) {
			found = found || strings.HasPrefix(line, "gatehouse: ") && strings.Contains(line, fault) && strings.Contains(line, remedy)
		}
		if !found {
			t.Errorf("no line says %q and %q:\n%s", fault, remedy, r.stderr)
		}
	}
	var printed struct {
		Valid  bool     `json:"valid"`
		Faults []string `json:"faults"`
	}
	r = gatehouse(t, append(args, "--json")...)
	r.check(t, exitUsage)
	r.value(t, &printed)
	if printed.Valid || len(printed.Faults) != len(faults) {
		t.Errorf("%+v", printed)
	}
}

func TestConfigCheckOfGoodSettings(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	for _, args := range [][]string{
		{"--dev"},
		{"--dev", "--tls-dev-cert", "--signing-key-age", "0", "--drain", "0s", "--signing-algorithm", "RS256"},
		{"--dev", "--docs", "off", "--address", "[::1]:0", "--password-cost", "m=47104,t=1,p=1"},
	} {
		args = append([]string{"config", "check", "--data", data}, args...)
		gatehouse(t, args...).check(t, exitDone, "the settings are good")
		r := gatehouse(t, append(args, "--json")...)
		r.check(t, exitDone)
		if got := strings.Join(strings.Fields(r.stdout), ""); got != `{"valid":true,"faults":[]}` {
			t.Errorf("got %s", got)
		}
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Error("the check has made the data folder")
	}
}

func TestTheIssuer(t *testing.T) {
	for text, good := range map[string]bool{
		"https://api.example.com":             true,
		"https://api.example.com:8443":        true,
		"https://api.example.com/":            false,
		"https://api.example.com:8443/tenant": false,
		"":                                    false,
		"http://api.example.com":              false,
		"api.example.com":                     false,
		"https://":                            false,
		"https://api.example.com?x=y":         false,
		"https://api.example.com?":            false,
		"https://api.example.com#x":           false,
		"https://user:secret@api.example.com": false,
		"https://api.example.com/%zz":         false,
	} {
		if issuer(text) != good {
			t.Errorf("%q: good %t", text, !good)
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90d": 90 * 24 * time.Hour, "0": 0, "0d": 0, "1h30m": 90 * time.Minute, "5s": 5 * time.Second,
	} {
		var d duration
		if err := d.UnmarshalText([]byte(text)); err != nil || d.wrong || d.Duration != want {
			t.Errorf("%s is read as %v, wrong %t", text, d.Duration, d.wrong)
		}
	}
	for _, text := range []string{"", "d", "90", "-1d", "1.5d", "90 d", "soon", "99999999999d", "1d2h"} {
		var d duration
		if err := d.UnmarshalText([]byte(text)); err != nil || !d.wrong {
			t.Errorf("%q is read as %v", text, d.Duration)
		}
	}
}
