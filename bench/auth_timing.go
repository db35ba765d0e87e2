package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	timingSamples = 200
	// timingAccounts are the accounts that mails are asked for: the service sends twenty mails a day to one.
	timingAccounts = timingSamples / 10
	// timingPause lets what the service puts off until after an answer be done before the next request: it would be measured with that.
	timingPause = 40 * time.Millisecond
	// significant is the p below which two samples differ, as one of a hundred pairs does that are alike.
	significant = 0.01
)

// question is what somebody asks who wants to know whether there is an account.
type question struct {
	what string
	want int
	path string
	// request returns the header and the body of the i-th request about an account that is there, or that is not.
	request func(i int, known bool) (http.Header, string)
}

// measureTiming asks about accounts that are there and that are not, in an order by chance, and compares how long the answers take (security.md
// 9). What else the machine does meets both alike.
func measureTiming(ctx context.Context, dir string, out io.Writer) (err error) {
	s, err := startService(ctx, dir, "", "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := s.addUsers(ctx, append(numbered("forgot-%d@example.com", timingAccounts), numbered("taken-%d@example.com", timingAccounts)...)); err != nil {
		return err
	}
	if err := s.addUsers(ctx, []string{"ann"}); err != nil {
		return err
	}
	email := func(account string, i int, known bool, more map[string]string) (http.Header, string) {
		fields := map[string]string{"email": fmt.Sprintf("nobody-%s-%d@example.com", account, i)}
		if known {
			fields["email"] = fmt.Sprintf("%s-%d@example.com", account, i%timingAccounts)
		}
		for name, value := range more {
			fields[name] = value
		}
		body, _ := json.Marshal(fields) // a map of texts always has a JSON form
		return http.Header{"Content-Type": {"application/json"}}, string(body)
	}
	questions := []question{
		{"a login with a wrong password", http.StatusBadRequest, "/token", func(_ int, known bool) (http.Header, string) {
			name := "bob"
			if known {
				name = "ann"
			}
			return formHeader.Clone(), url.Values{"grant_type": {"password"}, "username": {name}, "password": {"wrong horse"}}.Encode()
		}},
		{"a forgotten password", http.StatusAccepted, "/account/password-reset-mail", func(i int, known bool) (http.Header, string) {
			return email("forgot", i, known, nil)
		}},
		{"a registration", http.StatusAccepted, "/users", func(i int, known bool) (http.Header, string) {
			return email("taken", i, known, map[string]string{"password": authPassword})
		}},
	}
	fmt.Fprintf(out, "timing: %d samples of accounts that are there, and %d of accounts that are not, each over a new connection from an address of its own\n", timingSamples, timingSamples)
	for n, q := range questions {
		known, unknown, err := s.samples(ctx, byte(n+1), q)
		if err != nil {
			return fmt.Errorf("%s: %w", q.what, err)
		}
		r := mannWhitney(known, unknown)
		fmt.Fprintf(out, "  %-30s  median %7.2f ms known, %7.2f ms unknown; the known took longer in %.1f %% of all pairs, p = %.3f: %s\n",
			q.what, milliseconds(quantile(known, 0.5)), milliseconds(quantile(unknown, 0.5)), 100*r.longer, r.p, r.meaning())
	}
	fmt.Fprintln(out, "  Mann-Whitney: p is how likely pairs as unequal as these are where the time of an answer does not depend on the account.")
	return nil
}

// samples asks the question of either kind, in an order by chance.
func (s *service) samples(ctx context.Context, network byte, q question) (known, unknown []time.Duration, err error) {
	order := rand.Perm(2 * timingSamples)
	for n, i := range order {
		there := i < timingSamples
		header, body := q.request(i%timingSamples, there)
		from := net.IPv4(127, network, byte(n/200+1), byte(n%200+1))
		took, err := s.timed(ctx, from, "POST", q.path, header, body, q.want)
		if err != nil {
			return nil, nil, err
		}
		if there {
			known = append(known, took)
		} else {
			unknown = append(unknown, took)
		}
		time.Sleep(timingPause)
	}
	return known, unknown, nil
}

// meaning says what the test found, in words.
func (r rankSum) meaning() string {
	if r.p < significant {
		return "the time tells which accounts there are"
	}
	return "the time does not tell them apart"
}
