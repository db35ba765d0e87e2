package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// abuseLogins guesses at one account from one address, 100 guesses at once, while its owner logs in from elsewhere and from a known
// browser; then 100 good logins at once.
func abuseLogins(ctx context.Context, a *abuse) (err error) {
	fmt.Fprintln(a.out, "logins: 100 wrong ones of one account at once, limit 10; then 100 right ones")
	v, err := a.startVictim(ctx, unquota, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.stop()) }()
	if err := v.addUsers(ctx, []string{"ann"}); err != nil {
		return err
	}
	attacker, owner := net.IPv4(127, 0, 0, 66), net.IPv4(127, 0, 0, 7)
	device, err := v.logInByPage(ctx, owner, "")
	if err != nil {
		return err
	}
	for _, during := range []struct {
		name  string
		logIn func() error
	}{
		{"its owner from another address", func() error {
			_, err := v.timed(ctx, owner, "POST", "/token", formHeader.Clone(), passwordForm("ann", authPassword).Encode(), http.StatusOK)
			return err
		}},
		{"its owner at the address of the attack, in a browser that is known", func() error {
			_, err := v.logInByPage(ctx, attacker, device)
			return err
		}},
	} {
		time.Sleep(61 * time.Second) // all places are there again, and no password is remembered, which would cost no hash
		before, err := v.metric(ctx, "gatehouse_hash_wait_seconds_count", "")
		if err != nil {
			return err
		}
		var passed error
		var others sync.WaitGroup
		others.Go(func() {
			time.Sleep(20 * time.Millisecond) // the attack has begun
			passed = during.logIn()
		})
		tally := v.logInAtOnce(ctx, attacker, func(i int) string { return fmt.Sprintf("wrong password %d", i) })
		others.Wait()
		hashes, err := v.metric(ctx, "gatehouse_hash_wait_seconds_count", "")
		if err != nil {
			return err
		}
		a.say(hashes-before <= 11 && tally[http.StatusOK] == 0, "100 wrong: %v; %.0f hashes, one of them of the owner (11)", tally, hashes-before)
		a.say(passed == nil, "%s: %v", during.name, orPassed(passed))
	}
	time.Sleep(31 * time.Second)
	tally := v.logInAtOnce(ctx, net.IPv4(127, 0, 0, 8), func(int) string { return authPassword })
	a.say(tally[http.StatusOK] == 100, "100 right: %v", tally)
	return nil
}

func orPassed(err error) any {
	if err != nil {
		return err
	}
	return "passed"
}

// logInAtOnce asks for 100 tokens at once and counts the answers.
func (v *victim) logInAtOnce(ctx context.Context, from net.IP, password func(int) string) map[int]int {
	var mu sync.Mutex
	tally := map[int]int{}
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			status := v.status(ctx, from, "POST", "/token", formHeader.Clone(), passwordForm("ann", password(i)).Encode())
			mu.Lock()
			defer mu.Unlock()
			tally[status]++
		})
	}
	wg.Wait()
	return tally
}

// status sends one request from an address and returns the status, 0 where there is no answer.
func (v *victim) status(ctx context.Context, from net.IP, method, path string, header http.Header, body string) int {
	transport := &http.Transport{DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}).DialContext}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+v.address+path, strings.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header = header
	res, err := transport.RoundTrip(req)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// logInByPage sends the form of the login page as ann's browser does, with the cookie of a device where there is one, and returns the
