package items

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb"
)

var (
	aliceID = uuid.MustParse("0193583e-6f5c-7a53-8a3c-0d1f2e3a4b5c")
	bobID   = uuid.MustParse("0193583e-6f5c-7a53-8a3c-0d1f2e3a4b5d")
)

// fixture is the handlers over a real database with two accounts and a clock that a test moves.
type fixture struct {
	*Handlers
	alice, bob context.Context
	time       time.Time
}

func newFixture(t *testing.T, db *sqldb.DB) *fixture {
	t.Helper()
	f := &fixture{
		alice: as(t.Context(), aliceID.String()),
		bob:   as(t.Context(), bobID.String()),
		time:  time.Date(2026, 11, 24, 9, 30, 0, 123456789, time.FixedZone("", 3600)),
	}
	f.Handlers = &Handlers{DB: db, Now: func() time.Time { return f.time }, Random: rand.Reader}
	addAccount(t, db, aliceID, "alice")
	addAccount(t, db, bobID, "bob")
	return f
}

func as(ctx context.Context, subject string) context.Context {
	return context.WithValue(ctx, auth.PrincipalKey, &auth.Principal{Subject: subject})
}

func addAccount(t *testing.T, db *sqldb.DB, id uuid.UUID, name string) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `INSERT INTO users (id, username, password_hash, roles, development, created_at, updated_at)
			VALUES ($1, $2, '', '', $3, 0, 0)`, id, name, false)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// create makes an item through the handler and returns its id.
func (f *fixture) create(t *testing.T, ctx context.Context, content string) uuid.UUID {
	t.Helper()
	response, err := f.CreateItem(ctx, api.CreateItemRequestObject{Body: parse[api.NewItem](t, content)})
	if err != nil {
		t.Fatal(err)
	}
	return response.(api.CreateItem201JSONResponse).Body.Id
}

// get reads an item past the handlers.
func (f *fixture) get(t *testing.T, owner, id uuid.UUID) (Item, bool) {
	t.Helper()
	item, err := find(t.Context(), f.DB.Reader(), owner, id)
	if err != nil && !problem.NotFound.Is(err) {
		t.Fatal(err)
	}
	return item, err == nil
}

func parse[T any](t *testing.T, text string) *T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return &v
}

// answered returns what a response looks like as HTTP.
func answered(t *testing.T, visit func(*httptest.ResponseRecorder) error) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	if err := visit(w); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestNewIDIsAUUIDv7OfTheClock(t *testing.T) {
	now := time.Date(2026, 11, 24, 9, 30, 0, 123_000_000, time.UTC)
	id, err := newID(now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if id.Version() != 7 || id.Variant() != uuid.RFC4122 {
		t.Errorf("version %v, variant %v", id.Version(), id.Variant())
	}
	seconds, nanoseconds := id.Time().UnixTime()
	if got := time.Unix(seconds, nanoseconds).UTC(); !got.Equal(now) {
		t.Errorf("time of the id = %v, want %v", got, now)
	}
	other, err := newID(now, rand.Reader)
	if err != nil || other == id {
		t.Errorf("two ids of one instant are %v and %v, error %v", id, other, err)
	}
	if later, _ := newID(now.Add(time.Millisecond), rand.Reader); later.String() <= id.String() {
		t.Errorf("a later id sorts before an earlier one: %v, %v", later, id)
	}
}

func TestNewIDReportsASourceOfRandomnessThatFails(t *testing.T) {
	broken := errors.New("no entropy")
	if _, err := newID(time.Now(), failingReader{broken}); !errors.Is(err, broken) {
		t.Errorf("error = %v", err)
	}
}

type failingReader struct{ error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.error }
