package main

import (
	"strings"
	"testing"
)

func TestClientsAreAdministered(t *testing.T) {
	p := newPlace(t)
	in := func(args ...string) []string { return p.args(append([]string{"client"}, args...)...) }
	var made clientResult
	gatehouse(t, in("add", "reports", "--scope", "items:read", "--json")...).value(t, &made)
	if len(made.ID) != 36 || !strings.HasPrefix(made.Secret, "cs_") || made.Name != "reports" || made.Method != "client_secret" ||
		strings.Join(made.GrantTypes, " ") != "client_credentials" || made.Scope != "items:read" || made.Disabled {
		t.Errorf("made %+v", made)
	}
	gatehouse(t, in("add", "app", "--public", "--redirect-uri", "https://app.example.com/cb?x=a,b", "--redirect-uri", "http://127.0.0.1/cb", "--scope", "items:read,items:write")...).check(t, exitDone, "client_id")
	listed := gatehouse(t, in("list")...)
	listed.check(t, exitDone, made.ID, `"reports"`, `"app"`, "client_credentials", "authorization_code,refresh_token", "items:read,items:write")
	var withURIs []clientResult
	gatehouse(t, in("list", "--json")...).value(t, &withURIs)
	if got := strings.Join(withURIs[0].RedirectURIs, " "); got != "https://app.example.com/cb?x=a,b http://127.0.0.1/cb" {
		t.Errorf("the redirect URIs are %s", got)
	}
	var rotated struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	gatehouse(t, in("rotate", made.ID, "--overlap", "1h", "--json")...).value(t, &rotated)
	if rotated.ID != made.ID || rotated.Secret == made.Secret || !strings.HasPrefix(rotated.Secret, "cs_") {
		t.Errorf("rotated %+v", rotated)
	}
	gatehouse(t, in("disable", made.ID)...).check(t, exitDone, "is disabled")
	var list []clientResult
	gatehouse(t, in("list", "--json")...).value(t, &list)
	if len(list) != 2 || list[0].Secret+list[1].Secret != "" || list[0].Disabled == list[1].Disabled {
		t.Errorf("listed %+v", list)
	}
	gatehouse(t, in("enable", made.ID)...).check(t, exitDone, "is enabled")
	for _, row := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"an unknown scope", in("add", "x", "--scope", "root"), exitUsage, "a scope is unknown"},
		{"an unknown grant", in("add", "x", "--grant", "implicit"), exitUsage, `the grant "implicit" is unknown`},
		{"a public client that acts for itself", in("add", "x", "--public", "--grant", "client_credentials"), exitUsage, "a public client cannot act for itself"},
		{"a public client without anything", in("add", "x", "--public"), exitUsage, "a public client cannot act for itself"},
		{"a redirect URI without TLS", in("add", "x", "--redirect-uri", "http://app.example.com/cb"), exitUsage, "is neither https, nor http on this machine"},
		{"codes without a redirect URI", in("add", "x", "--grant", "authorization_code"), exitUsage, "give both or neither"},
		{"no name", in("add", ""), exitUsage, "the name of a client has 1 to 100 bytes"},
		{"another secret for a client that is not there", in("rotate", "nobody"), exitNotFound, `there is no client "nobody"`},
		{"another secret for the built-in client", in("rotate", "first-party"), exitFailed, "it is a public one"},
		{"an overlap that is no duration", in("rotate", made.ID, "--overlap", "soon"), exitUsage, "the overlap is no duration"},
		{"a client that is not there is not disabled", in("disable", "nobody"), exitNotFound, `there is no client "nobody"`},
		{"no database", []string{"client", "list", "--data", t.TempDir()}, exitUsage, "there is no database"},
	} {
		t.Run(row.name, func(t *testing.T) { gatehouse(t, row.args...).check(t, row.code, row.says) })
	}
}
