package server

import (
	"context"
	"io"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/oauth"
	"example.com/gatehouse/internal/ratelimit"
	"example.com/gatehouse/internal/session"
	"example.com/gatehouse/internal/sqldb"
)

// Tokens says how the access tokens of a service are signed and verified. The service and who administers it are wired here alike, so that
// what one takes for good the other does. All fields but Gate and Remembered are required.
type Tokens struct {
	DB *sqldb.DB
	// Issuer is the address of the service as clients see it, and the audience of its tokens.
	Issuer     string
	Exceptions *auth.Exceptions
	// Gate limits the tokens that are not good. Optional.
	Gate *ratelimit.Gate
	// Remembered is how many tokens are remembered that were good. 0: 10,000.
	Remembered int
	Now        func() time.Time
	Random     io.Reader
}

// Sessions returns the sessions. What has ended lately is among the exceptions.
func (t Tokens) Sessions(ctx context.Context) (*session.Store, error) {
	s := &session.Store{DB: t.DB, Exceptions: t.Exceptions, AccessTokenLifetime: oauth.MaxAge, Now: t.Now, Random: t.Random}
	return s, s.Refresh(ctx, t.Now().Add(-oauth.MaxAge))
}

// Open loads the signing keys, and returns what signs and what verifies with them.
func (t Tokens) Open(ctx context.Context, store *oauth.KeyStore) (*oauth.Signer, *oauth.Verifier, error) {
	keys, err := store.Load(ctx)
	if err != nil {
		return nil, nil, err
	}
	verifier, err := oauth.NewVerifier(oauth.VerifierConfig{Keys: keys, Issuer: t.Issuer, Audience: t.Issuer, Exceptions: t.Exceptions, Gate: t.Gate, Remembered: t.Remembered, Now: t.Now})
	if err != nil {
		return nil, nil, err
	}
	return &oauth.Signer{Keys: keys, Issuer: t.Issuer, Audience: t.Issuer, Exceptions: t.Exceptions, Now: t.Now, Random: t.Random}, verifier, nil
}
