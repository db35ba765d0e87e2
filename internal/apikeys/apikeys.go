// Package apikeys makes, keeps and proves API keys.
package apikeys

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/ratelimit"
	"example.com/gatehouse/internal/sqldb"
)

// Config is what a Service needs. All fields but Gate and Remembered are required.
type Config struct {
	DB *sqldb.DB
	// Exceptions are kept in step with the rows.
	Exceptions *auth.Exceptions
	// Pepper is the key under which secrets are kept: at least 32 random bytes. A copy of the database alone verifies
	// no guess.
	Pepper []byte
	// Environment is part of every key: "dev" or "live". A key of the other one is refused.
	Environment string
	// Roles say what the owner of a key may do.
	Roles auth.Roles
	// Gate limits the keys that are not good, by address. Optional.
	Gate *ratelimit.Gate
	// Remembered is how many keys are remembered that were good. 0: 10,000.
	Remembered int

	Now    func() time.Time
	Random io.Reader
}

// Service is the API keys of the service. It may be used by several goroutines at once.
type Service struct {
	config   Config
	verified *otter.Cache[[sha256.Size]byte, verified]
	reads    atomic.Int64
}

// verified is a key that was good a short while ago.
type verified struct {
	principal *auth.Principal
	until     time.Time
}

const (
	// verifiedFor is how long a key that was good is not looked up again. What ends a key early is an exception, or, for a
	// change of its owner's scopes, seen after this time.
	verifiedFor = 30 * time.Second
	// verifiedMost bounds the memory of the keys that are remembered.
	verifiedMost = 10_000
	pepperBytes  = 32
)

// New returns a Service and loads the exceptions.
func New(ctx context.Context, c Config) (*Service, error) {
	if len(c.Pepper) < pepperBytes {
		return nil, fmt.Errorf("the pepper of API keys has %d bytes: give at least %d", len(c.Pepper), pepperBytes)
	}
	if c.Environment != "dev" && c.Environment != "live" {
		return nil, fmt.Errorf("the environment of API keys is %q: give dev or live", c.Environment)
	}
	cache, err := otter.New(&otter.Options[[sha256.Size]byte, verified]{MaximumSize: cmp.Or(c.Remembered, verifiedMost)})
	if err != nil {
		return nil, err
	}
	s := &Service{config: c, verified: cache}
	return s, s.Refresh(ctx, time.Unix(0, 0))
}

// Reads returns how often the database was asked for a key.
func (s *Service) Reads() int64 { return s.reads.Load() }

// Key is an API key without its secret.
type Key struct {
	ID        string
	OwnerID   string
	Name      string
	Scopes    auth.Scopes
	ExpiresAt time.Time // zero: never
	CreatedAt time.Time
}

// NewKey is what a key begins with.
type NewKey struct {
	OwnerID   string
	Name      string
	Scopes    auth.Scopes
	ExpiresIn time.Duration // zero: never
}

// Create makes a key. The secret is in the first result and nowhere else.
func (s *Service) Create(ctx context.Context, n NewKey) (auth.APIKey, Key, error) {
	id, err := randomText(s.config.Random, idLength)
	if err != nil {
		return auth.APIKey{}, Key{}, err
	}
	secret, err := randomText(s.config.Random, secretLength)
	if err != nil {
		return auth.APIKey{}, Key{}, err
	}
	k := Key{ID: id, OwnerID: n.OwnerID, Name: n.Name, Scopes: n.Scopes, CreatedAt: s.now()}
	var expires sql.NullInt64
	if n.ExpiresIn > 0 {
		k.ExpiresAt = k.CreatedAt.Add(n.ExpiresIn)
		expires = sql.NullInt64{Int64: k.ExpiresAt.UnixMicro(), Valid: true}
	}
	err = s.config.DB.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO api_keys (id, owner_id, name, secret_hmac, scopes, expires_at, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			k.ID, k.OwnerID, k.Name, s.mac(secret), strings.Join(k.Scopes, " "), expires, k.CreatedAt.UnixMicro())
		return err
	})
	return parts{environment: s.config.Environment, id: id, secret: secret}.format(), k, err
}

// Revoke ends a key, from the next request on: the exception stands before the row changes, and is taken back where
// the row does not.
func (s *Service) Revoke(ctx context.Context, id string) error {
	was := s.config.Exceptions.RevokeKey(id)
	err := s.config.DB.Write(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `UPDATE api_keys SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1 RETURNING id`, id, s.now().UnixMicro()).Scan(&id)
	})
	if err != nil && !was {
		s.config.Exceptions.RestoreKey(id)
	}
	return err
}

