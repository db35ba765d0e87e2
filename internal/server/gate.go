package server

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/problem"
)

// gate bounds how many requests are in work at once, and turns away those that it has no room for.
//
// A request has a place twice: while its caller is proven, which is the first moment that it can wait for a store and comes before any of
// its body is read, and while its handler works. Between and after these it waits for its client: for a body that trickles in, or for
// somebody who reads the answer a byte at a time. Whoever waits for a client has no place, or 256 slow clients would have all of them; what
// they hold is a connection, which has limits of its own. So a request that is turned away has cost its head, or at most its body and a decoder.
//
// Of those that wait the one that came last is the next. Under an overload the queue never empties: served in their order, all would
// wait for as long as any may, and be told no in the end where that is longer than their patience. Served from the end, those who are served
// are served soon, and the others are told after the longest wait. Where there is no room to wait, a request that has cost nothing yet is
// told at once, which is what makes an overload cheap; one whose body has arrived takes the room of the oldest.
type gate struct {
	places, room int
	wait         time.Duration

	mu      sync.Mutex
	taken   int
	waiting []chan bool // the newest is last; each is told whether it has a place
	shed    uint64
}

// shedRetryAfter is when those who were turned away may come back.
const shedRetryAfter = time.Second

func newGate(l Limits) *gate {
	return &gate{places: l.Concurrent, room: l.Waiting, wait: l.Wait}
}

// Enter takes a place, which the caller gives back with Leave where there is no error. It waits no longer than the context, nor than the
// gate allows.
func (g *gate) Enter(ctx context.Context, begun bool) error {
	g.mu.Lock()
	switch {
	case g.taken < g.places:
		g.taken++
		g.mu.Unlock()
		return nil
	case len(g.waiting) == g.room && (!begun || g.room == 0):
		g.shed++
		g.mu.Unlock()
		return overloaded()
	case len(g.waiting) == g.room:
		g.waiting[0] <- false
		g.waiting = slices.Delete(g.waiting, 0, 1)
	}
	told := make(chan bool, 1) // so that who tells does not wait
	g.waiting = append(g.waiting, told)
	g.mu.Unlock()
	patience := time.NewTimer(g.wait)
	defer patience.Stop()
	select {
	case entered := <-told:
		return g.answer(ctx, entered)
	case <-patience.C:
	case <-ctx.Done():
	}
	g.mu.Lock()
	if i := slices.Index(g.waiting, told); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
		told <- false
	}
	g.mu.Unlock()
	return g.answer(ctx, <-told) // which may have been told yes in the meantime
}

func (g *gate) answer(ctx context.Context, entered bool) error {
	switch {
	case entered:
		return nil
	case ctx.Err() != nil:
		return ctx.Err() // the client has gone, or the operation's time is over
	}
	g.mu.Lock()
	g.shed++
	g.mu.Unlock()
	return overloaded()
}

func overloaded() error {
	e := problem.Unavailable.New("the service is overloaded: repeat later")
	e.RetryAfter = shedRetryAfter
	return e
}

// Leave gives the place to the newest of those that wait, or back.
func (g *gate) Leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := len(g.waiting)
	if n == 0 {
		g.taken--
		return
	}
	g.waiting[n-1] <- true
	g.waiting = slices.Delete(g.waiting, n-1, n)
}

// state is how many places are taken, how many wait for one, and how many were turned away so far.
func (g *gate) state() (taken, waiting int, shed uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.taken, len(g.waiting), g.shed
}

// handlerInPlace runs handlers in a place. It is inside of what encodes and writes the answer.
func handlerInPlace(next api.StrictHandlerFunc, _ string) api.StrictHandlerFunc {
	return func(c echo.Context, request any) (any, error) {
		ctx := c.Request().Context()
		gate := guard.StateFrom(ctx).Gate()
		if gate == nil {
			return next(c, request)
		}
		if err := gate.Enter(ctx, true); err != nil {
			return nil, err
		}
		defer gate.Leave()
		return next(c, request)
	}
}

// probes are the operations that are never turned away: an orchestrator that is told 503 by a busy process kills it, and the load of it
// falls on the others.
var probes = []string{"getLivez", "getReadyz"}
