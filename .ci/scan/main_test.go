package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// said is what a report makes of findings: those above low that count.
func said(findings []finding) (texts []string) {
	for _, f := range findings {
		if f.severity > low && aboutTheCA[f.id] == "" {
			texts = append(texts, fmt.Sprintf("%s %s", f.severity, f.id))
		}
	}
	return texts
}

func TestWhatTestsslSays(t *testing.T) {
	entry := func(id, severity string) string {
		return fmt.Sprintf(`{"id":%q,"ip":"localhost/127.0.0.1","port":"1","severity":%q,"finding":"x"}`, id, severity)
	}
	whole := func(more ...string) string {
		all := append([]string{entry("engine_problem", "WARN"), entry("TLS1_2", "OK"), entry("cipherlist_NULL", "OK"), entry("heartbleed", "OK"),
			entry("BEAST", "OK"), entry("HSTS_time", "OK"), entry("scanTime", "INFO")}, more...)
		return "[" + strings.Join(all, ",") + "]"
	}
	for _, row := range []struct {
		name, data string
		want       []string
		fails      string
	}{
		{"nothing wrong", whole(), nil, ""},
		{"something low", whole(entry("TLS_session_ticket", "LOW")), nil, ""},
		{"something medium", whole(entry("cipherlist_AVERAGE", "MEDIUM")), []string{"medium testssl cipherlist_AVERAGE"}, ""},
		{"something high", whole(entry("TLS1", "HIGH")), []string{"HIGH testssl TLS1"}, ""},
		{"something critical", whole(entry("SSLv2", "CRITICAL")), []string{"CRITICAL testssl SSLv2"}, ""},
		{"the CA has no CRL", whole(entry("cert_revocation", "HIGH")), nil, ""},
		{"an id that begins like one of the CA", whole(entry("cert_revocation_2", "HIGH")), []string{"HIGH testssl cert_revocation_2"}, ""},
		{"a chain that is not trusted counts", whole(entry("cert_chain_of_trust", "CRITICAL")), []string{"CRITICAL testssl cert_chain_of_trust"}, ""},
		{"a warning is no result", whole(entry("BREACH", "WARN")), nil, "BREACH"},
		{"an error is no result", whole(entry("scanProblem", "FATAL")), nil, "scanProblem"},
		{"a scan that was interrupted is no result", `[` + entry("TLS1_2", "OK") + `,` + entry("scanTime", "WARN") + `]`, nil, "scanTime"},
		{"HSTS that is not there is no result", strings.Replace(whole(), "HSTS_time", "HSTS", 1), nil, "HSTS_time"},
		{"half of the sections is no result", strings.Replace(whole(), "heartbleed", "x", 1), nil, "heartbleed"},
		{"no entries", `[]`, nil, "says nothing"},
		{"no JSON", `[{"id":`, nil, "JSON"},
	} {
		findings, err := readTestssl([]byte(row.data), true)
		if (err != nil) != (row.fails != "") || err != nil && !strings.Contains(err.Error(), row.fails) {
			t.Errorf("%s: %v", row.name, err)
		}
		if diff := cmp.Diff(row.want, said(findings)); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
	}
}