// RemoveAllOf deletes every key of the owner, within the transaction that deletes the account. What this process remembers of them is
// refused with the account.
func RemoveAllOf(ctx context.Context, tx *sql.Tx, ownerID string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM api_keys WHERE owner_id = $1`, ownerID)
	return sqldb.Error(err)
}

// Authenticate proves a key. It returns auth.ErrInvalidCredential where it is not good, whatever the reason.
func (s *Service) Authenticate(ctx context.Context, key auth.APIKey) (*auth.Principal, error) {
	p, ok := parse(key)
	switch {
	case !ok:
		return nil, auth.Malformed.Invalid()
	case p.environment != s.config.Environment:
		return nil, auth.Misplaced.Invalid()
	}
	now := s.config.Now()
	hash := sha256.Sum256([]byte(key.Reveal()))
	if v, found := s.verified.GetIfPresent(hash); found && now.Before(v.until) {
		return s.allow(v.principal)
	}
	address := ratelimit.AddressKey(auth.Address(ctx))
	if err := s.config.Gate.Enter(now, address); err != nil {
		return nil, err
	}
	principal, until, err := s.prove(ctx, p, now)
	if !errors.Is(err, auth.ErrInvalidCredential) {
		s.config.Gate.Passed(now, address)
	}
	if err != nil {
		return nil, err
	}
	s.verified.Set(hash, verified{principal, until})
	return s.allow(principal)
}

func (s *Service) allow(p *auth.Principal) (*auth.Principal, error) {
	if !s.config.Exceptions.Allow(p) {
		return nil, auth.Ended.Invalid()
	}
	return p, nil
}

// prove compares the secret with the row's, and returns until when the answer may be kept.
func (s *Service) prove(ctx context.Context, p parts, now time.Time) (*auth.Principal, time.Time, error) {
	s.reads.Add(1)
	var owner, stored, scopes, ownerRoles string
	var expires sql.NullInt64
	var created int64
	err := sqldb.Error(s.config.DB.Reader().QueryRowContext(ctx, `
		SELECT k.owner_id, k.secret_hmac, k.scopes, u.roles, k.expires_at, k.created_at
		FROM api_keys k JOIN users u ON u.id = k.owner_id
		WHERE k.id = $1 AND k.revoked_at IS NULL AND u.disabled_at IS NULL AND u.deleted_at IS NULL`, p.id).
		Scan(&owner, &stored, &scopes, &ownerRoles, &expires, &created))
	if err != nil && !errors.Is(err, sqldb.ErrNotFound) {
		return nil, time.Time{}, err
	}
	// An id that is not there takes the same time as a wrong secret.
	same := hmac.Equal([]byte(s.mac(p.secret)), []byte(stored))
	switch {
	case err != nil || !same:
		return nil, time.Time{}, auth.Unknown.Invalid()
	case expires.Valid && now.UnixMicro() >= expires.Int64:
		return nil, time.Time{}, auth.Expired.Invalid()
	}
	until := now.Add(verifiedFor)
	if end := time.UnixMicro(expires.Int64); expires.Valid && end.Before(until) {
		until = end
	}
	return &auth.Principal{
		Subject:  owner,
		KeyID:    p.id,
		Scopes:   auth.NewScopes(strings.Fields(scopes)...).Intersect(s.config.Roles.Scopes(strings.Fields(ownerRoles)...)),
		IssuedAt: time.UnixMicro(created).UTC(),
	}, until, nil
}

func (s *Service) mac(secret string) string {
	h := hmac.New(sha256.New, s.config.Pepper)
	io.WriteString(h, secret)
	return base64.RawStdEncoding.EncodeToString(h.Sum(nil))
}

func (s *Service) now() time.Time { return s.config.Now().UTC().Truncate(time.Microsecond) }

// Refresh reads the keys that were revoked since then, in whatever process.
func (s *Service) Refresh(ctx context.Context, since time.Time) error {
	rows, err := s.config.DB.Reader().QueryContext(ctx, `SELECT id FROM api_keys WHERE revoked_at >= $1`, since.UnixMicro())
	if err != nil {
		return sqldb.Error(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return sqldb.Error(err)
		}
		s.config.Exceptions.RevokeKey(id)
	}
	return sqldb.Error(rows.Err())
}
