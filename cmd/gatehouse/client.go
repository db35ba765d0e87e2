package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/oauth"
	"example.com/gatehouse/internal/sqldb"
)

// client are the commands of OAuth clients.
type client struct {
	Add     clientAdd     `cmd:"" help:"Make a client. The secret of a confidential one is printed once and kept nowhere."`
	List    clientList    `cmd:"" help:"List the clients, the newest first."`
	Rotate  clientRotate  `cmd:"" help:"Give a confidential client another secret, where those that it has go on for a while, or other public keys."`
	Disable clientDisable `cmd:"" help:"Give a client no more tokens. Those that it has last for 10 minutes at most."`
	Enable  clientEnable  `cmd:"" help:"Take disable back."`
}

type clientAdd struct {
	place       `embed:""`
	format      `embed:""`
	Name        string   `arg:"" help:"What people call the client."`
	Public      bool     `env:"-" help:"The client cannot keep a secret: a page in a browser, an app on a phone."`
	Grant       []string `env:"-" help:"What it may use: authorization_code, refresh_token, client_credentials (default: the first two with --redirect-uri, else client_credentials)."`
	RedirectURI []string `name:"redirect-uri" env:"-" sep:"none" help:"Where browsers bring codes to, character for character. Repeat it for several."`
	Scope       []string `env:"-" help:"What its tokens may hold at most (default: nothing)."`

	publicKeysFrom `embed:""`
}

type clientList struct {
	place  `embed:""`
	format `embed:""`
}

type clientRotate struct {
	place   `embed:""`
	format  `embed:""`
	ID      string   `arg:"" help:"The id of the client."`
	Overlap duration `env:"-" default:"24h" help:"How long the secrets that it has are good; 0 for no longer."`

	publicKeysFrom `embed:""`
}

// publicKeysFrom is a file of public keys.
type publicKeysFrom struct {
	PublicKeys string `env:"-" placeholder:"FILE" help:"A JSON Web Key Set of 1 to 5 public keys: the client has no secret, and proves itself by what it signs with theirs (private_key_jwt). They take the place of those that it has."`
}

// read returns the keys, or none where no file is given.
func (p *publicKeysFrom) read() (oauth.PublicKeys, error) {
	if p.PublicKeys == "" {
		return "", nil
	}
	file, err := os.Open(p.PublicKeys)
	if err != nil {
		return "", usageError{fmt.Errorf("the file of the public keys cannot be read: %w", err)}
	}
	defer file.Close()
	keys, err := oauth.ReadPublicKeys(file)
	if err != nil {
		return "", usageError{fmt.Errorf("%s: %w", p.PublicKeys, err)}
	}
	return keys, nil
}

type clientDisable struct {
	place  `embed:""`
	format `embed:""`
	ID     string `arg:"" help:"The id of the client."`
}

type clientEnable struct {
	place  `embed:""`
	format `embed:""`
	ID     string `arg:"" help:"The id of the client."`
}

// clientResult is a client as programs read it.
type clientResult struct {
	ID           string    `json:"client_id"`
	Name         string    `json:"client_name"`
	Method       string    `json:"authentication"`
	GrantTypes   []string  `json:"grant_types"`
	RedirectURIs []string  `json:"redirect_uris,omitempty"`
	Scope        string    `json:"scope"`
	CreatedAt    time.Time `json:"created_at"`
	Disabled     bool      `json:"disabled"`
	Secret       string    `json:"client_secret,omitempty"`

	PublicKeys json.RawMessage `json:"jwks,omitempty"`
}

func newClientResult(c oauth.Client, secret auth.Secret) clientResult {
	return clientResult{c.ID, c.Name, c.Method, c.GrantTypes, c.RedirectURIs, strings.Join(c.Scopes, " "), c.CreatedAt, c.Disabled, secret.Reveal(), json.RawMessage(c.PublicKeys)}
}

// clients opens the clients of the service. The caller closes the database.
func (p *place) clients(ctx context.Context) (*oauth.Clients, *sqldb.DB, error) {
	db, err := p.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	return &oauth.Clients{DB: db, Declared: auth.NewScopes(api.Scopes()...), Now: time.Now, Random: rand.Reader}, db, nil
}

