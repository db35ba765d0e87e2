package apikeys

import (
	"crypto/rand"
	"strings"
	"testing"
	"testing/iotest"

	"example.com/gatehouse/internal/auth"
)

func newParts(t *testing.T) parts {
	t.Helper()
	id, err := randomText(rand.Reader, idLength)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := randomText(rand.Reader, secretLength)
	if err != nil {
		t.Fatal(err)
	}
	return parts{environment: "dev", id: id, secret: secret}
}

func TestParseReadsWhatFormatWrites(t *testing.T) {
	for _, environment := range []string{"dev", "live"} {
		want := newParts(t)
		want.environment = environment
		got, ok := parse(want.format())
		if !ok || got != want {
			t.Errorf("%s: got %v, want the parts that were formatted", environment, ok)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	good := newParts(t).format().Reveal()
	fields := strings.Split(good, "_")
	rebuilt := func(change func([]string)) string {
		f := append([]string(nil), fields[:4]...)
		change(f)
		body := strings.Join(f, "_")
		return body + "_" + checksum(body)
	}
	for _, row := range []struct{ name, key string }{
		{"nothing", ""},
		{"the prefix alone", "gth_dev_"},
		{"a missing last character", good[:len(good)-1]},
		{"one character more", good + "0"},
		{"a space before", " " + good},
		{"a space after", good + " "},
		{"a changed secret", strings.Replace(good, fields[3], strings.Repeat("0", secretLength), 1)},
		{"a changed id", strings.Replace(good, fields[2], strings.Repeat("0", idLength), 1)},
		{"another environment under the same checksum", strings.Replace(good, "_dev_", "_liv_", 1)},
		{"a changed checksum", good[:len(good)-checksumLength] + strings.Repeat("0", checksumLength)},
		{"another prefix with its checksum", rebuilt(func(f []string) { f[0] = "ghp" })},
		{"a short id with its checksum", rebuilt(func(f []string) { f[2] = f[2][1:] })},
		{"a short secret with its checksum", rebuilt(func(f []string) { f[3] = f[3][1:] })},
		{"a separator in the secret", rebuilt(func(f []string) { f[3] = "_" + f[3][1:] })},
		{"no separators", strings.ReplaceAll(good, "_", "0")},
		{"an access token", "eyJhbGciOiJFZERTQSJ9.e30.c2ln"},
		{"a megabyte", strings.Repeat("a", 1<<20)},
	} {
		if _, ok := parse(auth.APIKey{Secret: auth.Secret(row.key)}); ok {
			t.Errorf("%s is accepted", row.name)
		}
	}
}

func TestEveryTypingErrorChangesTheChecksum(t *testing.T) {
	good := newParts(t).format().Reveal()
	for i := range good {
		for _, c := range base62 {
			mistyped := good[:i] + string(c) + good[i+1:]
			if mistyped == good {
				continue
			}
			if _, ok := parse(auth.APIKey{Secret: auth.Secret(mistyped)}); ok {
				t.Fatalf("another character at %d is accepted", i)
			}
		}
	}
}

func TestRandomText(t *testing.T) {
	counts := map[rune]int{}
	seen := map[string]bool{}
	for range 2000 {
		text, err := randomText(rand.Reader, secretLength)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) != secretLength || seen[text] {
			t.Fatalf("%d characters, seen before: %v", len(text), seen[text])
		}
		seen[text] = true
		for _, c := range text {
			counts[c]++
		}
	}
	// 64,000 characters: each of 62 occurs about 1,032 times; 700 and 1,400 are ten standard deviations away.
	if len(counts) != 62 {
		t.Errorf("%d different characters, want 62", len(counts))
	}
	for c, n := range counts {
		if !strings.ContainsRune(base62, c) || n < 700 || n > 1400 {
			t.Errorf("%q occurs %d times", c, n)
		}
	}
	if _, err := randomText(iotest.ErrReader(iotest.ErrTimeout), 4); err == nil {
		t.Error("no randomness is no error")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("gth_dev_0123456789_0123456789ABCDEFGHIJKLMNOPQRSTUV_000000")
	f.Add("gth_live__")
	f.Fuzz(func(t *testing.T, text string) {
		p, ok := parse(auth.APIKey{Secret: auth.Secret(text)})
		if ok && p.format().Reveal() != text {
			t.Errorf("%q is accepted but is not how the key is written", text)
		}
	})
}
