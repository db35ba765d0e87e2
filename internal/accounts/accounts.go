// Package accounts keeps users and their passwords, and proves who a user is.
package accounts

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/sync/singleflight"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/mail"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb"
)

// User is an account. Its id is never reassigned.
type User struct {
	ID          string
	Username    string
	Email       string // lower case, empty: none
	Verified    bool   // whether the address is proven
	DisplayName string
	Roles       []string
	// Scopes are those of the roles, at the time that the account was read.
	Scopes      auth.Scopes
	Development bool
	Disabled    bool
	CreatedAt   time.Time
}

// Sessions ends the logins of a user, all but one where one is named, within the caller's transaction.
type Sessions interface {
	EndAll(ctx context.Context, tx *sql.Tx, userID, exceptSessionID string) error
}

// Owned removes what belongs to a user, within the transaction that deletes the account.
type Owned func(ctx context.Context, tx *sql.Tx, ownerID string) error

// Mailer takes a message and returns at once: how long a mail takes must not tell what it says. mail.Queue is one.
type Mailer interface {
	Post(m mail.Message) error
}

// Config is what a Service needs. Fields are required unless they say otherwise.
type Config struct {
	DB *sqldb.DB
	// Exceptions are kept in step with the rows.
	Exceptions *auth.Exceptions
	// Limiter counts failed logins, and mails.
	Limiter Limiter
	// Limits are what the limiter counts. The zero value lets nobody log in.
	Limits Limits
	// DeviceKey seals the tokens of devices.
	DeviceKey [32]byte
	// Roles are the roles of the document, each with its scopes.
	Roles auth.Roles
	// Sessions, where it is set, ends logins when an account or its password does.
	Sessions Sessions
	// Owned goes with an account that is deleted.
	Owned []Owned
	// Mailer sends the mails of accounts. Without one there is no registration and no reset of passwords.
	Mailer Mailer
	// Passwords says how passwords are hashed.
	Passwords Passwords
	// Registration says whether people may make accounts for themselves.
	Registration bool
	// Issuer is the address of the service, and of its pages.
	Issuer string
	// Page is where the links of mails lead to instead of our own pages. It gets the token in the fragment. Optional.
	Page string
	// WaitingHashes is how many hashes there may be at once, most of them waiting for others, and Logins how many requests may be about to
	// prove a password: those beyond get problem.Unavailable. 0: 64 and 128.
	WaitingHashes int
	Logins        int
	// Remembered is how many logins are remembered that were good. 0: 10,000.
	Remembered int
	// HashWaited is told how long each hash has waited. Optional.
	HashWaited func(time.Duration)
	// Log gets what goes wrong after a request was answered. Optional.
	Log    *slog.Logger
	Now    func() time.Time
	Random io.Reader
}

// Service is the accounts of the service. It may be used by several goroutines at once.
type Service struct {
	config   Config
	hasher   *hasher
	common   func() map[string]struct{}
	recent   *recentLogins
	attempts singleflight.Group
	defence  *defence
	logins   logins
	later    *later
	// mirror keeps Refresh from putting an older row in the place of a change that is being written.
	mirror sync.RWMutex
}

// New returns a Service and loads the exceptions. The caller closes it.
func New(ctx context.Context, c Config) (*Service, error) {
	recent, err := newRecentLogins(c.Random, cmp.Or(c.Remembered, recentMost))
	if err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{
		config: c, defence: newDefence(c.Limiter, c.Limits), hasher: newHasher(c, runtime.GOMAXPROCS(0)), recent: recent, later: newLater(),
		logins: logins{most: int64(cmp.Or(c.Logins, defaultLogins))},
		common: sync.OnceValue(commonPasswords),
	}
	return s, s.loadExceptions(ctx)
}

// Close finishes what was put off until after an answer.
func (s *Service) Close() { s.later.close() }

// Settle waits until everything is done that was put off until after an answer so far: for a process that is about to end, and for tests.
func (s *Service) Settle() { s.later.settle() }

// Hashes returns how many password hashes were computed.
func (s *Service) Hashes() int64 { return s.hasher.runs.Load() }

// maxUsername bounds a user name, in bytes: the keys of the limiter stay small.
const maxUsername = 256

// NewUser is what an account begins with.
type NewUser struct {
	Username string
	// Email is an address that whoever makes the account vouches for. Optional.
	Email       string
	Password    auth.Secret
	Roles       []string
	Development bool
}

