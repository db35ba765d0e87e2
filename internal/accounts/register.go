package accounts

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb"
)

// Register takes an address and a password, and sends a mail to the address. To the caller it is the same whether the address has an
// account or not: one hash, one answer, and the rest is done afterwards (ASVS 5.0 6.3.8).
//
// The user name of whoever registers is the address. Were it a name of their choice, one that is taken would have to be refused, and the
// refusal would tell that somebody has it; a user name is half of what one logs in with. Administrators choose any name.
//
// Nobody can use the account before its address is proven: VerifyEmail.
func (s *Service) Register(ctx context.Context, email string, password auth.Secret, displayName string) error {
	if !s.config.Registration {
		return problem.OperationDenied.New("registration is switched off: ask an administrator for an account")
	}
	if err := s.sendsMail(); err != nil {
		return err
	}
	email = strings.ToLower(email)
	if err := s.checkPassword("/password", password, User{Username: email, Email: email}); err != nil {
		return err
	}
	if err := s.takeMail(ctx, email); err != nil {
		return err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	return s.later.do(func() { s.told("register", s.register(email, hash, displayName)) })
}

func (s *Service) sendsMail() error {
	if s.config.Mailer == nil {
		return problem.OperationDenied.New("this service sends no mail: ask an administrator")
	}
	return nil
}

// afterwards bounds what is done after an answer: no request ends it.
const afterwards = 15 * time.Second

// told logs what went wrong after the answer. The caller cannot be told any more.
func (s *Service) told(what string, err error) {
	if err != nil {
		s.config.Log.Error("an account mail was not made", "what", what, "error", err.Error())
	}
}

// register writes the account and sends the mail, or tells the address that it has one.
func (s *Service) register(email, hash, displayName string) error {
	ctx, cancel := context.WithTimeout(context.Background(), afterwards)
	defer cancel()
	token, err := s.newToken()
	if err != nil {
		return err
	}
	id, err := s.newID()
	if err != nil {
		return err
	}
	now := s.now()
	err = s.config.DB.Write(ctx, func(tx *sql.Tx) error {
		if err := removeUnproven(ctx, tx, now); err != nil {
			return err
		}
		// A registration that was not proven is replaced, password and all: whoever made it has had a mail, or has none of the address.
		var userID string
		err := tx.QueryRowContext(ctx, `
			INSERT INTO users (id, username, email, display_name, password_hash, roles, development, created_at, updated_at)
			VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $7)
			ON CONFLICT (username) DO UPDATE SET password_hash = excluded.password_hash, display_name = excluded.display_name, updated_at = excluded.updated_at
			WHERE users.email = excluded.email AND users.email_verified_at IS NULL AND users.disabled_at IS NULL
			RETURNING id`, id, email, optional(displayName), hash, registeredRole, false, now.UnixMicro()).Scan(&userID)
		if err != nil {
			return err
		}
		return putToken(ctx, tx, userID, verifyEmail, token, now)
	})
	if errors.Is(err, sqldb.ErrNotFound) || errors.Is(err, sqldb.ErrConflict) {
		return s.post(email, "account-exists", "")
	}
	if err != nil {
		return err
	}
	return s.post(email, "verify", token)
}

// registeredRole is the role of whoever registers.
const registeredRole = "member"

// unprovenFor is how long a registration waits for its proof. It owns nothing, since nobody could log in with it.
const unprovenFor = 2 * 24 * time.Hour

func removeUnproven(ctx context.Context, tx *sql.Tx, now time.Time) error {
	before := now.Add(-unprovenFor).UnixMicro()
	for _, statement := range []string{
		`DELETE FROM mail_tokens WHERE user_id IN (SELECT id FROM users WHERE email IS NOT NULL AND email_verified_at IS NULL AND updated_at < $1)`,
		`DELETE FROM users WHERE email IS NOT NULL AND email_verified_at IS NULL AND updated_at < $1`,
	} {
		if _, err := tx.ExecContext(ctx, statement, before); err != nil {
			return err
		}
	}
	return nil
}

// RequestVerification sends the mail of a registration again, with a new token, if the address has one that is not proven.
func (s *Service) RequestVerification(ctx context.Context, email string) error {
	return s.request(ctx, email, "verify", verifyEmail, `
		UPDATE users SET updated_at = $2 WHERE email = $1 AND email_verified_at IS NULL AND disabled_at IS NULL AND deleted_at IS NULL RETURNING id`)
}

// RequestPasswordReset sends a mail with a token that sets a new password, if the address has an account.
func (s *Service) RequestPasswordReset(ctx context.Context, email string) error {
	return s.request(ctx, email, "reset", resetPassword, `
		SELECT id FROM users WHERE email = $1 AND email_verified_at <= $2 AND disabled_at IS NULL AND deleted_at IS NULL`)
}

// request makes a token for the account that the query finds by address and time, and sends it. The caller hears nothing of it.
func (s *Service) request(ctx context.Context, email, text string, p purpose, query string) error {
	if err := s.sendsMail(); err != nil {
		return err
	}
	email = strings.ToLower(email)
	if err := s.takeMail(ctx, email); err != nil {
		return err
	}
	return s.later.do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), afterwards)
		defer cancel()
		token, err := s.newToken()
		if err != nil {
			s.told(text, err)
			return
		}
		now := s.now()
		err = s.config.DB.Write(ctx, func(tx *sql.Tx) error {
			var id string
			if err := tx.QueryRowContext(ctx, query, email, now.UnixMicro()).Scan(&id); err != nil {
				return err
			}
			return putToken(ctx, tx, id, p, token, now)
		})
		switch {
		case errors.Is(err, sqldb.ErrNotFound): // nobody has the address
		case err != nil:
			s.told(text, err)
		default:
			s.told(text, s.post(email, text, token))
		}
	})
}

