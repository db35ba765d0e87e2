package items

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

const chair = `{"name":"Chair","price":129.9,"category":"other","tags":["wood"],"dimensions":{"width":45,"height":90,"depth":50},"available_from":"2027-01-15","supplier_email":"sales@example.com"}`

// body returns what the service answers for an item that was made of content.
func body(t *testing.T, content string, id uuid.UUID, createdAt, updatedAt string) any {
	t.Helper()
	want := *parse[map[string]any](t, content)
	want["id"], want["owner_id"] = id.String(), aliceID.String()
	want["created_at"], want["updated_at"] = createdAt, updatedAt
	return want
}

func wantAnswer(t *testing.T, got *httptest.ResponseRecorder, status int, headers map[string]string, body any) {
	t.Helper()
	if got.Code != status {
		t.Errorf("status = %d, want %d", got.Code, status)
	}
	for _, name := range []string{"ETag", "Location"} {
		if got.Header().Get(name) != headers[name] {
			t.Errorf("%s = %q, want %q", name, got.Header().Get(name), headers[name])
		}
	}
	if diff := cmp.Diff(body, *parse[any](t, got.Body.String())); diff != "" {
		t.Errorf("body: %s", diff)
	}
}

func TestCreateItem(t *testing.T) {
	const at = "2026-11-24T08:30:00.123456Z"
	f := newFixture(t, sqldbtest.Open(t))
	for _, content := range []string{chair, `{"name":"N","price":0}`, `{"name":"N","price":1,"tags":[]}`} {
		t.Run(content, func(t *testing.T) {
			response, err := f.CreateItem(f.alice, api.CreateItemRequestObject{
				Params: api.CreateItemParams{DryRun: new(false)}, Body: parse[api.NewItem](t, content),
			})
			if err != nil {
				t.Fatal(err)
			}
			w := answered(t, func(w *httptest.ResponseRecorder) error { return response.VisitCreateItemResponse(w) })
			id := response.(api.CreateItem201JSONResponse).Body.Id
			wantAnswer(t, w, 201, map[string]string{"ETag": `"1"`, "Location": "/items/" + id.String()}, body(t, content, id, at, at))
			if id.Version() != 7 {
				t.Errorf("the id %v is not a UUIDv7", id)
			}
			if _, found := f.get(t, aliceID, id); !found {
				t.Error("the item is not stored")
			}
		})
	}
}

func TestCreateItemAsADryRunAnswersWithoutWriting(t *testing.T) {
	const at = "2026-11-24T08:30:00.123456Z"
	f := newFixture(t, sqldbtest.Open(t))
	response, err := f.CreateItem(f.alice, api.CreateItemRequestObject{
		Params: api.CreateItemParams{DryRun: new(true)}, Body: parse[api.NewItem](t, chair),
	})
	if err != nil {
		t.Fatal(err)
	}
	w := answered(t, func(w *httptest.ResponseRecorder) error { return response.VisitCreateItemResponse(w) })
	id := response.(api.CreateItem200JSONResponse).Id
	wantAnswer(t, w, 200, nil, body(t, chair, id, at, at))
	if _, found := f.get(t, aliceID, id); found {
		t.Error("the dry run has written the item")
	}
}

func TestGetItem(t *testing.T) {
	f := newFixture(t, sqldbtest.Open(t))
	id := f.create(t, f.alice, chair)
	response, err := f.GetItem(f.alice, api.GetItemRequestObject{ItemId: id})
	if err != nil {
		t.Fatal(err)
	}
	w := answered(t, func(w *httptest.ResponseRecorder) error { return response.VisitGetItemResponse(w) })
	const at = "2026-11-24T08:30:00.123456Z"
	wantAnswer(t, w, 200, map[string]string{"ETag": `"1"`}, body(t, chair, id, at, at))

	for name, request := range map[string]struct {
		caller context.Context
		id     uuid.UUID
	}{
		"an item that is missing":       {f.alice, uuid.Max},
		"an item of another owner":      {f.bob, id},
		"a missing item, to a stranger": {f.bob, uuid.Max},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.GetItem(request.caller, api.GetItemRequestObject{ItemId: request.id})
			wantProblem(t, err, problem.NotFound, "there is no such item")
		})
	}
}

// wantProblem checks what a client would see of err.
func wantProblem(t *testing.T, err error, kind problem.Kind, detail string) {
	t.Helper()
	var got *problem.Error
	if !errors.As(err, &got) || got.Kind != kind || got.Detail != detail {
		t.Errorf("error = %v, want %s: %s", err, kind.Title, detail)
	}
}

// write is one of the operations that change an item under a precondition.
type write struct {
	name string
	run  func(ctx context.Context, f *fixture, id uuid.UUID, ifMatch *string) (func(*httptest.ResponseRecorder) error, error)
	// want is the content that the chair has afterwards, empty where it is gone.
	want string
}

