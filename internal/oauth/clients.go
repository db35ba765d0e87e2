package oauth

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/sqldb"
)

// FirstParty is the built-in public client: what the service itself ships, with no secret to keep.
const FirstParty = "first-party"

// The ways in which a client proves who it is at the token endpoint (RFC 7591 §2). A client that has a secret may send it in the header or in
// the form; one that has a private key signs an assertion with it (OpenID Connect Core §9).
const (
	MethodNone          = "none"
	MethodSecret        = "client_secret"
	MethodPrivateKeyJWT = "private_key_jwt"
)

// The grants that a client may use (RFC 7591 §2).
const (
	GrantAuthorizationCode = "authorization_code"
	GrantPassword          = "password"
	GrantRefreshToken      = "refresh_token"
	GrantClientCredentials = "client_credentials"
)

// Client is an application that asks for tokens (RFC 6749 §2).
type Client struct {
	ID   string
	Name string
	// Method is how it proves who it is.
	Method string
	// PublicKeys are those of a client that proves itself by assertions.
	PublicKeys PublicKeys
	// GrantTypes are the grants that it may use.
	GrantTypes []string
	// Scopes bound what its tokens may hold, whoever they are for.
	Scopes auth.Scopes
	// RedirectURIs are where a browser may bring a code to.
	RedirectURIs []string
	CreatedAt    time.Time
	Disabled     bool
}

// Confidential reports whether the client can keep a secret or a private key (RFC 6749 §2.1).
func (c *Client) Confidential() bool { return c.Method != MethodNone }

func (c *Client) may(grant string) bool { return slices.Contains(c.GrantTypes, grant) }

// Clients keeps the clients in the tables clients and client_secrets. All fields are required.
type Clients struct {
	DB *sqldb.DB
	// Declared are all scopes of the document: those of the built-in client.
	Declared auth.Scopes
	// FirstPartyRedirectURIs are those of the built-in client.
	FirstPartyRedirectURIs []string
	Now                    func() time.Time
	Random                 io.Reader
}

// NewClient is what a client begins with.
type NewClient struct {
	Name       string
	Method     string
	PublicKeys PublicKeys
	GrantTypes []string
	Scopes     auth.Scopes
	// RedirectURIs are needed for authorization_code, and for nothing else.
	RedirectURIs []string
}

// The bounds of what is kept of a client.
const maxClientName = 100

// Check says what is wrong with a client that is to be made, against the scopes that the document declares.
func (n NewClient) Check(declared auth.Scopes) error {
	switch {
	case n.Name == "" || len(n.Name) > maxClientName:
		return fmt.Errorf("the name of a client has 1 to %d bytes", maxClientName)
	case n.Method != MethodNone && n.Method != MethodSecret && n.Method != MethodPrivateKeyJWT:
		return fmt.Errorf("the client proves itself by %q: give %s, %s or %s", n.Method, MethodNone, MethodSecret, MethodPrivateKeyJWT)
	case (n.Method == MethodPrivateKeyJWT) != (n.PublicKeys != ""):
		return fmt.Errorf("public keys are for a client that proves itself by %s, and it needs them", MethodPrivateKeyJWT)
	case len(n.GrantTypes) == 0:
		return errors.New("the client has no grant: give at least one")
	case n.Method == MethodNone && slices.Contains(n.GrantTypes, GrantClientCredentials):
		return errors.New("a public client cannot act for itself: give it a secret or public keys, or leave out client_credentials (RFC 6749 §4.4)")
	case slices.Contains(n.GrantTypes, GrantPassword):
		return errors.New("only the built-in client may take passwords: a client of somebody else must never see one")
	case !declared.Has(n.Scopes...):
		return errors.New("a scope is unknown: the document lists all of them")
	}
	known := []string{GrantAuthorizationCode, GrantRefreshToken, GrantClientCredentials}
	for _, g := range n.GrantTypes {
		if !slices.Contains(known, g) {
			return fmt.Errorf("the grant %q is unknown: give some of %s", g, strings.Join(known, ", "))
		}
	}
	if takesCodes := slices.Contains(n.GrantTypes, GrantAuthorizationCode); takesCodes != (len(n.RedirectURIs) > 0) {
		return errors.New("a client has redirect URIs where it has the grant authorization_code, and nowhere else: give both or neither")
	}
	if len(n.RedirectURIs) > maxRedirectURIs {
		return fmt.Errorf("the client has %d redirect URIs: give at most %d", len(n.RedirectURIs), maxRedirectURIs)
	}
	for _, u := range n.RedirectURIs {
		if err := checkRedirectURI(u); err != nil {
			return err
		}
	}
	return nil
}

