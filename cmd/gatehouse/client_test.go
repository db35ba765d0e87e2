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
		{"another secret for the built-in client", in("rotate", "first-party"), exitFailed, "it proves itself by none"},
		{"an overlap that is no duration", in("rotate", made.ID, "--overlap", "soon"), exitUsage, "the overlap is no duration"},
		{"a client that is not there is not disabled", in("disable", "nobody"), exitNotFound, `there is no client "nobody"`},
		{"no database", []string{"client", "list", "--data", t.TempDir()}, exitUsage, "there is no database"},
	} {
		t.Run(row.name, func(t *testing.T) { gatehouse(t, row.args...).check(t, row.code, row.says) })
	}
}

const (
	onePublicKey  = `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"first","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","note":"not kept"}]}`
	twoPublicKeys = `{"keys":[{"kty":"EC","crv":"P-256","kid":"second","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"},` +
		`{"kty":"OKP","crv":"Ed25519","kid":"third","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`
	// privateKey is that of RFC 8037 appendix A.1.
	privateKey = `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"first","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`
)

func TestClientsHavePublicKeys(t *testing.T) {
	p := newPlace(t)
	in := func(args ...string) []string { return p.args(append([]string{"client"}, args...)...) }
	one, two := passwordFile(t, onePublicKey), passwordFile(t, twoPublicKeys)
	r := gatehouse(t, in("add", "signer", "--public-keys", one, "--scope", "items:read", "--json")...)
	r.check(t, exitDone, `"authentication": "private_key_jwt"`, `"kid": "first"`)
	var made clientResult
	r.value(t, &made)
	if made.Secret != "" || strings.Contains(r.stdout, "not kept") || strings.Join(made.GrantTypes, "") != "client_credentials" {
		t.Errorf("made %s", r.stdout)
	}
	gatehouse(t, in("add", "secretive")...).check(t, exitDone, "client_secret")
	var secretive []clientResult
	gatehouse(t, in("list", "--json")...).value(t, &secretive)
	gatehouse(t, in("list")...).check(t, exitDone, "KEYS", "private_key_jwt  first", "client_secret    -")
	gatehouse(t, in("rotate", made.ID, "--public-keys", two)...).check(t, exitDone, "second,third")
	gatehouse(t, in("rotate", made.ID, "--public-keys", two, "--json")...).check(t, exitDone, `"kid": "second"`, `"client_id": "`+made.ID)
	gatehouse(t, in("list")...).check(t, exitDone, "private_key_jwt  second,third")
	for _, row := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"a private key", in("add", "x", "--public-keys", passwordFile(t, privateKey)), exitUsage, "holds the private half of a key"},
		{"a file that is no key set", in("add", "x", "--public-keys", passwordFile(t, "x")), exitUsage, "the key set cannot be read"},
		{"a file that is not there", in("add", "x", "--public-keys", one+"x"), exitUsage, "the file of the public keys cannot be read"},
		{"a public client with keys", in("add", "x", "--public", "--grant", "refresh_token", "--public-keys", one), exitUsage, "public keys are for a client that proves itself by private_key_jwt"},
		{"a secret for a client that has keys", in("rotate", made.ID), exitFailed, "it proves itself by private_key_jwt"},
		{"keys for a client that has a secret", in("rotate", secretive[0].ID, "--public-keys", one), exitFailed, "the client has no public keys to change: it proves itself by client_secret"},
		{"keys for the built-in client", in("rotate", "first-party", "--public-keys", one), exitFailed, "it proves itself by none"},
		{"keys for a client that is not there", in("rotate", "nobody", "--public-keys", one), exitNotFound, `there is no client "nobody"`},
		{"a private key for a client that has keys", in("rotate", made.ID, "--public-keys", passwordFile(t, privateKey)), exitUsage, "holds the private half of a key"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := gatehouse(t, row.args...)
			r.check(t, row.code, row.says)
			if strings.Contains(r.stderr, "nWGxne") {
				t.Errorf("it prints the private key: %s", r.stderr)
			}
		})
	}
	gatehouse(t, in("list")...).check(t, exitDone, "private_key_jwt  second,third")
}
