package items

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/internal/problem"
)

func TestParseIfMatch(t *testing.T) {
	const anyVersion = -1
	tests := []struct {
		name, header string
		want         []int64
	}{
		{"a star accepts any version", `*`, []int64{anyVersion}},
		{"a tag accepts its version", `"1"`, []int64{1}},
		{"a list accepts each of its versions", `"3", "1","22" ,"7"`, []int64{3, 1, 22, 7}},
		{"the largest version is one", `"9223372036854775807"`, []int64{9223372036854775807}},
		{"a weak tag is skipped", `W/"1"`, nil},
		{"a strong tag after a weak one counts", `W/"1", "2"`, []int64{2}},
		{"a weak tag after a strong one is skipped", `"2",W/"1"`, []int64{2}},
		{"a tag that ends in W/ does not make the next one weak", `"W/", "1"`, []int64{1}},
		{"a leading zero is another tag", `"01"`, nil},
		{"a plus sign is another tag", `"+1"`, nil},
		{"a hexadecimal number is another tag", `"0x1"`, nil},
		{"a number beyond 64 bits is another tag", `"9223372036854775808"`, nil},
		{"an empty tag is another tag", `""`, nil},
		{"a quoted star is a tag, not any", `"*"`, nil},
		{"a comma inside a tag separates nothing", `"x,1", "1,2"`, nil},
		{"a number outside quotes is no tag", `1`, nil},
		{"a quote that is never closed does not panic", `"1`, []int64{1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			accepted, err := parseIfMatch(&test.header)
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for _, version := range accepted {
				if !version.Valid {
					version.Int64 = anyVersion
				}
				got = append(got, version.Int64)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseIfMatchDemandsTheHeader(t *testing.T) {
	if _, err := parseIfMatch(nil); !problem.PreconditionRequired.Is(err) {
		t.Errorf("error = %v", err)
	}
}
