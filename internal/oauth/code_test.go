package oauth

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/session"
	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

const redirectURI = "https://app.example.com/callback"

var verifier = strings.Repeat("v", 43)

// asked is the request of a new public client, with the login of the user that it is made for.
func asked(t *testing.T, h *Handlers) (*authorization, *login) {
	t.Helper()
	client, _, err := h.Clients.Create(t.Context(), NewClient{
		Name: "app", Method: MethodNone, GrantTypes: []string{GrantAuthorizationCode, GrantRefreshToken}, Scopes: auth.NewScopes("items:read"), RedirectURIs: []string{redirectURI},
	})
	if err != nil {
		t.Fatal(err)
	}
	begun, err := h.begin(t.Context(), session.New{UserID: userID, ClientID: Browser, IssuedAt: userMade}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := challenge(verifier)
	a := &authorization{AuthorizationRequest: api.AuthorizationRequest{CodeChallenge: &c}, client: client, redirectURI: redirectURI}
	return a, &login{begun, &auth.Principal{Subject: userID, Scopes: userScopes}}
}

func issued(t *testing.T, h *Handlers, a *authorization, l *login) string {
	t.Helper()
	code, err := h.issueCode(t.Context(), a, l, auth.NewScopes("items:read"))
	if err != nil {
		t.Fatal(err)
	}
	return code.Reveal()
}

func exchange(ctx context.Context, h *Handlers, a *authorization, code string) (api.CreateToken200JSONResponse, error) {
	uri := redirectURI
	answer, err := h.CreateToken(ctx, api.CreateTokenRequestObject{Body: &api.TokenRequest{
		GrantType: api.TokenRequestGrantTypeAuthorizationCode, ClientId: &a.client.ID, Code: &code, RedirectUri: &uri, CodeVerifier: &verifier,
	}})
	if err != nil {
		return api.CreateToken200JSONResponse{}, err
	}
	return answer.(api.CreateToken200JSONResponse), nil
}

// TestTheVectorOfRFC7636 is that of its appendix B.
func TestTheVectorOfRFC7636(t *testing.T) {
	if got := challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"); got != "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" {
		t.Errorf("the challenge is %s", got)
	}
}

// TestFiftyProcessesRedeemOneCode, two in fact, on one database: one of fifty gets tokens, and they end with the second use.
func TestFiftyProcessesRedeemOneCode(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		now := func() time.Time { return testNow }
		one := handlersOn(t, db, onePassword, now)
		two := *one
		a, l := asked(t, one)
		code := issued(t, one, a, l)
		errs := make([]error, 50)
		var all sync.WaitGroup
		for i := range errs {
			h := []*Handlers{one, &two}[i%2]
			all.Go(func() { _, errs[i] = exchange(context.Background(), h, a, code) })
		}
		all.Wait()
		good := 0
		for _, err := range errs {
			switch {
			case err == nil:
				good++
			case !InvalidGrant.Is(err):
				t.Errorf("got %v", err)
			}
		}
		list, err := one.Sessions.List(t.Context(), userID)
		if err != nil {
			t.Fatal(err)
		}
		if good != 1 || len(list) != 1 || list[0].ClientID != Browser {
			t.Errorf("%d redemptions were good, and %d sessions go on", good, len(list))
		}
	})
}

// TestACodeEndsWithItsLogin: what ends the login between the code and its exchange ends the code, however close they are.
func TestACodeEndsWithItsLogin(t *testing.T) {
	for _, row := range []struct {
		name string
		end  func(t *testing.T, h *Handlers, l *login)
	}{
		{"a logout", func(t *testing.T, h *Handlers, l *login) {
			if err := h.Sessions.End(t.Context(), l.ID, userID); err != nil {
				t.Fatal(err)
			}
		}},
		{"a new password", func(t *testing.T, h *Handlers, _ *login) {
			err := h.DB.Write(t.Context(), func(tx *sql.Tx) error { return h.Sessions.EndAll(t.Context(), tx, userID, "") })
			if err != nil {
				t.Fatal(err)
			}
		}},
		{"a disabled account", func(t *testing.T, h *Handlers, _ *login) {
			err := h.DB.Write(t.Context(), func(tx *sql.Tx) error {
				_, err := tx.ExecContext(t.Context(), `UPDATE users SET disabled_at = 1 WHERE id = $1`, userID)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}},
		{"a deleted account", func(t *testing.T, h *Handlers, l *login) {
			err := h.DB.Write(t.Context(), func(tx *sql.Tx) error { return RemoveAllOf(t.Context(), tx, l.UserID) })
			if err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
				h := handlersOn(t, db, onePassword, func() time.Time { return testNow })
				a, l := asked(t, h)
				code := issued(t, h, a, l)
				row.end(t, h, l)
				if _, err := exchange(t.Context(), h, a, code); !InvalidGrant.Is(err) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// TestACodeWaitsForADatabaseThatFails: a failure is no verdict, and uses nothing up.
func TestACodeWaitsForADatabaseThatFails(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := handlersOn(t, db, onePassword, func() time.Time { return testNow })
		a, l := asked(t, h)
		code := issued(t, h, a, l)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := exchange(gone, h, a, code); err == nil || InvalidGrant.Is(err) || InvalidClient.Is(err) {
			t.Errorf("got %v", err)
		}
		if _, err := exchange(t.Context(), h, a, code); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

func TestNothingOfACodeIsKept(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		now := testNow
		h := handlersOn(t, db, onePassword, func() time.Time { return now })
		a, l := asked(t, h)
		code := issued(t, h, a, l)
		rows := func() (n int) {
			var kept string
			if err := db.Reader().QueryRowContext(t.Context(), `SELECT count(*), COALESCE(min(code_sha256), '') FROM authorization_codes`).Scan(&n, &kept); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(kept, code) || strings.Contains(code, kept) {
				t.Error("the code stands in its row")
			}
			return n
		}
		if n := rows(); n != 1 {
			t.Errorf("%d codes", n)
		}
		now = now.Add(codeLifetime + codeKept + time.Second)
		issued(t, h, a, l)
		if n := rows(); n != 1 {
			t.Errorf("%d codes after the time for which they are kept", n)
		}
	})
}

// TestConsentsAddUp: what is allowed is kept beside what was.
func TestConsentsAddUp(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := handlersOn(t, db, onePassword, func() time.Time { return testNow })
		a, l := asked(t, h)
		for _, scope := range []string{"items:read", "users:read", "items:read"} {
			if err := h.allow(t.Context(), userID, a.client.ID, auth.NewScopes(scope)); err != nil {
				t.Fatal(err)
			}
		}
		for _, row := range []struct {
			scopes  auth.Scopes
			allowed bool
		}{{auth.NewScopes("items:read", "users:read"), true}, {auth.NewScopes("items:read", "items:write"), false}} {
			if got, err := h.consented(t.Context(), a, l, row.scopes); err != nil || got != row.allowed {
				t.Errorf("%v: %t, %v", row.scopes, got, err)
			}
		}
		failing, cancel := context.WithCancel(t.Context())
		cancel()
		if got, err := h.consented(failing, a, l, auth.NewScopes("items:read")); err == nil || got {
			t.Error("a database that fails allows")
		}
	})
}
