package accounts

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/validation"
)

// Query says which accounts to list.
type Query struct {
	// Search is what the user name or the address begins with. Empty: anything.
	Search string
	// Disabled, where it is set, is whether they are disabled.
	Disabled *bool
	// Cursor is what the page before ended with. Empty: the first page.
	Cursor string
	Limit  int
}

// List returns a page of accounts, newest first, and the cursor of the next one, empty on the last. Deleted ones are in no page.
func (s *Service) List(ctx context.Context, q Query) ([]User, string, error) {
	after, err := decodeCursor(q.Cursor)
	if err != nil {
		return nil, "", err
	}
	// A prefix is compared by characters, not by LIKE: engines differ in what LIKE takes for the same letter. A user name is compared as
	// it is, as a login does; an address is kept in lower case.
	rows, err := s.config.DB.Reader().QueryContext(ctx, `
		SELECT `+columns+` FROM users
		WHERE deleted_at IS NULL AND (created_at, id) < ($1, $2)
			AND (CAST($3 AS BOOLEAN) IS NULL OR (disabled_at IS NOT NULL) = CAST($3 AS BOOLEAN))
			AND (substr(username, 1, CAST($4 AS INTEGER)) = $5 OR substr(email, 1, CAST($4 AS INTEGER)) = $6)
		ORDER BY created_at DESC, id DESC LIMIT $7`,
		after.CreatedAt, after.ID.String(), q.Disabled, utf8.RuneCountInString(q.Search), q.Search, strings.ToLower(q.Search), q.Limit+1)
	if err != nil {
		return nil, "", sqldb.Error(err)
	}
	defer rows.Close()
	users := make([]User, 0, q.Limit)
	for rows.Next() {
		u, err := s.scan(rows)
		if err != nil {
			return nil, "", err
		}
		if len(users) == q.Limit { // one more than the page shows says that there is a next one
			next, err := positionOf(users[q.Limit-1])
			return users, next, err
		}
		users = append(users, u)
	}
	return users, "", sqldb.Error(rows.Err())
}

// position is a place in the list, by the columns that order it. Its fields are exported for encoding/binary.
type position struct {
	CreatedAt int64 // UTC microseconds
	ID        uuid.UUID
}

// positionOf returns the cursor that ends a page with the account: opaque to clients, but neither secret nor signed, since a forged one
// only moves an administrator within the list.
func positionOf(u User) (string, error) {
	id, err := uuid.Parse(u.ID)
	if err != nil {
		return "", err
	}
	raw, err := binary.Append(nil, binary.BigEndian, position{u.CreatedAt.UnixMicro(), id})
	return base64.RawURLEncoding.EncodeToString(raw), err
}

// decodeCursor returns the position of a cursor. Without one, it is before the newest account.
func decodeCursor(cursor string) (position, error) {
	if cursor == "" {
		return position{CreatedAt: math.MaxInt64, ID: uuid.Max}, nil
	}
	var p position
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
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
