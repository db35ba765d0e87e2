package accounts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/ratelimit"
	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

// sessions notes what is ended.
type sessions struct{ ended []string }

func (s *sessions) EndAll(_ context.Context, _ *sql.Tx, userID, except string) error {
	s.ended = append(s.ended, userID+" except "+except)
	return nil
}

func TestChangePassword(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		logins := &sessions{}
		s.config.Sessions = logins
		p, err := s.login("ann", password)
		if err != nil {
			t.Fatal(err)
		}
		const next = "another password"
		s.pass(time.Second)
		for name, row := range map[string]struct {
			current, next auth.Secret
			kind          problem.Kind
		}{
			"a wrong password":             {"wrong password", next, WrongPassword},
			"no password":                  {"", next, WrongPassword},
			"a common new one":             {password, "password1", problem.ValidationFailed},
			"a wrong one and a common one": {"wrong password", "password1", WrongPassword},
		} {
			if err := s.ChangePassword(from("192.0.2.1"), s.ann.ID, row.current, row.next, "mine"); !row.kind.Is(err) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if !s.config.Exceptions.Allow(p) || len(logins.ended) > 0 {
			t.Error("an attempt that failed ended something")
		}
		if err := s.ChangePassword(from("192.0.2.1"), s.ann.ID, password, next, "mine"); err != nil {
			t.Fatal(err)
		}
		if s.config.Exceptions.Allow(p) {
			t.Error("what was proven before is still good")
		}
		if diff := cmp.Diff([]string{s.ann.ID + " except mine"}, logins.ended); diff != "" {
			t.Error(diff)
		}
		s.refused(t, "the old password", "ann", password, 1)
		if _, err := s.login("ann", next); err != nil {
			t.Error(err)
		}
		if err := s.ChangePassword(from("192.0.2.1"), "0193583e-6f5c-7a53-8a3c-0d1f2e3a4b5c", password, next, ""); !errors.Is(err, sqldb.ErrNotFound) {
			t.Errorf("an account that is not there: %v", err)
		}
	})
}

// TestOfTwoChangesOneTakesPlace: both know the old password, and only one of the new ones is the password then.
// TestAChangeEndsALoginThatComesBeforeItIsWritten: the login sees the old password after the change has got its time.
func TestAChangeEndsALoginThatComesBeforeItIsWritten(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		const next = "another horse battery"
		s.pass(time.Second)
		timed, changed := make(chan struct{}, 1), make(chan error, 1)
		clock := s.config.Now
		s.config.Now = func() time.Time {
			now := clock()
			select {
			case timed <- struct{}{}:
			default:
			}
			return now
		}
		var early *auth.Principal
		if err := db.Write(ctx, func(tx *sql.Tx) (err error) { // the row is taken, so that the change has to wait
			if _, err := tx.ExecContext(ctx, `UPDATE users SET id = id`); err != nil {
				return err
			}
			go func() { changed <- s.SetPassword(ctx, s.ann.ID, next) }()
			<-timed
			s.pass(time.Second)
			early, err = s.login("ann", password)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := <-changed; err != nil {
			t.Fatal(err)
		}
		if s.config.Exceptions.Allow(early) {
			t.Error("what the old password proved is still good")
		}
		s.refused(t, "the old password, which was remembered", "ann", password, 1)
		if _, err := s.login("ann", next); err != nil {
			t.Errorf("the new password: %v", err)
		}
	})
}

func TestOfTwoChangesOneTakesPlace(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			wg.Go(func() {
				errs[i] = s.ChangePassword(from("192.0.2.1"), s.ann.ID, password, auth.Secret(fmt.Sprint("the password of ", i)), "")
			})
		}
		wg.Wait()
		done := 0
		for i, err := range errs {
			if err != nil {
				if !WrongPassword.Is(err) {
					t.Errorf("change %d: %v", i, err)
				}
				continue
			}
			done++
			if _, err := s.login("ann", fmt.Sprint("the password of ", i)); err != nil {
				t.Errorf("the password that was set: %v", err)
			}
		}
		if done != 1 {
			t.Errorf("%d changes took place", done)
		}
	})
}

