// Package items is the example resource: delete it or copy it.
//
// A copy changes three things. In openapi.yaml, its paths and schemas, then make generate. In this package, the
// columns and scan of store.go with a migration of its own in internal/sqldb, the members of patch.go, and the method
// of each operation. In internal/server, two lines: the Handlers in the wiring and in the strict server.
// Who may call, what is valid and how often has been decided before a handler runs: it decides whose item it is and
// what state it is in, nothing else.
package items

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/keyset"
	"example.com/gatehouse/internal/sqldb"
)

// Handlers are the operations of /items. They may be used by several goroutines at once.
type Handlers struct {
	DB *sqldb.DB
	// Now is the clock.
	Now func() time.Time
	// Random is where ids come from; it must be safe for concurrent use, as crypto/rand.Reader is.
	Random io.Reader
}

// Item is an item as the store keeps it: what its owner wrote, and what the service adds.
type Item struct {
	ID      uuid.UUID
	OwnerID uuid.UUID
	Content api.NewItem
	// Version is 1 at first and counts the changes.
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// view returns the item as a client sees it.
func (i Item) view() api.Item {
	return api.Item{
		Id:            i.ID,
		OwnerId:       i.OwnerID,
		Name:          i.Content.Name,
		Price:         i.Content.Price,
		Description:   i.Content.Description,
		Category:      i.Content.Category,
		Tags:          i.Content.Tags,
		Dimensions:    i.Content.Dimensions,
		AvailableFrom: i.Content.AvailableFrom,
		SupplierEmail: i.Content.SupplierEmail,
		CreatedAt:     i.CreatedAt,
		UpdatedAt:     i.UpdatedAt,
	}
}

// position returns the place of the item in a list.
func (i Item) position() keyset.Position { return keyset.Of(i.CreatedAt, i.ID) }

// caller returns the account that the request acts for, and so the owner of what it may see.
func caller(ctx context.Context) (uuid.UUID, error) {
	p := auth.FromContext(ctx)
	if p == nil {
		return uuid.Nil, errors.New("an operation of items has no caller: give it a security requirement without {} in openapi.yaml")
	}
	id, err := uuid.Parse(p.Subject)
	if err != nil {
		return uuid.Nil, fmt.Errorf("the subject of the caller is not an account id: %w", err)
	}
	return id, nil
}

// now returns the time in the precision of the database, so that what is answered is what is stored.
func (h *Handlers) now() time.Time {
	return h.Now().UTC().Truncate(time.Microsecond)
}

// newID returns a UUIDv7 (RFC 9562 §5.7): it begins with the time, so that new rows lie together in the index.
func newID(now time.Time, random io.Reader) (uuid.UUID, error) {
	id, err := uuid.NewRandomFromReader(random)
	if err != nil {
		return uuid.Nil, fmt.Errorf("make the id of an item: %w", err)
	}
	milliseconds := now.UnixMilli()
	for i := range 6 {
		id[i] = byte(milliseconds >> (40 - 8*i))
	}
	id[6] = id[6]&0x0f | 0x70
	return id, nil
}
