// Package mail sends plain text over SMTP, or into a folder while one develops.
package mail

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Message is a mail of plain text to one address.
type Message struct{ To, Subject, Text string }

// Sender hands one message over. An error that is ErrRefused is final: the same message would be refused again.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// ErrRefused says that the message will not be taken, however often it is sent.
var ErrRefused = errors.New("the mail is refused")

// ParseFrom checks the address that mails come from: an address, or a name and an address in angle brackets.
func ParseFrom(from string) error {
	if _, err := mail.ParseAddress(from); err != nil || strings.ContainsAny(from, "\r\n") {
		return fmt.Errorf("%q is not an address that mail can come from: give NAME <ADDRESS>", from)
	}
	return nil
}

// compose makes the message as it is sent. What a line end in an address or a subject could add to the header is refused here,
// whatever the library does with it.
func compose(from string, m Message, encoding gomail.Encoding, now time.Time, random io.Reader) (*gomail.Msg, error) {
	if strings.ContainsAny(m.To+m.Subject+from, "\r\n\x00") {
		return nil, fmt.Errorf("%w: a line end in its header", ErrRefused)
	}
	id := make([]byte, 16)
	if _, err := io.ReadFull(random, id); err != nil {
		return nil, err
	}
	msg := gomail.NewMsg(gomail.WithEncoding(encoding), gomail.WithNoDefaultUserAgent())
	if err := msg.From(from); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err := msg.To(m.To); err != nil {
		return nil, fmt.Errorf("%w: its address is none", ErrRefused)
	}
	_, domain, _ := strings.Cut(msg.GetFromString()[0], "@")
	msg.SetMessageIDWithValue(hex.EncodeToString(id) + "@" + strings.TrimRight(domain, ">"))
	msg.SetDateWithValue(now)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 §5: no vacation notice answers it
	msg.Subject(m.Subject)
	msg.SetBodyString(gomail.TypeTextPlain, strings.ReplaceAll(m.Text, "\n", "\r\n"))
	return msg, nil
}
