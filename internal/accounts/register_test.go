package accounts

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/mail"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

const address = "bob@example.com"

// outbox keeps mails instead of sending them.
type outbox struct {
	mu    sync.Mutex
	mails []mail.Message
}

func (o *outbox) Post(m mail.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mails = append(o.mails, m)
	return nil
}

// mailed empties the outbox after everything was done that was put off.
func (s *service) mailed() []mail.Message {
	s.Settle()
	s.outbox.mu.Lock()
	defer s.outbox.mu.Unlock()
	mails := s.outbox.mails
	s.outbox.mails = nil
	return mails
}

var link = regexp.MustCompile(`(?m)^https://app\.example\.com/account#(verify|reset)=([A-Za-z0-9_-]{43})$`)

// token returns the token of the one mail that was sent, which must be of the kind and for the address.
func (s *service) token(t *testing.T, kind, to string) auth.Secret {
	t.Helper()
	mails := s.mailed()
	if len(mails) != 1 || mails[0].To != to {
		t.Fatalf("%d mails, want one to %s: %+v", len(mails), to, mails)
	}
	found := link.FindStringSubmatch(mails[0].Text)
	if found == nil || found[1] != kind {
		t.Fatalf("no link for %s in: %s", kind, mails[0].Text)
	}
	return auth.Secret(found[2])
}

func (s *service) registered(t *testing.T) {
	t.Helper()
	if err := s.Register(from("192.0.2.1"), address, password, "Bob"); err != nil {
		t.Fatal(err)
	}
	if err := s.VerifyEmail(ctx, s.token(t, "verify", address), password); err != nil {
		t.Fatal(err)
	}
}

// TestLinks: our own page reads the token from the query, that of an application finds it in the fragment.
func TestLinks(t *testing.T) {
	for _, row := range []struct{ name, page, text, want, service string }{
		{"the proof of an address", "", "verify", "https://api.example.com/verify-email?token=T", "api.example.com"},
		{"a new password", "", "reset", "https://api.example.com/reset-password?token=T", "api.example.com"},
		{"the proof of an address, in an application", "https://app.example.com/account", "verify", "https://app.example.com/account#verify=T", "app.example.com"},
		{"a new password, in an application", "https://app.example.com/account", "reset", "https://app.example.com/account#reset=T", "app.example.com"},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := &outbox{}
			s := &Service{config: Config{Mailer: o, Issuer: "https://api.example.com", Page: row.page}}
			if err := s.post(address, row.text, "T"); err != nil {
				t.Fatal(err)
			}
			if text := o.mails[0].Text; !strings.Contains(text, "\n"+row.want+"\n") || !strings.Contains(text, row.service) || strings.Count(text, "https://") != 1 {
				t.Errorf("the mail says\n%s", text)
			}
		})
	}
}

func TestARegistrationIsProvenByMailAndPassword(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		if err := s.Register(from("192.0.2.1"), "Bob@Example.com", password, "Bob"); err != nil {
			t.Fatal(err)
		}
		token := s.token(t, "verify", address)
		s.refused(t, "before the proof", address, password, 1)
		for name, err := range map[string]error{
			"another token":     s.VerifyEmail(ctx, token[:42]+"A"+token[43:]+"", "wrong password"),
			"no token":          s.VerifyEmail(ctx, "", password),
			"another password":  s.VerifyEmail(ctx, token, "another password"),
			"a reset with it":   s.ResetPassword(ctx, token, "another password"),
			"a token of nobody": s.VerifyEmail(ctx, auth.Secret(strings.Repeat("x", 43)), password),
		} {
			if !InvalidToken.Is(err) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := s.VerifyEmail(ctx, token, password); err != nil {
			t.Fatal(err)
		}
		if err := s.VerifyEmail(ctx, token, password); !InvalidToken.Is(err) {
			t.Errorf("the same token again: %v", err)
		}
		p, err := s.login("BOB@example.com", password)
		if err != nil || !p.Scopes.Has("a", "b") {
			t.Fatalf("%v %v", p, err)
		}
		u, err := s.Find(ctx, p.Subject)
		if err != nil || u.Username != address || u.Email != address || !u.Verified || u.DisplayName != "Bob" || len(u.Roles) != 1 || u.Roles[0] != "member" {
			t.Errorf("%+v %v", u, err)
		}
	})
}

