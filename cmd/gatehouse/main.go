// Command gatehouse serves the API of openapi.yaml.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() {
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