// Create makes a client. Where it proves itself by a secret, that is in the result and nowhere else.
func (s *Clients) Create(ctx context.Context, n NewClient) (Client, auth.Secret, error) {
	if err := n.Check(s.Declared); err != nil {
		return Client{}, "", err
	}
	id, err := uuid.NewRandomFromReader(s.Random)
	if err != nil {
		return Client{}, "", err
	}
	c := Client{
		ID: id.String(), Name: n.Name, Method: n.Method, PublicKeys: n.PublicKeys, GrantTypes: n.GrantTypes, Scopes: n.Scopes,
		RedirectURIs: n.RedirectURIs, CreatedAt: s.now(),
	}
	var secret auth.Secret
	if c.Method == MethodSecret {
		if secret, err = s.newSecret(); err != nil {
			return Client{}, "", err
		}
	}
	err = s.DB.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO clients (id, name, method, grant_types, scopes, redirect_uris, public_keys, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			c.ID, c.Name, c.Method, strings.Join(c.GrantTypes, " "), strings.Join(c.Scopes, " "), strings.Join(c.RedirectURIs, " "), string(c.PublicKeys), c.CreatedAt.UnixMicro())
		if err != nil || secret == "" {
			return err
		}
		return s.addSecret(ctx, tx, c.ID, secret)
	})
	return c, secret, err
}

// clientSecretPrefix says what kind of secret this is, to people and to scanners of leaked secrets.
const clientSecretPrefix = "cs_"

func (s *Clients) newSecret() (auth.Secret, error) {
	raw := make([]byte, 32) // 256 bits: no slow hash is needed to keep it (security.md 46)
	if _, err := io.ReadFull(s.Random, raw); err != nil {
		return "", err
	}
	return auth.Secret(clientSecretPrefix + base64.RawURLEncoding.EncodeToString(raw)), nil
}

func (s *Clients) addSecret(ctx context.Context, tx *sql.Tx, id string, secret auth.Secret) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO client_secrets (secret_sha256, client_id, created_at) VALUES ($1, $2, $3)`,
		digest(secret), id, s.now().UnixMicro())
	return err
}

func digest(secret auth.Secret) string {
	sum := sha256.Sum256([]byte(secret.Reveal()))
	return hex.EncodeToString(sum[:])
}

// Rotate gives a client that has secrets a new one. Those that it has end after overlap.
func (s *Clients) Rotate(ctx context.Context, id string, overlap time.Duration) (auth.Secret, error) {
	c, err := s.Find(ctx, id)
	if err != nil {
		return "", err
	}
	if c.Method != MethodSecret {
		return "", fmt.Errorf("the client has no secret to change: it proves itself by %s", c.Method)
	}
	secret, err := s.newSecret()
	if err != nil {
		return "", err
	}
	end := s.now().Add(overlap).UnixMicro()
	return secret, s.DB.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE client_secrets SET expires_at = $2 WHERE client_id = $1 AND (expires_at IS NULL OR expires_at > $2)`, id, end)
		if err != nil {
			return err
		}
		return s.addSecret(ctx, tx, id, secret)
	})
}

// SetPublicKeys replaces the public keys of a client that proves itself by assertions. Those that it has are good for nothing from then
// on: to let both go on for a while, give both.
func (s *Clients) SetPublicKeys(ctx context.Context, id string, keys PublicKeys) error {
	c, err := s.Find(ctx, id)
	if err != nil {
		return err
	}
	if c.Method != MethodPrivateKeyJWT || keys == "" {
		return fmt.Errorf("the client has no public keys to change: it proves itself by %s", c.Method)
	}
	return s.DB.Write(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `UPDATE clients SET public_keys = $2 WHERE id = $1 RETURNING id`, id, string(keys)).Scan(&id)
	})
}

// SetDisabled disables or enables a client: it gets no tokens, and no session of it goes on.
func (s *Clients) SetDisabled(ctx context.Context, id string, disabled bool) error {
	at := sql.NullInt64{Int64: s.now().UnixMicro(), Valid: disabled}
	return s.DB.Write(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `UPDATE clients SET disabled_at = $2 WHERE id = $1 RETURNING id`, id, at).Scan(&id)
	})
}

