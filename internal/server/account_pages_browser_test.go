package server_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"example.com/gatehouse/gen/client"
	"example.com/gatehouse/internal/mail"
	"example.com/gatehouse/internal/server"
)

// TestTheAccountPagesInABrowser goes from the mail of a registration to the account, and on to a new password, with the keyboard alone, on a
// phone and on a desk, in light and in dark.
func TestTheAccountPagesInABrowser(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "mail")
	d := startDevelopment(t, func(c *server.Config) {
		c.Registration = true
		c.Mail = &mail.Folder{Path: folder, From: "Gatehouse <gatehouse@localhost>", Now: time.Now, Random: rand.Reader}
	})
	link := func(t *testing.T) string {
		t.Helper()
		d.Mails()
		files, err := filepath.Glob(filepath.Join(folder, "*.eml"))
		if err != nil || len(files) != 1 {
			t.Fatalf("%d mails, %v", len(files), err)
		}
		text, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(files[0]); err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile(`http://\S+`).FindString(string(text))
	}
	api, err := client.NewClientWithResponses(d.base)
	if err != nil {
		t.Fatal(err)
	}
	onScreens(t, func(t *testing.T, b screen) {
		email := b.name + "@example.com"
		at := func(heading string) { t.Helper(); b.do(chromedp.WaitVisible(`//h1[text()="` + heading + `"]`)) }
		if _, err := api.RegisterUserWithResponse(t.Context(), client.Registration{Email: email, Password: goodPassword}); err != nil {
			t.Fatal(err)
		}
		mailed := link(t)
		b.do(chromedp.Navigate(mailed))
		at("Confirm your address")
		b.look("verify")
		b.focus("password")
		b.press("wrong password" + kb.Enter)
		b.do(chromedp.WaitVisible("#wrong"))
		b.look("verify-wrong")
		b.focus("password")
		b.press(goodPassword + kb.Tab)
		b.focus("Confirm the address")
		b.press(kb.Enter)
		at("Your address is confirmed")
		b.look("verified")
		b.do(chromedp.Navigate(mailed))
		at("This link is good no longer")
		b.look("dead")

		b.do(chromedp.Navigate(d.base + "/authorize?client_id=first-party&response_type=code&code_challenge_method=S256&code_challenge=" + challenge("x") +
			"&redirect_uri=" + d.base + "/docs/oauth2-redirect.html"))
		at("Log in")
		b.look("login-with-link")
		b.press(kb.Tab + kb.Tab + kb.Tab)
		b.focus("Forgotten your password?")
		b.press(kb.Enter)
		at("Forgotten password")
		b.look("forgot")
		b.focus("email")
		b.press(email + kb.Tab)
		b.focus("Send the mail")
		b.press(kb.Enter)
		at("Look into your mail")
		b.look("mail-sent")

		b.do(chromedp.Navigate(link(t)))
		at("Set a new password")
		b.look("reset")
		b.focus("new_password")
		b.press("short" + kb.Enter) // the browser refuses it
		b.do(chromedp.SetValue("#new_password", "password1"))
		b.press(kb.Enter)
		b.do(chromedp.WaitVisible("#wrong"))
		b.look("reset-wrong")
		b.focus("new_password")
		if said := b.eval(`document.querySelector('#wrong').textContent`); !strings.Contains(said, "tried first") {
			t.Errorf("the page says %q", said)
		}
		b.press("staple battery horse" + kb.Tab)
		b.focus("Set the password")
		b.press(kb.Enter)
		at("Your password is set")
		b.look("reset-done")
		if where := b.eval(`location.href`); where != d.base+"/reset-password" {
			t.Errorf("the browser is at %s", where)
		}
		link(t) // that the password was changed
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, r := range b.requests {
			if !strings.HasPrefix(r, d.base+"/") {
				t.Errorf("the page asked for %s", r)
			}
		}
	})
}
