package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/internal/accounts"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/oauth"
	"example.com/gatehouse/internal/server"
	"example.com/gatehouse/internal/session"
	"example.com/gatehouse/internal/sqldb"
)

const testIssuer = "https://api.example.com"

// tokenArgs are the arguments of a token command.
func (p *place) tokenArgs(command ...string) []string {
	return p.args(append(append([]string{"token"}, command...), "--issuer", testIssuer)...)
}

// checkToken runs token check with the text on standard input.
func (p *place) checkToken(t *testing.T, text string, more ...string) result {
	t.Helper()
	input, err := os.Open(passwordFile(t, text))
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	stdin := os.Stdin
	os.Stdin = input
	defer func() { os.Stdin = stdin }()
	r := gatehouse(t, append(p.tokenArgs("check"), more...)...)
	if len(text) > 100 && strings.Contains(r.stdout+r.stderr, text[:100]) {
		t.Error("it prints the token")
	}
	return r
}

// service starts the service on the database, and says what it answers to a token.
func (p *place) service(t *testing.T) func(token string) int {
	t.Helper()
	secret, err := p.secret()
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.New(context.Background(), server.Config{
		Database: p.database(), Data: p.Data, Secret: secret, Issuer: testIssuer,
		Log: slog.New(slog.DiscardHandler), AccessLog: &bytes.Buffer{}, Now: time.Now, Random: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return func(token string) int {
		r, w := httptest.NewRequest("GET", "/protected/bearer", nil), httptest.NewRecorder()
		r.Header.Set("Authorization", "Bearer "+token)
		s.Handler().ServeHTTP(w, r)
		return w.Code
	}
}

func (p *place) addUser(t *testing.T, name string, roles ...string) userResult {
	t.Helper()
	args := []string{"user", "add", name, "--password-file", passwordFile(t, "correct horse c4n4ry"), "--data", p.Data, "--json"}
	for _, role := range roles {
		args = append(args, "--role", role)
	}
	r := gatehouse(t, args...)
	r.check(t, exitDone)
	var made userResult
	r.value(t, &made)
	return made
}

type issued struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Scope       string `json:"scope"`
	Subject     string `json:"sub"`
	ClientID    string `json:"client_id"`
}

// TestATokenIsIssuedAndChecked, and the service takes it.
func TestATokenIsIssuedAndChecked(t *testing.T) {
	p := newPlace(t)
	ann := p.addUser(t, "ann", "member")
	var reports clientResult
	gatehouse(t, p.args("client", "add", "reports", "--scope", "items:read,items:write", "--json")...).value(t, &reports)
	answers := p.service(t)
	for _, row := range []struct {
		name                     string
		args                     []string
		subject, clientID, scope string
	}{
		{"a user, with all that they hold", []string{"--user", "ann"}, ann.ID, "first-party", "email items:read items:write openid profile users:read users:write"},
		{"a user, with some of it", []string{"--user", "ann", "--scope", "users:read,items:read", "--scope", "items:read"}, ann.ID, "first-party", "items:read users:read"},
		{"a client, with all that it holds", []string{"--client", reports.ID}, reports.ID, reports.ID, "items:read items:write"},
		{"a client, with some of it", []string{"--client", reports.ID, "--scope", "items:read"}, reports.ID, reports.ID, "items:read"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := gatehouse(t, p.tokenArgs(append([]string{"issue", "--json"}, row.args...)...)...)
			r.check(t, exitDone)
			var made issued
			r.value(t, &made)
			if diff := cmp.Diff(issued{made.AccessToken, "Bearer", 600, row.scope, row.subject, row.clientID}, made); diff != "" {
				t.Error(diff)
			}
			r = p.checkToken(t, made.AccessToken+"\n", "--json")
			r.check(t, exitDone)
			var said checked
			r.value(t, &said)
			now := time.Now()
			if !said.Good || said.Reason != "" || said.Header.Algorithm != "EdDSA" || said.Header.Type != "at+jwt" || said.Claims.Issuer != testIssuer ||
				said.Claims.Subject != row.subject || said.Claims.ClientID != row.clientID || said.Claims.Scope != row.scope || said.Claims.SessionID != "" ||
				len(said.Claims.TokenID) < 16 || said.Claims.ExpiresAt.Sub(said.Claims.IssuedAt) != 10*time.Minute || now.Sub(said.Claims.IssuedAt).Abs() > time.Minute {
				t.Errorf("checked: %s", r.stdout)
			}
			if status := answers(made.AccessToken); status != 200 {
				t.Errorf("the service answers %d", status)
			}
		})
	}
	t.Run("for people the token alone is printed, for a variable of the shell", func(t *testing.T) {
		r := gatehouse(t, p.tokenArgs("issue", "--user", "ann")...)
		r.check(t, exitDone)
		text := strings.TrimSuffix(r.stdout, "\n")
		if strings.Count(text, ".") != 2 || strings.ContainsAny(text, " \n") || answers(text) != 200 {
			t.Errorf("printed %q", r.stdout)
		}
		p.checkToken(t, text).check(t, exitDone, "token      good", "sub        "+ann.ID, "sid        -")
	})
}

