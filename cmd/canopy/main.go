// Command canopy is the whole product in one binary: the server, its embedded ClickHouse (as a hidden sub-command), and
// the tools around them. It is the only place where the parts meet.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"canopy/models"
	"canopy/warehouse/engine"
)

// commands is the command line: one file a sub-command.
type commands struct {
	Config configPath `name:"config" type:"path" help:"Configuration file (YAML); its keys are the names of the flags." placeholder:"FILE" env:"CANOPY_CONFIG"`

	Serve   serveCommand   `cmd:"" help:"Run Canopy."`
	Import  importCommand  `cmd:"" help:"Import CSV, XLSX, Parquet or Arrow files."`
	Export  exportCommand  `cmd:"" help:"Export records as CSV, Parquet or Arrow."`
	Demo    demoCommand    `cmd:"" help:"Fill an empty workspace with a simulated company."`
	Adopt   adoptCommand   `cmd:"" help:"Let Canopy's own field or object take over a custom one of the same name."`
	Token   tokenCommand   `cmd:"" help:"Make, list and revoke API tokens."`
	Rebuild rebuildCommand `cmd:"" help:"Make the warehouse anew from the change log and prove that both hold the same."`
	Doctor  doctorCommand  `cmd:"" help:"Name what is wrong with this installation."`
	Explain explainCommand `cmd:"" help:"Print a room's definition, its SQL and its last runs."`
	Openapi openapiCommand `cmd:"" help:"Print the OpenAPI description of the HTTP API."`
	Bench   benchCommand   `cmd:"" help:"Measure Canopy against its limits and rivals."`
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == engine.ChildCommand {
		engine.Main(os.Args[2:]) // does not return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		say(os.Stderr, err)
		os.Exit(1) //nolint:gocritic // stop only unregisters signals of a process that ends here
	}
}

// streams are where a sub-command writes.
type streams struct{ out, err io.Writer }

// run is the program without its process: it parses args and runs the sub-command they name.
func run(ctx context.Context, args []string, out, errOut io.Writer) error {
	var c commands
	parser, err := kong.New(&c,
		kong.Name("canopy"),
		kong.Description("The core records, SQL counts, Go reasons, the screen shows."),
		kong.UsageOnError(),
		kong.Writers(out, errOut),
		kong.DefaultEnvars("CANOPY"),
		kong.Resolvers(fileFirst{}),
	)
	if err != nil {
		return fmt.Errorf("describe the command line: %w", err)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return err
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	return parsed.Run(&streams{out: out, err: errOut})
}

// say prints one calm sentence, and what can be done about it.
func say(w io.Writer, err error) {
	var said *models.Error
	if !errors.As(err, &said) {
		fmt.Fprintln(w, "canopy:", err)
		return
	}
	fmt.Fprintln(w, "canopy:", err)
	if said.Remedy != "" {
		fmt.Fprintln(w, " ", said.Remedy)
	}
	for i := range said.Details {
		fmt.Fprintln(w, "  -", said.Details[i].Error(), said.Details[i].Remedy)
	}
}
