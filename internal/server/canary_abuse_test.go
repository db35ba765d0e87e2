package server_test

import (
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// abuse sends good requests of an operation with a made-up secret in each place where one can stand: all of them in another body, and the
// first with everything else.
func (d *drill) abuse(e example, calls []call) {
	d.t.Helper()
	if len(calls) == 0 {
		return // which the test has told of
	}
	good := calls[0]
	media := func(fields []string) []string { return e.fields(fields...) }
	for _, fields := range d.wrongCredentials() {
		d.ask(e.method, good.target, good.body, media(fields)...)
	}
	for _, query := range d.queries() {
		target, more, _ := strings.Cut(good.target, "?")
		d.ask(e.method, target+"?"+query+"&"+more, good.body, media(good.auth())...)
	}
	if strings.HasSuffix(e.path, "}") {
		d.ask(e.method, good.target[:strings.LastIndexByte(good.target, '/')+1]+d.secret("a parameter of the path"), good.body, media(good.auth())...)
	}
	for _, c := range calls {
		for _, b := range d.bodies(e, c.body) {
			fields := c.auth()
			if b.mediaType != "" {
				fields = append(fields, "Content-Type", b.mediaType)
			}
			d.ask(e.method, c.target, b.text, fields...)
		}
	}
}

// wrongCredentials are header fields with secrets that are not good.
func (d *drill) wrongCredentials() [][]string {
	bearer, basicField, key := "a bearer token", "HTTP Basic", "an API key in the header"
	signed := d.accessToken("items:read")
	forged := signed[:strings.LastIndexByte(signed, '.')+1] + d.secret("a forged access token") + "aaaa"
	return [][]string{
		{"Authorization", basic(d.user, d.secret(basicField))},
		{"Authorization", basic("nobody", d.secret(basicField))},
		{"Authorization", basic(d.secret("a password in the place of the name"), "x")},
		{"Authorization", basic(d.clientID, d.secret("the secret of a client in the header"))},
		{"Authorization", basic(url.QueryEscape(d.clientID), url.QueryEscape(d.secret("the secret of a client in the header")+"+/%"))},
		{"Authorization", "Basic " + d.secret("HTTP Basic that is no base64")},
		{"Authorization", basic(d.secret("HTTP Basic with a control character"), "\x00\xff")},
		{"Authorization", "Bearer " + d.secret(bearer)},
		{"Authorization", "bearer  " + d.secret(bearer)},
		{"Authorization", "Bearer " + forged},
		{"Authorization", "Bearer " + d.kidded()},
		{"Authorization", "Bearer rt_" + d.secret("a refresh token as a bearer token")},
		{"Authorization", "Bearer gth_dev_" + d.secret("an API key as a bearer token")},
		{"Authorization", "Digest " + d.secret("another scheme")},
		{"Authorization", d.secret("a header without a scheme")},
		{"Authorization", "Bearer " + d.secret(bearer), "Authorization", basic(d.user, d.secret(basicField))},
		{"Authorization", "Bearer " + strings.Repeat(d.secret(bearer), 400)},
		{"X-API-Key", d.secret(key)},
		{"X-API-Key", "gth_dev_0123456789_" + d.secret(key)},
		{"X-API-Key", d.apiKey[:len(d.apiKey)-30] + d.secret(key)},
		{"X-API-Key", d.secret(key), "X-API-Key", d.secret(key)},
		{"X-API-Key", d.secret(key), "Authorization", "Bearer " + d.secret(bearer), "Cookie", "api_key=" + d.secret("an API key in a cookie")},
		{"Cookie", "api_key=" + d.secret("an API key in a cookie")},
		{"Cookie", "api_key=" + d.secret("an API key in a cookie") + "; api_key=" + d.secret("an API key in a cookie")},
		{"Cookie", "__Host-login=" + d.secret("a login cookie that is none")},
		{"Cookie", "session=" + d.secret("a cookie that nobody knows")},
		{"Cookie", d.secret("a cookie without a name")},
		{"Cookie", `api_key="` + d.secret("a cookie that is malformed")},
		{"Proxy-Authorization", "Basic " + d.secret("a header that nobody reads"), "X-Auth-Token", d.secret("a header that nobody reads")},
		{"If-Match", `"` + d.secret("a header of another kind") + `"`, "Accept", d.secret("a header of another kind"), "Origin", "https://" + d.secret("a header of another kind")},
		{"X-Http-Method-Override", d.secret("a header of another kind"), "Idempotency-Key", d.secret("a header of another kind"), "Content-Encoding", d.secret("a header of another kind")},
	}
}

// kidded returns a token whose header and claims are secrets.
func (d *drill) kidded() string {
	c := signer{s: d.service, id: d.secret("a claim of a token"), private: make([]byte, 64)}
	return c.assertion(map[string]any{"kid": d.secret("a claim of a token")})
}

// queries hold secrets that belong into a header or a form, well-formed and malformed. None is the name of a parameter: a refusal says
// which name it does not know.
func (d *drill) queries() (list []string) {
	for _, name := range []string{"api_key", "API_KEY", "api%5Fkey", "access_token", "refresh_token", "token", "password", "client_secret", "client_assertion", "code", "id_token"} {
		list = append(list, name+"="+d.secret("a secret in the query: "+name))
	}
	return append(list,
		"api_key="+d.secret("an API key in a query that is malformed")+"%zz",
		"%zz="+d.secret("an API key in a query that is malformed"),
		"api_key=a;api_key="+d.secret("an API key in a query that is malformed"),
		"api_key="+d.secret("an API key twice in the query")+"&api_key="+d.secret("an API key twice in the query"),
		"x="+d.secret("a secret in the query: x"),
	)
}

type body struct{ text, mediaType string }

// bodies are those of a good request with a made-up secret in the place of each one, and in places where none belongs.
func (d *drill) bodies(e example, good string) (list []body) {
	if e.mediaType == "" {
		return []body{{`{"password":"` + d.secret("a body where none is taken") + `"}`, jsonType}, {"password=" + d.secret("a body where none is taken"), formType}}
	}
	schema := e.op.RequestBody.Value.Content[e.mediaType].Schema.Value
	isForm := e.mediaType == formType
	set := func(name, value string) string {
		if isForm {
			form, err := url.ParseQuery(good)
			if err != nil {
				d.t.Fatal(err)
			}
			form.Set(name, value)
			return form.Encode()
		}
		return withMember(good, name, quote(value))
	}
	for _, name := range secretMembers(schema) {
		kind := e.id + ": " + name
		fits := fitting(schema.Properties[name].Value, d.secret(kind))
		list = append(list,
			body{set(name, fits), e.mediaType},
			body{set(name, d.secret(kind)), e.mediaType},
			body{set(name, strings.Repeat(d.secret(kind), 500)), e.mediaType},
			body{set(name, d.secret(kind)+"\x00"), e.mediaType},
			body{set(name, d.secret(kind)+" é\"<&"), e.mediaType},
			body{set(name, fits), "text/plain"},
			body{set(name, fits), ""},
		)
		if isForm {
			more := url.Values{name: {d.secret(kind)}}.Encode()
			list = append(list,
				body{good + "&" + more + "&" + more, formType}, body{good + "&" + more + "%zz", formType}, body{good + ";" + more, formType},
				body{good + "&" + more + "%ff", formType}, body{`{"` + name + `":"` + d.secret(kind) + `"}`, jsonType},
			)
			continue
		}
		value := quote(d.secret(kind))
		for _, malformed := range []string{`[` + value + `]`, `{"a":` + value + `}`, `{` + value + `:1}`, value + `,"` + name + `":` + value, value[:len(value)-1], value + `,`, value + ` x`, value + "\xff"} {
			list = append(list, body{withMember(good, name, malformed), e.mediaType})
		}
		list = append(list, body{name + "=" + d.secret(kind), formType}, body{value, e.mediaType}, body{`[` + value + `]`, e.mediaType}, body{withMember(good, name, value) + value, e.mediaType})
	}
	unknown := d.secret(e.id + ": the value of a member that nobody knows")
	list = append(list, body{set("secret", unknown), e.mediaType})
	if !isForm { // of which it would be the name of a member: a refusal says which one it does not know
		list = append(list, body{unknown, e.mediaType})
	}
	return list
}

// withMember returns a JSON object with a member more, or another in the place of the one of that name. The value may be malformed.
func withMember(object, name, value string) string {
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(object), &members); err != nil {
		panic(err)
	}
	delete(members, name)
	var list []string
	for _, other := range slices.Sorted(maps.Keys(members)) {
		list = append(list, quote(other)+":"+string(members[other]))
	}
	return "{" + strings.Join(append(list, quote(name)+":"+value), ",") + "}"
}

