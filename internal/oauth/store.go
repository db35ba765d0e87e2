package oauth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"example.com/gatehouse/internal/sqldb"
)

// KeyStore keeps the signing keys in the table signing_keys. DB, EncryptionKey, Now and Random are required.
type KeyStore struct {
	DB *sqldb.DB
	// EncryptionKey encrypts the private keys at rest. It is derived from the secret of the server and used for nothing else.
	EncryptionKey [32]byte
	// Algorithm is that of the first key and of those that age makes; EdDSA where it is empty. Keys that are there keep theirs.
	Algorithm Algorithm
	// RotateAfter is how long a key signs before Refresh makes the next one, at least MinRotateAfter; 0 for never.
	RotateAfter time.Duration
	Now         func() time.Time
	Random      io.Reader

	keys Keys
	// refreshing keeps a set that was read earlier from replacing one that was read later.
	refreshing sync.Mutex
}

// MinRotateAfter is the shortest RotateAfter: with less, keys would be made faster than their last tokens expire.
const MinRotateAfter = time.Hour

// Load returns the signing keys in force, as a set that Refresh keeps up to date. On the first start it makes one. It never
// changes a key that is there, and of two processes that start at once both get the same one. Whatever is wrong with a key
// stops the start: to go on without it would refuse every token that it signed and publish a key set that changes with
// the replica. An error says what the operator should do.
func (s *KeyStore) Load(ctx context.Context) (*Keys, error) {
	s.refreshing.Lock()
	defer s.refreshing.Unlock()
	if _, err := ParseAlgorithm(string(s.algorithm())); err != nil {
		return nil, err
	}
	if s.RotateAfter != 0 && s.RotateAfter < MinRotateAfter {
		return nil, fmt.Errorf("signing keys cannot be rotated after %v: give at least %v, or 0 for never", s.RotateAfter, MinRotateAfter)
	}
	sealer, err := newSealer(s.EncryptionKey)
	if err != nil {
		return nil, err
	}
	for range attempts {
		t, err := s.read(ctx)
		if err != nil {
			return nil, err
		}
		if t.countInForce() == 0 {
			if _, _, err := s.add(ctx, sealer, t, s.algorithm(), t.now); err != nil {
				return nil, err
			}
			continue // to find the key of whoever was faster
		}
		list, err := open(t, sealer, nil)
		if err != nil {
			return nil, err
		}
		set, err := newKeySet(list)
		if err != nil {
			return nil, err
		}
		s.keys.set.Store(set)
		return &s.keys, nil
	}
	return nil, errContended
}

// Refresh brings the set that Load returned up to date with what other processes have done, and makes the next key where
// the one that signs is older than RotateAfter. The table is small: all of it is read, whatever since says. Where it fails
// the last good set stays, but for keys that the table says are revoked: a revocation does not wait for the repair of
// something else.
func (s *KeyStore) Refresh(ctx context.Context, _ time.Time) error {
	t, err := s.refresh(ctx)
	if err != nil || s.RotateAfter <= 0 || !t.due(s.RotateAfter) {
		return err
	}
	if _, _, err := s.Rotate(ctx, Rotation{Algorithm: s.algorithm()}); err != nil {
		return fmt.Errorf("rotate a signing key that is old enough: %w", err)
	}
	_, err = s.refresh(ctx)
	return err
}

func (s *KeyStore) refresh(ctx context.Context) (table, error) {
	s.refreshing.Lock()
	defer s.refreshing.Unlock()
	t, err := s.read(ctx)
	if err != nil {
		return t, err
	}
	sealer, err := newSealer(s.EncryptionKey)
	if err != nil {
		return t, err
	}
	current := s.keys.load()
	list, err := open(t, sealer, current.byID)
	if err == nil && len(list) == 0 {
		err = errNoSigningKey
	}
	if err != nil {
		list = unrevoked(current.newestFirst, t)
	}
	if slices.Equal(list, current.newestFirst) { // the same pointers: nothing has changed
		return t, err
	}
	set, wrong := newKeySet(list)
	if wrong != nil {
		return t, errors.Join(err, wrong)
	}
	s.keys.set.Store(set)
	return t, err
}