// errOtherPassword is the cause where the token is good and the password beside it is not. A page tells, to whoever has the token.
var errOtherPassword = errors.New("the password is not the one of the registration")

// VerifyEmail proves the address of a registration, from when on the account can be used. It takes the password too: the mail alone
// would let somebody register the address of another with a password of their own, and wait for the owner to follow the link.
func (s *Service) VerifyEmail(ctx context.Context, token, password auth.Secret) error {
	u, stored, err := s.holder(ctx, verifyEmail, token)
	if err != nil && !InvalidToken.Is(err) {
		return err
	}
	ok, _, hashErr := s.hasher.verify(ctx, password, stored) // the same work for a token that is not good
	switch {
	case hashErr != nil:
		return hashErr
	case err != nil:
		return err
	case !ok:
		return InvalidToken.Wrap(errOtherPassword, notGood)
	}
	now := s.now()
	return invalidToken(s.update(ctx, func(ctx context.Context, tx *sql.Tx) error { return consume(ctx, tx, verifyEmail, token, now) }, `
		UPDATE users SET email_verified_at = $2, updated_at = $2
		WHERE id = $1 AND password_hash = $3 AND email_verified_at IS NULL AND disabled_at IS NULL AND deleted_at IS NULL RETURNING id`,
		u.ID, now.UnixMicro(), stored))
}

// ResetPassword sets a new password with the token of a mail. Every access token and every login ends.
func (s *Service) ResetPassword(ctx context.Context, token, password auth.Secret) error {
	u, _, err := s.holder(ctx, resetPassword, token)
	if err != nil {
		return err
	}
	if err := s.checkPassword("/new_password", password, u); err != nil {
		return err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	err = s.endTokens(ctx, u.ID, func(ctx context.Context, tx *sql.Tx) error {
		if err := consume(ctx, tx, resetPassword, token, s.now()); err != nil {
			return err
		}
		return s.endSessions(u.ID, "")(ctx, tx)
	}, `UPDATE users SET not_before = $2, updated_at = $2, password_hash = $3 WHERE id = $1 AND disabled_at IS NULL AND deleted_at IS NULL RETURNING id`, hash)
	if err == nil {
		s.tell(u, "password-changed")
	}
	return invalidToken(err)
}

// tell sends a notice to the account's address, if it has one that is proven (ASVS 5.0 6.3.7). What it is about has happened,
// whether it arrives or not.
func (s *Service) tell(u User, text string) {
	if u.Verified && s.config.Mailer != nil {
		s.told(text, s.post(u.Email, text, ""))
	}
}
