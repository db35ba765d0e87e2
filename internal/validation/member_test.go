package validation_test

import (
	"testing"

	"example.com/gatehouse/internal/validation"
)

func TestMember(t *testing.T) {
	for name, tt := range map[string]struct{ data, want string }{
		"a text":                           {`{"name":"ann"}`, "ann"},
		"behind others":                    {` { "a" : [1,{"name":"x"}], "b":{"name":"y"}, "name" : "ann" } `, "ann"},
		"an escaped name and value":        {`{"n\u0061me":"\u0061nn"}`, "ann"},
		"what follows is not looked at":    {`{"name":"ann", what?`, "ann"},
		"the first of two":                 {`{"name":"ann","name":"bob"}`, "ann"},
		"another case":                     {`{"Name":"ann"}`, ""},
		"a number":                         {`{"name":5}`, ""},
		"null":                             {`{"name":null}`, ""},
		"an object":                        {`{"name":{"name":"ann"}}`, ""},
		"a member of an array":             {`[{"name":"ann"}]`, ""},
		"a text alone":                     {`"name"`, ""},
		"nothing":                          {``, ""},
		"an object without it":             {`{"other":"ann"}`, ""},
		"what is no JSON before it":        {`{"a":tru,"name":"ann"}`, ""},
		"a name that does not end":         {`{"name`, ""},
		"a value that does not end":        {`{"name":"an`, ""},
		"bytes that are no text":           {"{\"name\":\"\xff\"}", ""},
		"a member that occurs twice first": {`{"a":1,"a":2,"name":"ann"}`, ""},
	} {
		if got := validation.Member([]byte(tt.data), "name"); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
