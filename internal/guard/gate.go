package guard

import (
	"context"

	"github.com/labstack/echo/v4"
)

// Gate bounds the requests that are in work at once.
type Gate interface {
	// Enter takes a place or returns why there is none. It may wait, for no longer than ctx. begun says that work has been done for the
	// request already, which would be lost. Whoever got no error calls Leave.
	Enter(ctx context.Context, begun bool) error
	Leave()
}

// Gate is what bounds the operation of the request, or nil. The guard enters it while it proves who is calling, and the server
// while the handler works: a request that waits for its client has no place.
func (s *State) Gate() Gate {
	if s.route == nil {
		return nil
	}
	return s.route.gate
}

// authenticateInPlace is authenticate in a place of the gate. Operations that are open to everybody enter too: it is the last moment
// to turn a request away before any of its body is read.
func (rt *route) authenticateInPlace(c echo.Context, s *State) error {
	if rt.gate == nil {
		return rt.authenticate(c, s)
	}
	if err := rt.gate.Enter(s, false); err != nil {
		return err
	}
	defer rt.gate.Leave()
	return rt.authenticate(c, s)
}
