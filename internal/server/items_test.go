package server_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"
	openapi_types "github.com/oapi-codegen/runtime/types"

	"example.com/gatehouse/gen/client"
)

func pointer[T any](v T) *T { return &v }

// chair is an item with every member.
func chair() client.NewItem {
	return client.NewItem{
		Name: "Oak chair", Price: 129.9, Description: pointer("Ein Stuhl – 🪑 \" \\ <b>"), Category: pointer(client.CategoryOther),
		Tags: &[]string{"wood", "grün"}, Dimensions: &client.Dimensions{Width: 45, Height: 90.5, Depth: 0.001},
		AvailableFrom: &openapi_types.Date{Time: time.Date(2027, 1, 15, 0, 0, 0, 0, time.UTC)}, SupplierEmail: pointer("sales@example.com"),
	}
}

// written is what a client wrote of an item that it got.
func written(i client.Item) client.NewItem {
	return client.NewItem{
		Name: i.Name, Price: i.Price, Description: i.Description, Category: i.Category, Tags: i.Tags,
		Dimensions: i.Dimensions, AvailableFrom: i.AvailableFrom, SupplierEmail: i.SupplierEmail,
	}
}

func same(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestItemsLive is the life of an item, by a caller who logged in with a password.
func TestItemsLive(t *testing.T) {
	s := start(t)
	ctx := context.Background()
	login, err := s.api.CreateTokenWithFormdataBodyWithResponse(ctx, client.TokenRequest{GrantType: client.TokenRequestGrantTypePassword, Username: &s.user, Password: &s.password})
	if err != nil {
		t.Fatal(err)
	}
	same(t, client.TokenResponse{AccessToken: login.JSON200.AccessToken, TokenType: client.TokenResponseTokenTypeBearer, ExpiresIn: 600, Scope: "email items:read items:write openid profile users:read users:write", RefreshToken: login.JSON200.RefreshToken}, *login.JSON200)
	me := bearerAuth(login.JSON200.AccessToken)

	dry, err := s.api.CreateItemWithResponse(ctx, &client.CreateItemParams{DryRun: pointer(true)}, chair(), me)
	if err != nil {
		t.Fatal(err)
	}
	if dry.StatusCode() != 200 || s.items() != 0 {
		t.Errorf("a dry run: %d, and %d items are kept", dry.StatusCode(), s.items())
	}
	same(t, chair(), written(*dry.JSON200))

	created, err := s.api.CreateItemWithResponse(ctx, nil, chair(), me)
	if err != nil {
		t.Fatal(err)
	}
	id, owner := created.JSON201.Id, uuid.MustParse(s.userID)
	now := s.clock.Now()
	same(t, client.CreateItemResponse201Headers{ETag: `"1"`, Location: "/items/" + id.String()}, *created.Headers201)
	same(t, chair(), written(*created.JSON201))
	if created.JSON201.OwnerId != owner || !created.JSON201.CreatedAt.Equal(now) || !created.JSON201.UpdatedAt.Equal(now) {
		t.Errorf("what the service adds: %+v", created.JSON201)
	}

	got, err := s.api.GetItemWithResponse(ctx, id, me)
	if err != nil {
		t.Fatal(err)
	}
	same(t, *created.JSON201, *got.JSON200)
	same(t, `"1"`, got.Headers200.ETag)

	s.clock.pass(time.Minute)
	plain := client.NewItem{Name: "Stool", Price: 0}
	replaced, err := s.api.ReplaceItemWithResponse(ctx, id, &client.ReplaceItemParams{IfMatch: pointer(`"1"`)}, plain, me)
	if err != nil {
		t.Fatal(err)
	}
	same(t, plain, written(*replaced.JSON200))
	same(t, `"2"`, replaced.Headers200.ETag)
	if !replaced.JSON200.CreatedAt.Equal(now) || !replaced.JSON200.UpdatedAt.Equal(s.clock.Now()) {
		t.Errorf("times after a change: %+v", replaced.JSON200)
	}

	patch := client.ItemPatch{Price: pointer(9.5), Category: nullable.NewNullableWithValue(client.ItemPatchCategoryToy), Description: nullable.NewNullableWithValue("three legs")}
	patched, err := s.api.PatchItemWithApplicationMergePatchPlusJSONBodyWithResponse(ctx, id, &client.PatchItemParams{IfMatch: pointer(`"1", "2"`)}, patch, me)
	if err != nil {
		t.Fatal(err)
	}
	same(t, client.NewItem{Name: "Stool", Price: 9.5, Category: pointer(client.CategoryToy), Description: pointer("three legs")}, written(*patched.JSON200))
	removed, err := s.api.PatchItemWithApplicationMergePatchPlusJSONBodyWithResponse(ctx, id, &client.PatchItemParams{IfMatch: pointer("*")},
		client.ItemPatch{Category: nullable.NewNullNullable[client.ItemPatchCategory]()}, me)
	if err != nil {
		t.Fatal(err)
	}
	same(t, client.NewItem{Name: "Stool", Price: 9.5, Description: pointer("three legs")}, written(*removed.JSON200))
	same(t, `"4"`, removed.Headers200.ETag)

	gone, err := s.api.DeleteItemWithResponse(ctx, id, &client.DeleteItemParams{IfMatch: pointer(`"4"`)}, me)
	if err != nil || gone.StatusCode() != 204 || s.items() != 0 {
		t.Errorf("delete: %v, %d, %d items are left", err, gone.StatusCode(), s.items())
	}
	missing, err := s.api.GetItemWithResponse(ctx, id, me)
	if err != nil || missing.StatusCode() != 404 || missing.ApplicationproblemJSON404.Type != "urn:gatehouse:problem:not-found" {
		t.Errorf("after the delete: %v, %d", err, missing.StatusCode())
	}
}

func TestItemsAreListed(t *testing.T) {
	s := start(t)
	ctx := context.Background()
	me := field("X-API-Key", s.apiKey)
	categories := []client.Category{client.CategoryBook, client.CategoryToy}
	var names []string // newest first
	for i := range 7 {
		s.clock.pass(time.Millisecond)
		name := fmt.Sprintf("item %d", i)
		if r, err := s.api.CreateItemWithResponse(ctx, nil, client.NewItem{Name: name, Price: 1, Category: &categories[i%2]}, me); err != nil || r.StatusCode() != 201 {
			t.Fatal(err, r.StatusCode())
		}
		names = append([]string{name}, names...)
	}
	for _, tt := range []struct {
		name  string
		ask   client.ListItemsParams
		pages [][]string
	}{
		{"everything, by default", client.ListItemsParams{}, [][]string{names}},
		{"pages of three", client.ListItemsParams{Limit: pointer(int32(3))}, [][]string{names[:3], names[3:6], names[6:]}},
		{"a last page that is full", client.ListItemsParams{Limit: pointer(int32(7))}, [][]string{names}},
		{"one category", client.ListItemsParams{Category: &categories[1]}, [][]string{{"item 5", "item 3", "item 1"}}},
		{"pages of one category", client.ListItemsParams{Category: &categories[0], Limit: pointer(int32(3))}, [][]string{{"item 6", "item 4", "item 2"}, {"item 0"}}},
		{"a category that nothing has", client.ListItemsParams{Category: pointer(client.CategoryFood)}, [][]string{nil}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var pages [][]string
			for {
				r, err := s.api.ListItemsWithResponse(ctx, &tt.ask, me)
				if err != nil || r.StatusCode() != 200 {
					t.Fatal(err, r.StatusCode())
				}
				var page []string
				for _, item := range r.JSON200.Items {
					page = append(page, item.Name)
				}
				pages = append(pages, page)
				if tt.ask.Cursor = r.JSON200.NextCursor; tt.ask.Cursor == nil || len(pages) > 10 {
					break
				}
			}
			same(t, tt.pages, pages)
		})
	}
}

