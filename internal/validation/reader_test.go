package validation_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/oapi-codegen/nullable"

	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/validation"
)

// thing is decoded as generated code does it.
type thing struct {
	Text  string                   `json:"text"`
	Size  float64                  `json:"size"`
	Count int64                    `json:"count"`
	Flag  bool                     `json:"flag"`
	List  []string                 `json:"list"`
	Inner nullable.Nullable[thing] `json:"inner"`
}

func decodeThing(r *validation.Reader, dst *thing) {
	if !r.BeginObject() {
		return
	}
	var seen uint64
	for r.NextMember() {
		switch string(r.Name()) {
		case "text":
			seen |= 1 << 0
			dst.Text = r.Text()
		case "size":
			seen |= 1 << 1
			dst.Size = r.Float64()
			r.Minimum(-1, "-1")
			r.ExclusiveMaximum(10, "10")
		case "count":
			dst.Count = r.Int64(64)
		case "flag":
			dst.Flag = r.Bool()
		case "list":
			if r.BeginArray() {
				dst.List = []string{}
				for r.NextElement(3) {
					dst.List = append(dst.List, r.Text())
				}
			}
		case "inner":
			if validation.ReadNull(r, &dst.Inner) {
				continue
			}
			var object thing
			decodeThing(r, &object)
			dst.Inner.Set(object)
		default:
			r.UnknownMember()
		}
	}
	r.Required(seen, "text", "size")
}

func decode(data string) (thing, []problem.Violation, error) {
	var dst thing
	var v validation.Violations
	if err := validation.Decode([]byte(data), &v, func(r *validation.Reader) { decodeThing(r, &dst) }); err != nil {
		return dst, nil, err
	}
	if err := v.Err(); err != nil {
		return dst, problem.From(err).Violations, nil
	}
	return dst, nil, nil
}

func TestDecode(t *testing.T) {
	got, violations, err := decode(` {"text":"a\u00e9\n","size":-1,"count":3.0,"flag":true,"list":["x",""],"inner":{"text":"","size":1e0}} `)
	want := thing{Text: "aé\n", Size: -1, Count: 3, Flag: true, List: []string{"x", ""}, Inner: nullable.NewNullableWithValue(thing{Size: 1})}
	if err != nil || violations != nil || !cmp.Equal(got, want) {
		t.Errorf("%+v %v %v", got, violations, err)
	}
}