func writes(t *testing.T) []write {
	const table = `{"name":"Table","price":5}`
	return []write{
		{"put", func(ctx context.Context, f *fixture, id uuid.UUID, ifMatch *string) (func(*httptest.ResponseRecorder) error, error) {
			response, err := f.ReplaceItem(ctx, api.ReplaceItemRequestObject{ItemId: id, Params: api.ReplaceItemParams{IfMatch: ifMatch}, Body: parse[api.NewItem](t, table)})
			return func(w *httptest.ResponseRecorder) error { return response.VisitReplaceItemResponse(w) }, err
		}, table},
		{"patch", func(ctx context.Context, f *fixture, id uuid.UUID, ifMatch *string) (func(*httptest.ResponseRecorder) error, error) {
			response, err := f.PatchItem(ctx, api.PatchItemRequestObject{ItemId: id, Params: api.PatchItemParams{IfMatch: ifMatch}, Body: parse[api.ItemPatch](t, `{"category":null,"dimensions":null,"price":5}`)})
			return func(w *httptest.ResponseRecorder) error { return response.VisitPatchItemResponse(w) }, err
		}, `{"name":"Chair","price":5,"tags":["wood"],"available_from":"2027-01-15","supplier_email":"sales@example.com"}`},
		{"patch that changes nothing", func(ctx context.Context, f *fixture, id uuid.UUID, ifMatch *string) (func(*httptest.ResponseRecorder) error, error) {
			response, err := f.PatchItem(ctx, api.PatchItemRequestObject{ItemId: id, Params: api.PatchItemParams{IfMatch: ifMatch}, Body: &api.ItemPatch{}})
			return func(w *httptest.ResponseRecorder) error { return response.VisitPatchItemResponse(w) }, err
		}, chair},
		{"delete", func(ctx context.Context, f *fixture, id uuid.UUID, ifMatch *string) (func(*httptest.ResponseRecorder) error, error) {
			response, err := f.DeleteItem(ctx, api.DeleteItemRequestObject{ItemId: id, Params: api.DeleteItemParams{IfMatch: ifMatch}})
			return func(w *httptest.ResponseRecorder) error { return response.VisitDeleteItemResponse(w) }, err
		}, ""},
	}
}

func TestWritesUnderAPreconditionThatHolds(t *testing.T) {
	f := newFixture(t, sqldbtest.Open(t))
	for _, write := range writes(t) {
		for name, ifMatch := range map[string]string{
			"the tag of the item":          `"1"`,
			"a star":                       `*`,
			"a list that has the tag":      `"9", "1", "2"`,
			"a weak tag before the tag":    `W/"9" , "1"`,
			"the tag weak and then strong": `W/"1","1"`,
		} {
			t.Run(write.name+" with "+name, func(t *testing.T) {
				id := f.create(t, f.alice, chair)
				created := f.time
				defer func() { f.time = created }()
				f.time = f.time.Add(time.Hour)
				visit, err := write.run(f.alice, f, id, &ifMatch)
				if err != nil {
					t.Fatal(err)
				}
				w := answered(t, visit)
				item, found := f.get(t, aliceID, id)
				if write.want == "" {
					if w.Code != 204 || w.Body.Len() != 0 || found {
						t.Errorf("status = %d, body = %q, found afterwards: %t", w.Code, w.Body, found)
					}
					return
				}
				wantAnswer(t, w, 200, map[string]string{"ETag": `"2"`},
					body(t, write.want, id, "2026-11-24T08:30:00.123456Z", "2026-11-24T09:30:00.123456Z"))
				text, _ := json.Marshal(item.view())
				if diff := cmp.Diff(*parse[any](t, w.Body.String()), *parse[any](t, string(text))); diff != "" || item.Version != 2 {
					t.Errorf("what is stored, as version %d, is not what was answered: %s", item.Version, diff)
				}
			})
		}
	}
}

