package sqldb

import "database/sql"

// Pool is the state of a pool of connections.
type Pool struct {
	Name string
	sql.DBStats
}

// Pools returns the state of each pool: one for writers and one for readers where the database takes one writer, else one.
func (db *DB) Pools() []Pool {
	if db.reader == db.writer {
		return []Pool{{"all", db.writer.Stats()}}
	}
	return []Pool{{"writer", db.writer.Stats()}, {"readers", db.reader.Stats()}}
}
