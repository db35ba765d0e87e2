package accounts

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

const (
	saltBytes = 16
	tagBytes  = 32
)

// The most that a stored hash may ask for. A row from an import or an attacker must not be able to take the memory or
// the time of the service.
const (
	maxMemory  = 1 << 20 // 1 GiB
	maxTime    = 10
	maxThreads = 16
)

// phc is a hash as a row has it, in the form of the PHC string format.
type phc struct {
	cost      Cost
	salt, tag []byte
}

// String returns what parsePHC reads.
func (p phc) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$%s$%s$%s", argon2.Version, p.cost, b64.EncodeToString(p.salt), b64.EncodeToString(p.tag))
}

var errNotAHash = errors.New("not an argon2id hash of a cost that is allowed")

// parsePHC reads what String wrote, in no other spelling.
func parsePHC(stored string) (phc, error) {
	fields := strings.Split(stored, "$")
	if len(fields) != 6 {
		return phc{}, errNotAHash
	}
	var p phc
	c := &p.cost
	_, costErr := fmt.Sscanf(fields[3], "m=%d,t=%d,p=%d", &c.Memory, &c.Time, &c.Threads)
	var saltErr, tagErr error
	p.salt, saltErr = base64.RawStdEncoding.Strict().DecodeString(fields[4])
	p.tag, tagErr = base64.RawStdEncoding.Strict().DecodeString(fields[5])
	bounded := c.Memory >= 8 && c.Memory <= maxMemory && c.Time >= 1 && c.Time <= maxTime && c.Threads >= 1 && c.Threads <= maxThreads &&
		len(p.salt) >= 8 && len(p.salt) <= 64 && len(p.tag) >= 16 && len(p.tag) <= 64
	if errors.Join(costErr, saltErr, tagErr) != nil || !bounded || p.String() != stored {
		return phc{}, errNotAHash
	}
	return p, nil
}
