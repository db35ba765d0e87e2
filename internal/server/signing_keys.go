package server

import (
	"io"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/oauth"
	"example.com/gatehouse/internal/sqldb"
)

// NewKeyStore returns the signing keys of a database, for the service and for who administers them: both derive the
// key under which they are kept from the secret in one way. The caller may set how new ones are made.
func NewKeyStore(db *sqldb.DB, secret auth.Secret, now func() time.Time, random io.Reader) (*oauth.KeyStore, error) {
	key, err := derive(secret, "signing keys")
	if err != nil {
		return nil, err
	}
	return &oauth.KeyStore{DB: db, EncryptionKey: [32]byte(key), Now: now, Random: random}, nil
}