// TestNobodyRegistersForAnother: an attacker registers the address of a victim with a password that only the attacker knows, before or
// after the victim does. Whatever link the victim follows, the attacker's password opens nothing.
func TestNobodyRegistersForAnother(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		const evil = "password of the attacker"
		s := open(t, db)
		register := func(pass auth.Secret) auth.Secret {
			t.Helper()
			if err := s.Register(from("192.0.2.1"), address, pass, ""); err != nil {
				t.Fatal(err)
			}
			return s.token(t, "verify", address)
		}
		first := register(evil)
		second := register(password)
		if err := s.VerifyEmail(ctx, first, password); !InvalidToken.Is(err) {
			t.Errorf("the link of the attacker, after the victim's: %v", err)
		}
		third := register(evil)
		if err := s.VerifyEmail(ctx, second, password); !InvalidToken.Is(err) {
			t.Errorf("the link of the victim, after the attacker's: %v", err)
		}
		if err := s.VerifyEmail(ctx, third, password); !InvalidToken.Is(err) {
			t.Errorf("the link of the attacker with the password of the victim: %v", err)
		}
		s.refused(t, "the attacker", address, evil, 1)
		if err := s.VerifyEmail(ctx, register(password), password); err != nil {
			t.Errorf("the victim, once more: %v", err)
		}
		if _, err := s.login(address, password); err != nil {
			t.Errorf("the victim: %v", err)
		}
	})
}

// TestRequestsDoNotTellWhoHasAnAccount: for each kind of address the same result, the same number of hashes, and nothing before the answer
// that depends on the account.
func TestRequestsDoNotTellWhoHasAnAccount(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		s.registered(t)
		if _, err := s.Create(ctx, NewUser{Username: "eve", Email: "eve@example.com", Password: password}); err != nil {
			t.Fatal(err)
		}
		disabled, err := s.Create(ctx, NewUser{Username: "dan", Email: "dan@example.com", Password: password})
		if err != nil || s.SetDisabled(ctx, disabled.ID, true) != nil {
			t.Fatal(err)
		}
		if err := s.Register(from("192.0.2.9"), "pat@example.com", password, ""); err != nil {
			t.Fatal(err)
		}
		s.mailed()
		for _, row := range []struct {
			name    string
			hashes  int64
			request func(email string) error
			subject map[string]string // of the mail, by address; "" for none
		}{
			{"register", 1, func(email string) error { return s.Register(from("192.0.2.2"), email, password, "") }, map[string]string{
				address: "You have an account", "eve@example.com": "You have an account", "dan@example.com": "You have an account",
				"pat@example.com": "Confirm your address", "new@example.com": "Confirm your address",
			}},
			{"reset", 0, func(email string) error { return s.RequestPasswordReset(from("192.0.2.2"), email) }, map[string]string{
				address: "Set a new password", "eve@example.com": "Set a new password", "dan@example.com": "", "pat@example.com": "", "none@example.com": "",
			}},
			{"verify again", 0, func(email string) error { return s.RequestVerification(from("192.0.2.2"), email) }, map[string]string{
				address: "", "eve@example.com": "", "dan@example.com": "", "pat@example.com": "Confirm your address", "none@example.com": "",
			}},
		} {
			for email, subject := range row.subject {
				before := s.Hashes()
				if err := row.request(email); err != nil {
					t.Errorf("%s for %s: %v", row.name, email, err)
				}
				mails := s.mailed()
				if n := s.Hashes() - before; n != row.hashes {
					t.Errorf("%s for %s: %d hashes, want %d", row.name, email, n, row.hashes)
				}
				got := ""
				if len(mails) > 0 {
					got = mails[0].Subject
				}
				if len(mails) > 1 || got != subject {
					t.Errorf("%s for %s: %d mails, %q, want %q", row.name, email, len(mails), got, subject)
				}
			}
		}
	})
}

