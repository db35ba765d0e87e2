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

// phc is a hash as a row has it, in the PHC string format:
//
//	$argon2id$v=19$m=19456,t=2,p=1$SALT$TAG
//	$argon2id$v=19$m=19456,t=2,p=1,pepper=ID$SALT$TAG
//
// The first is what every implementation of argon2id makes and reads. In the second, TAG is HMAC-SHA-256 of the tag that argon2id makes,
// of 32 bytes, under the pepper ID. The parameter is ours: keyid of the format names a key that is put into argon2id itself, and whoever
// takes one for the other must not find that a good password is wrong.
type phc struct {
	cost      Cost
	pepper    string // "" for none
	salt, tag []byte
}

const pepperParameter = ",pepper="

// String returns what parsePHC reads.
func (p phc) String() string {
	b64, parameters := base64.RawStdEncoding, p.cost.String()
	if p.pepper != "" {
		parameters += pepperParameter + p.pepper
	}
	return fmt.Sprintf("$argon2id$v=%d$%s$%s$%s", argon2.Version, parameters, b64.EncodeToString(p.salt), b64.EncodeToString(p.tag))
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
	cost, pepper, peppered := strings.Cut(fields[3], pepperParameter)
	p.pepper = pepper
	_, costErr := fmt.Sscanf(cost, "m=%d,t=%d,p=%d", &c.Memory, &c.Time, &c.Threads)
	var saltErr, tagErr error
	p.salt, saltErr = base64.RawStdEncoding.Strict().DecodeString(fields[4])
	p.tag, tagErr = base64.RawStdEncoding.Strict().DecodeString(fields[5])
	bounded := c.Memory >= 8 && c.Memory <= maxMemory && c.Time >= 1 && c.Time <= maxTime && c.Threads >= 1 && c.Threads <= maxThreads &&
		len(p.salt) >= 8 && len(p.salt) <= 64 && len(p.tag) >= 16 && len(p.tag) <= 64
	if errors.Join(costErr, saltErr, tagErr) != nil || !bounded || peppered && !ValidPepperID(pepper) || p.String() != stored {
		return phc{}, errNotAHash
	}
	return p, nil
}
