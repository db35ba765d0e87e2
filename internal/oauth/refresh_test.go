package oauth

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/session"
	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

func refreshForm(token string, changes ...func(*api.TokenRequest)) api.CreateTokenRequestObject {
	r := form(changes...)
	r.Body.GrantType, r.Body.Username, r.Body.Password, r.Body.RefreshToken = api.TokenRequestGrantTypeRefreshToken, nil, nil, &token
	return r
}

// ask returns the tokens of an answer, or the problem.
func ask(t *testing.T, h *Handlers, request api.CreateTokenRequestObject) (api.TokenResponse, *problem.Error) {
	t.Helper()
	response, err := h.CreateToken(t.Context(), request)
	if err != nil {
		var p *problem.Error
		if !errors.As(err, &p) {
			t.Fatalf("error %v is no problem", err)
		}
		return api.TokenResponse{}, p
	}
	return response.(api.CreateToken200JSONResponse).Body, nil
}

func logIn(t *testing.T, h *Handlers, changes ...func(*api.TokenRequest)) api.TokenResponse {
	t.Helper()
	answer, p := ask(t, h, form(changes...))
	if p != nil {
		t.Fatal(p)
	}
	if answer.RefreshToken == nil {
		t.Fatal("no refresh token")
	}
	return answer
}

func TestARefreshTokenIsGoodOnce(t *testing.T) {
	h := testHandlers(t, onePassword)
	first := logIn(t, h)
	second, p := ask(t, h, refreshForm(*first.RefreshToken))
	if p != nil {
		t.Fatal(p)
	}
	again, p := ask(t, h, refreshForm(*first.RefreshToken))
	if p != nil {
		t.Fatalf("a repetition within the grace: %v", p)
	}
	if *second.RefreshToken == *first.RefreshToken || *again.RefreshToken != *second.RefreshToken || again.AccessToken == second.AccessToken {
		t.Error("a repetition gets the same successor, and an access token of its own")
	}
	for _, answer := range []api.TokenResponse{first, second, again} {
		who, err := verify(h.Verifier, answer.AccessToken)
		if err != nil || who.Subject != userID || who.SessionID == "" {
			t.Errorf("%+v, %v", who, err)
		}
		if answer.Scope != "items:read items:write users:read" {
			t.Errorf("scope %q", answer.Scope)
		}
	}
}

func TestAReusedRefreshTokenEndsItsSessionInEveryProcess(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		now := testNow
		clock := func() time.Time { return now }
		h, other := handlersOn(t, db, onePassword, clock), handlersOn(t, db, onePassword, clock)
		first := logIn(t, h)
		second, p := ask(t, h, refreshForm(*first.RefreshToken))
		if p != nil {
			t.Fatal(p)
		}
		now = now.Add(session.Grace + time.Second)
		for _, token := range []string{*first.RefreshToken, *second.RefreshToken} {
			if _, p := ask(t, h, refreshForm(token)); p == nil || p.Kind != InvalidGrant {
				t.Errorf("got %v", p)
			}
		}
		if _, err := verify(h.Verifier, second.AccessToken); !errors.Is(err, auth.ErrInvalidCredential) {
			t.Errorf("an access token of the session: %v", err)
		}
		if _, err := verify(other.Verifier, second.AccessToken); err != nil {
			t.Errorf("before the other process has looked: %v", err)
		}
		if err := other.Sessions.Refresh(t.Context(), now.Add(-time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := verify(other.Verifier, second.AccessToken); !errors.Is(err, auth.ErrInvalidCredential) {
			t.Errorf("after the other process has looked: %v", err)
		}
	})
}

func TestARefreshIsRefused(t *testing.T) {
	h := testHandlers(t, onePassword)
	narrow := logIn(t, h, withScope("items:read"))
	other, _, err := h.Clients.Create(t.Context(), NewClient{Name: "other", Method: MethodNone, GrantTypes: []string{GrantRefreshToken}, Scopes: userScopes.Intersect(h.DeclaredScopes)})
	if err != nil {
		t.Fatal(err)
	}
	good := *narrow.RefreshToken
	rows := []struct {
		name    string
		request api.CreateTokenRequestObject
		kind    problem.Kind
	}{
		{"an empty token", refreshForm(""), InvalidGrant},
		{"a prefix alone", refreshForm("rt_"), InvalidGrant},
		{"a token without its prefix", refreshForm(strings.TrimPrefix(good, "rt_")), InvalidGrant},
		{"a token with another prefix", refreshForm("at_" + strings.TrimPrefix(good, "rt_")), InvalidGrant},
		{"a prefix in capitals", refreshForm("RT_" + strings.TrimPrefix(good, "rt_")), InvalidGrant},
		{"a token and a space", refreshForm(good + " "), InvalidGrant},
		{"a token and a newline", refreshForm(good + "\n"), InvalidGrant},
		{"a token with padding", refreshForm(good + "="), InvalidGrant},
		{"a token that is cut", refreshForm(good[:len(good)-1]), InvalidGrant},
		{"a token that is longer", refreshForm(good + "A"), InvalidGrant},
		{"a token in another case", refreshForm("rt_" + strings.ToUpper(strings.TrimPrefix(good, "rt_"))), InvalidGrant},
		{"an access token", refreshForm(narrow.AccessToken), InvalidGrant},
		{"the token of another client", refreshForm(good, withClient(other.ID)), InvalidGrant},
		{"an unknown client", refreshForm(good, withClient("nobody")), InvalidClient},
		{"a scope that was not granted", refreshForm(good, withScope("items:write")), InvalidScope},
		{"a granted scope beside another", refreshForm(good, withScope("items:read items:write")), InvalidScope},
		{"a scope that is not declared", refreshForm(good, withScope("root")), InvalidScope},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, p := ask(t, h, row.request)
			if p == nil || p.Kind != row.kind {
				t.Fatalf("got %v, want %s", p, row.kind.OAuthError)
			}
			checkDescription(t, p.Detail, row.request.Body)
		})
	}
	t.Run("and none of these has used it up", func(t *testing.T) {
		if answer, p := ask(t, h, refreshForm(good, withScope("items:read"))); p != nil || answer.Scope != "items:read" {
			t.Errorf("got %+v, %v", answer, p)
		}
	})
}

