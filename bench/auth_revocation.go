package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	// revocations is how many there are of each kind.
	revocations = 8
	// longestWait is when a token is taken for one that lives on.
	longestWait = 15 * time.Second
)

// measureRevocation starts two processes on one database, ends a credential in one of them or from the command line, and asks the other
// with it until it is refused.
func measureRevocation(ctx context.Context, dir string, out io.Writer) (err error) {
	const issuer = "http://gatehouse.example" // of both: a token of one is good at the other
	first, err := startService(ctx, dir, "", "", "--issuer", issuer)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, first.stop()) }()
	second, err := startService(ctx, dir, first.data, "", "--issuer", issuer)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, second.stop()) }()
	names := numbered("user-%d", 4*revocations)
	if err := first.addUsers(ctx, names); err != nil {
		return err
	}
	ends := []struct {
		what string
		end  func(name, token string) error
	}{
		{"a token by POST /revoke", func(_, token string) error {
			return first.expect(ctx, http.StatusOK, "POST", "/revoke", formHeader.Clone(), url.Values{"token": {token}}.Encode())
		}},
		{"a session by its logout", func(_, token string) error {
			return first.expect(ctx, http.StatusNoContent, "DELETE", "/users/me/sessions/current", bearerHeader(token), "")
		}},
		{"a user by gatehouse user disable", func(name, _ string) error { return first.administer(ctx, "user", "disable", name) }},
		{"a key by gatehouse signing-key revoke", func(_, token string) error {
			kid, err := keyID(token)
			if err != nil {
				return err
			}
			return first.administer(ctx, "signing-key", "revoke", kid, "--dev")
		}},
	}
	fmt.Fprintf(out, "revocation: how long a token goes on in a second process, %d of each, from before the revocation is asked for\n", revocations)
	var all []time.Duration
	for i, e := range ends {
		var lives []time.Duration
		for n := range revocations {
			life, err := lifeAfter(ctx, first, second, names[i*revocations+n], e.end)
			if err != nil {
				return fmt.Errorf("%s: %w", e.what, err)
			}
			lives = append(lives, life)
		}
		all = append(all, lives...)
		fmt.Fprintf(out, "  %-38s  longest %.2f s, median %.2f s\n", e.what, slices.Max(lives).Seconds(), quantile(lives, 0.5).Seconds())
	}
	fmt.Fprintf(out, "  the longest of all is %.2f s, and should stay below 5 s\n", slices.Max(all).Seconds())
	return nil
}

// lifeAfter returns how long a token of the user goes on in the second process after its end.
func lifeAfter(ctx context.Context, first, second *service, name string, end func(name, token string) error) (time.Duration, error) {
	token, err := first.grant(ctx, passwordForm(name, authPassword))
	if err != nil {
		return 0, err
	}
	// A key that has just been made is not known to the second process yet.
	if _, err := second.until(ctx, http.StatusOK, token); err != nil {
		return 0, err
	}
	began := time.Now()
	if err := end(name, token); err != nil {
		return 0, err
	}
	ended, err := second.until(ctx, http.StatusUnauthorized, token)
	return ended.Sub(began), err
}

// until asks with the token until the answer has the status, and returns when that was.
func (s *service) until(ctx context.Context, want int, token string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, longestWait)
	defer cancel()
	for {
		status, _, err := s.send(ctx, "GET", "/protected/bearer", bearerHeader(token), "")
		if err != nil {
			return time.Time{}, fmt.Errorf("the token is not answered %d within %s: %w", want, longestWait, err)
		}
		if status == want {
			return time.Now(), nil
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func bearerHeader(token string) http.Header {
	return http.Header{"Authorization": {"Bearer " + token}}
}

// expect sends a request and returns an error unless it is answered so.
func (s *service) expect(ctx context.Context, want int, method, path string, header http.Header, body string) error {
	status, answer, err := s.send(ctx, method, path, header, body)
	if err == nil && status != want {
		err = fmt.Errorf("%s %s answered %d instead of %d: %s", method, path, status, want, answer)
	}
	return err
}

// keyID returns the kid of a token.
func keyID(token string) (string, error) {
	head, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		return "", err
	}
	var header struct{ Kid string }
	err = json.Unmarshal(raw, &header)
	return header.Kid, err
}
