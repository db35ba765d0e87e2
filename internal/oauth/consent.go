package oauth

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb"
)

// consented reports whether the person need not be asked: of the service itself, or because of an earlier answer. An app on a machine
// may be another that takes its place, and is asked about each time (RFC 8252 §8.6).
func (h *Handlers) consented(ctx context.Context, a *authorization, login *login, scopes auth.Scopes) (bool, error) {
	if a.client.ID == FirstParty {
		return true, nil
	}
	if !a.assured() {
		return false, nil
	}
	allowed, err := allowedScopes(h.DB.Reader().QueryRowContext(ctx, consentQuery, login.UserID, a.client.ID))
	return allowed.Has(scopes...), err
}

const consentQuery = `SELECT scopes FROM consents WHERE user_id = $1 AND client_id = $2`

func allowedScopes(row *sql.Row) (auth.Scopes, error) {
	var text string
	err := sqldb.Error(row.Scan(&text))
	if errors.Is(err, sqldb.ErrNotFound) {
		return nil, nil
	}
	return auth.NewScopes(strings.Fields(text)...), err
}

// carried judges the request that a page carries.
func (h *Handlers) carried(ctx context.Context, text string) (*authorization, *problem.Error, error) {
	r, err := parseQuery(text)
	if err != nil {
		return nil, nil, err
	}
	return h.authorization(ctx, r)
}

// DecideConsent takes the form of the consent page.
func (h *Handlers) DecideConsent(ctx context.Context, request api.DecideConsentRequestObject) (api.DecideConsentResponseObject, error) {
	if request.Body == nil {
		return nil, InvalidRequest.New("the request has no form")
	}
	a, refused, err := h.carried(ctx, request.Body.Request)
	if err != nil {
		return nil, err
	}
	if refused != nil {
		return h.refuse(a, refused), nil
	}
	login, err := h.login(ctx, request.Params.LoginCookie)
	if err != nil {
		return nil, err
	}
	if login == nil { // it has expired while the page was open
		return redirect{location: authorizeAt(&a.AuthorizationRequest)}, nil
	}
	if request.Body.Decision == api.ConsentFormDecisionDeny {
		return h.refuse(a, AccessDenied.New("the person denied it")), nil
	}
	granted := a.scopes.Intersect(login.user.Scopes)
	if len(granted) == 0 {
		return h.refuse(a, InvalidScope.New("the user holds none of the requested scopes")), nil
	}
	if a.client.ID != FirstParty {
		if err := h.allow(ctx, login.UserID, a.client.ID, granted); err != nil {
			return nil, err
		}
	}
	return h.answer(ctx, a, login, granted)
}

// allow keeps what a user has allowed, beside what was allowed before.
func (h *Handlers) allow(ctx context.Context, userID, clientID string, granted auth.Scopes) error {
	return h.DB.Write(ctx, func(tx *sql.Tx) error {
		before, err := allowedScopes(tx.QueryRowContext(ctx, consentQuery, userID, clientID))
		if err != nil {
			return err
		}
		all := auth.NewScopes(append(before, granted...)...)
		_, err = tx.ExecContext(ctx, `
			INSERT INTO consents (user_id, client_id, scopes, granted_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (user_id, client_id) DO UPDATE SET scopes = excluded.scopes, granted_at = excluded.granted_at`,
			userID, clientID, strings.Join(all, " "), h.now().UnixMicro())
		return err
	})
}

func (h *Handlers) now() time.Time { return h.Sessions.Now().UTC().Truncate(time.Microsecond) }

// maxConsents bounds the list.
const maxConsents = 100

// ListConsents tells a user which applications may act for them.
func (h *Handlers) ListConsents(ctx context.Context, _ api.ListConsentsRequestObject) (api.ListConsentsResponseObject, error) {
	caller, err := user(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := h.DB.Reader().QueryContext(ctx, `
		SELECT client_id, name, consents.scopes, granted_at FROM consents JOIN clients ON clients.id = client_id
		WHERE user_id = $1 ORDER BY granted_at DESC, client_id LIMIT $2`, caller.Subject, maxConsents)
	if err != nil {
		return nil, sqldb.Error(err)
	}
	defer rows.Close()
	answer := api.ConsentList{Consents: []api.Consent{}}
	for rows.Next() {
		var c api.Consent
		var scopes string
		var granted int64
		if err := rows.Scan(&c.ClientId, &c.ClientName, &scopes, &granted); err != nil {
			return nil, sqldb.Error(err)
		}
		c.Scopes, c.GrantedAt = strings.Fields(scopes), time.UnixMicro(granted).UTC()
		answer.Consents = append(answer.Consents, c)
	}
	if err := rows.Err(); err != nil {
		return nil, sqldb.Error(err)
	}
	return api.ListConsents200JSONResponse(answer), nil
}

// WithdrawConsent takes back what a user has allowed: the client must ask again, and what it has ends.
func (h *Handlers) WithdrawConsent(ctx context.Context, request api.WithdrawConsentRequestObject) (api.WithdrawConsentResponseObject, error) {
	caller, err := user(ctx)
	if err != nil {
		return nil, err
	}
	id := request.ClientId.String()
	err = h.DB.Write(ctx, func(tx *sql.Tx) error {
		var found string
		err := tx.QueryRowContext(ctx, `DELETE FROM consents WHERE user_id = $1 AND client_id = $2 RETURNING client_id`, caller.Subject, id).Scan(&found)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM authorization_codes WHERE user_id = $1 AND client_id = $2 AND used_at IS NULL`, caller.Subject, id); err != nil {
			return err
		}
		return h.Sessions.EndOfClient(ctx, tx, caller.Subject, id)
	})
	if errors.Is(err, sqldb.ErrNotFound) {
		return nil, problem.NotFound.New("there is no such consent")
	}
	if err != nil {
		return nil, err
	}
	return api.WithdrawConsent204Response{}, nil
}

// RemoveAllOf removes what is kept of an account that is deleted, within that transaction.
func RemoveAllOf(ctx context.Context, tx *sql.Tx, userID string) error {
	for _, statement := range []string{`DELETE FROM consents WHERE user_id = $1`, `DELETE FROM authorization_codes WHERE user_id = $1`} {
		if _, err := tx.ExecContext(ctx, statement, userID); err != nil {
			return sqldb.Error(err)
		}
	}
	return nil
}
