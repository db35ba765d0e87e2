package accounts

import (
	"cmp"
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

// post sends a mail of the given text.
func (s *Service) post(email, text string, token auth.Secret) error {
	t, err := template.ParseFS(mails, "mails/"+text+".txt")
	if err != nil {
		return err
	}
	service := cmp.Or(s.config.Page, s.config.Issuer)
	if u, err := url.Parse(service); err == nil && u.Host != "" {
		service = u.Host
	}
	var b strings.Builder
	if err := t.Execute(&b, struct{ Service, Link, Token string }{service, s.link(text, token), token.Reveal()}); err != nil {
		return err
	}
	subject, body, _ := strings.Cut(b.String(), "\n\n")
	return s.config.Mailer.Post(mail.Message{To: email, Subject: subject, Text: body})
}

// link is where a mail leads: to our own page, which reads the token from the query, as a page without a script has to; that is kept out of
// our log and out of Referer. To the page of an application it goes in the fragment, which browsers send to no server and to no other page.
func (s *Service) link(text string, token auth.Secret) string {
	if s.config.Page != "" {
		return s.config.Page + "#" + text + "=" + token.Reveal()
	}
	path := map[string]string{verifyEmail.name: "/verify-email", resetPassword.name: "/reset-password"}[text]
	return s.config.Issuer + path + "?token=" + token.Reveal()
}
