package validation

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestParseInt64(t *testing.T) {
	for _, row := range []struct {
		text    string
		bits    int
		want    int64
		keyword string // "" where it is an integer of that size
	}{
		{"0", 32, 0, ""},
		{"-0", 32, 0, ""},
		{"0.0", 32, 0, ""},
		{"0e5", 32, 0, ""},
		{"3.0", 32, 3, ""},
		{"-3.000", 32, -3, ""},
		{"3e2", 32, 300, ""},
		{"3.1E1", 32, 31, ""},
		{"100e-2", 32, 1, ""},
		{"2147483647", 32, math.MaxInt32, ""},
		{"-2147483648", 32, math.MinInt32, ""},
		{"9223372036854775807", 64, math.MaxInt64, ""},
		{"-9223372036854775808", 64, math.MinInt64, ""},
		{"9223372036854775807.0", 64, math.MaxInt64, ""},
		{"9.223372036854775807e18", 64, math.MaxInt64, ""},
		{"2147483648", 32, 0, "format"},
		{"2147483648.0", 32, 0, "format"},
		{"-2147483649", 32, 0, "format"},
		{"9223372036854775808", 64, 0, "format"},
		{"9223372036854775808.0", 64, 0, "format"},
		{"1e19", 64, 0, "format"},
		{"1e400", 64, 0, "format"},
		{"1e999999999999", 64, 0, "format"},
		{"3.5", 32, 0, "type"},
		{"1e-1", 32, 0, "type"},
		{"1E-400", 32, 0, "type"},
		{"1e-999999999999", 32, 0, "type"},
		{"0.00000000000000000001", 64, 0, "type"},
	} {
		got, keyword, wrong := ParseInt64([]byte(row.text), row.bits)
		if got != row.want || keyword != row.keyword || (wrong == "") != (keyword == "") {
			t.Errorf("%s: %d %q %q, want %d %q", row.text, got, keyword, wrong, row.want, row.keyword)
		}
	}
}

func TestParseFloat64(t *testing.T) {
	for text, ok := range map[string]bool{"0": true, "-0": true, "1.5": true, "1e308": true, "1e-400": true, "1e309": false, "-1e999999999": false} {
		if _, wrong := ParseFloat64([]byte(text)); (wrong == "") != ok {
			t.Errorf("%s: %q", text, wrong)
		}
	}
}

// TestCompareDecimalAgreesWithRationals on random decimals that lie close to each other.
func TestCompareDecimalAgreesWithRationals(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	number := func() string {
		text := fmt.Sprint(random.IntN(30) - 15)
		if random.IntN(2) == 0 {
			text += "." + strings.Repeat("0", random.IntN(3)) + fmt.Sprint(random.IntN(30))
		}
		switch random.IntN(4) {
		case 0:
			text += fmt.Sprintf("e%d", random.IntN(9)-4)
		case 1:
			text += fmt.Sprintf("E+%d", random.IntN(4))
		}
		return text
	}
	equal := 0
	for range 200_000 {
		a, b := number(), number()
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		want := x.Cmp(y)
		if got := compareDecimal([]byte(a), []byte(b)); got != want {
			t.Fatalf("%s and %s: %d, want %d", a, b, got, want)
		}
		if want == 0 {
			equal++
		}
	}
	if equal < 500 {
		t.Errorf("only %d pairs were equal", equal)
	}
}

func TestCompareDecimalOfHugeExponents(t *testing.T) {
	for _, row := range []struct {
		a, b string
		want int
	}{
		{"1e999999999999999999", "1e308", 1},
		{"-1e999999999999999999", "-1e308", -1},
		{"1e-999999999999999999", "0", 1},
		{"-1e-999999999999999999", "0", -1},
		{"0e999999999999999999", "0", 0},
		{"1000000.00000000000000000000001", "1000000", 1},
		{"0.1", "0.10000", 0},
		{strings.Repeat("9", 60_000), "1e59999", 1},
	} {
		if got := compareDecimal([]byte(row.a), []byte(row.b)); got != row.want {
			t.Errorf("%.30s and %s: %d, want %d", row.a, row.b, got, row.want)
		}
	}
}