// cookie that it sets.
func (v *victim) logInByPage(ctx context.Context, from net.IP, device string) (string, error) {
	transport := &http.Transport{DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}).DialContext}
	defer transport.CloseIdleConnections()
	base := "http://" + v.address
	request := url.Values{
		"response_type": {"code"}, "client_id": {"first-party"}, "redirect_uri": {base + "/docs/oauth2-redirect.html"}, "scope": {"openid"},
		"code_challenge": {strings.Repeat("A", 43)}, "code_challenge_method": {"S256"},
	}
	form := url.Values{"username": {"ann"}, "password": {authPassword}, "request": {request.Encode()}}
	req, err := http.NewRequestWithContext(ctx, "POST", base+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	if device != "" {
		req.Header.Set("Cookie", "__Host-device="+device)
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	for _, c := range res.Cookies() {
		if c.Name == "__Host-device" && res.StatusCode == http.StatusSeeOther {
			return c.Value, nil
		}
	}
	text, _ := io.ReadAll(res.Body)
	return "", fmt.Errorf("POST /login answered %d: %.200s", res.StatusCode, text)
}

// abuseAddresses sends a million requests from a million addresses.
func abuseAddresses(ctx context.Context, a *abuse) (err error) {
	const requests = 1_000_000
	fmt.Fprintln(a.out, "addresses: a million requests, each from another address, as a trusted proxy forwards them")
	v, err := a.startVictim(ctx, asItIs, "", "--trusted-proxy", "127.0.0.0/8")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.stop()) }()
	f, err := a.flood(ctx, map[string]any{
		"Address": v.address, "From": loopback(1), "Connections": 32, "Requests": requests, "Seconds": 240,
		"Heads": []string{head(v.server, "GET /protected", "")}, "Forwarded": true,
	})
	if err != nil {
		return err
	}
	peak, err := peakMiB(v.cmd.Process.Pid)
	if err != nil {
		return err
	}
	answered := 0
	for _, n := range f.Statuses {
		answered += n
	}
	a.say(answered == requests && f.Statuses[401]+f.Statuses[429] == answered, "%s in %.0f s", f.told(), f.Wall.Seconds())
	a.say(peak <= 150, "at most %.0f MiB resident (150)", peak)
	return nil
}

// abuseForwarded sends a thousand made-up addresses in X-Forwarded-For from one that is not trusted.
func abuseForwarded(ctx context.Context, a *abuse) (err error) {
	fmt.Fprintln(a.out, "forwarded: a thousand requests from one address, each with another X-Forwarded-For, limit 600 a minute")
	v, err := a.startVictim(ctx, asItIs, "", "--trusted-proxy", "10.0.0.0/8")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.stop()) }()
	f, err := a.flood(ctx, map[string]any{
		"Address": v.address, "From": loopback(1), "Connections": 4, "Requests": 1000, "Seconds": 60,
		"Heads": []string{head(v.server, "GET /protected", "")}, "Forwarded": true,
	})
	if err != nil {
		return err
	}
	// Places come back while it runs: ten a second.
	most := 600 + int(f.Wall.Seconds()*10) + 1
	a.say(f.Statuses[401] <= most && f.Statuses[401]+f.Statuses[429] == 1000, "%s: %d are let in (%d)", f.told(), f.Statuses[401], most)
	return nil
}

// abuseTokens compares the CPU of a refused token with that of the baseline, behind the limit on failures.
func abuseTokens(ctx context.Context, a *abuse) (err error) {
	fmt.Fprintln(a.out, "tokens: GET /protected/bearer with tokens that are not good, beside the baseline, which verifies each")
	v, err := a.startVictim(ctx, unquota, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.stop()) }()
	values, err := credentials(filepath.Join(v.data, "dev.env"))
	if err != nil {
		return err
	}
	token, err := v.token(ctx, values, "")
	if err != nil {
		return err
	}
	v.tokens = spoiled(token)
	base, err := startBaseline(ctx, a.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, base.stop()) }()
	base.tokens = spoiled(base.tokens[0])
	micros := make([][]float64, 2)
	for round := range 6 {
		for i, s := range []*server{v.server, base} {
			before, err := cpu(s.cmd.Process.Pid)
			if err != nil {
				return err
			}
			f, err := a.flood(ctx, map[string]any{
				"Address": s.address, "From": loopback(1), "Connections": 16, "Requests": 30_000, "Seconds": 60, "Heads": modes["get"].heads(s),
			})
			if err != nil {
				return err
			}
			after, err := cpu(s.cmd.Process.Pid)
			if err != nil {
				return err
			}
			if round == 0 {
				fmt.Fprintf(a.out, "  %s: %s\n", s.name, f.told())
				continue // it warms up, and the limit is spent
			}
			micros[i] = append(micros[i], float64((after-before).Microseconds())/30_000)
		}
	}
	ratio := median(micros[0]) / median(micros[1])
	a.say(ratio <= 0.75, "%.1f µs of CPU for a refusal, %.1f for one of the baseline: ratio %.2f (0.75)", median(micros[0]), median(micros[1]), ratio)
	return nil
}

// spoiled are tokens whose signature is not that of the key, each another one.
func spoiled(token string) (list []string) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	dot := strings.LastIndexByte(token, '.')
	for i := range 64 {
		for j := range 4 {
			at := dot + 2 + j
			changed := []byte(token)
			if changed[at] == letters[i] {
				continue
			}
			changed[at] = letters[i]
			list = append(list, string(changed))
		}
	}
	return list
}
