package pattern_test

import (
	"regexp"
	"runtime"
	"strings"
	"testing"

	"example.com/gatehouse/internal/pattern"
)

// FuzzTranslate: whatever is translated compiles, is an expression of ECMA-262 for the format regex too, and means the same when
// it is written in a group.
func FuzzTranslate(f *testing.F) {
	for _, seed := range [][2]string{
		{`^[a-z0-9-]+$`, "a-9"}, {`\d{2,3}`, "12"}, {`.`, "\u2028"}, {`[^]`, "\n"}, {`[]`, ""}, {`\p{L}+`, "äb"}, {`\P{Script=Greek}`, "α"}, {`\u{1f44d}`, "👍"}, {`\ud83d\udc4d`, "👍"}, {`(?<year>\d{4})`, "2026"}, {`(?=a)b`, ""}, {`\1`, ""},
		{`[\b]`, "\b"}, {`\cJ`, "\n"}, {`[a-\d]`, "-"}, {`a{`, "a{"}, {`a{1001}`, ""}, {`\x4`, ""}, {`[z-a]`, ""}, {`(`, ""}, {`\s`, "\ufeff"}, {`[\s\S]`, "x"}, {`[[:alpha:]]`, "a]"}, {`\Qa\E`, ""}, {`(?i)a`, ""}, {`a**`, ""}, {`x*+`, ""}, {`\pL`, ""}, {`\z`, ""}, {`\A`, ""}, {`]`, "]"}, {`}`, "}"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, ecma, text string) {
		re2, err := pattern.Translate(ecma)
		valid := pattern.Valid(ecma)
		if err != nil {
			if re2 != "" {
				t.Errorf("%q: %q beside an error", ecma, re2)
			}
			return
		}
		if !valid {
			t.Errorf("%q is translated to %q, and no expression", ecma, re2)
		}
		re, err := regexp.Compile(re2)
		if err != nil {
			t.Fatalf("%q: %q: %v", ecma, re2, err)
		}
		grouped, err := pattern.Translate("(?:" + ecma + ")")
		if err != nil {
			if len(ecma) > 500 {
				return // one level too deep
			}
			t.Fatalf("%q in a group: %v", ecma, err)
		}
		if re.MatchString(text) != regexp.MustCompile(grouped).MatchString(text) {
			t.Errorf("%q and %q differ for %q", re2, grouped, text)
		}
	})
}

// TestValidTakesLittle: a client chooses the texts of the format regex. Named properties must not make one hundreds of times as long.
func TestValidTakesLittle(t *testing.T) {
	for _, unit := range []string{`\p{L}`, `\P{L}`, `[^\p{L}]`, `[\p{L}\P{Lu}]`} {
		text := strings.Repeat(unit, 1000)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		valid := pattern.Valid(text)
		runtime.ReadMemStats(&after)
		if allocated := after.TotalAlloc - before.TotalAlloc; !valid || allocated > uint64(1000*len(text)) {
			t.Errorf("%s a thousand times: %v, %d bytes allocated", unit, valid, allocated)
		}
	}
	for _, text := range []string{`\p{Nope}`, `[\p{L]`, `\p`} {
		if pattern.Valid(text) {
			t.Errorf("%s was taken", text)
		}
	}
}
