// Package accounts keeps users and their passwords, and proves who a user is.
package accounts

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"runtime"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/sync/singleflight"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb"
)

// User is an account. Its id is never reassigned.
type User struct {
	ID          string
	Username    string
	Scopes      auth.Scopes
	Development bool
	CreatedAt   time.Time
}

// Config is what a Service needs. All fields are required.
type Config struct {
	DB *sqldb.DB
	// Exceptions are kept in step with the rows.
	Exceptions *auth.Exceptions
	// Limiter counts failed logins.
	Limiter Limiter
	Now     func() time.Time
	Random  io.Reader
}

// Service is the accounts of the service. It may be used by several goroutines at once.
type Service struct {
	config   Config
	hasher   *hasher
	recent   *recentLogins
	attempts singleflight.Group
}

// New returns a Service and loads the exceptions.
func New(ctx context.Context, c Config) (*Service, error) {
	recent, err := newRecentLogins(c.Random)
	if err != nil {
		return nil, err
	}
	s := &Service{config: c, hasher: newHasher(c.Random, runtime.GOMAXPROCS(0)), recent: recent}
	return s, s.loadExceptions(ctx)
}

// Hashes returns how many password hashes were computed.
func (s *Service) Hashes() int64 { return s.hasher.runs.Load() }

// The bounds of a user name and a password. A password is any text: no rules of composition, no trimming, no
// truncation (ASVS 5.0 6.2.5, 6.2.8). The upper bounds keep the work of a hash and the keys of the limiter small.
const (
	maxUsername = 256
	minPassword = 8 // code points
	maxPassword = 1024
)

// NewUser is what an account begins with.
type NewUser struct {
	Username    string
	Password    auth.Secret
	Scopes      auth.Scopes
	Development bool
}

// Create makes an account. It returns sqldb.ErrConflict where the user name is taken.
func (s *Service) Create(ctx context.Context, n NewUser) (User, error) {
	if err := checkUsername(n.Username); err != nil {
		return User{}, err
	}
	if err := checkPassword(n.Password); err != nil {
		return User{}, err
	}
	hash, err := s.hasher.hash(ctx, n.Password)
	if err != nil {
		return User{}, err
	}
	id, err := uuid.NewRandomFromReader(s.config.Random)
	if err != nil {
		return User{}, err
	}
	u := User{ID: id.String(), Username: n.Username, Scopes: n.Scopes, Development: n.Development, CreatedAt: s.now()}
	err = s.config.DB.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO users (id, username, password_hash, scopes, development, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $6)`,
			u.ID, u.Username, hash, strings.Join(u.Scopes, " "), u.Development, u.CreatedAt.UnixMicro())
		return err
	})
	return u, err
}

func checkUsername(name string) error {
	if name == "" || len(name) > maxUsername || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) || strings.Contains(name, ":") {
		return problem.ValidationFailed.New("a user name has 1 to 256 bytes, no control characters and no colon")
	}
	return nil
}

func checkPassword(p auth.Secret) error {
	if utf8.RuneCountInString(p.Reveal()) < minPassword || len(p) > maxPassword {
		return problem.ValidationFailed.New("a password has at least 8 characters and at most 1024 bytes")
	}
	return nil
}

func (s *Service) now() time.Time { return s.config.Now().UTC().Truncate(time.Microsecond) }

// Find returns the account of an id, or sqldb.ErrNotFound.
func (s *Service) Find(ctx context.Context, id string) (User, error) {
	u := User{ID: id}
	var scopes string
	var created int64
	err := s.config.DB.Reader().QueryRowContext(ctx, `
		SELECT username, scopes, development, created_at FROM users WHERE id = $1 AND deleted_at IS NULL`, id).
		Scan(&u.Username, &scopes, &u.Development, &created)
	u.Scopes = auth.NewScopes(strings.Fields(scopes)...)
	u.CreatedAt = time.UnixMicro(created).UTC()
	return u, sqldb.Error(err)
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
