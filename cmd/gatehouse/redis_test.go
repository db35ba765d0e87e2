package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRedisSettings(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	good, empty := write("good", "rediss://user:hunter2@redis.example.com:6380/3\n"), write("empty", "\n")
	for _, row := range []struct {
		name     string
		dev      bool
		variable string
		settings shared
		says     string
	}{
		{"none", false, "", shared{Replicas: 1}, ""},
		{"a file", false, "", shared{RedisURLFile: good, Replicas: 3}, ""},
		{"the variable", false, "redis://127.0.0.1:6379", shared{}, ""},
		{"this machine by name", false, "redis://localhost/1", shared{}, ""},
		{"this machine by IPv6", false, "redis://[::1]:6379", shared{}, ""},
		{"another machine in development", true, "redis://redis.example.com", shared{}, ""},
		{"another machine without TLS", false, "redis://user:hunter2@redis.example.com", shared{}, "without TLS: give rediss://"},
		{"a certificate that is not looked at", false, "rediss://user:hunter2@redis.example.com?skip_verify=true", shared{}, "none are taken"},
		{"options", true, "redis://127.0.0.1?read_timeout=1h", shared{}, "none are taken"},
		{"another scheme", false, "https://user:hunter2@redis.example.com", shared{}, "the address of Redis is wrong: give redis://"},
		{"no address", false, "hunter2", shared{}, "the address of Redis is wrong: give redis://"},
		{"two addresses", false, "redis://127.0.0.1", shared{RedisURLFile: good}, "give one"},
		{"a file that is not there", false, "", shared{RedisURLFile: good + "x"}, "cannot be read"},
		{"an empty file", false, "", shared{RedisURLFile: empty}, "is empty"},
		{"fewer than no processes", false, "", shared{Replicas: -1}, "give --replicas from 1"},
		{"more processes than anybody has", false, "", shared{Replicas: 1001}, "give --replicas from 1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv(redisVariable, row.variable)
			err := errors.Join(row.settings.faults(row.dev)...)
			switch {
			case row.says == "" && err != nil:
				t.Error(err)
			case row.says != "" && (err == nil || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "hunter2")):
				t.Errorf("%v, want %q and no password", err, row.says)
			}
		})
	}
}
