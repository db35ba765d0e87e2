package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"net/url"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"

	"example.com/gatehouse/internal/auth"
)

// SMTP sends to a mail server. It may be used by several goroutines at once: each message has a connection of its own, since
// mails are few and a connection that idles is closed by the other side at a bad time.
type SMTP struct {
	host     string
	port     int
	implicit bool // TLS from the first byte, RFC 8314 §3.3
	policy   gomail.TLSPolicy
	user     string
	password auth.Secret

	// From is the address that mails come from.
	From string
	// Roots verify the server's certificate: those of the system where it is nil.
	Roots  *x509.CertPool
	Now    func() time.Time
	Random io.Reader
}

// sendTimeout is how long one message may take. It is not the request's time: mails are sent after it.
const sendTimeout = 20 * time.Second

// ParseSMTP reads the address of a mail server: smtps://USER:PASSWORD@HOST for TLS from the first byte, smtp://… for STARTTLS
// that must succeed. ?tls=opportunistic takes it where the server offers it, ?tls=none never; both are refused with a password, which
// whoever sits between could then read. No error holds the address, since the password is in it.
func ParseSMTP(address auth.Secret) (*SMTP, error) {
	u, err := url.Parse(address.Reveal())
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Path != "" && u.Path != "/" {
		return nil, errors.New("the address of the mail server must be smtps://USER:PASSWORD@HOST:PORT or smtp://…")
	}
	s := &SMTP{host: u.Hostname(), implicit: u.Scheme == "smtps", port: 587, user: u.User.Username()}
	if s.implicit {
		s.port = 465
	}
	if p := u.Port(); p != "" {
		if s.port, err = strconv.Atoi(p); err != nil || s.port < 1 || s.port > 65535 {
			return nil, errors.New("the port of the mail server must be a number from 1 to 65535")
		}
	}
	password, _ := u.User.Password()
	s.password = auth.Secret(password)
	if (s.user == "") != (s.password == "") {
		return nil, errors.New("the address of the mail server has a user or a password alone: give both or none")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil || len(query) > 1 || len(query) == 1 && len(query["tls"]) != 1 {
		return nil, errors.New("the address of the mail server takes ?tls=mandatory, opportunistic or none, and nothing else")
	}
	policy, known := map[string]gomail.TLSPolicy{
		"": gomail.TLSMandatory, "mandatory": gomail.TLSMandatory, "opportunistic": gomail.TLSOpportunistic, "none": gomail.NoTLS,
	}[query.Get("tls")]
	switch {
	case !known:
		return nil, errors.New("the address of the mail server takes ?tls=mandatory, opportunistic or none")
	case s.implicit && policy != gomail.TLSMandatory:
		return nil, errors.New("smtps:// is TLS from the first byte: leave ?tls out, or write smtp://")
	case s.user != "" && policy != gomail.TLSMandatory:
		return nil, errors.New("the password of the mail server would be sent without TLS: leave ?tls out, or the password")
	}
	s.policy = policy
	return s, nil
}

// Send hands the message to the mail server.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	msg, err := compose(s.From, m, gomail.EncodingQP, s.Now(), s.Random)
	if err != nil {
		return err
	}
	options := []gomail.Option{
		gomail.WithPort(s.port), gomail.WithTimeout(sendTimeout), gomail.WithTLSPolicy(s.policy),
		gomail.WithTLSConfig(&tls.Config{ServerName: s.host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}),
	}
	if s.implicit {
		options = append(options, gomail.WithSSL())
	}
	if s.user != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.user), gomail.WithPassword(s.password.Reveal()))
	}
	client, err := gomail.NewClient(s.host, options...)
	if err != nil {
		return err
	}
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		return told(err)
	}
	return nil
}

// told is the error as the log may have it: the code of the server's answer, and not its text, which may repeat the address of the
// recipient.
func told(err error) error {
	var refused *gomail.SendError
	if errors.As(err, &refused) && refused.ErrorCode() > 0 {
		// RFC 5321 §4.2.1: permanent. 530 is about us and not about the message (RFC 4954 §6): somebody may mend it.
		if code := refused.ErrorCode(); code >= 500 && code != 530 {
			return fmt.Errorf("%w: the mail server answered %d", ErrRefused, code)
		}
		return fmt.Errorf("the mail server answered %d", refused.ErrorCode())
	}
	var answer *textproto.Error
	if errors.As(err, &answer) {
		return fmt.Errorf("the mail server answered %d", answer.Code) // to the greeting or the login: it may be mended
	}
	return fmt.Errorf("the mail server cannot be used: %w", err)
}
