// Command gatehouse-gen writes Go from an OpenAPI document, or says why it cannot.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"example.com/gatehouse/internal/codegen"
)

type generate struct {
	Spec       string `placeholder:"FILE" help:"The OpenAPI document. Without --spec and --out: openapi.yaml, into gen/api, gen/client and gen/typescript."`
	Out        string `placeholder:"DIR" help:"The folder of the server's package."`
	Package    string `default:"api" help:"The name of the server's package."`
	Client     string `placeholder:"DIR" help:"The folder of the Go client's package; none is written without it."`
	TypeScript string `name:"typescript" placeholder:"DIR" help:"The folder of the TypeScript client's npm package; none is written without it."`
	Undeclared string `name:"undeclared-security" enum:"refuse,deny,public" default:"refuse" help:"What becomes of operations that declare no security: refuse, deny or public."`
}

// Run generates from the document of this repository, or from another one: then into the folders that are given and into no other.
func (g *generate) Run() error {
	switch {
	case g.Spec == "" && g.Out == "" && g.Client == "" && g.TypeScript == "":
		g.Spec, g.Out, g.Client, g.TypeScript = "openapi.yaml", "gen/api", "gen/client", "gen/typescript"
	case g.Spec == "" || g.Out == "":
		return errors.New("give --spec and --out together; for the document of this repository give neither, nor --client and --typescript")
	}
	warnings, err := codegen.Generate(codegen.Options{
		Spec: g.Spec, Out: g.Out, Package: g.Package, Client: g.Client, TypeScript: g.TypeScript,
		UndeclaredSecurity: strings.TrimPrefix(g.Undeclared, "refuse"),
	})
	warn(warnings)
	return err
}

type check struct {
	Spec       string `default:"openapi.yaml" help:"The OpenAPI document."`
	Undeclared string `name:"undeclared-security" enum:"refuse,deny,public" default:"refuse" help:"As for generate. With deny or public the document is not one's own: what it leaves out beside is not told."`
	Add        bool   `name:"add-problem-responses" help:"First write the responses into the document that operations can give and do not declare."`
}

func (c *check) Run() error {
	options := codegen.Options{Spec: c.Spec, UndeclaredSecurity: strings.TrimPrefix(c.Undeclared, "refuse")}
	if c.Add {
		added, err := codegen.AddProblemResponses(options)
		if err != nil {
			return fmt.Errorf("%w\n%s: nothing was added", err, c.Spec)
		}
		for _, a := range added {
			fmt.Fprintln(os.Stderr, "added:", a)
		}
	}
	warnings, err := codegen.Check(options)
	warn(warnings)
	if faults, ok := err.(codegen.Faults); ok {
		return fmt.Errorf("%w\n%s: %s, %s", faults, c.Spec, count(len(faults), "fault"), count(len(warnings), "warning"))
	}
	if err == nil && len(warnings) > 0 && options.UndeclaredSecurity == "" {
		return fmt.Errorf("%s: no faults, %s", c.Spec, count(len(warnings), "warning"))
	}
	if err == nil {
		fmt.Fprintf(os.Stderr, "%s: no faults, %s\n", c.Spec, count(len(warnings), "warning"))
	}
	return err
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

type report struct {
	Spec       string `default:"openapi.yaml" help:"The OpenAPI document."`
	Format     string `enum:"text,page,json" default:"text" help:"text, page (one HTML file) or json."`
	Undeclared string `name:"undeclared-security" enum:"refuse,deny,public" default:"refuse" help:"What becomes of operations that declare no security: refuse, deny or public."`
}

func (r *report) Run() error {
	return codegen.Report(os.Stdout, codegen.Options{Spec: r.Spec, UndeclaredSecurity: strings.TrimPrefix(r.Undeclared, "refuse")}, r.Format)
}

type extensions struct{}

func (extensions) Run() error {
	_, err := os.Stdout.Write(codegen.ExtensionsSchema)
	return err
}

func warn(warnings []string) {
	for _, w := range warnings {
		fmt.Fprintln(os.Stderr, "warning:", w)
	}
}

func main() {
	var cli struct {
		Generate   generate   `cmd:"" help:"Write the server's package and the clients."`
		Check      check      `cmd:"" help:"Judge the document and write nothing. Warnings fail too."`
		Report     report     `cmd:"" help:"Print the security matrix: who may call each operation, and what its requests are held to."`
		Extensions extensions `cmd:"" help:"Print the JSON Schema of the extensions (x-timeout and others) that a document may use."`
	}
	run := kong.Parse(&cli, kong.Name("gatehouse-gen"), kong.Description("Writes Go from an OpenAPI document, or says why it cannot."))
	if err := run.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
