package server

import (
	"time"

	"example.com/gatehouse/internal/ratelimit"
)

// limiter counts requests, failed logins and mails: ratelimit.Memory, or ratelimit.Shared where processes count together.
type limiter interface {
	Take(now time.Time, l ratelimit.Limit, key string, cost int) ratelimit.Decision
	GiveBack(now time.Time, l ratelimit.Limit, key string, cost int)
	Reset(now time.Time, l ratelimit.Limit, key string)
}

// newLimiter returns the limiter of the settings.
func (s *Server) newLimiter() (limiter, error) {
	c := s.config
	local := ratelimit.NewMemory(c.Limits.Buckets)
	if c.Redis == "" {
		return local, nil
	}
	key, err := derive(c.Secret, "limits in redis")
	if err != nil {
		return nil, err
	}
	redis, err := ratelimit.OpenRedis(c.Redis.Reveal(), key)
	if err != nil {
		return nil, err
	}
	s.shared = ratelimit.NewShared(ratelimit.SharedConfig{Redis: redis, Local: local, Replicas: max(c.Replicas, 1), Log: c.Log})
	return s.shared, nil
}