func TestTheTokenOfAResetSetsAPasswordOnce(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		s.registered(t)
		p, err := s.login(address, password)
		if err != nil {
			t.Fatal(err)
		}
		request := func() auth.Secret {
			t.Helper()
			if err := s.RequestPasswordReset(from("192.0.2.1"), address); err != nil {
				t.Fatal(err)
			}
			return s.token(t, "reset", address)
		}
		const next = "another password"
		replaced := request()
		token := request()
		s.pass(time.Second)
		if err := s.ResetPassword(ctx, replaced, next); !InvalidToken.Is(err) {
			t.Errorf("a token that was replaced: %v", err)
		}
		if err := s.ResetPassword(ctx, token, "password1"); !problem.ValidationFailed.Is(err) || problem.From(err).Violations[0].Pointer != "/new_password" {
			t.Errorf("a common password: %v", err)
		}
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() { errs[i] = s.ResetPassword(ctx, token, auth.Secret(fmt.Sprint(next, i))) })
		}
		wg.Wait()
		done, winner := 0, ""
		for i, err := range errs {
			switch {
			case err == nil:
				done, winner = done+1, fmt.Sprint(next, i)
			case !InvalidToken.Is(err):
				t.Errorf("attempt %d: %v", i, err)
			}
		}
		if done != 1 {
			t.Errorf("one token set %d passwords", done)
		}
		if s.config.Exceptions.Allow(p) {
			t.Error("a login of before is still good")
		}
		s.refused(t, "the old password", address, password, 1)
		if _, err := s.login(address, winner); err != nil {
			t.Errorf("the new one: %v", err)
		}
		if mails := s.mailed(); len(mails) != 1 || mails[0].Subject != "Your password has been changed" || mails[0].To != address {
			t.Errorf("the owner is told by %+v", mails)
		}
		old := request()
		s.pass(10 * time.Minute)
		if err := s.ResetPassword(ctx, old, next); !InvalidToken.Is(err) {
			t.Errorf("after ten minutes: %v", err)
		}
		unused := request()
		if err := s.SetPassword(ctx, p.Subject, next); err != nil {
			t.Fatal(err)
		}
		if err := s.ResetPassword(ctx, unused, "yet another one"); !InvalidToken.Is(err) {
			t.Errorf("after the password was changed otherwise: %v", err)
		}
	})
}

func TestTokensAreKeptAsHashesOf256Bits(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	if err := s.Register(from("192.0.2.1"), address, password, ""); err != nil {
		t.Fatal(err)
	}
	token := s.token(t, "verify", address)
	var stored string
	if err := s.config.DB.Reader().QueryRowContext(ctx, `SELECT token_hash FROM mail_tokens`).Scan(&stored); err != nil {
		t.Fatal(err)
	}
	if len(token) != 43 || strings.Contains(stored, token.Reveal()) || stored != hashToken(token) {
		t.Errorf("%d characters, stored as %s", len(token), stored)
	}
	s.pass(24 * time.Hour)
	if err := s.VerifyEmail(ctx, token, password); !InvalidToken.Is(err) {
		t.Errorf("after a day: %v", err)
	}
	if err := s.RequestVerification(from("192.0.2.1"), address); err != nil {
		t.Fatal(err)
	}
	if err := s.VerifyEmail(ctx, s.token(t, "verify", address), password); err != nil {
		t.Errorf("with the token of another mail: %v", err)
	}
}

