package items

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/keyset"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

func TestStoreKeepsContentExactly(t *testing.T) {
	tests := []struct{ name, content string }{
		{"required members only", `{"name":"N","price":1}`},
		{"every member", `{"name":"N","price":129.9,"description":"d","category":"other","tags":["wood","indoor"],"dimensions":{"width":45,"height":90.5,"depth":1e-9},"available_from":"2027-01-15","supplier_email":"sales@example.com"}`},
		{"tags that are empty, not absent", `{"name":"N","price":1,"tags":[]}`},
		{"a description that is empty, not absent", `{"name":"N","price":1,"description":""}`},
		{"tags that JSON and SQL must quote", `{"name":"N","price":1,"tags":["\"","'","\\","<&>","\u0001","\u2028","a,b","null"]}`},
		{"text beyond the basic plane", `{"name":"N","price":1,"description":"\ud83e\ude91 \u00e9 e\u0301 ';--"}`},
		{"a day before the epoch", `{"name":"N","price":1,"available_from":"0001-01-01"}`},
		{"a leap day", `{"name":"N","price":1,"available_from":"2028-02-29"}`},
		{"the last day", `{"name":"N","price":1,"available_from":"9999-12-31"}`},
	}
	for _, price := range []float64{0, 0.1, 0.1 + 0.2, 1. / 3, 999999.99, 1_000_000, 5e-324, math.Nextafter(1_000_000, 0)} {
		content, _ := json.Marshal(api.NewItem{Name: "N", Price: price})
		tests = append(tests, struct{ name, content string }{fmt.Sprintf("the price %v", price), string(content)})
	}
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := newFixture(t, db)
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				id := f.create(t, f.alice, test.content)
				want := Item{
					ID: id, OwnerID: aliceID, Content: *parse[api.NewItem](t, test.content), Version: 1,
					CreatedAt: time.Date(2026, 11, 24, 8, 30, 0, 123456000, time.UTC),
					UpdatedAt: time.Date(2026, 11, 24, 8, 30, 0, 123456000, time.UTC),
				}
				got, _ := f.get(t, aliceID, id)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("after insert: %s", diff)
				}
				// The other statement that writes content, on a row that has other content.
				other := f.create(t, f.alice, `{"name":"Other","price":2,"description":"x","category":"toy","tags":["x"],"dimensions":{"width":9,"height":9,"depth":9},"available_from":"2000-01-01","supplier_email":"x@example.com"}`)
				_, err := f.ReplaceItem(f.alice, api.ReplaceItemRequestObject{
					ItemId: other, Params: api.ReplaceItemParams{IfMatch: new("*")}, Body: parse[api.NewItem](t, test.content),
				})
				if err != nil {
					t.Fatal(err)
				}
				want.ID, want.Version = other, 2
				got, _ = f.get(t, aliceID, other)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("after update: %s", diff)
				}
			})
		}
	})
}

func TestStoreAnswersAnotherOwnersItemLikeAMissingOne(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := newFixture(t, db)
		alices := f.create(t, f.alice, `{"name":"N","price":1}`)
		before, _ := f.get(t, aliceID, alices)
		inWrite := func(run func(*sql.Tx) error) error { return db.Write(t.Context(), run) }
		for name, id := range map[string]uuid.UUID{"another owner's": alices, "missing": uuid.Max} {
			for operation, err := range map[string]error{
				"find": func() error { _, err := find(t.Context(), db.Reader(), bobID, id); return err }(),
				"claim of any version": inWrite(func(tx *sql.Tx) error {
					_, err := claim(t.Context(), tx, bobID, id, precondition{{}}, f.now())
					return err
				}),
				"claim of the right version": inWrite(func(tx *sql.Tx) error {
					_, err := claim(t.Context(), tx, bobID, id, precondition{{Int64: 1, Valid: true}}, f.now())
					return err
				}),
				"claim of a wrong version": inWrite(func(tx *sql.Tx) error {
					_, err := claim(t.Context(), tx, bobID, id, precondition{{Int64: 7, Valid: true}}, f.now())
					return err
				}),
				"remove": inWrite(func(tx *sql.Tx) error {
					return remove(t.Context(), tx, bobID, id, precondition{{}})
				}),
			} {
				if !problem.NotFound.Is(err) {
					t.Errorf("%s of an item that is %s: %v", operation, name, err)
				}
			}
		}
		if err := inWrite(func(tx *sql.Tx) error {
			return save(t.Context(), tx, Item{ID: alices, OwnerID: bobID, Version: 1, Content: api.NewItem{Name: "stolen"}})
		}); err != nil {
			t.Error(err)
		}
		if after, _ := f.get(t, aliceID, alices); !cmp.Equal(before, after) {
			t.Errorf("another owner has changed the item: %s", cmp.Diff(before, after))
		}
	})
}

