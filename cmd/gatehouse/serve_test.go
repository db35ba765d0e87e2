package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestValidateNamesEverySettingThatIsWrong(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "secret.key")
	if err := os.WriteFile(good, []byte("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		serve
		says []string // nothing where the settings are good
	}{
		{"development", serve{place: place{Dev: true}, Address: "127.0.0.1:8080"}, nil},
		{"development on IPv6", serve{place: place{Dev: true}, Address: "[::1]:8080"}, nil},
		{"development on localhost", serve{place: place{Dev: true}, Address: "localhost:8080"}, nil},
		{"production", serve{place: place{SecretKeyFile: good}, Address: ":8443", Issuer: "https://api.example.com"}, nil},
		{"development for everybody", serve{place: place{Dev: true}, Address: "0.0.0.0:8080"}, []string{"loopback only"}},
		{"development for everybody, without an address", serve{place: place{Dev: true}, Address: ":8080"}, []string{"loopback only"}},
		{"development on another address of this machine", serve{place: place{Dev: true}, Address: "192.168.1.1:8080"}, []string{"loopback only"}},
		{"nothing", serve{Address: ":8443"}, []string{"--secret-key-file", "--issuer"}},
		{"an issuer without TLS", serve{place: place{SecretKeyFile: good}, Issuer: "http://api.example.com"}, []string{"--issuer https://"}},
		{"an issuer that is no address", serve{place: place{SecretKeyFile: good}, Issuer: "api.example.com"}, []string{"--issuer https://"}},
		{"half a certificate", serve{place: place{Dev: true}, Address: "127.0.0.1:0", TLSCert: "cert.pem"}, []string{"--tls-cert and --tls-key"}},
		{"the other half", serve{place: place{Dev: true}, Address: "127.0.0.1:0", TLSKey: "key.pem"}, []string{"--tls-cert and --tls-key"}},
		{"a development certificate beside one's own", serve{place: place{Dev: true}, Address: "127.0.0.1:0", TLSDevCert: true, TLSCert: "a", TLSKey: "b"}, []string{"--tls-dev-cert"}},
		{"a development certificate in production", serve{place: place{SecretKeyFile: good}, Issuer: "https://api.example.com", TLSDevCert: true}, []string{"--tls-cert and --tls-key"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := row.validate()
			if (err == nil) != (row.says == nil) {
				t.Fatalf("got %v", err)
			}
			for _, text := range row.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%v does not say %q", err, text)
				}
			}
		})
	}
}

func TestBannerHoldsNoSecretAndThreeLinesToPaste(t *testing.T) {
	var out bytes.Buffer
	(&serve{place: place{Data: "data"}, TLSDevCert: true}).banner(&out, "https://127.0.0.1:8443")
	text := out.String()
	if strings.Count(text, ". data/dev.env && curl --cacert data/dev-ca.pem ") != 3 {
		t.Errorf("got %s", text)
	}
	for _, want := range []string{"https://127.0.0.1:8443/docs", "data/dev.env", `"$GATEHOUSE_USER:$GATEHOUSE_PASSWORD"`, `$GATEHOUSE_API_KEY`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in %s", want, text)
		}
	}
}
