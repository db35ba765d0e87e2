package guard_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/problem"
)

// tally is a meter that writes down what it is told.
type tally struct {
	mu     sync.Mutex
	judged map[string]int
}

func (m *tally) Operation(string) guard.OperationMeter { return ignored{} }

type ignored struct{}

func (ignored) Answered(int, time.Duration) {}

func (m *tally) Scheme(name string) guard.SchemeMeter { return tallyOf{m, name} }

type tallyOf struct {
	*tally
	scheme string
}

func (m tallyOf) Judged(o guard.Outcome, reason auth.Reason) {
	m.mu.Lock()
	defer m.mu.Unlock()
	text := m.scheme + " " + o.String()
	if o == guard.Bad {
		text += " " + reason.String()
	}
	m.judged[text]++
}

// at is get at another path.
func at(path string, security ...guard.Alternative) guard.Operation {
	op := get(security...)
	op.ID, op.Path = path[1:], path
	return op
}

// TestWhatTheMeterIsTold: one outcome for each scheme that the operation names, and what is missing beside it.
func TestWhatTheMeterIsTold(t *testing.T) {
	m := &tally{}
	list := schemes()
	list[bearer].Bearer = func(_ context.Context, token auth.BearerToken) (*auth.Principal, error) {
		if token.Reveal() == "old" {
			return nil, fmt.Errorf("verify: %w", auth.Expired.Invalid())
		}
		return prove("oauth2", token.Reveal())
	}
	s := serve(t, settings{meter: m, schemes: list},
		at("/one", needs(bearer, "read")),
		at("/either", needs(bearer, "read"), needs(keyBearer, "read"), needs(keyHeader)),
		at("/both", both(needs(bearer, "read"), needs(keyHeader, "write"))))
	for _, row := range []struct {
		name, target string
		fields       http.Header
		told         []string
	}{
		{"a good token", "/one", http.Header{"Authorization": {"Bearer oauth2-alice-read"}}, []string{"oauth2 good"}},
		{"nothing", "/one", nil, []string{"oauth2 absent"}},
		{"a bad token without a reason", "/one", http.Header{"Authorization": {"Bearer bad"}}, []string{"oauth2 bad unspecified"}},
		{"a bad token with a reason, wrapped", "/one", http.Header{"Authorization": {"Bearer old"}}, []string{"oauth2 bad expired"}},
		{"a token that no authenticator is shown", "/one", http.Header{"Authorization": {"Bearer a,b"}}, []string{"oauth2 bad malformed"}},
		{"nobody can tell", "/one", http.Header{"Authorization": {"Bearer outage"}}, []string{"oauth2 undecided"}},
		{"a missing scope", "/one", http.Header{"Authorization": {"Bearer oauth2-alice-other"}}, []string{"oauth2 good", "oauth2 scope_missing"}},
		{"a password where a token is due", "/one", http.Header{"Authorization": {"Basic eDp5"}}, []string{"oauth2 absent"}},
		{"a token of the first of two schemes", "/either", http.Header{"Authorization": {"Bearer oauth2-alice-read"}}, []string{"keyBearer absent", "keyHeader absent", "oauth2 good"}},
		{"a token of the second", "/either", http.Header{"Authorization": {"Bearer keyBearer-alice-read"}}, []string{"keyBearer good", "keyHeader absent", "oauth2 absent"}},
		{"a token of none", "/either", http.Header{"Authorization": {"Bearer bad"}}, []string{"keyBearer bad unspecified", "keyHeader absent", "oauth2 bad unspecified"}},
		{"a good token beside a bad key", "/either", http.Header{"Authorization": {"Bearer oauth2-alice-read"}, "X-Api-Key": {"bad"}}, []string{"keyBearer absent", "keyHeader bad unspecified", "oauth2 good"}},
		{"one of two lacks its scope", "/both", http.Header{"Authorization": {"Bearer oauth2-alice-read"}, "X-Api-Key": {"keyHeader-alice-read"}}, []string{"keyHeader good", "keyHeader scope_missing", "oauth2 good"}},
		{"a path that is not there", "/none", http.Header{"Authorization": {"Bearer bad"}}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			m.judged = map[string]int{}
			s.send(t, "GET", row.target, "", row.fields)
			var told []string
			for _, text := range slices.Sorted(maps.Keys(m.judged)) {
				for range m.judged[text] {
					told = append(told, text)
				}
			}
			if diff := cmp.Diff(row.told, told); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// turnstile is a gate that is open or closed.
type turnstile struct {
	mu              sync.Mutex
	closed          bool
	inside, entered int
}

func (g *turnstile) Enter(context.Context, bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return problem.Unavailable.New("full")
	}
	g.inside++
	g.entered++
	return nil
}

func (g *turnstile) Leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
}

// TestTheGateComesFirst: before the credential is looked at, after the limits by address, and never for what Ungated names.
func TestTheGateComesFirst(t *testing.T) {
	g := &turnstile{}
	asked := 0
	list := schemes()
	list[bearer].Bearer = func(_ context.Context, token auth.BearerToken) (*auth.Principal, error) {
		asked++
		if g.inside != 1 {
			t.Errorf("%d are inside while the caller is proven", g.inside)
		}
		if token.Reveal() == "panic" {
			panic("the authenticator is broken")
		}
		return prove("oauth2", token.Reveal())
	}
	gated, public, probe, limited := at("/gated", needs(bearer, "read")), at("/public"), at("/probe"), at("/limited", needs(bearer, "read"))
	public.Public, probe.Public = "everybody may", "orchestrators"
	limited.Limits = []guard.Limit{limit("own", guard.ByAddress, 1)}
	s := serve(t, settings{gate: g, ungated: []string{probe.ID}, schemes: list, handler: func(c echo.Context) error {
		if g.inside != 0 {
			t.Errorf("%d are inside when the handler begins, which the server lets in again", g.inside)
		}
		return whoAmI(c)
	}}, gated, public, probe, limited)
	good := http.Header{"Authorization": {"Bearer oauth2-alice-read"}}
	for _, row := range []struct {
		name, target           string
		fields                 http.Header
		closed                 bool
		status, entered, asked int
	}{
		{"a good token", "/gated", good, false, 200, 1, 1},
		{"a bad one", "/gated", http.Header{"Authorization": {"Bearer bad"}}, false, 401, 1, 1},
		{"an authenticator that panics", "/gated", http.Header{"Authorization": {"Bearer panic"}}, false, 500, 1, 1},
		{"an operation that is open to everybody", "/public", nil, false, 200, 1, 0},
		{"a probe", "/probe", nil, false, 200, 0, 0},
		{"the limit by address is not reached", "/limited", good, false, 200, 1, 1},
		{"over the limit by address", "/limited", good, false, 429, 0, 0},
		{"over the limit, with the gate closed", "/limited", good, true, 429, 0, 0},
		{"a good token, with the gate closed", "/gated", good, true, 503, 0, 0},
		{"a bad one, with the gate closed", "/gated", http.Header{"Authorization": {"Bearer bad"}}, true, 503, 0, 0},
		{"open to everybody, with the gate closed", "/public", nil, true, 503, 0, 0},
		{"a probe, with the gate closed", "/probe", nil, true, 200, 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			g.closed, g.entered, asked = row.closed, 0, 0
			if got := s.send(t, "GET", row.target, "", row.fields); got.status != row.status {
				t.Errorf("%d, want %d", got.status, row.status)
			}
			if g.entered != row.entered || g.inside != 0 || asked != row.asked {
				t.Errorf("%d entered, %d are inside, %d authenticators were asked", g.entered, g.inside, asked)
			}
		})
	}
}

func TestAnUngatedOperationMustBeThere(t *testing.T) {
	r := guard.New(guard.Config{Echo: echo.New(), Realm: "x", Ungated: []string{"getLivez"}})
	if err := r.Finish(); err == nil || !strings.Contains(err.Error(), `Config.Ungated names "getLivez", which is no operation`) {
		t.Errorf("%v", err)
	}
}
