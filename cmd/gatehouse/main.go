// Command gatehouse serves the API of openapi.yaml.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
)

// gcPercent lets the heap grow to 12 MiB between collections instead of 4. The service keeps almost nothing, so that
// it would collect several times a second for garbage that costs little to keep. GOGC in the environment wins.
const gcPercent = 300

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	var cli struct {
		Serve serve `cmd:"" help:"Serve the API."`
	}
	run := kong.Parse(&cli, kong.Name("gatehouse"), kong.Description("A protected HTTP API whose security is its OpenAPI document."), kong.DefaultEnvars("GATEHOUSE"))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run.BindTo(ctx, (*context.Context)(nil))
	if err := run.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