func TestWhatNmapSays(t *testing.T) {
	ciphers := func(protocol, name, grade string) string {
		return fmt.Sprintf(`<script id="ssl-enum-ciphers" output="x"><table key=%q><table key="ciphers"><table><elem key="name">%s</elem><elem key="strength">%s</elem></table></table><table key="compressors"><elem>NULL</elem></table></table></script>`, protocol, name, grade)
	}
	good := ciphers("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "A")
	const headers = `<script id="http-security-headers" output="Strict_Transport_Security: Header: Strict-Transport-Security: max-age=31536000; X_Content_Type_Options: Header: X-Content-Type-Options: nosniff Content_Security_Policy: Header: Content-Security-Policy: default-src 'none'"/>`
	script := func(id, output string) string { return fmt.Sprintf(`<script id=%q output=%q/>`, id, output) }
	for _, row := range []struct {
		name, state, scripts string
		want                 []string
		fails                string
	}{
		{"nothing wrong", "open", good + headers, nil, ""},
		{"TLS 1.3 is good too", "open", ciphers("TLSv1.3", "TLS_AKE_WITH_AES_128_GCM_SHA256", "A") + headers, nil, ""},
		{"TLS 1.0", "open", ciphers("TLSv1.0", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "A") + headers, []string{"HIGH nmap ssl-enum-ciphers:443", "medium nmap ssl-enum-ciphers:443"}, ""},
		{"CBC with TLS 1.2", "open", ciphers("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "A") + headers, []string{"medium nmap ssl-enum-ciphers:443"}, ""},
		{"a suite below A", "open", ciphers("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "C") + headers, []string{"medium nmap ssl-enum-ciphers:443"}, ""},
		{"a warning", "open", strings.Replace(good, `<table key="compressors">`, `<table key="warnings"><elem>64-bit block cipher</elem></table><table key="compressors">`, 1) + headers, []string{"medium nmap ssl-enum-ciphers:443"}, ""},
		{"no HSTS", "open", good + strings.Replace(headers, "max-age=31536000", "max-age=60", 1), []string{"medium nmap http-security-headers:443"}, ""},
		{"no policy", "open", good + strings.Replace(headers, "default-src 'none'", "default-src *", 1), []string{"medium nmap http-security-headers:443"}, ""},
		{"no security headers at all", "open", good, []string{"medium nmap http-security-headers:443"}, ""},
		{"TRACE", "open", good + headers + script("http-methods", "Supported Methods: GET TRACE"), []string{"medium nmap http-methods:443"}, ""},
		{"DELETE is no finding for an API", "open", good + headers + script("http-methods", "Supported Methods: GET DELETE Potentially risky methods: DELETE"), nil, ""},
		{"a name of the server is low", "open", good + headers + script("http-server-header", "Apache"), nil, ""},
		{"CORS for everybody", "open", good + headers + script("http-cors", "GET POST"), []string{"medium nmap http-cors:443"}, ""},
		{"a hole", "open", good + headers + script("ssl-heartbleed", "VULNERABLE: the Heartbleed bug"), []string{"HIGH nmap ssl-heartbleed:443"}, ""},
		{"no hole", "open", good + headers + script("ssl-heartbleed", "NOT VULNERABLE"), nil, ""},
		{"a port that is closed", "closed", "", nil, "closed"},
		{"a port that it did not see TLS on", "open", headers, nil, "TLS"},
	} {
		data := fmt.Sprintf(`<nmaprun><host><ports><port protocol="tcp" portid="443"><state state=%q/>%s</port></ports></host></nmaprun>`, row.state, row.scripts)
		findings, err := readNmap([]byte(data), "443")
		if (err != nil) != (row.fails != "") || err != nil && !strings.Contains(err.Error(), row.fails) {
			t.Errorf("%s: %v", row.name, err)
		}
		if diff := cmp.Diff(row.want, said(findings)); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
	}
	for name, data := range map[string]string{"no ports": `<nmaprun/>`, "no XML": `<nmaprun`} {
		if findings, err := readNmap([]byte(data), "443"); err == nil {
			t.Errorf("%s: %v", name, findings)
		}
	}
}

func TestWhatZAPSays(t *testing.T) {
	alert := func(risk string) string {
		return `{"site":[{"alerts":[{"pluginid":"10038","alert":"CSP","riskcode":"` + risk + `","confidence":"3","count":"4"}]}]}`
	}
	for _, row := range []struct {
		name, data string
		want       []string
		fails      bool
	}{
		{"information", alert("0"), nil, false},
		{"something low", alert("1"), nil, false},
		{"something medium", alert("2"), []string{"medium zap 10038"}, false},
		{"something high", alert("3"), []string{"HIGH zap 10038"}, false},
		{"a site without alerts", `{"site":[{}]}`, nil, false},
		{"no site", `{"site":[]}`, nil, true},
		{"a risk that is none", alert("x"), nil, true},
		{"a risk that there is not", alert("7"), nil, true},
		{"no JSON", `{`, nil, true},
	} {
		findings, err := readZAP([]byte(row.data))
		if (err != nil) != row.fails {
			t.Errorf("%s: %v", row.name, err)
		}
		if diff := cmp.Diff(row.want, said(findings)); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
	}
}

func TestReport(t *testing.T) {
	var out strings.Builder
	worst, n := report(&out, []finding{
		{id: "testssl TLS1_2", severity: info, text: "offered"},
		{id: "testssl TLS_session_ticket", severity: low, text: "valid for a week"},
		{id: "testssl cert_revocation", severity: high, text: "no CRL"},
	})
	if worst != low || n != 1 {
		t.Errorf("worst %s of %d", worst, n)
	}
	for _, text := range []string{"low       testssl TLS_session_ticket: valid for a week", "left out  HIGH      testssl cert_revocation: no CRL (the CA"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("it does not say %q:\n%s", text, out.String())
		}
	}
	if strings.Contains(out.String(), "TLS1_2") {
		t.Errorf("it lists what is good:\n%s", out.String())
	}
}

func TestAServiceThatDoesNotStartIsNotChecked(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := startService(context.Background(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("no binary: %v", err)
	}
	if err := os.Mkdir("bin", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("bin", "gatehouse"), []byte("#!/bin/sh\necho it is broken\nexit 2\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := startService(context.Background(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "it is broken") {
		t.Errorf("a binary that ends: %v", err)
	}
}

func TestTheWeakServerAnswersWithACertificateThatIsGood(t *testing.T) {
	weak, err := startWeak()
	if err != nil {
		t.Fatal(err)
	}
	defer weak.stop()
	if err := weak.alive(context.Background()); err != nil {
		t.Error(err)
	}
}