func TestTokenIssueRefuses(t *testing.T) {
	p := newPlace(t)
	p.addUser(t, "ann", "member")
	p.addUser(t, "gone", "member")
	gatehouse(t, "user", "disable", "gone", "--data", p.Data).check(t, exitDone)
	p.addUser(t, "new", "member")
	db, err := p.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE users SET email = 'new@example.com' WHERE username = 'new'`)
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	var off, app, reports clientResult
	gatehouse(t, p.args("client", "add", "off", "--scope", "items:read", "--json")...).value(t, &off)
	gatehouse(t, p.args("client", "add", "app", "--public", "--grant", "refresh_token", "--scope", "items:read", "--json")...).value(t, &app)
	gatehouse(t, p.args("client", "add", "reports", "--scope", "items:read", "--json")...).value(t, &reports)
	gatehouse(t, p.args("client", "disable", off.ID)...).check(t, exitDone)
	for _, row := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"nobody", p.tokenArgs("issue"), exitUsage, "--user"},
		{"two at once", p.tokenArgs("issue", "--user", "ann", "--client", reports.ID), exitUsage, "see gatehouse --help"},
		{"a user that is not there", p.tokenArgs("issue", "--user", "bob"), exitNotFound, "there is no user of that name"},
		{"a client that is not there", p.tokenArgs("issue", "--client", "bob"), exitNotFound, `there is no client "bob"`},
		{"an account that is disabled", p.tokenArgs("issue", "--user", "gone"), exitFailed, "the account is disabled"},
		{"an account whose address nobody has proven", p.tokenArgs("issue", "--user", "new"), exitFailed, "nobody has proven the address of the account yet"},
		{"a client that is disabled", p.tokenArgs("issue", "--client", off.ID), exitFailed, "the client is disabled"},
		{"a client that may not act for itself", p.tokenArgs("issue", "--client", app.ID), exitFailed, "may not act for itself"},
		{"the built-in client", p.tokenArgs("issue", "--client", "first-party"), exitFailed, "may not act for itself"},
		{"a scope that the user does not hold", p.tokenArgs("issue", "--user", "ann", "--scope", "items:read,admin"), exitFailed, "does not hold the scope admin"},
		{"a scope that the client does not hold", p.tokenArgs("issue", "--client", reports.ID, "--scope", "items:write"), exitFailed, "does not hold the scope items:write"},
		{"a scope that nobody knows", p.tokenArgs("issue", "--user", "ann", "--scope", "root"), exitUsage, "a scope is unknown"},
		{"an issuer without TLS", p.args("token", "issue", "--user", "ann", "--issuer", "http://api.example.com"), exitUsage, "give --issuer https://NAME"},
		{"no issuer", p.args("token", "issue", "--user", "ann"), exitUsage, "give --issuer https://NAME"},
		{"no secret", []string{"token", "issue", "--user", "ann", "--issuer", testIssuer, "--data", p.Data}, exitUsage, "no secret key is given"},
		{"no database", []string{"token", "issue", "--user", "ann", "--issuer", testIssuer, "--data", t.TempDir(), "--secret-key-file", p.SecretKeyFile}, exitUsage, "there is no database"},
		{"a token as an argument of check", p.tokenArgs("check", "a.b.c"), exitUsage, "see gatehouse --help"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := gatehouse(t, row.args...)
			r.check(t, row.code, row.says)
			if r.stdout != "" {
				t.Errorf("standard output: %s", r.stdout)
			}
		})
	}
}

// TestTokenCheckSaysWhatTheServiceDoesNot: for each token, the service that starts on the same database refuses what the command
// refuses, and the command says why.
func TestTokenCheckSaysWhatTheServiceDoesNot(t *testing.T) {
	ctx := context.Background()
	p := newPlace(t)
	tools := func(t *testing.T, change func(*oauth.Signer), f func(tokenTools, *session.Store) error) {
		t.Helper()
		place := &tokenPlace{place: *p, Issuer: testIssuer}
		err := place.with(ctx, func(tools tokenTools) error {
			if change != nil {
				change(tools.signer)
			}
			db, err := sqldb.Open(ctx, p.database())
			if err != nil {
				return err
			}
			defer db.Close()
			return f(tools, &session.Store{DB: db, Exceptions: &auth.Exceptions{}, AccessTokenLifetime: oauth.MaxAge, Now: time.Now, Random: rand.Reader})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	// signed returns a token of the user in a session of theirs, or alone, signed by a changed signer.
	signed := func(t *testing.T, user userResult, alone bool, change func(*oauth.Signer)) (token, sessionID string) {
		t.Helper()
		tools(t, change, func(tools tokenTools, sessions *session.Store) (err error) {
			if alone {
				token, err = tools.signer.Sign(oauth.Grant{Subject: user.ID, ClientID: oauth.FirstParty})
				return err
			}
			err = sessions.DB.Write(ctx, func(tx *sql.Tx) error {
				s, err := sessions.Start(ctx, tx, session.New{UserID: user.ID, ClientID: oauth.FirstParty, Scopes: auth.NewScopes("items:read"), IssuedAt: user.CreatedAt})
				sessionID = s.ID
				return err
			})
			if err != nil {
				return err
			}
			token, err = tools.signer.Sign(oauth.Grant{Subject: user.ID, ClientID: oauth.FirstParty, SessionID: sessionID, Scopes: auth.NewScopes("items:read")})
			return err
		})
		return token, sessionID
	}
	hourAgo := func(s *oauth.Signer) { s.Now = func() time.Time { return time.Now().Add(-time.Hour) } }
	soon := func(s *oauth.Signer) { s.Now = func() time.Time { return time.Now().Add(-5 * time.Second) } }
	password := func(t *testing.T, u userResult, _, _ string) {
		gatehouse(t, "user", "password", u.Username, "--password-file", passwordFile(t, "another horse c4n4ry"), "--data", p.Data).check(t, exitDone)
	}
	nothing := func(*testing.T, userResult, string, string) {}
	for _, row := range []struct {
		name   string
		change func(*oauth.Signer)
		end    func(t *testing.T, u userResult, token, sessionID string)
		reason string // "" is good
	}{
		{"a good one", nil, nothing, ""},
		{"of a session that was logged out", nil, func(t *testing.T, u userResult, _, id string) {
			tools(t, nil, func(_ tokenTools, s *session.Store) error { return s.End(ctx, id, u.ID) })
		}, "the session has ended"},
		{"that was revoked", nil, func(t *testing.T, u userResult, token, _ string) {
			tools(t, nil, func(tools tokenTools, s *session.Store) error {
				said, err := tools.verifier.Inspect(ctx, auth.BearerToken{Secret: auth.Secret(token)})
				if err != nil {
					return err
				}
				return s.RevokeToken(ctx, said.Principal.TokenID, said.ExpiresAt)
			})
		}, "the token is revoked"},
		{"of an account that is disabled", nil, func(t *testing.T, u userResult, _, _ string) {
			gatehouse(t, "user", "disable", u.Username, "--data", p.Data).check(t, exitDone)
		}, "the account is disabled or deleted"},
		{"of an account that is deleted", nil, func(t *testing.T, u userResult, _, _ string) {
			err := withAccounts(ctx, p.open, accounts.Passwords{}, func(users *accounts.Service) error { return users.Delete(ctx, u.ID) })
			if err != nil {
				t.Fatal(err)
			}
		}, "the account is disabled or deleted"},
		{"of a session from before another password", soon, password, "the session has ended"},
		{"without a session, from before another password", soon, password, "it was issued before all tokens of the account were ended, as by another password"},
		{"of another issuer", func(s *oauth.Signer) { s.Issuer = "https://other.example.com" }, nothing, "iss is not ours"},
		{"for another service", func(s *oauth.Signer) { s.Audience = "https://other.example.com" }, nothing, "aud does not name us"},
		{"that has expired", hourAgo, nothing, "exp has passed"},
		{"of a key that is revoked", nil, func(t *testing.T, _ userResult, _, _ string) {
			gatehouse(t, p.args("signing-key", "revoke", p.list(t)[0].KeyID)...).check(t, exitDone)
		}, "kid names no key in force"},
	} {
		t.Run(row.name, func(t *testing.T) {
			u := p.addUser(t, "user "+strings.ReplaceAll(row.name, " ", "-"), "member")
			token, sessionID := signed(t, u, strings.HasPrefix(row.name, "without a session"), row.change)
			row.end(t, u, token, sessionID)
			r := p.checkToken(t, token, "--json")
			var said checked
			r.value(t, &said)
			if said.Claims == nil || said.Claims.Subject != u.ID || said.Claims.SessionID != sessionID {
				t.Errorf("claims %+v", said.Claims)
			}
			if row.reason == "" {
				r.check(t, exitDone)
				if !said.Good || p.service(t)(token) != 200 {
					t.Error("refused")
				}
				return
			}
			r.check(t, exitFailed, "gatehouse: the token is refused: "+row.reason)
			if said.Good || said.Reason != row.reason {
				t.Errorf("%s", r.stdout)
			}
			if status := p.service(t)(token); status != 401 {
				t.Errorf("the service answers %d", status)
			}
			p.checkToken(t, token).check(t, exitFailed, "refused: what it says may be false", u.ID)
		})
	}
	for name, row := range map[string]struct{ text, reason string }{
		"text":                  {"kanarie7", "not three parts"},
		"a token that is long":  {strings.Repeat("a", 9<<10), "longer than 8 KiB"},
		"a refresh token":       {"rt_AZNYPnk2Q0WKPD0fLjpLXAAAAAAAAAABGv0", "not three parts"},
		"a token without proof": {"eyJhbGciOiJub25lIn0.e30.", "an empty part"},
	} {
		t.Run(name, func(t *testing.T) {
			p.checkToken(t, row.text).check(t, exitFailed, "the token is refused: "+row.reason, "not a token that can be read")
			r := p.checkToken(t, row.text, "--json")
			if want := `{"good":false,"reason":"` + row.reason + `"}`; strings.Join(strings.Fields(r.stdout), "") != strings.ReplaceAll(want, " ", "") {
				t.Errorf("%s", r.stdout)
			}
		})
	}
	t.Run("nothing", func(t *testing.T) { p.checkToken(t, " \n").check(t, exitUsage, "there is no token on standard input") })
}

// TestATokenCannotSteerATerminal: what a forged token says is quoted.
func TestATokenCannotSteerATerminal(t *testing.T) {
	p := newPlace(t)
	encode := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	forged := encode(map[string]any{"alg": "EdDSA", "typ": "at+jwt", "kid": "\u001b[2J"}) + "." +
		encode(map[string]any{"sub": "a\u001b]0;owned\u0007", "jti": "\u009b31m", "aud": []string{"\r\nadmin"}}) + ".AAAA"
	r := p.checkToken(t, forged)
	r.check(t, exitFailed, `"\x1b[2J"`, `"a\x1b]0;owned\a"`, `"\u009b31m"`, `"\r\nadmin"`)
	if strings.ContainsAny(r.stdout, "\x1b\a\r\u009b") {
		t.Errorf("%q", r.stdout)
	}
}

func TestTheIssuerOfDevelopment(t *testing.T) {
	p := newPlace(t)
	text, err := os.ReadFile(p.SecretKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.Data, "secret.key"), append([]byte("development-only:"), text...), 0o600); err != nil {
		t.Fatal(err)
	}
	p.addUser(t, "ann", "member")
	r := gatehouse(t, "token", "issue", "--user", "ann", "--dev", "--data", p.Data)
	r.check(t, exitDone)
	said, err := oauth.ReadUnproven(auth.BearerToken{Secret: auth.Secret(strings.TrimSpace(r.stdout))})
	if err != nil || said.Issuer != "http://127.0.0.1:8080" {
		t.Errorf("%+v, %v", said, err)
	}
}
