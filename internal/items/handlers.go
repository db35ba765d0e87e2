package items

import (
	"context"
	"database/sql"

	"github.com/google/uuid"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/keyset"
)

// defaultLimit is the default of the parameter limit in openapi.yaml.
const defaultLimit = 20

// CreateItem answers POST /items.
func (h *Handlers) CreateItem(ctx context.Context, request api.CreateItemRequestObject) (api.CreateItemResponseObject, error) {
	owner, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	now := h.now()
	id, err := newID(now, h.Random)
	if err != nil {
		return nil, err
	}
	item := Item{ID: id, OwnerID: owner, Content: *request.Body, Version: 1, CreatedAt: now, UpdatedAt: now}
	if dryRun := request.Params.DryRun; dryRun != nil && *dryRun {
		return api.CreateItem200JSONResponse(item.view()), nil
	}
	if err := h.DB.Write(ctx, func(tx *sql.Tx) error { return insert(ctx, tx, item) }); err != nil {
		return nil, err
	}
	return api.CreateItem201JSONResponse{
		Body:    item.view(),
		Headers: api.CreateItem201ResponseHeaders{ETag: etag(item.Version), Location: "/items/" + item.ID.String()},
	}, nil
}

// ListItems answers GET /items.
func (h *Handlers) ListItems(ctx context.Context, request api.ListItemsRequestObject) (api.ListItemsResponseObject, error) {
	owner, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	after, err := keyset.Decode(request.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := defaultLimit
	if request.Params.Limit != nil {
		limit = int(*request.Params.Limit)
	}
	// One more than the page shows says whether there is a next one.
	items, err := list(ctx, h.DB.Reader(), owner, request.Params.Category, after, limit+1)
	if err != nil {
		return nil, err
	}
	page := api.ListItems200JSONResponse{Items: make([]api.Item, 0, len(items))}
	if len(items) > limit {
		items = items[:limit]
		next := items[limit-1].position().Cursor()
		page.NextCursor = &next
	}
	for _, item := range items {
		page.Items = append(page.Items, item.view())
	}
	return page, nil
}

// GetItem answers GET /items/{item_id}.
func (h *Handlers) GetItem(ctx context.Context, request api.GetItemRequestObject) (api.GetItemResponseObject, error) {
	owner, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	item, err := find(ctx, h.DB.Reader(), owner, request.ItemId)
	if err != nil {
		return nil, err
	}
	return api.GetItem200JSONResponse{
		Body:    item.view(),
		Headers: api.GetItem200ResponseHeaders{ETag: etag(item.Version)},
	}, nil
}

// ReplaceItem answers PUT /items/{item_id}.
func (h *Handlers) ReplaceItem(ctx context.Context, request api.ReplaceItemRequestObject) (api.ReplaceItemResponseObject, error) {
	replace := func(content *api.NewItem) error {
		*content = *request.Body
		return nil
	}
	item, err := h.change(ctx, request.ItemId, request.Params.IfMatch, replace)
	if err != nil {
		return nil, err
	}
	return api.ReplaceItem200JSONResponse{
		Body:    item.view(),
		Headers: api.ReplaceItem200ResponseHeaders{ETag: etag(item.Version)},
	}, nil
}

// PatchItem answers PATCH /items/{item_id}.
func (h *Handlers) PatchItem(ctx context.Context, request api.PatchItemRequestObject) (api.PatchItemResponseObject, error) {
	merge := func(content *api.NewItem) error {
		return mergePatch(content, request.Body)
	}
	item, err := h.change(ctx, request.ItemId, request.Params.IfMatch, merge)
	if err != nil {
		return nil, err
	}
	return api.PatchItem200JSONResponse{
		Body:    item.view(),
		Headers: api.PatchItem200ResponseHeaders{ETag: etag(item.Version)},
	}, nil
}

// DeleteItem answers DELETE /items/{item_id}.
func (h *Handlers) DeleteItem(ctx context.Context, request api.DeleteItemRequestObject) (api.DeleteItemResponseObject, error) {
	owner, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	accepted, err := parseIfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	if err := h.DB.Write(ctx, func(tx *sql.Tx) error { return remove(ctx, tx, owner, request.ItemId, accepted) }); err != nil {
		return nil, err
	}
	return api.DeleteItem204Response{}, nil
}

// change edits the content of an item in one transaction and returns the item as it is then.
func (h *Handlers) change(ctx context.Context, id uuid.UUID, ifMatch *string, edit func(*api.NewItem) error) (Item, error) {
	owner, err := caller(ctx)
	if err != nil {
		return Item{}, err
	}
	accepted, err := parseIfMatch(ifMatch)
	if err != nil {
		return Item{}, err
	}
	var item Item
	err = h.DB.Write(ctx, func(tx *sql.Tx) error {
		var err error
		if item, err = claim(ctx, tx, owner, id, accepted, h.now()); err != nil {
			return err
		}
		if err := edit(&item.Content); err != nil {
			return err
		}
		return save(ctx, tx, item)
	})
	return item, err
}
