package main

import (
	"errors"
	"fmt"
	"os"

	"example.com/gatehouse/internal/accounts"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/server"
)

// hashing are the settings of how passwords are kept. Serve and the commands that make passwords have them in common, so that one does
// not undo what the other does.
type hashing struct {
	PasswordCost string `default:"m=19456,t=2,p=1" help:"What a password hash costs, by the parameters of argon2id: m=19456,t=2,p=1 or m=47104,t=1,p=1. Those of another cost are made anew at the next login."`
	PepperFile   string `help:"A file with keys for password hashes, the newest first: lines of NAME:KEY, with 32 random bytes in base64. Or put the lines into the variable GATEHOUSE_PEPPERS. Passwords cannot be checked without the key of their hash."`
}

// pepperVariable holds the peppers. It is no flag: they would be in the list of processes.
const pepperVariable = "GATEHOUSE_PEPPERS"

// passwords returns what the settings say. An empty cost is the default, for tests that fill in the struct.
func (h *hashing) passwords() (accounts.Passwords, error) {
	var p accounts.Passwords
	var faults []error
	if h.PasswordCost != "" {
		var err error
		if p.Cost, err = accounts.ParseCost(h.PasswordCost); err != nil {
			faults = append(faults, fmt.Errorf("%w: give one of them with --password-cost", err))
		}
	}
	peppers, err := h.peppers()
	if err != nil {
		faults = append(faults, err)
	}
	p.Peppers = peppers
	if faults != nil {
		return accounts.Passwords{}, usageError{errors.Join(faults...)}
	}
	return p, nil
}

// peppers returns the peppers, or none where none are given.
func (h *hashing) peppers() ([]accounts.Pepper, error) {
	text := os.Getenv(pepperVariable)
	switch {
	case text != "" && h.PepperFile != "":
		return nil, fmt.Errorf("--pepper-file and %s are two lists of peppers: give one", pepperVariable)
	case h.PepperFile != "":
		data, err := os.ReadFile(h.PepperFile)
		if err != nil {
			return nil, fmt.Errorf("the file of the peppers cannot be read: %w", err)
		}
		text = string(data)
	case text == "":
		return nil, nil
	}
	return server.ParsePeppers(auth.Secret(text))
}
