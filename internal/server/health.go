package server

import (
	"context"
	"sync/atomic"
	"time"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/problem"
)

// health answers the probes of orchestrators and load balancers.
type health struct {
	ping     func(context.Context) error
	draining atomic.Bool
}

// pingTimeout is shorter than the timeout of common probes (1 s), so that a hanging database is told as unready.
const pingTimeout = 800 * time.Millisecond

func (*health) GetLivez(context.Context, api.GetLivezRequestObject) (api.GetLivezResponseObject, error) {
	return api.GetLivez200JSONResponse{Status: api.HealthStatusOk}, nil
}

func (h *health) GetReadyz(ctx context.Context, _ api.GetReadyzRequestObject) (api.GetReadyzResponseObject, error) {
	if h.draining.Load() {
		return nil, problem.Unavailable.New("the service is shutting down")
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if err := h.ping(ctx); err != nil {
		return nil, err
	}
	return api.GetReadyz200JSONResponse{Status: api.HealthStatusOk}, nil
}
