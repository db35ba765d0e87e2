package validation_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/validation"
)

// pet is what the forms of these tests decode into, and petShape what gatehouse-gen would write for it.
type pet struct {
	Name   string            `json:"name"`
	Age    int               `json:"age"`
	Tags   []string          `json:"tags"`
	Owner  map[string]string `json:"owner"`
	Scores []int             `json:"scores"`
}

var petShape = &validation.FormShape{Members: map[string]*validation.FormMember{
	"name":   {Shape: &validation.Shape{Kinds: validation.String}},
	"age":    {Shape: &validation.Shape{Kinds: validation.Integer}},
	"tags":   {Shape: &validation.Shape{Items: &validation.Shape{Kinds: validation.String}}},
	"owner":  {Shape: &validation.Shape{Members: map[string]*validation.Shape{"city": {Kinds: validation.String}}}},
	"scores": {Shape: &validation.Shape{Items: &validation.Shape{Kinds: validation.Integer}}, Separator: ","},
}}

func checkPet(c *validation.Check, v *validation.Value) {
	c.Type(v, validation.Object)
	c.Required(v, "name")
	for m := v.FirstMember(); m != nil; m = m.Next() {
		switch m.Name() {
		case "name":
			c.Type(m, validation.String)
			c.MinLength(m, 1)
		case "age":
			c.Type(m, validation.Integer)
			c.Integer(m, 64, false)
		case "tags":
			c.Type(m, validation.Array)
			c.MaxItems(m, 2)
		case "scores":
			c.Type(m, validation.Array)
			for e := m.Element(0); e != nil; e = e.Next() {
				c.Type(e, validation.Integer)
			}
		case "owner":
			c.Type(m, validation.Object)
		default:
			c.UnknownMember(m)
		}
	}
}

func TestDecodeForm(t *testing.T) {
	for _, row := range []struct {
		name, form string
		want       pet
		violations []string
	}{
		{"one text", "name=Rex", pet{Name: "Rex"}, nil},
		{"a number", "name=Rex&age=3", pet{Name: "Rex", Age: 3}, nil},
		{"a number with a fraction of nothing", "name=Rex&age=3.0", pet{Name: "Rex", Age: 3}, nil},
		{"one element", "name=Rex&tags=a", pet{Name: "Rex", Tags: []string{"a"}}, nil},
		{"two elements", "name=Rex&tags=a&tags=b", pet{Name: "Rex", Tags: []string{"a", "b"}}, nil},
		{"elements in one text", "name=Rex&scores=1,2", pet{Name: "Rex", Scores: []int{1, 2}}, nil},
		{"an object in brackets", "name=Rex&owner[city]=Rome", pet{Name: "Rex", Owner: map[string]string{"city": "Rome"}}, nil},
		{"an object as JSON", `name=Rex&owner={"city":"Rome"}`, pet{Name: "Rex", Owner: map[string]string{"city": "Rome"}}, nil},
		{"a digit that is a text", "name=7", pet{Name: "7"}, nil},
		{"a missing member", "age=3", pet{}, []string{"/name required"}},
		{"an empty one", "name=", pet{}, []string{"/name minLength"}},
		{"one twice", "name=Rex&name=Max", pet{}, []string{"/name repeated", "/name required"}},
		{"a word where a number is due", "name=Rex&age=three", pet{}, []string{"/age type"}},
		{"a number in another notation", "name=Rex&age=0x3", pet{}, []string{"/age type"}},
		{"a number with a sign", "name=Rex&age=%2B3", pet{}, []string{"/age type"}},
		{"a fraction", "name=Rex&age=3.5", pet{}, []string{"/age type", "/age format"}},
		{"too many elements", "name=Rex&tags=a&tags=b&tags=c", pet{}, []string{"/tags maxItems"}},
		{"a wrong element", "name=Rex&scores=1,x", pet{}, []string{"/scores/1 type"}},
		{"an object that is no JSON", "name=Rex&owner={", pet{}, []string{"/owner content"}},
		{"an object that repeats a member", `name=Rex&owner={"a":1,"a":2}`, pet{}, []string{"/owner content"}},
		{"an object that repeats a member in brackets", "name=Rex&owner[city]=Rome&owner[city]=Oslo", pet{}, []string{"/owner/city repeated"}},
		{"an object that is JSON and in brackets", `name=Rex&owner={"city":"Rome"}&owner[city]=Oslo`, pet{}, []string{"/owner/city repeated"}},
		{"an object in brackets beside a list", "name=Rex&owner=[1]&owner[city]=Oslo", pet{}, []string{"/owner/city repeated", "/owner type"}},
		{"a long name that is repeated", "name=Rex&" + strings.Repeat("x", 65) + "=1&" + strings.Repeat("x", 65) + "=2", pet{}, []string{" repeated"}},
		{"a member that the schema does not have", "name=Rex&role=admin", pet{}, []string{"/role additionalProperties"}},
		{"a member in another case", "name=Rex&NAME=Max", pet{}, []string{"/NAME additionalProperties"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			values, err := url.ParseQuery(row.form)
			if err != nil {
				t.Fatal(err)
			}
			var got pet
			var v validation.Violations
			if err := validation.DecodeForm(values, petShape, &got, &v, checkPet); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.violations, listed(&v)); diff != "" {
				t.Errorf("violations: %s", diff)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("decoded: %s", diff)
			}
		})
	}
}

// listed are the violations as place and keyword.
func listed(v *validation.Violations) (list []string) {
	err := v.Err()
	if err == nil {
		return nil
	}
	for _, x := range problem.From(err).Violations {
		list = append(list, x.Pointer+x.Parameter+" "+x.Keyword)
	}
	return list
}

// TestLongNamesAreNotRepeated: 32 violations within one member may not be 32 times its name.
func TestLongNamesAreNotRepeated(t *testing.T) {
	elements := func(c *validation.Check, v *validation.Value) {
		for m := v.FirstMember(); m != nil; m = m.Next() {
			for e := m.Element(0); e != nil; e = e.Next() {
				c.Type(e, validation.String)
			}
		}
	}
	for _, row := range []struct {
		name string
		want string
	}{
		{strings.Repeat("x", 64), "/" + strings.Repeat("x", 64) + "/0 type"},
		{strings.Repeat("x", 65), " type"},
	} {
		var dst any
		var v validation.Violations
		data := `{"` + row.name + `":[1,2]}`
		if err := validation.Decode([]byte(data), &v, func(r *validation.Reader) { r.Checked(&dst, elements) }); err != nil {
			t.Fatal(err)
		}
		if got := listed(&v); len(got) != 2 || got[0] != row.want {
			t.Errorf("a name of %d bytes: %q", len(row.name), got)
		}
	}
}
