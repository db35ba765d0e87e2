package oauth

import (
	"net/url"
	"strings"
	"testing"
)

func TestRedirectURIsOfAClient(t *testing.T) {
	for _, row := range []struct{ name, uri, wrong string }{
		{"https", "https://app.example.com/callback", ""},
		{"https with a port and a query", "https://app.example.com:8443/callback?tenant=a", ""},
		{"this machine", "http://127.0.0.1/callback", ""},
		{"this machine, version 6", "http://[::1]:8000/callback", ""},
		{"this machine by its name", "http://localhost:3000/callback", ""},
		{"an app", "com.example.app:/callback", ""},
		{"nothing", "", "is neither https"},
		{"http elsewhere", "http://app.example.com/callback", "is neither https"},
		{"a name that begins like this machine", "http://localhost.example.com/callback", "is neither https"},
		{"an address with a zone", "http://[::1%25eth0]/callback", "is neither https"},
		{"a scheme that belongs to everybody", "app:/callback", "is neither https"},
		{"a script", "javascript:alert(1)", "is neither https"},
		{"data", "data:text/html,x", "is neither https"},
		{"an app with a host", "com.example.app://callback", "is neither https"},
		{"no scheme", "//app.example.com/callback", "is neither https"},
		{"a wildcard", "https://*.example.com/callback", "is no URI"},
		{"a fragment", "https://app.example.com/callback#x", "has a fragment"},
		{"an empty fragment", "https://app.example.com/callback#", "is no URI"},
		{"a user", "https://me@app.example.com/callback", "has a user"},
		{"a host in another case", "https://App.example.com/callback", "is neither https"},
		{"a host outside of ASCII", "https://äpp.example.com/callback", "is no URI"},
		{"what would end a directive of a policy", "https://app.example.com;script-src/callback", "is neither https"},
		{"what would add a source to a policy", "https://app.example.com,https:/callback", "is neither https"},
		{"a space", "https://app.example.com/call back", "is no URI"},
		{"a line end", "https://app.example.com/\r\ncallback", "is no URI"},
		{"a backslash", `https://app.example.com\callback`, "is no URI"},
		{"a quotation mark", `https://app.example.com/'x`, "is no URI"},
		{"a parameter that the answer has", "https://app.example.com/callback?state=x", "has the parameter state"},
		{"too long", "https://app.example.com/" + strings.Repeat("a", 2000), "is no URI"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := checkRedirectURI(row.uri)
			if row.wrong == "" && err != nil || row.wrong != "" && (err == nil || !strings.Contains(err.Error(), row.wrong)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// FuzzRedirectURIs: whatever is sent, it goes to an address that the client has, or to a port of this machine; and what gets into the
// policy of the page is one source.
func FuzzRedirectURIs(f *testing.F) {
	client := Client{RedirectURIs: []string{"https://app.example.com/callback", "http://127.0.0.1/callback", "http://[::1]/callback?a=b", "com.example.app:/callback"}}
	for _, uri := range client.RedirectURIs {
		f.Add(uri)
	}
	for _, uri := range []string{"http://127.0.0.1:8000/callback", "http://[::1]:1/callback?a=b", "http://127.0.0.1:8000@evil.example/callback", "http://127.0.0.1:/callback", "https://app.example.com/callback\t"} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		target := (&authorization{redirectURI: uri}).formTarget()
		if strings.ContainsAny(target, " ;,'\"\r\n") && checkRedirectURI(uri) == nil {
			t.Errorf("%q is in the policy as %q", uri, target)
		}
		if !client.redirects(uri) {
			return
		}
		for _, own := range client.RedirectURIs {
			if uri == own {
				return
			}
		}
		u, err := url.Parse(uri)
		if err != nil || u.Scheme != "http" || u.Hostname() != "127.0.0.1" && u.Hostname() != "::1" || u.Path != "/callback" || u.User != nil || strings.Contains(uri, "#") {
			t.Errorf("%q is taken", uri)
		}
	})
}
