package oauth

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
)

type passwordsFunc func(context.Context, auth.Basic) (*auth.Principal, error)

func (f passwordsFunc) Authenticate(ctx context.Context, b auth.Basic) (*auth.Principal, error) {
	return f(ctx, b)
}

// onePassword knows dev, who holds every declared scope but admin, and a scope that the document no longer declares.
func onePassword(_ context.Context, b auth.Basic) (*auth.Principal, error) {
	if b.Username != "dev" || b.Password.Reveal() != "correct horse" {
		return nil, fmt.Errorf("look up: %w", auth.ErrInvalidCredential)
	}
	return &auth.Principal{Subject: "user-1", Scopes: auth.NewScopes("items:read", "items:write", "users:read", "retired:scope")}, nil
}

func testHandlers(t *testing.T, passwords passwordsFunc) *TokenHandlers {
	t.Helper()
	return &TokenHandlers{
		Passwords:      passwords,
		Signer:         testSigner(t, func() time.Time { return testNow }, new(auth.Exceptions), rand.Reader),
		Keys:           testKeys(t),
		DeclaredScopes: auth.NewScopes("items:read", "items:write", "users:read", "admin"),
	}
}

// form returns a good request, changed.
func form(changes ...func(*api.TokenRequest)) api.CreateTokenRequestObject {
	body := api.TokenRequest{GrantType: api.TokenRequestGrantTypePassword, Username: "dev", Password: "correct horse"}
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
	return func(r *api.TokenRequest) { r.Username, r.Password = name, password }
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
			for name, want := range map[string]string{"Cache-Control": "no-store", "Pragma": "no-cache", "Content-Type": "application/json"} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s %q, want %q", name, got, want)
				}
			}
			var body map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
				t.Fatal(err)
			}
			token, _ := body["access_token"].(string)
			want := map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 600.0, "scope": row.scope}
			if diff := cmp.Diff(want, body); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			v, _, _ := testVerifier(t)
			p, err := verify(v, token)
			if err != nil {
				t.Fatal(err)
			}
			if p.Subject != "user-1" || p.ClientID != "first-party" || strings.Join(p.Scopes, " ") != row.scope {
				t.Errorf("the token says %+v", p)
			}
		})
	}
}

func TestTheTokenEndpointGrantsNoScopeToWhoHoldsNone(t *testing.T) {
	h := testHandlers(t, func(context.Context, auth.Basic) (*auth.Principal, error) {
		return &auth.Principal{Subject: "user-2"}, nil
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
		{"another grant type", form(func(r *api.TokenRequest) { r.GrantType = "client_credentials" }), UnsupportedGrantType, 400, "unsupported_grant_type", "", false},
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
	for _, submitted := range []*string{form.ClientId, form.ClientSecret, form.Scope, &form.Username, &form.Password} {
		if submitted != nil && len(*submitted) > 3 && *submitted != FirstParty && strings.Contains(detail, *submitted) {
			t.Errorf("detail %q holds what was submitted", detail)
		}
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
