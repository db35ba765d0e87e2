package guard_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/ratelimit"
	"example.com/gatehouse/internal/validation"
	"github.com/google/go-cmp/cmp"
)

// keyed is the list of schemes with keys that have an id: the subject of the credential.
func keyed() []guard.Scheme {
	list := schemes()
	prove := list[keyHeader].APIKey
	list[keyHeader].APIKey = func(ctx context.Context, k auth.APIKey) (*auth.Principal, error) {
		p, err := prove(ctx, k)
		if p != nil {
			p.KeyID, p.Subject, p.ClientID = p.Subject, "owner", ""
		}
		return p, err
	}
	return list
}

func TestWhatALimitCountsBy(t *testing.T) {
	form := guard.Body{MediaType: "application/x-www-form-urlencoded", FormNames: []string{"name", "client_id"},
		Form: func(values url.Values, _ any, v *validation.Violations) error {
			if values.Get("name") == "wrong" {
				v.Body("/name", "enum", "must be another")
			}
			return nil
		}}
	open := post(true, jsonBody, form)
	open.Security, open.Public = nil, "everybody may"
	authorized := func(value string) http.Header { return header("Authorization", value) }
	asForm := header("Content-Type", "application/x-www-form-urlencoded")
	asJSON := header("Content-Type", "application/json")
	type request struct {
		name   string
		header http.Header
		body   string
		status int
	}
	for name, tt := range map[string]struct {
		operation guard.Operation
		limit     guard.Limit
		requests  []request
	}{
		"by API key": {get(nil, needs(keyHeader), needs(bearer)), limit("key", guard.ByKey, 2), []request{
			{"the first of one key", header("X-API-Key", "keyHeader-one-read"), "", 200},
			{"the second", header("X-API-Key", "keyHeader-one-read"), "", 200},
			{"is one too many", header("X-API-Key", "keyHeader-one-read"), "", 429},
			{"another key of the same owner has its own", header("X-API-Key", "keyHeader-two-read"), "", 200},
			{"a bad key is told as one", header("X-API-Key", "bad"), "", 401},
			{"a token is no key", authorized(token), "", 200},
			{"and not counted", authorized(token), "", 200},
			{"at all", authorized(token), "", 200},
		}},
		"by the client of a credential": {get(needs(bearer)), limit("client", guard.ByClient, 1), []request{
			{"the first user of a client", authorized("Bearer oauth2-alice-read"), "", 200},
			{"another user of the same client", authorized("Bearer oauth2-bob-read"), "", 429},
		}},
		"by account, of HTTP Basic": {get(needs(basic), needs(bearer)), limit("account", guard.ByAccount, 2), []request{
			{"a wrong password", authorized(basicAuth("ann", "wrong")), "", 401},
			{"a right one", authorized(basicAuth("ann", "basic-ann-read")), "", 200},
			{"is the last", authorized(basicAuth("ann", "basic-ann-read")), "", 429},
			{"another account", authorized(basicAuth("bob", "basic-bob-read")), "", 200},
			{"an address", authorized(basicAuth("Ann@example.com", "wrong")), "", 401},
			{"in another case is no other account", authorized(basicAuth("ann@EXAMPLE.com", "wrong")), "", 401},
			{"nor in a third", authorized(basicAuth("ann@example.com", "wrong")), "", 429},
			{"what is no pair names nobody", authorized("Basic ====="), "", 401},
			{"a token names no account", authorized(token), "", 200},
			{"nor does nothing", nil, "", 401},
		}},
		"by an account in a form": {open, guard.Limit{By: guard.ByAccount, Limit: limit("account", guard.ByAccount, 2).Limit, Member: "name"}, []request{
			{"the first", asForm, "name=ann", 200},
			{"the second", asForm, "name=ann", 200},
			{"is the last", asForm, "name=ann", 429},
			{"however it is encoded", asForm, "name=%61nn", 429},
			{"what is not valid", asForm, "name=wrong", 422},
			{"counts too", asForm, "name=wrong", 422},
			{"and is refused for that then", asForm, "name=wrong", 429},
			{"JSON shares the bucket", asJSON, `{"name":"ann"}`, 429},
			{"also behind what is not valid", asJSON, `{"unknown":[1,{"name":"x"}],"name":"ann"}`, 429},
			{"a member of a member names nobody", asJSON, `{"unknown":{"name":"ann"}}`, 422},
			{"an empty name is nobody's", asJSON, `{"name":""}`, 422},
			{"nor thrice", asJSON, `{"name":""}`, 422},
			{"nor more often", asJSON, `{"name":""}`, 422},
			{"what is no JSON names nobody", asJSON, `{"name":`, 400},
			{"who is not named is not counted", asForm, "", 400},
		}},
		"by a client in a form": {post(true, form), guard.Limit{By: guard.ByClient, Limit: limit("client", guard.ByClient, 1).Limit, Member: "client_id"}, []request{
			{"who has proven its client is counted by that", header("Content-Type", asForm.Get("Content-Type"), "Authorization", token), "client_id=first", 200},
			{"whatever the form says", header("Content-Type", asForm.Get("Content-Type"), "Authorization", token), "client_id=second", 429},
		}},
		"at a cost": {get(needs(bearer)), guard.Limit{By: guard.ByPrincipal, Limit: limit("p", guard.ByPrincipal, 5).Limit, Cost: 2}, []request{
			{"two of five", authorized(token), "", 200}, {"four of five", authorized(token), "", 200}, {"six of five", authorized(token), "", 429},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.operation.Limits = []guard.Limit{tt.limit}
			set := settings{schemes: keyed()}
			if tt.operation.Method == "POST" {
				set.handler = bind
			}
			s := serve(t, set, tt.operation)
			for _, r := range tt.requests {
				got := s.send(t, tt.operation.Method, "/x", r.body, r.header)
				if got.status != r.status || set.handler == nil && got.handled != (r.status == 200) {
					t.Errorf("%s: %d, handled %v: %v", r.name, got.status, got.handled, got.problem)
				}
				if r.status == 429 && cmp.Diff([]any{tt.limit.Limit.Name}, got.problem["violated-policies"]) != "" {
					t.Errorf("%s: %v", r.name, got.problem)
				}
			}
		})
	}
}

func TestAResponseSaysWhenLittleIsLeft(t *testing.T) {
	op := get(needs(bearer))
	op.Limits = []guard.Limit{
		{By: guard.ByAddress, Limit: ratelimit.Limit{Name: "address", Quota: 6, Window: time.Minute}},
		{By: guard.ByPrincipal, Limit: ratelimit.Limit{Name: "principal", Quota: 60, Window: time.Minute, Burst: 4}},
	}
	s := serve(t, settings{}, op)
	for i, want := range []struct{ authorization, policy, state string }{
		{token, "", ""},
		{token, "", ""},
		{token, `"principal";q=60;w=60`, `"principal";r=1;t=3`},
		{token, `"address";q=6;w=60, "principal";q=60;w=60`, `"address";r=2;t=40, "principal";r=0;t=4`},
		{"Bearer bad", `"address";q=6;w=60`, `"address";r=1;t=50`},
		{token, `"principal";q=60;w=60`, `"principal";r=0;t=1`},
	} {
		got := s.send(t, "GET", "/x", "", header("Authorization", want.authorization))
		if got.header.Get("Ratelimit-Policy") != want.policy || got.header.Get("Ratelimit") != want.state {
			t.Errorf("request %d (%d): %q, %q", i+1, got.status, got.header.Get("Ratelimit-Policy"), got.header.Get("Ratelimit"))
		}
	}
}