func TestWritesUnderAPreconditionThatFailsChangeNothing(t *testing.T) {
	const (
		send  = "send If-Match with the ETag of the item, or *"
		stale = "the item has changed: get it again and repeat the change with its ETag"
		gone  = "there is no such item"
	)
	f := newFixture(t, sqldbtest.Open(t))
	id := f.create(t, f.alice, `{"name":"Old","price":1}`)
	if _, err := f.ReplaceItem(f.alice, api.ReplaceItemRequestObject{ItemId: id, Params: api.ReplaceItemParams{IfMatch: new(`"1"`)}, Body: parse[api.NewItem](t, chair)}); err != nil {
		t.Fatal(err)
	}
	before, _ := f.get(t, aliceID, id)
	tests := []struct {
		name    string
		caller  context.Context
		id      uuid.UUID
		ifMatch *string
		kind    problem.Kind
		detail  string
	}{
		{"without If-Match", f.alice, id, nil, problem.PreconditionRequired, send},
		{"without If-Match on a missing item, before any lookup", f.alice, uuid.Max, nil, problem.PreconditionRequired, send},
		{"without If-Match on another owner's item", f.bob, id, nil, problem.PreconditionRequired, send},
		{"with the tag of the version before", f.alice, id, new(`"1"`), problem.PreconditionFailed, stale},
		{"with the tag of the version to come", f.alice, id, new(`"3"`), problem.PreconditionFailed, stale},
		{"with the weak form of the tag", f.alice, id, new(`W/"2"`), problem.PreconditionFailed, stale},
		{"with the tag spelled differently", f.alice, id, new(`"02"`), problem.PreconditionFailed, stale},
		{"with a tag that nobody gave", f.alice, id, new(`"x"`), problem.PreconditionFailed, stale},
		{"with a quoted star", f.alice, id, new(`"*"`), problem.PreconditionFailed, stale},
		{"with the tag zero", f.alice, id, new(`"0"`), problem.PreconditionFailed, stale},
		{"with a list of others", f.alice, id, new(`"1", W/"2", "3"`), problem.PreconditionFailed, stale},
		{"with a star on a missing item", f.alice, uuid.Max, new(`*`), problem.NotFound, gone},
		{"with a tag on a missing item", f.alice, uuid.Max, new(`"2"`), problem.NotFound, gone},
		{"with a tag that nobody gave on a missing item", f.alice, uuid.Max, new(`"x"`), problem.NotFound, gone},
		{"with a star on another owner's item", f.bob, id, new(`*`), problem.NotFound, gone},
		{"with the tag of another owner's item", f.bob, id, new(`"2"`), problem.NotFound, gone},
		{"with a stale tag on another owner's item", f.bob, id, new(`"1"`), problem.NotFound, gone},
	}
	for _, write := range writes(t) {
		for _, test := range tests {
			t.Run(write.name+" "+test.name, func(t *testing.T) {
				_, err := write.run(test.caller, f, test.id, test.ifMatch)
				wantProblem(t, err, test.kind, test.detail)
				if after, _ := f.get(t, aliceID, id); !cmp.Equal(before, after) {
					t.Error(cmp.Diff(before, after))
				}
			})
		}
	}
}

func TestPatchItemThatViolatesTheItemChangesNothing(t *testing.T) {
	f := newFixture(t, sqldbtest.Open(t))
	id := f.create(t, f.alice, `{"name":"N","price":1}`)
	before, _ := f.get(t, aliceID, id)
	f.time = f.time.Add(time.Hour)
	_, err := f.PatchItem(f.alice, api.PatchItemRequestObject{
		ItemId: id, Params: api.PatchItemParams{IfMatch: new("*")}, Body: parse[api.ItemPatch](t, `{"name":"M","dimensions":{"width":1,"depth":2}}`),
	})
	wantProblem(t, err, problem.ValidationFailed, "1 violation: see errors")
	if after, _ := f.get(t, aliceID, id); !cmp.Equal(before, after) {
		t.Error(cmp.Diff(before, after))
	}
}

// operations are all of them, on the item of an id where they need one.
func operations(t *testing.T, f *fixture, id uuid.UUID) map[string]func(context.Context) error {
	all := map[string]func(context.Context) error{
		"create": func(ctx context.Context) error {
			_, err := f.CreateItem(ctx, api.CreateItemRequestObject{Body: parse[api.NewItem](t, chair)})
			return err
		},
		"list": func(ctx context.Context) error {
			_, err := f.ListItems(ctx, api.ListItemsRequestObject{})
			return err
		},
		"get": func(ctx context.Context) error {
			_, err := f.GetItem(ctx, api.GetItemRequestObject{ItemId: id})
			return err
		},
	}
	for _, write := range writes(t) {
		all[write.name] = func(ctx context.Context) error {
			_, err := write.run(ctx, f, id, new("*"))
			return err
		}
	}
	return all
}

func TestEveryOperationNeedsACallerWithAnAccount(t *testing.T) {
	f := newFixture(t, sqldbtest.Open(t))
	id := f.create(t, f.alice, chair)
	before, _ := f.get(t, aliceID, id)
	for name, caller := range map[string]context.Context{
		"nobody":                          t.Context(),
		"a subject that is no account id": as(t.Context(), "service"),
		"an empty subject":                as(t.Context(), ""),
	} {
		for operation, run := range operations(t, f, id) {
			t.Run(operation+" by "+name, func(t *testing.T) {
				if err := run(caller); err == nil || problem.From(err).Kind != problem.Internal {
					t.Errorf("error = %v", err)
				}
				if after, _ := f.get(t, aliceID, id); !cmp.Equal(before, after) {
					t.Error(cmp.Diff(before, after))
				}
			})
		}
	}
}

func TestNoOperationTakesADatabaseThatFailsForAnItemThatIsMissing(t *testing.T) {
	f := newFixture(t, sqldbtest.Open(t))
	id := f.create(t, f.alice, chair)
	canceled, cancel := context.WithCancel(f.alice)
	cancel()
	for operation, run := range operations(t, f, id) {
		t.Run(operation, func(t *testing.T) {
			if err := run(canceled); err == nil || problem.From(err).Kind.Status < 500 {
				t.Errorf("error = %v", err)
			}
		})
	}
}
