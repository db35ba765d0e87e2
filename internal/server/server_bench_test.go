package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/gatehouse/internal/auth"
)

// BenchmarkCreateItem is one authenticated, validated POST with everything on, but without net/http and the sockets: where nothing is
// stored, where the item is, and where the service is too full for it. Each iteration is 100 ms later than the one before, so that no limit
// is hit.
func BenchmarkCreateItem(b *testing.B) {
	for _, row := range []struct {
		name, target string
		status       int
		full         bool
	}{{"dry run", "/items?dry_run=true", 200, false}, {"stored", "/items", 201, false}, {"shed", "/items", 503, true}} {
		b.Run(row.name, func(b *testing.B) { benchmarkPost(b, row.target, row.status, row.full) })
	}
}

func benchmarkPost(b *testing.B, target string, status int, full bool) {
	secret := make([]byte, 32)
	rand.Read(secret)
	dir := b.TempDir()
	now := time.Now()
	file := filepath.Join(dir, "secret.key")
	if err := os.WriteFile(file, []byte(base64.StdEncoding.EncodeToString(secret)), 0o600); err != nil {
		b.Fatal(err)
	}
	s, err := New(context.Background(), Config{Development: true, PasswordGrant: true, Data: dir, Database: filepath.Join(dir, "b.db"), Secret: auth.Secret(secret),
		Issuer: "http://127.0.0.1", Log: slog.New(slog.DiscardHandler), AccessLog: io.Discard, Now: func() time.Time { return now }, Random: rand.Reader})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	env, err := os.ReadFile(filepath.Join(dir, "dev.env"))
	if err != nil {
		b.Fatal(err)
	}
	password := strings.Split(strings.Split(string(env), "GATEHOUSE_PASSWORD='")[1], "'")[0]
	form := url.Values{"grant_type": {"password"}, "username": {"dev"}, "password": {password}}
	login := func() string {
		r := httptest.NewRequest("POST", "/token", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		var token struct {
			AccessToken string `json:"access_token"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &token); err != nil || token.AccessToken == "" {
			b.Fatal(w.Code, err)
		}
		return "Bearer " + token.AccessToken
	}
	body := []byte(`{"name":"Oak chair","price":129.9,"description":"A chair made of oak.","category":"other","tags":["wood","indoor"],"dimensions":{"width":45,"height":90,"depth":50},"available_from":"2027-01-15","supplier_email":"sales@example.com"}`)
	response := &discard{header: http.Header{}}
	u, _ := url.Parse("http://127.0.0.1" + target)
	header := http.Header{"Authorization": {login()}, "Content-Type": {"application/json"}}
	if full {
		s.gate.places, s.gate.room = 0, 0
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		now = now.Add(100 * time.Millisecond)
		if i%5000 == 0 && !full { // before the token expires
			b.StopTimer()
			header["Authorization"] = []string{login()}
			b.StartTimer()
		}
		clear(response.header)
		r := &http.Request{Method: "POST", URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, ContentLength: int64(len(body)),
			Body: io.NopCloser(bytes.NewReader(body)), Host: "127.0.0.1", RemoteAddr: "127.0.0.1:4711", RequestURI: target}
		s.Handler().ServeHTTP(response, r)
		if response.status != status {
			b.Fatal(response.status)
		}
	}
}

// discard counts nothing and keeps nothing but the status.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
