package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// verifyAlgorithms are those of --signing-algorithm, each with how many different tokens are sent. RS256 signs slowly, and verifies slowly
// enough that fewer show it.
var verifyAlgorithms = []struct {
	name     string
	distinct int
}{{"EdDSA", 15_000}, {"ES256", 15_000}, {"RS256", 4000}}

const (
	cachedRequests    = 45_000
	verifyConnections = 16
	// sentBefore are distinct tokens that are sent before it is measured, so that the service is warm and has pages for what it remembers.
	sentBefore = 1000
)

// measureVerify sends GET /protected/bearer, once with 256 tokens that rotate and are remembered, and once with tokens of which none comes
// twice, so that each is verified. The difference is what a verification costs, beside golang-jwt alone.
func measureVerify(ctx context.Context, dir string, out io.Writer) error {
	fmt.Fprintf(out, "verify: GET /protected/bearer on %d connections, server on core %s, load on core %s\n", verifyConnections, serverCore, loadCore)
	fmt.Fprintf(out, "  %-6s %26s %26s %14s %14s %7s\n", "", "tokens are remembered", "each token is new", "difference", "golang-jwt", "ratio")
	for _, a := range verifyAlgorithms {
		if err := verifyOf(ctx, dir, a.name, a.distinct, out); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "  CPU of the server process for a request, and how many that is a second per core; the ratio is that of difference and golang-jwt")
	return nil
}

func verifyOf(ctx context.Context, dir, algorithm string, distinct int, out io.Writer) (err error) {
	s, err := startService(ctx, dir, "", serverCore, "--signing-algorithm", algorithm)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	tokens, err := s.clientTokens(ctx, sentBefore+distinct+tokenCount)
	if err != nil {
		return err
	}
	bare, err := s.bareVerify(ctx, algorithm, tokens)
	if err != nil {
		return err
	}
	// What a token is remembered by is its use, so the new ones come first and in no order.
	if _, err := s.cpuPerRequest(ctx, dir, tokens[:sentBefore], sentBefore); err != nil {
		return err
	}
	miss, err := s.cpuPerRequest(ctx, dir, tokens[sentBefore:sentBefore+distinct], distinct)
	if err != nil {
		return err
	}
	rotating := tokens[sentBefore+distinct:]
	if _, err := s.cpuPerRequest(ctx, dir, rotating, len(rotating)); err != nil {
		return err
	}
	hit, err := s.cpuPerRequest(ctx, dir, rotating, cachedRequests)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  %-6s %9.1f µs %10.0f/s %11.1f µs %10.0f/s %11.1f µs %11.1f µs %7.2f\n",
		algorithm, 1e6*hit, 1/hit, 1e6*miss, 1/miss, 1e6*(miss-hit), 1e6*bare, (miss-hit)/bare)
	return nil
}

// cpuPerRequest returns the seconds of CPU that the server takes for each of so many requests, with tokens that rotate.
func (s *service) cpuPerRequest(ctx context.Context, dir string, tokens []string, requests int) (float64, error) {
	m := modes["get"]
	m.heads = func(*server) []string {
		var heads []string
		for _, token := range tokens {
			heads = append(heads, head(s.server, "GET /protected/bearer", "Authorization: Bearer "+token+"\r\n"))
		}
		return heads
	}
	before, err := cpu(s.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	if _, err := putLoad(ctx, dir, s.server, m, requests, verifyConnections); err != nil {
		return 0, err
	}
	after, err := cpu(s.cmd.Process.Pid)
	return (after - before).Seconds() / float64(requests), err
}

// clientTokens returns so many access tokens of an OAuth client, all different, in no order. Those of a user would each begin a session.
func (s *service) clientTokens(ctx context.Context, n int) ([]string, error) {
	answer, err := s.ask(ctx, "client", "add", "bench", "--dev", "--scope", "items:read", "--json")
	if err != nil {
		return nil, err
	}
	var client struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	if err := json.Unmarshal(answer, &client); err != nil {
		return nil, err
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {client.ID}, "client_secret": {client.Secret}}
	var mu sync.Mutex
	var tokens []string
	err = inParallel(2*runtime.NumCPU(), make([]string, n), func(string) error {
		token, err := s.grant(ctx, form)
		mu.Lock()
		defer mu.Unlock()
		tokens = append(tokens, token)
		return err
	})
	rand.Shuffle(len(tokens), func(i, j int) { tokens[i], tokens[j] = tokens[j], tokens[i] })
	return tokens, err
}

// bareVerify returns the seconds of CPU that golang-jwt takes in this process for a token with its registered claims.
func (s *service) bareVerify(ctx context.Context, algorithm string, tokens []string) (float64, error) {
	_, answer, err := s.send(ctx, "GET", "/.well-known/jwks.json", nil, "")
	if err != nil {
		return 0, err
	}
	key, err := publicKey(answer, algorithm)
	if err != nil {
		return 0, err
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{algorithm}), jwt.WithExpirationRequired(), jwt.WithTimeFunc(time.Now))
	keyFor := func(*jwt.Token) (any, error) { return key, nil }
	verify := func(i int) error {
		_, err := parser.ParseWithClaims(tokens[i], &jwt.RegisteredClaims{}, keyFor)
		return err
	}
	const n = 3000
	if len(tokens) < n {
		return 0, errors.New("there are too few tokens to verify")
	}
	for _, i := range slices.Sorted(slices.Values([]int{0, n - 1})) { // warm
		if err := verify(i); err != nil {
			return 0, err
		}
	}
	return ownCPU(n, verify)
}
