package page

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
)

func TestAPageEscapesWhatItShows(t *testing.T) {
	p := New(`Hello {{.Name}}`, `<h1>{{.Name}}</h1><input value="{{.Name}}"><a href="{{.Address}}">x</a>`)
	got, err := p.Render(map[string]string{"Name": `"><script>alert(1)</script>`, "Address": "javascript:alert(1)"})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script", `""`, "javascript:"} {
		if strings.Contains(string(got), bad) {
			t.Errorf("the page has %q:\n%s", bad, got)
		}
	}
	if !strings.HasPrefix(string(got), "<!doctype html>") || !strings.Contains(string(got), "&lt;script&gt;") {
		t.Errorf("the page is\n%s", got)
	}
}

// TestThePolicyAllowsTheStyleOfThePage: a browser compares the hash with the text between the tags, byte for byte.
func TestThePolicyAllowsTheStyleOfThePage(t *testing.T) {
	got, err := New("t", "c").Render(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(got), "<style>")
	text, _, found := strings.Cut(after, "</style>")
	sum := sha256.Sum256([]byte(text))
	want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	if policy := Policy(); !found || !strings.Contains(policy, want) || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %s, and the style needs %s", policy, want)
	}
}

func TestFormsLeadWhereThePolicySays(t *testing.T) {
	for _, row := range []struct {
		name  string
		forms []string
		want  string
	}{
		{"a page without a form", nil, "form-action 'none';"},
		{"a form of our own", []string{"'self'"}, "form-action 'self';"},
		{"a form that is followed by a redirect", []string{"'self'", "https://app.example"}, "form-action 'self' https://app.example;"},
	} {
		if got := Policy(row.forms...); !strings.Contains(got, row.want) {
			t.Errorf("%s: %s", row.name, got)
		}
	}
}

func TestATextThatIsNoTemplatePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it was taken")
		}
	}()
	New("t", "{{")
}
