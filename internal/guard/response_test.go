package guard_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/validation"
)

func short(c *validation.Check, v *validation.Value) {
	c.Type(v, validation.String)
	c.MaxLength(v, 5)
}

func number(c *validation.Check, v *validation.Value) { c.Type(v, validation.Integer) }

// answering is an operation with many declared answers.
func answering() guard.Operation {
	op := get(needs(keyHeader))
	op.Responses = func() []guard.Response {
		return []guard.Response{
			{Status: "200", Contents: []guard.Content{{MediaType: "application/json", JSON: short}, {MediaType: "text/plain", Text: short}, {MediaType: "image/*"}},
				Headers: []guard.ResponseHeader{{Name: "X-Count", Shape: &validation.Shape{Kinds: validation.Integer}, Check: number}}},
			{Status: "3XX", Headers: []guard.ResponseHeader{{Name: "Location", Required: true}}},
			{Status: "404", Contents: []guard.Content{{MediaType: "application/problem+json"}}},
			{Status: "default", Contents: []guard.Content{{MediaType: "application/problem+json"}}},
		}
	}
	return op
}

func TestCheckedResponses(t *testing.T) {
	long := strings.Repeat("a", 600<<10)
	for _, row := range []struct {
		name    string
		handler echo.HandlerFunc
		status  int
		body    string // what the answer begins with
	}{
		{"JSON that fits", func(c echo.Context) error { return c.JSON(200, "abc") }, 200, `"abc"`},
		{"JSON that does not", func(c echo.Context) error { return c.JSON(200, "abcdef") }, 500, `{"type"`},
		{"a text that fits", func(c echo.Context) error { return c.String(200, "abc") }, 200, "abc"},
		{"a text that does not", func(c echo.Context) error { return c.String(200, "abcdef") }, 500, `{"type"`},
		{"a text that is not UTF-8", func(c echo.Context) error { return c.String(200, "a\xff") }, 500, `{"type"`},
		{"a media type of a range", func(c echo.Context) error { return c.Blob(200, "image/png", []byte("PNG")) }, 200, "PNG"},
		{"one beside the range", func(c echo.Context) error { return c.Blob(200, "video/mp4", []byte("MP4")) }, 500, `{"type"`},
		{"a number in a header field", func(c echo.Context) error {
			c.Response().Header().Set("X-Count", "12")
			return c.JSON(200, "abc")
		}, 200, `"abc"`},
		{"no number in it", func(c echo.Context) error {
			c.Response().Header().Set("X-Count", "twelve")
			return c.JSON(200, "abc")
		}, 500, `{"type"`},
		{"a status of a range", func(c echo.Context) error {
			c.Response().Header().Set("Location", "/y")
			return c.NoContent(304)
		}, 304, ""},
		{"a status of a range without its field", func(c echo.Context) error { return c.NoContent(304) }, 500, `{"type"`},
		{"the default is not for content of another type", func(c echo.Context) error { return c.JSON(418, "abc") }, 500, `{"type"`},
		{"a problem that the default declares", func(echo.Context) error { return problem.PreconditionFailed.New("other") }, 412, `{"type"`},
		{"a stream keeps what was sent", func(c echo.Context) error {
			c.Response().Header().Set("Content-Type", "image/png")
			for range 3 {
				if _, err := io.WriteString(c.Response(), long); err != nil {
					return err
				}
			}
			return nil
		}, 200, "aaaa"},
		{"a stream of a type that is not declared", func(c echo.Context) error {
			c.Response().Header().Set("Content-Type", "video/mp4")
			for range 3 {
				if _, err := io.WriteString(c.Response(), long); err != nil {
					return err
				}
			}
			return nil
		}, 500, `{"type"`},
		{"an event that is flushed", func(c echo.Context) error {
			c.Response().Header().Set("Content-Type", "image/png")
			_, _ = io.WriteString(c.Response(), "ab")
			c.Response().Flush()
			_, err := io.WriteString(c.Response(), "cd")
			return err
		}, 200, "abcd"},
		{"a flush of what is not declared", func(c echo.Context) error {
			c.Response().Header().Set("Content-Type", "video/mp4")
			_, _ = io.WriteString(c.Response(), "ab")
			c.Response().Flush()
			return nil
		}, 500, `{"type"`},
		{"an error after half an answer is an answer of its own", func(c echo.Context) error {
			_ = c.JSON(200, "abc")
			return problem.NotFound.New("gone")
		}, 404, `{"type"`},
		{"a panic after half an answer is one too", func(c echo.Context) error {
			_ = c.JSON(200, "abc")
			panic("broken")
		}, 500, `{"type"`},
		{"a second status is ignored, as in net/http", func(c echo.Context) error {
			_ = c.JSON(200, "abc")
			c.Response().WriteHeader(500)
			return nil
		}, 200, `"abc"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := serve(t, settings{handler: row.handler, check: true}, answering())
			got := s.send(t, "GET", "/x", "", header("X-API-Key", "keyHeader-jane-read"))
			if got.status != row.status || !strings.HasPrefix(got.body, row.body) {
				t.Errorf("%d %.200s, want %d %s", got.status, got.body, row.status, row.body)
			}
			if row.status >= 400 && got.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("Content-Type is %s", got.header.Get("Content-Type"))
			}
			if row.status == 500 && (got.header.Get("X-Count") != "" || strings.Contains(got.body, "abcdef")) {
				t.Errorf("the 500 gives away what it replaces: %v %s", got.header, got.body)
			}
			if row.name == "a stream keeps what was sent" && len(got.body) != 3*len(long) {
				t.Errorf("%d bytes, want %d", len(got.body), 3*len(long))
			}
		})
	}
}

// TestRefusalsAreNotTheHandlers: what the guard itself answers needs no declaration to leave.
func TestRefusalsAreNotTheHandlers(t *testing.T) {
	op := answering()
	op.Responses = func() []guard.Response { return []guard.Response{{Status: "204"}} }
	s := serve(t, settings{handler: func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }, check: true}, op)
	for name, row := range map[string]struct {
		field, value string
		status       int
	}{
		"no credential":    {"X-Other", "1", 401},
		"a bad credential": {"X-API-Key", "keyQuery-jane-read", 401},
		"an outage":        {"X-API-Key", "outage", 503},
		"a good one":       {"X-API-Key", "keyHeader-jane-read", 204},
	} {
		if got := s.send(t, "GET", "/x", "", header(row.field, row.value)); got.status != row.status {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.body, row.status)
		}
	}
}
