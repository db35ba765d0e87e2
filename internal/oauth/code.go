package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"time"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/session"
	"example.com/gatehouse/internal/sqldb"
)

const (
	// codePrefix says what kind of secret this is, to people and to scanners of leaked secrets.
	codePrefix = "ac_"
	// codeLifetime is how long a code may be on its way through the browser (security.md 49).
	codeLifetime = time.Minute
	// codeKept is how long a code is kept after that, so that its second use is known for what it is.
	codeKept = time.Hour
)

// isChallenge reports whether text is a SHA-256 in base64url (RFC 7636 §4.2).
func isChallenge(text string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(raw) == sha256.Size
}

// challenge is what a code challenge is made of a verifier (RFC 7636 §4.2, S256).
func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// issueCode makes an authorization code. What it is good for stands in its row, and it is kept as a digest.
func (h *Handlers) issueCode(ctx context.Context, a *authorization, login *login, granted auth.Scopes) (auth.Secret, error) {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(h.Sessions.Random, raw); err != nil {
		return "", err
	}
	code := auth.Secret(codePrefix + base64.RawURLEncoding.EncodeToString(raw))
	now := h.now()
	return code, h.DB.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM authorization_codes WHERE expires_at < $1`, now.Add(-codeKept).UnixMicro()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO authorization_codes (code_sha256, client_id, user_id, login_id, redirect_uri, code_challenge, scopes, nonce, logged_in_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			digest(code), a.client.ID, login.UserID, login.ID, a.redirectURI, *a.CodeChallenge, strings.Join(granted, " "), text(a.Nonce),
			login.CreatedAt.UnixMicro(), now.Add(codeLifetime).UnixMicro())
		return err
	})
}

// redeemed is what a code was good for.
type redeemed struct {
	session    session.Session
	nonce      string
	loggedInAt time.Time
}

const badCode = "the code is not good, or no longer: ask for another"

// code is the grant of RFC 6749 §4.1.3 with PKCE (RFC 7636).
func (h *Handlers) code(ctx context.Context, client Client, form *api.TokenRequest) (api.CreateTokenResponseObject, error) {
	used, err := h.redeem(ctx, client, auth.Secret(*form.Code), *form.RedirectUri, *form.CodeVerifier)
	if err != nil {
		return nil, h.refused(err, badCode)
	}
	user, err := h.Users.Principal(ctx, used.session.UserID)
	if err != nil {
		return nil, h.refused(err, badCode)
	}
	granted := used.session.Scopes.Intersect(client.Scopes).Intersect(user.Scopes)
	answer, err := h.issue(client, used.session, granted)
	if err != nil || !granted.Has(scopeOpenID) {
		return answer, err
	}
	token, err := h.Signer.SignID(Login{
		Subject: used.session.UserID, ClientID: client.ID, SessionID: used.session.ID, Nonce: used.nonce, LoggedInAt: used.loggedInAt, AccessToken: answer.Body.AccessToken,
	})
	answer.Body.IdToken = &token
	return answer, err
}

// redeem uses a code and begins the session that it stands for, in one transaction. Whoever comes second with the code ends
// that session: one of the two has stolen it (RFC 6749 §4.1.2, RFC 9700 §2.1.1). A code that comes with the wrong
// verifier or redirect URI is used up as well, for the same reason; one that comes from another client is not, which could not
// have got it from the browser by itself.
func (h *Handlers) redeem(ctx context.Context, client Client, code auth.Secret, redirectURI, verifier string) (redeemed, error) {
	now := h.now()
	var used redeemed
	refused := false
	err := h.DB.Write(ctx, func(tx *sql.Tx) error {
		used, refused = redeemed{}, false
		var user, scopes, boundURI, boundChallenge string
		var loggedIn, mark int64
		// The login must go on: whoever has changed the password or logged out meanwhile has ended it. The mark is of the same
		// moment: Start waits for a change that is being written, and refuses after it.
		err := sqldb.Error(tx.QueryRowContext(ctx, `
			UPDATE authorization_codes SET used_at = $3 WHERE code_sha256 = $1 AND client_id = $2 AND used_at IS NULL AND expires_at > $3
			AND EXISTS (SELECT 1 FROM sessions WHERE id = login_id AND ended_at IS NULL AND expires_at > $3)
			RETURNING user_id, redirect_uri, code_challenge, scopes, nonce, logged_in_at,
			(SELECT COALESCE(not_before, created_at) FROM users WHERE id = user_id)`, digest(code), client.ID, now.UnixMicro()).
			Scan(&user, &boundURI, &boundChallenge, &scopes, &used.nonce, &loggedIn, &mark))
		if errors.Is(err, sqldb.ErrNotFound) {
			refused = true
			return h.endReused(ctx, tx, client, code)
		}
		if err != nil {
			return err
		}
		matches := subtle.ConstantTimeCompare([]byte(boundChallenge), []byte(challenge(verifier))) == 1
		if refused = boundURI != redirectURI || !matches; refused {
			return nil
		}
		used.loggedInAt = time.UnixMicro(loggedIn).UTC()
		used.session, err = h.Sessions.Start(ctx, tx, session.New{UserID: user, ClientID: client.ID, Scopes: auth.NewScopes(strings.Fields(scopes)...), IssuedAt: time.UnixMicro(mark)})
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE authorization_codes SET session_id = $2 WHERE code_sha256 = $1`, digest(code), used.session.ID)
		return err
	})
	if err == nil && refused {
		err = sqldb.ErrNotFound
	}
	return used, err
}

// endReused ends the session that a code began which is used again.
func (h *Handlers) endReused(ctx context.Context, tx *sql.Tx, client Client, code auth.Secret) error {
	var id string
	err := sqldb.Error(tx.QueryRowContext(ctx, `
		SELECT session_id FROM authorization_codes WHERE code_sha256 = $1 AND client_id = $2 AND session_id IS NOT NULL`, digest(code), client.ID).Scan(&id))
	if errors.Is(err, sqldb.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	h.Log.Warn("an authorization code was used twice: its session has ended", "event", "authn_code_reuse", "session", id, "client", client.ID)
	return h.Sessions.EndReused(ctx, tx, id)
}