func TestStorePagesOverTiesWithoutLossOrRepetition(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := newFixture(t, db)
		var want []Item
		for i := range 12 {
			// Four items in each microsecond, their ids in no order of time.
			at := f.now().Add(time.Duration(i/4) * time.Microsecond)
			item := Item{ID: uuid.New(), OwnerID: aliceID, Content: api.NewItem{Name: "N"}, Version: 1, CreatedAt: at, UpdatedAt: at}
			if i%3 == 0 {
				item.Content.Category = new(api.CategoryBook)
			}
			want = append(want, item)
			bobs := item
			bobs.ID, bobs.OwnerID = uuid.New(), bobID
			for _, item := range []Item{item, bobs} {
				if err := db.Write(t.Context(), func(tx *sql.Tx) error { return insert(t.Context(), tx, item) }); err != nil {
					t.Fatal(err)
				}
			}
		}
		slices.SortFunc(want, func(a, b Item) int {
			if c := b.CreatedAt.Compare(a.CreatedAt); c != 0 {
				return c
			}
			return strings.Compare(b.ID.String(), a.ID.String())
		})
		for _, category := range []*api.Category{nil, new(api.CategoryBook), new(api.CategoryFood)} {
			expected := slices.DeleteFunc(slices.Clone(want), func(i Item) bool {
				return category != nil && (i.Content.Category == nil || *i.Content.Category != *category)
			})
			for limit := 1; limit <= 13; limit++ {
				if diff := cmp.Diff(expected, allPages(t, db, category, limit)); diff != "" {
					t.Errorf("in pages of %d: %s", limit, diff)
				}
			}
		}
	})
}

// allPages lists alice's items page after page.
func allPages(t *testing.T, db *sqldb.DB, category *api.Category, limit int) []Item {
	t.Helper()
	all := []Item{}
	after, err := keyset.Decode(nil)
	for err == nil {
		var page []Item
		page, err = list(t.Context(), db.Reader(), aliceID, category, after, limit)
		if all = append(all, page...); len(page) == 0 {
			break
		}
		after = page[len(page)-1].position()
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPagesComeInOrderFromAnIndex(t *testing.T) {
	db := sqldbtest.Open(t)
	for statement, want := range map[string]string{
		listItems:           "SEARCH items USING INDEX items_page (owner_id=? AND (created_at,id)<(?,?))",
		listItemsOfCategory: "SEARCH items USING INDEX items_page_of_category (owner_id=? AND category=? AND (created_at,id)<(?,?))",
	} {
		rows, err := db.Reader().QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement, aliceID, 0, "", 1, "book")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		// A sort would be a step of its own.
		var steps []string
		for rows.Next() {
			var id, parent, unused int
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				t.Fatal(err)
			}
			steps = append(steps, step)
		}
		if diff := cmp.Diff([]string{want}, steps); diff != "" || rows.Err() != nil {
			t.Errorf("error %v, plan %s", rows.Err(), diff)
		}
	}
}

func TestOneOfManyConcurrentReplacementsWins(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := newFixture(t, db)
		// In the first round PostgreSQL is still opening connections, one after the other.
		for range 5 {
			id := f.create(t, f.alice, `{"name":"N","price":1}`)
			errs := concurrently(50, func(i int) error {
				_, err := f.ReplaceItem(f.alice, api.ReplaceItemRequestObject{
					ItemId: id, Params: api.ReplaceItemParams{IfMatch: new(`"1"`)}, Body: &api.NewItem{Name: "N", Price: float64(i)},
				})
				return err
			})
			var winners []int
			for i, err := range errs {
				if err == nil {
					winners = append(winners, i)
				} else if !problem.PreconditionFailed.Is(err) {
					t.Error(err)
				}
			}
			got, _ := f.get(t, aliceID, id)
			if len(winners) != 1 || got.Version != 2 || got.Content.Price != float64(winners[0]) {
				t.Errorf("%v have replaced version 1, which is now version %d with price %v", winners, got.Version, got.Content.Price)
			}
		}
	})
}

func TestConcurrentPatchesOfDifferentMembersAllStay(t *testing.T) {
	patches := []string{
		`{"name":"patched"}`, `{"price":2}`, `{"description":"patched"}`, `{"category":"toy"}`, `{"tags":["patched"]}`,
		`{"dimensions":{"width":2}}`, `{"dimensions":{"height":2}}`, `{"dimensions":{"depth":2}}`,
		`{"available_from":"2027-01-15"}`, `{"supplier_email":"patched@example.com"}`,
	}
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := newFixture(t, db)
		original := `{"name":"N","price":1,"dimensions":{"width":1,"height":1,"depth":1}}`
		want := *parse[api.NewItem](t, original)
		bodies := make([]*api.ItemPatch, len(patches))
		for i, patch := range patches {
			bodies[i] = parse[api.ItemPatch](t, patch)
			if err := mergePatch(&want, bodies[i]); err != nil {
				t.Fatal(err)
			}
		}
		id := f.create(t, f.alice, original)
		for _, err := range concurrently(len(bodies), func(i int) error {
			_, err := f.PatchItem(f.alice, api.PatchItemRequestObject{
				ItemId: id, Params: api.PatchItemParams{IfMatch: new(`*`)}, Body: bodies[i],
			})
			return err
		}) {
			if err != nil {
				t.Error(err)
			}
		}
		got, _ := f.get(t, aliceID, id)
		if diff := cmp.Diff(want, got.Content); diff != "" || got.Version != int64(1+len(patches)) {
			t.Errorf("version %d: %s", got.Version, diff)
		}
	})
}

// concurrently runs n calls at once and returns their errors in order.
func concurrently(n int, run func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() {
			<-start
			errs[i] = run(i)
		})
	}
	close(start)
	running.Wait()
	return errs
}
