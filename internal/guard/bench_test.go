package guard_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/ratelimit"
	"example.com/gatehouse/internal/validation"
	"github.com/labstack/echo/v4"
)

// BenchmarkGuard is what the guard adds to a request: state, two limits, a bearer token, scopes, body.
func BenchmarkGuard(b *testing.B) {
	alice := &auth.Principal{Subject: "alice", Scopes: auth.NewScopes("items:read", "items:write")}
	list := schemes()
	list[bearer].Bearer = func(context.Context, auth.BearerToken) (*auth.Principal, error) { return alice, nil }
	list[keyBearer].Bearer = func(context.Context, auth.BearerToken) (*auth.Principal, error) {
		return nil, auth.ErrInvalidCredential
	}
	op := post(true, guard.Body{MediaType: "application/json", Decode: func([]byte, any, *validation.Violations) error { return nil }})
	op.Security = a(needs(bearer, "items:write"), needs(keyHeader, "items:write"), needs(keyBearer, "items:write"))
	op.Limits = []guard.Limit{limit("address", guard.ByAddress, 60_000_000), limit("principal", guard.ByPrincipal, 60_000_000)}
	e := echo.New()
	e.Pre(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.SetRequest(c.Request().WithContext(guard.NewState(c.Request().Context(), "00ff", netip.AddrFrom4([4]byte{192, 0, 2, 1}), time.Unix(1000, 0))))
			return next(c)
		}
	})
	e.HTTPErrorHandler = func(err error, c echo.Context) { _ = problem.From(err).Write(c.Response(), "00ff", problem.Details) }
	r := guard.New(guard.Config{Echo: e, Operations: []guard.Operation{op}, Schemes: list, Limiter: ratelimit.NewMemory(100), Realm: "gatehouse"})
	r.POST("/x", func(c echo.Context) error {
		if err := c.Bind(nil); err != nil {
			return err
		}
		return c.NoContent(http.StatusNoContent)
	})
	if err := r.Finish(); err != nil {
		b.Fatal(err)
	}
	body := []byte(`{"name":"chair"}`)
	for _, bm := range []struct{ name, authorization string }{{"admitted", "Bearer x"}, {"refused", ""}} {
		b.Run(bm.name, func(b *testing.B) {
			reader := bytes.NewReader(body)
			request := httptest.NewRequest("POST", "/x?dry_run=true", io.NopCloser(reader))
			request.ContentLength = int64(len(body))
			request.Header.Set("Content-Type", "application/json")
			if bm.authorization != "" {
				request.Header.Set("Authorization", bm.authorization)
			}
			b.ReportAllocs()
			for b.Loop() {
				reader.Reset(body)
				e.ServeHTTP(discard{}, request)
			}
		})
	}
}

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}