// TestItemsOfOthers: to a caller, the items of others are missing: the same status, body and header for both.
func TestItemsOfOthers(t *testing.T) {
	s := start(t)
	ctx := context.Background()
	other := s.newPerson("other", "items:read", "items:write", "users:read", "admin")
	made, err := s.api.CreateItemWithResponse(ctx, nil, chair(), field("X-API-Key", s.apiKey))
	if err != nil {
		t.Fatal(err)
	}
	theirs, missing := "/items/"+made.JSON201.Id.String(), "/items/01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f"
	credentials := map[string][]string{
		"a key":   {"X-API-Key", other.apiKey},
		"a token": {"Authorization", "Bearer " + s.token(jwt.MapClaims{"sub": other.id, "scope": "items:read items:write users:read admin"})},
	}
	for by, fields := range credentials {
		for _, tt := range []struct{ method, body, mediaType, ifMatch string }{
			{"GET", "", "", ""},
			{"PUT", `{"name":"mine now","price":1}`, "application/json", "*"},
			{"PUT", `{"name":"mine now","price":1}`, "application/json", `"1"`},
			{"PUT", `{"name":"mine now","price":1}`, "application/json", `"7"`},
			{"PATCH", `{"name":"mine now"}`, "application/merge-patch+json", "*"},
			{"PATCH", `{"name":"mine now"}`, "application/merge-patch+json", `"7"`},
			{"DELETE", "", "", "*"},
			{"DELETE", "", "", `"1"`},
			{"DELETE", "", "", `"7"`},
		} {
			t.Run(tt.method+" "+tt.ifMatch+" by "+by, func(t *testing.T) {
				var answers []answer
				for _, target := range []string{theirs, missing} {
					all := append([]string{}, fields...)
					if tt.ifMatch != "" {
						all = append(all, "If-Match", tt.ifMatch)
					}
					if tt.mediaType != "" {
						all = append(all, "Content-Type", tt.mediaType)
					}
					a := s.send(t, tt.method, target, tt.body, all...)
					if a.status != 404 {
						t.Errorf("%s: %d, want 404", target, a.status)
					}
					id := a.header.Get("X-Request-Id")
					a.body = []byte(strings.ReplaceAll(string(a.body), id, ""))
					a.header.Del("X-Request-Id")
					a.header.Del("Date")
					answers = append(answers, a)
				}
				if diff := cmp.Diff(answers[1], answers[0], cmp.AllowUnexported(answer{})); diff != "" {
					t.Errorf("an item of another is told from a missing one:\n%s", diff)
				}
			})
		}
		t.Run("lists by "+by, func(t *testing.T) {
			a := s.send(t, "GET", "/items", "", fields...)
			if a.status != 200 || string(a.body) != `{"items":[]}` {
				t.Errorf("%d %s", a.status, a.body)
			}
			a = s.send(t, "GET", "/users/me", "", fields...)
			if a.status != 200 || !strings.Contains(string(a.body), other.id) || strings.Contains(string(a.body), s.userID) {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	still, err := s.api.GetItemWithResponse(ctx, made.JSON201.Id, field("X-API-Key", s.apiKey))
	if err != nil {
		t.Fatal(err)
	}
	same(t, *made.JSON201, *still.JSON200)
}

// TestItemsRefuse is what each operation on items says to a caller who may, and who asks for something wrong.
func TestItemsRefuse(t *testing.T) {
	s := start(t)
	ctx := context.Background()
	made, err := s.api.CreateItemWithResponse(ctx, nil, chair(), field("X-API-Key", s.apiKey))
	if err != nil {
		t.Fatal(err)
	}
	item := "/items/" + made.JSON201.Id.String()
	const json, merge = "application/json", "application/merge-patch+json"
	valid := `{"name":"x","price":1}`
	body := func(method, target, mediaType, text string, status int, holds ...string) expectation {
		e := expectation{method: method, target: target, body: text, status: status, holds: holds, fields: []string{"X-API-Key", s.apiKey}}
		if mediaType != "" {
			e.fields = append(e.fields, "Content-Type", mediaType)
		}
		return e
	}
	// violation is one member of errors, as it stands in the body.
	violation := func(pointer, keyword string) string {
		return `{"pointer":"` + pointer + `","keyword":"` + keyword + `",`
	}
	parameter := func(name, keyword string) string { return `{"parameter":"` + name + `","keyword":"` + keyword + `",` }
	create := func(text string, holds ...string) expectation {
		return body("POST", "/items", json, text, 422, append(holds, "validation-failed")...)
	}
	change := func(e expectation, ifMatch string) expectation {
		e.fields = append(e.fields, "If-Match", ifMatch)
		return e
	}
	for _, e := range []expectation{
		create(`{"name":"`+canary+`!","price":-1,"description":7,"category":"`+canary+`","tags":["","a","a"],"dimensions":{"width":0,"height":1},"available_from":"2027-02-30","supplier_email":"`+canary+`","admin":"`+canary+`"}`,
			violation("/name", "pattern"), violation("/price", "minimum"), violation("/description", "type"), violation("/category", "enum"), violation("/tags/0", "minLength"), violation("/tags", "uniqueItems"),
			violation("/dimensions/width", "exclusiveMinimum"), violation("/dimensions/depth", "required"), violation("/available_from", "format"), violation("/supplier_email", "format"), violation("/admin", "additionalProperties"), "11 violations",
		).named("create: everything wrong is told at once"),
		create(`{}`, violation("/name", "required"), violation("/price", "required")).named("create: nothing"),
		create(`[]`, violation("", "type")).named("create: an array"),
		create(`"`+canary+`"`, violation("", "type")).named("create: a text"),
		create(`{"name":null,"price":null}`, violation("/name", "type"), violation("/price", "type")).named("create: null is no value"),
		create(`{"name":"x","price":1,"description":null}`, violation("/description", "type")).named("create: null is no absent member"),
		create(`{"name":"x","price":"1"}`, violation("/price", "type")).named("create: a number as text"),
		create(`{"name":"x","price":1000000.01}`, violation("/price", "maximum")).named("create: a number that is too large"),
		create(`{"name":"x","price":1e999}`, violation("/price", "format")).named("create: a number that no machine holds"),
		create(`{"name":"","price":1}`, violation("/name", "minLength")).named("create: an empty name"),
		create(`{"name":"`+strings.Repeat("x", 101)+`","price":1}`, violation("/name", "maxLength")).named("create: a long name"),
		create(`{"name":"x","price":1,"description":"\u0000"}`, violation("/description", "pattern")).named("create: U+0000"),
		create(`{"name":"x","price":1,"tags":["1","2","3","4","5","6","7","8","9","10","11"]}`, violation("/tags", "maxItems")).named("create: too many tags"),
		create(`{"name":"x","price":1,"id":"01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f","owner_id":"01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f","created_at":"2026-11-24T09:30:00Z","updated_at":"2026-11-24T09:30:00Z"}`,
			violation("/id", "additionalProperties"), violation("/owner_id", "additionalProperties"), violation("/created_at", "additionalProperties"), violation("/updated_at", "additionalProperties")).named("create: what the service adds"),
		body("POST", "/items?dry_run=maybe", json, valid, 422, parameter("dry_run", "type")).named("create: dry_run is no boolean"),
		body("POST", "/items?dry_run=true&dry_run=true", json, valid, 422, parameter("dry_run", "repeated")).named("create: dry_run twice"),
		body("POST", "/items?dry_run=1", json, valid, 422, parameter("dry_run", "type")).named("create: dry_run as a number"),
		body("POST", "/items?DRY_RUN=true", json, valid, 422, parameter("DRY_RUN", "additionalProperties")).named("create: dry_run in capitals"),
		body("POST", "/items", merge, valid, 415, "this operation takes application/json").named("create: the media type of a patch"),

		body("GET", "/items?limit=0", "", "", 422, parameter("limit", "minimum")).named("list: no items at all"),
		body("GET", "/items?limit=101", "", "", 422, parameter("limit", "maximum")).named("list: too many items"),
		body("GET", "/items?limit=ten", "", "", 422, parameter("limit", "type")).named("list: limit is no number"),
		body("GET", "/items?limit=99999999999999999999", "", "", 422, `"parameter":"limit"`).named("list: limit is a number that no machine holds"),
		body("GET", "/items?limit=5&limit=6", "", "", 422, `"parameter":"limit"`).named("list: limit twice"),
		body("GET", "/items?category=car", "", "", 422, parameter("category", "enum")).named("list: an unknown category"),
		body("GET", "/items?category=", "", "", 422, parameter("category", "enum")).named("list: an empty category"),
		body("GET", "/items?cursor="+canary, "", "", 422, parameter("cursor", "format")).named("list: a cursor that we did not give"),
		body("GET", "/items?cursor=a%27%20OR%201%3D1", "", "", 422, parameter("cursor", "pattern")).named("list: a cursor with SQL"),

		body("GET", "/items/7", "", "", 422, parameter("item_id", "format")).named("get: no id"),
		body("GET", "/items/01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f", "", "", 404, "not-found").named("get: nothing there"),

		body("PUT", item, json, valid, 428, "precondition-required", "send If-Match with the ETag of the item, or *").named("replace: no If-Match"),
		change(body("PUT", item, json, valid, 412, "precondition-failed"), `"2"`).named("replace: stale"),
		change(body("PUT", item, json, valid, 412), `W/"1"`).named("replace: a weak tag matches nothing"),
		change(body("PUT", item, json, valid, 412), `"01"`).named("replace: a tag that only looks like ours"),
		change(body("PUT", item, json, valid, 422, parameter("If-Match", "pattern")), `1`).named("replace: a tag without quotes"),
		change(change(body("PUT", item, json, valid, 422, `"parameter":"If-Match"`), `"1"`), `"1"`).named("replace: If-Match twice"),
		change(body("PUT", item, json, `{"name":"x"}`, 422, violation("/price", "required")), "*").named("replace: a member is missing"),
		change(body("PUT", item, merge, valid, 415), "*").named("replace: the media type of a patch"),
		change(body("PUT", "/items/01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f", json, valid, 404, "not-found"), "*").named("replace: nothing there"),

		body("PATCH", item, merge, `{"price":1}`, 428).named("patch: no If-Match"),
		change(body("PATCH", item, merge, `{"price":1}`, 412), `"2"`).named("patch: stale"),
		change(body("PATCH", item, merge, `{"name":null,"price":null}`, 422, violation("/name", "type"), violation("/price", "type")), "*").named("patch: a required member cannot be removed"),
		change(body("PATCH", item, merge, `{"dimensions":{"width":0}}`, 422, violation("/dimensions/width", "exclusiveMinimum")), "*").named("patch: inside an object"),
		change(body("PATCH", item, merge, `{"owner_id":"01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f","role":"admin"}`, 422, violation("/owner_id", "additionalProperties"), violation("/role", "additionalProperties")), "*").named("patch: the owner"),
		change(body("PATCH", item, json, `{"price":1}`, 415, "application/merge-patch+json"), "*").named("patch: the media type of JSON"),
		change(body("PATCH", item, "application/json-patch+json", `[{"op":"remove","path":"/name"}]`, 415), "*").named("patch: the other kind of patch"),
		change(body("PATCH", item, merge, `null`, 422, violation("", "type")), "*").named("patch: null for the whole"),
		change(body("PATCH", "/items/01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f", merge, `{}`, 404), "*").named("patch: nothing there"),

		body("DELETE", item, "", "", 428).named("delete: no If-Match"),
		change(body("DELETE", item, "", "", 412), `"2"`).named("delete: stale"),
		change(body("DELETE", "/items/01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f", "", "", 404), "*").named("delete: nothing there"),
	} {
		t.Run(e.name, func(t *testing.T) {
			s.clock.pass(time.Second)
			e.run(t, s)
		})
	}
	still, err := s.api.GetItemWithResponse(ctx, made.JSON201.Id, field("X-API-Key", s.apiKey))
	if err != nil {
		t.Fatal(err)
	}
	same(t, *made.JSON201, *still.JSON200)
	if n := s.items(); n != 1 {
		t.Errorf("%d items are kept, want 1", n)
	}
}
