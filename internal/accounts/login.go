package accounts

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/ratelimit"
	"example.com/gatehouse/internal/sqldb"
)

// Authenticate proves a user name and a password. It returns auth.ErrInvalidCredential where they are not good,
// with the same work for a user that does not exist, and problem.QuotaExceeded after too many failures.
func (s *Service) Authenticate(ctx context.Context, c auth.Basic) (*auth.Principal, error) {
	return s.AuthenticateOn(ctx, c, "")
}

// AuthenticateOn does the same on a device that may have the token of NewDevice.
func (s *Service) AuthenticateOn(ctx context.Context, c auth.Basic, device auth.Secret) (*auth.Principal, error) {
	if len(c.Username) > maxUsername || len(c.Password) > maxPassword {
		return nil, auth.ErrInvalidCredential // no row can match; a hash of it would only cost
	}
	c.Username = ratelimit.AccountKey(c.Username)
	now := s.config.Now()
	key := s.recent.key(c)
	if p, found := s.recent.find(key, now); found && s.config.Exceptions.Allow(p) {
		return p, nil // else the row decides: a password that was set again is good
	}
	client := ratelimit.AddressKey(auth.Address(ctx))
	id, known := s.knownDevice(device, c.Username, now)
	if known {
		client = "device\x00" + id
	}
	// Parallel attempts with one password are one attempt: a browser that opens ten connections at once is not ten
	// guesses. It goes on when the first of them is cancelled.
	if err := s.logins.enter(); err != nil {
		return nil, err
	}
	defer s.logins.leave()
	result, err, _ := s.attempts.Do(client+string(key[:]), func() (any, error) {
		return s.attempt(context.WithoutCancel(ctx), c, key, client, known, now)
	})
	if err != nil {
		return nil, err
	}
	return result.(*auth.Principal), nil
}

// attempt proves a credential with a hash.
func (s *Service) attempt(ctx context.Context, c auth.Basic, key [sha256.Size]byte, client string, known bool, now time.Time) (*auth.Principal, error) {
	a, err := s.defence.enter(ctx, now, c.Username, client, known)
	if err != nil {
		return nil, err
	}
	p, err := s.prove(ctx, c)
	switch {
	case errors.Is(err, auth.ErrInvalidCredential):
		a.failed()
		return nil, err
	case err != nil:
		a.undecided()
		return nil, err
	}
	a.succeeded()
	s.recent.keep(key, p, now)
	return p, nil
}

// prove compares the password with the row's.
func (s *Service) prove(ctx context.Context, c auth.Basic) (*auth.Principal, error) {
	var id, stored, roles string
	var disabled, verified sql.NullInt64
	var email sql.NullString
	// The mark is read with the hash, and no clock is asked: a change of the password has its time from before it is written, and a login
	// in between would seem to have come after it.
	var mark int64
	err := sqldb.Error(s.config.DB.Reader().QueryRowContext(ctx, `
		SELECT id, password_hash, roles, disabled_at, email, email_verified_at, COALESCE(not_before, created_at)
		FROM users WHERE username = $1 AND deleted_at IS NULL`, c.Username).
		Scan(&id, &stored, &roles, &disabled, &email, &verified, &mark))
	if err != nil && !errors.Is(err, sqldb.ErrNotFound) {
		return nil, err
	}
	ok, lags, err := s.hasher.verify(ctx, c.Password, stored)
	if err != nil {
		return nil, err
	}
	if !ok || disabled.Valid || email.Valid && !verified.Valid {
		return nil, auth.ErrInvalidCredential
	}
	p := &auth.Principal{Subject: id, Scopes: s.config.Roles.Scopes(strings.Fields(roles)...), IssuedAt: time.UnixMicro(mark).UTC()}
	if !s.config.Exceptions.Allow(p) {
		return nil, auth.ErrInvalidCredential
	}
	if lags {
		s.rehash(ctx, id, stored, c.Password)
	}
	return p, nil
}

// rehash brings a stored hash to the current cost. The login has succeeded: a failure is left for the next one.
func (s *Service) rehash(ctx context.Context, id, stored string, password auth.Secret) {
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return
	}
	_ = s.config.DB.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2`, id, stored, hash)
		return err
	})
}

// recentFor is how long a password that was good needs no hash: HTTP Basic sends it with every request
// (security.md 15).
const recentFor = 30 * time.Second

// recentMost bounds the memory of the logins that are remembered.
const recentMost = 10_000

// recentLogins remembers logins by a keyed digest, never by the password: a dump of the memory of another process
// does not verify guesses, and one of this memory has no password in it.
type recentLogins struct {
	secret [32]byte
	cache  *otter.Cache[[sha256.Size]byte, recentLogin]
}

type recentLogin struct {
	principal *auth.Principal
	until     time.Time
}

func newRecentLogins(random io.Reader, most int) (*recentLogins, error) {
	r := &recentLogins{}
	if _, err := io.ReadFull(random, r.secret[:]); err != nil {
		return nil, err
	}
	var err error
	r.cache, err = otter.New(&otter.Options[[sha256.Size]byte, recentLogin]{MaximumSize: most})
	return r, err
}

func (r *recentLogins) key(c auth.Basic) (key [sha256.Size]byte) {
	mac := hmac.New(sha256.New, r.secret[:])
	fmt.Fprintf(mac, "%d:", len(c.Username)) // so that no other pair has the same text
	io.WriteString(mac, c.Username)
	io.WriteString(mac, c.Password.Reveal())
	mac.Sum(key[:0])
	return key
}

func (r *recentLogins) find(key [sha256.Size]byte, now time.Time) (*auth.Principal, bool) {
	e, found := r.cache.GetIfPresent(key)
	if !found {
		return nil, false
	}
	if !now.Before(e.until) {
		r.cache.Invalidate(key)
		return nil, false
	}
	return e.principal, true
}

func (r *recentLogins) keep(key [sha256.Size]byte, p *auth.Principal, now time.Time) {
	r.cache.Set(key, recentLogin{p, now.Add(recentFor)})
}
