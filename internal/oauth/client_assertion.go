package oauth

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/sqldb"
)

// maxAssertionLifetime is how far away exp may be. An assertion is made for one request: what is good for longer only waits to be
// stolen, and is remembered for longer.
const maxAssertionLifetime = 5 * time.Minute

// assertions prove clients by what they have signed (RFC 7523 §2.2, §3; OpenID Connect Core §9).
type assertions struct {
	*Clients
	// audiences are the names of this authorization server.
	audiences []string
}

// audiences returns what an assertion may call us. RFC 7523 §3 has the address of the token endpoint, and so have most clients. It is
// ambiguous where a server can choose it in its metadata: since 2025 the advice is the issuer alone. We choose neither by
// what others say, so that both are safe. At /revoke and /introspect it is the same: a client has one way to name us.
func audiences(issuer string) []string { return []string{issuer, issuer + "/token"} }

// prove returns the client that has signed the assertion, which is used up by it. clientID is what else the request says of who it
// is: it may be left out (RFC 7521 §4.2), and must not name another one. prove returns auth.ErrInvalidCredential, wrapped,
// where the assertion is not good, for whatever reason; any other error means that it could not tell.
func (a assertions) prove(ctx context.Context, clientID *string, assertion auth.Secret) (Client, error) {
	parsed, err := preparse(assertion.Reveal())
	if err != nil {
		return Client{}, err
	}
	h, c := &parsed.header, &parsed.claims
	if err := checkAssertionType(h.typ); err != nil {
		return Client{}, err
	}
	if clientID != nil && *clientID != c.iss {
		return Client{}, refusal("client_id is not the client of the assertion")
	}
	client, err := a.holder(ctx, c)
	if err != nil {
		return Client{}, err
	}
	k, err := client.PublicKeys.find(h.kid)
	if err != nil {
		return Client{}, err
	}
	if k == nil {
		return Client{}, refusal("kid names no key of the client")
	}
	now := auth.Time(ctx, a.Now)
	for _, wrong := range []error{
		checkAlgorithm(h.alg, k),
		checkSignature(assertion.Reveal(), k),
		a.checkAudiences(c),
		checkExpiry(c, now),
		checkExpiresSoon(c, now),
		checkNotBefore(c, now),
		checkIssuedBefore(c, now),
		checkTokenID(c),
		checkUnbound(c),
	} {
		if wrong != nil {
			return Client{}, wrong
		}
	}
	return client, a.use(ctx, client.ID, c, now)
}

// holder returns the client that the assertion is about, which nobody has proved yet.
func (a assertions) holder(ctx context.Context, c *claims) (Client, error) {
	// The id of a client is a UUID. What is none does not get to the database, which may not take every text.
	if c.iss == "" || c.iss != c.sub || uuid.Validate(c.iss) != nil {
		return Client{}, refusal("iss and sub are not the id of one client")
	}
	client, err := a.Find(ctx, c.iss)
	if errors.Is(err, sqldb.ErrNotFound) || err == nil && (client.Disabled || client.Method != MethodPrivateKeyJWT) {
		return Client{}, refusal("iss names no client that proves itself by assertions")
	}
	return client, err
}

// use takes the assertion, in one statement: of two requests with one assertion, one gets a row. Assertions that have expired are
// forgotten in the same transaction, so that the table holds a few minutes of them however many there are.
func (a assertions) use(ctx context.Context, clientID string, c *claims, now time.Time) error {
	// What a client calls its assertion may be text that not every database takes. Its hash has one form.
	id := sha256.Sum256([]byte(c.jti))
	// Longer than it is good for, by as much as the clocks of two processes may be apart: else one of them could forget what
	// the other would take.
	expires := time.Unix(c.exp, 0).Add(2 * leeway)
	err := a.DB.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM client_assertions WHERE expires_at < $1`, now.UnixMicro()); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `
			INSERT INTO client_assertions (client_id, jti_sha256, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING client_id`,
			clientID, hex.EncodeToString(id[:]), expires.UnixMicro()).Scan(&clientID)
	})
	if errors.Is(err, sqldb.ErrNotFound) {
		return refusal("jti was used before")
	}
	return err
}

// checkAssertionType demands a type that an assertion may have: none, the general one, or that of
// draft-ietf-oauth-rfc7523bis. An access token has another one (RFC 8725 §3.12).
func checkAssertionType(typ string) error {
	if typ != "" && !strings.EqualFold(typ, "JWT") && !strings.EqualFold(typ, "client-authentication+jwt") {
		return refusal("typ is not that of an assertion")
	}
	return nil
}

// checkSignature proves the signature, by the algorithm of the key.
func checkSignature(token string, k *key) error {
	dot := strings.LastIndexByte(token, '.')
	signature, err := decodePart(token[dot+1:])
	if err != nil {
		return err
	}
	if Algorithm(k.algorithm).method().Verify(token[:dot], signature, k.public) != nil {
		return refusal("the signature is not that of the key")
	}
	return nil
}

// checkAudiences demands that the assertion was made for us and for nobody else: another server that it names could use it here
// (RFC 7523 §3 has a list in mind, but says nothing of who else may stand in it).
func (a assertions) checkAudiences(c *claims) error {
	foreign := func(aud string) bool { return !slices.Contains(a.audiences, aud) }
	if len(c.aud) == 0 || slices.ContainsFunc(c.aud, foreign) {
		return refusal("aud does not name us alone")
	}
	return nil
}

// checkExpiresSoon demands that exp is near.
func checkExpiresSoon(c *claims, now time.Time) error {
	if time.Unix(c.exp, 0).After(now.Add(maxAssertionLifetime + leeway)) {
		return refusal("exp is too far away")
	}
	return nil
}

// checkIssuedBefore demands that iat, where there is one (RFC 7523 §3), is not in the future.
func checkIssuedBefore(c *claims, now time.Time) error {
	if c.iat == 0 {
		return nil
	}
	return checkIssuedAt(c, now)
}
