package main

import (
	"fmt"

	"example.com/gatehouse/internal/accounts"
)

// hashing are the settings of how passwords are kept. Serve and the commands that make passwords have them in common, so that one does
// not undo what the other does.
type hashing struct {
	PasswordCost string `default:"m=19456,t=2,p=1" help:"What a password hash costs, by the parameters of argon2id: m=19456,t=2,p=1 or m=47104,t=1,p=1. Those of another cost are made anew at the next login."`
}

// passwords returns what the settings say. An empty cost is the default, for tests that fill in the struct.
func (h *hashing) passwords() (accounts.Passwords, error) {
	if h.PasswordCost == "" {
		return accounts.Passwords{}, nil
	}
	cost, err := accounts.ParseCost(h.PasswordCost)
	if err != nil {
		return accounts.Passwords{}, usageError{fmt.Errorf("%w: give one of them with --password-cost", err)}
	}
	return accounts.Passwords{Cost: cost}, nil
}
