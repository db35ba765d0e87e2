package server_test

import (
	"context"
	"database/sql"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/server"
)

const (
	springPepper = "2026-spring:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	autumnPepper = "2026-autumn:HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
)

func TestParsePeppers(t *testing.T) {
	for name, text := range map[string]string{"lines": autumnPepper + "\n" + springPepper + "\n", "a variable": autumnPepper + " " + springPepper, "lines of DOS": "\r\n" + autumnPepper + "\r\n" + springPepper} {
		peppers, err := server.ParsePeppers(auth.Secret(text))
		if err != nil || len(peppers) != 2 || peppers[0].ID != "2026-autumn" || peppers[1].ID != "2026-spring" {
			t.Fatalf("%s: %v, %v", name, peppers, err)
		}
		if len(peppers[0].Key) != 32 || peppers[0].Key[0] != 0x1f || peppers[1].Key[0] != 0 {
			t.Errorf("%s: the keys are others", name)
		}
	}
	for _, row := range []struct{ name, text, says string }{
		{"nothing", "", "there is no pepper"},
		{"empty lines", "\n \n", "there is no pepper"},
		{"no name", springPepper[12:], "pepper 1 has no name"},
		{"an empty name", springPepper[11:], "pepper 1 has no name"},
		{"a name that a hash cannot hold", "a$b" + springPepper[11:], "pepper 1 has no name"},
		{"no key", autumnPepper + "\n2026-spring", "pepper 2 is not 32 random bytes"},
		{"half a key", springPepper[:30], "pepper 1 is not 32 random bytes"},
		{"31 bytes", "x:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==", "pepper 1 is not 32 random bytes"},
		{"zeros", "x:" + strings.Repeat("A", 43) + "=", "pepper 1 is not 32 random bytes"},
		{"a colon more", "x:y" + springPepper[11:], "pepper 1 is not 32 random bytes"},
		{"one name twice", springPepper + "\n2026-spring" + autumnPepper[11:], "pepper 2 has the name of another"},
	} {
		peppers, err := server.ParsePeppers(auth.Secret(row.text))
		if err == nil || peppers != nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, %v", row.name, peppers, err)
		}
		if err != nil && (strings.Contains(err.Error(), "ECAwQF") || strings.Contains(err.Error(), "a$b")) {
			t.Errorf("%s: the error holds what was given: %v", row.name, err)
		}
	}
}

// TestAPepperThatIsNotGiven is no wrong password: the service cannot tell, and its log names the pepper.
func TestAPepperThatIsNotGiven(t *testing.T) {
	const hash = "$argon2id$v=19$m=19456,t=2,p=1,pepper=2026-spring$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"
	peppers, err := server.ParsePeppers(autumnPepper)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, func(c *server.Config) { c.Passwords.Peppers = peppers })
	if err := s.DB().Write(context.Background(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE users SET password_hash = $1 WHERE username = $2`, hash, s.user)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	form := url.Values{"grant_type": {"password"}, "username": {s.user}, "password": {s.password}}
	login, err := http.NewRequest("POST", s.base+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	login.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	basic, err := http.NewRequest("GET", s.base+"/protected/basic", nil)
	if err != nil {
		t.Fatal(err)
	}
	basic.SetBasicAuth(s.user, s.password)
	for name, request := range map[string]*http.Request{"the token endpoint": login, "HTTP Basic": basic} {
		before := len(s.log.String())
		response, err := s.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" || response.Header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s answers %d with %v, %v", name, response.StatusCode, response.Header, err)
		}
		if strings.Contains(string(body), "spring") {
			t.Errorf("%s tells about the pepper: %s", name, body)
		}
		if logged := s.log.String()[before:]; !strings.Contains(logged, "a password hash has the pepper 2026-spring") {
			t.Errorf("%s: the log does not name the pepper: %s", name, logged)
		}
	}
}
