package ratelimit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// redisTimeout bounds what one question to Redis may take: a request that waits for it is slower by that, and no more. On the network of
// one data centre an answer takes less than 1 ms.
const redisTimeout = 50 * time.Millisecond

// keyTTLExtra is how long Redis keeps a bucket after it is full again. Without it, one that has a fraction of a millisecond to go would
// be set to expire at once.
const keyTTLExtra = time.Second

// redisScript is take and giveBack of gcra.go where the state is: one round trip, and nobody in between. A cost below zero gives back.
// The clock is that of Redis, so that replicas whose clocks differ count alike; ARGV[4] is another one for tests. It returns whether the
// request is allowed, the microseconds until the bucket is full, and those until the places are free.
const redisScript = `
local interval, capacity, cost, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if now == 0 then
	local time = redis.call('TIME')
	now = time[1] * 1000000 + time[2]
end
local full = tonumber(redis.call('GET', KEYS[1]) or 0)
local next = math.max(full, now) + interval * cost
if cost < 0 then
	next = math.max(full + interval * cost, math.min(now, full))
elseif next - now > capacity then
	return {0, math.max(full - now, 0), next - now - capacity}
end
if next > now then
	redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000) + tonumber(ARGV[5]))
else
	redis.call('DEL', KEYS[1])
end
return {1, next - now, 0}`

// Redis keeps buckets where all replicas can count together. It may be used by several goroutines at once.
type Redis struct {
	client *redis.Client
	script *redis.Script
	// secret is what keys are hashed with: neither addresses nor user names stand in Redis.
	secret []byte
	// clock is what tests set. Nil: that of Redis.
	clock func() time.Time
	// timeout bounds a question.
	timeout time.Duration
}

// OpenRedis returns the buckets in the Redis that the address names, redis://[USER:PASSWORD@]HOST:PORT/N, or rediss:// for TLS. It does
// not connect: that Redis is away stops no start. Errors do not quote the address, which may hold a password. All replicas must
// have one secret.
func OpenRedis(address string, secret []byte) (*Redis, error) {
	return openRedis(address, secret, redisTimeout)
}

func openRedis(address string, secret []byte, timeout time.Duration) (*Redis, error) {
	o, err := redis.ParseURL(address)
	if err != nil {
		return nil, errors.New("the address of Redis is wrong: give redis://USER:PASSWORD@HOST:PORT/N, or rediss:// for TLS")
	}
	// It would write to standard error, for the whole process. What fails is returned.
	logging.Disable()
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = timeout, timeout, timeout, timeout
	o.ContextTimeoutEnabled = true
	// A question that has failed is not asked again: the first may have counted, and the time is up.
	o.MaxRetries, o.DialerRetries = -1, 1
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return &Redis{client: redis.NewClient(o), script: redis.NewScript(redisScript), secret: secret, timeout: timeout}, nil
}

// Take does what Memory.Take does. The context of the request is not asked: a client that goes away has been counted or has not been.
func (r *Redis) Take(l Limit, key string, cost int) (Decision, error) {
	rate := l.rate()
	if rate.capacity == 0 {
		return Decision{RetryAfter: microseconds(rate.interval)}, nil
	}
	// More places than a bucket has are refused for ever, with numbers that floating point holds.
	cost = min(cost, int(rate.capacity/rate.interval)+1)
	answer, err := r.run(l, rate, key, cost)
	switch {
	case err != nil:
		return Decision{}, err
	case answer[0] == 1:
		return rate.allow(answer[1]), nil
	}
	return Decision{RetryAfter: microseconds(answer[2]), Reset: microseconds(answer[1])}, nil
}

// GiveBack does what Memory.GiveBack does.
func (r *Redis) GiveBack(l Limit, key string, cost int) error {
	rate := l.rate()
	if rate.capacity == 0 {
		return nil
	}
	_, err := r.run(l, rate, key, -cost)
	return err
}

// Reset does what Memory.Reset does.
func (r *Redis) Reset(l Limit, key string) error {
	ctx, cancel := context.WithTimeout(context.Background(), r.timeout)
	defer cancel()
	return r.client.Del(ctx, r.bucket(l, key)).Err()
}

// Close ends the connections.
func (r *Redis) Close() error { return r.client.Close() }

// run asks the script. Its answer has three numbers.
func (r *Redis) run(l Limit, rate rate, key string, cost int) ([]int64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), r.timeout)
	defer cancel()
	var now int64
	if r.clock != nil {
		now = r.clock().UnixMicro()
	}
	answer, err := r.script.Run(ctx, r.client, []string{r.bucket(l, key)}, rate.interval, rate.capacity, cost, now, keyTTLExtra.Milliseconds()).Int64Slice()
	if err == nil && len(answer) != 3 {
		err = fmt.Errorf("redis answered %d numbers and not 3", len(answer))
	}
	return answer, err
}

// bucket is the key in Redis. The name of the limit is readable, for operators.
func (r *Redis) bucket(l Limit, key string) string {
	mac := hmac.New(sha256.New, r.secret)
	io.WriteString(mac, key)
	return "gatehouse:limit:" + l.Name + ":" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}
