package server_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"example.com/gatehouse/internal/accounts"
	"example.com/gatehouse/internal/auth"
)

// drill sends secrets to the service wherever one can stand, and keeps what it says to them.
type drill struct {
	*service
	*canaries
	t        *testing.T
	refusals bytes.Buffer // the header fields and bodies of all errors
	statuses map[int]int
	keyID    string
	private  ed25519.PrivateKey // which signs access tokens, also without a database
	signed   map[string]string  // scopes → the access token of the moment, until then
	until    time.Time
}

// call is a request that is good: each time that it is sent, it has a fresh credential.
type call struct {
	target, body string // "" is that of the example in the document
	auth         func() []string
}

// TestNoSecretLeaks drives every operation of the document with secrets in every place: right and wrong ones, in good and in malformed
// requests, with a database and without. Then it looks for them where none belongs. An operation that the document gains needs a row where
// its example is no good request, or its body holds a secret.
func TestNoSecretLeaks(t *testing.T) {
	operators, on := withAdmin(t, "127.0.0.1:0")
	d := &drill{service: start(t, on), canaries: &canaries{kinds: map[string]int{}, own: map[string]string{}}, t: t, statuses: map[int]int{}}
	var err error
	if d.keyID, d.private, err = d.SigningKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.add("the password of a user", d.password)
	d.add("an API key", d.apiKey)
	d.add("the secret of a client", d.clientSecret)
	bearer, key := d.bearer("items:read items:write users:read users:write admin openid profile email"), func() []string { return []string{"X-API-Key", d.apiKey} }
	login := d.login(person{name: d.user, password: d.password})
	basicClient := func() []string { return []string{"Authorization", basic(d.clientID, d.clientSecret)} }
	nobody := func() []string { return nil }
	signer := d.newSigner()
	assertion := func() string {
		return d.addSigned("a client assertion", signer.assertion(jwt.MapClaims{"exp": d.clock.Now().Add(5 * time.Minute).Unix()}))
	}
	shop := d.newApp(t)
	d.add("a code", shop.allow(t))
	d.add("a login cookie", shop.login)
	d.add("a device cookie", shop.device)
	d.add("a code verifier", shop.verifier)
	inBrowser := func() []string {
		return []string{"Cookie", "__Host-login=" + shop.login + "; __Host-device=" + shop.device}
	}
	item := func() string {
		var made struct{ ID string }
		d.reads(d.good("POST", "/items", validNew, jsonType, bearer()...), &made)
		return "/items/" + made.ID
	}
	usual := func(e example) func() []string {
		for _, scheme := range []struct {
			name string
			auth func() []string
		}{{"oauth2", bearer}, {"basic", login}, {"apiKeyHeader", key}, {"client", basicClient}} {
			if takes(e.op, scheme.name) {
				return scheme.auth
			}
		}
		return nobody
	}

	const chosen = "what I have chosen: pässwörd"
	registered := func(email string) string {
		d.good("POST", "/users", `{"email":`+quote(email)+`,"password":`+quote(chosen)+`}`, jsonType)
		return d.mailedCode("/account/verification-mail", email)
	}
	forgotten := func(email string) string {
		p := accounts.NewUser{Username: email, Password: auth.Secret(d.add("the password of a user", email+" has forgotten: pässwörd"))}
		if _, err := d.Users().Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		return d.mailedCode("/account/password-reset-mail", email)
	}

	// rows are of the operations of which the document does not say enough: an id that is there, a secret that is good.
	rows := map[string]func() []call{
		"createToken": func() []call {
			password := d.tokenForm()
			refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {d.loggedIn().refresh}}
			itself := url.Values{"grant_type": {"client_credentials"}}
			secret := url.Values{"grant_type": {"client_credentials"}, "client_id": {d.clientID}, "client_secret": {d.clientSecret}}
			code := url.Values{
				"grant_type": {"authorization_code"}, "client_id": {shop.id}, "redirect_uri": {shop.redirectURI},
				"code": {d.add("a code", shop.allow(t))}, "code_verifier": {shop.verifier},
			}
			return []call{
				{"", password.Encode(), nobody}, {"", code.Encode(), nobody}, {"", refresh.Encode(), nobody}, {"", itself.Encode(), basicClient}, {"", secret.Encode(), nobody},
				{"", signer.form(assertion(), "grant_type", "client_credentials").Encode(), nobody},
			}
		},
		"authorize": func() []call { return []call{{"/authorize?" + shop.query(), "", inBrowser}} },
		"logIn": func() []call {
			return []call{{"", url.Values{"username": {d.user}, "password": {d.password}, "request": {shop.query()}}.Encode(), nobody}}
		},
		"decideConsent": func() []call {
			return []call{{"", url.Values{"decision": {"deny"}, "request": {shop.query()}}.Encode(), inBrowser}}
		},
		"logOut": func() []call { return []call{{"", url.Values{"request": {shop.query()}}.Encode(), inBrowser}} },
		"revokeToken": func() []call {
			session := d.loggedIn()
			return []call{
				{"", token(session.access).Encode(), nobody}, {"", token(session.refresh).Encode(), nobody},
				{"", signer.form(assertion(), "token", d.bearer("items:read")()[1]).Encode(), nobody},
			}
		},
		"introspectToken": func() []call {
			return []call{
				{"", token(d.loggedIn().access).Encode(), basicClient}, {"", signer.form(assertion(), "token", d.loggedIn().refresh).Encode(), nobody},
				{"", url.Values{"token": {"x"}, "client_id": {d.clientID}, "client_secret": {d.clientSecret}}.Encode(), nobody},
			}
		},
		"getProtected": func() []call { return []call{{auth: bearer}, {auth: key}, {auth: login}, {auth: d.keyAsBearer}} },
		"getProtectedApiKey": func() []call {
			return []call{{auth: key}, {"/protected/api-key?api_key=" + d.apiKey, "", nobody}, {auth: func() []string { return []string{"Cookie", "api_key=" + d.apiKey} }}}
		},
		"getProtectedBearerAndApiKey": func() []call { return []call{{auth: func() []string { return append(bearer(), key()...) }}} },
		"getProtectedOptional":        func() []call { return []call{{auth: nobody}, {auth: bearer}} },
		"getItem":                     func() []call { return []call{{item(), "", bearer}} },
		"replaceItem":                 func() []call { return []call{{item(), "", d.matching(bearer)}} },
		"patchItem":                   func() []call { return []call{{item(), "", d.matching(bearer)}} },
		"deleteItem":                  func() []call { return []call{{item(), "", d.matching(bearer)}} },
		"getUser":                     func() []call { return []call{{"/users/" + d.newcomer().id, "", bearer}} },
		"patchUser":                   func() []call { return []call{{"/users/" + d.newcomer().id, "", bearer}} },
		"deleteUser":                  func() []call { return []call{{"/users/" + d.newcomer().id, "", bearer}} },
		"deleteCurrentUser": func() []call {
			p := d.newcomer()
			return []call{{"", `{"current_password":` + quote(p.password) + `}`, d.login(p)}}
		},
		"changePassword": func() []call {
			p := d.newcomer()
			next := d.add("a new password", p.name+" has chosen a new p@sswörd")
			return []call{{"", `{"current_password":` + quote(p.password) + `,"new_password":` + quote(next) + `}`, d.login(p)}}
		},
		"registerUser": func() []call {
			return []call{{"", `{"email":"canary@example.com","password":` + quote(d.add("the password of a registration", chosen)) + `}`, nobody}}
		},
		"verifyEmail": func() []call {
			return []call{{"", `{"token":` + quote(registered("verifying@example.com")) + `,"password":` + quote(chosen) + `}`, nobody}}
		},
		"verifyEmailByForm": func() []call {
			return []call{{"", url.Values{"token": {registered("proving@example.com")}, "password": {chosen}}.Encode(), nobody}}
		},
		"showEmailVerification": func() []call {
			return []call{{"/verify-email?token=" + registered("reading@example.com"), "", nobody}}
		},
		"resetPassword": func() []call {
			return []call{{"", `{"token":` + quote(forgotten("forgetful@example.com")) + `,"new_password":` + quote(d.add("a new password", "what I have chosen after that")) + `}`, nobody}}
		},
		"resetPasswordByForm": func() []call {
			form := url.Values{"token": {forgotten("absent@example.com")}, "new_password": {d.add("a new password", "what I have chosen in the end")}}
			return []call{{"", form.Encode(), nobody}}
		},
		"showPasswordReset": func() []call {
			return []call{{"/reset-password?token=" + forgotten("looking@example.com"), "", nobody}}
		},
		"endSession": func() []call { return []call{{"/users/me/sessions/" + d.loggedIn().session.String(), "", bearer}} },
		"endCurrentSession": func() []call {
			access := d.loggedIn().access
			return []call{{auth: func() []string { return []string{"Authorization", "Bearer " + access} }}}
		},
	}

	drilled := map[string][]call{}
	operations := examples(t)
	for _, e := range operations {
		row := rows[e.id]
		if row == nil {
			c := call{e.target, e.body, usual(e)}
			drilled[e.id] = []call{c}
			// The example of the document may name what is not there.
			if got := d.ask(e.method, c.target, c.body, append(e.fields(), c.auth()...)...); got.status > 303 && got.status != 404 || needsRow(e) {
				t.Errorf("%s needs a row, with a good request: the example of the document is answered %d %s", e.id, got.status, got.body)
			}
			continue
		}
		for _, c := range row() {
			c.target, c.body = orElse(c.target, e.target), orElse(c.body, e.body)
			drilled[e.id] = append(drilled[e.id], c)
			d.good(e.method, c.target, c.body, e.mediaType, c.auth()...)
		}
	}
	for id := range rows {
		if !slices.ContainsFunc(operations, func(e example) bool { return e.id == id }) {
			t.Errorf("the row %s is of no operation", id)
		}
	}
	for _, e := range operations {
		d.abuse(e, drilled[e.id])
	}
	d.Mails()
	places := map[string][]byte{"the database": d.database(t)}
	if err := d.DB().Close(); err != nil {
		t.Fatal(err)
	}
	for _, e := range operations {
		for _, c := range drilled[e.id] {
			d.ask(e.method, c.target, c.body, append(e.fields(), c.auth()...)...)
		}
		d.abuse(e, drilled[e.id])
	}
	var admin bytes.Buffer
	for _, path := range []string{"/metrics", "/readyz", "/debug/pprof/", "/debug/pprof/heap?debug=1", "/debug/pprof/goroutine?debug=1", "/no/such/path"} {
		got := operators.get(t, path)
		fmt.Fprintf(&admin, "%s %d %v\n%s\n", path, got.status, got.header, got.body)
	}
	places["what operators are told"] = admin.Bytes()
	d.stop() // which writes what is left of the access log
	places["the database at the end"] = d.database(t)
	places["the access log"], places["the error log"] = []byte(d.access.String()), []byte(d.log.String())
	places["the errors that clients were told"] = d.refusals.Bytes()
	for place, text := range places {
		if len(text) == 0 {
			t.Errorf("%s is empty: nothing was tested", place)
		}
		for _, hit := range d.search(text) {
			t.Errorf("%s holds %s", place, hit)
		}
	}
	count := 0
	for _, kind := range slices.Sorted(maps.Keys(d.kinds)) {
		count += d.kinds[kind]
		t.Logf("%5d  %s", d.kinds[kind], kind)
	}
	t.Logf("%d canaries in %d requests, answered by %v; %d bytes searched in %d forms", count, strings.Count(d.access.String(), "\n"), d.statuses, total(places), len(forms("x")))
	if count < 1000 || d.statuses[401] == 0 || d.statuses[422] == 0 || d.statuses[503] < len(operations) {
		t.Errorf("%d canaries and these statuses are too few: %v", count, d.statuses)
	}
}