// TestAStolenTokenDoesNotGuessThePassword: wrong current passwords count as failed logins do.
func TestAStolenTokenDoesNotGuessThePassword(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	for i := range 10 {
		if err := s.ChangePassword(from("192.0.2.1"), s.ann.ID, auth.Secret(fmt.Sprint("wrong", i)), "another password", ""); !WrongPassword.Is(err) {
			t.Fatal(err)
		}
	}
	before := s.Hashes()
	for name, err := range map[string]error{
		"a change": s.ChangePassword(from("192.0.2.1"), s.ann.ID, password, "another password", ""), "a deletion": s.DeleteOwn(from("192.0.2.1"), s.ann.ID, password),
		"a login": func() error { _, err := s.login("ann", password); return err }(),
	} {
		if !problem.QuotaExceeded.Is(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s.Hashes() != before {
		t.Errorf("%d hashes", s.Hashes()-before)
	}
}

func TestDeletionTakesEverythingPersonal(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		logins := &sessions{}
		var removed []string
		s.config.Sessions = logins
		s.config.Owned = []Owned{func(_ context.Context, _ *sql.Tx, owner string) error { removed = append(removed, owner); return nil }}
		s.registered(t)
		bob, err := s.FindByName(ctx, address)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.RequestPasswordReset(from("192.0.2.1"), address); err != nil {
			t.Fatal(err)
		}
		token := s.token(t, "reset", address)
		if err := s.DeleteOwn(from("192.0.2.1"), bob.ID, "wrong password"); !WrongPassword.Is(err) || removed != nil {
			t.Errorf("with a wrong password: %v, removed %v", err, removed)
		}
		if err := s.DeleteOwn(from("192.0.2.1"), bob.ID, password); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{bob.ID}, removed); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{bob.ID + " except "}, logins.ended); diff != "" {
			t.Error(diff)
		}
		var row string
		var tokens int
		if err := db.Reader().QueryRowContext(ctx, `
			SELECT username || '|' || COALESCE(email, '') || '|' || COALESCE(display_name, '') || '|' || password_hash || '|' || roles FROM users WHERE id = $1`, bob.ID).Scan(&row); err != nil {
			t.Fatal(err)
		}
		if err := db.Reader().QueryRowContext(ctx, `SELECT count(*) FROM mail_tokens`).Scan(&tokens); err != nil {
			t.Fatal(err)
		}
		if row != "deleted:"+bob.ID+"||||" || tokens != 0 {
			t.Errorf("what is left is %s and %d tokens", row, tokens)
		}
		if err := s.ResetPassword(ctx, token, "another password"); !InvalidToken.Is(err) {
			t.Errorf("a token from before: %v", err)
		}
		s.registered(t) // the address is free
		again, err := s.FindByName(ctx, address)
		if err != nil || again.ID == bob.ID {
			t.Errorf("%v: the id was given again", err)
		}
	})
}

// TestADeletionThatFailsDeletesNothing: what belongs to the account cannot be removed, so the account stays, with all credentials.
func TestADeletionThatFailsDeletesNothing(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	p, err := s.login("ann", password)
	if err != nil {
		t.Fatal(err)
	}
	stuck := errors.New("stuck")
	s.config.Owned = []Owned{func(context.Context, *sql.Tx, string) error { return stuck }}
	if err := s.Delete(ctx, s.ann.ID); err == nil {
		t.Fatal("deleted")
	}
	if _, err := s.Find(ctx, s.ann.ID); err != nil || !s.config.Exceptions.Allow(p) {
		t.Errorf("the account is gone, or its credentials are: %v", err)
	}
}

func TestRoles(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		logins := &sessions{}
		s.config.Sessions = logins
		p, err := s.login("ann", password)
		if err != nil {
			t.Fatal(err)
		}
		s.pass(time.Second)
		for _, roles := range [][]string{{"boss"}, {"member", "Chief"}, {""}} {
			if err := s.Patch(ctx, s.ann.ID, Patch{Roles: &roles}); !problem.ValidationFailed.Is(err) {
				t.Errorf("%v: %v", roles, err)
			}
			if _, err := s.Create(ctx, NewUser{Username: "eve", Password: password, Roles: roles}); !problem.ValidationFailed.Is(err) {
				t.Errorf("create with %v: %v", roles, err)
			}
		}
		if !s.config.Exceptions.Allow(p) {
			t.Error("a change that was refused ended something")
		}
		if err := s.Patch(ctx, s.ann.ID, Patch{Roles: &[]string{"chief", "member"}}); err != nil {
			t.Fatal(err)
		}
		if s.config.Exceptions.Allow(p) || len(logins.ended) > 0 {
			t.Errorf("the old token is good, or logins ended: %v", logins.ended)
		}
		u, err := s.Find(ctx, s.ann.ID)
		if err != nil || !cmp.Equal(u.Scopes, auth.Scopes{"a", "b", "c"}) || !cmp.Equal(u.Roles, []string{"chief", "member"}) {
			t.Errorf("%+v %v", u, err)
		}
		if p, err = s.login("ann", password); err != nil || !cmp.Equal(p.Scopes, auth.Scopes{"a", "b", "c"}) {
			t.Errorf("%+v %v", p, err)
		}
		delete(s.config.Roles, "chief") // the document has it no longer
		if u, err = s.Find(ctx, s.ann.ID); err != nil || !cmp.Equal(u.Scopes, auth.Scopes{"a", "b"}) {
			t.Errorf("%+v %v", u, err)
		}
		yes := true
		if err := s.Patch(ctx, s.ann.ID, Patch{Roles: &[]string{}, Disabled: &yes}); err != nil {
			t.Fatal(err)
		}
		if u, err = s.Find(ctx, s.ann.ID); err != nil || len(u.Roles) > 0 || !u.Disabled || len(logins.ended) != 1 {
			t.Errorf("%+v %v, ended %v", u, err, logins.ended)
		}
		if err := s.Patch(ctx, "0193583e-6f5c-7a53-8a3c-0d1f2e3a4b5c", Patch{Disabled: &yes}); !errors.Is(err, sqldb.ErrNotFound) {
			t.Errorf("an account that is not there: %v", err)
		}
	})
}