func TestARegistrationThatIsNotProvenIsRemoved(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		for _, email := range []string{"old@example.com", "new@example.com"} {
			if err := s.Register(from("192.0.2.1"), email, password, ""); err != nil {
				t.Fatal(err)
			}
			s.mailed()
			s.pass(unprovenFor)
		}
		s.pass(-time.Hour)
		if err := s.Register(from("192.0.2.1"), "third@example.com", password, ""); err != nil {
			t.Fatal(err)
		}
		s.mailed()
		for name, there := range map[string]bool{"old@example.com": false, "new@example.com": true, "third@example.com": true, "ann": true} {
			if _, err := s.FindByName(ctx, name); there != (err == nil) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestMailsAreCountedByAddress(t *testing.T) {
	for _, email := range []string{"ann@example.com", "nobody@example.com"} { // one has an account, the other has none
		t.Run(email, func(t *testing.T) {
			s := open(t, sqldbtest.Open(t))
			if _, err := s.Create(ctx, NewUser{Username: "ann2", Email: "ann@example.com", Password: password}); err != nil {
				t.Fatal(err)
			}
			for i := range 5 {
				if err := s.RequestPasswordReset(from("192.0.2.1"), email); err != nil {
					t.Fatalf("mail %d: %v", i, err)
				}
			}
			for name, err := range map[string]error{
				"reset": s.RequestPasswordReset(from("192.0.2.1"), strings.ToUpper(email)), "verify": s.RequestVerification(from("192.0.2.1"), email),
				"register": s.Register(from("192.0.2.1"), email, password, ""),
			} {
				if e := problem.From(err); !problem.QuotaExceeded.Is(err) || e.RetryAfter <= 0 || len(e.Limits) != 1 || e.Limits[0].Name != "mail-of-address" {
					t.Errorf("%s: %v", name, err)
				}
			}
			if s.Hashes() != 2 {
				t.Errorf("%d hashes: two are of the accounts", s.Hashes())
			}
			for i := range 15 {
				if err := s.RequestPasswordReset(from(fmt.Sprint("192.0.2.", 10+i)), email); err != nil {
					t.Errorf("from another address: %v", err)
				}
			}
			if err := s.RequestPasswordReset(from("192.0.2.99"), email); !problem.QuotaExceeded.Is(err) || problem.From(err).Limits[0].Name != "mail-of-account" {
				t.Errorf("the 21st mail of the day: %v", err)
			}
		})
	}
}

func TestWhatIsSwitchedOffIsDenied(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	s.config.Registration = false
	if err := s.Register(from("192.0.2.1"), address, password, ""); !problem.OperationDenied.Is(err) {
		t.Errorf("registration: %v", err)
	}
	s.config.Registration, s.config.Mailer = true, nil
	for name, err := range map[string]error{
		"registration": s.Register(from("192.0.2.1"), address, password, ""), "reset": s.RequestPasswordReset(from("192.0.2.1"), address),
		"verification": s.RequestVerification(from("192.0.2.1"), address),
	} {
		if !problem.OperationDenied.Is(err) {
			t.Errorf("%s without mail: %v", name, err)
		}
	}
	if s.Hashes() != 1 {
		t.Errorf("%d hashes: one is of ann", s.Hashes())
	}
}

func TestMailsHoldNothingThatAStrangerWrote(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	if err := s.Register(from("192.0.2.1"), address, password, "You have won: evil.example"); err != nil {
		t.Fatal(err)
	}
	for _, m := range s.mailed() {
		if strings.Contains(m.Subject+m.Text, "evil") || strings.Contains(m.Text, password) {
			t.Errorf("the mail holds what was submitted: %s", m.Text)
		}
		for _, r := range m.Subject + m.Text {
			if r > '~' || r < ' ' && r != '\n' {
				t.Errorf("the mail has the character %q", r)
			}
		}
	}
}

// TestTheQueueIsBounded: what waits is refused alike for all, and what was taken is done before the service ends.
func TestTheQueueIsBounded(t *testing.T) {
	l := newLater()
	hold, begun := make(chan struct{}), make(chan struct{})
	done := 0
	if err := l.do(func() { close(begun); <-hold }); err != nil {
		t.Fatal(err)
	}
	<-begun
	for range maxLater {
		if err := l.do(func() { done++ }); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.do(func() {}); !problem.Unavailable.Is(err) || problem.From(err).RetryAfter <= 0 {
		t.Errorf("beyond the bound: %v", err)
	}
	close(hold)
	l.close()
	if done != maxLater {
		t.Errorf("%d of %d were done", done, maxLater)
	}
	if err := l.do(func() {}); !problem.Unavailable.Is(err) {
		t.Errorf("after the end: %v", err)
	}
	l.close()
}

func TestRegisterRefuses(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	for name, pass := range map[string]string{"a common password": "password1", "a short one": "1234567", "the address": "bob@example.com", "the address and a digit": "Bob@example.com1"} {
		err := s.Register(from("192.0.2.1"), address, auth.Secret(pass), "")
		var e *problem.Error
		if !errors.As(err, &e) || !problem.ValidationFailed.Is(err) || len(e.Violations) != 1 || e.Violations[0].Pointer != "/password" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(s.mailed()) > 0 || s.Hashes() != 1 {
		t.Errorf("a refused registration did something: %d hashes", s.Hashes())
	}
}