func TestDecodeTellsEveryViolation(t *testing.T) {
	at := func(pointer, keyword string) problem.Violation {
		return problem.Violation{Pointer: pointer, Keyword: keyword}
	}
	for _, row := range []struct {
		name, data string
		want       []problem.Violation
	}{
		{"nothing", `{}`, []problem.Violation{at("/text", "required"), at("/size", "required")}},
		{"another type", `[]`, []problem.Violation{at("", "type")}},
		{"null", `null`, []problem.Violation{at("", "type")}},
		{"other types", `{"text":1,"size":"1","count":true,"flag":null,"list":{},"inner":[[]]}`, []problem.Violation{at("/text", "type"), at("/size", "type"), at("/count", "type"), at("/flag", "type"), at("/list", "type"), at("/inner", "type")}},
		{"values that nest, where none may", `{"text":{"a":["}",1]},"size":["\"]"]}`, []problem.Violation{at("/text", "type"), at("/size", "type")}},
		{"an element", `{"text":"","size":0,"list":["a",2,"b"]}`, []problem.Violation{at("/list/1", "type")}},
		{"too many elements", `{"text":"","size":0,"list":["a","b","c","d"]}`, []problem.Violation{at("/list", "maxItems")}},
		{"too many elements, of which those beyond are not looked at", `{"text":"","size":0,"list":["a",1,"c",1,[{}],{"a":[1]}],"count":"1"}`, []problem.Violation{at("/list/1", "type"), at("/list", "maxItems"), at("/count", "type")}},
		{"a member of a member", `{"text":"","size":0,"inner":{"text":"","size":10}}`, []problem.Violation{at("/inner/size", "exclusiveMaximum")}},
		{"what a member of a member lacks", `{"text":"","size":0,"inner":{"size":0}}`, []problem.Violation{at("/inner/text", "required")}},
		{"below the bound by less than a double tells", `{"text":"","size":-1.00000000000000000001}`, []problem.Violation{at("/size", "minimum")}},
		{"unknown members, with their names escaped", `{"text":"","size":0,"a/b":1,"c~d":[{}]}`, []problem.Violation{at("/a~1b", "additionalProperties"), at("/c~0d", "additionalProperties")}},
		{"another case", `{"Text":"","SIZE":0}`, []problem.Violation{at("/Text", "additionalProperties"), at("/SIZE", "additionalProperties"), at("/text", "required"), at("/size", "required")}},
		{"a long unknown name is not repeated", `{"text":"","size":0,"` + strings.Repeat("x", 65) + `":1}`, []problem.Violation{at("", "additionalProperties")}},
		{"a fraction for an integer", `{"text":"","size":0,"count":1.5}`, []problem.Violation{at("/count", "type")}},
		{"an integer that is too large", `{"text":"","size":0,"count":1e30}`, []problem.Violation{at("/count", "format")}},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, got, err := decode(row.data)
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if got[i].Detail == "" {
					t.Errorf("%s does not say what is expected", got[i].Pointer)
				}
				got[i].Detail = ""
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestViolationsAreCapped(t *testing.T) {
	body := `{"text":""`
	for i := range 1000 {
		body += fmt.Sprintf(`,"u%d":1`, i)
	}
	_, got, err := decode(body + `}`)
	if err != nil || len(got) != 32 {
		t.Errorf("%d violations, %v", len(got), err)
	}
}

func TestDecodeRefusesWhatIsNoJSON(t *testing.T) {
	const good = `{"text":"","size":0}`
	for _, row := range []struct{ name, data, says string }{
		{"nothing", "", "ends before"},
		{"half of it", good[:10], "ends before"},
		{"a second value", good + good, "goes on after"},
		{"text after it", good + "secret", "goes on after"},
		{"a member twice", `{"text":"","text":"secret"}`, "repeats a member"},
		{"a member twice, once escaped", `{"text":"","te\u0078t":"secret"}`, "repeats a member"},
		{"an unknown member twice", `{"secret":1,"secret":2}`, "repeats a member"},
		{"no UTF-8", "{\"text\":\"secret\xff\"}", "not valid JSON"},
		{"half a surrogate pair", `{"text":"secret\ud800"}`, "not valid JSON"},
		{"a control character", "{\"text\":\"secret\n\"}", "not valid JSON"},
		{"a byte order mark", "\ufeff" + good, "not valid JSON"},
		{"33 levels", `{"inner":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, "deeper than 32"},
		{"33 levels where a text is due", `{"text":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, "deeper than 32"},
		{"33 levels in an element too many", `{"list":["","","",` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `]}`, "deeper than 32"},
		{"a member twice in an element too many", `{"list":["","","",{"secret":1,"secret":2}]}`, "repeats a member"},
		{"half of an element too many", `{"list":["","","",{"secret":1`, "ends before"},
		{"33 levels in an unknown member", `{"u":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, "deeper than 32"},
	} {
		_, _, err := decode(row.data)
		if !problem.BadRequest.Is(err) || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	for _, data := range []string{
		`{"text":"","size":0,"u":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`,
		`{"size":0,"text":` + strings.Repeat("[", 31) + `"]]]]"` + strings.Repeat("]", 31) + `}`,
	} {
		if _, violations, err := decode(data); err != nil || len(violations) != 1 {
			t.Errorf("32 levels: %v %v", violations, err)
		}
	}
}

// FuzzDecode: what is accepted without a violation, encoding/json reads as the same value, in the strictest way it has.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"text":"a","size":1}`, `{"text":"\u00e9","size":1e0,"count":3,"list":["a"],"inner":{"text":"","size":0}}`, `{"text":"","size":0,"inner":null,"flag":false}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, violations, err := decode(string(data))
		if err != nil || violations != nil {
			return
		}
		var want thing
		strict := json.NewDecoder(bytes.NewReader(data))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&want); err != nil {
			if strings.Contains(err.Error(), "number") { // 3.0 is an integer for JSON Schema and not for encoding/json
				return
			}
			t.Fatalf("%q is accepted but encoding/json says %v", data, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q reads as %+v and as %+v", data, got, want)
		}
	})
}

func TestParameters(t *testing.T) {
	check := func(f func(p *validation.Parameters)) string {
		p := &validation.Parameters{
			PathValue:   func(name string) string { return "path of " + name },
			QueryValues: map[string][]string{"once": {"1"}, "twice": {"1", "2"}, "empty": {""}},
			Header:      map[string][]string{"If-Match": {"x"}, "X-Twice": {"a", "b"}},
			Violations:  &validation.Violations{},
		}
		f(p)
		var list []string
		if err := p.Violations.Err(); err != nil {
			for _, v := range problem.From(err).Violations {
				list = append(list, v.Parameter+" "+v.Keyword)
			}
		}
		return strings.Join(list, ", ")
	}
	for _, row := range []struct {
		name string
		f    func(p *validation.Parameters)
		want string
	}{
		{"one that occurs", func(p *validation.Parameters) {
			v, ok := p.Query("once")
			p.Check("once", "wrong", map[bool]string{false: "x"}[ok && v == "1"])
		}, ""},
		{"one that is empty", func(p *validation.Parameters) {
			v, ok := p.Query("empty")
			p.Check("empty", "wrong", map[bool]string{false: "x"}[ok && v == ""])
		}, ""},
		{"one that does not occur", func(p *validation.Parameters) {
			_, ok := p.Query("no")
			p.Check("no", "wrong", map[bool]string{true: "x"}[ok])
		}, ""},
		{"one that occurs twice", func(p *validation.Parameters) { p.Query("twice") }, "twice repeated"},
		{"a header that occurs twice", func(p *validation.Parameters) { p.HeaderValue("X-Twice", "X-Twice") }, "X-Twice repeated"},
		{"one that is required", func(p *validation.Parameters) {
			p.Required("no", p.QueryValues["no"])
			p.Required("once", p.QueryValues["once"])
		}, "no required"},
		{"booleans", func(p *validation.Parameters) {
			p.Bool("a", "true")
			p.Bool("b", "false")
			p.Bool("c", "TRUE")
			p.Bool("d", "1")
			p.Bool("e", "")
		}, "c type, d type, e type"},
		{"integers", func(p *validation.Parameters) {
			for _, text := range []string{"0", "-5", "2147483647", "2147483648", "+1", "1.0", "1e2", "0x1", " 1", "", "1_000"} {
				p.Int64(text, text, 32)
			}
		}, "2147483648 type, +1 type, 1.0 type, 1e2 type, 0x1 type,  1 type,  type, 1_000 type"},
		{"ranges", func(p *validation.Parameters) {
			for _, n := range []int64{0, 1, 5, 6} {
				keyword, detail := validation.Range(n, 1, 5)
				p.Check(fmt.Sprint(n), keyword, detail)
			}
		}, "0 minimum, 6 maximum"},
	} {
		if got := check(row.f); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}
