package mail

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/internal/auth"
)

func TestParseSMTP(t *testing.T) {
	for _, row := range []struct {
		address string
		says    string // of the error
		host    string
		port    int
	}{
		{"smtps://gate:c4n4ry@mail.example.com", "", "mail.example.com", 465},
		{"smtps://gate:c4n4ry@mail.example.com:4650/", "", "mail.example.com", 4650},
		{"smtp://gate:c4n4ry@mail.example.com", "", "mail.example.com", 587},
		{"smtp://gate:c4n4ry@mail.example.com?tls=mandatory", "", "mail.example.com", 587},
		{"smtp://mail.example.com:25?tls=opportunistic", "", "mail.example.com", 25},
		{"smtp://127.0.0.1:1025?tls=none", "", "127.0.0.1", 1025},
		{"smtp://[::1]:1025?tls=none", "", "::1", 1025},
		{"", "must be smtps://", "", 0},
		{"mail.example.com", "must be smtps://", "", 0},
		{"https://gate:c4n4ry@mail.example.com", "must be smtps://", "", 0},
		{"smtp://", "must be smtps://", "", 0},
		{"smtp://gate:c4n4ry@mail.example.com/queue", "must be smtps://", "", 0},
		{"smtp://gate:c4n4ry%@mail.example.com", "must be smtps://", "", 0},
		{"smtp://mail.example.com:0", "the port", "", 0},
		{"smtp://mail.example.com:70000", "the port", "", 0},
		{"smtp://gate@mail.example.com", "give both or none", "", 0},
		{"smtp://:c4n4ry@mail.example.com", "give both or none", "", 0},
		{"smtp://mail.example.com?tls=off", "takes ?tls=mandatory", "", 0},
		{"smtp://mail.example.com?TLS=none", "takes ?tls=mandatory", "", 0},
		{"smtp://mail.example.com?tls=none&tls=mandatory", "takes ?tls=mandatory", "", 0},
		{"smtp://mail.example.com?tls=none&verify=off", "takes ?tls=mandatory", "", 0},
		{"smtps://mail.example.com?tls=none", "leave ?tls out", "", 0},
		{"smtp://gate:c4n4ry@mail.example.com?tls=none", "would be sent without TLS", "", 0},
		{"smtp://gate:c4n4ry@mail.example.com?tls=opportunistic", "would be sent without TLS", "", 0},
	} {
		s, err := ParseSMTP(auth.Secret(row.address))
		if (err == nil) != (row.says == "") || err != nil && !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", row.address, err)
			continue
		}
		if err != nil {
			if strings.Contains(err.Error(), "c4n4ry") {
				t.Errorf("the error holds the password: %v", err)
			}
			continue
		}
		if s.host != row.host || s.port != row.port {
			t.Errorf("%s: %s:%d", row.address, s.host, s.port)
		}
	}
}

func sender(t *testing.T, address string, roots *x509.CertPool) *SMTP {
	t.Helper()
	s, err := ParseSMTP(auth.Secret(address))
	if err != nil {
		t.Fatal(err)
	}
	s.From, s.Roots, s.Now, s.Random = from, roots, clock, rand.Reader
	return s
}

var hello = Message{"ann@example.com", "Grüße", "Hello,\n\n" + long + "\n"}