// Run makes a client.
func (c *clientAdd) Run(ctx context.Context, out io.Writer) (err error) {
	n := oauth.NewClient{Name: c.Name, Method: oauth.MethodSecret, GrantTypes: c.Grant, Scopes: auth.NewScopes(c.Scope...), RedirectURIs: c.RedirectURI}
	if c.Public {
		n.Method = oauth.MethodNone
	}
	if n.PublicKeys, err = c.publicKeysFrom.read(); err != nil {
		return err
	}
	if n.PublicKeys != "" && !c.Public {
		n.Method = oauth.MethodPrivateKeyJWT
	}
	switch {
	case len(n.GrantTypes) > 0:
	case len(c.RedirectURI) > 0:
		n.GrantTypes = []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken}
	default:
		n.GrantTypes = []string{oauth.GrantClientCredentials}
	}
	clients, db, err := c.clients(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := n.Check(clients.Declared); err != nil {
		return usageError{err}
	}
	made, secret, err := clients.Create(ctx, n)
	if err != nil {
		return err
	}
	return c.print(out, newClientResult(made, secret), func(w io.Writer) {
		row(w, "client_id", made.ID)
		if secret != "" {
			row(w, "client_secret", secret.Reveal())
		}
	})
}

// Run lists the clients.
func (c *clientList) Run(ctx context.Context, out io.Writer) (err error) {
	clients, db, err := c.clients(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	list, err := clients.List(ctx)
	if err != nil {
		return err
	}
	results := []clientResult{}
	for _, x := range list {
		results = append(results, newClientResult(x, ""))
	}
	return c.print(out, results, func(w io.Writer) {
		row(w, "ID", "NAME", "AUTHENTICATION", "KEYS", "GRANTS", "SCOPES", "CREATED", "DISABLED")
		for _, x := range list {
			row(w, x.ID, fmt.Sprintf("%q", x.Name), x.Method, keyIDs(x), strings.Join(x.GrantTypes, ","), strings.Join(x.Scopes, ","), showTime(x.CreatedAt), map[bool]string{true: "yes", false: "no"}[x.Disabled])
		}
	})
}

// keyIDs are the kids of the public keys of a client.
func keyIDs(c oauth.Client) string {
	if c.PublicKeys == "" {
		return "-"
	}
	return strings.Join(c.PublicKeys.IDs(), ",")
}

// Run gives a client another secret, or other public keys.
func (c *clientRotate) Run(ctx context.Context, out io.Writer) (err error) {
	if c.Overlap.wrong {
		return usageError{errors.New("the overlap is no duration: give one such as --overlap 1h")}
	}
	keys, err := c.publicKeysFrom.read()
	if err != nil {
		return err
	}
	clients, db, err := c.clients(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if keys != "" {
		if err := clients.SetPublicKeys(ctx, c.ID, keys); err != nil {
			return notThere(err, c.ID)
		}
		result := struct {
			ID         string          `json:"client_id"`
			PublicKeys json.RawMessage `json:"jwks"`
		}{c.ID, json.RawMessage(keys)}
		return c.print(out, result, func(w io.Writer) {
			row(w, "client_id", c.ID)
			row(w, "keys", strings.Join(keys.IDs(), ","))
		})
	}
	secret, err := clients.Rotate(ctx, c.ID, c.Overlap.Duration)
	if err != nil {
		return notThere(err, c.ID)
	}
	result := struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}{c.ID, secret.Reveal()}
	return c.print(out, result, func(w io.Writer) {
		row(w, "client_id", c.ID)
		row(w, "client_secret", secret.Reveal())
	})
}

// Run disables a client.
func (c *clientDisable) Run(ctx context.Context, out io.Writer) error {
	return setClientDisabled(ctx, out, &c.place, c.format, c.ID, true)
}

// Run enables a client.
func (c *clientEnable) Run(ctx context.Context, out io.Writer) error {
	return setClientDisabled(ctx, out, &c.place, c.format, c.ID, false)
}

func setClientDisabled(ctx context.Context, out io.Writer, p *place, f format, id string, disabled bool) (err error) {
	clients, db, err := p.clients(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := clients.SetDisabled(ctx, id, disabled); err != nil {
		return notThere(err, id)
	}
	result := struct {
		ID       string `json:"client_id"`
		Disabled bool   `json:"disabled"`
	}{id, disabled}
	return f.print(out, result, func(w io.Writer) {
		fmt.Fprintf(w, "the client %s is %s\n", id, map[bool]string{true: "disabled", false: "enabled"}[disabled])
	})
}

// notThere names what the database does not have.
func notThere(err error, id string) error {
	if errors.Is(err, sqldb.ErrNotFound) {
		return fmt.Errorf("there is no client %q: gatehouse client list shows all: %w", id, err)
	}
	return err
}
