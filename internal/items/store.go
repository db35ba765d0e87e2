package items

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	openapi_types "github.com/oapi-codegen/runtime/types"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/keyset"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb"
)

// Every statement names the owner beside the id, so that another owner's item is not found rather than forbidden: a
// 403 would tell that it exists.

// columns are those that scan reads, in its order.
const columns = `id, owner_id, version, created_at, updated_at, name, price, description, category, tags,
	width, height, depth, available_from, supplier_email`

const (
	insertItem = `INSERT INTO items (` + columns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`

	findItem = `SELECT ` + columns + ` FROM items WHERE id = $1 AND owner_id = $2`

	listItems = `SELECT ` + columns + ` FROM items
		WHERE owner_id = $1 AND (created_at, id) < ($2, $3)
		ORDER BY created_at DESC, id DESC LIMIT $4`

	// A statement of its own: with "OR $5 IS NULL" in the other one, neither could use its index.
	listItemsOfCategory = `SELECT ` + columns + ` FROM items
		WHERE owner_id = $1 AND category = $5 AND (created_at, id) < ($2, $3)
		ORDER BY created_at DESC, id DESC LIMIT $4`

	claimItem = `UPDATE items SET version = version + 1, updated_at = $4
		WHERE id = $1 AND owner_id = $2 AND (version = $3 OR CAST($3 AS BIGINT) IS NULL)
		RETURNING ` + columns

	saveItem = `UPDATE items SET name = $3, price = $4, description = $5, category = $6, tags = $7,
			width = $8, height = $9, depth = $10, available_from = $11, supplier_email = $12
		WHERE id = $1 AND owner_id = $2`

	deleteItem = `DELETE FROM items
		WHERE id = $1 AND owner_id = $2 AND (version = $3 OR CAST($3 AS BIGINT) IS NULL)
		RETURNING ` + columns
)

// insert writes a new item.
func insert(ctx context.Context, tx *sql.Tx, item Item) error {
	content, err := contentValues(item.Content)
	if err != nil {
		return err
	}
	values := append([]any{item.ID, item.OwnerID, item.Version, item.CreatedAt.UnixMicro(), item.UpdatedAt.UnixMicro()}, content...)
	_, err = tx.ExecContext(ctx, insertItem, values...)
	return sqldb.Error(err)
}

// find returns an item of the owner.
func find(ctx context.Context, q sqldb.Querier, owner, id uuid.UUID) (Item, error) {
	item, err := scan(q.QueryRowContext(ctx, findItem, id, owner))
	if errors.Is(err, sqldb.ErrNotFound) {
		return Item{}, problem.NotFound.Wrap(err, "there is no such item")
	}
	return item, err
}

// list returns at most limit items of the owner that come after a position, newest first, of one category or of all.
func list(ctx context.Context, q sqldb.Querier, owner uuid.UUID, category *api.Category, after keyset.Position, limit int) ([]Item, error) {
	statement, values := listItems, []any{owner, after.CreatedAt, after.ID, limit}
	if category != nil {
		statement, values = listItemsOfCategory, append(values, *category)
	}
	rows, err := q.QueryContext(ctx, statement, values...)
	if err != nil {
		return nil, sqldb.Error(err)
	}
	defer rows.Close()
	items := make([]Item, 0, limit)
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, sqldb.Error(rows.Err())
}

// claim counts a change of an item and returns it as it was, but for version and time. From then on the row is
// locked: nobody else changes it before the transaction has ended.
func claim(ctx context.Context, tx *sql.Tx, owner, id uuid.UUID, accepted precondition, now time.Time) (Item, error) {
	return conditional(ctx, tx, claimItem, owner, id, accepted, now.UnixMicro())
}

// save writes the content of an item that this transaction has claimed.
func save(ctx context.Context, tx *sql.Tx, item Item) error {
	content, err := contentValues(item.Content)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, saveItem, append([]any{item.ID, item.OwnerID}, content...)...)
	return sqldb.Error(err)
}

// remove deletes an item.
func remove(ctx context.Context, tx *sql.Tx, owner, id uuid.UUID, accepted precondition) error {
	_, err := conditional(ctx, tx, deleteItem, owner, id, accepted)
	return err
}

// RemoveAllOf deletes every item of the owner, within the transaction that deletes the account.
func RemoveAllOf(ctx context.Context, tx *sql.Tx, owner string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM items WHERE owner_id = $1`, owner)
	return sqldb.Error(err)
}

// conditional runs a statement that touches the item only in an accepted version, and returns the row. The
// condition is in the statement: a version read before could be another one by the time of the write.
func conditional(ctx context.Context, tx *sql.Tx, statement string, owner, id uuid.UUID, accepted precondition, more ...any) (Item, error) {
	for _, version := range accepted {
		item, err := scan(tx.QueryRowContext(ctx, statement, append([]any{id, owner, version}, more...)...))
		if !errors.Is(err, sqldb.ErrNotFound) {
			return item, err
		}
	}
	if _, err := find(ctx, tx, owner, id); err != nil {
		return Item{}, err
	}
	return Item{}, problem.PreconditionFailed.New("the item has changed: get it again and repeat the change with its ETag")
}

// contentValues returns what the owner wrote, in the order of the columns from name on.
func contentValues(c api.NewItem) ([]any, error) {
	var tags, availableFrom *string
	var width, height, depth *float64
	if c.Tags != nil {
		text, err := json.Marshal(*c.Tags)
		if err != nil {
			return nil, fmt.Errorf("encode the tags of an item: %w", err)
		}
		tags = new(string(text))
	}
	if d := c.Dimensions; d != nil {
		width, height, depth = &d.Width, &d.Height, &d.Depth
	}
	if c.AvailableFrom != nil {
		availableFrom = new(c.AvailableFrom.String())
	}
	return []any{c.Name, c.Price, c.Description, c.Category, tags, width, height, depth, availableFrom, c.SupplierEmail}, nil
}

// scan reads the columns of one row.
func scan(row interface{ Scan(...any) error }) (Item, error) {
	var item Item
	var createdAt, updatedAt int64
	var tags, availableFrom *string
	var width, height, depth *float64
	c := &item.Content
	err := row.Scan(&item.ID, &item.OwnerID, &item.Version, &createdAt, &updatedAt, &c.Name, &c.Price, &c.Description,
		&c.Category, &tags, &width, &height, &depth, &availableFrom, &c.SupplierEmail)
	if err != nil {
		return Item{}, sqldb.Error(err)
	}
	item.CreatedAt = time.UnixMicro(createdAt).UTC()
	item.UpdatedAt = time.UnixMicro(updatedAt).UTC()
	if tags != nil {
		if err := json.Unmarshal([]byte(*tags), &c.Tags); err != nil {
			return Item{}, fmt.Errorf("decode the tags of an item: %w", err)
		}
	}
	if width != nil && height != nil && depth != nil {
		c.Dimensions = &api.Dimensions{Width: *width, Height: *height, Depth: *depth}
	}
	if availableFrom != nil {
		c.AvailableFrom = new(openapi_types.Date)
		if err := c.AvailableFrom.UnmarshalText([]byte(*availableFrom)); err != nil {
			return Item{}, fmt.Errorf("decode the day of an item: %w", err)
		}
	}
	return item, nil
}
