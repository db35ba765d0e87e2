package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
)

// sameAnswers are requests that both servers must answer with the same status, so that the two figures are those
// of the same work. What only Gatehouse refuses (duplicate members, null for absent, the limits) is not here.
var sameAnswers = []struct {
	name        string
	token       func(*server) string
	contentType string
	query       string
	body        string
	want        int
}{
	{"a valid item passes", full, "application/json", "dry_run=true", `{"name":"Oak chair","price":129.9}`, 200},
	{"a media type with a charset passes", full, "application/json; charset=utf-8", "dry_run=true", `{"name":"a","price":0}`, 200},
	{"no token", none, "application/json", "dry_run=true", `{"name":"a","price":1}`, 401},
	{"a token with another signature", forged, "application/json", "dry_run=true", `{"name":"a","price":1}`, 401},
	{"a token without the scope", reader, "application/json", "dry_run=true", `{"name":"a","price":1}`, 403},
	{"another media type", full, "text/plain", "dry_run=true", `{"name":"a","price":1}`, 415},
	{"a body that is too large", full, "application/json", "dry_run=true", `{"name":"` + strings.Repeat("a", 70_000) + `"}`, 413},
	{"a body that is not JSON", full, "application/json", "dry_run=true", `{"name":`, 400},
	{"data after the body", full, "application/json", "dry_run=true", `{"name":"a","price":1} {}`, 400},
	{"an unknown query parameter", full, "application/json", "dry_run=true&x=1", `{"name":"a","price":1}`, 422},
	{"a repeated query parameter", full, "application/json", "dry_run=true&dry_run=true", `{"name":"a","price":1}`, 422},
	{"a query parameter of the wrong type", full, "application/json", "dry_run=yes", `{"name":"a","price":1}`, 422},
	{"an unknown member", full, "application/json", "dry_run=true", `{"name":"a","price":1,"role":"admin"}`, 422},
	{"a member of the wrong type", full, "application/json", "dry_run=true", `{"name":"a","price":"1"}`, 422},
	{"no name", full, "application/json", "dry_run=true", `{"price":1}`, 422},
	{"no price", full, "application/json", "dry_run=true", `{"name":"a"}`, 422},
	{"an empty name", full, "application/json", "dry_run=true", `{"name":"","price":1}`, 422},
	{"a name of 101 characters", full, "application/json", "dry_run=true", `{"name":"` + strings.Repeat("a", 101) + `","price":1}`, 422},
	{"a name with a slash", full, "application/json", "dry_run=true", `{"name":"a/b","price":1}`, 422},
	{"a negative price", full, "application/json", "dry_run=true", `{"name":"a","price":-0.01}`, 422},
	{"a price above a million", full, "application/json", "dry_run=true", `{"name":"a","price":1000000.01}`, 422},
	{"a long description", full, "application/json", "dry_run=true", `{"name":"a","price":1,"description":"` + strings.Repeat("ä", 1001) + `"}`, 422},
	{"a description of 1000 characters of two bytes", full, "application/json", "dry_run=true", `{"name":"a","price":1,"description":"` + strings.Repeat("ä", 1000) + `"}`, 200},
	{"a description with U+0000", full, "application/json", "dry_run=true", `{"name":"a","price":1,"description":"a\u0000"}`, 422},
	{"an unknown category", full, "application/json", "dry_run=true", `{"name":"a","price":1,"category":"furniture"}`, 422},
	{"eleven tags", full, "application/json", "dry_run=true", `{"name":"a","price":1,"tags":["0","1","2","3","4","5","6","7","8","9","10"]}`, 422},
	{"a tag twice", full, "application/json", "dry_run=true", `{"name":"a","price":1,"tags":["a","b","a"]}`, 422},
	{"an empty tag", full, "application/json", "dry_run=true", `{"name":"a","price":1,"tags":[""]}`, 422},
	{"a long tag", full, "application/json", "dry_run=true", `{"name":"a","price":1,"tags":["` + strings.Repeat("a", 31) + `"]}`, 422},
	{"dimensions without a depth", full, "application/json", "dry_run=true", `{"name":"a","price":1,"dimensions":{"width":1,"height":1}}`, 422},
	{"dimensions with a zero", full, "application/json", "dry_run=true", `{"name":"a","price":1,"dimensions":{"width":1,"height":1,"depth":0}}`, 422},
	{"dimensions above the maximum", full, "application/json", "dry_run=true", `{"name":"a","price":1,"dimensions":{"width":1,"height":1,"depth":100001}}`, 422},
	{"a day that no month has", full, "application/json", "dry_run=true", `{"name":"a","price":1,"available_from":"2027-02-30"}`, 422},
	{"an address without a domain", full, "application/json", "dry_run=true", `{"name":"a","price":1,"supplier_email":"sales"}`, 422},
}

func full(s *server) string   { return s.tokens[0] }
func reader(s *server) string { return s.reader }
func none(*server) string     { return "" }

// forged is the header and claims of one token with the signature of another.
func forged(s *server) string {
	a, b := s.tokens[0], s.tokens[1]
	return a[:strings.LastIndexByte(a, '.')] + b[strings.LastIndexByte(b, '.'):]
}

// checkAnswers returns how the server differs from what both must do.
func checkAnswers(ctx context.Context, s *server) error {
	var wrong []error
	for _, c := range sameAnswers {
		header := http.Header{"Content-Type": {c.contentType}}
		if token := c.token(s); token != "" {
			header.Set("Authorization", "Bearer "+token)
		}
		status, answer, err := s.send(ctx, "POST", "/items?"+c.query, header, c.body)
		if err == nil && status != c.want {
			err = fmt.Errorf("it is answered %d instead of %d", status, c.want)
		}
		if err == nil && status == http.StatusOK {
			err = checkItem([]byte(c.body), answer)
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", c.name, err))
		}
	}
	for name, m := range modes {
		if m.bodies == nil {
			continue
		}
		for i, body := range m.bodies {
			header := http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + s.tokens[i%len(s.tokens)]}}
			status, answer, err := s.send(ctx, "POST", "/items?dry_run=true", header, body)
			if err == nil && status != m.want {
				err = fmt.Errorf("it is answered %d instead of %d", status, m.want)
			}
			if err == nil && status == http.StatusOK {
				err = checkItem([]byte(body), answer)
			}
			if err != nil {
				wrong = append(wrong, fmt.Errorf("body %d of mode %s: %w", i, name, err))
			}
		}
	}
	return errors.Join(wrong...)
}

// checkItem returns an error unless the answer is what was sent and the four members that the server makes.
func checkItem(sent, answer []byte) error {
	var want, got map[string]any
	if err := errors.Join(json.Unmarshal(sent, &want), json.Unmarshal(answer, &got)); err != nil {
		return err
	}
	for _, name := range []string{"id", "owner_id", "created_at", "updated_at"} {
		if text, _ := got[name].(string); text == "" {
			return fmt.Errorf("the answer has no %s", name)
		}
		delete(got, name)
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("the answer holds %v instead of %v", got, want)
	}
	return nil
}