// needsRow reports whether a good body of the operation holds a secret that an example cannot.
func needsRow(e example) bool {
	return e.op.RequestBody != nil && len(secretMembers(e.op.RequestBody.Value.Content[e.mediaType].Schema.Value)) > 0
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func total(places map[string][]byte) (n int) {
	for _, text := range places {
		n += len(text)
	}
	return n
}

// ask sends a request, and keeps what an error says.
func (d *drill) ask(method, target, body string, fields ...string) answer {
	d.t.Helper()
	d.clock.pass(20 * time.Second) // so that few limits are reached, and a code is good for two requests
	got := d.send(d.t, method, target, body, fields...)
	d.statuses[got.status]++
	if got.status >= 400 {
		fmt.Fprintf(&d.refusals, "%v\n%s\n", got.header, got.body)
	}
	if got.status >= 500 && got.status != 503 {
		d.t.Errorf("%s %.60s: %d", method, target, got.status)
	}
	return got
}

// good sends a request that must succeed.
func (d *drill) good(method, target, body, mediaType string, fields ...string) answer {
	d.t.Helper()
	if mediaType != "" {
		fields = append(fields, "Content-Type", mediaType)
	}
	got := d.ask(method, target, body, fields...)
	if got.status < 200 || got.status > 303 {
		d.t.Errorf("%s %.60s is no good request: %d %s", method, target, got.status, got.body)
	}
	return got
}

func (d *drill) reads(got answer, v any) {
	d.t.Helper()
	if err := json.Unmarshal(got.body, v); err != nil {
		d.t.Fatal(err)
	}
}

// bearer returns what makes the header with a fresh access token.
func (d *drill) bearer(scopes string) func() []string {
	return func() []string {
		return []string{"Authorization", "Bearer " + d.addSigned("an access token", d.accessToken(scopes))}
	}
}

// accessToken returns a token that is good for some more requests. Each token is looked for in everything: the fewer the better.
func (d *drill) accessToken(scopes string) string {
	d.t.Helper()
	if d.clock.Now().Before(d.until) && d.signed[scopes] != "" {
		return d.signed[scopes]
	}
	if !d.clock.Now().Before(d.until) {
		d.until, d.signed = d.clock.Now().Add(50*time.Minute), map[string]string{}
	}
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, d.claims(scope(scopes), jwt.MapClaims{"exp": d.clock.Now().Add(time.Hour).Unix()}))
	token.Header["typ"], token.Header["kid"] = "at+jwt", d.keyID
	signed, err := token.SignedString(d.private)
	if err != nil {
		d.t.Fatal(err)
	}
	d.signed[scopes] = signed
	return signed
}

