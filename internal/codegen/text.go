package codegen

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds a file of the document: the largest public documents have 20 MB.
const maxFile = 64 << 20

// readFile reads a file that is one: a device or a pipe would never end.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err // who asks knows the path
		}
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("is not a file")
	case info.Size() > maxFile:
		return nil, fmt.Errorf("has more than %d bytes", maxFile)
	}
	return os.ReadFile(path)
}

// parseText parses the one YAML or JSON value of a file. Its errors begin with the line.
func parseText(data []byte) (*yaml.Node, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return nil, errors.New(": is not UTF-8: save it in that encoding")
	}
	if n, ok := parseJSON(data); ok {
		return n, nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	switch err := decoder.Decode(&first); {
	case errors.Is(err, io.EOF), err == nil && len(first.Content) == 0:
		return nil, errors.New(":1: is empty")
	case err != nil:
		return nil, syntaxError(err, data)
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf(":%d: holds a second YAML document, which would be passed over: remove the line ---", second.Line)
	}
	return first.Content[0], nil
}

var syntaxAt = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// syntaxError says where the text is not YAML, and why where that is a tab.
func syntaxError(err error, data []byte) error {
	m := syntaxAt.FindStringSubmatch(strings.TrimSpace(err.Error()))
	if m == nil {
		return fmt.Errorf(": is not YAML or JSON: %w", err)
	}
	line, reason := 1, m[2]
	if m[1] != "" {
		fmt.Sscan(m[1], &line)
		if strings.HasPrefix(reason, "did not find expected") {
			line++ // the parser counts from 0, and the scanner from 1
		}
	} else if anchor, found := strings.CutPrefix(reason, "unknown anchor '"); found {
		anchor, _, _ = strings.Cut(anchor, "'")
		line += bytes.Count(data[:max(0, bytes.Index(data, []byte("*"+anchor)))], []byte("\n"))
	}
	lines := bytes.Split(data, []byte("\n"))
	for _, near := range []int{line, line + 1} { // the parser names the one before, at times
		if near <= len(lines) && bytes.Contains(leading(lines[near-1]), []byte("\t")) {
			return fmt.Errorf(":%d: is not YAML: a tab cannot indent: write spaces", near)
		}
	}
	return fmt.Errorf(":%d: is not YAML or JSON: %s", line, reason)
}

// leading is the white space that a line begins with.
func leading(line []byte) []byte {
	return line[:len(line)-len(bytes.TrimLeft(line, " \t"))]
}
