package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const from = "Gatehouse <gatehouse@example.com>"

var now = time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)

func clock() time.Time { return now }

// long is longer than the lines that quoted-printable makes.
var long = "https://app.example.com/account#verify=" + strings.Repeat("A", 80)

func TestFolderWritesOneFileForEachMessage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mail")
	f := &Folder{Path: dir, From: from, Now: clock, Random: rand.Reader}
	for range 2 {
		if err := f.Send(context.Background(), Message{"ann@example.com", "Grüße", "Hello,\n\n" + long + "\n"}); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	folder, err := os.Stat(dir)
	if err != nil || folder.Mode().Perm() != 0o700 {
		t.Errorf("the folder is %v: others may see what is in it", folder.Mode())
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil || info.Mode().Perm() != 0o600 || !strings.HasPrefix(file.Name(), "20261124T093000.000000Z-") || filepath.Ext(file.Name()) != ".eml" {
			t.Errorf("%s is %v: %v", file.Name(), info.Mode(), err)
		}
		raw, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(raw), "\r\n"+long+"\r\n") {
			t.Errorf("the link is not in one piece:\n%s", raw)
		}
		m, err := mail.ReadMessage(strings.NewReader(string(raw)))
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{
			"To": "<ann@example.com>", "From": `"Gatehouse" <gatehouse@example.com>`, "Date": "Tue, 24 Nov 2026 09:30:00 +0000", "Auto-Submitted": "auto-generated",
			"Content-Type": "text/plain; charset=UTF-8", "Subject": "=?UTF-8?q?Gr=C3=BC=C3=9Fe?=", "User-Agent": "", "X-Mailer": "",
		} {
			if got := m.Header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if id := m.Header.Get("Message-Id"); len(id) != 32+len("<@example.com>") || !strings.HasSuffix(id, "@example.com>") {
			t.Errorf("the id is %s", id)
		}
	}
}

func TestComposeRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, row := range map[string]struct {
		from string
		Message
	}{
		"a line end in the address":   {from, Message{"ann@example.com\r\nBcc: eve@example.com", "Hello", "x"}},
		"a line end in the subject":   {from, Message{"ann@example.com", "Hello\nBcc: eve@example.com", "x"}},
		"a NUL in the subject":        {from, Message{"ann@example.com", "Hello\x00", "x"}},
		"a line end in the sender":    {"a@example.com\r\nBcc: eve@example.com", Message{"ann@example.com", "Hello", "x"}},
		"no address":                  {from, Message{"", "Hello", "x"}},
		"an address that is none":     {from, Message{"ann", "Hello", "x"}},
		"two addresses":               {from, Message{"ann@example.com, eve@example.com", "Hello", "x"}},
		"a sender that is no address": {"Gatehouse", Message{"ann@example.com", "Hello", "x"}},
	} {
		err := (&Folder{Path: dir, From: row.from, Now: clock, Random: rand.Reader}).Send(context.Background(), row.Message)
		if !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if files, _ := os.ReadDir(dir); len(files) > 0 {
		t.Errorf("%d files were written", len(files))
	}
	if err := (&Folder{Path: dir, From: from, Now: clock, Random: strings.NewReader("")}).Send(context.Background(), Message{"ann@example.com", "Hello", "x"}); !errors.Is(err, io.EOF) {
		t.Errorf("without randomness: %v", err)
	}
}

func TestParseFrom(t *testing.T) {
	for text, good := range map[string]bool{
		from: true, "gatehouse@example.com": true, "Gatehouse": false, "": false, "a@example.com\r\nBcc: b@example.com": false, "a@example.com, b@example.com": false,
	} {
		if err := ParseFrom(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}
