package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// accepted are the licences under which the service may link a module: they ask for a notice, and for no more of
// the service than the module's own files.
var accepted = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0", "Unlicense", "0BSD", "public domain"}

// noLicence are files that have the name of a licence and are none. Somebody has read them.
var noLicence = []string{
	"modernc.org/memory/LICENSE-LOGO", // where the picture of the project comes from
}

// licences reads the licence of every module that a binary links from the module's own files.
func licences(out io.Writer) outcome {
	modules, err := linkedModules()
	if err != nil {
		fmt.Fprintf(out, "not checked: %v\n", err)
		return notChecked
	}
	return judgeLicences(out, modules)
}

// module is a module and where its files are.
type module struct{ Path, Version, Dir string }

func linkedModules() ([]module, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Module,Standard", "./cmd/...")
	stdout, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list ./cmd/...: %w", err)
	}
	var modules []module
	decoder := json.NewDecoder(strings.NewReader(string(stdout)))
	for {
		var p struct {
			Standard bool
			Module   *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		if err := decoder.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		if p.Standard || p.Module == nil || p.Module.Main {
			continue
		}
		if m := (module{p.Module.Path, p.Module.Version, p.Module.Dir}); !slices.Contains(modules, m) {
			modules = append(modules, m)
		}
	}
	if len(modules) == 0 {
		return nil, fmt.Errorf("./cmd/... links no module: there is nothing to look at")
	}
	goroot, err := exec.Command("go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	root, version, _ := strings.Cut(strings.TrimSpace(string(goroot)), "\n")
	modules = append(modules, module{"the standard library", version, root})
	slices.SortFunc(modules, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	return modules, nil
}

func judgeLicences(out io.Writer, modules []module) outcome {
	result := clean
	for _, m := range modules {
		found, err := licencesIn(m)
		verdict := strings.Join(found, " and ")
		switch {
		case err != nil:
			verdict, result = "FINDING: "+err.Error(), findings
		case len(found) == 0:
			verdict, result = "FINDING: no licence file", findings
		default:
			for _, name := range found {
				if !slices.Contains(accepted, name) {
					verdict, result = "FINDING: "+verdict, findings
					break
				}
			}
		}
		fmt.Fprintf(out, "  %-50s %-40s %s\n", m.Path, m.Version, verdict)
	}
	return result
}

var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|unlicense)([.-].*)?$`)

// licencesIn returns the licences that the licence files at the top of a module hold, "unknown" for a file that holds none it can tell.
func licencesIn(m module) ([]string, error) {
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, entry := range entries {
		if entry.IsDir() || !licenceFile.MatchString(entry.Name()) || slices.Contains(noLicence, m.Path+"/"+entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(m.Dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		for _, name := range recognise(string(text)) {
			if !slices.Contains(found, name) {
				found = append(found, name)
			}
		}
	}
	return found, nil
}

// marks are words that the text of the named licence has. A licence whose words are a part of a stricter one's counts
// only where the stricter one, which stands before it, was not found.
var marks = []struct {
	licence  string
	stricter string
	words    []string
}{
	{"AGPL-3.0", "", []string{"gnu affero general public license"}},
	{"LGPL", "", []string{"gnu lesser general public license"}},
	{"LGPL", "", []string{"gnu library general public license"}},
	{"GPL", "", []string{"gnu general public license"}},
	{"Apache-2.0", "", []string{"apache license", "version 2.0"}},
	{"MPL-2.0", "", []string{"mozilla public license", "2.0"}},
	{"BSD-3-Clause", "", []string{"redistribution and use in source and binary forms", "neither the name"}},
	{"BSD-3-Clause", "", []string{"redistribution and use in source and binary forms", "may not be used to endorse"}},
	{"BSD-2-Clause", "BSD-3-Clause", []string{"redistribution and use in source and binary forms"}},
	{"ISC", "", []string{"permission to use, copy, modify, and/or distribute this software for any purpose with or without fee", "copyright notice"}},
	{"ISC", "", []string{"permission to use, copy, modify, and distribute this software for any purpose with or without fee", "copyright notice"}},
	{"0BSD", "ISC", []string{"permission to use, copy, modify, and/or distribute this software for any purpose with or without fee"}},
	{"MIT", "", []string{"permission is hereby granted, free of charge, to any person obtaining a copy", "the above copyright notice"}},
	{"public domain", "", []string{"sqlite is public domain"}},
	{"Unlicense", "", []string{"this is free and unencumbered software released into the public domain"}},
}

// secondaryLicences is the paragraph in which the MPL names the GPL family.
var secondaryLicences = regexp.MustCompile(`"secondary license" means either the gnu[^"]*`)

// recognise returns the licences whose words stand in the text, or "unknown".
func recognise(text string) []string {
	text = strings.ReplaceAll(strings.Join(strings.Fields(strings.ToLower(text)), " "), "“", `"`)
	text = secondaryLicences.ReplaceAllString(strings.ReplaceAll(text, "”", `"`), "")
	var found []string
	for _, mark := range marks {
		if slices.Contains(found, mark.licence) || slices.Contains(found, mark.stricter) {
			continue
		}
		if !slices.ContainsFunc(mark.words, func(w string) bool { return !strings.Contains(text, w) }) {
			found = append(found, mark.licence)
		}
	}
	if len(found) == 0 {
		return []string{"unknown"}
	}
	return found
}
