package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/ratelimit"
)

// shared are the settings of what several processes of one service share beside the database.
type shared struct {
	RedisURLFile string `name:"redis-url-file" help:"A file with the address of the Redis in which all processes count their limits together: rediss://USER:PASSWORD@HOST:PORT/N. Or put the address itself into the variable GATEHOUSE_REDIS_URL. Without either, each process counts alone."`
	Replicas     int    `default:"1" help:"How many processes share the Redis. While it does not answer, each of them allows its share of every limit."`
}

// redisVariable holds the address of Redis. It is no flag: the password in it would be in the list of processes.
const redisVariable = "GATEHOUSE_REDIS_URL"

// maxReplicas is more than anybody runs: a larger number is a mistake that would close every limit.
const maxReplicas = 1000

// faults returns what is wrong with the settings.
func (s *shared) faults(dev bool) (faults []error) {
	address, err := s.redis()
	switch {
	case err != nil:
		faults = append(faults, err)
	case address != "":
		if err := redisAddress(address.Reveal(), dev); err != nil {
			faults = append(faults, err)
		}
	}
	if s.Replicas < 0 || s.Replicas > maxReplicas {
		faults = append(faults, fmt.Errorf("the number of processes is wrong: give --replicas from 1 to %d", maxReplicas))
	}
	return faults
}

// redis returns the address of Redis, or nothing where none is given.
func (s *shared) redis() (auth.Secret, error) {
	address := os.Getenv(redisVariable)
	switch {
	case s.RedisURLFile == "":
		return auth.Secret(address), nil
	case address != "":
		return "", fmt.Errorf("--redis-url-file and %s are two addresses of Redis: give one", redisVariable)
	}
	text, err := os.ReadFile(s.RedisURLFile)
	if err != nil {
		return "", fmt.Errorf("the file with the address of Redis cannot be read: %w", err)
	}
	if address = strings.TrimSpace(string(text)); address == "" {
		return "", errors.New("the file with the address of Redis is empty: write rediss://USER:PASSWORD@HOST:PORT/N into it")
	}
	return auth.Secret(address), nil
}

// redisAddress judges an address. It is not quoted, since it may hold a password.
func redisAddress(address string, dev bool) error {
	r, err := ratelimit.OpenRedis(address, nil)
	if err != nil {
		return err
	}
	defer r.Close()
	u, err := url.Parse(address)
	if err != nil {
		return errors.New("the address of Redis is wrong")
	}
	ip, err := netip.ParseAddr(u.Hostname())
	local := u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
	switch {
	case u.RawQuery != "" || u.ForceQuery:
		return errors.New("the address of Redis has options, such as skip_verify, and none are taken: give rediss://USER:PASSWORD@HOST:PORT/N")
	case u.Scheme == "redis" && !local && !dev:
		return errors.New("the address of Redis is on another machine and without TLS: give rediss://")
	}
	return nil
}
