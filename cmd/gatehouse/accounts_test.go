package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/gatehouse/internal/mail"
	"example.com/gatehouse/internal/server"
)

func TestAccountSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "smtp")
	if err := os.WriteFile(file, []byte("smtps://gate:pa%3Ass-c4n4ry@mail.example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name     string
		dev      bool
		variable string
		accountSettings
		says       []string // nothing where the settings are good
		folder     bool     // where mail goes
		registered bool
	}{
		{"development", true, "", accountSettings{}, nil, true, false},
		{"development as it is by default", true, "", accountSettings{Registration: "auto", MailFrom: "Gatehouse <gatehouse@localhost>"}, nil, true, true},
		{"development without registration", true, "", accountSettings{Registration: "off"}, nil, true, false},
		{"development with a mail server", true, "smtp://127.0.0.1:1025?tls=none", accountSettings{Registration: "auto"}, nil, false, true},
		{"production", false, "", accountSettings{Registration: "auto"}, nil, false, false},
		{"production with registration", false, "", accountSettings{Registration: "on", SMTPURLFile: file}, nil, false, true},
		{"production with a page", false, "", accountSettings{AccountPage: "https://app.example.com/account"}, nil, false, false},
		{"registration without mail", false, "", accountSettings{Registration: "on"}, []string{"--registration=on needs mail"}, false, false},
		{"registration that is neither", true, "", accountSettings{Registration: "yes"}, []string{"--registration on, off or auto"}, false, false},
		{"two mail servers", false, "smtp://127.0.0.1", accountSettings{SMTPURLFile: file}, []string{"give one"}, false, false},
		{"a file that is not there", false, "", accountSettings{SMTPURLFile: file + "x"}, []string{"cannot be read"}, false, false},
		{"no address", false, "mail.example.com c4n4ry", accountSettings{}, []string{"the address of the mail server must be"}, false, false},
		{"a password without TLS", false, "smtp://gate:c4n4ry@mail.example.com?tls=opportunistic", accountSettings{}, []string{"would be sent without TLS"}, false, false},
		{"mails from nobody, to a page without TLS", false, "", accountSettings{MailFrom: "Gatehouse", AccountPage: "http://app.example.com"}, []string{"--mail-from", "--account-page"}, false, false},
		{"a page with a fragment", true, "", accountSettings{AccountPage: "https://app.example.com/#account"}, []string{"--account-page"}, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv(smtpVariable, row.variable)
			err := errors.Join(row.faults(row.dev)...)
			if (err == nil) != (row.says == nil) {
				t.Fatalf("got %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "c4n4ry") {
				t.Errorf("the error holds the password: %v", err)
			}
			for _, text := range row.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%v does not say %q", err, text)
				}
			}
			if err != nil {
				return
			}
			c := server.Config{Development: row.dev, Data: "data", Issuer: "https://api.example.com"}
			if err := row.apply(&c); err != nil {
				t.Fatal(err)
			}
			_, folder := c.Mail.(*mail.Folder)
			if folder != row.folder || c.Registration != row.registered {
				t.Errorf("mail goes to %T, registration %v", c.Mail, c.Registration)
			}
			if c.AccountPage != row.AccountPage {
				t.Errorf("the page is %s, want %s", c.AccountPage, row.AccountPage)
			}
		})
	}
}
