package server_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"example.com/gatehouse/internal/server"
)

func TestUserinfo(t *testing.T) {
	s := start(t)
	ask := func(method, scopes string) answer {
		return s.send(t, method, "/userinfo", "", "Authorization", "Bearer "+s.token(scope(scopes)))
	}
	same(t, `{"sub":"`+s.userID+`"}`, strings.TrimSpace(string(ask("GET", "openid").body)))
	same(t, `{"sub":"`+s.userID+`","preferred_username":"`+s.user+`"}`, strings.TrimSpace(string(ask("POST", "openid profile email").body)))
	if got := ask("GET", "profile email"); got.status != 403 || !strings.Contains(got.header.Get("WWW-Authenticate"), `scope="openid"`) {
		t.Errorf("without openid: %d %s", got.status, got.header.Get("WWW-Authenticate"))
	}
	s.json(t, "POST", "/users", `{"email":"ann@example.com","password":"correct horse battery","display_name":"Ann"}`)
	s.json(t, "POST", "/account/verification", `{"token":"`+s.mailed(1)["ann@example.com"]+`","password":"correct horse battery"}`)
	ann := s.idOf("ann@example.com")
	got := s.send(t, "GET", "/userinfo", "", "Authorization", "Bearer "+s.token(jwt.MapClaims{"sub": ann, "scope": "openid profile email"}))
	same(t, `{"sub":"`+ann+`","preferred_username":"ann@example.com","name":"Ann","email":"ann@example.com","email_verified":true}`, strings.TrimSpace(string(got.body)))
}

// TestMetadataListsWhatWorks asks for each address that it names (security.md 54).
func TestMetadataListsWhatWorks(t *testing.T) {
	s := start(t)
	got := s.send(t, "GET", "/.well-known/openid-configuration", "")
	same(t, string(got.body), string(s.send(t, "GET", "/.well-known/oauth-authorization-server", "").body))
	if got.status != 200 || got.header.Get("Cache-Control") != "public, max-age=300" {
		t.Fatalf("%d, %s", got.status, got.header.Get("Cache-Control"))
	}
	var m map[string]any
	if err := json.Unmarshal(got.body, &m); err != nil {
		t.Fatal(err)
	}
	same(t, s.base, m["issuer"].(string))
	probed := 0
	for name, value := range m {
		if !strings.HasSuffix(name, "_endpoint") && name != "jwks_uri" {
			continue
		}
		probed++
		target := strings.TrimPrefix(value.(string), s.base)
		method := map[bool]string{true: "POST", false: "GET"}[slices.Contains([]string{"/token", "/revoke", "/introspect"}, target)]
		if got := s.send(t, method, target, ""); got.status == 404 || got.status == 405 {
			t.Errorf("%s: %s %s answers %d", name, method, target, got.status)
		}
	}
	same(t, 6, probed)
	silent := start(t, func(c *server.Config) { c.PasswordGrant = false })
	if off := silent.send(t, "GET", "/.well-known/openid-configuration", ""); strings.Contains(string(off.body), `"password"`) || !strings.Contains(string(got.body), `"password"`) {
		t.Error("the grant is listed where it is off, or not where it is on")
	}
}
