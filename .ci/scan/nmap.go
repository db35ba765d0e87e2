package main

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// scripts are what nmap runs against a port. Those with a plus it would leave out by itself: it does not know the service as HTTP,
// which has no field Server.
const scripts = "ssl-enum-ciphers,ssl-cert,ssl-dh-params,ssl-heartbleed,ssl-poodle,ssl-ccs-injection,ssl-known-key,sslv2,sslv2-drown," +
	"tls-ticketbleed,+http-security-headers,+http-methods,+http-server-header,+http-trace,+http-cookie-flags,+http-cors"

func nmap(ctx context.Context, t *target, folder string) ([]finding, error) {
	ports := t.port
	if t.plainPort != "" {
		ports += "," + t.plainPort
	}
	output, err := command(ctx, folder, "nmap", "-n", "-Pn", "-sT", "-sV", "--version-light", "-p", ports, "--script", scripts,
		"--script-args", "http-methods.url-path=/items", "-oX", "-", "127.0.0.1")
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, output)
	}
	return readNmap([]byte(output), t.port)
}

type nmapTable struct {
	Key    string      `xml:"key,attr"`
	Elems  []nmapElem  `xml:"elem"`
	Tables []nmapTable `xml:"table"`
}

type nmapElem struct {
	Key  string `xml:"key,attr"`
	Text string `xml:",chardata"`
}

type nmapScript struct {
	ID     string `xml:"id,attr"`
	Output string `xml:"output,attr"`
	nmapTable
}

// readNmap reads the XML of nmap. Nmap judges little by itself, so that the rules are here.
func readNmap(data []byte, tlsPort string) ([]finding, error) {
	var document struct {
		Ports []struct {
			Port  string `xml:"portid,attr"`
			State struct {
				State string `xml:"state,attr"`
			} `xml:"state"`
			Scripts []nmapScript `xml:"script"`
		} `xml:"host>ports>port"`
	}
	if err := xml.Unmarshal(data, &document); err != nil {
		return nil, err
	}
	var findings []finding
	for _, port := range document.Ports {
		if port.State.State != "open" {
			return nil, fmt.Errorf("port %s is %s", port.Port, port.State.State)
		}
		ran := func(id string) bool {
			return slices.ContainsFunc(port.Scripts, func(s nmapScript) bool { return s.ID == id })
		}
		if port.Port == tlsPort && !ran("ssl-enum-ciphers") {
			return nil, errors.New("it did not see that the port speaks TLS")
		}
		for _, s := range port.Scripts {
			for _, f := range s.judge(port.Port == tlsPort) {
				f.id = "nmap " + s.ID + ":" + port.Port
				findings = append(findings, f)
			}
		}
		if !ran("http-security-headers") {
			findings = append(findings, finding{id: "nmap http-security-headers:" + port.Port, severity: medium, text: "no response has any"})
		}
	}
	if len(findings) == 0 {
		return nil, errors.New("it says nothing")
	}
	return findings, nil
}

func (s nmapScript) judge(tls bool) []finding {
	one := func(sev severity, text string) []finding { return []finding{{severity: sev, text: text}} }
	switch s.ID {
	case "ssl-enum-ciphers":
		return s.ciphers()
	case "http-security-headers":
		var findings []finding
		wanted := []string{"X-Content-Type-Options: nosniff", "Content-Security-Policy: default-src 'none'"}
		if tls {
			wanted = append(wanted, "Strict-Transport-Security: max-age=31536000")
		}
		for _, field := range wanted {
			if !strings.Contains(s.Output, field) {
				findings = append(findings, finding{severity: medium, text: "no " + field})
			}
		}
		if findings == nil {
			return one(info, "they are there")
		}
		return findings
	case "http-methods":
		if strings.Contains(s.Output, "TRACE") || strings.Contains(s.Output, "CONNECT") {
			return one(medium, strings.TrimSpace(s.Output))
		}
		return one(info, strings.TrimSpace(s.Output))
	case "http-server-header":
		return one(low, strings.TrimSpace(s.Output))
	case "http-trace", "http-cors", "http-cookie-flags", "ssl-known-key", "sslv2", "ssl-dh-params":
		return one(medium, strings.TrimSpace(s.Output))
	case "ssl-heartbleed", "ssl-poodle", "ssl-ccs-injection", "sslv2-drown", "tls-ticketbleed":
		if strings.Contains(s.Output, "VULNERABLE") && !strings.Contains(s.Output, "NOT VULNERABLE") {
			return one(high, strings.TrimSpace(s.Output))
		}
	}
	return one(info, strings.TrimSpace(s.Output))
}

// ciphers judges the protocols and the grades that nmap gives to cipher suites: nothing below A, no TLS below 1.2, no warning.
func (s nmapScript) ciphers() []finding {
	var findings []finding
	for _, protocol := range s.Tables {
		if protocol.Key != "TLSv1.2" && protocol.Key != "TLSv1.3" {
			findings = append(findings, finding{severity: high, text: protocol.Key + " is offered"})
		}
		for _, table := range protocol.Tables {
			for _, cipher := range table.Tables {
				name, grade := "", ""
				for _, e := range cipher.Elems {
					switch e.Key {
					case "name":
						name = e.Text
					case "strength":
						grade = e.Text
					}
				}
				switch {
				case strings.Contains(name, "_CBC_"):
					findings = append(findings, finding{severity: medium, text: protocol.Key + " " + name})
				case table.Key == "ciphers" && grade != "A":
					findings = append(findings, finding{severity: medium, text: protocol.Key + " " + name + " has grade " + grade})
				}
			}
			if table.Key == "warnings" {
				for _, e := range table.Elems {
					findings = append(findings, finding{severity: medium, text: protocol.Key + " " + e.Text})
				}
			}
		}
	}
	if findings == nil {
		findings = append(findings, finding{severity: info, text: "TLS 1.2 and above, grade A"})
	}
	return findings
}
