package oauth

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
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

// people are the users of a test.
type people func(context.Context, auth.Basic) (*auth.Principal, error)

func (f people) AuthenticateOn(ctx context.Context, b auth.Basic, _ auth.Secret) (*auth.Principal, error) {
	return f(ctx, b)
}

func (f people) NewDevice(string) (auth.Secret, time.Duration, error) {
	return "dv_test", time.Hour, nil
}

// Principal is asked about those who have logged in before.
func (f people) Username(_ context.Context, id string) (string, error) { return "ann", nil }

func (f people) Principal(_ context.Context, id string) (*auth.Principal, error) {
	if id != userID {
		return nil, auth.ErrInvalidCredential
	}
	return &auth.Principal{Subject: userID, Scopes: userScopes}, nil
}

// userID is the account of dev, who holds every declared scope but admin, and a scope that the document no longer declares.
const userID = "01935840-1c2b-4d3e-9f40-5a6b7c8d9e0f"

// userMade is when addUser says that an account was made.
var userMade = time.UnixMicro(0)

var userScopes = auth.NewScopes("items:read", "items:write", "users:read", "retired:scope")

func onePassword(_ context.Context, b auth.Basic) (*auth.Principal, error) {
	if b.Username != "dev" || b.Password.Reveal() != "correct horse" {
		return nil, fmt.Errorf("look up: %w", auth.ErrInvalidCredential)
	}
	return &auth.Principal{Subject: userID, Scopes: userScopes, IssuedAt: userMade}, nil
}

func testHandlers(t *testing.T, users people) *Handlers {
	t.Helper()
	return handlersOn(t, sqldbtest.Open(t), users, func() time.Time { return testNow })
}

// handlersOn are the handlers of one process on a database.
func handlersOn(t *testing.T, db *sqldb.DB, users people, now func() time.Time) *Handlers {
	t.Helper()
	addUser(t, db, userID)
	exceptions := new(auth.Exceptions)
	declared := auth.NewScopes("items:read", "items:write", "users:read", "admin")
	verifier, err := NewVerifier(VerifierConfig{Keys: testKeys(t), Issuer: testIssuer, Audience: testAudience, Exceptions: exceptions, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return &Handlers{
		DB:             db,
		Users:          users,
		Clients:        &Clients{DB: db, Declared: declared, Now: now, Random: rand.Reader},
		Sessions:       &session.Store{DB: db, Exceptions: exceptions, AccessTokenLifetime: MaxAge, Now: now, Random: rand.Reader},
		Signer:         testSigner(t, now, exceptions, rand.Reader),
		Verifier:       verifier,
		Keys:           testKeys(t),
		RefreshKey:     [32]byte{1},
		LoginKey:       [32]byte{2},
		PasswordGrant:  true,
		DeclaredScopes: declared,
		Log:            slog.New(slog.DiscardHandler),
	}
}

func addUser(t *testing.T, db *sqldb.DB, id string) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `
			INSERT INTO users (id, username, password_hash, roles, development, created_at, updated_at)
			VALUES ($1, $1, '', '', FALSE, 0, 0) ON CONFLICT DO NOTHING`, id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// form returns a good request, changed.
func form(changes ...func(*api.TokenRequest)) api.CreateTokenRequestObject {
	name, password := "dev", "correct horse"
	body := api.TokenRequest{GrantType: api.TokenRequestGrantTypePassword, Username: &name, Password: &password}
	for _, change := range changes {
		change(&body)
	}
	return api.CreateTokenRequestObject{Body: &body}
}

func withScope(scope string) func(*api.TokenRequest) {
	return func(r *api.TokenRequest) { r.Scope = &scope }
}

func withClient(id string) func(*api.TokenRequest) {
	return func(r *api.TokenRequest) { r.ClientId = &id }
}

func withSecret(secret string) func(*api.TokenRequest) {
	return func(r *api.TokenRequest) { r.ClientSecret = &secret }
}

func withUser(name, password string) func(*api.TokenRequest) {
	return func(r *api.TokenRequest) { r.Username, r.Password = &name, &password }
}

func TestTheTokenEndpointGrants(t *testing.T) {
	for _, row := range []struct {
		name    string
		request api.CreateTokenRequestObject
		scope   string
	}{
		{"all scopes of the user where none is requested", form(), "items:read items:write users:read"},
		{"the first-party client by its name", form(withClient("first-party")), "items:read items:write users:read"},
		{"one requested scope", form(withScope("items:read")), "items:read"},
		{"a requested scope twice, once", form(withScope("items:read items:read")), "items:read"},
		{"what the user holds of what is requested", form(withScope("admin items:write")), "items:write"},
	} {
		t.Run(row.name, func(t *testing.T) {
			response, err := testHandlers(t, onePassword).CreateToken(context.Background(), row.request)
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			if err := response.VisitCreateTokenResponse(w); err != nil {
				t.Fatal(err)
			}
			if w.Code != 200 {
				t.Errorf("status %d", w.Code)
			}
			for name, want := range map[string]string{"Cache-Control": "no-store", "Pragma": "no-cache", "Content-Type": "application/json", "Deprecation": "@1735689600"} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s %q, want %q", name, got, want)
				}
			}
			var body map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
				t.Fatal(err)
			}
			token, _ := body["access_token"].(string)
			refresh, _ := body["refresh_token"].(string)
			want := map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 600.0, "scope": row.scope, "refresh_token": refresh}
			if diff := cmp.Diff(want, body); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			v, _, _ := testVerifier(t)
			p, err := verify(v, token)
			if err != nil {
				t.Fatal(err)
			}
			if p.Subject != userID || p.SessionID == "" || p.TokenID == "" || p.ClientID != "first-party" || strings.Join(p.Scopes, " ") != row.scope {
				t.Errorf("the token says %+v", p)
			}
		})
	}
}

