// Package wire is HTTP/1.1 as far as the loads of the benchmarks speak it, so that their core is never the bottleneck.
package wire

import (
	"bufio"
	"bytes"
	"errors"
	"strconv"
)

// Request appends the i-th request to buf: heads are complete but for Content-Length and the empty line, and rotate, and the bodies with
// them, so that each head meets each body.
func Request(buf []byte, heads, bodies []string, i int, fields string) []byte {
	buf = append(buf, heads[i%len(heads)]...)
	buf = append(buf, fields...)
	if len(bodies) == 0 {
		return append(buf, "\r\n"...)
	}
	// One body further with every turn of the heads: 256 heads and 64 bodies would else always meet in the same pairs.
	body := bodies[(i+i/len(heads))%len(bodies)]
	buf = append(buf, "Content-Length: "...)
	buf = strconv.AppendInt(buf, int64(len(body)), 10)
	buf = append(buf, "\r\n\r\n"...)
	return append(buf, body...)
}

// Answer is what the loads look at.
type Answer struct {
	Status int
	// Last says that the server closes the connection after it.
	Last bool
}

// Read reads one answer to its end. One that does not say how long it is, is an error.
func Read(r *bufio.Reader) (a Answer, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return a, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return a, errors.New("it is not HTTP/1.1")
	}
	if a.Status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return a, errors.New("it has no status")
	}
	length := -1
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return a, err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch value = bytes.TrimSpace(value); {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return a, errors.New("its Content-Length is no number")
			}
		case bytes.EqualFold(name, []byte("Connection")) && bytes.EqualFold(value, []byte("close")):
			a.Last = true
		}
	}
	if length < 0 {
		return a, errors.New("it has no Content-Length")
	}
	_, err = r.Discard(length)
	return a, err
}
