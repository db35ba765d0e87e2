package session

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"example.com/gatehouse/internal/sqldb"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

// TestWhatEndsASession: each cause ends those that it names, in this process at once and in the other when it has read the rows, and
// no others.
func TestWhatEndsASession(t *testing.T) {
	ctx := context.Background()
	for _, row := range []struct {
		name, by string
		end      func(s *Store, tx *sql.Tx, mine Session) error
		second   bool // the user's other session with the client ends too
	}{
		{"a new password", reasonAccount, func(s *Store, tx *sql.Tx, mine Session) error { return s.EndAll(ctx, tx, alice, "") }, true},
		{"a consent that is withdrawn", reasonWithdrawn, func(s *Store, tx *sql.Tx, mine Session) error { return s.EndOfClient(ctx, tx, alice, client) }, true},
		{"a consent for another client", "", func(s *Store, tx *sql.Tx, mine Session) error { return s.EndOfClient(ctx, tx, alice, "other") }, false},
		{"a secret that was used twice", reasonReuse, func(s *Store, tx *sql.Tx, mine Session) error { return s.EndReused(ctx, tx, mine.ID) }, false},
		{"another login of the same browser", reasonReplaced, func(s *Store, tx *sql.Tx, mine Session) error { return s.EndReplaced(ctx, tx, mine.ID) }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
				s, other, c := stores(t, db)
				mine, second, foreign := start(t, s, alice), start(t, s, alice), start(t, s, bob)
				if err := db.Write(ctx, func(tx *sql.Tx) error { return row.end(s, tx, mine) }); err != nil {
					t.Fatal(err)
				}
				refresh(t, other, c)
				for _, p := range []*Store{s, other} {
					if allowed(p, mine) != (row.by == "") || allowed(p, second) == row.second || !allowed(p, foreign) {
						t.Errorf("mine %t, the second %t, the foreign one %t", allowed(p, mine), allowed(p, second), allowed(p, foreign))
					}
				}
				var by sql.NullString
				if err := db.Reader().QueryRowContext(ctx, `SELECT ended_by FROM sessions WHERE id = $1`, mine.ID).Scan(&by); err != nil || by.String != row.by {
					t.Errorf("it ended by %q, %v", by.String, err)
				}
			})
		})
	}
}

// TestASessionOfALifetime ends by it, whether it is used or not.
func TestASessionOfALifetime(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, _, c := stores(t, db)
		var v Session
		err := db.Write(t.Context(), func(tx *sql.Tx) (err error) {
			v, err = s.Start(t.Context(), tx, New{UserID: alice, ClientID: client, IssuedAt: time.UnixMicro(0), Lifetime: time.Hour})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		c.add(time.Hour - time.Second)
		if _, err := s.Rotate(t.Context(), v.ID, client, 1); err != nil {
			t.Errorf("a second before: %v", err)
		}
		c.add(time.Second)
		if _, err := s.Find(t.Context(), v.ID); !errors.Is(err, sqldb.ErrNotFound) {
			t.Errorf("at its end: %v", err)
		}
	})
}
