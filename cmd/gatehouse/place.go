package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/server"
	"example.com/gatehouse/internal/sqldb"
)

// place is where the service keeps its data, and the secret under which it keeps it. Serve and the commands of
// administration have these settings in common, so that what works for one works for the other.
type place struct {
	Dev           bool   `help:"Development: made-up secrets in the data folder. Serve listens on loopback only, with documentation on."`
	Data          string `default:"data" help:"The folder of the embedded database and the development files."`
	Database      string `help:"The SQLite file (default: gatehouse.db in the data folder)."`
	SecretKeyFile string `help:"A file with the secret key: 32 random bytes in base64. Signing keys and API keys are kept under it."`
}

// database returns the address of the database.
func (p *place) database() string {
	if p.Database == "" {
		return filepath.Join(p.Data, "gatehouse.db")
	}
	return p.Database
}

// sqlite returns the file of the database, or "" where it is on a server.
func (p *place) sqlite() string {
	if address := p.database(); !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		return strings.TrimPrefix(address, "sqlite:")
	}
	return ""
}

// secretFile returns the file of the secret key: with --dev the one that serve makes where none is given.
func (p *place) secretFile() string {
	if p.SecretKeyFile == "" && p.Dev {
		return filepath.Join(p.Data, "secret.key")
	}
	return p.SecretKeyFile
}

// secret reads the secret key, for a command that must have the one of the running service: it makes none.
func (p *place) secret() (auth.Secret, error) {
	secret, err := server.ReadSecret(p.secretFile(), p.Dev)
	if err != nil && !p.Dev {
		err = fmt.Errorf("%w, or --dev where the service runs with it", err)
	}
	if err != nil {
		return "", usageError{err}
	}
	return secret, nil
}

// open opens a database that is there. A SQLite file that is not would be made, and a command with a wrong path would
// administer nothing and say that it is done.
func (p *place) open(ctx context.Context) (*sqldb.DB, error) {
	if file := p.sqlite(); file != "" {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return nil, usageError{fmt.Errorf("there is no database %s: give --data or --database as for serve, or start the service once, which makes it", file)}
		}
	}
	return p.openOrMake(ctx)
}

// openOrMake opens the database, for a command that may come before the first start of the service.
func (p *place) openOrMake(ctx context.Context) (*sqldb.DB, error) {
	return sqldb.Open(ctx, p.database())
}
