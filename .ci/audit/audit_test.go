package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAuditEndsWithTheWorstOutcome(t *testing.T) {
	tests := []struct {
		name     string
		outcomes []outcome
		want     outcome
	}{
		{"nothing found anywhere is clean", []outcome{clean, clean}, clean},
		{"a finding counts", []outcome{clean, findings, clean}, findings},
		{"what could not be checked is not clean", []outcome{clean, notChecked, clean}, notChecked},
		{"a finding outweighs what could not be checked before it", []outcome{notChecked, findings}, findings},
		{"a finding outweighs what could not be checked after it", []outcome{findings, notChecked}, findings},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var checks []check
			for _, o := range tt.outcomes {
				checks = append(checks, check{"a check", func(io.Writer) outcome { return o }})
			}
			var out bytes.Buffer
			if got := audit(&out, checks); got != tt.want {
				t.Errorf("ended with %d, want %d", got, tt.want)
			}
			if tt.want == notChecked && !strings.Contains(out.String(), "not checked") {
				t.Errorf("the summary does not say so:\n%s", out.String())
			}
		})
	}
}

func TestReadGosec(t *testing.T) {
	const issue = `{"Issues":[{"rule_id":"G101","file":"/src/a/b.go","line":"3","details":"a secret"}]}`
	tests := []struct {
		name, report string
		suppressed   []suppression
		want         outcome
	}{
		{"no issue is clean", `{"Golang errors":{},"Issues":[]}`, nil, clean},
		{"an issue is a finding", issue, nil, findings},
		{"an issue that is suppressed everywhere is clean", issue, []suppression{{"G101", "", "why"}}, clean},
		{"an issue that is suppressed in its folder is clean", issue, []suppression{{"G101", "a/", "why"}}, clean},
		{"a suppression in another folder does not hide it", issue, []suppression{{"G101", "b/", "why"}}, findings},
		{"a suppression of another rule does not hide it", issue, []suppression{{"G102", "", "why"}}, findings},
		{"a suppression that hides nothing is a finding", `{"Issues":[]}`, []suppression{{"G101", "", "why"}}, findings},
		{"a file that it could not read is not checked", `{"Golang errors":{"a.go":[{"error":"syntax error"}]},"Issues":[]}`, nil, notChecked},
		{"an issue beside a file that it could not read is a finding", `{"Golang errors":{"a.go":[{"error":"syntax error"}]},` + issue[1:], nil, findings},
		{"a report that is not JSON is not checked", `panic`, nil, notChecked},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := readGosec(io.Discard, []byte(tt.report), "/src", tt.suppressed); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

const (
	mit    = "Permission is hereby granted, free of charge, to any person obtaining a copy of this software ... The above copyright notice and this permission notice"
	bsd2   = "Redistribution and use in source and binary forms, with or without modification, are permitted"
	bsd3   = bsd2 + " ... Neither the name of the holder nor the names of its contributors"
	isc    = "Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted, provided that the above copyright notice"
	apache = "Apache License\n   Version 2.0, January 2004"
	mpl    = "Mozilla Public License Version 2.0 ... “Secondary License” means either the GNU General Public License, Version 2.0, the GNU Affero General Public License"
	gpl    = "GNU GENERAL PUBLIC\n LICENSE Version 3"
	agpl   = "GNU AFFERO GENERAL PUBLIC LICENSE ... the GNU General Public License"
)

func TestJudgeLicences(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		want  outcome
		says  string
	}{
		{"MIT is accepted", map[string]string{"LICENSE": mit}, clean, "MIT"},
		{"two clauses of BSD are told from three", map[string]string{"LICENSE.txt": bsd2}, clean, "BSD-2-Clause"},
		{"three clauses of BSD are told from two", map[string]string{"COPYING": bsd3}, clean, "BSD-3-Clause"},
		{"ISC is accepted", map[string]string{"licence.md": isc}, clean, "ISC"},
		{"Apache is accepted", map[string]string{"LICENSE": apache}, clean, "Apache-2.0"},
		{"the MPL is not taken for the licences that it names", map[string]string{"LICENSE": mpl}, clean, "MPL-2.0"},
		{"the GPL is a finding", map[string]string{"LICENSE": gpl}, findings, "FINDING: GPL"},
		{"the AGPL is a finding", map[string]string{"COPYING": agpl}, findings, "FINDING: AGPL-3.0"},
		{"both licences of one file are found", map[string]string{"LICENSE": mit + apache}, clean, "Apache-2.0 and MIT"},
		{"a licence that is not accepted is found behind one that is", map[string]string{"LICENSE": mit + gpl}, findings, "GPL and MIT"},
		{"a second file that is not accepted is a finding", map[string]string{"LICENSE": mit, "LICENSE-GPL": gpl}, findings, "GPL"},
		{"a text that nobody knows is a finding", map[string]string{"LICENSE": "all rights reserved"}, findings, "unknown"},
		{"the dedication of SQLite is accepted", map[string]string{"LICENSE": mit, "LICENSE-SQLITE": "SQLite Is Public Domain"}, clean, "MIT and public domain"},
		{"a module without a licence is a finding", map[string]string{"README": mit}, findings, "no licence file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range tt.files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var out bytes.Buffer
			if got := judgeLicences(&out, []module{{"example.org/m", "v1.0.0", dir}}); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
			if !strings.Contains(out.String(), tt.says) {
				t.Errorf("%q does not say %q", out.String(), tt.says)
			}
		})
	}
	t.Run("a module that is not in the cache is a finding", func(t *testing.T) {
		if got := judgeLicences(io.Discard, []module{{"example.org/m", "v1.0.0", "/nowhere"}}); got != findings {
			t.Errorf("%v, want findings", got)
		}
	})
}
