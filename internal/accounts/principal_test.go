package accounts

import (
	"errors"
	"testing"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

func TestASessionGoesOnWhileItsAccountDoes(t *testing.T) {
	s := open(t, sqldbtest.Open(t))
	id := s.ann.ID
	if p, err := s.Principal(ctx, id); err != nil || p.Subject != id || len(p.Scopes) == 0 {
		t.Fatalf("an account in force: %+v, %v", p, err)
	}
	for _, row := range []struct {
		name   string
		change func() error
		good   bool
	}{
		{"disabled", func() error { return s.SetDisabled(ctx, id, true) }, false},
		{"enabled again", func() error { return s.SetDisabled(ctx, id, false) }, true},
		{"deleted", func() error { return s.Delete(ctx, id) }, false},
	} {
		if err := row.change(); err != nil {
			t.Fatal(err)
		}
		if p, err := s.Principal(ctx, id); (err == nil) != row.good || !row.good && !errors.Is(err, auth.ErrInvalidCredential) {
			t.Errorf("%s: %+v, %v", row.name, p, err)
		}
	}
}
