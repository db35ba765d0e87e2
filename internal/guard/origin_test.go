package guard_test

import (
	"net/http"
	"testing"

	"example.com/gatehouse/internal/guard"
)

// TestCrossOriginRequests: what a browser adds by itself must not let a page of another site act for its user.
func TestCrossOriginRequests(t *testing.T) {
	cookie := header("Cookie", "api_key="+goodOne.text(keyCookie))
	password := header("Authorization", basicAuth("any", goodOne.text(basic)))
	client := header(certificateOf, goodOne.text(certificate))
	token := header("Authorization", "Bearer "+goodOne.text(bearer))
	with := func(h http.Header, fields ...string) http.Header {
		h = h.Clone()
		for i := 0; i < len(fields); i += 2 {
			h.Set(fields[i], fields[i+1])
		}
		return h
	}
	any := a(needs(basic), needs(bearer), needs(keyCookie), needs(certificate))
	for _, tt := range []struct {
		name   string
		method string
		header http.Header
		status int
	}{
		{"a cookie from another site", "POST", with(cookie, "Sec-Fetch-Site", "cross-site"), 403},
		{"a cookie from a sibling site", "POST", with(cookie, "Sec-Fetch-Site", "same-site"), 403},
		{"a cookie from another origin, as older browsers tell", "POST", with(cookie, "Origin", "https://evil.example"), 403},
		{"a cookie from a sandboxed page", "POST", with(cookie, "Origin", "null"), 403},
		{"a cookie on a DELETE", "DELETE", with(cookie, "Sec-Fetch-Site", "cross-site"), 403},
		{"a password that the browser remembers", "POST", with(password, "Sec-Fetch-Site", "cross-site"), 403},
		{"a client certificate", "POST", with(client, "Sec-Fetch-Site", "cross-site"), 403},
		{"a cookie beside a token", "POST", with(with(cookie, "Sec-Fetch-Site", "cross-site"), "Authorization", token.Get("Authorization")), 403},
		{"a bad cookie", "POST", header("Cookie", "api_key=bad", "Sec-Fetch-Site", "cross-site"), 403},
		{"a cookie of the same origin", "POST", with(cookie, "Sec-Fetch-Site", "same-origin"), 200},
		{"a cookie by the address bar", "POST", with(cookie, "Sec-Fetch-Site", "none"), 200},
		{"a cookie of a client that is no browser", "POST", cookie, 200},
		{"a cookie on a GET", "GET", with(cookie, "Sec-Fetch-Site", "cross-site"), 200},
		{"a token, which no browser adds by itself", "POST", with(token, "Sec-Fetch-Site", "cross-site"), 200},
		{"no credential", "POST", header("Sec-Fetch-Site", "cross-site"), 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, settings{tls: true}, guard.Operation{ID: "x", Method: tt.method, Path: "/x", Security: any})
			got := s.send(t, tt.method, "/x", "", tt.header)
			if got.status != tt.status || got.handled != (tt.status == 200) {
				t.Errorf("%d %s, handled %v, want %d", got.status, got.body, got.handled, tt.status)
			}
			if tt.status == 403 && got.problem["type"] != "urn:gatehouse:problem:cross-origin" {
				t.Errorf("type %v", got.problem["type"])
			}
		})
	}
}

// TestOperationsOfTheOwnOrigin: a form that reads a cookie is refused to other sites whether the cookie is there or not, since the login of
// somebody else is one too.
func TestOperationsOfTheOwnOrigin(t *testing.T) {
	for _, tt := range []struct {
		name   string
		header http.Header
		status int
	}{
		{"another site", header("Sec-Fetch-Site", "cross-site"), 403},
		{"a sibling site", header("Sec-Fetch-Site", "same-site"), 403},
		{"another origin, as older browsers tell", header("Origin", "https://evil.example"), 403},
		{"a sandboxed page", header("Origin", "null"), 403},
		{"another site, with a cookie", header("Sec-Fetch-Site", "cross-site", "Cookie", "a=b"), 403},
		{"the own page", header("Sec-Fetch-Site", "same-origin"), 200},
		{"what is no browser", nil, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, settings{}, guard.Operation{ID: "x", Method: "POST", Path: "/x", Public: "a test", OwnOrigin: true})
			got := s.send(t, "POST", "/x", "", tt.header)
			if got.status != tt.status || got.handled != (tt.status == 200) {
				t.Errorf("%d %s, handled %v, want %d", got.status, got.body, got.handled, tt.status)
			}
			if tt.status == 403 && got.problem["type"] != "urn:gatehouse:problem:cross-origin" {
				t.Errorf("type %v", got.problem["type"])
			}
		})
	}
}

// TestTrustedOrigins: a front end of another origin that the operator names is not another site.
func TestTrustedOrigins(t *testing.T) {
	origins := &http.CrossOriginProtection{}
	if err := origins.AddTrustedOrigin("https://app.example"); err != nil {
		t.Fatal(err)
	}
	s := serve(t, settings{origins: origins}, guard.Operation{ID: "x", Method: "POST", Path: "/x", Security: a(needs(keyCookie))})
	for origin, status := range map[string]int{"https://app.example": 200, "https://app.example.evil.example": 403, "http://app.example": 403} {
		got := s.send(t, "POST", "/x", "", header("Cookie", "api_key="+goodOne.text(keyCookie), "Origin", origin))
		if got.status != status {
			t.Errorf("%s: %d %s, want %d", origin, got.status, got.body, status)
		}
	}
}

// TestDeniedOperations: an operation of which the document does not say who may call it is closed to everybody.
func TestDeniedOperations(t *testing.T) {
	s := serve(t, settings{}, guard.Operation{ID: "x", Method: "POST", Path: "/x", Denied: "it does not say"})
	for name, h := range map[string]http.Header{
		"nobody": nil, "a token": header("Authorization", "Bearer "+goodOne.text(bearer)), "a password": header("Authorization", basicAuth("any", goodOne.text(basic))),
	} {
		got := s.send(t, "POST", "/x", "", h)
		if got.status != 403 || got.handled || got.problem["type"] != "urn:gatehouse:problem:operation-denied" {
			t.Errorf("%s: %d %s, handled %v", name, got.status, got.body, got.handled)
		}
	}
}
