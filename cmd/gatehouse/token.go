package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/accounts"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/oauth"
	"example.com/gatehouse/internal/server"
)

// token are the commands of access tokens.
type token struct {
	Issue tokenIssue `cmd:"" help:"Sign an access token for a user or a client, which lasts for 10 minutes and belongs to no session. It is printed once."`
	Check tokenCheck `cmd:"" help:"Verify an access token as the service does, from standard input, and say why it is refused: clients never hear that."`
}

// tokenPlace are the settings of a command that signs or verifies as a service does.
type tokenPlace struct {
	place  `embed:""`
	Issuer string `help:"The https address of the service, as clients see it, without a path: the iss of its tokens."`
}

type tokenIssue struct {
	tokenPlace `embed:""`
	format     `embed:""`
	User       string   `env:"-" xor:"holder" required:"" placeholder:"NAME" help:"The user that the token is for, by name."`
	Client     string   `env:"-" xor:"holder" required:"" placeholder:"ID" help:"The client that the token is for, which acts for itself."`
	Scope      []string `env:"-" help:"What the token may hold (default: all that the user or client holds)."`
}

type tokenCheck struct {
	tokenPlace `embed:""`
	format     `embed:""`
}

// developmentIssuer is the address of serve --dev, where nothing else is said.
const developmentIssuer = "http://127.0.0.1:8080"

// tokenTools are those of a service on its database.
type tokenTools struct {
	users    *accounts.Service
	clients  *oauth.Clients
	signer   *oauth.Signer
	verifier *oauth.Verifier
}

// with opens the tools for as long as f runs.
func (p *tokenPlace) with(ctx context.Context, f func(tokenTools) error) (err error) {
	if p.Issuer == "" && p.Dev {
		p.Issuer = developmentIssuer
	}
	if !p.Dev && !issuer(p.Issuer) {
		return usageError{errors.New("the issuer must be the https address of the service, without a path: give --issuer https://NAME as for serve, or --dev where it runs with it")}
	}
	store, db, err := p.keyStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tokens := server.Tokens{DB: db, Issuer: p.Issuer, Exceptions: &auth.Exceptions{}, Now: time.Now, Random: rand.Reader}
	sessions, err := tokens.Sessions(ctx)
	if err != nil {
		return err
	}
	users, err := newAccounts(ctx, db, tokens.Exceptions, sessions, accounts.Passwords{})
	if err != nil {
		return err
	}
	defer users.Close()
	signer, verifier, err := tokens.Open(ctx, store)
	if err != nil {
		return err
	}
	clients := &oauth.Clients{DB: db, Declared: auth.NewScopes(api.Scopes()...), Now: time.Now, Random: rand.Reader}
	return f(tokenTools{users, clients, signer, verifier})
}

// Run signs a token.
func (c *tokenIssue) Run(ctx context.Context, out io.Writer) error {
	if !auth.NewScopes(api.Scopes()...).Has(c.Scope...) {
		return usageError{errors.New("a scope is unknown: openapi.yaml lists all of them")}
	}
	return c.with(ctx, func(tools tokenTools) error {
		grant, err := c.grant(ctx, tools)
		if err != nil {
			return err
		}
		if requested := auth.NewScopes(c.Scope...); len(requested) > 0 {
			for _, scope := range requested {
				if !grant.Scopes.Has(scope) {
					return fmt.Errorf("the holder of the token does not hold the scope %s: leave it out, or give it to them first", scope)
				}
			}
			grant.Scopes = requested
		}
		signed, err := tools.signer.Sign(grant)
		if err != nil {
			return err
		}
		result := struct {
			AccessToken string `json:"access_token"`
			TokenType   string `json:"token_type"`
			ExpiresIn   int    `json:"expires_in"`
			Scope       string `json:"scope"`
			Subject     string `json:"sub"`
			ClientID    string `json:"client_id"`
		}{signed, "Bearer", int(oauth.Lifetime / time.Second), strings.Join(grant.Scopes, " "), grant.Subject, grant.ClientID}
		return c.print(out, result, func(w io.Writer) { row(w, signed) })
	})
}

// grant returns what the user or the client may have at most.
func (c *tokenIssue) grant(ctx context.Context, tools tokenTools) (oauth.Grant, error) {
	declared := tools.clients.Declared
	if c.User != "" {
		u, err := find(ctx, tools.users, c.User)
		if err != nil {
			return oauth.Grant{}, err
		}
		switch {
		case u.Disabled:
			return oauth.Grant{}, errors.New("the account is disabled: its tokens would be refused, see gatehouse user enable")
		case u.Email != "" && !u.Verified:
			return oauth.Grant{}, errors.New("nobody has proven the address of the account yet: it cannot be used before")
		}
		return oauth.Grant{Subject: u.ID, ClientID: oauth.FirstParty, Scopes: u.Scopes.Intersect(declared)}, nil
	}
	client, err := tools.clients.Find(ctx, c.Client)
	switch {
	case err != nil:
		return oauth.Grant{}, notThere(err, c.Client)
	case client.Disabled:
		return oauth.Grant{}, errors.New("the client is disabled: see gatehouse client enable")
	case !slices.Contains(client.GrantTypes, oauth.GrantClientCredentials):
		return oauth.Grant{}, errors.New("the client may not act for itself: it has not the grant client_credentials")
	}
	return oauth.Grant{Subject: client.ID, ClientID: client.ID, Scopes: client.Scopes.Intersect(declared)}, nil
}

