package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"example.com/gatehouse/internal/auth"
)

// passwordFrom says where a password comes from: a file, else a prompt where standard input is a terminal, else standard input. It is never
// an argument: the list of processes and the history of the shell show those.
type passwordFrom struct {
	PasswordFile string `env:"-" help:"A file with the password. Without it: a prompt, or standard input where that is no terminal."`
}

// maxPasswordInput bounds what is read for a password: more than one may have, so that a longer one is refused and not cut.
const maxPasswordInput = 4096

// read returns the password. One line end after it is no part of it.
func (p *passwordFrom) read(stdin *os.File, prompt io.Writer) (auth.Secret, error) {
	if p.PasswordFile != "" {
		file, err := os.Open(p.PasswordFile)
		if err != nil {
			return "", usageError{fmt.Errorf("the password file cannot be read: %w", err)}
		}
		defer file.Close()
		return readAll(file)
	}
	if !term.IsTerminal(int(stdin.Fd())) {
		return readAll(stdin)
	}
	first, err := ask(stdin, prompt, "Password: ")
	if err != nil {
		return "", err
	}
	second, err := ask(stdin, prompt, "Once more: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two passwords differ: nothing was done")
	}
	return first, nil
}

// ask reads a line from a terminal that does not show it.
func ask(terminal *os.File, prompt io.Writer, text string) (auth.Secret, error) {
	fmt.Fprint(prompt, text)
	line, err := term.ReadPassword(int(terminal.Fd()))
	fmt.Fprintln(prompt)
	return auth.Secret(line), err
}

func readAll(r io.Reader) (auth.Secret, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxPasswordInput))
	if err != nil {
		return "", err
	}
	return auth.Secret(strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")), nil
}
