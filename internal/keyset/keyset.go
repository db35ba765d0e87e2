// Package keyset is the cursor of lists that are ordered by when their rows were made, the newest first: the place at which the next page
// begins, by the values of the columns and not by a number of rows, which others move by adding and removing some.
//
// A list asks for the rows with (created_at, id) < (CreatedAt, ID), ordered by created_at DESC, id DESC, and for one row more than the
// page shows, which says whether there is a next page.
package keyset

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"time"

	"github.com/google/uuid"

	"example.com/gatehouse/internal/validation"
)

// Position is a place in a list. Its fields are exported for encoding/binary and for the query.
type Position struct {
	CreatedAt int64 // UTC microseconds
	ID        uuid.UUID
}

// Of returns the position of a row.
func Of(createdAt time.Time, id uuid.UUID) Position {
	return Position{CreatedAt: createdAt.UnixMicro(), ID: id}
}

// Cursor returns the position for a client: opaque, but neither secret nor signed, since a forged one only moves the caller within a
// list that they may see.
func (p Position) Cursor() string {
	raw, err := binary.Append(nil, binary.BigEndian, p)
	if err != nil {
		panic("keyset: Position has a field without a fixed size: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// Decode returns the position of the query parameter cursor. Without one, it is before the newest row.
func Decode(cursor *string) (Position, error) {
	if cursor == nil {
		return Position{CreatedAt: math.MaxInt64, ID: uuid.Max}, nil
	}
	var p Position
	raw, err := base64.RawURLEncoding.DecodeString(*cursor)
	if err == nil && len(raw) == binary.Size(p) {
		_, err = binary.Decode(raw, binary.BigEndian, &p)
	}
	if err != nil || len(raw) != binary.Size(p) {
		var v validation.Violations
		v.Parameter("cursor", "format", "must be the next_cursor of a page")
		return Position{}, v.Err()
	}
	return p, nil
}
