package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
)

// canaryCore stands in every secret that a test makes up, so that one search finds each of them. Letters and digits are the same in a URL
// and in JSON.
const canaryCore = "Kanarie7Zang5Kooi"

// canaries are the secrets of a test: those that it makes up, and those that the service has made.
type canaries struct {
	made  int
	kinds map[string]int
	own   map[string]string // secret → what it is
}

// secret makes up a secret.
func (c *canaries) secret(kind string) string {
	c.made++
	c.kinds[kind]++
	return fmt.Sprintf("%s-%05d", canaryCore, c.made)
}

// add takes a secret that is good, or was.
func (c *canaries) add(kind, secret string) string {
	if len(secret) < 12 {
		panic("a secret that short could stand anywhere: " + kind)
	}
	if c.own[secret] == "" {
		c.own[secret] = kind
		c.kinds[kind]++
	}
	return secret
}

// addSigned takes a JWT. Its signature is what nobody else has, and the end of the token.
func (c *canaries) addSigned(kind, token string) string {
	c.add(kind, token[strings.LastIndexByte(token, '.')+1:])
	return token
}

// forms are the texts that hold a secret, by the name of the form.
func forms(secret string) map[string]string {
	quoted, logged := quote(secret), new(bytes.Buffer)
	encoder := json.NewEncoder(logged)
	encoder.SetEscapeHTML(false) // as slog does
	_ = encoder.Encode(secret)
	hexed := hex.EncodeToString([]byte(secret))
	var percent strings.Builder
	for i := range len(secret) {
		fmt.Fprintf(&percent, "%%%02X", secret[i])
	}
	all := map[string]string{
		"plain": secret, "in lower case": strings.ToLower(secret), "in JSON": quoted[1 : len(quoted)-1],
		"in the JSON of a log": strings.Trim(logged.String(), "\"\n"), "in hex": hexed, "in HEX": strings.ToUpper(hexed),
		"in a query": url.QueryEscape(secret), "in a path": url.PathEscape(secret), "all percent-encoded": percent.String(),
	}
	for before := range 3 { // base64 of a text is another one by where in three bytes it begins
		for name, encoding := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			text := encoding.EncodeToString(append(make([]byte, before), secret...))
			// The characters that hold a bit of what stands before or after it are not its own.
			text = text[(before*8+5)/6 : (before+len(secret))*8/6]
			all[fmt.Sprintf("in %s after %d bytes", name, before)] = text
		}
	}
	return all
}

// search returns where in the text one of the canaries stands, in whichever form.
func (c *canaries) search(text []byte) (hits []string) {
	look := func(kind, secret string) {
		for name, form := range forms(secret) {
			if i := bytes.Index(text, []byte(form)); i >= 0 {
				around := text[max(0, i-60):min(len(text), i+len(form)+60)]
				hits = append(hits, fmt.Sprintf("%s %s: %q", kind, name, around))
			}
		}
	}
	look("a canary", canaryCore)
	for secret, kind := range c.own {
		look(kind, secret)
	}
	return hits
}

// database returns the bytes of the SQLite file, and of what has not been merged into it yet.
func (s *service) database(t *testing.T) []byte {
	t.Helper()
	var all []byte
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(s.config.Database + suffix)
		if err != nil && (suffix == "" || !os.IsNotExist(err)) {
			t.Fatal(err)
		}
		all = append(all, content...)
	}
	return all
}

// TestTheSearchForCanariesFindsThem: one that is planted in each of the places, in each of the forms.
func TestTheSearchForCanariesFindsThem(t *testing.T) {
	s := start(t)
	c := &canaries{kinds: map[string]int{}, own: map[string]string{}}
	odd := c.add("an odd secret", "pässwörd+/?&= \"with\" <everything>")
	plain := c.secret("a canary")
	wants := func(place string, text []byte, form string) {
		t.Helper()
		if hits := c.search(text); !slices.ContainsFunc(hits, func(hit string) bool { return strings.Contains(hit, form) }) {
			t.Errorf("%s: not found %s: %q", place, form, hits)
		}
	}
	before := len(c.search(s.database(t))) + len(c.search([]byte(s.access.String()+s.log.String())))
	if before != 0 {
		t.Fatalf("%d hits before anything was planted", before)
	}
	for _, secret := range []string{odd, plain} {
		core := secret
		if secret == plain {
			core = canaryCore
		}
		for name := range forms(core) {
			// The form of a text around it, as a leak would be.
			text := "user:" + forms(secret)[name] + "\n"
			if encoding, after, found := strings.Cut(name, " after "); found {
				padding := strings.Repeat("x", int(after[0]-'0'))
				text = map[string]*base64.Encoding{"in base64": base64.StdEncoding, "in base64url": base64.URLEncoding}[encoding].EncodeToString([]byte(padding + secret + "yz"))
			}
			wants("a body", []byte(`{"detail":"`+text+`"}`), name)
		}
		// As the service itself would write it.
		s.config.Log.Error("request failed", "error", secret)
		fmt.Fprintf(s.access, "{\"query\":%q}\n", url.Values{"api_key": {secret}}.Encode())
		if got := s.send(t, "PATCH", "/users/me", `{"display_name":`+quote(secret)+`}`, "Authorization", "Bearer "+s.token(), "Content-Type", "application/merge-patch+json"); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		wants("the error log", []byte(s.log.String()), "in the JSON of a log")
		wants("the access log", []byte(s.access.String()), "in a query")
		wants("the database", s.database(t), "plain")
	}
}

func quote(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted)
}
