package server_test

import (
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"io"
)

// mailToken is the token in the link of a mail.
var mailToken = regexp.MustCompile(`#(?:verify|reset)=([A-Za-z0-9_-]{43})\r?\n`)

// mailed waits for n mails, takes them out of the folder and returns the token of each address, "" for a mail that has none. More
// mails than that fail the test.
func (s *service) mailed(n int) map[string]string {
	s.t.Helper()
	folder := filepath.Join(s.config.Data, "mail")
	var files []string
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		s.Users().Settle()
		files, _ = filepath.Glob(filepath.Join(folder, "*.eml"))
		if len(files) >= n || time.Now().After(deadline) {
			break
		}
	}
	if n == 0 {
		time.Sleep(50 * time.Millisecond) // what has been posted is being written
		files, _ = filepath.Glob(filepath.Join(folder, "*.eml"))
	}
	if len(files) != n {
		s.t.Fatalf("%d mails, want %d", len(files), n)
	}
	tokens := map[string]string{}
	for _, path := range files {
		file, err := os.Open(path)
		if err != nil {
			s.t.Fatal(err)
		}
		m, err := mail.ReadMessage(file)
		if err != nil {
			s.t.Fatal(err)
		}
		to, err := m.Header.AddressList("To")
		if err != nil {
			s.t.Fatal(err)
		}
		text, err := io.ReadAll(m.Body)
		if err != nil {
			s.t.Fatal(err)
		}
		file.Close()
		tokens[to[0].Address] = ""
		if found := mailToken.FindSubmatch(text); found != nil {
			tokens[to[0].Address] = string(found[1])
			s.mu.Lock()
			s.secrets[string(found[1])] = true
			s.mu.Unlock()
		}
		if err := os.Remove(path); err != nil {
			s.t.Fatal(err)
		}
	}
	return tokens
}

func TestMailsLeaveOneByOne(t *testing.T) {
	s := start(t)
	s.mailed(0)
}
