package items

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
		want := position{createdAt, id}
		cursor := want.encode()
		got, err := decodeCursor(&cursor)
		return err == nil && got == want && len(cursor) <= 100
	}
	if err := quick.Check(keeps, nil); err != nil {
		t.Error(err)
	}
}

func TestDecodeCursorWithoutOneIsBeforeEverything(t *testing.T) {
	got, err := decodeCursor(nil)
	if want := (position{math.MaxInt64, uuid.Max}); err != nil || got != want {
		t.Errorf("position = %v, error = %v", got, err)
	}
}

func TestDecodeCursorRefuses(t *testing.T) {
	good := position{1, aliceID}.encode()
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
			_, err := decodeCursor(&cursor)
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

func FuzzDecodeCursor(f *testing.F) {
	f.Add("")
	f.Add("MTczMjQ0MDYwMDEyMzQ1Ng")
	f.Add(position{math.MinInt64, uuid.Max}.encode())
	f.Fuzz(func(t *testing.T, cursor string) {
		first, err := decodeCursor(&cursor)
		if err != nil {
			return
		}
		again := first.encode()
		if second, err := decodeCursor(&again); err != nil || second != first {
			t.Errorf("%v became %v, error %v", first, second, err)
		}
	})
}
