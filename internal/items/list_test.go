package items

import (
	"context"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

func TestListItems(t *testing.T) {
	f := newFixture(t, sqldbtest.Open(t))
	var books, all []string
	for i := range 45 {
		f.time = f.time.Add(time.Duration(i%2) * time.Microsecond)
		content := `{"name":"N","price":1}`
		if i%2 == 0 {
			content = `{"name":"N","price":1,"category":"book"}`
		}
		id := f.create(t, f.alice, content).String()
		if all = append(all, id); i%2 == 0 {
			books = append(books, id)
		}
		f.create(t, f.bob, content)
	}
	tests := []struct {
		name   string
		params api.ListItemsParams
		pages  []int
		want   []string
	}{
		{"without a limit in pages of 20", api.ListItemsParams{}, []int{20, 20, 5}, all},
		{"by a limit that leaves a rest", api.ListItemsParams{Limit: new(int32(44))}, []int{44, 1}, all},
		{"by a limit that leaves no rest, without an empty last page", api.ListItemsParams{Limit: new(int32(15))}, []int{15, 15, 15}, all},
		{"by a limit above what there is", api.ListItemsParams{Limit: new(int32(100))}, []int{45}, all},
		{"by a category", api.ListItemsParams{Category: new(api.CategoryBook)}, []int{20, 3}, books},
		{"by a category that no item has", api.ListItemsParams{Category: new(api.CategoryFood)}, []int{0}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var pages []int
			var got []string
			for {
				page := f.page(t, f.alice, test.params)
				pages = append(pages, len(page.Items))
				for _, item := range page.Items {
					got = append(got, item.Id.String())
				}
				if page.NextCursor == nil || len(pages) > 10 {
					break
				}
				test.params.Cursor = page.NextCursor
			}
			if diff := cmp.Diff(test.pages, pages); diff != "" {
				t.Errorf("sizes of pages: %s", diff)
			}
			slices.Sort(got)
			want := slices.Sorted(slices.Values(test.want))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// page calls ListItems and reads its answer as a client does.
func (f *fixture) page(t *testing.T, caller context.Context, params api.ListItemsParams) *api.ItemPage {
	t.Helper()
	response, err := f.ListItems(caller, api.ListItemsRequestObject{Params: params})
	if err != nil {
		t.Fatal(err)
	}
	w := answered(t, func(w *httptest.ResponseRecorder) error { return response.VisitListItemsResponse(w) })
	if w.Code != 200 {
		t.Errorf("status = %d", w.Code)
	}
	return parse[api.ItemPage](t, w.Body.String())
}

func TestListItemsAnswersAnEmptyListAsAnArray(t *testing.T) {
	f := newFixture(t, sqldbtest.Open(t))
	f.create(t, f.bob, chair)
	response, err := f.ListItems(f.alice, api.ListItemsRequestObject{})
	if err != nil {
		t.Fatal(err)
	}
	w := answered(t, func(w *httptest.ResponseRecorder) error { return response.VisitListItemsResponse(w) })
	wantAnswer(t, w, 200, nil, map[string]any{"items": []any{}})
}

func TestListItemsKeepsItsPlaceWhileTheListChanges(t *testing.T) {
	f := newFixture(t, sqldbtest.Open(t))
	var ids []uuid.UUID
	for range 4 {
		f.time = f.time.Add(time.Microsecond)
		ids = append(ids, f.create(t, f.alice, chair))
	}
	first := f.page(t, f.alice, api.ListItemsParams{Limit: new(int32(2))})
	f.time = f.time.Add(time.Microsecond)
	f.create(t, f.alice, chair)
	if _, err := f.DeleteItem(f.alice, api.DeleteItemRequestObject{ItemId: ids[2], Params: api.DeleteItemParams{IfMatch: new("*")}}); err != nil {
		t.Fatal(err)
	}
	second := f.page(t, f.alice, api.ListItemsParams{Limit: new(int32(2)), Cursor: first.NextCursor})
	if len(second.Items) != 2 || second.Items[0].Id != ids[1] || second.Items[1].Id != ids[0] || second.NextCursor != nil {
		t.Errorf("the page after a new first and a deleted last item is %+v", second)
	}
}

func TestListItemsWithTheCursorOfAnotherOwnerShowsOnesOwn(t *testing.T) {
	f := newFixture(t, sqldbtest.Open(t))
	mine := f.create(t, f.alice, chair)
	for range 2 {
		f.time = f.time.Add(time.Microsecond)
		f.create(t, f.bob, chair)
	}
	bobs := f.page(t, f.bob, api.ListItemsParams{Limit: new(int32(1))})
	got := f.page(t, f.alice, api.ListItemsParams{Cursor: bobs.NextCursor})
	if len(got.Items) != 1 || got.Items[0].Id != mine {
		t.Errorf("the page is %+v", got)
	}
}

func TestListItemsRefusesACursorThatItDidNotGive(t *testing.T) {
	f := newFixture(t, sqldbtest.Open(t))
	_, err := f.ListItems(f.alice, api.ListItemsRequestObject{Params: api.ListItemsParams{Cursor: new("bm90LW91cnM")}})
	wantProblem(t, err, problem.ValidationFailed, "1 violation: see errors")
}