func TestTheTokenEndpointGrantsNoScopeToWhoHoldsNone(t *testing.T) {
	h := testHandlers(t, func(context.Context, auth.Basic) (*auth.Principal, error) {
		return &auth.Principal{Subject: userID, IssuedAt: userMade}, nil
	})
	response, err := h.CreateToken(context.Background(), form())
	if err != nil {
		t.Fatal(err)
	}
	body := response.(api.CreateToken200JSONResponse).Body
	v, _, _ := testVerifier(t)
	p, err := verify(v, body.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	if body.Scope != "" || len(p.Scopes) != 0 {
		t.Errorf("scope %q, principal %+v", body.Scope, p)
	}
}

func TestTheTokenEndpointRefuses(t *testing.T) {
	const wrongPassword = "the username or the password is wrong"
	for _, row := range []struct {
		name    string
		request api.CreateTokenRequestObject
		kind    problem.Kind
		status  int
		code    string
		detail  string
		hashed  bool
	}{
		{"a wrong password", form(withUser("dev", "hunter2")), InvalidGrant, 400, "invalid_grant", wrongPassword, true},
		{"an unknown user, with the same words", form(withUser("nobody", "correct horse")), InvalidGrant, 400, "invalid_grant", wrongPassword, true},
		{"an unknown client", form(withClient("spa-7")), InvalidClient, 401, "invalid_client", "", false},
		{"the first-party client in capitals", form(withClient("FIRST-PARTY")), InvalidClient, 401, "invalid_client", "", false},
		{"a secret without a client", form(withSecret("hunter2")), InvalidClient, 401, "invalid_client", "", false},
		{"a secret of the first-party client", form(withClient("first-party"), withSecret("hunter2")), InvalidClient, 401, "invalid_client", "", false},
		{"an empty secret", form(withSecret("")), InvalidClient, 401, "invalid_client", "", false},
		{"an unknown client before a wrong password", form(withClient("spa-7"), withUser("dev", "hunter2")), InvalidClient, 401, "invalid_client", "", false},
		{"an unknown scope", form(withScope("root")), InvalidScope, 400, "invalid_scope", "", false},
		{"an unknown scope beside a known one", form(withScope("items:read root")), InvalidScope, 400, "invalid_scope", "", false},
		{"a scope in another case", form(withScope("Items:read")), InvalidScope, 400, "invalid_scope", "", false},
		{"a scope of the user that is no longer declared", form(withScope("retired:scope")), InvalidScope, 400, "invalid_scope", "", false},
		{"an empty scope", form(withScope("")), InvalidScope, 400, "invalid_scope", "", false},
		{"only scopes that the user does not hold", form(withScope("admin")), InvalidScope, 400, "invalid_scope", "", true},
		{"a wrong password with scopes that the user does not hold", form(withUser("dev", "hunter2"), withScope("admin")), InvalidGrant, 400, "invalid_grant", wrongPassword, true},
		{"a grant that the built-in client may not use", form(func(r *api.TokenRequest) { r.GrantType = "client_credentials" }), UnauthorizedClient, 400, "unauthorized_client", "", false},
		{"no form", api.CreateTokenRequestObject{}, InvalidRequest, 400, "invalid_request", "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			hashed := false
			h := testHandlers(t, func(ctx context.Context, b auth.Basic) (*auth.Principal, error) {
				hashed = true
				return onePassword(ctx, b)
			})
			response, err := h.CreateToken(context.Background(), row.request)
			if response != nil {
				t.Errorf("response %+v", response)
			}
			var p *problem.Error
			if !errors.As(err, &p) {
				t.Fatalf("error %v is no problem", err)
			}
			if p.Kind != row.kind || p.Kind.Status != row.status || p.Kind.OAuthError != row.code {
				t.Errorf("kind %+v, want %d %s", p.Kind, row.status, row.code)
			}
			if row.detail != "" && p.Detail != row.detail {
				t.Errorf("detail %q, want %q", p.Detail, row.detail)
			}
			checkDescription(t, p.Detail, row.request.Body)
			if hashed != row.hashed {
				t.Errorf("the password was checked: %t, want %t", hashed, row.hashed)
			}
		})
	}
}

