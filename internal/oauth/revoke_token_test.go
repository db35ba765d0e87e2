package oauth

import (
	"errors"
	"testing"
	"time"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

// TestARevokedTokenStaysRevoked for as long as a clock that is behind would take it: the memory of it must not end at exp, beyond which
// a token is good for the leeway.
func TestARevokedTokenStaysRevoked(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		now := testNow
		h := handlersOn(t, db, onePassword, func() time.Time { return now })
		sign := func() string {
			token, err := h.Signer.Sign(Grant{Subject: userID, ClientID: FirstParty})
			if err != nil {
				t.Fatal(err)
			}
			return token
		}
		revoked, other := sign(), sign()
		if _, err := h.RevokeToken(t.Context(), api.RevokeTokenRequestObject{Body: &api.RevocationRequest{Token: revoked}}); err != nil {
			t.Fatal(err)
		}
		for _, age := range []time.Duration{time.Second, Lifetime - time.Second, Lifetime, Lifetime + time.Second, MaxAge - time.Second} {
			now = testNow.Add(age)
			if err := h.Sessions.Refresh(t.Context(), now.Add(-time.Minute)); err != nil {
				t.Fatal(err)
			}
			if _, err := h.Verifier.Verify(t.Context(), auth.BearerToken{Secret: auth.Secret(other)}); err != nil {
				t.Errorf("%s after it was signed, a token is refused: %v", age, err)
			}
			if _, err := h.Verifier.Verify(t.Context(), auth.BearerToken{Secret: auth.Secret(revoked)}); !errors.Is(err, auth.ErrInvalidCredential) {
				t.Errorf("%s after it was signed, the revoked token is good: %v", age, err)
			}
		}
		rows := func() (n int) {
			if err := db.Reader().QueryRowContext(t.Context(), `SELECT count(*) FROM revoked_tokens`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := rows(); n != 1 {
			t.Errorf("%d rows", n)
		}
		now = testNow.Add(MaxAge + time.Second)
		if _, err := h.RevokeToken(t.Context(), api.RevokeTokenRequestObject{Body: &api.RevocationRequest{Token: sign()}}); err != nil {
			t.Fatal(err)
		}
		if n := rows(); n != 1 {
			t.Errorf("%d rows after the first token has expired", n)
		}
	})
}
