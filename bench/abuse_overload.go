package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"example.com/gatehouse/bench/bodies"
)

// abuseByLoad measures what the server can answer, and then sends four times as much for a minute.
func abuseByLoad(ctx context.Context, a *abuse) (err error) {
	const minute, warm = 60, 10
	fmt.Fprintf(a.out, "overload: four times as much as one core can answer, for %d s\n", minute)
	v, err := a.startVictim(ctx, unquota, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.stop()) }()
	if err := v.logIn(ctx, filepath.Join(v.data, "dev.env")); err != nil {
		return err
	}
	for _, m := range []struct {
		name string
		mode mode
		want int
	}{
		{"POST /items, which writes", mode{heads: bearer("POST /items", "Content-Type: application/json\r\n"), bodies: bodies.Items(64)}, http.StatusCreated},
		{"POST /token with a password, which hashes", mode{heads: func(s *server) []string {
			return []string{head(s, "POST /token", "Content-Type: application/x-www-form-urlencoded\r\n")}
		}, bodies: strangers(8192)}, http.StatusBadRequest},
	} {
		fmt.Fprintln(a.out, "  "+m.name)
		plan := map[string]any{
			"Address": v.address, "From": loopback(8), "Connections": 32, "Seconds": warm, "Heads": m.mode.heads(v.server), "Bodies": m.mode.bodies,
		}
		before, err := v.goroutines(ctx)
		if err != nil {
			return err
		}
		can, err := a.flood(ctx, plan)
		if err != nil {
			return err
		}
		capacity := float64(can.Statuses[m.want]) / can.Wall.Seconds()
		a.say(len(can.Statuses) == 1 && can.Closed == 0, "before: %s, %.0f a second", can.told(), capacity)

		plan["Rate"], plan["Connections"], plan["Seconds"] = 4*capacity, 1024, minute
		watch, err := a.askAlive(ctx, v)
		if err != nil {
			return err
		}
		f, err := a.flood(ctx, plan)
		if err := errors.Join(err, watch.end(a)); err != nil {
			return err
		}
		// How fast the disk is changes within minutes on a machine that is shared: what it can is measured again.
		plan["Rate"], plan["Connections"], plan["Seconds"] = 0, 32, warm
		can, err = a.flood(ctx, plan)
		if err != nil {
			return err
		}
		capacity = (capacity + float64(can.Statuses[m.want])/can.Wall.Seconds()) / 2
		fmt.Fprintf(a.out, "  after: %s; %.0f a second in the mean of both\n", can.told(), capacity)
		sent := f.Closed
		for _, n := range f.Statuses {
			sent += n
		}
		good := float64(f.Statuses[m.want]) / f.Wall.Seconds()
		others := sent - f.Statuses[m.want] - f.Statuses[503] - f.Statuses[429]
		fmt.Fprintf(a.out, "  %.1f times as much: %s\n", float64(sent)/f.Wall.Seconds()/capacity, f.told())
		a.say(good >= 0.8*capacity, "%.0f good ones a second, %.0f %% of what it can (80)", good, 100*good/capacity)
		a.say(others == 0, "%d answers that are none of %d, 503 and 429 (0)", others, m.want)
		a.say(f.P99[503] <= 500, "99 of 100 refusals within %.0f ms (500)", f.P99[503])
		after := before
		for range 30 { // connections of the flood end
			if after, err = v.goroutines(ctx); err != nil {
				return err
			}
			if after <= before+5 {
				break
			}
			time.Sleep(time.Second)
		}
		a.say(after <= before+5, "goroutines: %.0f before, %.0f after (5 more)", before, after)
	}
	peak, err := peakMiB(v.cmd.Process.Pid)
	a.say(peak <= 300, "at most %.0f MiB resident (300)", peak)
	return err
}

// strangers are logins of names that nobody has: each costs a hash, as a good one does that is not remembered.
func strangers(n int) (bodies []string) {
	for i := range n {
		bodies = append(bodies, passwordForm(fmt.Sprintf("stranger-%d", i), authPassword).Encode())
	}
	return bodies
}

func (v *victim) goroutines(ctx context.Context) (float64, error) {
	return v.metric(ctx, "go_goroutines", "")
}
