package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/mail"
	"example.com/gatehouse/internal/server"
)

// accountSettings are those of serve for accounts and their mails.
type accountSettings struct {
	Registration string `default:"auto" help:"Let people register accounts for themselves: on, off, or auto, which is on with --dev and off without. Needs mail."`
	SMTPURLFile  string `name:"smtp-url-file" help:"A file with the address of the mail server: smtps://USER:PASSWORD@HOST, or smtp://… for STARTTLS. Or put the address itself into the variable GATEHOUSE_SMTP_URL. With --dev and neither, mails become files in the data folder."`
	MailFrom     string `default:"Gatehouse <gatehouse@localhost>" help:"Where mails come from: an address, or NAME <ADDRESS>."`
	AccountPage  string `help:"The address of a page that the links of mails lead to instead of the pages of the service, with a token in the fragment: #verify=TOKEN or #reset=TOKEN."`
}

// smtpVariable holds the address of the mail server. It is no flag: the password in it would be in the list of processes.
const smtpVariable = "GATEHOUSE_SMTP_URL"

// mailFolder is where mails are written in development, below the data folder.
const mailFolder = "mail"

// faults returns what is wrong with the settings.
func (a *accountSettings) faults(dev bool) []error {
	var faults []error
	switch a.Registration {
	case "", "auto", "on", "off":
	default:
		faults = append(faults, errors.New("registration is neither on nor off: give --registration on, off or auto"))
	}
	server, err := a.smtp()
	if err != nil {
		faults = append(faults, err)
	}
	if err := mail.ParseFrom(a.MailFrom); a.MailFrom != "" && err != nil {
		faults = append(faults, fmt.Errorf("--mail-from: %w", err))
	}
	if err == nil && server == nil && !dev && a.Registration == "on" {
		faults = append(faults, fmt.Errorf("--registration=on needs mail: give --smtp-url-file or %s", smtpVariable))
	}
	if u, err := url.Parse(a.AccountPage); a.AccountPage != "" && (err != nil || u.Host == "" || u.Fragment != "" || u.Scheme != "https" && !(dev && u.Scheme == "http")) {
		faults = append(faults, errors.New("--account-page must be an https address without a fragment"))
	}
	return faults
}

// smtp returns the mail server, or nil where none is given.
func (a *accountSettings) smtp() (*mail.SMTP, error) {
	address := os.Getenv(smtpVariable)
	if address != "" && a.SMTPURLFile != "" {
		return nil, fmt.Errorf("--smtp-url-file and %s are two mail servers: give one", smtpVariable)
	}
	if a.SMTPURLFile != "" {
		text, err := os.ReadFile(a.SMTPURLFile)
		if err != nil {
			return nil, fmt.Errorf("the file of the mail server cannot be read: %w", err)
		}
		address = strings.TrimSpace(string(text))
	}
	if address == "" && a.SMTPURLFile == "" {
		return nil, nil
	}
	return mail.ParseSMTP(auth.Secret(address))
}

// apply puts the settings into the configuration of the service, of which the rest is there.
func (a *accountSettings) apply(c *server.Config) error {
	smtp, err := a.smtp()
	switch {
	case err != nil:
		return err
	case smtp != nil:
		smtp.From, smtp.Now, smtp.Random = a.MailFrom, c.Now, c.Random
		c.Mail = smtp
	case c.Development:
		c.Mail = &mail.Folder{Path: filepath.Join(c.Data, mailFolder), From: a.MailFrom, Now: c.Now, Random: c.Random}
	}
	c.Registration = a.Registration == "on" || a.Registration == "auto" && c.Development
	c.AccountPage = a.AccountPage
	return nil
}