func TestSMTPDeliversToARealServer(t *testing.T) {
	starttls := startMailpit(t, "--smtp-tls-cert", "CERT", "--smtp-tls-key", "KEY", "--smtp-require-starttls", "--smtp-auth-file", "USERS")
	implicit := startMailpit(t, "--smtp-tls-cert", "CERT", "--smtp-tls-key", "KEY", "--smtp-require-tls", "--smtp-auth-file", "USERS")
	plain := startMailpit(t)
	const login = "gate:pass-c4n4ry@"
	for _, row := range []struct {
		name    string
		server  *mailpit
		address string
		roots   *x509.CertPool
		arrives bool
	}{
		{"STARTTLS with a login", starttls, "smtp://" + login, starttls.roots, true},
		{"TLS from the first byte", implicit, "smtps://" + login, implicit.roots, true},
		{"no TLS where that is wanted", plain, "smtp://?tls=none", nil, true},
		{"TLS where the server offers it, and it does not", plain, "smtp://?tls=opportunistic", nil, true},
		{"STARTTLS that the server does not offer", plain, "smtp://", nil, false},
		{"a login that the server does not offer over TLS", plain, "smtp://" + login, nil, false},
		{"a certificate of nobody", starttls, "smtp://" + login, nil, false},
		{"a certificate of another server", starttls, "smtp://" + login, implicit.roots, false},
		{"a certificate of nobody, where TLS is optional", starttls, "smtp://?tls=opportunistic", nil, false},
		{"TLS from the first byte where the server waits for STARTTLS", starttls, "smtps://" + login, starttls.roots, false},
		{"a wrong password", starttls, "smtp://gate:wr0ng-c4n4ry@", starttls.roots, false},
		{"no login", starttls, "smtp://", starttls.roots, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			address := row.address
			if before, query, found := strings.Cut(address, "?"); found {
				address = before + row.server.smtp + "?" + query
			} else {
				address += row.server.smtp
			}
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			err := sender(t, address, row.roots).Send(ctx, hello)
			if (err == nil) != row.arrives {
				t.Errorf("got %v", err)
			}
			if err != nil && (strings.Contains(err.Error(), "c4n4ry") || strings.Contains(err.Error(), hello.To) || errors.Is(err, ErrRefused)) {
				t.Errorf("the error holds a secret or an address, or is final: %v", err)
			}
			var want []string
			if row.arrives {
				want = []string{"ann@example.com\nGrüße\nHello,\n\n" + long + "\n"}
			}
			if diff := cmp.Diff(want, row.server.received(t)); diff != "" {
				t.Errorf("(-want +received)\n%s", diff)
			}
		})
	}
}

func TestWhatTheServerRefuses(t *testing.T) {
	m := startMailpit(t)
	s := sender(t, "smtp://"+m.smtp+"?tls=none", nil)
	for code, final := range map[int]bool{421: false, 450: false, 451: false, 550: true, 553: true} {
		m.refuse(t, code)
		err := s.Send(context.Background(), hello)
		if err == nil || errors.Is(err, ErrRefused) != final || strings.Contains(err.Error(), hello.To) {
			t.Errorf("%d: %v", code, err)
		}
	}
	if texts := m.received(t); len(texts) > 0 {
		t.Errorf("received %v", texts)
	}
}

// TestTheQueueTriesAgain: a server that does not take mails for a while gets them later.
func TestTheQueueTriesAgain(t *testing.T) {
	m := startMailpit(t)
	m.refuse(t, 451)
	tried := make(chan struct{}, 100)
	s := sender(t, "smtp://"+m.smtp+"?tls=none", nil)
	var log bytes.Buffer
	q := NewQueue(QueueConfig{
		Sender: sendFunc(func(ctx context.Context, m Message) error {
			defer func() { tried <- struct{}{} }()
			return s.Send(ctx, m)
		}),
		Log: slog.New(slog.NewTextHandler(&log, nil)), Pauses: []time.Duration{50 * time.Millisecond, time.Hour},
	})
	if err := q.Post(hello); err != nil {
		t.Fatal(err)
	}
	<-tried
	<-tried // the second try failed too: the third would be in an hour
	m.refuse(t, 0)
	q.Close(context.Background())
	if texts := m.received(t); len(texts) != 1 {
		t.Errorf("received %v; the log: %s", texts, log.String())
	}
	if !strings.Contains(log.String(), "451") || strings.Contains(log.String(), hello.To) || strings.Contains(log.String(), long) {
		t.Errorf("the log: %s", log.String())
	}
}