// TestAnotherProcessLearnsOfChanges: two services on one database, each with exceptions of its own.
func TestAnotherProcessLearnsOfChanges(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		first := open(t, db)
		c := first.config
		c.Exceptions, c.Limiter, c.Limits = &auth.Exceptions{}, ratelimit.NewMemory(1000), testLimits()
		second, err := New(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(second.Close)
		for _, row := range []struct {
			name   string
			change func() error
			login  string // the password that is good then, "" for none
		}{
			{"a new password", func() error { return first.SetPassword(ctx, first.ann.ID, "another password") }, "another password"},
			{"other roles", func() error { return first.Patch(ctx, first.ann.ID, Patch{Roles: &[]string{"chief"}}) }, "another password"},
			{"disabling", func() error { return first.SetDisabled(ctx, first.ann.ID, true) }, ""},
			{"enabling", func() error { return first.SetDisabled(ctx, first.ann.ID, false) }, "another password"},
			{"deletion", func() error { return first.Delete(ctx, first.ann.ID) }, ""},
		} {
			t.Run(row.name, func(t *testing.T) {
				first.pass(time.Minute)
				token := &auth.Principal{Subject: first.ann.ID, IssuedAt: c.Now()}
				before := second.config.Exceptions.Allow(token)
				first.pass(time.Second)
				since := c.Now()
				if err := row.change(); err != nil {
					t.Fatal(err)
				}
				if second.config.Exceptions.Allow(token) != before {
					t.Fatal("the second process knows already: the test would test nothing")
				}
				if err := second.Refresh(ctx, since.Add(time.Microsecond)); err != nil || second.config.Exceptions.Allow(token) != before {
					t.Errorf("a refresh of later times changed something: %v", err)
				}
				if err := second.Refresh(ctx, since); err != nil {
					t.Fatal(err)
				}
				if want := row.name == "enabling"; second.config.Exceptions.Allow(token) != want {
					t.Errorf("a token from before is allowed: %v", !want)
				}
				_, err := second.Authenticate(from("192.0.2.1"), auth.Basic{Username: "ann", Password: auth.Secret(row.login)})
				if (err == nil) != (row.login != "") {
					t.Errorf("a login: %v", err)
				}
			})
		}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		if err := second.Refresh(ended, time.Time{}); err == nil {
			t.Error("a refresh that could not read tells nothing")
		}
	})
}

// TestRefreshDoesNotUndoAChangeThatIsBeingWritten: the exception stands, the row does not yet, and another goroutine reads it.
func TestRefreshDoesNotUndoAChangeThatIsBeingWritten(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	p, err := s.login("ann", password)
	if err != nil {
		t.Fatal(err)
	}
	s.config.Owned = []Owned{func(context.Context, *sql.Tx, string) error {
		if s.mirror.TryLock() {
			t.Error("a refresh would not wait until the row is written")
			s.mirror.Unlock()
		}
		if s.config.Exceptions.Allow(p) {
			t.Error("the exception does not stand before the row does")
		}
		return nil
	}}
	if err := s.Delete(ctx, s.ann.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.Refresh(ctx, time.Unix(0, 0)); err != nil || s.config.Exceptions.Allow(p) {
		t.Errorf("after the refresh: %v", err)
	}
}
