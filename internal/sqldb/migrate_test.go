package sqldb_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"example.com/gatehouse/internal/sqldb/sqldbtest"
)

// eachEngine runs f on an empty database of each engine, and with the migrations that it may apply one by one.
func eachEngine(t *testing.T, f func(t *testing.T, db *sql.DB, migrations *goose.Provider)) {
	run := func(t *testing.T, driver, address string, dialect goose.Dialect) {
		db, err := sql.Open(driver, address)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		provider, err := goose.NewProvider(dialect, db, os.DirFS("migrations"), goose.WithDisableGlobalRegistry(true))
		if err != nil {
			t.Fatal(err)
		}
		f(t, db, provider)
	}
	t.Run("sqlite", func(t *testing.T) {
		run(t, "sqlite", "file:"+filepath.Join(t.TempDir(), "test.db")+"?_pragma=foreign_keys(1)", goose.DialectSQLite3)
	})
	t.Run("postgres", func(t *testing.T) { run(t, "pgx", sqldbtest.Postgres(t), goose.DialectPostgres) })
}

// TestSigningKeysKeepTheirRows takes the keys of a version of the service in which they had no life to one in which they
// have, and back.
func TestSigningKeysKeepTheirRows(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sql.DB, migrations *goose.Provider) {
		ctx := context.Background()
		migrate := func(to int64) {
			t.Helper()
			var err error
			if version, _ := migrations.GetDBVersion(ctx); version > to {
				_, err = migrations.DownTo(ctx, to)
			} else {
				_, err = migrations.UpTo(ctx, to)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		rows := func(query string) (list [][]any) {
			t.Helper()
			found, err := db.QueryContext(ctx, query)
			if err != nil {
				t.Fatal(err)
			}
			defer found.Close()
			names, err := found.Columns()
			if err != nil {
				t.Fatal(err)
			}
			for found.Next() {
				values, places := make([]any, len(names)), make([]any, len(names))
				for i := range values {
					places[i] = &values[i]
				}
				if err := found.Scan(places...); err != nil {
					t.Fatal(err)
				}
				list = append(list, values)
			}
			if err := found.Err(); err != nil {
				t.Fatal(err)
			}
			return list
		}
		same := func(what string, want, got [][]any) {
			t.Helper()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		const before = `SELECT kid, algorithm, private_key, public_key, created_at, retired_at FROM signing_keys ORDER BY created_at, kid`
		migrate(4)
		for _, insert := range []string{
			`INSERT INTO signing_keys VALUES ('b', 'EdDSA', 'sealed b', 'public b', 200, NULL)`,
			`INSERT INTO signing_keys VALUES ('a', 'EdDSA', 'sealed a', 'public a', 100, 150)`,
		} {
			if _, err := db.ExecContext(ctx, insert); err != nil {
				t.Fatal(err)
			}
		}
		old := rows(before)
		migrate(5)
		same("keys with a life", [][]any{
			{"a", int64(1), "EdDSA", "sealed a", "public a", int64(100), int64(100), int64(150)},
			{"b", int64(2), "EdDSA", "sealed b", "public b", int64(200), int64(200), nil},
		}, rows(`SELECT kid, generation, algorithm, private_key, public_key, created_at, signs_from, revoked_at FROM signing_keys ORDER BY generation`))
		same("the counter", [][]any{{int64(1), int64(2)}}, rows(`SELECT id, generation FROM signing_key_generation`))
		migrate(4)
		same("the keys of before", old, rows(before))

		migrate(5)
		for _, insert := range []string{
			`INSERT INTO signing_keys (kid, generation, algorithm, private_key, public_key, created_at, signs_from) VALUES ('c', 3, 'EdDSA', 'sealed c', 'public c', 300, 310)`,
			`INSERT INTO signing_keys (kid, generation, algorithm, private_key, public_key, created_at, signs_from) VALUES ('d', 4, 'ES256', 'sealed d', 'public d', 400, 410)`,
		} {
			if _, err := db.ExecContext(ctx, insert); err != nil {
				t.Fatal(err)
			}
		}
		migrate(4)
		same("the newest of each algorithm in force", [][]any{
			{"a", int64(150)}, {"b", int64(300)}, {"c", nil}, {"d", nil},
		}, rows(`SELECT kid, retired_at FROM signing_keys ORDER BY created_at`))
		migrate(0)
	})
}

// TestUsersKeepWhatTheyMayDo takes users whose scopes were their own to a version in which scopes come from roles, and back.
func TestUsersKeepWhatTheyMayDo(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *sql.DB, migrations *goose.Provider) {
		ctx := context.Background()
		column := func(name string) map[string]string {
			t.Helper()
			rows, err := db.QueryContext(ctx, `SELECT username, `+name+` FROM users`)
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			values := map[string]string{}
			for rows.Next() {
				var user, value string
				if err := rows.Scan(&user, &value); err != nil {
					t.Fatal(err)
				}
				values[user] = value
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
			return values
		}
		if _, err := migrations.UpTo(ctx, 5); err != nil {
			t.Fatal(err)
		}
		for user, scopes := range map[string]string{"dev": "items:read items:write users:read", "root": "admin items:read", "chief": "admin", "almost": "administer items:read", "nobody": ""} {
			if _, err := db.ExecContext(ctx, `INSERT INTO users (id, username, password_hash, scopes, development, created_at, updated_at) VALUES ($1, $1, '', $2, $3, 0, 0)`, user, scopes, false); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := migrations.UpTo(ctx, 6); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{"dev": "member", "root": "admin", "chief": "admin", "almost": "member", "nobody": ""}, column("roles")); diff != "" {
			t.Errorf("roles (-want +got):\n%s", diff)
		}
		if _, err := migrations.DownTo(ctx, 5); err != nil {
			t.Fatal(err)
		}
		const member, admin = "items:read items:write users:read", "admin items:read items:write users:read"
		if diff := cmp.Diff(map[string]string{"dev": member, "root": admin, "chief": admin, "almost": member, "nobody": ""}, column("scopes")); diff != "" {
			t.Errorf("scopes (-want +got):\n%s", diff)
		}
		if _, err := migrations.DownTo(ctx, 0); err != nil {
			t.Fatal(err)
		}
	})
}
