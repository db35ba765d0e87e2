package accounts

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/trustelem/zxcvbn/frequency"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

// TestTheMostCommonPasswordsAreRefused: those of the list of zxcvbn, by rank, that nothing else refuses. ASVS 5.0 6.2.4 asks for 3,000.
func TestTheMostCommonPasswordsAreRefused(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	tried := 0
	for _, p := range frequency.FrequencyLists["passwords"] {
		if utf8.RuneCountInString(p) < minPassword {
			continue
		}
		tried++
		for _, p := range []string{p, strings.ToUpper(p)} {
			err := s.checkPassword("/password", auth.Secret(p), User{})
			if !problem.ValidationFailed.Is(err) || problem.From(err).Violations[0].Keyword != "x-common-password" {
				t.Fatalf("number %d, %q: %v", tried, p, err)
			}
		}
	}
	if tried < 3000 {
		t.Errorf("%d passwords were tried, want 3,000 at least", tried)
	}
	t.Logf("%d common passwords are refused", tried)
}

func TestCheckPassword(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	bob := User{Username: "bobby", Email: "r.tables@example.com"}
	for _, row := range []struct{ name, password, keyword string }{
		{"a passphrase", password, ""},
		{"eight characters", "kq3!vz0p", ""},
		{"64 emoji", strings.Repeat("🐎", 64), ""},
		{"1024 bytes", strings.Repeat("x9", 512), ""},
		{"spaces alone", "          ", ""},
		{"only digits that nobody has", "4820571936", ""},
		{"the user name within a long one", "bobby has nine green bottles", ""},
		{"the service within a long one", "my gatehouse has nine doors", ""},
		{"a word of two letters is no word", "rtrtrtrt", ""},
		{"seven characters", "kq3!vz0", "minLength"},
		{"seven characters of many bytes", strings.Repeat("🐎", 7), "minLength"},
		{"1025 bytes", strings.Repeat("x", 1025), "maxLength"},
		{"a megabyte", strings.Repeat("x", 1<<20), "maxLength"},
		{"a common one", "password1", "x-common-password"},
		{"a common one in another case", "PassWord1", "x-common-password"},
		{"the user name twice", "bobbybobby", "x-known-words"},
		{"the user name and a year", "Bobby2026", "x-known-words"},
		{"the local part and a digit", "r.tables1", "x-known-words"},
		{"the address", "r.tables@example.com", "x-known-words"},
		{"the domain", "example.com!", "x-known-words"},
		{"the service", "Gatehouse!", "x-known-words"},
		{"the service and the user name", "gatehousebobby12", "x-known-words"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := s.checkPassword("/new_password", auth.Secret(row.password), bob)
			if row.keyword == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e := problem.From(err)
			if !problem.ValidationFailed.Is(err) || len(e.Violations) != 1 || e.Violations[0].Keyword != row.keyword || e.Violations[0].Pointer != "/new_password" {
				t.Fatalf("%+v", err)
			}
			if strings.Contains(err.Error()+e.Violations[0].Detail, row.password) {
				t.Errorf("the error holds the password: %v", err)
			}
		})
	}
}
