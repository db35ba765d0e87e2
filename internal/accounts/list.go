package accounts

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"example.com/gatehouse/internal/keyset"
	"example.com/gatehouse/internal/sqldb"
)

// Query says which accounts to list.
type Query struct {
	// Search is what the user name or the address begins with. Empty: anything.
	Search string
	// Disabled, where it is set, is whether they are disabled.
	Disabled *bool
	// Cursor is what the page before ended with. Without it: the first page.
	Cursor *string
	Limit  int
}

// List returns a page of accounts, newest first, and the cursor of the next one, nil on the last. Deleted ones are in no page.
func (s *Service) List(ctx context.Context, q Query) ([]User, *string, error) {
	after, err := keyset.Decode(q.Cursor)
	if err != nil {
		return nil, nil, err
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
		return nil, nil, sqldb.Error(err)
	}
	defer rows.Close()
	users := make([]User, 0, q.Limit)
	for rows.Next() {
		u, err := s.scan(rows)
		if err != nil {
			return nil, nil, err
		}
		if len(users) == q.Limit { // one more than the page shows says that there is a next one
			last := users[q.Limit-1]
			id, err := uuid.Parse(last.ID)
			return users, new(keyset.Of(last.CreatedAt, id).Cursor()), err
		}
		users = append(users, u)
	}
	return users, nil, sqldb.Error(rows.Err())
}
