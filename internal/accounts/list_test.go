package accounts

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

func TestList(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		made := map[string]User{}
		for i, n := range []NewUser{
			{Username: "bob", Email: "robert@example.com"}, {Username: "Bob"}, {Username: "bobby", Email: "bobby@example.com"}, {Username: "50%_off"}, {Username: "eve@example.com"}, {Username: "Ünal"}, {Username: "gone"},
		} {
			if i%2 == 0 {
				s.pass(time.Second) // two accounts of one time follow each other by id
			}
			n.Password, n.Roles = password, []string{"member"}
			u, err := s.Create(ctx, n)
			if err != nil {
				t.Fatal(n.Username, err)
			}
			made[n.Username] = u
		}
		if err := s.SetDisabled(ctx, made["bobby"].ID, true); err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(ctx, made["gone"].ID); err != nil {
			t.Fatal(err)
		}
		names := func(q Query) (list []string) {
			t.Helper()
			for {
				users, next, err := s.List(ctx, q)
				if err != nil {
					t.Fatal(err)
				}
				if len(users) > q.Limit || len(users) == 0 && q.Cursor != nil {
					t.Errorf("a page of %d, after the first: %t", len(users), q.Cursor != nil)
				}
				for _, u := range users {
					list = append(list, u.Username)
				}
				if q.Cursor = next; next == nil {
					return list
				}
			}
		}
		all := names(Query{Limit: 100})
		if len(all) != 7 {
			t.Fatalf("got %v", all)
		}
		for limit := 1; limit < 9; limit++ {
			if diff := cmp.Diff(all, names(Query{Limit: limit})); diff != "" {
				t.Errorf("by %d: %s", limit, diff)
			}
		}
		yes, no := true, false
		for _, row := range []struct {
			name  string
			query Query
			want  int
			holds string
		}{
			{"a user name", Query{Search: "bob"}, 2, "bobby"},
			{"a user name in its case", Query{Search: "Bob"}, 2, "Bob"}, // and the address bobby@…, which has no case
			{"an address", Query{Search: "robert@"}, 1, "bob"},
			{"an address in upper case", Query{Search: "EVE@"}, 1, "eve@example.com"},
			{"letters beyond ASCII", Query{Search: "Ün"}, 1, "Ünal"},
			{"what is a pattern elsewhere", Query{Search: "50%_"}, 1, "50%_off"},
			{"a pattern is none here", Query{Search: "%"}, 0, ""},
			{"the middle of a name", Query{Search: "obb"}, 0, ""},
			{"what SQL ends a text with", Query{Search: "' OR '1'='1"}, 0, ""},
			{"a deleted one", Query{Search: "deleted:"}, 0, ""},
			{"the disabled", Query{Disabled: &yes}, 1, "bobby"},
			{"the others", Query{Disabled: &no}, 6, "bob"},
			{"both", Query{Search: "bob", Disabled: &no}, 1, "bob"},
		} {
			t.Run(row.name, func(t *testing.T) {
				row.query.Limit = 2
				got := names(row.query)
				found := row.holds == ""
				for _, name := range got {
					found = found || name == row.holds
				}
				if len(got) != row.want || !found {
					t.Errorf("got %q, want %d with %q", got, row.want, row.holds)
				}
			})
		}
		for _, cursor := range []string{"", "x", "AAAA", "A4REDMxzX_________9__7__________AAAA", "!", "A4REDMxzX_________9__7_________"} {
			if _, _, err := s.List(ctx, Query{Cursor: &cursor, Limit: 1}); !problem.ValidationFailed.Is(err) || problem.From(err).Violations[0].Parameter != "cursor" {
				t.Errorf("the cursor %q: %v", cursor, err)
			}
		}
		u, err := s.Find(ctx, made["bob"].ID)
		if diff := cmp.Diff(made["bob"], u); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
		for name, n := range map[string]NewUser{
			"the address of another":               {Username: "robert", Email: "Robert@example.com"},
			"a name that is another's address":     {Username: "robert@example.com"},
			"the name of another":                  {Username: "bob"},
			"a name with @ in upper case":          {Username: "Zoe@example.com"},
			"a name that is not one's own address": {Username: "zoe@example.com", Email: "z@example.com"},
		} {
			n.Password = password
			if _, err := s.Create(ctx, n); err == nil {
				t.Errorf("%s was made", name)
			}
		}
	})
}
