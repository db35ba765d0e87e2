package server

import (
	"time"

	"example.com/gatehouse/internal/ratelimit"
)

// badCredentials are the tokens and keys that one address may present in vain: more than a client that goes on with an old one sends, and
// less than a hundredth of the work of a core.
var badCredentials = ratelimit.Limit{Name: "credentials", Quota: 120, Window: time.Minute}

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
