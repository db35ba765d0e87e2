// Command scan starts the service with TLS and has it looked at by nmap, testssl and, where it is installed, ZAP.
//
// It ends with 0 where nothing was found above "low", 1 where something was, and 3 where nothing was found but something could
// not be looked at, because a scanner is missing or did not finish. Before that it has the scanners look at a server that is
// weak on purpose: where they find nothing there, what they say of the service is worth nothing either.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	clean      = 0
	found      = 1
	notChecked = 3
)

// scanTime bounds one run of one scanner. testssl takes two minutes on a free machine.
const scanTime = 15 * time.Minute

type severity int

const (
	info severity = iota
	low
	medium
	high
	critical
)

func (s severity) String() string { return [...]string{"info", "low", "medium", "HIGH", "CRITICAL"}[s] }

// finding is one thing that a scanner says. leftOut is the reason why it does not count.
type finding struct {
	id       string
	severity severity
	text     string
	leftOut  string
}

// aboutTheCA are the findings about the CA and not about the service: the CA is made for the run, has no servers and stands in no
// DNS. By exact id, so that nothing else is hidden by them.
var aboutTheCA = map[string]string{
	"testssl cert_revocation":            "the CA of the run has neither CRL nor OCSP",
	"testssl cert_crlDistributionPoints": "the CA of the run has no CRL",
	"testssl cert_ocspURL":               "the CA of the run has no OCSP",
	"testssl OCSP_stapling":              "the CA of the run has no OCSP",
	"testssl certificate_transparency":   "the CA of the run is in no log",
	"testssl DNS_CAArecord":              "localhost has no DNS",
	"testssl cert_validityPeriod":        "the certificate is for the run alone",
	"testssl cert_extlifeSpan":           "the certificate is for the run alone",
}

// scanner looks at a target. It fails where it could not look at all of it.
type scanner struct {
	name string
	look func(ctx context.Context, t *target, folder string) ([]finding, error)
}

func main() {
	for name, install := range map[string]string{"nmap": "nmap", "testssl": "testssl.sh", "openssl": "openssl"} {
		if _, err := exec.LookPath(name); err != nil {
			fmt.Fprintf(os.Stderr, "scan: %s is missing: on Debian, apt-get install %s\n", name, install)
			os.Exit(notChecked)
		}
	}
	folder, err := os.MkdirTemp("", "gatehouse-scan-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "scan:", err)
		os.Exit(notChecked)
	}
	ctx, stop := context.WithTimeout(context.Background(), 4*scanTime)
	code := run(ctx, os.Stdout, folder)
	stop()
	os.RemoveAll(folder)
	os.Exit(code)
}

func run(ctx context.Context, out io.Writer, folder string) int {
	fmt.Fprintln(out, "== a server that is weak on purpose")
	weak, err := startWeak()
	if err != nil {
		return unable(out, err)
	}
	defer weak.stop()
	for _, s := range []scanner{{"nmap", nmap}, {"testssl", testsslProtocols}} {
		findings, err := s.look(ctx, weak, folder)
		if err != nil {
			return unable(out, fmt.Errorf("%s: %w", s.name, err))
		}
		if worst, n := report(io.Discard, findings); worst <= low {
			return unable(out, fmt.Errorf("%s finds nothing above low at TLS 1.0 with CBC: what it says of others is worth nothing", s.name))
		} else {
			fmt.Fprintf(out, "%s finds what is wrong with it: %d findings, the worst is %s\n", s.name, n, worst)
		}
	}

	fmt.Fprintln(out, "== the service")
	service, err := startService(ctx, folder)
	if err != nil {
		return unable(out, err)
	}
	defer service.stop()
	scanners := []scanner{{"nmap", nmap}, {"testssl", testssl}}
	if _, err := exec.LookPath("zap-baseline.py"); err == nil {
		scanners = append(scanners, scanner{"zap", zap})
	} else {
		fmt.Fprintln(out, "zap-baseline.py is not installed: it is left out")
	}
	var all []finding
	for _, s := range scanners {
		begin := time.Now()
		findings, err := s.look(ctx, service, folder)
		if err != nil {
			return unable(out, fmt.Errorf("%s: %w", s.name, err))
		}
		fmt.Fprintf(out, "%s has looked at it: %d s\n", s.name, int(time.Since(begin).Seconds()))
		all = append(all, findings...)
	}
	if err := service.alive(ctx); err != nil {
		return unable(out, fmt.Errorf("the service does not answer after the scan: %w", err))
	}
	worst, n := report(out, all)
	if worst > low {
		fmt.Fprintf(out, "== %d findings count, the worst is %s\n", n, worst)
		return found
	}
	fmt.Fprintln(out, "== nothing above low")
	return clean
}

func unable(out io.Writer, err error) int {
	fmt.Fprintln(out, "== not checked:", err)
	return notChecked
}

// report prints the findings that are more than information, and returns the worst of those that count and how many count.
func report(out io.Writer, findings []finding) (worst severity, n int) {
	for _, f := range findings {
		if f.leftOut == "" {
			f.leftOut = aboutTheCA[f.id]
		}
		if f.leftOut != "" {
			fmt.Fprintf(out, "  left out  %-9s %s: %s (%s)\n", f.severity, f.id, f.text, f.leftOut)
			continue
		}
		worst = max(worst, f.severity)
		if f.severity > info {
			n++
			fmt.Fprintf(out, "            %-9s %s: %s\n", f.severity, f.id, f.text)
		}
	}
	return worst, n
}

// command runs a scanner with all that it starts, and ends all of it where it takes too long.
func command(ctx context.Context, folder, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, scanTime)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = folder
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) } // its own group
	c.WaitDelay = 5 * time.Second
	output, err := c.CombinedOutput()
	if ctx.Err() != nil {
		return string(output), fmt.Errorf("it did not finish within %s", scanTime)
	}
	return strings.TrimSpace(string(output)), err
}
