package accounts

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/ratelimit"
	"example.com/gatehouse/internal/sqldb"
)

// Patch is what an administrator changes of an account. A nil field stays.
type Patch struct {
	Roles    *[]string
	Disabled *bool
}

// SetDisabled disables or enables an account.
func (s *Service) SetDisabled(ctx context.Context, id string, disabled bool) error {
	return s.Patch(ctx, id, Patch{Disabled: &disabled})
}

// Patch changes an account, all of it or nothing. A disabled one has no good credential, from the next request on, and its logins
// end. Other roles end access tokens and remembered logins, since those hold the scopes of the old ones (ASVS 5.0 8.3.2); logins go
// on with the new scopes. That an account is disabled is mirrored before the row changes, and taken back where the row does not.
func (s *Service) Patch(ctx context.Context, id string, p Patch) error {
	if p.Roles != nil {
		if err := s.checkRoles(*p.Roles); err != nil {
			return err
		}
	}
	s.mirror.RLock()
	defer s.mirror.RUnlock()
	now := s.now()
	disable := p.Disabled != nil && *p.Disabled
	ended := disable && !s.config.Exceptions.EndSubject(id)
	err := s.config.DB.Write(ctx, func(tx *sql.Tx) error { return s.patch(ctx, tx, id, p, now) })
	if err != nil {
		if ended {
			s.config.Exceptions.ResumeSubject(id)
		}
		return err
	}
	if p.Roles != nil {
		s.config.Exceptions.SetNotBefore(id, now)
	}
	if p.Disabled != nil && !disable {
		s.config.Exceptions.ResumeSubject(id)
	}
	return nil
}

func (s *Service) patch(ctx context.Context, tx *sql.Tx, id string, p Patch, now time.Time) error {
	var found string
	if p.Roles != nil {
		if err := tx.QueryRowContext(ctx, `
			UPDATE users SET roles = $3, not_before = $2, updated_at = $2 WHERE id = $1 AND deleted_at IS NULL RETURNING id`,
			id, now.UnixMicro(), strings.Join(*p.Roles, " ")).Scan(&found); err != nil {
			return err
		}
	}
	if p.Disabled == nil {
		return nil
	}
	if !*p.Disabled {
		return tx.QueryRowContext(ctx, `
			UPDATE users SET disabled_at = NULL, updated_at = $2 WHERE id = $1 AND deleted_at IS NULL RETURNING id`, id, now.UnixMicro()).Scan(&found)
	}
	if err := tx.QueryRowContext(ctx, `
		UPDATE users SET disabled_at = COALESCE(disabled_at, $2), updated_at = $2 WHERE id = $1 AND deleted_at IS NULL RETURNING id`,
		id, now.UnixMicro()).Scan(&found); err != nil {
		return err
	}
	return s.endSessions(id, "")(ctx, tx)
}