// TestEveryBitOfARefreshTokenCounts: each of the tokens differs from a good one in one bit.
func TestEveryBitOfARefreshTokenCounts(t *testing.T) {
	key := sessionTokens{"rt_", [32]byte{1}}
	good, err := key.of(session.Session{ID: userID, Generation: 7})
	if err != nil {
		t.Fatal(err)
	}
	if id, generation, ok := key.read(good.Reveal()); !ok || id != userID || generation != 7 {
		t.Fatalf("the good one: %s, %d, %t", id, generation, ok)
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(good.Reveal(), "rt_"))
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for i := range len(raw) * 8 {
		raw[i/8] ^= 1 << (i % 8)
		if _, _, ok := key.read("rt_" + base64.RawURLEncoding.EncodeToString(raw)); ok {
			t.Errorf("bit %d does not count", i)
		}
		raw[i/8] ^= 1 << (i % 8)
		tried++
	}
	if _, _, ok := (sessionTokens{"rt_", [32]byte{2}}).read(good.Reveal()); ok {
		t.Error("the key does not count")
	}
	t.Logf("%d forged refresh tokens, each one bit away from a good one: 0 accepted", tried)
}

func TestARefreshEndsWithWhatItStandsOn(t *testing.T) {
	for name, row := range map[string]struct {
		change func(t *testing.T, h *Handlers, client Client)
		kind   problem.Kind
	}{
		"the account has ended": {func(t *testing.T, h *Handlers, _ Client) {
			h.Users = gone{}
		}, InvalidGrant},
		"the client is disabled": {func(t *testing.T, h *Handlers, c Client) {
			if err := h.Clients.SetDisabled(t.Context(), c.ID, true); err != nil {
				t.Fatal(err)
			}
		}, InvalidClient},
		"nobody can tell whether the account has ended": {func(t *testing.T, h *Handlers, _ Client) {
			h.Users = down{}
		}, problem.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			h := testHandlers(t, onePassword)
			c, _, err := h.Clients.Create(t.Context(), NewClient{Name: "app", Method: MethodNone, GrantTypes: []string{GrantRefreshToken}, Scopes: h.DeclaredScopes})
			if err != nil {
				t.Fatal(err)
			}
			token := beginSession(t, h, c.ID)
			row.change(t, h, c)
			if _, p := ask(t, h, refreshForm(token, withClient(c.ID))); p == nil || p.Kind.Type != row.kind.Type {
				t.Errorf("got %v, want %s", p, row.kind.Type)
			}
		})
	}
}

type gone struct{ Users }

func (gone) Principal(context.Context, string) (*auth.Principal, error) {
	return nil, auth.ErrInvalidCredential
}

type down struct{ Users }

func (down) Principal(context.Context, string) (*auth.Principal, error) {
	return nil, problem.Unavailable.New("the database does not answer")
}

// beginSession begins a session of the user with a client, as the code grant does.
func beginSession(t *testing.T, h *Handlers, clientID string) string {
	t.Helper()
	s := startSession(t, h, clientID)
	token, err := h.refreshTokens().of(s)
	if err != nil {
		t.Fatal(err)
	}
	return token.Reveal()
}

// TestParallelRefreshes: a client with many tabs refreshes with one token at once.
func TestParallelRefreshes(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		clock := func() time.Time { return testNow }
		h, other := handlersOn(t, db, onePassword, clock), handlersOn(t, db, onePassword, clock)
		first := logIn(t, h)
		var all sync.WaitGroup
		answers, refusals := make([]api.TokenResponse, 100), make([]*problem.Error, 100)
		for i := range answers {
			all.Go(func() {
				answers[i], refusals[i] = ask(t, []*Handlers{h, other}[i%2], refreshForm(*first.RefreshToken))
			})
		}
		all.Wait()
		heads := map[string]int{}
		for i, p := range refusals {
			if p != nil {
				t.Errorf("refresh %d: %v", i, p)
				continue
			}
			heads[*answers[i].RefreshToken]++
		}
		if len(heads) != 1 {
			t.Errorf("%d live heads", len(heads))
		}
		for head := range heads {
			if _, p := ask(t, h, refreshForm(head)); p != nil {
				t.Errorf("the head is dead: %v", p)
			}
		}
		list, err := h.Sessions.List(t.Context(), userID)
		if err != nil || len(list) != 1 || list[0].Generation != 3 {
			t.Errorf("sessions: %+v, %v", list, err)
		}
	})
}
