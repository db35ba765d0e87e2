package accounts

import (
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

var (
	spring = Pepper{ID: "2026-spring", Key: auth.Secret(strings.Repeat("s", 32))}
	autumn = Pepper{ID: "2026-autumn", Key: auth.Secret(strings.Repeat("a", 32))}
)

// pepperedHash is a hash as it is documented, made without the code that makes it.
func pepperedHash(password string, c Cost, p Pepper) string {
	salt := []byte("0123456789abcdef")
	mac := hmac.New(sha256.New, []byte(p.Key.Reveal()))
	mac.Write(argon2.IDKey([]byte(password), salt, c.Time, c.Memory, c.Threads, 32))
	plain := phc{cost: c, salt: salt, tag: mac.Sum(nil)}.String()
	return strings.Replace(plain, ",p=1$", ",p=1,pepper="+p.ID+"$", 1)
}

func TestPeppers(t *testing.T) {
	first, second := Costs()[0], Costs()[1]
	impostor := Pepper{ID: spring.ID, Key: autumn.Key}
	short := phc{cost: first, pepper: spring.ID, salt: make([]byte, 16), tag: make([]byte, 16)}.String()
	for _, row := range []struct {
		name             string
		peppers          []Pepper
		stored, password string
		ok, lags         bool
	}{
		{"the pepper", []Pepper{spring}, pepperedHash("correct horse", first, spring), "correct horse", true, false},
		{"the newest of two", []Pepper{autumn, spring}, pepperedHash("correct horse", first, autumn), "correct horse", true, false},
		{"the older of two", []Pepper{autumn, spring}, pepperedHash("correct horse", first, spring), "correct horse", true, true},
		{"the pepper, at another cost", []Pepper{spring}, pepperedHash("correct horse", second, spring), "correct horse", true, true},
		{"no pepper, from before there was one", []Pepper{spring}, storedHash("correct horse", first), "correct horse", true, true},
		{"bcrypt, from before there was one", []Pepper{spring}, bcryptOf(t, "correct horse"), "correct horse", true, true},
		{"another password", []Pepper{spring}, pepperedHash("correct horse", first, spring), "correct horsf", false, false},
		{"another password under the older", []Pepper{autumn, spring}, pepperedHash("correct horse", first, spring), "correct horsf", false, true},
		{"another key of the same name", []Pepper{impostor}, pepperedHash("correct horse", first, spring), "correct horse", false, false},
		{"a tag of one under the name of another", []Pepper{autumn, spring}, strings.Replace(pepperedHash("correct horse", first, spring), spring.ID, autumn.ID, 1), "correct horse", false, false},
		{"a tag without a pepper under the name of one", []Pepper{spring}, strings.Replace(storedHash("correct horse", first), ",p=1", ",p=1,pepper="+spring.ID, 1), "correct horse", false, false},
		{"a tag with a pepper that names none", []Pepper{spring}, strings.Replace(pepperedHash("correct horse", first, spring), ",pepper="+spring.ID, "", 1), "correct horse", false, true},
		{"a short tag", []Pepper{spring}, short, "correct horse", false, false},
		{"no hash", []Pepper{spring}, "", "correct horse", false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := testHasher(Passwords{Peppers: row.peppers}, 1)
			ok, lags, err := h.verify(ctx, auth.Secret(row.password), row.stored)
			if err != nil || ok != row.ok || lags != row.lags || h.runs.Load() != 1 {
				t.Errorf("ok %t, lags %t, %d hashes, %v", ok, lags, h.runs.Load(), err)
			}
			made, err := h.hash(ctx, "correct horse")
			if err != nil || !strings.HasPrefix(made, "$argon2id$v=19$m=19456,t=2,p=1,pepper="+row.peppers[0].ID+"$") {
				t.Errorf("%v, a new hash is %s", err, made)
			}
			if ok, lags, err := h.verify(ctx, "correct horse", made); !ok || lags || err != nil {
				t.Errorf("a new hash: ok %t, lags %t, %v", ok, lags, err)
			}
		})
	}
}

