package accounts

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"io"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/ratelimit"
	"example.com/gatehouse/internal/sqldb"
)

var (
	// InvalidToken is one answer for a token that is unknown, used, expired or replaced, and for a wrong password beside it.
	InvalidToken = problem.Kind{Type: "urn:gatehouse:problem:invalid-token", Status: 400, Title: "Invalid token"}
	// WrongPassword is a current password that is not. It is no 401: the credential of the request was good.
	WrongPassword = problem.Kind{Type: "urn:gatehouse:problem:wrong-password", Status: 403, Title: "Wrong password"}
)

// purpose is what a token is good for. A token of one is none of another.
type purpose struct {
	name     string
	lifetime time.Duration
}

var (
	// verifyEmail lasts for a day: ASVS 5.0 6.5.5 gives ten minutes to what logs somebody in, and this token does not, without the
	// password of the registration. Mail servers that do not know each other may take longer than ten minutes.
	verifyEmail = purpose{"verify", 24 * time.Hour}
	// resetPassword lasts for as long as ASVS 5.0 6.5.5 allows: whoever has it has the account.
	resetPassword = purpose{"reset", 10 * time.Minute}
)

// takeMail counts a mail, or returns problem.QuotaExceeded. What an address has used up takes nothing from the account's.
func (s *Service) takeMail(ctx context.Context, email string) error {
	limits, now, bucket := s.config.Limits, s.config.Now(), ratelimit.AddressKey(auth.Address(ctx))+"\x00"+email
	if d := s.config.Limiter.Take(now, limits.Mails, bucket, 1); !d.Allowed {
		return limits.Mails.Refusal(d, "too many mails to this address")
	}
	if d := s.config.Limiter.Take(now, limits.AccountMails, email, 1); !d.Allowed {
		s.config.Limiter.GiveBack(now, limits.Mails, bucket, 1)
		return limits.AccountMails.Refusal(d, "too many mails to this address")
	}
	return nil
}

// newToken returns 256 random bits.
func (s *Service) newToken() (auth.Secret, error) {
	raw := make([]byte, 32)
	_, err := io.ReadFull(s.config.Random, raw)
	return auth.Secret(base64.RawURLEncoding.EncodeToString(raw)), err
}

// hashToken is the form in which a token is kept. It has 256 bits, which nobody guesses: a fast hash is enough (ASVS 5.0 6.5.2).
func hashToken(token auth.Secret) string {
	sum := sha256.Sum256([]byte(token.Reveal()))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// putToken keeps a token in the place of the one before.
func putToken(ctx context.Context, tx *sql.Tx, userID string, p purpose, token auth.Secret, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO mail_tokens (user_id, purpose, token_hash, expires_at, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (user_id, purpose) DO UPDATE SET
			token_hash = excluded.token_hash, expires_at = excluded.expires_at, created_at = excluded.created_at, consumed_at = NULL`,
		userID, p.name, hashToken(token), now.Add(p.lifetime).UnixMicro(), now.UnixMicro())
	return err
}

// holder returns the account that a token is good for, with the hash of its password, or InvalidToken. The token stays good.
func (s *Service) holder(ctx context.Context, p purpose, token auth.Secret) (User, string, error) {
	var id, stored string
	err := sqldb.Error(s.config.DB.Reader().QueryRowContext(ctx, `
		SELECT u.id, u.password_hash FROM mail_tokens t JOIN users u ON u.id = t.user_id
		WHERE t.token_hash = $1 AND t.purpose = $2 AND t.consumed_at IS NULL AND t.expires_at > $3 AND u.disabled_at IS NULL AND u.deleted_at IS NULL`,
		hashToken(token), p.name, s.now().UnixMicro()).Scan(&id, &stored))
	if err != nil {
		return User{}, "", invalidToken(err)
	}
	u, err := s.Find(ctx, id)
	return u, stored, invalidToken(err)
}

// consume uses the token up, in one statement: of two requests with one token, one finds it.
func consume(ctx context.Context, tx *sql.Tx, p purpose, token auth.Secret, now time.Time) error {
	var id string
	return tx.QueryRowContext(ctx, `
		UPDATE mail_tokens SET consumed_at = $3 WHERE token_hash = $1 AND purpose = $2 AND consumed_at IS NULL AND expires_at > $3 RETURNING user_id`,
		hashToken(token), p.name, now.UnixMicro()).Scan(&id)
}

const notGood = "the token is not good, or no longer: ask for another mail"

// invalidToken is err, or InvalidToken where a row was not found.
func invalidToken(err error) error {
	if errors.Is(err, sqldb.ErrNotFound) {
		return InvalidToken.Wrap(err, notGood)
	}
	return err
}