func (d *drill) keyAsBearer() []string { return []string{"Authorization", "Bearer " + d.apiKey} }

func (d *drill) login(p person) func() []string {
	return func() []string { return []string{"Authorization", basic(p.name, p.password)} }
}

// matching adds the field that a change of an item needs.
func (d *drill) matching(auth func() []string) func() []string {
	return func() []string { return append(auth(), "If-Match", "*") }
}

// loggedIn logs the development user in.
func (d *drill) loggedIn() tokens {
	d.clock.pass(time.Minute)
	login := d.logIn()
	d.addSigned("an access token", login.access)
	d.add("a refresh token", login.refresh)
	return login
}

// newcomer makes a user.
func (d *drill) newcomer() person {
	p := d.newPerson(fmt.Sprintf("newcomer %d", len(d.own)), "users:write")
	d.add("the password of a user", p.password)
	d.add("an API key", p.apiKey)
	return p
}

// mailedCode returns the code of the mail to an address that is asked for at the target.
func (d *drill) mailedCode(target, email string) string {
	d.t.Helper()
	d.Mails()
	mails, err := filepath.Glob(filepath.Join(d.config.Data, "mail", "*.eml"))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, file := range mails {
		if err := os.Remove(file); err != nil {
			d.t.Fatal(err)
		}
	}
	d.clock.pass(time.Hour)
	d.good("POST", target, `{"email":"`+email+`"}`, jsonType)
	return d.add("a code of a mail", d.mailed(1)[email])
}