func TestParsePHCRefusesPeppers(t *testing.T) {
	for name, id := range map[string]string{
		"no name": "", "a name of 33 letters": strings.Repeat("x", 33), "a space": "a b", "a comma": "a,b", "an equals sign": "a=b", "a line end": "a\n",
		"a letter of another alphabet": "ä", "a NUL": "a\x00",
	} {
		stored := strings.Replace(storedHash("x", cheap), ",p=1$", ",p=1,pepper="+id+"$", 1)
		if p, err := parsePHC(stored); err == nil {
			t.Errorf("%s is taken: %+v", name, p)
		}
		if ValidPepperID(id) {
			t.Errorf("%s is a good name", name)
		}
	}
	for name, stored := range map[string]string{
		"the pepper before the cost": "$argon2id$v=19$pepper=a,m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg",
		"two peppers":                "$argon2id$v=19$m=64,t=1,p=1,pepper=a,pepper=b$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg",
		"a key of argon2id itself":   "$argon2id$v=19$m=64,t=1,p=1,keyid=YWJj$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg",
	} {
		if p, err := parsePHC(stored); err == nil {
			t.Errorf("%s is taken: %+v", name, p)
		}
	}
}

// TestRowsMoveToTheNewestPepper at the login of their users, from no pepper, from an older one and from the hash of another service.
func TestRowsMoveToTheNewestPepper(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		for _, row := range []struct {
			name    string
			peppers []Pepper
			stored  string // "" for what the step before left
			wants   string
		}{
			{"a pepper is set", []Pepper{spring}, "", ",pepper=2026-spring$"},
			{"another is set before it", []Pepper{autumn, spring}, "", ",pepper=2026-autumn$"},
			{"the older is taken away", []Pepper{autumn}, "", ",pepper=2026-autumn$"},
			{"an imported hash", []Pepper{autumn}, bcryptOf(t, password), ",pepper=2026-autumn$"},
		} {
			if row.stored != "" {
				s.store(t, row.stored)
			}
			s.config.Passwords.Peppers = row.peppers
			s.restart(t)
			if _, err := s.login("ann", password); err != nil {
				t.Fatalf("%s: %v", row.name, err)
			}
			if hash := s.store(t, ""); !strings.Contains(hash, row.wants) {
				t.Errorf("%s: the hash is %s", row.name, hash)
			}
		}
		s.restart(t)
		s.refused(t, "a wrong password", "ann", "wrong", 1)
		s.refused(t, "an unknown user", "nobody", password, 1)
	})
}

// TestAnUnknownPepperIsNeitherYesNorNo: nobody is let in, no failure is counted, nothing is written, and the error names the pepper.
func TestAnUnknownPepperIsNeitherYesNorNo(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	peppered := s.store(t, pepperedHash(password, Costs()[0], spring))
	for name, peppers := range map[string][]Pepper{"none is given": nil, "another is given": {autumn}} {
		s.config.Passwords.Peppers = peppers
		s.restart(t)
		for range 2 * testLimits().Failures.Quota {
			_, err := s.login("ann", password)
			if errors.Is(err, auth.ErrInvalidCredential) || !problem.Unavailable.Is(err) || problem.From(err).RetryAfter <= 0 || !strings.Contains(err.Error(), "pepper 2026-spring") {
				t.Fatalf("%s: %v", name, err)
			}
			if strings.Contains(problem.From(err).Detail, "spring") {
				t.Fatalf("%s: the caller is told %s", name, problem.From(err).Detail)
			}
		}
		if err := s.ChangePassword(from("192.0.2.1"), s.ann.ID, password, "another horse battery", ""); !problem.Unavailable.Is(err) {
			t.Errorf("%s: a change of the password: %v", name, err)
		}
		if s.store(t, "") != peppered {
			t.Errorf("%s: the hash was changed", name)
		}
	}
	if err := s.SetPassword(ctx, s.ann.ID, "another horse battery"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.login("ann", "another horse battery"); err != nil {
		t.Errorf("after the password was set again: %v", err)
	}
}

// store puts a hash into the row of the only user, where it is not empty, and returns what is there.
func (s *service) store(t *testing.T, hash string) (stored string) {
	t.Helper()
	if err := s.config.DB.Write(ctx, func(tx *sql.Tx) error {
		if hash != "" {
			if _, err := tx.ExecContext(ctx, `UPDATE users SET password_hash = $1`, hash); err != nil {
				return err
			}
		}
		return tx.QueryRowContext(ctx, `SELECT password_hash FROM users`).Scan(&stored)
	}); err != nil {
		t.Fatal(err)
	}
	return stored
}