// unrevoked returns those of the list that the table does not say are revoked.
func unrevoked(list []*key, t table) []*key {
	return slices.DeleteFunc(slices.Clone(list), func(k *key) bool {
		return slices.ContainsFunc(t.rows, func(r keyRow) bool { return r.kid == k.id && r.revokedAt.Valid })
	})
}

func (s *KeyStore) algorithm() Algorithm {
	if s.Algorithm == "" {
		return EdDSA
	}
	return s.Algorithm
}

// keyRow is a row of signing_keys.
type keyRow struct {
	kid, algorithm, private, public  string
	generation, createdAt, signsFrom int64
	revokedAt                        sql.NullInt64
}

// read returns the whole table. The generation is read first: what is decided by rows that are newer than it is refused
// when it is written, and never the other way round.
func (s *KeyStore) read(ctx context.Context) (table, error) {
	var generation int64
	q := s.DB.Reader()
	if err := q.QueryRowContext(ctx, `SELECT generation FROM signing_key_generation WHERE id = 1`).Scan(&generation); err != nil {
		return table{}, sqldb.Error(err)
	}
	rows, err := q.QueryContext(ctx, `SELECT kid, generation, algorithm, private_key, public_key, created_at, signs_from, revoked_at
		FROM signing_keys ORDER BY generation DESC`)
	if err != nil {
		return table{}, sqldb.Error(err)
	}
	defer rows.Close()
	var list []keyRow
	for rows.Next() {
		var r keyRow
		if err := rows.Scan(&r.kid, &r.generation, &r.algorithm, &r.private, &r.public, &r.createdAt, &r.signsFrom, &r.revokedAt); err != nil {
			return table{}, sqldb.Error(err)
		}
		list = append(list, r)
	}
	return newTable(generation, list, s.Now()), sqldb.Error(rows.Err())
}

// open returns the keys in force, the newest first. Those that are known and have not changed are not decrypted again.
func open(t table, s sealer, known map[string]*key) ([]*key, error) {
	var list []*key
	for i, r := range t.rows {
		if !t.inForce(i) {
			continue
		}
		k := known[r.kid]
		if k == nil || k.row != r {
			var err error
			if k, err = r.open(s); err != nil {
				return nil, err
			}
		}
		if k.life != t.lives[i] {
			changed := *k
			changed.life = t.lives[i]
			k = &changed
		}
		list = append(list, k)
	}
	return list, nil
}

// open returns the key of a row. The key decides what it is good for, and the row has to say the same.
func (r keyRow) open(s sealer) (*key, error) {
	if !validKeyID(r.kid) {
		return nil, errors.New("a signing key in the database has a kid outside [A-Za-z0-9._-]{1,128}: delete its row from the table signing_keys")
	}
	algorithm, err := ParseAlgorithm(r.algorithm)
	if err != nil {
		return nil, fmt.Errorf("the signing key %s in the database cannot be used, %w: start the version of the service that made it, or revoke it", r.kid, err)
	}
	opened, err := s.open(r.kid, r.private)
	if errors.Is(err, errCannotOpen) {
		return nil, fmt.Errorf("the signing key %s in the database was encrypted under another secret: start with the secret that this "+
			"database was first started with, or, to give up every token signed so far, delete the row from the table signing_keys", r.kid)
	}
	if err != nil {
		return nil, fmt.Errorf("the signing key %s in the database is no PKCS #8 document: restore the row from a backup, or revoke it", r.kid)
	}
	private, err := algorithm.fit(opened)
	if err != nil {
		return nil, fmt.Errorf("the signing key %s in the database cannot be used, %w: restore the row from a backup, or revoke it", r.kid, err)
	}
	public, err := encodePublic(private.Public())
	if err != nil {
		return nil, fmt.Errorf("the signing key %s in the database cannot be used: %w", r.kid, err)
	}
	if r.public != public {
		return nil, fmt.Errorf("the public half of the signing key %s in the database is not that of its private half: "+
			"restore the row from a backup, or delete it from the table signing_keys to give up every token signed so far", r.kid)
	}
	return &key{id: r.kid, algorithm: r.algorithm, private: private, public: private.Public(), row: r}, nil
}
