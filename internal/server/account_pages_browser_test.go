package server_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"example.com/gatehouse/gen/client"
	"example.com/gatehouse/internal/mail"
	"example.com/gatehouse/internal/server"
)

// TestTheAccountPagesInABrowser goes from the mail of a registration to the account, and on to a new password, with the keyboard alone, on a
// phone and on a desk, in light and in dark.
func TestTheAccountPagesInABrowser(t *testing.T) {
	script, err := os.ReadFile(filepath.Join(npm(t), "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	axe, folder := string(script), filepath.Join(t.TempDir(), "mail")
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
	for _, row := range []struct {
		name, email   string
		width, height int64
		scheme        string
	}{{"on a phone", "ann@example.com", 360, 740, "light"}, {"on a desk", "bob@example.com", 1280, 900, "dark"}} {
		t.Run(row.name, func(t *testing.T) {
			b := openBrowser(t)
			b.t = t
			if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: row.scheme}},
			}); err != nil {
				t.Fatal(err)
			}
			b.do(chromedp.EmulateViewport(row.width, row.height))
			look := func(name string) {
				t.Helper()
				b.accessible(axe)
				b.fits()
				if dir := os.Getenv("GATEHOUSE_SCREENSHOTS"); dir != "" {
					b.screenshot(filepath.Join(dir, row.scheme+"-"+name+".png"))
				}
			}
			at := func(heading string) { t.Helper(); b.do(chromedp.WaitVisible(`//h1[text()="` + heading + `"]`)) }
			focus := func(want string) {
				t.Helper()
				if got := b.focused(); got != want {
					t.Errorf("the keyboard is at %q, want %q", got, want)
				}
			}
			if _, err := api.RegisterUserWithResponse(t.Context(), client.Registration{Email: row.email, Password: goodPassword}); err != nil {
				t.Fatal(err)
			}
			mailed := link(t)
			b.do(chromedp.Navigate(mailed))
			at("Confirm your address")
			look("verify")
			focus("password")
			b.press("wrong password" + kb.Enter)
			b.do(chromedp.WaitVisible("#wrong"))
			look("verify-wrong")
			focus("password")
			b.press(goodPassword + kb.Tab)
			focus("Confirm the address")
			b.press(kb.Enter)
			at("Your address is confirmed")
			look("verified")
			b.do(chromedp.Navigate(mailed))
			at("This link is good no longer")
			look("dead")

			b.do(chromedp.Navigate(d.base + "/authorize?client_id=first-party&response_type=code&code_challenge_method=S256&code_challenge=" + challenge("x") +
				"&redirect_uri=" + d.base + "/docs/oauth2-redirect.html"))
			at("Log in")
			look("login-with-link")
			b.press(kb.Tab + kb.Tab + kb.Tab)
			focus("Forgotten your password?")
			b.press(kb.Enter)
			at("Forgotten password")
			look("forgot")
			focus("email")
			b.press(row.email + kb.Tab)
			focus("Send the mail")
			b.press(kb.Enter)
			at("Look into your mail")
			look("mail-sent")

			b.do(chromedp.Navigate(link(t)))
			at("Set a new password")
			look("reset")
			focus("new_password")
			b.press("short" + kb.Enter) // the browser refuses it
			b.do(chromedp.SetValue("#new_password", "password1"))
			b.press(kb.Enter)
			b.do(chromedp.WaitVisible("#wrong"))
			look("reset-wrong")
			focus("new_password")
			if said := b.eval(`document.querySelector('#wrong').textContent`); !strings.Contains(said, "tried first") {
				t.Errorf("the page says %q", said)
			}
			b.press("staple battery horse" + kb.Tab)
			focus("Set the password")
			b.press(kb.Enter)
			at("Your password is set")
			look("reset-done")
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
			for _, complaint := range b.complaints {
				if !regexp.MustCompile(`the server responded with a status of (400|403|422)`).MatchString(complaint) {
					t.Errorf("the browser complained: %s", complaint)
				}
			}
		})
	}
}
