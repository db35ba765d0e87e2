package keyset

import (
	"errors"
	"math"
	"testing"
	"testing/quick"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"example.com/gatehouse/internal/problem"
)

func TestCursorKeepsEveryPosition(t *testing.T) {
	keeps := func(createdAt int64, id uuid.UUID) bool {
		want := Position{createdAt, id}
		cursor := want.Cursor()
		got, err := Decode(&cursor)
		return err == nil && got == want && len(cursor) <= 100
	}
	if err := quick.Check(keeps, nil); err != nil {
		t.Error(err)
	}
}

func TestDecodeWithoutOneIsBeforeEverything(t *testing.T) {
	got, err := Decode(nil)
	if want := (Position{math.MaxInt64, uuid.Max}); err != nil || got != want {
		t.Errorf("position = %v, error = %v", got, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := Position{1, uuid.Max}.Cursor()
	for name, cursor := range map[string]string{
		"an empty cursor":                      "",
		"a cursor of half a position":          good[:16],
		"a cursor with a character missing":    good[:31],
		"a cursor with a group more":           good + "AAAA",
		"a cursor with padding":                good + "=",
		"the other alphabet of base64":         "++++" + good[4:],
		"a character outside every alphabet":   "*" + good[1:],
		"a position in clear text":             "1732440600123456",
		"bytes that are not text in any sense": "\xff\xfe" + good[2:],
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode(&cursor)
			var got *problem.Error
			if !errors.As(err, &got) || got.Kind != problem.ValidationFailed {
				t.Fatalf("error = %v", err)
			}
			want := []problem.Violation{{Parameter: "cursor", Keyword: "format", Detail: "must be the next_cursor of a page"}}
			if diff := cmp.Diff(want, got.Violations); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("")
	f.Add("MTczMjQ0MDYwMDEyMzQ1Ng")
	f.Add(Position{math.MinInt64, uuid.Max}.Cursor())
	f.Fuzz(func(t *testing.T, cursor string) {
		first, err := Decode(&cursor)
		if err != nil {
			return
		}
		again := first.Cursor()
		if second, err := Decode(&again); err != nil || second != first {
			t.Errorf("%v became %v, error %v", first, second, err)
		}
	})
}
