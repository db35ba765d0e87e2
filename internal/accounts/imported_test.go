package accounts

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

func phcOf(t *testing.T, prefix, salt, hexTag string) string {
	t.Helper()
	tag, err := hex.DecodeString(hexTag)
	if err != nil {
		t.Fatal(err)
	}
	return prefix + base64.RawStdEncoding.EncodeToString([]byte(salt)) + "$" + base64.RawStdEncoding.EncodeToString(tag)
}

func bcryptOf(t *testing.T, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(hash)
}

// TestHashesOfOtherServices: vectors of RFC 7914, of passlib (and Python agrees) and of bcrypt's article in Wikipedia.
func TestHashesOfOtherServices(t *testing.T) {
	scryptHash := phcOf(t, "$scrypt$ln=14,r=8,p=1$", "SodiumChloride", "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887")
	const pbkdf2Hash = "$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44"
	const bcryptHash = "$2a$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"
	long := strings.Repeat("x", 72)
	for _, row := range []struct {
		name, stored, password string
		ok                     bool
	}{
		{"scrypt", scryptHash, "pleaseletmein", true},
		{"PBKDF2 of passlib", pbkdf2Hash, "password", true},
		{"PBKDF2 in PHC", strings.Replace(pbkdf2Hash, "$6400$", "$i=6400$", 1), "password", true},
		{"PBKDF2 in PHC with its length", strings.Replace(pbkdf2Hash, "$6400$", "$i=6400,l=32$", 1), "password", true},
		{"bcrypt", bcryptHash, "abc123xyz", true},
		{"bcrypt of 72 bytes", bcryptOf(t, long), long, true},
		{"another password for scrypt", scryptHash, "pleaseletmeout", false},
		{"no password for scrypt", scryptHash, "", false},
		{"another password for PBKDF2", pbkdf2Hash, "Password", false},
		{"another count of PBKDF2", strings.Replace(pbkdf2Hash, "$6400$", "$6401$", 1), "password", false},
		{"another digest of PBKDF2", strings.Replace(pbkdf2Hash, "sha256", "sha512", 1), "password", false},
		{"another password for bcrypt", bcryptHash, "abc123xyZ", false},
		{"no password for bcrypt", bcryptHash, "", false},
		{"a 73rd byte for bcrypt, which would not look at it", bcryptOf(t, long), long + "y", false},
		{"a megabyte for bcrypt", bcryptOf(t, long), strings.Repeat("x", 1024), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := testHasher(Passwords{}, 1)
			ok, lags, err := h.verify(ctx, auth.Secret(row.password), row.stored)
			if err != nil || ok != row.ok || !lags || h.runs.Load() != 1 {
				t.Errorf("ok %v, lags %v, %d runs, %v", ok, lags, h.runs.Load(), err)
			}
		})
	}
}

// TestImportedHashesAreBounded: what an import or an attacker could leave in a row to take the memory or the time of the service.
func TestImportedHashesAreBounded(t *testing.T) {
	const tail = "$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg"
	for name, stored := range map[string]string{
		"scrypt of 1 GiB":               "$scrypt$ln=20,r=8,p=1" + tail,
		"scrypt of more than there is":  "$scrypt$ln=63,r=8,p=1" + tail,
		"scrypt of a wide block":        "$scrypt$ln=14,r=1000000,p=1" + tail,
		"scrypt of many lanes":          "$scrypt$ln=14,r=8,p=1000000" + tail,
		"scrypt of much and many lanes": "$scrypt$ln=18,r=8,p=32" + tail,
		"scrypt of nothing":             "$scrypt$ln=0,r=8,p=1" + tail,
		"scrypt of a negative cost":     "$scrypt$ln=-1,r=8,p=1" + tail,
		"scrypt without lanes":          "$scrypt$ln=14,r=8" + tail,
		"PBKDF2 of ten million":         "$pbkdf2-sha256$10000000" + tail,
		"PBKDF2 of one":                 "$pbkdf2-sha256$1" + tail,
		"PBKDF2 of a negative count":    "$pbkdf2-sha256$-1" + tail,
		"PBKDF2 of no count":            "$pbkdf2-sha256$many" + tail,
		"PBKDF2 of another length":      "$pbkdf2-sha256$i=6400,l=64" + tail,
		"PBKDF2 of SHA-1":               "$pbkdf2$6400" + tail,
		"PBKDF2 of a short tag":         "$pbkdf2-sha256$6400$MDEyMzQ1Njc4OWFiY2RlZg$MDEy",
		"PBKDF2 without salt":           "$pbkdf2-sha256$6400$$MDEyMzQ1Njc4OWFiY2RlZg",
		"PBKDF2 without a tag":          "$pbkdf2-sha256$6400$MDEyMzQ1Njc4OWFiY2RlZg",
		"bcrypt of a day":               "$2a$31$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
		"bcrypt of no cost":             "$2a$xx$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
		"half of bcrypt":                "$2a$10$R9h/cIPz0gi.URNNX3kh2O",
		"bcrypt of a version with bugs": "$2x$10$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
		"SHA-512 of crypt":              "$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/",
		"MD5":                           "5f4dcc3b5aa765d61d8327deb882cf99",
		"the password":                  "password",
	} {
		if _, _, taken := parseImported(stored); taken {
			t.Errorf("%s is taken", name)
		}
		h := testHasher(Passwords{}, 1)
		if ok, _, err := h.verify(ctx, "password", stored); ok || err != nil || h.runs.Load() != 1 {
			t.Errorf("%s: %v %v, %d runs", name, ok, err, h.runs.Load())
		}
	}
}

// TestAnImportedHashIsReplacedByTheFirstLogin with one of argon2id.
func TestAnImportedHashIsReplacedByTheFirstLogin(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		imported := s.store(t, bcryptOf(t, password))
		s.refused(t, "a wrong password", "ann", "wrong", 1)
		if s.store(t, "") != imported {
			t.Error("a wrong password changed the hash")
		}
		if _, err := s.login("ann", password); err != nil {
			t.Fatal(err)
		}
		if hash := s.store(t, ""); !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
			t.Errorf("the hash is still %s", hash)
		}
		s.restart(t)
		if _, err := s.login("ann", password); err != nil {
			t.Errorf("with the new hash: %v", err)
		}
	})
}
