// Package session keeps the logins of users with clients: what a refresh token goes on from, and what a logout ends.
package session

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/sqldb"
)

// Session is one login of a user with a client. Refresh tokens are its generations: each use begins the next.
type Session struct {
	ID       string
	UserID   string
	ClientID string
	// Scopes are what the login granted. A refresh may ask for fewer, never for more.
	Scopes auth.Scopes
	// Generation is that of the refresh token that is in force, from 1.
	Generation int64
	// UserAgent and Address are the device that logged in, as it says itself and as the network shows it.
	UserAgent string
	Address   string
	CreatedAt time.Time
	// RotatedAt is when the generation began: when the session was used last.
	RotatedAt time.Time
	// IdleAt is when the session ends unless it is used before, ExpiresAt when it ends whatever happens.
	IdleAt    time.Time
	ExpiresAt time.Time
}

// Store keeps the sessions in the table sessions. All fields are required.
type Store struct {
	DB *sqldb.DB
	// Exceptions are kept in step with the rows: the access tokens of a session that has ended are refused.
	Exceptions *auth.Exceptions
	// AccessTokenLifetime is how long an access token can outlive its session where nobody hears that it ended.
	AccessTokenLifetime time.Duration
	Now                 func() time.Time
	Random              io.Reader
}

// How long a session lasts (ASVS 5.0 7.3, 10.4.8). Use prolongs the first and never the second: a stolen device or a
// forgotten one ends by itself, and everybody logs in again now and then.
const (
	IdleLifetime     = 14 * 24 * time.Hour
	AbsoluteLifetime = 90 * 24 * time.Hour
)

// maxUserAgent bounds what is kept of what a client calls itself.
const maxUserAgent = 256

// New is what a session begins with.
type New struct {
	UserID   string
	ClientID string
	Scopes   auth.Scopes
	// Lifetime is how long the session lasts, whether it is used or not; 0 for IdleLifetime and AbsoluteLifetime.
	Lifetime time.Duration
}

// Start begins a session within a transaction. The device is that of the request of ctx.
func (s *Store) Start(ctx context.Context, tx *sql.Tx, n New) (Session, error) {
	id, err := uuid.NewRandomFromReader(s.Random)
	if err != nil {
		return Session{}, err
	}
	now := s.now()
	v := Session{
		ID: id.String(), UserID: n.UserID, ClientID: n.ClientID, Scopes: n.Scopes, Generation: 1,
		UserAgent: cut(auth.UserAgent(ctx), maxUserAgent), CreatedAt: now, RotatedAt: now, IdleAt: now.Add(IdleLifetime), ExpiresAt: now.Add(AbsoluteLifetime),
	}
	if n.Lifetime > 0 {
		v.IdleAt, v.ExpiresAt = now.Add(n.Lifetime), now.Add(n.Lifetime)
	}
	if a := auth.Address(ctx); a.IsValid() {
		v.Address = a.Unmap().String()
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO sessions (id, user_id, client_id, scopes, generation, rotated_at, user_agent, address, created_at, idle_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $6, $9, $10)`,
		v.ID, v.UserID, v.ClientID, strings.Join(v.Scopes, " "), v.Generation, now.UnixMicro(), v.UserAgent, v.Address, v.IdleAt.UnixMicro(), v.ExpiresAt.UnixMicro())
	return v, sqldb.Error(err)
}

// cut shortens a text that a client sent to what the table keeps.
func cut(text string, most int) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	if len(text) <= most {
		return text
	}
	for !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

func (s *Store) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// columns are read by scan.
const columns = `id, user_id, client_id, scopes, generation, rotated_at, user_agent, address, created_at, idle_at, expires_at`

func scan(row interface{ Scan(...any) error }) (Session, error) {
	var v Session
	var scopes string
	var rotated, created, idle, expires int64
	err := sqldb.Error(row.Scan(&v.ID, &v.UserID, &v.ClientID, &scopes, &v.Generation, &rotated, &v.UserAgent, &v.Address, &created, &idle, &expires))
	v.Scopes = auth.NewScopes(strings.Fields(scopes)...)
	v.RotatedAt, v.CreatedAt = time.UnixMicro(rotated).UTC(), time.UnixMicro(created).UTC()
	v.IdleAt, v.ExpiresAt = time.UnixMicro(idle).UTC(), time.UnixMicro(expires).UTC()
	return v, err
}

// Find returns a session that is in force, or sqldb.ErrNotFound.
func (s *Store) Find(ctx context.Context, id string) (Session, error) {
	now := s.now().UnixMicro()
	return scan(s.DB.Reader().QueryRowContext(ctx, `
		SELECT `+columns+` FROM sessions WHERE id = $1 AND ended_at IS NULL AND idle_at > $2 AND expires_at > $2`, id, now))
}

// maxListed bounds a list: a person has a few devices, and a loop that logs in has many sessions.
const maxListed = 100

// List returns the sessions of a user that are in force, the newest first, at most 100.
func (s *Store) List(ctx context.Context, userID string) ([]Session, error) {
	rows, err := s.DB.Reader().QueryContext(ctx, `
		SELECT `+columns+` FROM sessions
		WHERE user_id = $1 AND ended_at IS NULL AND idle_at > $2 AND expires_at > $2
		ORDER BY created_at DESC, id DESC LIMIT $3`, userID, s.now().UnixMicro(), maxListed)
	if err != nil {
		return nil, sqldb.Error(err)
	}
	defer rows.Close()
	var list []Session
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, sqldb.Error(rows.Err())
}

// ErrReused is a refresh token that was used before, by who knows whom: the session has been ended (RFC 9700 §4.14.2).
var ErrReused = errors.New("the refresh token was used before")

// Grace is how long the predecessor of a refresh token still answers with its successor: a client that lost the reply, or
// that asked twice at once, is not logged out. A thief gains nothing by it but the same successor, and with it
// the next use by the client is the reuse that ends both.
const Grace = 10 * time.Second

// Rotate uses the refresh token of a generation, and returns the session with the generation that is in force now. Of two
// that use it at once, one begins the next generation, and the other gets the same. It returns sqldb.ErrNotFound where the
// session of the client has ended, and ErrReused where it ends because of this use.
func (s *Store) Rotate(ctx context.Context, id, clientID string, generation int64) (Session, error) {
	now := s.now()
	var v Session
	reused := false
	err := s.DB.Write(ctx, func(tx *sql.Tx) error {
		var err error
		reused = false
		v, err = scan(tx.QueryRowContext(ctx, `
			UPDATE sessions SET generation = generation + 1, rotated_at = $4, idle_at = $5
			WHERE id = $1 AND client_id = $2 AND generation = $3 AND ended_at IS NULL AND idle_at > $4 AND expires_at > $4
			RETURNING `+columns, id, clientID, generation, now.UnixMicro(), now.Add(IdleLifetime).UnixMicro()))
		if !errors.Is(err, sqldb.ErrNotFound) {
			return err
		}
		v, err = scan(tx.QueryRowContext(ctx, `
			SELECT `+columns+` FROM sessions
			WHERE id = $1 AND client_id = $2 AND generation > $3 AND ended_at IS NULL AND idle_at > $4 AND expires_at > $4`,
			id, clientID, generation, now.UnixMicro()))
		switch {
		case err != nil:
			return err
		case now.Sub(v.RotatedAt) > Grace:
			reused = true
			return s.EndReused(ctx, tx, id)
		case v.Generation > generation+1: // its successor is used: it is dead, and the one who asks may be late and not a thief
			return sqldb.ErrNotFound
		}
		return nil
	})
	if err == nil && reused {
		return Session{}, ErrReused
	}
	return v, err
}
