package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/accounts"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/oauth"
	"example.com/gatehouse/internal/ratelimit"
	"example.com/gatehouse/internal/server"
	"example.com/gatehouse/internal/session"
	"example.com/gatehouse/internal/sqldb"
)

// user are the commands of accounts. The first administrator is made by one of them: the service has no credential that it was
// delivered with (ASVS 5.0 6.3.2).
type user struct {
	Add      userAdd      `cmd:"" help:"Make an account, with a password from a prompt, standard input or a file. Works before the first start of the service, too."`
	List     userList     `cmd:"" help:"List the accounts, the newest first."`
	Disable  userDisable  `cmd:"" help:"Disable an account: none of its credentials is good any more."`
	Enable   userEnable   `cmd:"" help:"Enable an account that was disabled."`
	Password userPassword `cmd:"" help:"Set the password of an account. Its access tokens and logins end."`
}

type userAdd struct {
	place        `embed:""`
	format       `embed:""`
	hashing      `embed:""`
	passwordFrom `embed:""`
	Name         string   `arg:"" help:"The user name. One with @ is the e-mail address, too."`
	Admin        bool     `env:"-" help:"Give the role admin."`
	Role         []string `env:"-" help:"Give a role of x-roles in openapi.yaml (default: member). May be repeated."`
	Email        string   `env:"-" help:"An e-mail address that you know to be the user's: passwords can be reset by it."`
}

type userList struct {
	place  `embed:""`
	format `embed:""`
}

type userDisable struct {
	place `embed:""`
	Name  string `arg:"" help:"The user name."`
}

type userEnable struct {
	place `embed:""`
	Name  string `arg:"" help:"The user name."`
}

type userPassword struct {
	place        `embed:""`
	hashing      `embed:""`
	passwordFrom `embed:""`
	Name         string `arg:"" help:"The user name."`
}

// userResult is an account as programs read it.
type userResult struct {
	ID            string    `json:"id"`
	Username      string    `json:"username"`
	Email         string    `json:"email,omitempty"`
	EmailVerified bool      `json:"email_verified"`
	Roles         []string  `json:"roles"`
	Disabled      bool      `json:"disabled"`
	CreatedAt     time.Time `json:"created_at"`
}

func newUserResult(u accounts.User) userResult {
	return userResult{u.ID, u.Username, u.Email, u.Verified, append([]string{}, u.Roles...), u.Disabled, u.CreatedAt.UTC()}
}

// state is what somebody wants to know of an account first.
func (r userResult) state() string {
	switch {
	case r.Disabled:
		return "disabled"
	case r.Email != "" && !r.EmailVerified:
		return "unproven"
	}
	return "active"
}

// withAccounts opens the accounts of the database for as long as f runs. What f changes, the running service learns from the rows.
func withAccounts(ctx context.Context, open func(context.Context) (*sqldb.DB, error), p accounts.Passwords, f func(*accounts.Service) error) (err error) {
	db, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	exceptions := &auth.Exceptions{}
	sessions := &session.Store{DB: db, Exceptions: exceptions, AccessTokenLifetime: oauth.MaxAge, Now: time.Now, Random: rand.Reader}
	users, err := newAccounts(ctx, db, exceptions, sessions, p)
	if err != nil {
		return err
	}
	defer users.Close()
	return f(users)
}

// newAccounts returns the accounts for a command. The caller closes them.
func newAccounts(ctx context.Context, db *sqldb.DB, exceptions *auth.Exceptions, sessions *session.Store, p accounts.Passwords) (*accounts.Service, error) {
	return accounts.New(ctx, accounts.Config{
		DB: db, Exceptions: exceptions, Limiter: ratelimit.NewMemory(1), Limits: server.DefaultLimits().Accounts(), Roles: api.Roles(), Sessions: sessions, Passwords: p,
		Now: time.Now, Random: rand.Reader,
	})
}

// find returns the account of a user name.
func find(ctx context.Context, users *accounts.Service, name string) (accounts.User, error) {
	u, err := users.FindByName(ctx, name)
	if errors.Is(err, sqldb.ErrNotFound) {
		err = fmt.Errorf("there is no user of that name, see gatehouse user list: %w", err)
	}
	return u, err
}

// Run makes the account.
func (c *userAdd) Run(ctx context.Context, out io.Writer) error {
	roles := slices.Clone(c.Role)
	if c.Admin && !slices.Contains(roles, "admin") {
		roles = append(roles, "admin")
	}
	if len(roles) == 0 {
		roles = []string{"member"}
	}
	for _, role := range roles {
		if _, known := api.Roles()[role]; !known {
			return usageError{fmt.Errorf("there is no role %s: the roles are in x-roles of openapi.yaml", role)}
		}
	}
	hashed, err := c.passwords() // before anybody types
	if err != nil {
		return err
	}
	password, err := c.read(os.Stdin, os.Stderr)
	if err != nil {
		return err
	}
	if file := c.sqlite(); file != "" {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
	}
	return withAccounts(ctx, c.openOrMake, hashed, func(users *accounts.Service) error {
		u, err := users.Create(ctx, accounts.NewUser{Username: c.Name, Email: c.Email, Password: password, Roles: roles})
		if errors.Is(err, sqldb.ErrConflict) {
			return fmt.Errorf("there is a user of that name or address: choose another, or see gatehouse user password: %w", err)
		}
		if err != nil {
			return err
		}
		r := newUserResult(u)
		return c.print(out, r, func(w io.Writer) { row(w, "made "+r.Username+", "+r.ID+", with the roles "+strings.Join(r.Roles, " ")) })
	})
}

// Run lists the accounts.
func (c *userList) Run(ctx context.Context, out io.Writer) error {
	return withAccounts(ctx, c.open, accounts.Passwords{}, func(users *accounts.Service) error {
		results := []userResult{}
		for q := (accounts.Query{Limit: 100}); ; {
			page, next, err := users.List(ctx, q)
			if err != nil {
				return err
			}
			for _, u := range page {
				results = append(results, newUserResult(u))
			}
			if q.Cursor = next; next == nil {
				break
			}
		}
		return c.print(out, results, func(w io.Writer) {
			row(w, "NAME", "STATE", "ROLES", "EMAIL", "CREATED", "ID")
			for _, r := range results {
				email := r.Email
				if email == "" {
					email = "-"
				}
				row(w, r.Username, r.state(), strings.Join(r.Roles, " "), email, showTime(r.CreatedAt), r.ID)
			}
		})
	})
}

// Run disables the account.
func (c *userDisable) Run(ctx context.Context) error { return setDisabled(ctx, c.open, c.Name, true) }

// Run enables the account.
func (c *userEnable) Run(ctx context.Context) error { return setDisabled(ctx, c.open, c.Name, false) }

func setDisabled(ctx context.Context, open func(context.Context) (*sqldb.DB, error), name string, disabled bool) error {
	return withAccounts(ctx, open, accounts.Passwords{}, func(users *accounts.Service) error {
		u, err := find(ctx, users, name)
		if err != nil {
			return err
		}
		return users.SetDisabled(ctx, u.ID, disabled)
	})
}

// Run sets the password.
func (c *userPassword) Run(ctx context.Context) error {
	hashed, err := c.passwords()
	if err != nil {
		return err
	}
	return withAccounts(ctx, c.open, hashed, func(users *accounts.Service) error {
		u, err := find(ctx, users, c.Name) // before anybody types
		if err != nil {
			return err
		}
		password, err := c.read(os.Stdin, os.Stderr)
		if err != nil {
			return err
		}
		return users.SetPassword(ctx, u.ID, password)
	})
}
