package items

import (
	"encoding/base64"
	"encoding/binary"
	"math"

	"github.com/google/uuid"

	"example.com/gatehouse/internal/validation"
)

// position is a place in the list, by the columns that order it. Its fields are exported for encoding/binary.
type position struct {
	CreatedAt int64 // UTC microseconds
	ID        uuid.UUID
}

func (i Item) position() position {
	return position{CreatedAt: i.CreatedAt.UnixMicro(), ID: i.ID}
}

// encode returns the cursor of the position: opaque to clients, but neither secret nor signed, since a forged one
// only moves the caller within their own list.
func (p position) encode() string {
	raw, err := binary.Append(nil, binary.BigEndian, p)
	if err != nil {
		panic("items: position has a field without a fixed size: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// decodeCursor returns the position of a cursor. Without one, it is before the newest item.
func decodeCursor(cursor *string) (position, error) {
	if cursor == nil {
		return position{CreatedAt: math.MaxInt64, ID: uuid.Max}, nil
	}
	var p position
	raw, err := base64.RawURLEncoding.DecodeString(*cursor)
	if err == nil && len(raw) == binary.Size(p) {
		_, err = binary.Decode(raw, binary.BigEndian, &p)
	}
	if err != nil || len(raw) != binary.Size(p) {
		var v validation.Violations
		v.Parameter("cursor", "format", "must be the next_cursor of a page")
		return position{}, v.Err()
	}
	return p, nil
}
