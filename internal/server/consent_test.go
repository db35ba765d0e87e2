package server_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"example.com/gatehouse/internal/oauth"
)

func TestConsentsAreListedAndWithdrawn(t *testing.T) {
	s := start(t)
	a, b := s.newApp(t), s.newApp(t, func(n *oauth.NewClient) { n.Name = "Mail" })
	tokens := a.tokens(t, a.redeem(t, a.allow(t)))
	b.login = a.login
	kept := b.tokens(t, b.redeem(t, b.code(t, b.decide(t, "allow", url.Values{"scope": {"items:write"}}))))
	mine := s.logIn().access
	list := func() []string {
		var got struct {
			Consents []struct {
				ClientID string `json:"client_id"`
				Name     string `json:"client_name"`
				Scopes   []string
			}
		}
		if err := json.Unmarshal(s.send(t, "GET", "/users/me/consents", "", "Authorization", "Bearer "+mine).body, &got); err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, c := range got.Consents {
			lines = append(lines, c.Name+": "+strings.Join(c.Scopes, " "))
		}
		return lines
	}
	same(t, []string{"Mail: items:write", "Shop: items:read openid"}, list())
	a.decide(t, "allow", url.Values{"scope": {"items:write"}})
	same(t, []string{"Shop: items:read items:write openid", "Mail: items:write"}, list())
	pending := a.code(t, a.visit(t, "/authorize?"+a.query()))
	withdraw := func(as string) int {
		return s.send(t, "DELETE", "/users/me/consents/"+a.id, "", "Authorization", "Bearer "+as).status
	}
	other := s.newPerson("other", "users:write")
	foreign := s.token(jwt.MapClaims{"sub": other.id, "scope": "users:write"})
	same(t, 404, withdraw(foreign))
	same(t, 204, withdraw(mine))
	same(t, 404, withdraw(mine))
	same(t, []string{"Mail: items:write"}, list())
	if a.alive(t, tokens.AccessToken) || !b.alive(t, kept.AccessToken) {
		t.Error("the tokens of the application are good, or those of the other one are not")
	}
	says(t, a.redeem(t, pending), 400, "invalid_grant")
	isPage(t, a.visit(t, "/authorize?"+a.query()), 200, "Allow Shop?")
}
