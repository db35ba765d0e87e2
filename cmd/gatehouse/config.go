package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// config are the commands of settings.
type config struct {
	Check configCheck `cmd:"" help:"Check the settings of serve, and tell of everything that is wrong with them. Give them as to serve. Nothing is started, made or changed."`
}

type configCheck struct {
	serve  `embed:""`
	format `embed:""`
}

// Run checks the settings.
func (c *configCheck) Run(out io.Writer, parser *kong.Kong) error {
	err := errors.Join(c.validate(), unknownVariables(parser, os.Environ()))
	result := struct {
		Valid  bool     `json:"valid"`
		Faults []string `json:"faults"`
	}{err == nil, []string{}}
	if err != nil {
		result.Faults = strings.Split(err.Error(), "\n")
	}
	if c.JSON || err == nil {
		printed := c.print(out, result, func(w io.Writer) { row(w, "the settings are good") })
		err = errors.Join(err, printed)
	}
	if err != nil {
		return usageError{err}
	}
	return nil
}

// unknownVariables returns the variables that look like settings and are none: a misspelled one would be passed over.
func unknownVariables(parser *kong.Kong, environment []string) error {
	known := []string{smtpVariable, pepperVariable, redisVariable, "GATEHOUSE_USER", "GATEHOUSE_PASSWORD", "GATEHOUSE_API_KEY"} // the last three are of dev.env
	_ = kong.Visit(parser.Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			known = append(known, flag.Envs...)
		}
		return next(nil)
	})
	var faults []error
	for _, variable := range environment {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "GATEHOUSE_") && !strings.HasPrefix(name, "GATEHOUSE_TEST_") && !slices.Contains(known, name) {
			faults = append(faults, fmt.Errorf("%s is no setting: unset it, or write it as gatehouse serve --help does", name))
		}
	}
	return errors.Join(faults...)
}