// Delete deletes an account with all that belongs to it. The row stays, so that its id is never given again; everything personal in it
// goes, and the name and the address are free.
func (s *Service) Delete(ctx context.Context, id string) error {
	s.mirror.RLock()
	defer s.mirror.RUnlock()
	was := s.config.Exceptions.EndSubject(id)
	err := s.update(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM mail_tokens WHERE user_id = $1`, id); err != nil {
			return err
		}
		for _, remove := range s.config.Owned {
			if err := remove(ctx, tx, id); err != nil {
				return err
			}
		}
		return s.endSessions(id, "")(ctx, tx)
	}, `
		UPDATE users SET deleted_at = $2, updated_at = $2, username = 'deleted:' || id, password_hash = '', roles = '',
			email = NULL, email_verified_at = NULL, display_name = NULL
		WHERE id = $1 AND deleted_at IS NULL RETURNING id`, id, s.now().UnixMicro())
	if err != nil && !was {
		s.config.Exceptions.ResumeSubject(id)
	}
	return err
}

// endSessions ends the logins of the user but for one, within a transaction.
func (s *Service) endSessions(id, exceptSession string) func(context.Context, *sql.Tx) error {
	return func(ctx context.Context, tx *sql.Tx) error {
		if s.config.Sessions == nil {
			return nil
		}
		return s.config.Sessions.EndAll(ctx, tx, id, exceptSession)
	}
}

// SetPassword changes the password and ends every credential that was made before, and every login.
func (s *Service) SetPassword(ctx context.Context, id string, password auth.Secret) error {
	u, err := s.Find(ctx, id)
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
	return s.replaceHash(ctx, id, hash, "", "")
}

// replaceHash puts a hash in the place of another: of any, where old is empty, else of that one alone, so that of two changes at once
// which both knew the old password one takes place. Every access token and remembered login ends; the session that is
// named goes on, and its next access token is good.
func (s *Service) replaceHash(ctx context.Context, id, hash, old, exceptSession string) error {
	return s.endTokens(ctx, id, func(ctx context.Context, tx *sql.Tx) error {
		// A link to reset the password was asked for because of the old one.
		if _, err := tx.ExecContext(ctx, `DELETE FROM mail_tokens WHERE user_id = $1 AND purpose = $2`, id, resetPassword.name); err != nil {
			return err
		}
		return s.endSessions(id, exceptSession)(ctx, tx)
	}, `
		UPDATE users SET not_before = $2, updated_at = $2, password_hash = $3
		WHERE id = $1 AND deleted_at IS NULL AND (password_hash = $4 OR CAST($4 AS TEXT) = '') RETURNING id`, hash, old)
}

// endTokens runs a change that sets not_before to $2, and mirrors the mark when the row has it: one that is mirrored before would have
// to be taken back where the change fails, and with it the mark of another change that was made meanwhile.
func (s *Service) endTokens(ctx context.Context, id string, also func(context.Context, *sql.Tx) error, query string, more ...any) error {
	s.mirror.RLock()
	defer s.mirror.RUnlock()
	mark := s.now()
	err := s.update(ctx, also, query, append([]any{id, mark.UnixMicro()}, more...)...)
	if err == nil {
		s.config.Exceptions.SetNotBefore(id, mark)
	}
	return err
}

// SetDisplayName changes the name that people see. An empty one removes it.
func (s *Service) SetDisplayName(ctx context.Context, id, name string) error {
	return s.update(ctx, nil, `UPDATE users SET display_name = $3, updated_at = $2 WHERE id = $1 AND deleted_at IS NULL RETURNING id`, id, s.now().UnixMicro(), optional(name))
}

// update changes one row, and does what goes with the change in the same transaction.
func (s *Service) update(ctx context.Context, also func(context.Context, *sql.Tx) error, query string, args ...any) error {
	return s.config.DB.Write(ctx, func(tx *sql.Tx) error {
		var id string
		if err := tx.QueryRowContext(ctx, query, args...).Scan(&id); err != nil || also == nil {
			return err
		}
		return also(ctx, tx)
	})
}

// ChangePassword changes the password of somebody who knows it. The session that is named goes on, all other logins end.
func (s *Service) ChangePassword(ctx context.Context, id string, current, next auth.Secret, session string) error {
	u, stored, err := s.confirm(ctx, id, current)
	if err != nil {
		return err
	}
	if err := s.checkPassword("/new_password", next, u); err != nil {
		return err
	}
	hash, err := s.hasher.hash(ctx, next)
	if err != nil {
		return err
	}
	err = s.replaceHash(ctx, id, hash, stored, session)
	if errors.Is(err, sqldb.ErrNotFound) {
		return WrongPassword.Wrap(err, "the current password has just been changed")
	}
	if err == nil {
		s.tell(u, "password-changed")
	}
	return err
}

// DeleteOwn deletes the account of somebody who knows its password.
func (s *Service) DeleteOwn(ctx context.Context, id string, current auth.Secret) error {
	if _, _, err := s.confirm(ctx, id, current); err != nil {
		return err
	}
	return s.Delete(ctx, id)
}

// confirm proves that the caller knows the password of the account, and returns the account with the hash of it. A stolen access
// token must not be a way to guess it: wrong ones count as failed logins do.
func (s *Service) confirm(ctx context.Context, id string, password auth.Secret) (User, string, error) {
	u, err := s.Find(ctx, id)
	if err != nil {
		return User{}, "", err
	}
	var stored string
	err = sqldb.Error(s.config.DB.Reader().QueryRowContext(ctx, `SELECT password_hash FROM users WHERE id = $1 AND deleted_at IS NULL`, id).Scan(&stored))
	if err != nil {
		return User{}, "", err
	}
	// Whoever is logged in is known: others who guess at the account do not keep them from changing its password.
	a, err := s.defence.enter(ctx, s.config.Now(), u.Username, ratelimit.AddressKey(auth.Address(ctx)), true)
	if err != nil {
		return User{}, "", err
	}
	ok, _, err := s.hasher.verify(ctx, password, stored)
	switch {
	case err != nil:
		a.undecided()
		return User{}, "", err
	case !ok:
		a.failed()
		return User{}, "", WrongPassword.New("the current password is another")
	}
	a.succeeded()
	return u, stored, nil
}
