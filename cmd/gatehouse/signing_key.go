package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"example.com/gatehouse/internal/oauth"
	"example.com/gatehouse/internal/server"
	"example.com/gatehouse/internal/sqldb"
)

// signingKey are the commands of signing keys.
type signingKey struct {
	List   signingKeyList   `cmd:"" help:"List the signing keys, the newest first. Needs no secret key."`
	Rotate signingKeyRotate `cmd:"" help:"Publish the next signing key. It signs after about 6 minutes, when everybody has it; no token is refused on the way. Where one is on its way already, nothing is made."`
	Revoke signingKeyRevoke `cmd:"" help:"End a signing key at once, with every token that it has signed. Another one takes its place."`
}

type signingKeyList struct {
	place  `embed:""`
	format `embed:""`
}

type signingKeyRotate struct {
	place     `embed:""`
	format    `embed:""`
	Algorithm string `env:"GATEHOUSE_SIGNING_ALGORITHM" help:"EdDSA, ES256 or RS256 (default: that of the key before)."`
	Now       bool   `env:"-" help:"Let the key sign after 35 seconds: for when no other service keeps the key set, or the present key must go."`
}

type signingKeyRevoke struct {
	place  `embed:""`
	format `embed:""`
	KeyID  string `arg:"" name:"kid" help:"The kid of the key."`
}

// keyResult is a signing key as programs read it.
type keyResult struct {
	KeyID         string          `json:"kid"`
	Algorithm     oauth.Algorithm `json:"algorithm"`
	State         oauth.KeyState  `json:"state"`
	CreatedAt     time.Time       `json:"created_at"`
	SignsFrom     time.Time       `json:"signs_from"`
	SignsUntil    time.Time       `json:"signs_until,omitzero"`
	VerifiesUntil time.Time       `json:"verifies_until,omitzero"`
	RevokedAt     time.Time       `json:"revoked_at,omitzero"`
}

func newKeyResult(k oauth.SigningKey) keyResult {
	utc := func(t time.Time) time.Time {
		if t.IsZero() {
			return t
		}
		return t.UTC()
	}
	return keyResult{
		KeyID: k.KeyID, Algorithm: k.Algorithm, State: k.State, CreatedAt: utc(k.CreatedAt), SignsFrom: utc(k.SignsFrom),
		SignsUntil: utc(k.SignsUntil), VerifiesUntil: utc(k.VerifiesUntil), RevokedAt: utc(k.RevokedAt),
	}
}

// Run lists the keys.
func (c *signingKeyList) Run(ctx context.Context, out io.Writer) (err error) {
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	keys, err := (&oauth.KeyStore{DB: db, Now: time.Now, Random: rand.Reader}).List(ctx)
	if err != nil {
		return err
	}
	results := []keyResult{}
	for _, k := range keys {
		results = append(results, newKeyResult(k))
	}
	return c.print(out, results, func(w io.Writer) {
		row(w, "KID", "ALGORITHM", "STATE", "SIGNS FROM", "SIGNS UNTIL", "VERIFIES UNTIL", "REVOKED")
		for _, k := range keys {
			row(w, k.KeyID, string(k.Algorithm), string(k.State), showTime(k.SignsFrom), showTime(k.SignsUntil), showTime(k.VerifiesUntil), showTime(k.RevokedAt))
		}
	})
}

// keyStore opens the keys of the service. The caller closes the database.
func (p *place) keyStore(ctx context.Context) (*oauth.KeyStore, *sqldb.DB, error) {
	secret, err := p.secret()
	if err != nil {
		return nil, nil, err
	}
	db, err := p.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	store, err := server.NewKeyStore(db, secret, time.Now, rand.Reader)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return store, db, nil
}

// Run rotates the keys.
func (c *signingKeyRotate) Run(ctx context.Context, out io.Writer) (err error) {
	rotation := oauth.Rotation{Soon: c.Now}
	if c.Algorithm != "" {
		if rotation.Algorithm, err = oauth.ParseAlgorithm(c.Algorithm); err != nil {
			return usageError{fmt.Errorf("%w: give one of them with --algorithm", err)}
		}
	}
	store, db, err := c.keyStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	next, made, err := store.Rotate(ctx, rotation)
	if err != nil {
		return err
	}
	result := struct {
		Made bool      `json:"made"`
		Key  keyResult `json:"key"`
	}{made, newKeyResult(next)}
	return c.print(out, result, func(w io.Writer) {
		if made {
			fmt.Fprintf(w, "published the %s key %s: it signs from %s\n", next.Algorithm, next.KeyID, showTime(next.SignsFrom))
			return
		}
		fmt.Fprintf(w, "the %s key %s is published already: it signs from %s\n", next.Algorithm, next.KeyID, showTime(next.SignsFrom))
	})
}

// Run revokes a key.
func (c *signingKeyRevoke) Run(ctx context.Context, out io.Writer) (err error) {
	store, db, err := c.keyStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	revoked, err := store.Revoke(ctx, c.KeyID)
	if err != nil {
		return err
	}
	return c.print(out, newKeyResult(revoked), func(w io.Writer) {
		fmt.Fprintf(w, "the key %s is revoked since %s: its tokens are refused everywhere within 5 seconds\n", revoked.KeyID, showTime(revoked.RevokedAt))
	})
}