// checked is what is said of a token, as programs read it.
type checked struct {
	Good   bool           `json:"good"`
	Reason string         `json:"reason,omitempty"` // why it is refused
	Header *checkedHeader `json:"header,omitempty"` // nil where the token is none
	Claims *checkedClaims `json:"claims,omitempty"`
}

type checkedHeader struct {
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid"`
	Type      string `json:"typ"`
}

type checkedClaims struct {
	Issuer    string    `json:"iss"`
	Audience  []string  `json:"aud"`
	Subject   string    `json:"sub"`
	ClientID  string    `json:"client_id"`
	SessionID string    `json:"sid,omitempty"`
	Scope     string    `json:"scope"`
	IssuedAt  time.Time `json:"iat,omitzero"`
	NotBefore time.Time `json:"nbf,omitzero"`
	ExpiresAt time.Time `json:"exp,omitzero"`
	TokenID   string    `json:"jti"`
}

// Run verifies a token.
func (c *tokenCheck) Run(ctx context.Context, out io.Writer) error {
	bearer, err := readToken(os.Stdin, os.Stderr)
	if err != nil {
		return err
	}
	return c.with(ctx, func(tools tokenTools) error {
		_, refused := tools.verifier.Verify(ctx, bearer)
		if refused != nil && !errors.Is(refused, auth.ErrInvalidCredential) {
			return refused
		}
		result := checked{Good: refused == nil}
		if refused != nil {
			result.Reason = strings.TrimPrefix(refused.Error(), auth.ErrInvalidCredential.Error()+": ")
		}
		if u, err := oauth.ReadUnproven(bearer); err == nil {
			result.Header = &checkedHeader{u.Algorithm, u.KeyID, u.Type}
			result.Claims = &checkedClaims{u.Issuer, append([]string{}, u.Audience...), u.Subject, u.ClientID, u.SessionID, u.Scope, u.IssuedAt, u.NotBefore, u.ExpiresAt, u.TokenID}
		}
		if err := c.print(out, result, result.write); err != nil {
			return err
		}
		if refused != nil {
			return fmt.Errorf("the token is refused: %s", result.Reason)
		}
		return nil
	})
}

// write writes it for people.
func (r checked) write(w io.Writer) {
	if r.Claims == nil {
		row(w, "not a token that can be read")
		return
	}
	state := "good"
	if !r.Good {
		state = "refused: what it says may be false"
	}
	row(w, "token", state)
	row(w, "alg", shown(r.Header.Algorithm))
	row(w, "kid", shown(r.Header.KeyID))
	row(w, "typ", shown(r.Header.Type))
	row(w, "iss", shown(r.Claims.Issuer))
	row(w, "aud", shown(strings.Join(r.Claims.Audience, " ")))
	row(w, "sub", shown(r.Claims.Subject))
	row(w, "client_id", shown(r.Claims.ClientID))
	row(w, "sid", shown(r.Claims.SessionID))
	row(w, "scope", shown(r.Claims.Scope))
	row(w, "iat", showTime(r.Claims.IssuedAt))
	row(w, "nbf", showTime(r.Claims.NotBefore))
	row(w, "exp", showTime(r.Claims.ExpiresAt))
	row(w, "jti", shown(r.Claims.TokenID))
}

// shown returns text that anybody may have written, so that it cannot steer a terminal: quoted where it is more than visible ASCII.
func shown(text string) string {
	if text == "" {
		return "-"
	}
	if quoted := strconv.QuoteToASCII(text); quoted != `"`+text+`"` {
		return quoted
	}
	return text
}

// maxTokenInput bounds what is read for a token: more than one may have, so that a longer one is refused and not cut.
const maxTokenInput = 16 << 10

// readToken reads a token from a prompt or from standard input. It is never an argument: the list of processes and the history of the
// shell show those.
func readToken(stdin *os.File, prompt io.Writer) (auth.BearerToken, error) {
	var text auth.Secret
	if term.IsTerminal(int(stdin.Fd())) {
		line, err := ask(stdin, prompt, "Token: ")
		if err != nil {
			return auth.BearerToken{}, err
		}
		text = line
	} else {
		read, err := io.ReadAll(io.LimitReader(stdin, maxTokenInput))
		if err != nil {
			return auth.BearerToken{}, err
		}
		text = auth.Secret(read)
	}
	text = auth.Secret(strings.TrimSpace(text.Reveal()))
	if text == "" {
		return auth.BearerToken{}, usageError{errors.New("there is no token on standard input: pipe one in, as with gatehouse token check < FILE")}
	}
	return auth.BearerToken{Secret: text}, nil
}
