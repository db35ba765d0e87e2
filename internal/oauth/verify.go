package oauth

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/maypok86/otter/v2"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/ratelimit"
)

const (
	// cacheSize bounds the tokens that are remembered, at about half a kilobyte each.
	cacheSize = 10_000
	// cacheFor is how long a token is remembered at most. Disabled accounts and not-before marks are asked on every call and
	// need no limit, and so is whether the key is in force. It could be as
	// long as the token: 30 s makes a busy token cost one verification (80 µs) in half a minute, which is nothing already.
	cacheFor = 30 * time.Second
)

// VerifierConfig is what a Verifier needs. All fields but Gate and Remembered are required.
type VerifierConfig struct {
	Keys *Keys
	// Issuer and Audience are compared byte for byte with iss and aud.
	Issuer   string
	Audience string
	// Exceptions are asked on every call.
	Exceptions *auth.Exceptions
	// Gate limits the tokens that are not good, by address. Optional.
	Gate *ratelimit.Gate
	// Remembered is how many tokens are remembered that were good. 0: 10,000.
	Remembered int
	Now        func() time.Time
}

// Verifier proves access tokens. It may be used by several goroutines at once.
type Verifier struct {
	config VerifierConfig
	// parsers have one algorithm each: the key says which of them reads the token.
	parsers map[string]*jwt.Parser
	// verified holds successes only, under the SHA-256 of the token: a dump of the memory has no
	// token in it, and the lookup takes the same time however alike two tokens are.
	verified *otter.Cache[[sha256.Size]byte, verified]
}

type verified struct {
	principal *auth.Principal
	// keyID is the kid of the key that signed the token. Where the key is not in force any more, nor is the entry.
	keyID string
	// until is when the entry ends, in nanoseconds since 1970.
	until int64
}

// NewVerifier returns a Verifier with an empty cache.
func NewVerifier(c VerifierConfig) (*Verifier, error) {
	if c.Keys == nil || c.Issuer == "" || c.Audience == "" || c.Exceptions == nil || c.Now == nil {
		return nil, errors.New("the verifier of access tokens needs keys, issuer, audience, exceptions and a clock")
	}
	cache, err := otter.New(&otter.Options[[sha256.Size]byte, verified]{MaximumSize: cmp.Or(c.Remembered, cacheSize)})
	if err != nil {
		return nil, err
	}
	parsers := make(map[string]*jwt.Parser)
	for _, a := range Algorithms() {
		parsers[string(a)] = jwt.NewParser(
			jwt.WithValidMethods([]string{string(a)}),
			jwt.WithIssuer(c.Issuer),
			jwt.WithAudience(c.Audience),
			jwt.WithExpirationRequired(),
			jwt.WithIssuedAt(),
			jwt.WithLeeway(leeway),
			jwt.WithTimeFunc(c.Now),
			jwt.WithStrictDecoding(),
		)
	}
	return &Verifier{config: c, parsers: parsers, verified: cache}, nil
}

// Verify returns the principal of an access token, or an error that wraps auth.ErrInvalidCredential. The principal is shared
// between calls. Verify reads no database and opens no connection.
func (v *Verifier) Verify(ctx context.Context, bearer auth.BearerToken) (*auth.Principal, error) {
	token := bearer.Reveal()
	if len(token) > maxTokenBytes { // Before the hash, which would cost 30 ms for 10 MB.
		return nil, refusal("longer than 8 KiB")
	}
	now := auth.Time(ctx, v.config.Now)
	// Tokens of the usual length are hashed from the stack: the conversion to bytes would allocate a copy of each.
	var usual [1 << 10]byte
	hash := sha256.Sum256(append(usual[:0], token...))
	principal, found := v.recall(hash, now)
	if !found {
		// What is no JWT costs nothing to refuse, and may be good for another scheme that reads the same header: it is not counted.
		if strings.Count(token, ".") != 2 {
			return nil, refusal("not three parts")
		}
		address := ratelimit.AddressKey(auth.Address(ctx))
		if err := v.config.Gate.Enter(now, address); err != nil {
			return nil, err
		}
		e, err := v.verify(token, now)
		if err != nil {
			return nil, err
		}
		v.config.Gate.Passed(now, address)
		if principal = e.principal; e.until > now.UnixNano() {
			v.verified.Set(hash, e)
		}
	}
	if reason := v.config.Exceptions.Reason(principal); reason != "" {
		return nil, ended{refusal(reason)}
	}
	return principal, nil
}

// recall returns the principal of a token that was verified a short while ago, by a key that is still in force.
func (v *Verifier) recall(hash [sha256.Size]byte, now time.Time) (*auth.Principal, bool) {
	e, found := v.verified.GetIfPresent(hash)
	if !found {
		return nil, false
	}
	if now.UnixNano() >= e.until || v.config.Keys.find(e.keyID, now) == nil {
		v.verified.Invalidate(hash)
		return nil, false
	}
	return e.principal, true
}

// verify proves a token and says how long it may be remembered.
func (v *Verifier) verify(token string, now time.Time) (verified, error) {
	parsed, err := preparse(token)
	if err != nil {
		return verified{}, err
	}
	k, err := v.key(&parsed.header, now)
	if err != nil {
		return verified{}, err
	}
	c := &parsed.claims
	if err := v.check(token, k, c, now); err != nil {
		return verified{}, err
	}
	until := now.Add(cacheFor)
	if exp := time.Unix(c.exp, 0); exp.Before(until) {
		until = exp
	}
	return verified{principal: newPrincipal(c), keyID: k.id, until: until.UnixNano()}, nil
}

// key returns the key that the header names, where the header fits it.
func (v *Verifier) key(h *header, now time.Time) (*key, error) {
	if err := checkType(h.typ); err != nil {
		return nil, err
	}
	if !validKeyID(h.kid) {
		return nil, refusal("kid is missing or malformed")
	}
	k := v.config.Keys.find(h.kid, now)
	if k == nil {
		return nil, refusal("kid names no key in force")
	}
	return k, checkAlgorithm(h.alg, k)
}

// check proves the signature, then each claim. golang-jwt checks the claims that it knows as well, with every
// strict option: an error in one of the two readers opens nothing by itself.
func (v *Verifier) check(token string, k *key, c *claims, now time.Time) error {
	_, err := v.parsers[k.algorithm].ParseWithClaims(token, &jwt.RegisteredClaims{}, func(*jwt.Token) (any, error) { return k.public, nil })
	// golang-jwt looks at the claims last: this one error says that the signature is good.
	if err != nil && !errors.Is(err, jwt.ErrTokenInvalidClaims) {
		return refusal("the signature is not that of the key")
	}
	for _, wrong := range []error{
		checkIssuer(c, v.config.Issuer),
		checkAudience(c, v.config.Audience),
		checkExpiry(c, now),
		checkNotBefore(c, now),
		checkIssuedAt(c, now),
		checkLifetime(c),
		checkSubject(c),
		checkClient(c),
		checkTokenID(c),
		checkSession(c),
		checkScope(c),
		checkUnbound(c),
	} {
		if wrong != nil {
			return wrong
		}
	}
	if err != nil {
		return refusal("golang-jwt refuses a claim")
	}
	return nil
}

func newPrincipal(c *claims) *auth.Principal {
	p := &auth.Principal{Subject: c.sub, ClientID: c.clientID, SessionID: c.sid, TokenID: c.jti, IssuedAt: time.Unix(c.iat, 0)}
	if c.scope != nil {
		p.Scopes = auth.NewScopes(strings.Split(*c.scope, " ")...)
	}
	return p
}