// checkDescription holds the detail to the characters of error_description (RFC 6749 §5.2), none of them submitted.
func checkDescription(t *testing.T, detail string, form *api.TokenRequest) {
	t.Helper()
	for _, c := range detail {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			t.Errorf("detail %q has %q", detail, c)
		}
	}
	if detail == "" {
		t.Error("no detail")
	}
	if form == nil {
		return
	}
	for _, submitted := range []*string{form.ClientId, form.ClientSecret, form.Scope, form.Username, form.Password, form.RefreshToken} {
		if submitted != nil && len(*submitted) > 3 && *submitted != FirstParty && strings.Contains(detail, *submitted) {
			t.Errorf("detail %q holds what was submitted", detail)
		}
	}
}

// TestALoginDoesNotOutliveAChange that comes between the password and the session: with sessions ended before this one begins,
// nothing else would end it.
func TestALoginDoesNotOutliveAChange(t *testing.T) {
	for name, change := range map[string]string{
		"another password or other roles": `UPDATE users SET not_before = 1`,
		"disabled":                        `UPDATE users SET disabled_at = 1`,
		"deleted":                         `UPDATE users SET deleted_at = 1`,
	} {
		t.Run(name, func(t *testing.T) {
			sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
				var h *Handlers
				h = handlersOn(t, db, func(ctx context.Context, b auth.Basic) (*auth.Principal, error) {
					p, err := onePassword(ctx, b)
					return p, errors.Join(err, db.Write(ctx, func(tx *sql.Tx) error {
						if _, err := tx.ExecContext(ctx, change); err != nil {
							return err
						}
						return h.Sessions.EndAll(ctx, tx, userID, "")
					}))
				}, func() time.Time { return testNow })
				answer, err := h.CreateToken(t.Context(), form())
				if answer != nil || !problem.Unavailable.Is(err) || !errors.Is(err, session.ErrChanged) || problem.From(err).RetryAfter <= 0 {
					t.Errorf("got %v, %v", answer, err)
				}
				if list, err := h.Sessions.List(t.Context(), userID); err != nil || len(list) != 0 {
					t.Errorf("a session has begun: %v, %v", list, err)
				}
			})
		})
	}
}

func TestTheTokenEndpointCannotTell(t *testing.T) {
	limited := problem.QuotaExceeded.New("too many failed logins")
	limited.RetryAfter = 7 * time.Second
	busy := problem.Unavailable.New("too many logins at once")
	for _, row := range []struct {
		name  string
		err   error
		kind  problem.Kind
		same  *problem.Error
		retry time.Duration
	}{
		{"the store is down", errors.New("connection refused"), problem.Unavailable, nil, 5 * time.Second},
		{"the caller has gone", context.Canceled, problem.Unavailable, nil, 5 * time.Second},
		{"too many failed logins", limited, problem.QuotaExceeded, limited, 7 * time.Second},
		{"too many logins at once, wrapped", fmt.Errorf("hash: %w", busy), problem.Unavailable, busy, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := testHandlers(t, func(context.Context, auth.Basic) (*auth.Principal, error) { return nil, row.err })
			response, err := h.CreateToken(context.Background(), form())
			if response != nil {
				t.Errorf("response %+v", response)
			}
			var p *problem.Error
			if !errors.As(err, &p) {
				t.Fatalf("error %v is no problem", err)
			}
			if p.Kind != row.kind || p.RetryAfter != row.retry {
				t.Errorf("kind %+v, retry after %v, want %+v, %v", p.Kind, p.RetryAfter, row.kind, row.retry)
			}
			if row.same != nil && p != row.same {
				t.Error("the problem did not pass through")
			}
			if row.same == nil && (!errors.Is(err, row.err) || strings.Contains(p.Detail, row.err.Error())) {
				t.Errorf("error %v, detail %q: the cause is for the log only", err, p.Detail)
			}
		})
	}
}
