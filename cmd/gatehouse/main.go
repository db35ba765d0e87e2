// Command gatehouse serves the API of openapi.yaml and administers what it keeps.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"example.com/gatehouse/internal/sqldb"
)

// gcPercent lets the heap grow to 12 MiB between collections instead of 4. The service keeps almost nothing, so that
// it would collect several times a second for garbage that costs little to keep. GOGC in the environment wins.
const gcPercent = 300

// commands is the command line: each command is a struct of its settings with a method Run.
type commands struct {
	Serve      serve      `cmd:"" help:"Serve the API."`
	Client     client     `cmd:"" help:"The OAuth clients: add, list, rotate, disable, enable."`
	SigningKey signingKey `cmd:"" help:"The keys that sign access tokens: list, rotate, revoke."`
	User       user       `cmd:"" help:"The accounts: add, list, disable, enable, password."`
	Token      token      `cmd:"" help:"Access tokens: issue, check."`
	Config     config     `cmd:"" help:"The settings of serve: check."`
}

// The exit codes of all commands. Scripts depend on them: the help text and the README say the same.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitNotFound = 3
)

const exitCodes = "Exit codes: 0 done, or it was so already; 1 failed, standard error says why and what to do; " +
	"2 the command line or a setting is wrong, nothing was done; 3 what was named is not there."

const description = "A protected HTTP API whose security is its OpenAPI document.\n\n" +
	"Each setting is a flag, or the variable GATEHOUSE_ and the flag's name in capitals. Secrets are never arguments: they come " +
	"from files, standard input or a prompt. Administration works on the database while the service runs, which learns of it within 5 seconds. " +
	"With --json the result is one JSON value on standard output.\n\n" + exitCodes

// leastThreads is how many threads run Go at once, on one core too. SQLite waits for the disk in a system call, and with one thread everything
// else would wait with it, up to 10 ms each time: /livez took seconds under load.
const leastThreads = 2

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMAXPROCS") == "" && runtime.GOMAXPROCS(0) < leastThreads {
		runtime.GOMAXPROCS(leastThreads)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, os.Exit))
}

// run runs the command that the arguments name and returns the exit code. exit is called where only help was asked for.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, exit func(int)) int {
	var cli commands
	parser, err := kong.New(&cli, kong.Name("gatehouse"), kong.Description(description), kong.DefaultEnvars("GATEHOUSE"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.Writers(stdout, stderr), kong.Exit(exit))
	if err != nil {
		return report(stderr, err)
	}
	if err := noPassword(args); err != nil {
		return report(stderr, err)
	}
	command, err := parser.Parse(args)
	if err != nil {
		return report(stderr, usageError{fmt.Errorf("%w: see gatehouse --help", err)})
	}
	command.Bind(parser)
	command.BindTo(ctx, (*context.Context)(nil))
	command.BindTo(stdout, (*io.Writer)(nil))
	return report(stderr, command.Run())
}

// noPassword refuses an address with a password in it: every user of the machine can read the arguments of a process, and
// the history of the shell keeps them.
func noPassword(args []string) error {
	for _, arg := range args {
		_, rest, found := strings.Cut(arg, "://")
		user, _, hasHost := strings.Cut(rest, "@")
		if _, password, hasPassword := strings.Cut(user, ":"); found && hasHost && hasPassword && password != "" && !strings.Contains(user, "/") {
			return usageError{errors.New("an argument is an address with a password: give it in its variable, as GATEHOUSE_DATABASE, instead")}
		}
	}
	return nil
}

// usageError is an error of who wrote the command line or the settings.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// report writes the error and returns its exit code.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(stderr, "gatehouse: %s\n", strings.TrimSuffix(line, "\n"))
	}
	switch {
	case errors.As(err, new(usageError)):
		return exitUsage
	case errors.Is(err, sqldb.ErrNotFound):
		return exitNotFound
	}
	return exitFailed
}
