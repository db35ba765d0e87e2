package items

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/problem"
)

// Where a row names a case of RFC 7396, it is the one of appendix A, by its place there.
func TestMergePatch(t *testing.T) {
	const chair = `{"name":"Chair","price":5`
	tests := []struct{ name, content, patch, want string }{
		{"a value replaces a value (case 1)", chair + `,"description":"old"}`, `{"description":"new"}`, chair + `,"description":"new"}`},
		{"a value is added (case 2)", chair + `}`, `{"description":"new"}`, chair + `,"description":"new"}`},
		{"null removes a value (case 3)", chair + `,"description":"old"}`, `{"description":null}`, chair + `}`},
		{"null removes one value and leaves the other (case 4)", chair + `,"description":"old","category":"book"}`, `{"description":null}`, chair + `,"category":"book"}`},
		{"an array is replaced whole (case 7)", chair + `,"tags":["a","b"]}`, `{"tags":["c"]}`, chair + `,"tags":["c"]}`},
		{"an array is emptied, not removed (case 8)", chair + `,"tags":["a","b"]}`, `{"tags":[]}`, chair + `,"tags":[]}`},
		{"an object is merged, not replaced (case 6)", chair + `,"dimensions":{"width":1,"height":2,"depth":3}}`, `{"dimensions":{"height":9}}`, chair + `,"dimensions":{"width":1,"height":9,"depth":3}}`},
		{"null removes what was not there", chair + `}`, `{"description":null,"dimensions":null,"tags":null}`, chair + `}`},
		{"an empty patch changes nothing", chair + `,"category":"toy","tags":[]}`, `{}`, chair + `,"category":"toy","tags":[]}`},
		{"a required member is replaced", chair + `}`, `{"name":"Table","price":0}`, `{"name":"Table","price":0}`},
		{"an empty text is a value", chair + `,"description":"old"}`, `{"description":""}`, chair + `,"description":""}`},
		{"an empty object changes nothing of an object", chair + `,"dimensions":{"width":1,"height":2,"depth":3}}`, `{"dimensions":{}}`, chair + `,"dimensions":{"width":1,"height":2,"depth":3}}`},
		{"a whole object is added", chair + `}`, `{"dimensions":{"width":1,"height":2,"depth":3}}`, chair + `,"dimensions":{"width":1,"height":2,"depth":3}}`},
		{"every member at once", chair + `}`,
			`{"name":"B","price":1.5,"description":"d","category":"food","tags":["t"],"dimensions":{"width":1,"height":2,"depth":3},"available_from":"2027-01-15","supplier_email":"a@example.com"}`,
			`{"name":"B","price":1.5,"description":"d","category":"food","tags":["t"],"dimensions":{"width":1,"height":2,"depth":3},"available_from":"2027-01-15","supplier_email":"a@example.com"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := parse[api.NewItem](t, test.content)
			if err := mergePatch(got, parse[api.ItemPatch](t, test.patch)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(parse[api.NewItem](t, test.want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMergePatchAgreesWithTheAlgorithmOfTheRFC(t *testing.T) {
	for member, values := range map[string][2]string{
		"description":    {`"old"`, `"new"`},
		"category":       {`"book"`, `"toy"`},
		"tags":           {`["old"]`, `["new","newer"]`},
		"dimensions":     {`{"width":1,"height":2,"depth":3}`, `{"width":4,"height":5,"depth":6}`},
		"available_from": {`"2026-01-01"`, `"2027-12-31"`},
		"supplier_email": {`"old@example.com"`, `"new@example.com"`},
	} {
		for _, content := range []string{`{"name":"N","price":1}`, `{"name":"N","price":1,"` + member + `":` + values[0] + `}`} {
			for _, patch := range []string{`{}`, `{"` + member + `":null}`, `{"` + member + `":` + values[1] + `}`} {
				t.Run(content+patch, func(t *testing.T) {
					got := parse[api.NewItem](t, content)
					if err := mergePatch(got, parse[api.ItemPatch](t, patch)); err != nil {
						t.Fatal(err)
					}
					want := rfc7396(*parse[any](t, content), *parse[any](t, patch))
					text, err := json.Marshal(got)
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(want, *parse[any](t, string(text))); diff != "" {
						t.Error(diff)
					}
				})
			}
		}
	}
}

// rfc7396 is MergePatch of RFC 7396 §2.
func rfc7396(target, patch any) any {
	members, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	merged, ok := target.(map[string]any)
	if !ok {
		merged = map[string]any{}
	}
	for name, value := range members {
		if value == nil {
			delete(merged, name)
		} else {
			merged[name] = rfc7396(merged[name], value)
		}
	}
	return merged
}

func TestMergePatchRefusesPartOfAnObjectThatIsNotThere(t *testing.T) {
	for patch, pointers := range map[string][]string{
		`{"dimensions":{}}`:                                  {"/dimensions/width", "/dimensions/height", "/dimensions/depth"},
		`{"dimensions":{"width":1}}`:                         {"/dimensions/height", "/dimensions/depth"},
		`{"dimensions":{"width":1,"depth":2}}`:               {"/dimensions/height"},
		`{"dimensions":{"height":1,"depth":2}}`:              {"/dimensions/width"},
		`{"dimensions":{"height":1,"width":2},"tags":["a"]}`: {"/dimensions/depth"},
	} {
		t.Run(patch, func(t *testing.T) {
			content := parse[api.NewItem](t, `{"name":"N","price":1}`)
			err := mergePatch(content, parse[api.ItemPatch](t, patch))
			var got *problem.Error
			if !errors.As(err, &got) || got.Kind != problem.ValidationFailed {
				t.Fatalf("error = %v", err)
			}
			var want []problem.Violation
			for _, pointer := range pointers {
				want = append(want, problem.Violation{Pointer: pointer, Keyword: "required", Detail: "is required"})
			}
			if diff := cmp.Diff(want, got.Violations); diff != "" {
				t.Error(diff)
			}
			if content.Dimensions != nil {
				t.Error("the item has half of its dimensions")
			}
		})
	}
}
