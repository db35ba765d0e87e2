package server

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"example.com/gatehouse/internal/accounts"
	"example.com/gatehouse/internal/apikeys"
	"example.com/gatehouse/internal/auth"
)

// developmentUser is the name of the user that --dev makes. The password is random.
const developmentUser = "dev"

// developmentRole is what the development user has: everything but admin, so that 403 can be seen.
const developmentRole = "member"

// provision makes the development user and an API key on the first start, and writes their secrets to file (0600).
// What is there is never overwritten. The secrets are shown nowhere else.
func provision(ctx context.Context, file string, users *accounts.Service, keys *apikeys.Service, random io.Reader) error {
	exists, err := users.HasDevelopmentUser(ctx)
	if err != nil {
		return err
	}
	_, err = os.Stat(file)
	switch {
	case err == nil && exists:
		return nil
	case err == nil:
		return fmt.Errorf("%s is there but the database has no development user: delete the folder %s to start over", file, filepath.Dir(file))
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case exists:
		return fmt.Errorf("the database has a development user but %s is gone: delete the folder %s to start over", file, filepath.Dir(file))
	}
	raw := make([]byte, 24) // 192 bits
	if _, err := io.ReadFull(random, raw); err != nil {
		return err
	}
	password := base64.RawURLEncoding.EncodeToString(raw)
	user, err := users.Create(ctx, accounts.NewUser{Username: developmentUser, Password: auth.Secret(password), Roles: []string{developmentRole}, Development: true})
	if err != nil {
		return err
	}
	key, _, err := keys.Create(ctx, apikeys.NewKey{OwnerID: user.ID, Name: "development", Scopes: user.Scopes})
	if err != nil {
		return err
	}
	return writeOnce(file, fmt.Sprintf("export GATEHOUSE_USER='%s'\nexport GATEHOUSE_PASSWORD='%s'\nexport GATEHOUSE_API_KEY='%s'\n", user.Username, password, key.Reveal()))
}

// writeOnce writes a file that must not exist, for its owner only.
func writeOnce(file, text string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
