package accounts

import (
	"fmt"
	"strings"
)

// Passwords says how passwords are hashed. The zero value is argon2id at the first of Costs, without a pepper.
type Passwords struct {
	// Cost is that of new hashes, one of Costs.
	Cost Cost
	// Peppers are the keys of tags, the newest first. That one is for new hashes, the others are for those that were made with them, until
	// their users log in.
	Peppers []Pepper
}

// cost returns the cost of new hashes.
func (p Passwords) cost() Cost {
	if p.Cost == (Cost{}) {
		return Costs()[0]
	}
	return p.Cost
}

// Cost is what a hash of argon2id costs, by its parameters in RFC 9106.
type Cost struct {
	Memory  uint32 // KiB
	Time    uint32
	Threads uint8
}

// Costs returns those that new hashes may have, the default first: the first choice of the OWASP Password Storage Cheat Sheet, and that
// of ASVS 5.0 Appendix C. The one takes about 25 ms and 19 MiB, the other about 30 ms and 46 MiB.
func Costs() []Cost {
	return []Cost{{Memory: 19456, Time: 2, Threads: 1}, {Memory: 47104, Time: 1, Threads: 1}}
}

// ParseCost returns the one of Costs that the text is, written as in a hash: m=19456,t=2,p=1. Others are refused: a cost that is too low
// helps whoever steals the hashes, and one that is too high whoever wants the service to stand still.
func ParseCost(text string) (Cost, error) {
	var known []string
	for _, c := range Costs() {
		if c.String() == text {
			return c, nil
		}
		known = append(known, c.String())
	}
	return Cost{}, fmt.Errorf("the cost of password hashes is neither %s", strings.Join(known, " nor "))
}

// String returns the parameters as a hash has them.
func (c Cost) String() string { return fmt.Sprintf("m=%d,t=%d,p=%d", c.Memory, c.Time, c.Threads) }
