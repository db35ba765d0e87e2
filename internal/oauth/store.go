package oauth

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"example.com/gatehouse/internal/sqldb"
)

// KeyStore keeps the signing keys in the table signing_keys. All fields are required.
type KeyStore struct {
	DB *sqldb.DB
	// EncryptionKey encrypts the private keys at rest. It is derived from the secret of the server and used for nothing else.
	EncryptionKey [32]byte
	Now           func() time.Time
	Random        io.Reader
}

// Load returns the signing keys in force. On the first start it makes one. It never changes a key that is there, and of two
// processes that start at once both get the same one. An error says what the operator should do.
func (s *KeyStore) Load(ctx context.Context) (*Keys, error) {
	sealer, err := newSealer(s.EncryptionKey)
	if err != nil {
		return nil, err
	}
	rows, err := keysInForce(ctx, s.DB.Reader())
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		if err := s.DB.Write(ctx, func(tx *sql.Tx) error { return s.create(ctx, tx, sealer) }); err != nil {
			return nil, err
		}
		if rows, err = keysInForce(ctx, s.DB.Reader()); err != nil {
			return nil, err
		}
	}
	keys := make([]*key, len(rows))
	for i, row := range rows {
		if keys[i], err = row.open(sealer); err != nil {
			return nil, err
		}
	}
	return newKeys(keys)
}

// create makes a key, unless another process was faster: the unique index of the table allows one in force.
func (s *KeyStore) create(ctx context.Context, tx *sql.Tx, sealer sealer) error {
	random := make([]byte, keyIDRandomness+ed25519.SeedSize)
	if _, err := io.ReadFull(s.Random, random); err != nil {
		return fmt.Errorf("read randomness for a signing key: %w", err)
	}
	now := s.Now()
	kid := fmt.Sprintf("%s-%x", now.UTC().Format(time.DateOnly), random[:keyIDRandomness])
	private := ed25519.NewKeyFromSeed(random[keyIDRandomness:])
	sealed, err := sealer.seal(s.Random, kid, private)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO signing_keys (kid, algorithm, private_key, public_key, created_at)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		kid, algorithm, sealed, encodePublic(private.Public().(ed25519.PublicKey)), now.UnixMicro())
	return sqldb.Error(err)
}

// keyIDRandomness are the random bytes of a kid: a database that is made anew on the same day must not use a kid again, because
// verifiers may still hold the old key under it.
const keyIDRandomness = 6

// keyRow is a row of signing_keys.
type keyRow struct {
	kid, algorithm, private, public string
}

// keysInForce lists the keys that are not retired, the newest first.
func keysInForce(ctx context.Context, q sqldb.Querier) ([]keyRow, error) {
	rows, err := q.QueryContext(ctx, `SELECT kid, algorithm, private_key, public_key
		FROM signing_keys WHERE retired_at IS NULL ORDER BY created_at DESC, kid DESC`)
	if err != nil {
		return nil, sqldb.Error(err)
	}
	defer rows.Close()
	var list []keyRow
	for rows.Next() {
		var r keyRow
		if err := rows.Scan(&r.kid, &r.algorithm, &r.private, &r.public); err != nil {
			return nil, sqldb.Error(err)
		}
		list = append(list, r)
	}
	return list, sqldb.Error(rows.Err())
}

// open returns the key of a row that is in force. Whatever is wrong with it stops the start: to go on without the key
// would refuse every token that it signed and publish a key set that changes with the replica.
func (r keyRow) open(s sealer) (*key, error) {
	if !validKeyID(r.kid) {
		return nil, errors.New("a signing key in the database has a kid outside [A-Za-z0-9._-]{1,128}: delete its row from the table signing_keys")
	}
	if r.algorithm != algorithm {
		return nil, fmt.Errorf("the signing key %s in the database is not an %s key: start the version of the service that made it, or set its retired_at", r.kid, algorithm)
	}
	private, err := s.open(r.kid, r.private)
	if err != nil {
		return nil, fmt.Errorf("the signing key %s in the database was encrypted under another secret: start with the secret that this "+
			"database was first started with, or, to give up every token signed so far, delete the row from the table signing_keys", r.kid)
	}
	public := private.Public().(ed25519.PublicKey)
	if r.public != encodePublic(public) {
		return nil, fmt.Errorf("the public half of the signing key %s in the database is not that of its private half: "+
			"restore the row from a backup, or delete it from the table signing_keys to give up every token signed so far", r.kid)
	}
	return &key{id: r.kid, algorithm: algorithm, private: private, public: public}, nil
}

func encodePublic(public ed25519.PublicKey) string {
	return base64.RawURLEncoding.EncodeToString(public)
}