// Create makes an account, for an administrator: the address counts as proven. It returns sqldb.ErrConflict where the user name or
// the address is taken.
func (s *Service) Create(ctx context.Context, n NewUser) (User, error) {
	if err := checkUsername(n.Username); err != nil {
		return User{}, err
	}
	u := User{Username: n.Username, Email: strings.ToLower(n.Email), Roles: n.Roles, Scopes: s.config.Roles.Scopes(n.Roles...), Development: n.Development, CreatedAt: s.now()}
	// A name with @ is an address, in the form that one registers by: else somebody's name could be the address of somebody else.
	if strings.Contains(u.Username, "@") {
		if u.Email == "" {
			u.Email = strings.ToLower(u.Username)
		}
		if u.Username != u.Email {
			return User{}, problem.ValidationFailed.New("a user name with @ is the e-mail address of the account, in lower case")
		}
	}
	u.Verified = u.Email != ""
	if err := s.checkRoles(n.Roles); err != nil {
		return User{}, err
	}
	if err := s.checkPassword("/password", n.Password, u); err != nil {
		return User{}, err
	}
	hash, err := s.hasher.hash(ctx, n.Password)
	if err != nil {
		return User{}, err
	}
	if u.ID, err = s.newID(); err != nil {
		return User{}, err
	}
	err = s.config.DB.Write(ctx, func(tx *sql.Tx) error {
		verified := sql.NullInt64{Int64: u.CreatedAt.UnixMicro(), Valid: u.Verified}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO users (id, username, email, email_verified_at, password_hash, roles, development, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)`,
			u.ID, u.Username, optional(u.Email), verified, hash, strings.Join(u.Roles, " "), u.Development, u.CreatedAt.UnixMicro())
		return err
	})
	return u, err
}

func (s *Service) newID() (string, error) {
	id, err := uuid.NewRandomFromReader(s.config.Random)
	return id.String(), err
}

func optional(text string) sql.NullString { return sql.NullString{String: text, Valid: text != ""} }

func checkUsername(name string) error {
	if name == "" || len(name) > maxUsername || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) || strings.Contains(name, ":") {
		return problem.ValidationFailed.New("a user name has 1 to 256 bytes, no control characters and no colon")
	}
	return nil
}

func (s *Service) now() time.Time { return s.config.Now().UTC().Truncate(time.Microsecond) }

// columns are those that scan reads, in its order.
const columns = `id, username, email, email_verified_at, display_name, roles, development, disabled_at, created_at`

func (s *Service) scan(row interface{ Scan(...any) error }) (User, error) {
	var u User
	var email, displayName sql.NullString
	var verified, disabled sql.NullInt64
	var roles string
	var created int64
	err := row.Scan(&u.ID, &u.Username, &email, &verified, &displayName, &roles, &u.Development, &disabled, &created)
	u.Email, u.DisplayName, u.Verified, u.Disabled = email.String, displayName.String, verified.Valid, disabled.Valid
	u.Roles = strings.Fields(roles)
	u.Scopes = s.config.Roles.Scopes(u.Roles...)
	u.CreatedAt = time.UnixMicro(created).UTC()
	return u, sqldb.Error(err)
}

// Find returns the account of an id, or sqldb.ErrNotFound.
func (s *Service) Find(ctx context.Context, id string) (User, error) {
	return s.scan(s.config.DB.Reader().QueryRowContext(ctx, `SELECT `+columns+` FROM users WHERE id = $1 AND deleted_at IS NULL`, id))
}

// FindByName returns the account of a user name, or sqldb.ErrNotFound.
func (s *Service) FindByName(ctx context.Context, username string) (User, error) {
	return s.scan(s.config.DB.Reader().QueryRowContext(ctx, `SELECT `+columns+` FROM users WHERE username = $1 AND deleted_at IS NULL`, username))
}

// HasDevelopmentUser reports whether --dev made an account here, whose password was made up and written to a file.
func (s *Service) HasDevelopmentUser(ctx context.Context) (bool, error) {
	var one int
	err := sqldb.Error(s.config.DB.Reader().QueryRowContext(ctx, `SELECT 1 FROM users WHERE development`).Scan(&one))
	if errors.Is(err, sqldb.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (s *Service) checkRoles(roles []string) error {
	for i, role := range roles {
		if _, known := s.config.Roles[role]; !known {
			e := problem.ValidationFailed.New("a role is not one of x-roles in openapi.yaml")
			e.Violations = []problem.Violation{{Pointer: fmt.Sprintf("/roles/%d", i), Keyword: "enum", Detail: "must be a role of the document"}}
			return e
		}
	}
	return nil
}
