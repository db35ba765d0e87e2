package encoding_test

import (
	"encoding/json"
	"math"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"example.com/gatehouse/internal/encoding"
	"example.com/gatehouse/internal/problem"
)

// encode returns what append wrote, as JSON text.
func encode(t *testing.T, append func(*encoding.Buffer)) string {
	t.Helper()
	b := encoding.Begin()
	append(b)
	w := httptest.NewRecorder()
	if err := b.Send(w, 200); err != nil {
		t.Fatal(err)
	}
	return w.Body.String()
}

func TestValuesReadBackAsTheyWere(t *testing.T) {
	for _, s := range []string{"", "a", `"`, `\`, "a\nb", "\x00", "\x1f", "\x7f", "é", "\u2028", "</script>", "😀", strings.Repeat("x", 3000)} {
		var back string
		if err := json.Unmarshal([]byte(encode(t, func(b *encoding.Buffer) { b.String(s) })), &back); err != nil || back != s {
			t.Errorf("string %q came back as %q, %v", s, back, err)
		}
	}
	for _, n := range []float64{0, 1, -1, 0.1, 129.9, 1e21, 1e-7, math.MaxFloat64, math.SmallestNonzeroFloat64, 1 << 53} {
		var back float64
		if err := json.Unmarshal([]byte(encode(t, func(b *encoding.Buffer) { b.Float64(n) })), &back); err != nil || back != n {
			t.Errorf("number %v came back as %v, %v", n, back, err)
		}
	}
	id := uuid.MustParse("01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f")
	if got := encode(t, func(b *encoding.Buffer) { b.UUID(id) }); got != `"`+id.String()+`"` {
		t.Errorf("got %s", got)
	}
	at := time.Date(2026, 11, 24, 9, 30, 0, 123456000, time.FixedZone("", 3600))
	if got := encode(t, func(b *encoding.Buffer) { b.Time(at) }); got != `"2026-11-24T08:30:00.123456Z"` {
		t.Errorf("got %s", got)
	}
	if got := encode(t, func(b *encoding.Buffer) { b.Date(at) }); got != `"2026-11-24"` {
		t.Errorf("got %s", got)
	}
}

func TestObjectsAndArrays(t *testing.T) {
	got := encode(t, func(b *encoding.Buffer) {
		b.Raw(`{"a":[`)
		for i := range 3 {
			b.Next(i)
			b.Int64(int64(i))
		}
		b.Raw(`],"b":{`)
		b.Close()
		b.Raw(`,"c":`)
		b.Bool(true)
		b.Raw(`,`)
		b.Close()
	})
	if want := `{"a":[0,1,2],"b":{},"c":true}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAValueThatIsNotJSONSendsNothing(t *testing.T) {
	for name, append := range map[string]func(*encoding.Buffer){
		"not a number":   func(b *encoding.Buffer) { b.Float64(math.NaN()) },
		"infinity":       func(b *encoding.Buffer) { b.Float64(math.Inf(-1)) },
		"invalid UTF-8":  func(b *encoding.Buffer) { b.String("a\xff") },
		"good after bad": func(b *encoding.Buffer) { b.String("\xff"); b.String("a") },
	} {
		b := encoding.Begin()
		append(b)
		w := httptest.NewRecorder()
		if err := b.Send(w, 200); !problem.Internal.Is(err) {
			t.Errorf("%s: got %v, want an internal problem", name, err)
		}
		if w.Body.Len() > 0 || len(w.Header()) > 0 {
			t.Errorf("%s: half a response was sent: %s", name, w.Body)
		}
	}
	if got := encode(t, func(b *encoding.Buffer) { b.Bool(true) }); got != "true" {
		t.Errorf("a buffer that failed was used again: %s", got)
	}
}

func TestSendStatesTheLengthOfALongResponse(t *testing.T) {
	b := encoding.Begin()
	b.String(strings.Repeat("x", 4000))
	w := httptest.NewRecorder()
	if err := b.Send(w, 201); err != nil {
		t.Fatal(err)
	}
	if w.Code != 201 || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Content-Length") != "4002" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
}