const clientColumns = `id, name, method, public_keys, grant_types, scopes, redirect_uris, created_at, disabled_at`

func scanClient(row interface{ Scan(...any) error }) (Client, error) {
	var c Client
	var grants, scopes, redirects string
	var created int64
	var disabled sql.NullInt64
	err := sqldb.Error(row.Scan(&c.ID, &c.Name, &c.Method, &c.PublicKeys, &grants, &scopes, &redirects, &created, &disabled))
	c.GrantTypes, c.Scopes = strings.Fields(grants), auth.NewScopes(strings.Fields(scopes)...)
	if redirects != "" {
		c.RedirectURIs = strings.Fields(redirects)
	}
	c.CreatedAt, c.Disabled = time.UnixMicro(created).UTC(), disabled.Valid
	return c, err
}

// Find returns a client, or sqldb.ErrNotFound.
func (s *Clients) Find(ctx context.Context, id string) (Client, error) {
	if id == FirstParty {
		return Client{
			ID: FirstParty, Name: "the service itself", Method: MethodNone, GrantTypes: []string{GrantAuthorizationCode, GrantPassword, GrantRefreshToken},
			Scopes: s.Declared, RedirectURIs: s.FirstPartyRedirectURIs,
		}, nil
	}
	return scanClient(s.DB.Reader().QueryRowContext(ctx, `SELECT `+clientColumns+` FROM clients WHERE id = $1`, id))
}

// List returns the clients, the newest first.
func (s *Clients) List(ctx context.Context) ([]Client, error) {
	rows, err := s.DB.Reader().QueryContext(ctx, `SELECT `+clientColumns+` FROM clients ORDER BY created_at DESC, id DESC`)
	if err != nil {
		return nil, sqldb.Error(err)
	}
	defer rows.Close()
	var list []Client
	for rows.Next() {
		c, err := scanClient(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, sqldb.Error(rows.Err())
}

// Authenticate proves a client by its secret in the Authorization header, where both parts are encoded as in a form before
// (RFC 6749 §2.3.1). It returns auth.ErrInvalidCredential where they are not good. A public client may name itself there with an
// empty secret; without a name too it is the built-in one, as it is without the header: Swagger UI sends that.
func (s *Clients) Authenticate(ctx context.Context, c auth.Basic) (*auth.Principal, error) {
	id, err := url.QueryUnescape(c.Username)
	if err != nil {
		return nil, auth.ErrInvalidCredential
	}
	secret, err := url.QueryUnescape(c.Password.Reveal())
	if err != nil {
		return nil, auth.ErrInvalidCredential
	}
	if id == "" && secret == "" {
		id = FirstParty
	}
	if secret == "" {
		err = s.public(ctx, id)
	} else {
		_, err = s.prove(ctx, id, auth.Secret(secret))
	}
	if err != nil {
		return nil, err
	}
	return &auth.Principal{Subject: id, ClientID: id, IssuedAt: s.now()}, nil
}

// public returns auth.ErrInvalidCredential unless the client is one that has no secret.
func (s *Clients) public(ctx context.Context, id string) error {
	c, err := s.Find(ctx, id)
	if errors.Is(err, sqldb.ErrNotFound) || err == nil && (c.Confidential() || c.Disabled) {
		return auth.ErrInvalidCredential
	}
	return err
}

// prove returns the client that a secret is of. The row is found by the digest of the secret: what is compared in the index
// says nothing about the secret.
func (s *Clients) prove(ctx context.Context, id string, secret auth.Secret) (Client, error) {
	c, err := scanClient(s.DB.Reader().QueryRowContext(ctx, `
		SELECT `+clientColumns+` FROM clients
		WHERE id = $1 AND disabled_at IS NULL AND EXISTS (
			SELECT 1 FROM client_secrets WHERE secret_sha256 = $2 AND client_id = $1 AND (expires_at IS NULL OR expires_at > $3))`,
		id, digest(secret), s.now().UnixMicro()))
	if errors.Is(err, sqldb.ErrNotFound) {
		return c, auth.ErrInvalidCredential
	}
	return c, err
}

func (s *Clients) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }
