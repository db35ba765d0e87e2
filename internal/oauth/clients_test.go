package oauth

import (
	"database/sql"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/session"
	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

func startSession(t *testing.T, h *Handlers, clientID string) session.Session {
	t.Helper()
	var s session.Session
	err := h.DB.Write(t.Context(), func(tx *sql.Tx) (err error) {
		s, err = h.Sessions.Start(t.Context(), tx, session.New{UserID: userID, ClientID: clientID, Scopes: auth.NewScopes("items:read"), IssuedAt: userMade})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// service makes a confidential client.
func service(t *testing.T, h *Handlers) (Client, string) {
	t.Helper()
	c, secret, err := h.Clients.Create(t.Context(), NewClient{Name: "reports", Method: MethodSecret, GrantTypes: []string{GrantClientCredentials, GrantRefreshToken}, Scopes: auth.NewScopes("items:read")})
	if err != nil {
		t.Fatal(err)
	}
	return c, secret.Reveal()
}

func TestAClientIsMadeOrRefused(t *testing.T) {
	secret := NewClient{Name: "reports", Method: MethodSecret, GrantTypes: []string{GrantClientCredentials}, Scopes: auth.NewScopes("items:read")}
	change := func(f func(*NewClient)) NewClient { n := secret; f(&n); return n }
	for _, row := range []struct {
		name  string
		n     NewClient
		wrong string
	}{
		{"a confidential client", secret, ""},
		{"a public client", change(func(n *NewClient) { n.Method, n.GrantTypes = MethodNone, []string{GrantRefreshToken} }), ""},
		{"one without scopes", change(func(n *NewClient) { n.Scopes = auth.Scopes{} }), ""},
		{"one with public keys", change(func(n *NewClient) { n.Method, n.PublicKeys = MethodPrivateKeyJWT, keySetOf(t, testKey("a")) }), ""},
		{"one that needs public keys and has none", change(func(n *NewClient) { n.Method = MethodPrivateKeyJWT }), "public keys are for a client that proves itself by private_key_jwt, and it needs them"},
		{"one with a secret and public keys", change(func(n *NewClient) { n.PublicKeys = keySetOf(t, testKey("a")) }), "public keys are for a client that proves itself by private_key_jwt, and it needs them"},
		{"one without a name", change(func(n *NewClient) { n.Name = "" }), "the name of a client has 1 to 100 bytes"},
		{"one with a long name", change(func(n *NewClient) { n.Name = strings.Repeat("a", 101) }), "the name of a client has 1 to 100 bytes"},
		{"one that proves itself in an unknown way", change(func(n *NewClient) { n.Method = "telepathy" }), `the client proves itself by "telepathy": give none, client_secret or private_key_jwt`},
		{"one without a grant", change(func(n *NewClient) { n.GrantTypes = nil }), "the client has no grant: give at least one"},
		{"one with an unknown grant", change(func(n *NewClient) { n.GrantTypes = []string{"implicit"} }), `the grant "implicit" is unknown: give some of authorization_code, refresh_token, client_credentials`},
		{"a public one that acts for itself", change(func(n *NewClient) { n.Method = MethodNone }), "a public client cannot act for itself: give it a secret or public keys, or leave out client_credentials (RFC 6749 §4.4)"},
		{"one that takes passwords", change(func(n *NewClient) { n.GrantTypes = []string{GrantPassword} }), "only the built-in client may take passwords: a client of somebody else must never see one"},
		{"one with an undeclared scope", change(func(n *NewClient) { n.Scopes = auth.NewScopes("root") }), "a scope is unknown: the document lists all of them"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := testHandlers(t, onePassword).Clients
			c, secret, err := s.Create(t.Context(), row.n)
			if row.wrong != "" {
				if err == nil || err.Error() != row.wrong {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if (secret != "") != (c.Method == MethodSecret) {
				t.Errorf("a secret of %d bytes", len(secret))
			}
			list, err := s.List(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]Client{c}, list); diff != "" {
				t.Errorf("-made +listed:\n%s", diff)
			}
		})
	}
}

func TestAClientProvesItselfByItsSecret(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		now := testNow
		h := handlersOn(t, db, onePassword, func() time.Time { return now })
		c, secret := service(t, h)
		_, foreign := service(t, h)
		for _, row := range []struct {
			name, id, secret string
			good             bool
		}{
			{"its own", c.ID, secret, true},
			{"encoded as in a form", "%" + "30" + c.ID[1:], url.QueryEscape(secret), c.ID[0] == '0'},
			{"that of another", c.ID, foreign, false},
			{"none", c.ID, "", false},
			{"one byte less", c.ID, secret[:len(secret)-1], false},
			{"in capitals", c.ID, strings.ToUpper(secret), false},
			{"an encoding that is none", c.ID, "%zz", false},
			{"of a client that is not there", userID, secret, false},
			{"of the built-in client", FirstParty, secret, false},
		} {
			t.Run(row.name, func(t *testing.T) {
				p, err := h.Clients.Authenticate(t.Context(), auth.Basic{Username: row.id, Password: auth.Secret(row.secret)})
				if row.good {
					if err != nil || p.ClientID != c.ID || p.Subject != c.ID || len(p.Scopes) > 0 {
						t.Errorf("got %+v, %v", p, err)
					}
				} else if !errors.Is(err, auth.ErrInvalidCredential) {
					t.Errorf("got %+v, %v", p, err)
				}
			})
		}
		good := func(secret string) bool {
			_, err := h.Clients.prove(t.Context(), c.ID, auth.Secret(secret))
			return err == nil
		}
		t.Run("both secrets are good while it changes, then the new one", func(t *testing.T) {
			next, err := h.Clients.Rotate(t.Context(), c.ID, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			if !good(secret) || !good(next.Reveal()) {
				t.Error("one of them is refused during the overlap")
			}
			now = now.Add(time.Hour)
			if good(secret) || !good(next.Reveal()) {
				t.Error("after the overlap the new one alone is good")
			}
			if err := h.Clients.SetDisabled(t.Context(), c.ID, true); err != nil || good(next.Reveal()) {
				t.Errorf("a disabled client: %v", err)
			}
			if err := h.Clients.SetDisabled(t.Context(), c.ID, false); err != nil || !good(next.Reveal()) {
				t.Errorf("an enabled client: %v", err)
			}
		})
		t.Run("no secret is in the database", func(t *testing.T) {
			var n int
			if err := db.Reader().QueryRowContext(t.Context(), `SELECT count(*) FROM client_secrets WHERE secret_sha256 LIKE 'cs_%' OR secret_sha256 = $1`, secret).Scan(&n); err != nil || n != 0 {
				t.Errorf("%d, %v", n, err)
			}
		})
	})
}

func withGrant(grant api.TokenRequestGrantType) func(*api.TokenRequest) {
	return func(r *api.TokenRequest) { r.GrantType, r.Username, r.Password = grant, nil, nil }
}

func TestAClientActsForItself(t *testing.T) {
	h := testHandlers(t, onePassword)
	c, secret := service(t, h)
	credentials := withGrant(api.TokenRequestGrantTypeClientCredentials)
	answer, p := ask(t, h, form(credentials, withClient(c.ID), withSecret(secret)))
	if p != nil {
		t.Fatal(p)
	}
	who, err := verify(h.Verifier, answer.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	if answer.RefreshToken != nil || answer.Scope != "items:read" || who.Subject != c.ID || who.ClientID != c.ID || who.SessionID != "" {
		t.Errorf("%+v says %+v", answer, who)
	}
	public, _, err := h.Clients.Create(t.Context(), NewClient{Name: "app", Method: MethodNone, GrantTypes: []string{GrantRefreshToken}})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name    string
		request api.CreateTokenRequestObject
		kind    problem.Kind
	}{
		{"a wrong secret", form(credentials, withClient(c.ID), withSecret(secret+"x")), InvalidClient},
		{"no secret", form(credentials, withClient(c.ID)), InvalidClient},
		{"a secret without a client", form(credentials, withSecret(secret)), InvalidClient},
		{"a public client", form(credentials, withClient(public.ID)), UnauthorizedClient},
		{"a scope that the client does not hold", form(credentials, withClient(c.ID), withSecret(secret), withScope("items:write")), InvalidScope},
		{"a password for another client", form(withClient(public.ID)), UnauthorizedClient},
		{"a password for a confidential client", form(withClient(c.ID), withSecret(secret)), UnauthorizedClient},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, p := ask(t, h, row.request); p == nil || p.Kind != row.kind {
				t.Errorf("got %v, want %s", p, row.kind.OAuthError)
			}
		})
	}
	t.Run("the password grant where it is switched off", func(t *testing.T) {
		h.PasswordGrant = false
		if _, p := ask(t, h, form()); p == nil || p.Kind != UnsupportedGrantType {
			t.Errorf("got %v", p)
		}
	})
}
