package server

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.com/gatehouse/internal/accounts"
	"example.com/gatehouse/internal/auth"
)

// ParsePeppers reads the peppers of passwords, the newest first: one on a line, its name, a colon, and at least 32 random bytes as base64.
// An error holds no part of a key.
func ParsePeppers(text auth.Secret) ([]accounts.Pepper, error) {
	const remedy = `write one on a line, the newest first, made with: echo "$(date +%F):$(head -c 32 /dev/urandom | base64)"`
	var peppers []accounts.Pepper
	for i, line := range strings.Fields(text.Reveal()) {
		id, encoded, _ := strings.Cut(line, ":")
		key, err := base64.StdEncoding.Strict().DecodeString(encoded)
		switch {
		case !accounts.ValidPepperID(id):
			return nil, fmt.Errorf("pepper %d has no name of 1 to 32 letters, digits, dots and hyphens: %s", i+1, remedy)
		case err != nil || len(key) < secretBytes || distinct(key) < secretBytes/2:
			return nil, fmt.Errorf("pepper %d is not %d random bytes in base64: %s", i+1, secretBytes, remedy)
		case slices.ContainsFunc(peppers, func(p accounts.Pepper) bool { return p.ID == id }):
			return nil, fmt.Errorf("pepper %d has the name of another: name each after the day on which it was made", i+1)
		}
		peppers = append(peppers, accounts.Pepper{ID: id, Key: auth.Secret(key)})
	}
	if len(peppers) == 0 {
		return nil, errors.New("there is no pepper: " + remedy)
	}
	return peppers, nil
}
