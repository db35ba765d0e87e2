package server

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/gen/api"
)

func TestOriginsThatCannotBeLetIn(t *testing.T) {
	for origin, says := range map[string]string{ // nothing where it is good
		"https://app.example.com": "", "https://app.example.com:8443": "", "http://localhost:3000": "", "http://localhost": "", "http://127.0.0.1:3000": "", "http://[::1]:3000": "",
		"https://xn--bcher-kva.example": "", "https://192.0.2.1": "",
		"*": "each one in full", "https://*": "each one in full", "https://*.example.com": "each one in full", "null": "sandboxed",
		"": "a scheme", "app.example.com": "a scheme", "https://": "a scheme", "https://app.example.com/": "no path", "https://app.example.com/x": "no path",
		"https://app.example.com?x": "no path", "https://app.example.com#x": "no path", "https://user@app.example.com": "no path", "https://App.example.com": "lower case",
		"HTTPS://app.example.com": "lower case", "https://bücher.example": "lower case", "https://app.example.com:443": "https://app.example.com", "https://app.example.com:": "usual port",
		"http://localhost:80": "http://localhost", "http://app.example.com": "https://app.example.com", "http://192.0.2.1": "https://192.0.2.1", "http://localhost.example.com": "https://localhost.example.com",
		"http://127.0.0.1.example.com": "https://127.0.0.1.example.com", "ftp://app.example.com": "https address", "chrome-extension://abcdef": "https address", "file://": "a scheme",
		"https://app.example.com, https://b.example.com": "a scheme", " https://app.example.com": "a scheme", "https://app.example.com:x": "a scheme",
	} {
		err := CheckOrigins([]string{origin})
		if (err == nil) != (says == "") || err != nil && (!strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "--cors-origin") && !strings.Contains(err.Error(), "give")) {
			t.Errorf("%q: %v, want %q", origin, err, says)
		}
	}
	if err := CheckOrigins([]string{"https://app.example.com", "*", "null"}); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("not every fault is told: %v", err)
	}
}

func TestTheHeaderFieldsOfADocument(t *testing.T) {
	for name, row := range map[string]struct {
		document string
		want     string // empty where it fails
	}{
		"the one of this service":            {string(api.OpenapiJSON), "Authorization, Content-Type, If-Match, X-Api-Key"},
		"nothing":                            {`{}`, "Content-Type"},
		"of an operation":                    {`{"paths":{"/a":{"get":{"parameters":[{"in":"header","name":"x-one"},{"in":"query","name":"two"}]}}}}`, "Content-Type, X-One"},
		"of a path":                          {`{"paths":{"/a":{"summary":"x","parameters":[{"in":"header","name":"X-One"},{"$ref":"#/components/parameters/A"}]}}}`, "Content-Type, X-One"},
		"of components":                      {`{"components":{"parameters":{"A":{"in":"header","name":"X-One"},"B":{"in":"cookie","name":"x"}}}}`, "Content-Type, X-One"},
		"a key in a header, once":            {`{"components":{"securitySchemes":{"a":{"type":"apiKey","in":"header","name":"X-Key"},"b":{"type":"apiKey","in":"header","name":"x-key"}}}}`, "Content-Type, X-Key"},
		"a key in a query or a cookie":       {`{"components":{"securitySchemes":{"a":{"type":"apiKey","in":"query","name":"k"},"b":{"type":"apiKey","in":"cookie","name":"k"}}}}`, "Content-Type"},
		"a client certificate":               {`{"components":{"securitySchemes":{"a":{"type":"mutualTLS"}}}}`, "Content-Type"},
		"a password":                         {`{"components":{"securitySchemes":{"a":{"type":"http","scheme":"basic"}}}}`, "Authorization, Content-Type"},
		"OpenID Connect":                     {`{"components":{"securitySchemes":{"a":{"type":"openIdConnect"}}}}`, "Authorization, Content-Type"},
		"what only looks like a parameter":   {`{"components":{"schemas":{"A":{"example":{"in":"header","name":"X-One"}}}}}`, "Content-Type"},
		"a document that is none":            {`{"paths":[]}`, ""},
		"parameters that are none":           {`{"paths":{"/a":{"get":{"parameters":{}}}}}`, ""},
		"parameters of a path that are none": {`{"paths":{"/a":{"parameters":{}}}}`, ""},
	} {
		got, err := requestHeaders([]byte(row.document))
		if (err != nil) != (row.want == "") {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(row.want, strings.Join(got, ", ")); err == nil && diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
