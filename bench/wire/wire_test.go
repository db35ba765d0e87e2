package wire

import (
	"bufio"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	for name, row := range map[string]struct {
		text string
		want Answer
		err  string
	}{
		"an answer":                         {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", Answer{200, false}, ""},
		"one without a body":                {"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", Answer{404, false}, ""},
		"the last":                          {"HTTP/1.1 503 Busy\r\nContent-Length: 1\r\nConnection: Close\r\n\r\nx", Answer{503, true}, ""},
		"another version":                   {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", Answer{}, "not HTTP/1.1"},
		"no status":                         {"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n", Answer{}, "no status"},
		"no length":                         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Answer{200, false}, "no Content-Length"},
		"a length that is no number":        {"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok", Answer{200, false}, "no number"},
		"a body that ends before its end":   {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", Answer{200, false}, "EOF"},
		"a head that ends before its end":   {"HTTP/1.1 200 OK\r\nContent-Le", Answer{200, false}, "EOF"},
		"a connection that ends before all": {"", Answer{}, "EOF"},
	} {
		got, err := Read(bufio.NewReader(strings.NewReader(row.text)))
		if got != row.want && row.err == "" || (err == nil) != (row.err == "") || err != nil && !strings.Contains(err.Error(), row.err) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestEachHeadMeetsEachBody(t *testing.T) {
	seen := map[string]bool{}
	for i := range 8 * 4 {
		seen[string(Request(nil, []string{"a\r\n", "b\r\n", "c\r\n", "d\r\n", "e\r\n", "f\r\n", "g\r\n", "h\r\n"}, []string{"1", "2", "3", "4"}, i, ""))] = true
	}
	if len(seen) != 32 || !seen["a\r\nContent-Length: 1\r\n\r\n1"] {
		t.Errorf("%d of 32 pairs: %v", len(seen), seen)
	}
	if got := string(Request(nil, []string{"a\r\n"}, nil, 7, "X: y\r\n")); got != "a\r\nX: y\r\n\r\n" {
		t.Errorf("%q", got)
	}
}