// secretMembers are the names of the members that the document calls secret.
func secretMembers(schema *openapi3.Schema) (names []string) {
	for name, property := range schema.Properties {
		if property.Value.Format == "password" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// fitting returns the secret with as much behind it as the schema demands: a wrong one that is well-formed.
func fitting(schema *openapi3.Schema, secret string) string {
	if short := int(schema.MinLength) - len(secret); short > 0 {
		secret += strings.Repeat("a", short)
	}
	return secret
}

var secretName = regexp.MustCompile(`(^|_)(password|secret|token|assertion|verifier|code)$`)

// TestSecretsAreDeclared: abuse puts a secret where the document says that one belongs. A member by the name of a secret has to be one.
func TestSecretsAreDeclared(t *testing.T) {
	declared := 0
	for _, e := range examples(t) {
		if e.op.RequestBody == nil {
			continue
		}
		schema := e.op.RequestBody.Value.Content[e.mediaType].Schema.Value
		declared += len(secretMembers(schema))
		for name, property := range schema.Properties {
			if secretName.MatchString(name) && property.Value.Format != "password" {
				t.Errorf("%s: the member %s is a secret by its name: give it format: password in the document", e.id, name)
			}
		}
	}
	if declared < 15 {
		t.Errorf("%d secrets in all bodies of the document", declared)
	}
}
