package validation

import (
	"reflect"
	"strings"
	"testing"
)

func TestParserUsesItsMemoryAgain(t *testing.T) {
	texts := []string{
		`{"a":[1,2,{"b":null}],"c":{"d":"e","f":[]},"g":{}}`,
		`[]`,
		`"a \"b\" \u00e4"`,
		`[[[[1],2],3],[4,[5,[6]]]]`,
		`[` + strings.TrimSuffix(strings.Repeat(`{"a":[1,"x"]},`, 3*maxKept), ",") + `]`, // more than it holds on to
		`{"a":[1,2,{"b":null}],"c":{"d":"e","f":[]},"g":{}}`,
		`[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]`,
		`true`,
	}
	var p parser
	for range 2 {
		for _, text := range texts {
			v, values := p.parse(text)
			fresh, want := parseValue(text)
			if values != want || !Equal(v, fresh) || string(v.appendJSON(nil)) != string(fresh.appendJSON(nil)) {
				t.Errorf("%.60s: got %.60s of %d values, want %d", text, v.appendJSON(nil), values, want)
			}
			if got, want := places(v), places(fresh); !reflect.DeepEqual(got, want) {
				t.Errorf("%.60s: the places are %.200v, want %.200v", text, got, want)
			}
			p.forget()
		}
	}
}

// places returns the pointer of each value, in order.
func places(v *Value) []string {
	list := []string{string(v.pointer())}
	for i := range v.list {
		list = append(list, places(&v.list[i])...)
	}
	return list
}

func TestParserForgetsWhatWasSent(t *testing.T) {
	var p parser
	for _, text := range []string{`{"password":"secret"}`, `[["a"],["b",{"c":["d"]}],` + strings.TrimSuffix(strings.Repeat("1,", 100), ",") + `]`} {
		p.parse(text)
		p.forget()
		for _, v := range append(append(p.open[:cap(p.open)], p.kept[:cap(p.kept)]...), p.root) {
			if !reflect.DeepEqual(v, Value{}) {
				t.Fatalf("%.40s: %+v is left", text, v)
			}
		}
		if p.src != "" || len(p.open)+len(p.kept) != 0 {
			t.Errorf("%.40s: src %q, %d open, %d kept", text, p.src, len(p.open), len(p.kept))
		}
	}
}

func TestParserHoldsOnToLittle(t *testing.T) {
	var p parser
	p.parse(`[` + strings.TrimSuffix(strings.Repeat("1,", 10*maxKept), ",") + `]`)
	p.forget()
	if cap(p.open)+cap(p.kept) != 0 {
		t.Errorf("it holds on to %d and %d values", cap(p.open), cap(p.kept))
	}
}
