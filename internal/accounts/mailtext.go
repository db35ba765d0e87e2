package accounts

import (
	"embed"
	"net/url"
	"strings"
	"text/template"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/mail"
)

// mails are the texts, each with its subject in the first line. Nothing in them is of the caller's choice: a display name would let
// anybody write a sentence of theirs into a mail of ours.
//
//go:embed mails/*.txt
var mails embed.FS

// post sends a mail of the given text. The token stands in the fragment of the link, which browsers send to no server and
// to no other page.
func (s *Service) post(email, text string, token auth.Secret) error {
	t, err := template.ParseFS(mails, "mails/"+text+".txt")
	if err != nil {
		return err
	}
	service := s.config.Page
	if u, err := url.Parse(s.config.Page); err == nil && u.Host != "" {
		service = u.Host
	}
	var b strings.Builder
	if err := t.Execute(&b, struct{ Service, Link, Token string }{service, s.config.Page + "#" + text + "=" + token.Reveal(), token.Reveal()}); err != nil {
		return err
	}
	subject, body, _ := strings.Cut(b.String(), "\n\n")
	return s.config.Mailer.Post(mail.Message{To: email, Subject: subject, Text: body})
}
